/*
 * timerfd. The kernel timer fires once and only marks the file readable; a periodic timer is armed
 * again when it is read, and the read counts the periods that have passed. So a timer that nobody
 * reads costs nothing, however short its period.
 *
 * Invariant: `fired` implies that the timer is not armed and deadline has passed. Timers with an
 * absolute time of the wall clock are on a list, so that they follow when it is set.
 */
#include "kernel/file/timerfd.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "kernel/file/waitq.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/time/time.h"

LOCK_CLASS(timerfd, RANK_TIMERFD);
LOCK_CLASS(timerfd_list, RANK_TIMERFD_LIST);

struct timerfd {
	struct spinlock lock;
	u64 deadline_ns;    /* [L] time since boot, or of the wall clock; 0: disarmed */
	u64 interval_ns;    /* [L] 0: once */
	u32 fired;	    /* [a] */
	u32 canceled;	    /* [a] the clock was set, and nobody has been told */
	bool realtime;	    /* [I] */
	bool wall;	    /* [L] deadline_ns is a time of the wall clock */
	bool cancel_on_set; /* [L] */
	struct timer timer;
	struct wait_queue queue;
	struct list wall_link; /* [L:list] */
};

static struct spinlock wall_lock = SPINLOCK_INIT(timerfd_list_class);
static struct list wall_timers =
	LIST_INIT(wall_timers); /* [L:wall_lock] may hold some whose `wall` is false */

static const struct file_ops timerfd_ops;

static void timerfd_fire(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);

	atomic_store_relaxed(&t->fired, 1);
	waitq_wake(&t->queue, POLL_EVENT_READ, WAITQ_ALL);
}

static void timerfd_arm(struct timerfd *t)
{
	u64 ticks =
		t->wall ? time_realtime_deadline(t->deadline_ns) : time_ns_to_ticks(t->deadline_ns);

	if (t->deadline_ns && t->deadline_ns < (u64)INT64_MAX)
		timer_arm(&t->timer, ticks);
}

static u64 timerfd_now(const struct timerfd *t)
{
	return t->wall ? time_realtime_ns() : time_monotonic_ns();
}

static bool timerfd_ready(void *arg)
{
	struct timerfd *t = arg;

	return atomic_load_relaxed(&t->fired) || atomic_load_relaxed(&t->canceled);
}

/* Expirations since the last time; starts the next period. 0: none; -ECANCELED. */
static long timerfd_take(struct timerfd *t)
{
	u64 count = 0, now;
	bool canceled;

	spin_lock(&t->lock);
	canceled = t->canceled;
	t->canceled = false;
	if (!canceled && atomic_load_relaxed(&t->fired)) {
		atomic_store_relaxed(&t->fired, 0);
		now = timerfd_now(t);
		count = 1;
		if (t->interval_ns && now > t->deadline_ns)
			count += (now - t->deadline_ns) / t->interval_ns;
		t->deadline_ns = t->interval_ns ? t->deadline_ns + count * t->interval_ns : 0;
		timerfd_arm(t);
	}
	spin_unlock(&t->lock);
	return canceled ? -ECANCELED : (long)count;
}

static long timerfd_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct timerfd *t = f->data;
	long count;
	int err;

	(void)pos;
	if (it->count < sizeof(count))
		return -EINVAL;
	while ((count = timerfd_take(t)) == 0) {
		if (nonblock)
			return -EAGAIN;
		err = waitq_wait(&t->queue, POLL_EVENT_READ, false, timerfd_ready, t, PARK_FOREVER,
				 PARK_INTERRUPTIBLE);
		if (err)
			return err == -EINTR ? -ERESTARTSYS : err;
	}
	if (count < 0)
		return count;
	return iov_copy_out(it, &count, sizeof(count)) == (long)sizeof(count) ? (long)sizeof(count)
									      : -EFAULT;
}

