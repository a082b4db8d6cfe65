/*
 * Harts. The boot hart may be any; it is cpu 0, the others are numbered in the order of the device tree. Hart ids may be
 * sparse. Nothing else runs until all have arrived; a hart that does not in time ends the boot with its SBI status.
 */
#include "kernel/harts.h"

#include "arch/riscv64/cpu.h"
#include "arch/riscv64/csr.h"
#include "arch/riscv64/layout.h"
#include "arch/riscv64/sbi.h"
#include "drivers/dt.h"
#include "kernel/irq/irq.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/percpu.h"
#include "kernel/task/isa.h"
#include "kernel/time/time.h"
#include "kernel/trace/trace.h"
#include "kernel/trap/trap.h"

#include <string.h>

#define START_TIMEOUT_S 30 /* 64 harts on two loaded cores of a host need more than one */

extern char __start_percpu[], __stop_percpu[];
extern char __percpu_template[]; /* the section as it was before the boot hart wrote to it */
extern char boot_stack_top[];
extern char secondary_start[];

struct cpu boot_cpu;
u64 secondary_satp; /* [I] the final page table; boot.S loads it before it uses a stack */
u32 nr_cpus;
static struct cpu *cpus[MAX_CPUS];

struct cpu *cpu_of(u32 id)
{
	return cpus[id];
}

void harts_init_boot(void)
{
	memcpy(__percpu_template, __start_percpu, (size_t)(__stop_percpu - __start_percpu));
	cpus[0] = &boot_cpu;
	nr_cpus = 1;
	boot_cpu.kernel_sp = (u64)boot_stack_top;
	boot_cpu.state = HART_KERNEL;
}

/* A record and a copy of the per-CPU section for a hart that is not running yet. */
static struct cpu *hart_create(u32 id, u32 hartid)
{
	size_t percpu_size = (size_t)(__stop_percpu - __start_percpu);
	size_t size = ALIGN_UP(sizeof(struct cpu), CACHE_LINE) + percpu_size;
	u8 *memory =
		kmalloc(MAX(size, PAGE_SIZE)); /* page-aligned: no line is shared with another hart */
	struct cpu *cpu = (struct cpu *)memory;
	u8 *region = memory + ALIGN_UP(sizeof(struct cpu), CACHE_LINE);

	if (!memory)
		panic("no memory for hart %u", hartid);
	memset(cpu, 0, sizeof(*cpu));
	memcpy(region, __percpu_template, percpu_size);
	cpu->id = id;
	cpu->hartid = hartid;
	cpu->percpu_offset = (u64)region - (u64)__start_percpu;
	cpu->state = HART_OFFLINE;
	return cpu;
}

static void hart_give_stacks(struct cpu *cpu)
{
	u8 *emergency = kstack_alloc(), *stack = cpu == &boot_cpu ? NULL : kstack_alloc();

	if (!emergency || (!stack && cpu != &boot_cpu))
		panic("no memory for the stacks of hart %u", cpu->hartid);
	cpu->emergency_sp = (u64)emergency + KSTACK_SIZE;
	if (stack)
		cpu->kernel_sp = (u64)stack + KSTACK_SIZE;
}

void harts_find(void)
{
	u32 hartid, intc, count = 1;

	for (u32 i = 0; dt_hart(i, &hartid, &intc) && count < MAX_CPUS; i++) {
		if (hartid == boot_cpu.hartid)
			continue;
		cpus[count] = hart_create(count, hartid);
		count++;
	}
	nr_cpus = count;
}

/* cbo.zero for programs, as on Linux. Source: RISC-V CMO extensions, 2.2. */
static void hart_allow_zicboz(void)
{
	if (isa_has(dt_isa(), "zicboz") && dt_zicboz_bytes())
		csr_write(senvcfg, SENVCFG_CBZE);
}

void harts_init_this(void)
{
	trap_hart_init();
	hart_allow_zicboz();
	mm_hart_init();
	timer_hart_init();
	trace_hart_init();
	irq_hart_init();
	sched_hart_init();
}

static bool hart_arrived(u32 id)
{
	u64 start = time_now();

	while (hart_state_of(cpus[id]) == HART_OFFLINE) {
		if (time_now() - start > time_freq * START_TIMEOUT_S)
			return false;
		cpu_relax();
	}
	return true;
}

void harts_start(void)
{
	secondary_satp = csr_read(satp);
	hart_give_stacks(&boot_cpu);
	for (u32 id = 1; id < nr_cpus; id++) {
		long error;

		hart_give_stacks(cpus[id]);
		error = sbi_hart_start(cpus[id]->hartid, va_to_pa(secondary_start), (u64)cpus[id]);
		if (error)
			panic("hart %u does not start: SBI error %ld", cpus[id]->hartid, error);
	}
	for (u32 id = 1; id < nr_cpus; id++) {
		if (!hart_arrived(id))
			panic("hart %u did not arrive, SBI status %ld", cpus[id]->hartid,
			      sbi_hart_status(cpus[id]->hartid));
	}
	klog(KLOG_INFO, "smp: %u harts, IPIs by %s\n", nr_cpus, irq_ipi_method());
}

void secondary_main(void)
{
	harts_init_this();
	hart_enter_kernel();
	sched_idle();
}
