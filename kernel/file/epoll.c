/*
 * epoll. An item is one (file, descriptor) pair in one set; its watcher entry stays on the file's
 * wait queue, so a change costs O(1): the callback puts the item on the set's ready list and wakes
 * one sleeper. epoll_wait() takes items off the list, asks each file what holds *now*, and puts
 * level-triggered ones back: the list is a hint, never the truth.
 *
 * A set's wait queue and its ready list share one lock (ranked after every source's, because the
 * callback takes it under the source's). A set is itself a source: sets nest at most
 * EPOLL_MAX_NESTING deep and without cycles, so locks of sets are taken from the inner to the outer
 * by callbacks, and mutexes from the outer to the inner by epoll_poll().
 *
 * No event is lost:
 *	epoll_wait			source
 *	take item off (lock)		change the state, fence (A) in waitq_wake()
 *	ask the file			callback: item not on the list: put it there (lock)
 * Either the callback comes before the taking, and then the file shows the change when asked, or
 * after it, and then the item is on the list again.
 *
 * A closed file leaves its sets by itself. The item holds no reference on the file; the file's last
 * put finds its items (file->watches) and takes each out under the mutex of its set before the type
 * releases anything. Where a set dies at the same time, it unlinks the item from the source's queue
 * first and from the file last, and the file waits for the mutex until its list is empty. A set's
 * memory lives until its last item does (refs).
 */
#include "kernel/file/epoll.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "arch/riscv64/cpu.h"
#include "kernel/file/epoll_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

/* What may come together with EPOLLEXCLUSIVE. */
#define EPOLL_EXCLUSIVE_WITH                                                                       \
	(POLL_EVENT_IN | POLL_EVENT_OUT | POLL_EVENT_ERR | POLL_EVENT_HUP | EPOLLWAKEUP |          \
	 EPOLLET | EPOLLEXCLUSIVE)

LOCK_CLASS(epoll, RANK_FILE);

static const struct file_ops epoll_ops;

struct epoll *epoll_of(struct file *f)
{
	return f->ops == &epoll_ops ? f->data : NULL;
}

/* ---- control ---- */

static int ctl_locked(struct epoll *ep, int op, struct file *f, int fd, struct abi_epoll_event *ev)
{
	struct epoll_item *item = epoll_item_find(ep, f, fd);

	ev->events |= POLL_EVENT_ERR | POLL_EVENT_HUP;
	switch (op) {
	case EPOLL_CTL_ADD:
		return item ? -EEXIST : epoll_item_add(ep, f, fd, ev);
	case EPOLL_CTL_DEL:
		if (!item)
			return -ENOENT;
		epoll_item_remove(item);
		return 0;
	case EPOLL_CTL_MOD:
		if (!item)
			return -ENOENT;
		if (item->events & EPOLLEXCLUSIVE)
			return -EINVAL;
		epoll_item_modify(item, ev);
		return 0;
	default:
		return -EINVAL;
	}
}

int epoll_ctl(struct epoll *ep, int op, struct file *f, int fd, const struct abi_epoll_event *event)
{
	struct epoll *inner = epoll_of(f);
	struct abi_epoll_event ev = *event;
	int err = 0;

	if (!f->ops->poll)
		return -EPERM;
	if (inner == ep)
		return -EINVAL;
	if (op != EPOLL_CTL_DEL && (ev.events & EPOLLEXCLUSIVE) &&
	    (op == EPOLL_CTL_MOD || inner || (ev.events & ~EPOLL_EXCLUSIVE_WITH)))
		return -EINVAL;
	if (inner) {
		mutex_lock(&epoll_nesting);
		if (op == EPOLL_CTL_ADD && epoll_nests_too_deep(ep, inner))
			err = -ELOOP;
	}
	if (!err) {
		mutex_lock(&ep->lock);
		err = ctl_locked(ep, op, f, fd, &ev);
		mutex_unlock(&ep->lock);
	}
	if (inner)
		mutex_unlock(&epoll_nesting);
	return err;
}

/* ---- waiting ---- */

static bool epoll_has_ready(void *arg)
{
	struct epoll *ep = arg;

	return atomic_load_relaxed(&ep->nr_ready) != 0;
}

/*
 * One item off the ready list: 1 if it was reported, 0 if it is not ready, -EFAULT. ep->lock held.
 */
