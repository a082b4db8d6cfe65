/*
 * Signals of files.
 *
 * A file with O_ASYNC watches its own wait queue as poll would. Its entry is called under the queue's lock and whatever the waker holds,
 * where no signal may be sent; so it notes the events and arms a timer that is due at once, and the signal goes from there:
 *
 *	waker (queue's lock)			timer
 *	events |= new, fence			armed = 0, fence
 *	armed 0 -> 1: arm the timer		take the events, send
 *
 * One of the two sees the other, so no event is without a signal behind it. The file lives as long as the timer: its release unlinks the
 * entry, then waits for the timer.
 */
#include "kernel/task/sigio.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "kernel/file/waitq.h"
#include "kernel/fs/leases.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"
#include "kernel/time/time.h"

struct sigio {
	struct file *file; /* [I] */
	struct mutex lock;
	struct wait_entry entry;  /* linked while the file is asynchronous */
	struct wait_queue *queue; /* [L:lock] that it is linked on, or NULL */
	struct timer timer;
	u32 armed;  /* [a] */
	u32 events; /* [a] PollEvent, not told yet */
	u32 signal; /* [a] F_SETSIG */
	s32 fd;	    /* [a] */
};

LOCK_CLASS(sigio, RANK_FILE);

/* ---- the owner ---- */

int sigio_set_owner(struct file *f, s32 owner, bool thread)
{
	const struct cred *own = cred_current();
	bool there = true;

	if (owner == INT32_MIN)
		return -EINVAL;
	epoch_enter();
	if (owner > 0)
		there = thread ? task_find((u32)owner) != NULL : process_find((u32)owner) != NULL;
	epoch_exit();
	if (!there)
		return -ESRCH;
	atomic_store_relaxed(&f->owner_uid, own->uid);
	atomic_store_relaxed(&f->owner_euid, own->euid);
	atomic_store_relaxed(&f->owner_thread, (u32)thread);
	atomic_store_relaxed(&f->owner, owner);
	return 0;
}

s32 sigio_no_owner(struct file *f)
{
	(void)f;
	return 0;
}

/* Might whoever named the owner have sent it a signal? */
static bool owner_allows(const struct file *f, const struct cred *to)
{
	u32 uid = atomic_load_relaxed(&f->owner_uid), euid = atomic_load_relaxed(&f->owner_euid);

	return euid == 0 || euid == to->suid || euid == to->uid || uid == to->suid || uid == to->uid;
}

/* A queue that is full leaves a plain SIGIO behind, as on Linux. */
static void owner_send(const struct file *f, struct process *p, struct task *t,
		       const struct abi_siginfo *info)
{
	const struct abi_siginfo plain = {.si_signo = SIGIO, .si_code = SI_KERNEL};
	int err;

	if (!owner_allows(f, atomic_load_acquire(&p->cred)))
		return;
	err = t ? signal_send_task(t, info) : signal_send_process(p, info);
	if (err)
		(void)(t ? signal_send_task(t, &plain) : signal_send_process(p, &plain));
}

static void group_send(const struct file *f, u32 pgid, const struct abi_siginfo *info)
{
	struct process *p;
	u32 pid = 0;

	while ((p = process_group_next(pgid, &pid)) != NULL)
		owner_send(f, p, NULL, info);
}

void sigio_send(struct file *f, const struct abi_siginfo *info)
{
	s32 owner = atomic_load_relaxed(&f->owner);
	struct process *p;
	struct task *t;

	epoch_enter();
	if (owner < 0) {
		group_send(f, (u32)-owner, info);
	} else if (owner && atomic_load_relaxed(&f->owner_thread)) {
		t = task_find((u32)owner);
		if (t)
			owner_send(f, t->process, t, info);
	} else if (owner) {
		p = process_find((u32)owner);
		if (p)
			owner_send(f, p, NULL, info);
	}
	epoch_exit();
}

/* ---- events ---- */

/* The first that holds gives a signal its particulars. */
static void events_info(const struct sigio *s, PollEvent events, struct abi_siginfo *info)
{
	static const struct {
		PollEvent event, band;
		int code;
	} kinds[] = {
		{POLL_EVENT_IN, POLL_EVENT_READ, POLL_IN},
		{POLL_EVENT_OUT, POLL_EVENT_WRITE, POLL_OUT},
		{POLL_EVENT_PRI, POLL_EVENT_PRI, POLL_PRI},
		{POLL_EVENT_ERR, POLL_EVENT_ERR, POLL_ERR},
		{POLL_EVENT_HUP, POLL_EVENT_HUP, POLL_HUP},
	};
	u32 signal = atomic_load_relaxed(&s->signal), i = 0;

	*info = (struct abi_siginfo){.si_signo = SIGIO, .si_code = SI_KERNEL};
	if (!signal)
		return;
	while (i < ARRAY_SIZE(kinds) - 1 && !(events & kinds[i].event))
		i++;
	info->si_signo = (s32)signal;
	info->si_code = kinds[i].code;
	info->si_band = (s64)kinds[i].band;
	info->si_fd = atomic_load_relaxed(&s->fd);
}

