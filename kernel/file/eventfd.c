/*
 * eventfd. The counter changes by compare-and-swap alone; sleepers and watchers share one queue.
 * Invariant: count <= ~0 - 1.
 */
#include "kernel/file/eventfd.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "kernel/file/waitq.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

#define EVENTFD_MAX (~0UL - 1)

struct eventfd {
	u64 count;	/* [a] */
	bool semaphore; /* [I] */
	struct wait_queue queue;
};

static bool eventfd_can_read(void *arg)
{
	struct eventfd *e = arg;

	return atomic_load_relaxed(&e->count) != 0;
}

struct eventfd_room {
	struct eventfd *eventfd;
	u64 need;
};

static bool eventfd_can_write(void *arg)
{
	struct eventfd_room *r = arg;

	return EVENTFD_MAX - atomic_load_relaxed(&r->eventfd->count) >= r->need;
}

/* Takes what one read gets; 0: the counter is 0. */
static u64 eventfd_take(struct eventfd *e)
{
	u64 seen, taken;

	do {
		seen = atomic_load_relaxed(&e->count);
		if (seen == 0)
			return 0;
		taken = e->semaphore ? 1 : seen;
	} while (!atomic_cas(&e->count, seen, seen - taken));
	return taken;
}

static long eventfd_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct eventfd *e = f->data;
	u64 taken;
	int err;

	(void)pos;
	if (it->count < sizeof(taken))
		return -EINVAL;
	while ((taken = eventfd_take(e)) == 0) {
		if (nonblock)
			return -EAGAIN;
		err = waitq_wait(&e->queue, POLL_EVENT_READ, true, eventfd_can_read, e,
				 PARK_FOREVER, PARK_INTERRUPTIBLE);
		if (err)
			return err == -EINTR ? -ERESTARTSYS : err;
	}
	waitq_wake(&e->queue, POLL_EVENT_WRITE, WAITQ_ALL);
	return iov_copy_out(it, &taken, sizeof(taken)) == (long)sizeof(taken) ? (long)sizeof(taken)
									      : -EFAULT;
}

static bool eventfd_give(struct eventfd *e, u64 n)
{
	u64 seen;

	do {
		seen = atomic_load_relaxed(&e->count);
		if (EVENTFD_MAX - seen < n)
			return false;
	} while (!atomic_cas(&e->count, seen, seen + n));
	return true;
}

static long eventfd_write(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct eventfd *e = f->data;
	struct eventfd_room room = {.eventfd = e};
	int err;

	(void)pos;
	if (it->count != sizeof(room.need))
		return -EINVAL;
	if (iov_copy_in(&room.need, it, sizeof(room.need)) != (long)sizeof(room.need))
		return -EFAULT;
	if (room.need > EVENTFD_MAX)
		return -EINVAL;
	while (!eventfd_give(e, room.need)) {
		if (nonblock)
			return -EAGAIN;
		err = waitq_wait(&e->queue, POLL_EVENT_WRITE, false, eventfd_can_write, &room,
				 PARK_FOREVER, PARK_INTERRUPTIBLE);
		if (err)
			return err == -EINTR ? -ERESTARTSYS : err;
	}
	/* One reader takes all, or 1 each. */
	waitq_wake(&e->queue, POLL_EVENT_READ,
		   e->semaphore ? (u32)MIN(room.need, (u64)WAITQ_ALL) : 1);
	return sizeof(room.need);
}

static PollEvent eventfd_poll(struct file *f, struct wait_queue **source)
{
	struct eventfd *e = f->data;
	u64 count = atomic_load_relaxed(&e->count);

	if (source)
		*source = &e->queue;
	return (count ? POLL_EVENT_READ : 0) | (count < EVENTFD_MAX ? POLL_EVENT_WRITE : 0);
}

static void eventfd_release(struct file *f)
{
	kfree(f->data);
}

static const struct file_ops eventfd_ops = {
	.name = "[eventfd]",
	.nowait = true,
	.seek_ignored = true,
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.stat = file_nameless_stat,
	.release = eventfd_release,
};

bool eventfd_is(const struct file *f)
{
	return f->ops == &eventfd_ops;
}

void eventfd_signal(struct file *f)
{
	u64 one = 1, pos = 0;
	struct iov_segment seg;
	struct iov_iter it;

	iov_iter_kernel(&it, &seg, &one, sizeof(one));
	eventfd_write(f, &it, &pos, true);
}

struct file *eventfd_create(u32 count, bool semaphore, u32 flags)
{
	struct eventfd *e = kzalloc(sizeof(*e));
	struct file *f;

	if (!e)
		return NULL;
	e->count = count;
	e->semaphore = semaphore;
	waitq_init(&e->queue);
	f = file_alloc(&eventfd_ops, e, O_RDWR | flags);
	if (!f)
		kfree(e);
	return f;
}