static int report_one(struct epoll_item *item, struct iov_iter *it)
{
	struct abi_epoll_event ev = {.events = epoll_item_poll(item), .data = item->data};

	if (!ev.events)
		return 0;
	if (iov_copy_out(it, &ev, sizeof(ev)) != (long)sizeof(ev)) {
		epoll_ready_add(item, false);
		return -EFAULT;
	}
	if (item->events & EPOLLONESHOT)
		atomic_store_relaxed(&item->events, item->events & EPOLL_MODES);
	else if (!(item->events & EPOLLET))
		epoll_ready_add(item, false);
	return 1;
}

/* Each item that is on the list now is looked at once. */
static long epoll_report(struct epoll *ep, struct iov_iter *it, u32 max)
{
	struct epoll_item *item;
	long done = 0;
	int ret = 0;

	mutex_lock(&ep->lock);
	for (u32 left = atomic_load_relaxed(&ep->nr_ready); left && done < max; left--) {
		item = epoll_ready_take(ep);
		if (!item)
			break;
		ret = report_one(item, it);
		if (ret < 0)
			break;
		done += ret;
	}
	mutex_unlock(&ep->lock);
	/* What is left is for the next sleeper. */
	if (epoll_has_ready(ep))
		waitq_wake(&ep->waiters, POLL_EVENT_READ, 1);
	return done ? done : ret;
}

long epoll_wait(struct epoll *ep, struct iov_iter *it, u32 max, u64 deadline)
{
	for (;;) {
		long done = epoll_has_ready(ep) ? epoll_report(ep, it, max) : 0;
		int err;

		if (done || deadline == 0)
			return done;
		err = waitq_wait(&ep->waiters, POLL_EVENT_READ, true, epoll_has_ready, ep, deadline,
				 PARK_INTERRUPTIBLE);
		if (err)
			return err == -ETIMEDOUT ? 0 : err;
	}
}

/* ---- the open file ---- */

/* Readable if an item is; items that are not leave the list. */
static PollEvent epoll_poll(struct file *f, struct wait_queue **source)
{
	struct epoll *ep = f->data;
	PollEvent events = 0;

	if (source)
		*source = &ep->waiters;
	if (!epoll_has_ready(ep))
		return 0;
	if (!mutex_trylock(&ep->lock)) {
		mutex_lock_nested(&ep->lock);
		/* It may have eaten the permit of a wake that the poller still has to see. */
		unpark(thread_current());
	}
	for (u32 left = atomic_load_relaxed(&ep->nr_ready); left && !events; left--) {
		struct epoll_item *item = epoll_ready_take(ep);

		if (!item)
			break;
		if (epoll_item_poll(item)) {
			events = POLL_EVENT_READ;
			epoll_ready_add(item, false);
		}
	}
	mutex_unlock(&ep->lock);
	return events;
}

/* Of Linux's requests there are only those about busy polling, which there is none of. */
static long epoll_ioctl(struct file *f, u32 cmd, u64 arg)
{
	(void)f;
	(void)cmd;
	(void)arg;
	return -EINVAL;
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->data;

	mutex_lock(&epoll_nesting);
	mutex_lock(&ep->lock);
	for (u32 i = 0; i < ep->hash_size; i++)
		while (ep->hash[i])
			epoll_item_remove(ep->hash[i]);
	mutex_unlock(&ep->lock);
	mutex_unlock(&epoll_nesting);
	epoll_put(ep);
}

static const struct file_ops epoll_ops = {
	.name = "[eventpoll]",
	.seek_ignored = true,
	.ioctl = epoll_ioctl,
	.poll = epoll_poll,
	.stat = file_nameless_stat,
	.release = epoll_release,
};

struct file *epoll_create(void)
{
	struct epoll *ep = kzalloc(sizeof(*ep));
	struct file *f;

	if (!ep)
		return NULL;
	ep->hash_size = EPOLL_HASH_MIN;
	ep->hash = kzalloc(EPOLL_HASH_MIN * sizeof(*ep->hash));
	f = ep->hash ? file_alloc(&epoll_ops, ep, O_RDWR) : NULL;
	if (!f) {
		kfree(ep->hash);
		kfree(ep);
		return NULL;
	}
	ep->refs = 1;
	ep->file = f;
	mutex_init(&ep->lock, &epoll_class);
	waitq_init(&ep->waiters);
	epoll_nesting_init(ep);
	list_init(&ep->ready);
	file_unwatch = epoll_unwatch;
	return f;
}
