/*
 * System calls on signals. Masks are 8 bytes; another size is EINVAL, as on Linux.
 */
#include "abi/errno.h"
#include "abi/time.h"
#include "arch/riscv64/entry.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/syscall.h"
#include "kernel/syscall/user_time.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/task.h"
#include "kernel/trace/trace.h"

#define SIGSET_SIZE 8

static bool valid_signal(s64 sig)
{
	return sig >= 0 && sig <= NSIG;
}

/* ---- actions and masks ---- */

static bool action_ignores(const struct abi_sigaction *a, int sig)
{
	u64 default_ignored =
		SIGMASK(SIGCHLD) | SIGMASK(SIGCONT) | SIGMASK(SIGURG) | SIGMASK(SIGWINCH);

	return a->sa_handler == SIG_IGN ||
	       (a->sa_handler == SIG_DFL && (SIGMASK(sig) & default_ignored));
}

long sys_rt_sigaction(SYSCALL_ARGS)
{
	struct process *p = process_current();
	struct abi_sigaction new, old;
	int sig = (int)a0;

	if (a3 != SIGSET_SIZE || sig < 1 || sig > NSIG)
		return -EINVAL;
	if (a1 && copy_from_user(&new, (const void __user *)a1, sizeof(new)))
		return -EFAULT;
	if (a1 && (SIGMASK(sig) & SIGMASK_UNBLOCKABLE))
		return -EINVAL;
	spin_lock(&p->lock);
	old = p->signals.actions[sig - 1];
	if (a1) {
		new.sa_mask &= ~SIGMASK_UNBLOCKABLE;
		/* So that programs can find out which flags the kernel knows. */
		new.sa_flags &= ~SA_UNSUPPORTED;
		p->signals.actions[sig - 1] = new;
		if (action_ignores(&new, sig))
			signal_flush_locked(p, SIGMASK(sig));
	}
	spin_unlock(&p->lock);
	if (a2 && copy_to_user((void __user *)a2, &old, sizeof(old)))
		return -EFAULT;
	return 0;
}

long sys_rt_sigprocmask(SYSCALL_ARGS)
{
	u64 old = task_current()->signals.blocked;
	u64 set;

	if (a3 != SIGSET_SIZE)
		return -EINVAL;
	if (a1) {
		if (user_load_u64((const u64 __user *)a1, &set))
			return -EFAULT;
		switch ((int)a0) {
		case SIG_BLOCK:
			signal_set_mask(old | set);
			break;
		case SIG_UNBLOCK:
			signal_set_mask(old & ~set);
			break;
		case SIG_SETMASK:
			signal_set_mask(set);
			break;
		default:
			return -EINVAL;
		}
	}
	if (a2 && user_store_u64((u64 __user *)a2, old))
		return -EFAULT;
	return 0;
}

long sys_rt_sigpending(SYSCALL_ARGS)
{
	struct task *t = task_current();
	u64 set = (atomic_load_relaxed(&t->signals.pending.set) |
		   atomic_load_relaxed(&t->process->signals.pending.set)) &
		  t->signals.blocked;

	if (a1 > SIGSET_SIZE)
		return -EINVAL;
	return copy_to_user((void __user *)a0, &set, a1);
}

long sys_sigaltstack(SYSCALL_ARGS)
{
	struct task *t = task_current();
	u64 sp = task_frame(t)->sp;
	struct abi_stack new, old = t->signals.altstack;
	int err;

	old.ss_flags = signal_altstack_status(&t->signals, sp);
	if (a0) {
		if (copy_from_user(&new, (const void __user *)a0, sizeof(new)))
			return -EFAULT;
		err = signal_set_altstack(t, &new, sp);
		if (err)
			return err;
	}
	return a1 ? copy_to_user((void __user *)a1, &old, sizeof(old)) : 0;
}

long sys_rt_sigreturn(SYSCALL_ARGS)
{
	struct trap_frame *frame = task_frame(task_current());
	u64 nr = frame->a7;

	/* The ordinary way out, where s0-s11 and tp are still the program's: the frame has none of them yet. */
	if (!signal_return(frame)) {
		signal_force_fault(SIGSEGV, SI_KERNEL, 0);
		return 0;
	}
	trace_sys_exit(nr, (long)frame->a0);
	ptrace_syscall_exit();
	arch_return_to_user(frame);
}

/* ---- waiting ---- */

long sys_rt_sigsuspend(SYSCALL_ARGS)
{
	u64 set;

	if (a1 != SIGSET_SIZE)
		return -EINVAL;
	if (user_load_u64((const u64 __user *)a0, &set))
		return -EFAULT;
	signal_push_mask(set);
	while (park(PARK_FOREVER, PARK_INTERRUPTIBLE) != -EINTR)
		;
	return signal_pop_mask(-ERESTARTNOHAND);
}

/* Takes one signal of `set`, waiting until `deadline`. Its number, -EAGAIN or -EINTR. */
static long signal_wait(u64 set, u64 deadline, struct abi_siginfo *info)
{
	struct task *t = task_current();
	struct process *p = t->process;
	long err = 0;

	for (;;) {
		spin_lock(&p->lock);
		t->signals.waiting = 0;
		if (signal_take_locked(t, set, info)) {
			spin_unlock(&p->lock);
			return info->si_signo;
		}
		if (!err)
			t->signals.waiting = set;
		spin_unlock(&p->lock);
		if (err)
			return err == -ETIMEDOUT ? -EAGAIN : err;
		err = park(deadline, PARK_INTERRUPTIBLE);
	}
}

