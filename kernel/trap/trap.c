/*
 * Trap decode: what the entry code does not settle in assembly.
 */
#include "kernel/trap/trap.h"

#include "abi/errno.h"
#include "arch/riscv64/cpu.h"
#include "arch/riscv64/csr.h"
#include "arch/riscv64/entry.h"
#include "arch/riscv64/fpu.h"
#include "arch/riscv64/uaccess.h"
#include "kernel/irq/irq.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/hart.h"
#include "kernel/task/task.h"
#include "kernel/trace/sample.h"

#define EXC_ILLEGAL	2
#define EXC_SYSCALL	8
#define EXC_FETCH_FAULT 12
#define EXC_LOAD_FAULT	13
#define EXC_STORE_FAULT 15

static const char *const exception_names[] = {
	"instruction address misaligned",
	"instruction access fault",
	"illegal instruction",
	"breakpoint",
	"load address misaligned",
	"load access fault",
	"store address misaligned",
	"store access fault",
	"system call",
	"system call from the kernel",
	"reserved",
	"reserved",
	"instruction page fault",
	"load page fault",
	"reserved",
	"store page fault",
};

static const char *trap_name(u64 cause)
{
	return cause < ARRAY_SIZE(exception_names) ? exception_names[cause] : "unknown cause";
}

/*
 * An interrupt that stops a program at the very instruction at which the kernel resumed it, after something else than an interrupt, was
 * pending in the kernel already: no instruction of the program has run.
 */
static void trap_user_interrupt(const struct trap_frame *frame, u64 last_pc, u64 last_cause)
{
	bool genuine = frame->pc != last_pc || (last_cause & SCAUSE_INTERRUPT);

	if (trace_enabled(sample))
		sample_user(genuine);
	sched_tick_from_user(genuine);
	sample_handle_pending(BIT(frame->cause & 63));
	sched_tick_from_user(false);
}

void trap_user(struct trap_frame *frame, u64 last_pc, u64 last_cause)
{
	struct thread *t = thread_current();

	if (frame->cause & SCAUSE_INTERRUPT) {
		trap_user_interrupt(frame, last_pc, last_cause);
		return;
	}
	if (frame->cause == EXC_ILLEGAL && t->fp && fpu_enable(t->fp))
		return;
	sample_enter();
	task_fault(frame);
	sample_leave();
}

/* A fault on user memory in a user-copy function: make the page present, or continue at the fix-up address. */
static bool trap_kernel_user_fault(struct trap_frame *frame)
{
	bool store = frame->cause == EXC_STORE_FAULT, resolved;
	u64 fixup = arch_fixup(frame->pc);
	int sig_code;

	if (!fixup || frame->tval >= USER_TOP || (!store && frame->cause != EXC_LOAD_FAULT))
		return false;
	resolved = !(fixup & ARCH_FIXUP_NOFAULT) && uaccess_faults_allowed();
	if (resolved) {
		/* It may sleep, and wake on another hart. */
		uaccess_end();
		resolved = mm_fault(thread_current()->mm, frame->tval, store ? MM_WRITE : MM_READ,
				    &sig_code) == 0;
		uaccess_begin();
	}
	if (resolved)
		thread_current()->minor_faults++;
	else
		frame->pc = fixup & ~ARCH_FIXUP_NOFAULT;
	return true;
}

/* A fault in a window for samples: the trap has switched interrupts off, and its return switches them on again. */
static __noinline bool trap_kernel_in_window(struct trap_frame *frame)
{
	bool handled;

	if (frame->cause & SCAUSE_INTERRUPT) {
		sample_interrupt(frame);
		return true;
	}
	sample_close();
	handled = trap_kernel_user_fault(frame);
	sample_continue();
	return handled;
}

void trap_kernel(struct trap_frame *frame)
{
	if (sample_window()) {
		if (trap_kernel_in_window(frame))
			return;
	} else if (!(frame->cause & SCAUSE_INTERRUPT) && trap_kernel_user_fault(frame)) {
		return;
	}
	panic_frame(frame, "%s in the kernel at %lx, address %lx", trap_name(frame->cause),
		    (unsigned long)frame->pc, (unsigned long)frame->tval);
}

void trap_stack_overflow(struct trap_frame *frame)
{
	panic_frame(frame, "kernel stack overflow of thread %s at %lx, sp %lx",
		    thread_current()->name, (unsigned long)frame->pc, (unsigned long)frame->sp);
}

void trap_exit_work(struct trap_frame *frame)
{
	struct thread *t = thread_current();

	do {
		do {
			sample_enter();
			sched_hart_work();
			sched_resched_if_needed();
			if (frame->cause != EXC_SYSCALL && t->rseq_hart != RSEQ_HART_NONE)
				task_note_switches(task_of(t));
			if (t->work)
				task_exit_work(frame);
			sample_leave();
		} while (hart_leave_kernel(HART_USER));
		/*
		 * hart_leave_kernel() tests the hart's demands; the thread's own bits have the same fence before them. Some stay set; behind
		 * the exit work nothing has switched the thread out.
		 */
		if (likely(!(atomic_load_relaxed(&t->work) & ~THREAD_WORK_STANDING)))
			break;
		hart_enter_kernel();
	} while (true);
	/* For this one way through user mode: the entry puts the other one back. */
	if (unlikely(atomic_load_relaxed(&t->work) & THREAD_WORK_TRACED))
		csr_write(stvec, (u64)trap_entry_traced);
}

void trap_hart_init(void)
{
	csr_write(stvec, (u64)trap_entry);
	csr_write(sscratch, 0);
	/* The firmware leaves the vector unit on where there is one; no thread has asked for it yet. */
	csr_clear(sstatus, SSTATUS_SPP | SSTATUS_VS | SSTATUS_FS | SSTATUS_SIE);
	csr_set(sstatus, SSTATUS_SPIE);
#ifdef KERNEL_DEBUG
	csr_clear(sstatus, SSTATUS_SUM);
#else
	/* QEMU keeps a second TLB per SUM state: never toggled. */
	csr_set(sstatus, SSTATUS_SUM);
#endif
	csr_write(scounteren, 7); /* user mode reads cycle, time, instret */
	csr_write(sie, SIE_SOFT | SIE_TIMER | SIE_EXT);
}
