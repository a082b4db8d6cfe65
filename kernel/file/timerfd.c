/*
 * timerfd. The kernel timer fires once and only marks the file readable; a periodic timer is armed
 * again when it is read, and the read counts the periods that have passed. So a timer that nobody
 * reads costs nothing, however short its period.
 *
 * Invariant: `fired` implies that the timer is not armed and deadline has passed.
 */
#include "kernel/file/timerfd.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "kernel/file/waitq.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/time/time.h"

LOCK_CLASS(timerfd, RANK_FILE);

struct timerfd {
	struct mutex lock;
	u64 deadline;	 /* [L] ticks; 0: disarmed */
	u64 interval_ns; /* [L] 0: once */
	u32 fired;	 /* [a] */
	bool realtime;	 /* [I] */
	struct timer timer;
	struct wait_queue queue;
};

static const struct file_ops timerfd_ops;

static void timerfd_fire(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);

	atomic_store_relaxed(&t->fired, 1);
	waitq_wake(&t->queue, POLL_EVENT_READ, WAITQ_ALL);
}

static void timerfd_arm(struct timerfd *t)
{
	if (t->deadline && t->deadline != PARK_FOREVER)
		timer_arm(&t->timer, t->deadline);
}

static bool timerfd_has_fired(void *arg)
{
	struct timerfd *t = arg;

	return atomic_load_relaxed(&t->fired) != 0;
}

/* Expirations since the last time; starts the next period. 0: none. */
static u64 timerfd_take(struct timerfd *t)
{
	u64 interval, count = 0;

	mutex_lock(&t->lock);
	if (atomic_load_relaxed(&t->fired)) {
		atomic_store_relaxed(&t->fired, 0);
		interval = t->interval_ns ? time_ns_to_ticks(t->interval_ns) : 0;
		count = interval ? 1 + (time_now() - t->deadline) / interval : 1;
		t->deadline = interval ? t->deadline + count * interval : 0;
		timerfd_arm(t);
	}
	mutex_unlock(&t->lock);
	return count;
}

static long timerfd_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct timerfd *t = f->data;
	u64 count;
	int err;

	(void)pos;
	if (it->count < sizeof(count))
		return -EINVAL;
	while ((count = timerfd_take(t)) == 0) {
		if (nonblock)
			return -EAGAIN;
		err = waitq_wait(&t->queue, POLL_EVENT_READ, false, timerfd_has_fired, t,
				 PARK_FOREVER, PARK_INTERRUPTIBLE);
		if (err)
			return err == -EINTR ? -ERESTARTSYS : err;
	}
	return iov_copy_out(it, &count, sizeof(count)) == (long)sizeof(count) ? (long)sizeof(count)
									      : -EFAULT;
}

static PollEvent timerfd_poll(struct file *f, struct wait_queue **source)
{
	struct timerfd *t = f->data;

	if (source)
		*source = &t->queue;
	return timerfd_has_fired(t) ? POLL_EVENT_READ : 0;
}

static int timerfd_stat(struct file *f, struct stat_info *st)
{
	(void)f;
	*st = (struct stat_info){.dev = NAMELESS_DEV, .mode = 0600, .nlink = 1, .blksize = PAGE_SIZE};
	return 0;
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->data;

	timer_cancel(&t->timer);
	kfree(t);
}

static const struct file_ops timerfd_ops = {
	.name = "[timerfd]",
	.read = timerfd_read,
	.poll = timerfd_poll,
	.stat = timerfd_stat,
	.release = timerfd_release,
};

struct file *timerfd_create(bool realtime, u32 flags)
{
	struct timerfd *t = kzalloc(sizeof(*t));
	struct file *f;

	if (!t)
		return NULL;
	t->realtime = realtime;
	mutex_init(&t->lock, &timerfd_class);
	timer_init(&t->timer, timerfd_fire);
	waitq_init(&t->queue);
	f = file_alloc(&timerfd_ops, t, O_RDWR | flags);
	if (!f)
		kfree(t);
	return f;
}

bool timerfd_clock(struct file *f, bool *realtime)
{
	if (f->ops != &timerfd_ops)
		return false;
	*realtime = ((struct timerfd *)f->data)->realtime;
	return true;
}

/* The lock is held. */
static void timerfd_get_locked(struct timerfd *t, struct timerfd_setting *out)
{
	u64 now = time_now();
	u64 interval = t->interval_ns ? time_ns_to_ticks(t->interval_ns) : 0;
	u64 left = 0;

	if (t->deadline > now)
		left = t->deadline - now;
	else if (t->deadline && interval)
		left = interval - (now - t->deadline) % interval;
	out->left_ns = time_ticks_to_ns(left);
	out->interval_ns = t->interval_ns;
}

void timerfd_get(struct file *f, struct timerfd_setting *out)
{
	struct timerfd *t = f->data;

	mutex_lock(&t->lock);
	timerfd_get_locked(t, out);
	mutex_unlock(&t->lock);
}

void timerfd_set(struct file *f, u64 deadline, u64 interval_ns, struct timerfd_setting *old)
{
	struct timerfd *t = f->data;

	mutex_lock(&t->lock);
	timer_cancel(&t->timer);
	timerfd_get_locked(t, old);
	atomic_store_relaxed(&t->fired, 0);
	t->deadline = deadline;
	t->interval_ns = interval_ns;
	timerfd_arm(t);
	mutex_unlock(&t->lock);
}
