/*
 * Sessions, foreground groups, and who may use a terminal (credentials(7), tty_ioctl(4)).
 */
#include "kernel/task/job.h"
#include "abi/errno.h"
#include "abi/signal.h"
#include "abi/system.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/cred.h"
#include "kernel/task/task.h"
#include "kernel/tty/tty.h"
#include "lib/cmdline.h"

/* ---- signals to groups ---- */

static struct abi_siginfo kernel_info(int sig)
{
	return (struct abi_siginfo){.si_signo = sig, .si_code = SI_KERNEL};
}

/* Context: any; the kernel is under the epoch. */
static void signal_group(u32 pgid, int sig)
{
	struct abi_siginfo info = kernel_info(sig);

	if (pgid)
		process_group_signal(pgid, &info);
}

static void signal_one(u32 pid, int sig)
{
	struct abi_siginfo info = kernel_info(sig);
	struct process *p = process_find(pid);

	if (p)
		signal_send_process(p, &info);
}

void tty_signal_foreground(struct tty *tty, int sig)
{
	signal_group(atomic_load_relaxed(&tty->foreground), sig);
}

/* The running process would not notice `sig`. */
static bool signal_unnoticed(int sig)
{
	struct task *t = task_current();
	struct process *p = t->process;
	bool ignored;

	spin_lock(&p->lock);
	ignored = p->signals.actions[sig - 1].sa_handler == SIG_IGN;
	spin_unlock(&p->lock);
	return ignored || (t->signals.blocked & SIGMASK(sig));
}

int tty_check_foreground(struct tty *tty, int sig)
{
	struct process *p = process_current();
	u32 foreground = atomic_load_relaxed(&tty->foreground);

	if (atomic_load_relaxed(&tty->session) != p->sid || !foreground || foreground == p->pgid)
		return 0;
	if (signal_unnoticed(sig))
		return sig == SIGTTIN ? -EIO : 0;
	if (process_group_orphaned(p->pgid))
		return -EIO;
	signal_group(p->pgid, sig);
	/* Another thread may take the signal: to restart this call needs the exit work. */
	thread_set_work(thread_current(), THREAD_WORK_SIGNAL);
	return -ERESTARTSYS;
}

/* ---- controlling terminals ---- */

struct tty *tty_current(void)
{
	return tty_find_session(process_current()->sid);
}

static bool is_controlling(struct tty *tty)
{
	return atomic_load_relaxed(&tty->session) == process_current()->sid;
}

static bool has_terminal(void)
{
	struct tty *tty = tty_current();

	if (tty)
		tty_put(tty);
	return tty != NULL;
}

static void session_set(struct tty *tty, u32 session, u32 foreground)
{
	ttys_lock();
	atomic_store_relaxed(&tty->session, session);
	atomic_store_relaxed(&tty->foreground, foreground);
	ttys_unlock();
}

void tty_acquire(struct tty *tty)
{
	struct process *p = process_current();

	if (p->kernel || p->pid != p->sid || has_terminal())
		return;
	ttys_lock();
	if (!tty->session) {
		atomic_store_relaxed(&tty->session, p->sid);
		atomic_store_relaxed(&tty->foreground, p->pgid);
	}
	ttys_unlock();
}

/* The terminal is free again; its foreground group hears of it. */
static void session_release(struct tty *tty)
{
	u32 foreground = atomic_load_relaxed(&tty->foreground);

	session_set(tty, 0, 0);
	signal_group(foreground, SIGHUP);
	signal_group(foreground, SIGCONT);
}

void tty_leave_session(struct tty *tty)
{
	u32 leader = atomic_load_relaxed(&tty->session);

	session_release(tty);
	signal_one(leader, SIGHUP);
	signal_one(leader, SIGCONT);
}

/* A session leader ends: nobody may inherit its terminal by the number. */
static void leader_exit(struct process *p)
{
	struct tty *tty = tty_find_session(p->sid);

	if (!tty)
		return;
	session_release(tty);
	tty_put(tty);
}

/* The first program of an interactive run is the leader of the console's session. */
static void program_start(void)
{
	if (console_tty.ops && !cmdline_get_bool("stellar.ports", false))
		tty_acquire(&console_tty);
}

void tty_job_init(void)
{
	task_tty_ops.program_start = program_start;
	task_tty_ops.leader_exit = leader_exit;
}

/* ---- requests ---- */

static long take_terminal(struct tty *tty, u64 force)
{
	struct process *p = process_current();
	long ret = 0;

	if (p->pid == p->sid && is_controlling(tty))
		return 0;
	if (p->pid != p->sid || has_terminal())
		return -EPERM;
	ttys_lock();
	if (tty->session && !(force == 1 && cred_capable(cred_current(), CAP_SYS_ADMIN)))
		ret = -EPERM;
	if (!ret) {
		atomic_store_relaxed(&tty->session, p->sid);
		atomic_store_relaxed(&tty->foreground, p->pgid);
	}
	ttys_unlock();
	return ret;
}

static long give_up_terminal(struct tty *tty)
{
	struct process *p = process_current();

	if (!is_controlling(tty))
		return -ENOTTY;
	/* Terminals belong to whole sessions here: one process alone cannot leave. */
	if (p->pid != p->sid)
		return -EPERM;
	session_release(tty);
	return 0;
}

/* The session of group `pgid`, 0 if there is no such group. */
static u32 group_session(u32 pgid)
{
	u32 pid = 0;
	struct process *p = process_group_next(pgid, &pid);

	return p ? atomic_load_relaxed(&p->sid) : 0;
}

static long set_foreground(struct tty *tty, u64 arg)
{
	u32 pgid = 0, session;
	int err = tty_check_foreground(tty, SIGTTOU);

	if (err)
		return err == -EIO ? -ENOTTY : err;
	if (!is_controlling(tty))
		return -ENOTTY;
	if (user_load_u32((const u32 __user *)(uintptr_t)arg, &pgid))
		return -EFAULT;
	if ((s32)pgid < 0)
		return -EINVAL;
	session = group_session(pgid);
	if (!session)
		return -ESRCH;
	if (session != process_current()->sid)
		return -EPERM;
	ttys_lock();
	if (tty->session == session)
		atomic_store_relaxed(&tty->foreground, pgid);
	ttys_unlock();
	return 0;
}

long tty_job_ioctl(struct tty *tty, u32 cmd, u64 arg, bool master)
{
	u32 __user *to = (u32 __user *)(uintptr_t)arg;

	switch (cmd) {
	case TIOCSCTTY:
		return take_terminal(tty, arg);
	case TIOCNOTTY:
		return give_up_terminal(tty);
	case TIOCSPGRP:
		return set_foreground(tty, arg);
	case TIOCGPGRP:
		if (!master && !is_controlling(tty))
			return -ENOTTY;
		return user_store_u32(to, atomic_load_relaxed(&tty->foreground));
	case TIOCGSID:
		if ((!master && !is_controlling(tty)) || !atomic_load_relaxed(&tty->session))
			return -ENOTTY;
		return user_store_u32(to, atomic_load_relaxed(&tty->session));
	default:
		return -ENOTTY;
	}
}
