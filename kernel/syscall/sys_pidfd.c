/*
 * System calls on pidfds, and signalfd4.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/system.h"
#include "abi/timerfd.h"
#include "kernel/fs/proc_task.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/pidfd.h"
#include "kernel/task/signalfd.h"

#define SIGSET_SIZE 8

/* The process behind descriptor `fd`; NULL: none, or no pidfd. On success fd_return() is due. */
static struct process *pidfd_arg(u64 fd, struct fd_ref *r)
{
	struct process *p;

	*r = fd_arg(fd);
	if (!r->file)
		return NULL;
	p = pidfd_process(r->file);
	if (!p)
		fd_return(r);
	return p;
}

long sys_pidfd_open(SYSCALL_ARGS)
{
	struct process *p;
	struct task *t;

	if ((u32)a1 & ~(u32)PIDFD_NONBLOCK || (s32)a0 <= 0)
		return -EINVAL;
	p = process_find((u32)a0);
	if (!p) {
		/* A thread that leads no process names none; a reaped leader may just be on its way off its hart. */
		t = task_find((u32)a0);
		return t && t->process->pid != (u32)a0 ? -EINVAL : -ESRCH;
	}
	return file_install_new(pidfd_create(p, (u32)a1 & PIDFD_NONBLOCK), true);
}

/* A sender may pretend to be the kernel, or kill(), to itself only. */
static int load_info(u64 user, int sig, u32 target, bool group, struct abi_siginfo *info)
{
	if (!user) {
		signal_info_user(info, sig, SI_USER);
		return 0;
	}
	if (copy_from_user(info, (const void __user *)user, sizeof(*info)))
		return -EFAULT;
	if (info->si_signo != sig)
		return -EINVAL;
	if ((target != process_current()->pid || group) &&
	    (info->si_code >= 0 || info->si_code == SI_TKILL))
		return -EPERM;
	return 0;
}

/* To the group that `p` leads. */
static long signal_group(struct process *p, const struct abi_siginfo *info)
{
	long err = -ESRCH, one;

	for (u32 pid = task_next_pid(0); pid; pid = task_next_pid(pid)) {
		struct process *member = process_find(pid);

		if (!member || atomic_load_relaxed(&member->pgid) != p->pid)
			continue;
		one = signal_may_send(member, atomic_load_acquire(&member->cred), info->si_signo);
		if (!one && info->si_signo)
			one = signal_send_process(member, info);
		err = err == 0 ? 0 : one;
	}
	return err;
}

static long signal_process(struct process *p, const struct abi_siginfo *info, u32 flags)
{
	struct task *t;
	long err;

	if (atomic_load_acquire(&p->reaped))
		return -ESRCH;
	if (flags & PIDFD_SIGNAL_PROCESS_GROUP)
		return signal_group(p, info);
	err = signal_may_send(p, atomic_load_acquire(&p->cred), info->si_signo);
	if (err || info->si_signo == 0)
		return err;
	if (!(flags & PIDFD_SIGNAL_THREAD))
		return signal_send_process(p, info);
	t = task_find(p->pid);
	return t ? signal_send_task(t, info) : 0;
}

/*
 * The number of the process that `f` names for a signal, 0: none. A directory /proc/<pid> will do too, which killall relies on:
 * it holds the number only, which is not given away again before all others have been.
 */
static u32 signal_target(const struct file *f)
{
	struct process *p = pidfd_process(f);

	if (p)
		return p->pid;
	return f->flags & O_PATH ? 0 : proc_directory_pid(f);
}

/* To whom `f` names, looked for only now: reading user memory may have waited. */
static long signal_file(const struct file *f, u32 pid, const struct abi_siginfo *info, u32 flags)
{
	struct process *p = pidfd_process(f) ?: process_find(pid);

	return p ? signal_process(p, info, flags) : -ESRCH;
}

long sys_pidfd_send_signal(SYSCALL_ARGS)
{
	const u32 known =
		PIDFD_SIGNAL_THREAD | PIDFD_SIGNAL_THREAD_GROUP | PIDFD_SIGNAL_PROCESS_GROUP;
	u32 flags = (u32)a3;
	struct abi_siginfo info;
	struct fd_ref r;
	long err;
	u32 pid;

	/* One of them at most. */
	if ((flags & ~known) || (flags & (flags - 1)))
		return -EINVAL;
	r = fd_arg(a0);
	if (!r.file)
		return -EBADF;
	pid = signal_target(r.file);
	err = pid ? load_info(a2, (int)a1, pid, flags & PIDFD_SIGNAL_PROCESS_GROUP, &info) : -EBADF;
	if (!err && ((int)a1 < 0 || (int)a1 > NSIG))
		err = -EINVAL;
	if (!err)
		err = signal_file(r.file, pid, &info, flags);
	fd_return(&r);
	return err;
}

/* A reference on descriptor `fd` of the process's leading task, or an error pointer. */
static struct file *file_of_process(struct process *p, int fd)
{
	struct task *t = task_find(p->pid);
	struct fd_table *table = NULL;
	struct file *f;

	if (atomic_load_acquire(&p->reaped) || !t)
		return err_ptr(-ESRCH);
	if (!task_may_inspect(t))
		return err_ptr(-EPERM);
	table = task_files_get(t);
	if (!table)
		return err_ptr(-ESRCH);
	f = fd_get(table, fd);
	fd_table_put(table);
	return f ? f : err_ptr(-EBADF);
}

long sys_pidfd_getfd(SYSCALL_ARGS)
{
	struct process *p;
	struct fd_ref r;
	struct file *f;

	if ((u32)a2)
		return -EINVAL;
	p = pidfd_arg(a0, &r);
	if (!p)
		return -EBADF;
	f = file_of_process(p, (int)a1);
	fd_return(&r);
	return is_err(f) ? ptr_err(f) : file_install_new(f, true);
}

long sys_signalfd4(SYSCALL_ARGS)
{
	u32 flags = (u32)a3;
	struct fd_ref r;
	u64 mask;
	long fd = (s32)a0;

	if (a2 != SIGSET_SIZE)
		return -EINVAL;
	if (user_load_u64((const u64 __user *)a1, &mask))
		return -EFAULT;
	if (flags & ~(u32)(SFD_CLOEXEC | SFD_NONBLOCK))
		return -EINVAL;
	mask &= ~SIGMASK_UNBLOCKABLE;
	if (fd == -1)
		return file_install_new(signalfd_create(mask, flags & SFD_NONBLOCK),
					flags & SFD_CLOEXEC);
	r = fd_arg_open(a0);
	if (!r.file)
		return -EBADF;
	if (signalfd_is(r.file))
		signalfd_set_mask(r.file, mask);
	else
		fd = -EINVAL;
	fd_return(&r);
	return fd;
}