long sys_rt_sigtimedwait(SYSCALL_ARGS)
{
	struct abi_siginfo info;
	u64 set, ns, deadline = PARK_FOREVER;
	long sig;

	if (a3 != SIGSET_SIZE)
		return -EINVAL;
	if (user_load_u64((const u64 __user *)a0, &set))
		return -EFAULT;
	if (a2) {
		int err = user_load_timespec(a2, &ns);

		if (err)
			return err;
		deadline = deadline_after(ns);
	}
	sig = signal_wait(set & ~SIGMASK_UNBLOCKABLE, deadline, &info);
	if (sig > 0 && a1 && copy_to_user((void __user *)a1, &info, sizeof(info)))
		return -EFAULT;
	return sig;
}

/* ---- sending ---- */

static int send_to_process(struct process *p, const struct abi_siginfo *info)
{
	int err = signal_may_send(p, atomic_load_acquire(&p->cred), info->si_signo);

	return err || info->si_signo == 0 ? err : signal_send_process(p, info);
}

/* Every process that matches kill's `pid` of 0 or below. */
static int send_to_many(s64 pid, const struct abi_siginfo *info)
{
	struct process *self = process_current(), *p;
	u32 pgid = pid == 0 ? self->pgid : (u32)-pid;
	int err = -ESRCH, one;

	for (u32 next = task_next_pid(0); next; next = task_next_pid(next)) {
		p = process_find(next);
		if (!p)
			continue;
		if (pid == -1 ? p == self || p == process_init : atomic_load_relaxed(&p->pgid) != pgid)
			continue;
		one = send_to_process(p, info);
		if (err != 0)
			err = one;
	}
	return err;
}

long sys_kill(SYSCALL_ARGS)
{
	struct abi_siginfo info;
	struct pid_slot *slot;
	struct process *p = NULL;
	struct task *t;
	s64 pid = (s32)a0;
	int sig = (int)a1;

	if (!valid_signal(sig))
		return -EINVAL;
	signal_info_user(&info, sig, SI_USER);
	if (pid <= 0)
		return pid == INT32_MIN ? -ESRCH : send_to_many(pid, &info);
	/* A thread's number names its process too; but a reaped leader may just be on its way off its hart. */
	slot = pid_slot((u32)pid);
	if (slot) {
		p = atomic_load_acquire(&slot->process);
		t = atomic_load_acquire(&slot->task);
		if (!p && t && t->process->pid != (u32)pid)
			p = t->process;
	}
	return p ? send_to_process(p, &info) : -ESRCH;
}

/* One thread; tgid 0: of whatever process. */
static long send_to_task(s32 tgid, s32 tid, const struct abi_siginfo *info)
{
	struct task *t = task_find((u32)tid);
	int err;

	if (!t || (tgid && process_pid(t->process) != (u32)tgid))
		return -ESRCH;
	err = signal_may_send(t->process, atomic_load_acquire(&t->cred), info->si_signo);
	return err || info->si_signo == 0 ? err : signal_send_task(t, info);
}

long sys_tkill(SYSCALL_ARGS)
{
	struct abi_siginfo info;

	if ((s32)a0 <= 0 || !valid_signal((int)a1))
		return -EINVAL;
	signal_info_user(&info, (int)a1, SI_TKILL);
	return send_to_task(0, (s32)a0, &info);
}

long sys_tgkill(SYSCALL_ARGS)
{
	struct abi_siginfo info;

	if ((s32)a0 <= 0 || (s32)a1 <= 0 || !valid_signal((int)a2))
		return -EINVAL;
	signal_info_user(&info, (int)a2, SI_TKILL);
	return send_to_task((s32)a0, (s32)a1, &info);
}

/* A sender may not pretend to be the kernel, or kill(), except to itself. */
static int load_siginfo(u64 user, int sig, u32 target, struct abi_siginfo *info)
{
	if (copy_from_user(info, (const void __user *)user, sizeof(*info)))
		return -EFAULT;
	info->si_signo = sig;
	if ((info->si_code >= 0 || info->si_code == SI_TKILL) && target != process_current()->pid)
		return -EPERM;
	return 0;
}

long sys_rt_sigqueueinfo(SYSCALL_ARGS)
{
	struct abi_siginfo info;
	struct process *p;
	int err = load_siginfo(a2, (int)a1, (u32)a0, &info);

	if (err)
		return err;
	if (!valid_signal((int)a1))
		return -EINVAL;
	p = process_find((u32)a0);
	return p ? send_to_process(p, &info) : -ESRCH;
}

long sys_rt_tgsigqueueinfo(SYSCALL_ARGS)
{
	struct abi_siginfo info;
	int err;

	if ((s32)a0 <= 0 || (s32)a1 <= 0) {
		if (copy_from_user(&info, (const void __user *)a3, sizeof(info)))
			return -EFAULT;
		return -EINVAL;
	}
	err = load_siginfo(a3, (int)a2, (u32)a0, &info);
	if (err)
		return err;
	if (!valid_signal((int)a2))
		return -EINVAL;
	return send_to_task((s32)a0, (s32)a1, &info);
}
