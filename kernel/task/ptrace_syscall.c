/*
 * Stops at the entry and the exit of system calls (PTRACE_SYSCALL), and what the tracer learns there.
 *
 * As on Linux 6.12: at the entry a0 reads as -ENOSYS, for it is the result already; the first argument is apart from it (orig_a0) and is
 * seen by PTRACE_GET_SYSCALL_INFO only. The tracer may change the number, in a7, and the other arguments. With a negative number
 * no call is made and a0 is the result.
 */
#include "abi/errno.h"
#include "abi/ptrace.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/task.h"

#define ERRNO_MAX 4095

static void syscall_stop(u64 message)
{
	struct task *t = task_current();
	bool good = atomic_load_relaxed(&t->ptrace.options) & PTRACE_O_TRACESYSGOOD;
	struct abi_siginfo info;
	int sig = ptrace_notify(SIGTRAP | (good ? 0x80 : 0), message);

	if (!sig)
		return;
	/* It was the tracer's wish: sent, not put in place of a signal. */
	info = (struct abi_siginfo){.si_signo = sig, .si_code = SI_KERNEL};
	signal_send_task(t, &info);
}

bool ptrace_syscall_enter(struct trap_frame *frame)
{
	struct task *t = task_current();

	frame->a0 = (u64)-ENOSYS;
	if (!atomic_load_relaxed(&t->ptrace.calls))
		return true;
	syscall_stop(PTRACE_EVENTMSG_SYSCALL_ENTRY);
	return (s64)frame->a7 >= 0 && !(atomic_load_relaxed(&t->thread.work) & THREAD_WORK_KILL);
}

void ptrace_syscall_exit(void)
{
	struct task *t = task_current();

	if (unlikely(atomic_load_relaxed(&t->ptrace.calls)))
		syscall_stop(PTRACE_EVENTMSG_SYSCALL_EXIT);
}

static u32 info_entry(const struct trap_frame *frame, struct abi_ptrace_syscall_info *info)
{
	info->op = PTRACE_SYSCALL_INFO_ENTRY;
	info->entry.nr = frame->a7;
	info->entry.args[0] = frame->orig_a0;
	info->entry.args[1] = frame->a1;
	info->entry.args[2] = frame->a2;
	info->entry.args[3] = frame->a3;
	info->entry.args[4] = frame->a4;
	info->entry.args[5] = frame->a5;
	return offsetof(struct abi_ptrace_syscall_info, entry) + sizeof(info->entry);
}

static u32 info_exit(const struct trap_frame *frame, struct abi_ptrace_syscall_info *info)
{
	info->op = PTRACE_SYSCALL_INFO_EXIT;
	info->exit.rval = (s64)frame->a0;
	info->exit.is_error = frame->a0 >= (u64)-ERRNO_MAX;
	return offsetof(struct abi_ptrace_syscall_info, exit.is_error) + sizeof(info->exit.is_error);
}

u32 ptrace_syscall_info(struct task *t, struct abi_ptrace_syscall_info *info)
{
	const struct trap_frame *frame = task_frame(t);
	const struct abi_siginfo *stop = t->ptrace.info;

	*info = (struct abi_ptrace_syscall_info){
		.op = PTRACE_SYSCALL_INFO_NONE,
		.arch = AUDIT_ARCH_RISCV64,
		.instruction_pointer = frame->pc,
		.stack_pointer = frame->sp,
	};
	/* Told apart from signals only with TRACESYSGOOD. */
	if (stop && stop->si_code == (SIGTRAP | 0x80)) {
		if (t->ptrace.message == PTRACE_EVENTMSG_SYSCALL_ENTRY)
			return info_entry(frame, info);
		if (t->ptrace.message == PTRACE_EVENTMSG_SYSCALL_EXIT)
			return info_exit(frame, info);
	}
	return offsetof(struct abi_ptrace_syscall_info, entry);
}
