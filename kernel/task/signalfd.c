/*
 * signalfd. It belongs to nobody: whoever reads or polls it sees the signals that are pending for
 * himself and his process, as if he took them with sigtimedwait. A send wakes the process's
 * signal_queue, on which readers sleep and pollers watch.
 *
 * epoll keeps a queue's address for as long as the file is open, perhaps longer than the process
 * lives that polled. So the file holds a reference on each process whose queue it has handed out.
 */
#include "kernel/task/signalfd.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/timerfd.h"
#include "kernel/file/waitq.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/lock_class.h"
#include "kernel/task/task.h"

LOCK_CLASS(signalfd, RANK_FDTABLE);

struct signalfd_user {
	struct list link;	 /* [L:signalfd] */
	struct process *process; /* [I] a reference */
};

struct signalfd {
	u64 mask; /* [a] */
	struct spinlock lock;
	struct list users; /* [L] processes whose queues were handed out */
};

static const struct file_ops signalfd_ops;

/* Signals of `mask` that are pending for the running task. */
static u64 signalfd_pending(u64 mask)
{
	struct task *t = task_current();

	return (atomic_load_relaxed(&t->signals.pending.set) |
		atomic_load_relaxed(&t->process->signals.pending.set)) &
	       mask;
}

static bool signalfd_ready(void *arg)
{
	struct signalfd *s = arg;

	return signalfd_pending(atomic_load_relaxed(&s->mask)) != 0;
}

/* ---- reading ---- */

/* What siginfo says depends on who sent the signal. Source: signalfd(2), sigaction(2). */
static void signalfd_fill(struct abi_signalfd_siginfo *out, const struct abi_siginfo *info)
{
	bool from_kernel = info->si_code > SI_USER && info->si_code < SI_KERNEL;

	*out = (struct abi_signalfd_siginfo){
		.ssi_signo = (u32)info->si_signo,
		.ssi_errno = info->si_errno,
		.ssi_code = info->si_code,
	};
	if (info->si_code == SI_TIMER) {
		out->ssi_tid = (u32)info->si_tid;
		out->ssi_overrun = (u32)info->si_overrun;
		out->ssi_ptr = info->si_timer_value;
		out->ssi_int = (s32)info->si_timer_value;
	} else if (from_kernel && info->si_signo == SIGCHLD) {
		out->ssi_pid = (u32)info->si_child_pid;
		out->ssi_uid = info->si_child_uid;
		out->ssi_status = info->si_status;
		out->ssi_utime = (u64)info->si_utime;
		out->ssi_stime = (u64)info->si_stime;
	} else if (info->si_code == SI_SIGIO || (from_kernel && info->si_signo == SIGIO)) {
		out->ssi_band = (u32)info->si_band;
		out->ssi_fd = info->si_fd;
	} else if (from_kernel) {
		out->ssi_addr = info->si_addr;
	} else {
		out->ssi_pid = (u32)info->si_pid;
		out->ssi_uid = info->si_uid;
		if (info->si_code < 0) {
			out->ssi_ptr = info->si_value;
			out->ssi_int = (s32)info->si_value;
		}
	}
}

static bool signalfd_take(struct signalfd *s, struct abi_siginfo *info)
{
	struct task *t = task_current();
	bool taken;

	spin_lock(&t->process->lock);
	taken = signal_take_locked(t, atomic_load_relaxed(&s->mask), info);
	spin_unlock(&t->process->lock);
	return taken;
}

static long signalfd_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct signalfd *s = f->data;
	struct abi_signalfd_siginfo out;
	struct abi_siginfo info;
	long done = 0;
	int err;

	(void)pos;
	if (it->count < sizeof(out))
		return -EINVAL;
	while (it->count >= sizeof(out)) {
		if (!signalfd_take(s, &info)) {
			if (done || nonblock)
				break;
			err = waitq_wait(&process_current()->signal_queue, POLL_EVENT_READ, false,
					 signalfd_ready, s, PARK_FOREVER, PARK_INTERRUPTIBLE);
			if (err)
				return err == -EINTR ? -ERESTARTSYS : err;
			continue;
		}
		signalfd_fill(&out, &info);
		if (iov_copy_out(it, &out, sizeof(out)) != (long)sizeof(out))
			return done ? done : -EFAULT;
		done += (long)sizeof(out);
	}
	return done ? done : -EAGAIN;
}

/* ---- polling ---- */

/* Keeps the running process's queue in memory while `s` is open. False when out of memory. */
static bool signalfd_hold_process(struct signalfd *s)
{
	struct process *p = process_current();
	struct signalfd_user *u, *new;

	spin_lock(&s->lock);
	list_for_each(u, &s->users, link) {
		if (u->process == p) {
			spin_unlock(&s->lock);
			return true;
		}
	}
	/* Twice the same, by two of its threads at once, does no harm. */
	new = kmalloc(sizeof(*new));
	if (new) {
		process_get(p);
		new->process = p;
		list_add(&s->users, &new->link);
	}
	spin_unlock(&s->lock);
	return new != NULL;
}

static PollEvent signalfd_poll(struct file *f, struct wait_queue **source)
{
	struct signalfd *s = f->data;

	if (source && !signalfd_hold_process(s))
		return POLL_EVENT_ERR;
	if (source)
		*source = &process_current()->signal_queue;
	return signalfd_ready(s) ? POLL_EVENT_READ : 0;
}

static void signalfd_release(struct file *f)
{
	struct signalfd *s = f->data;
	struct signalfd_user *u, *tmp;

	list_for_each_safe(u, tmp, &s->users, link) {
		process_put(u->process);
		kfree(u);
	}
	kfree(s);
}

static const struct file_ops signalfd_ops = {
	.name = "[signalfd]",
	.nowait = true,
	.seek_ignored = true,
	.read = signalfd_read,
	.poll = signalfd_poll,
	.stat = file_nameless_stat,
	.release = signalfd_release,
};

struct file *signalfd_create(u64 mask, u32 flags)
{
	struct signalfd *s = kzalloc(sizeof(*s));
	struct file *f;

	if (!s)
		return NULL;
	s->mask = mask;
	spin_init(&s->lock, &signalfd_class);
	list_init(&s->users);
	f = file_alloc(&signalfd_ops, s, O_RDWR | flags);
	if (!f)
		kfree(s);
	return f;
}

bool signalfd_is(const struct file *f)
{
	return f->ops == &signalfd_ops;
}

void signalfd_set_mask(struct file *f, u64 mask)
{
	struct signalfd *s = f->data;

	atomic_store_relaxed(&s->mask, mask);
	waitq_wake(&process_current()->signal_queue, POLL_EVENT_READ, WAITQ_ALL);
}
