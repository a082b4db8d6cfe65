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

long sys_pidfd_open(SYSCALL_ARGS)
{
	u32 flags = (u32)a1, nonblock = flags & PIDFD_NONBLOCK;
	struct task *t = NULL;
	struct process *p;
	struct file *f;

	if (flags & ~(u32)(PIDFD_NONBLOCK | PIDFD_THREAD) || (s32)a0 <= 0)
		return -EINVAL;
	p = process_find((u32)a0);
	if (!p) {
		t = task_find((u32)a0);
		/* A thread that leads no process names none; a reaped leader may just be on its way off its hart. */
		if (t && !(flags & PIDFD_THREAD))
			return t->process->pid != (u32)a0 ? -EINVAL : -ESRCH;
		p = t ? t->process : NULL;
	}
	/* Either may just have lost its last reference. */
	if (!p || (t && !thread_get_found(&t->thread)))
		return -ESRCH;
	f = err_ptr(-ESRCH);
	if (process_get_found(p)) {
		f = flags & PIDFD_THREAD ? pidfd_create_thread(p, t, nonblock)
					 : pidfd_create(p, nonblock);
		process_put(p);
	}
	if (t)
		thread_put(&t->thread);
	return is_err(f) ? ptr_err(f) : file_install_new(f, true);
}

/* Whom a signal is for. */
struct signal_target {
	struct process *process;
	struct task *task; /* who bears the number, or NULL */
	u32 number;
	u32 scope; /* one of PIDFD_SIGNAL_* */
};

/* A sender may pretend to be the kernel, or kill(), to itself only. */
static int load_info(u64 user, int sig, const struct signal_target *to, struct abi_siginfo *info)
{
	if (!user) {
		signal_info_user(info, sig, to->scope == PIDFD_SIGNAL_THREAD ? SI_TKILL : SI_USER);
		return 0;
	}
	if (copy_from_user(info, (const void __user *)user, sizeof(*info)))
		return -EFAULT;
	if (info->si_signo != sig)
		return -EINVAL;
	if ((to->number != task_current()->thread.tid || to->scope == PIDFD_SIGNAL_PROCESS_GROUP) &&
	    (info->si_code >= 0 || info->si_code == SI_TKILL))
		return -EPERM;
	return 0;
}

/* To the group of that number. */
static long signal_group(u32 pgid, const struct abi_siginfo *info)
{
	struct process *member;
	long err = -ESRCH, one;
	u32 pid = 0;

	while ((member = process_group_next(pgid, &pid)) != NULL) {
		one = signal_may_send(member, atomic_load_acquire(&member->cred), info->si_signo);
		if (!one && info->si_signo)
			one = signal_send_process(member, info);
		err = err == 0 ? 0 : one;
	}
	return err;
}

static long signal_target(const struct signal_target *to, const struct abi_siginfo *info)
{
	struct process *p = to->process;
	struct cred **cred = to->task ? &to->task->cred : &p->cred;
	long err;

	if (to->scope == PIDFD_SIGNAL_PROCESS_GROUP)
		return signal_group(to->number, info);
	err = signal_may_send(p, atomic_load_acquire(cred), info->si_signo);
	if (err || info->si_signo == 0)
		return err;
	if (to->scope != PIDFD_SIGNAL_THREAD)
		return signal_send_process(p, info);
	/* A leader that has gone takes no signals, but its process's number is there. */
	return to->task ? signal_send_task(to->task, info) : 0;
}

/*
 * The number that `f` names for a signal, 0: none. A directory /proc/<pid> will do too, which killall relies on: it holds the number
 * only, which is not given away again before all others have been.
 */
static u32 signal_number(const struct file *f)
{
	if (pidfd_process(f))
		return pidfd_number(f);
	return f->flags & O_PATH ? 0 : proc_directory_pid(f);
}

/* Whom the number names now. -ESRCH: nobody. */
static int signal_find(const struct file *f, struct signal_target *to)
{
	if (pidfd_process(f)) {
		to->process = pidfd_reaped(f) ? NULL : pidfd_process(f);
		to->task = pidfd_task(f);
	} else {
		to->process = process_find(to->number);
		to->task = task_find(to->number);
	}
	return to->process ? 0 : -ESRCH;
}

long sys_pidfd_send_signal(SYSCALL_ARGS)
{
	const u32 known =
		PIDFD_SIGNAL_THREAD | PIDFD_SIGNAL_THREAD_GROUP | PIDFD_SIGNAL_PROCESS_GROUP;
	struct signal_target to = {.scope = (u32)a3};
	struct abi_siginfo info;
	struct fd_ref r;
	long err;

	/* One of them at most. */
	if ((to.scope & ~known) || (to.scope & (to.scope - 1)))
		return -EINVAL;
	r = fd_arg(a0);
	if (!r.file)
		return -EBADF;
	if (!to.scope && pidfd_of_thread(r.file))
		to.scope = PIDFD_SIGNAL_THREAD;
	to.number = signal_number(r.file);
	err = to.number ? load_info(a2, (int)a1, &to, &info) : -EBADF;
	if (!err && ((int)a1 < 0 || (int)a1 > NSIG))
		err = -EINVAL;
	/* Only now: reading user memory may have waited. */
	if (!err)
		err = signal_find(r.file, &to);
	if (!err)
		err = signal_target(&to, &info);
	fd_return(&r);
	return err;
}

/* A reference on descriptor `fd` of the thread that `pidfd` names, or an error pointer. */
static struct file *file_of_task(const struct file *pidfd, int fd)
{
	struct task *t = pidfd_task(pidfd);
	struct fd_table *table = NULL;
	struct file *f;

	if (!t)
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
	struct fd_ref r;
	struct file *f;

	if ((u32)a2)
		return -EINVAL;
	r = fd_arg(a0);
	if (!r.file)
		return -EBADF;
	f = pidfd_process(r.file) ? file_of_task(r.file, (int)a1) : err_ptr(-EBADF);
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
