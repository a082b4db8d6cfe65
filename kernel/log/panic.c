/*
 * Panic: stop every hart, report, dump the trace, power off with status 125.
 *
 * One hart wins the right to report (panic_owner); others that panic meanwhile stop like the rest. The winner asks all harts to
 * stop (HART_WORK_STOP and a doorbell) and waits a bounded time for their backtraces; a hart that spins with interrupts off does not answer and is
 * reported as such, by what its struct cpu says. Nothing here takes a lock or allocates.
 *
 * Addresses are printed as [<ffffffc0...>]; the host tool adds function, file and line.
 */
#include "kernel/log/log.h"

#include "arch/riscv64/cpu.h"
#include "arch/riscv64/csr.h"
#include "arch/riscv64/layout.h"
#include "arch/riscv64/trap_frame.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/spinlock.h"

#include <stdarg.h>
#include <stdio.h>

#define PANIC_STATUS	125
#define BACKTRACE_DEPTH 24
#define STOP_WAIT_TICKS 2000000 /* 0.2 s at 10 MHz */

struct backtrace {
	u32 depth; /* [a] set last */
	u64 pc[BACKTRACE_DEPTH];
};

static u32 panic_owner; /* [a] cpu id + 1 */
static struct backtrace panic_stopped[MAX_CPUS];
void (*panic_hook)(void);
void (*panic_describe_thread)(u32 cpu, char *text, size_t size);

static void panic_printf(const char *fmt, ...) __printf(1, 2);
static void panic_printf(const char *fmt, ...)
{
	char line[256];
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (klog_console_write && length > 0)
		klog_console_write(line, MIN((size_t)length, sizeof(line) - 1));
}

/*
 * Follows frame pointers (fp-8: return address, fp-16: caller's fp) as long as they climb inside the kernel stack that holds the address
 * `stack`: a damaged fp must not lead to unmapped memory.
 */
static u32 backtrace_walk(u64 *pcs, u64 fp, u64 stack)
{
	u64 slot = ALIGN_DOWN(stack - 1, KSTACK_SLOT);
	u32 depth = 0;

	while (depth < BACKTRACE_DEPTH && (fp & 7) == 0 && fp >= slot + KSTACK_SIZE + 16 &&
	       fp <= slot + KSTACK_SLOT) {
		u64 ra = ((u64 *)fp)[-1], caller = ((u64 *)fp)[-2];

		if (!ra)
			break;
		pcs[depth++] = ra - 4;
		if (caller <= fp)
			break;
		fp = caller;
	}
	return depth;
}

static u32 backtrace_here(u64 *pcs, u64 fp)
{
	return backtrace_walk(pcs, fp, fp);
}

static void panic_print_backtrace(const u64 *pcs, u32 depth)
{
	for (u32 i = 0; i < depth; i++)
		panic_printf("  [<%016lx>]\n", (unsigned long)pcs[i]);
}

void panic_stop_self(void)
{
	struct backtrace *bt = &panic_stopped[cpu_id()];

	atomic_store_release(&bt->depth, 1 + backtrace_here(bt->pc, (u64)__builtin_frame_address(0)));
	csr_write(sie, 0);
	for (;;)
		wfi();
}

static void panic_stop_others(void)
{
	u64 others = 0, start = csr_time();

	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		if (cpu != cpu_id() && hart_state_of(cpu_of(cpu)) != HART_OFFLINE)
			others |= BIT(cpu);
	}
	if (!others || !hart_ops.ring)
		return;
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		if (others & BIT(cpu))
			atomic_fetch_or(&cpu_of(cpu)->work, HART_WORK_STOP);
	}
	hart_ops.ring(others, HART_WORK_STOP);
	while (others && csr_time() - start < STOP_WAIT_TICKS) {
		for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
			if (atomic_load_acquire(&panic_stopped[cpu].depth))
				others &= ~BIT(cpu);
		}
	}
}

static void panic_print_registers(const struct trap_frame *f)
{
	static const char *const names[] = {"ra", "sp",	 "gp",	"tp", "t0", "t1", "t2", "s0",
					    "s1", "a0",	 "a1",	"a2", "a3", "a4", "a5", "a6",
					    "a7", "s2",	 "s3",	"s4", "s5", "s6", "s7", "s8",
					    "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
	const u64 *regs = &f->ra;

	panic_printf("pc  %016lx cause %lx tval %016lx status %lx\n", (unsigned long)f->pc,
		     (unsigned long)f->cause, (unsigned long)f->tval, (unsigned long)f->status);
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		panic_printf("%-3s %016lx%s", names[i], (unsigned long)regs[i],
			     i % 4 == 3 || i + 1 == ARRAY_SIZE(names) ? "\n" : "  ");
}

/* What a hart runs and the spin locks that it holds (debug builds know). */
static void panic_print_hart(u32 cpu)
{
	const struct spinlock *lock;
	char thread[64] = "";

	if (panic_describe_thread)
		panic_describe_thread(cpu, thread, sizeof(thread));
	panic_printf("  thread %s\n", thread);
	for (u32 i = 0; (lock = spin_held(cpu, i)) != NULL; i++)
		panic_printf("  holds %s (rank %u) at %p\n", lock->class->name, lock->class->rank,
			     (const void *)lock);
}

static void panic_report_others(void)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		struct backtrace *bt = &panic_stopped[cpu];

		if (cpu == cpu_id())
			continue;
		panic_printf("hart %u (cpu %u), state %u:%s\n", cpu_of(cpu)->hartid, cpu,
			     (u32)hart_state_of(cpu_of(cpu)), bt->depth ? "" : " did not stop");
		panic_print_hart(cpu);
		if (bt->depth)
			panic_print_backtrace(bt->pc, bt->depth - 1);
	}
}

static __noreturn void panic_report(const struct trap_frame *frame, const char *fmt, va_list args)
{
	static bool reporting;
	u64 pcs[BACKTRACE_DEPTH];
	char message[256];

	csr_write(sie, 0);
	if (!atomic_cas(&panic_owner, 0, cpu_id() + 1) && panic_owner != cpu_id() + 1)
		panic_stop_self();
	if (reporting) {
		panic_printf("a second panic during the report\nEND PANIC\n");
		machine_halt(PANIC_STATUS);
	}
	reporting = true;
	panic_stop_others();
	vsnprintf(message, sizeof(message), fmt, args);
	panic_printf("\nKERNEL PANIC on hart %u (cpu %u): %s\n", cpu_self()->hartid, cpu_id(),
		     message);
	panic_print_hart(cpu_id());
	if (frame) {
		panic_print_registers(frame);
		panic_printf("  [<%016lx>]\n", (unsigned long)frame->pc);
		panic_printf("  [<%016lx>]\n", (unsigned long)frame->ra);
		panic_print_backtrace(pcs, backtrace_walk(pcs, frame->s0, cpu_self()->kernel_sp));
	} else {
		panic_print_backtrace(pcs, backtrace_here(pcs, (u64)__builtin_frame_address(0)));
	}
	panic_report_others();
	panic_printf("END PANIC\n");
	if (panic_hook)
		panic_hook();
	machine_halt(PANIC_STATUS);
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	panic_report(NULL, fmt, args);
}

void panic_frame(const struct trap_frame *frame, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	panic_report(frame, fmt, args);
}
