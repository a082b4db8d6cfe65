#include "drivers/finisher.h"

#include "arch/riscv64/csr.h"
#include "arch/riscv64/layout.h"

#define FINISHER_ADDRESS 0x100000
#define FINISHER_FAIL	 0x3333 /* with a status in the upper half; status 0 ends like success */

void (*machine_poweroff_hook)(void);

void machine_poweroff(u32 status)
{
	if (machine_poweroff_hook)
		machine_poweroff_hook();
	machine_halt(status);
}

void machine_halt(u32 status)
{
	volatile u32 *finisher = pa_to_va(FINISHER_ADDRESS);

	__asm__ volatile("fence iorw, iorw" ::: "memory");
	*finisher = (status & 0xff) << 16 | FINISHER_FAIL;
	for (;;)
		wfi();
}
