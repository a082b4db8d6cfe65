/*
 * Exceptions of user mode: page faults go to mm, what it cannot resolve and the rest become
 * signals.
 */
#include "abi/errno.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/task/task.h"
#include "kernel/task/vector.h"
#include "kernel/trace/trace.h"

/* scause of exceptions. Source: RISC-V Privileged Architecture, supervisor cause register. */
#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_FETCH_ACCESS     1
#define CAUSE_ILLEGAL	       2
#define CAUSE_BREAKPOINT       3
#define CAUSE_LOAD_MISALIGNED  4
#define CAUSE_LOAD_ACCESS      5
#define CAUSE_STORE_MISALIGNED 6
#define CAUSE_STORE_ACCESS     7
#define CAUSE_FETCH_PAGE_FAULT 12
#define CAUSE_LOAD_PAGE_FAULT  13
#define CAUSE_STORE_PAGE_FAULT 15

static enum mm_access fault_access(u64 cause)
{
	switch (cause) {
	case CAUSE_FETCH_PAGE_FAULT:
		return MM_EXEC;
	case CAUSE_STORE_PAGE_FAULT:
		return MM_WRITE;
	default:
		return MM_READ;
	}
}

static void page_fault(struct trap_frame *frame)
{
	enum mm_access access = fault_access(frame->cause);
	u64 addr = frame->tval;
	int code = SEGV_MAPERR;
	int err;

	trace_page_fault(addr, access);
	err = addr < USER_TOP ? mm_fault(thread_current()->mm, addr, access, &code) : -EFAULT;
	trace_page_fault_done(err);
	switch (-err) {
	case 0:
		thread_current()->minor_faults++;
		return;
	case EINTR:
		/* Killed: the exit work sees to it. */
		return;
	case EIO:
		signal_force_fault(SIGBUS, BUS_ADRERR, addr);
		return;
	case ENOMEM:
		klog(KLOG_ERR, "out of memory: killed process %u (%s)\n", process_current()->pid,
		     thread_current()->name);
		process_exit_group(SIGKILL);
	default:
		signal_force_fault(SIGSEGV, code, addr);
	}
}

void task_fault(struct trap_frame *frame)
{
	switch (frame->cause) {
	case CAUSE_FETCH_PAGE_FAULT:
	case CAUSE_LOAD_PAGE_FAULT:
	case CAUSE_STORE_PAGE_FAULT:
		page_fault(frame);
		break;
	case CAUSE_ILLEGAL:
		/* kernel/trap has turned the floating-point unit on already if that was the reason. */
		if (!task_vector_begin(frame))
			signal_force_fault(SIGILL, ILL_ILLOPC, frame->pc);
		break;
	case CAUSE_BREAKPOINT:
		signal_force_fault(SIGTRAP, TRAP_BRKPT, frame->pc);
		break;
	case CAUSE_FETCH_MISALIGNED:
	case CAUSE_LOAD_MISALIGNED:
	case CAUSE_STORE_MISALIGNED:
		signal_force_fault(SIGBUS, BUS_ADRALN, frame->pc);
		break;
	default:
		signal_force_fault(SIGSEGV, SEGV_ACCERR, frame->pc);
	}
}
