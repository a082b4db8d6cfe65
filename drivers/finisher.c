#include "drivers/finisher.h"

#include "arch/riscv64/csr.h"
#include "arch/riscv64/layout.h"

#define FINISHER_ADDRESS 0x100000
#define FINISHER_FAIL	 0x3333 /* with a status in the upper half; status 0 ends like success */
#define FINISHER_RESET	 0x7777

void (*machine_poweroff_hook)(void);

static __noreturn void finisher_write(u32 value)
{
	volatile u32 *finisher = pa_to_va(FINISHER_ADDRESS);

	__asm__ volatile("fence iorw, iorw" ::: "memory");
	*finisher = value;
	for (;;)
		wfi();
}

static void run_hook(void)
{
	if (machine_poweroff_hook)
		machine_poweroff_hook();
}

void machine_poweroff(u32 status)
{
	run_hook();
	machine_halt(status);
}

void machine_restart(void)
{
	run_hook();
	finisher_write(FINISHER_RESET);
}

void machine_halt(u32 status)
{
	finisher_write((status & 0xff) << 16 | FINISHER_FAIL);
}