static void sigio_fire(struct timer *timer)
{
	struct sigio *s = container_of(timer, struct sigio, timer);
	struct abi_siginfo info;
	PollEvent events;

	atomic_store_relaxed(&s->armed, 0U);
	fence_full(); /* (B) pairs with (A) */
	events = atomic_xchg(&s->events, 0U);
	/* Wakers name these two wherever somebody may wait for them: they count if they hold. */
	events &= file_poll(s->file, NULL) | ~(PollEvent)(POLL_EVENT_HUP | POLL_EVENT_ERR);
	/* Input and output are two signals. */
	if (events & POLL_EVENT_IN) {
		events_info(s, POLL_EVENT_IN, &info);
		sigio_send(s->file, &info);
		events &= ~(POLL_EVENT_READ | POLL_EVENT_HUP);
	}
	if (events) {
		events_info(s, events, &info);
		sigio_send(s->file, &info);
	}
}

static void sigio_woken(struct wait_entry *e, PollEvent events, struct unpark_batch *batch)
{
	struct sigio *s = container_of(e, struct sigio, entry);

	(void)batch;
	atomic_fetch_or(&s->events, events & e->events);
	fence_full(); /* (A) */
	if (!atomic_load_relaxed(&s->armed) && atomic_cas(&s->armed, 0U, 1U))
		timer_arm(&s->timer, time_now());
}

/* ---- settings ---- */

/* The file's, made if need be; NULL when out of memory. */
static struct sigio *sigio_get(struct file *f)
{
	struct sigio *s = atomic_load_acquire(&f->sigio), *new;

	if (s)
		return s;
	new = kzalloc(sizeof(*new));
	if (!new)
		return NULL;
	new->file = f;
	new->entry.fn = sigio_woken;
	mutex_init(&new->lock, &sigio_class);
	timer_init(&new->timer, sigio_fire);
	if (atomic_cas(&f->sigio, (struct sigio *)NULL, new))
		return new;
	kfree(new);
	return atomic_load_acquire(&f->sigio);
}

int sigio_set_signal(struct file *f, u64 signal)
{
	struct sigio *s;

	if (signal > NSIG)
		return -EINVAL;
	s = sigio_get(f);
	if (!s)
		return -ENOMEM;
	atomic_store_relaxed(&s->signal, (u32)signal);
	return 0;
}

u32 sigio_signal(struct file *f)
{
	struct sigio *s = atomic_load_acquire(&f->sigio);

	return s ? atomic_load_relaxed(&s->signal) : 0;
}

/* What an end of a pipe hears of is what it can do itself. */
static PollEvent sigio_events(const struct file *f)
{
	PollEvent events = 0;

	if (file_readable(f))
		events |= POLL_EVENT_READ | POLL_EVENT_PRI | POLL_EVENT_HUP;
	if (file_writable(f))
		events |= POLL_EVENT_WRITE | POLL_EVENT_ERR;
	return events;
}

static void sigio_unlink_locked(struct sigio *s)
{
	if (s->queue)
		waitq_remove(s->queue, &s->entry);
	s->queue = NULL;
}

int sigio_set_async(struct file *f, int fd, bool on)
{
	struct sigio *s;
	s32 owner;

	if (!f->ops->async_owner)
		return 0;
	s = sigio_get(f);
	if (!s)
		return -ENOMEM;
	mutex_lock(&s->lock);
	if (on && !s->queue) {
		owner = f->ops->async_owner(f);
		if (owner && !atomic_load_relaxed(&f->owner))
			sigio_set_owner(f, owner, false);
		atomic_store_relaxed(&s->fd, fd);
		s->entry.events = sigio_events(f);
		file_poll(f, &s->queue);
		if (s->queue)
			waitq_add(s->queue, &s->entry);
	} else if (!on) {
		sigio_unlink_locked(s);
	}
	if (on)
		atomic_fetch_or(&f->flags, O_ASYNC);
	else
		atomic_fetch_and(&f->flags, ~O_ASYNC);
	mutex_unlock(&s->lock);
	return 0;
}

/* Context: the last reference on `f` is gone. */
static void sigio_free(struct file *f)
{
	struct sigio *s = f->sigio;

	sigio_unlink_locked(s);
	timer_cancel(&s->timer);
	kfree(s);
}

/* ---- leases: the inode is locked ---- */

static void lease_begin(struct file *f)
{
	if (!atomic_load_relaxed(&f->owner))
		(void)sigio_set_owner(f, (s32)process_current()->pid, false);
}

static void lease_tell(struct file *f, int fd)
{
	u32 signal = sigio_signal(f);
	struct abi_siginfo info = {.si_signo = SIGIO, .si_code = SI_KERNEL};

	if (signal)
		info = (struct abi_siginfo){
			.si_signo = (s32)signal,
			.si_code = POLL_MSG,
			.si_band = POLL_EVENT_READ | POLL_EVENT_MSG,
			.si_fd = fd,
		};
	sigio_send(f, &info);
}

static void lease_end(struct file *f)
{
	struct sigio *s = atomic_load_acquire(&f->sigio);

	atomic_store_relaxed(&f->owner, 0);
	if (s)
		atomic_store_relaxed(&s->signal, 0U);
}

void sigio_init(void)
{
	file_sigio_free = sigio_free;
	lease_signals = (struct lease_signals){lease_begin, lease_tell, lease_end};
}