static PollEvent timerfd_poll(struct file *f, struct wait_queue **source)
{
	struct timerfd *t = f->data;

	if (source)
		*source = &t->queue;
	return timerfd_ready(t) ? POLL_EVENT_READ : 0;
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->data;

	spin_lock(&wall_lock);
	list_del(&t->wall_link);
	spin_unlock(&wall_lock);
	timer_cancel(&t->timer);
	kfree(t);
}

static const struct file_ops timerfd_ops = {
	.name = "[timerfd]",
	.nowait = true,
	.seek_ignored = true,
	.read = timerfd_read,
	.poll = timerfd_poll,
	.stat = file_nameless_stat,
	.release = timerfd_release,
};

struct file *timerfd_create(bool realtime, u32 flags)
{
	struct timerfd *t = kzalloc(sizeof(*t));
	struct file *f;

	if (!t)
		return NULL;
	t->realtime = realtime;
	spin_init(&t->lock, &timerfd_class);
	timer_init(&t->timer, timerfd_fire);
	waitq_init(&t->queue);
	list_init(&t->wall_link);
	f = file_alloc(&timerfd_ops, t, O_RDWR | flags);
	if (!f)
		kfree(t);
	return f;
}

bool timerfd_is(const struct file *f)
{
	return f->ops == &timerfd_ops;
}

static void timerfd_get_locked(const struct timerfd *t, struct timerfd_setting *out)
{
	u64 now = timerfd_now(t), left = 0;

	if (t->deadline_ns > now)
		left = t->deadline_ns - now;
	else if (t->deadline_ns && t->interval_ns)
		left = t->interval_ns - (now - t->deadline_ns) % t->interval_ns;
	*out = (struct timerfd_setting){.value_ns = left, .interval_ns = t->interval_ns};
}

void timerfd_get(struct file *f, struct timerfd_setting *out)
{
	struct timerfd *t = f->data;

	spin_lock(&t->lock);
	timerfd_get_locked(t, out);
	spin_unlock(&t->lock);
}

static void timerfd_set_locked(struct timerfd *t, const struct timerfd_setting *s)
{
	u64 deadline = s->value_ns;

	timer_cancel(&t->timer);
	atomic_store_relaxed(&t->fired, 0);
	t->wall = t->realtime && s->absolute;
	t->cancel_on_set = t->wall && s->cancel_on_set;
	if (!t->cancel_on_set)
		atomic_store_relaxed(&t->canceled, 0);
	if (deadline && !s->absolute && __builtin_add_overflow(deadline, timerfd_now(t), &deadline))
		deadline = INT64_MAX;
	t->deadline_ns = deadline;
	t->interval_ns = s->interval_ns;
	timerfd_arm(t);
}

int timerfd_set(struct file *f, const struct timerfd_setting *setting, struct timerfd_setting *old)
{
	struct timerfd *t = f->data;
	int err = 0;

	/* First on the list: a clock that is set from now on finds it. */
	if (t->realtime && setting->absolute) {
		spin_lock(&wall_lock);
		if (list_empty(&t->wall_link))
			list_add_tail(&wall_timers, &t->wall_link);
		spin_unlock(&wall_lock);
	}
	spin_lock(&t->lock);
	timerfd_get_locked(t, old);
	timerfd_set_locked(t, setting);
	if (t->deadline_ns && t->canceled) {
		atomic_store_relaxed(&t->canceled, 0);
		err = -ECANCELED;
	}
	spin_unlock(&t->lock);
	return err;
}

void timerfd_clock_set(void)
{
	struct timerfd *t;

	spin_lock(&wall_lock);
	list_for_each(t, &wall_timers, wall_link) {
		spin_lock(&t->lock);
		if (t->wall && timer_cancel(&t->timer))
			timerfd_arm(t);
		if (t->cancel_on_set) {
			atomic_store_relaxed(&t->canceled, 1);
			waitq_wake(&t->queue, POLL_EVENT_READ, WAITQ_ALL);
		}
		spin_unlock(&t->lock);
	}
	spin_unlock(&wall_lock);
}
