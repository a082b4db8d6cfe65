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
#include "kernel/file/waitq.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/refcount.h"

#define EPOLL_MAX_NESTING 5U
#define EPOLL_HASH_MIN	  16U
#define EPOLL_MODES	  (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)
/* What may come together with EPOLLEXCLUSIVE. */
#define EPOLL_EXCLUSIVE_WITH                                                                       \
	(POLL_EVENT_IN | POLL_EVENT_OUT | POLL_EVENT_ERR | POLL_EVENT_HUP | EPOLLWAKEUP |          \
	 EPOLLET | EPOLLEXCLUSIVE)

LOCK_CLASS(epoll, RANK_FILE);
/* By depth: a set that watches no other, one that watches such, and so on. */
LOCK_CLASS(epoll_ready0, RANK_EPOLL);
LOCK_CLASS(epoll_ready1, RANK_EPOLL + 1);
LOCK_CLASS(epoll_ready2, RANK_EPOLL + 2);
LOCK_CLASS(epoll_ready3, RANK_EPOLL + 3);
LOCK_CLASS(epoll_ready4, RANK_EPOLL + 4);
LOCK_CLASS(epoll_nesting, RANK_EPOLL_NESTING);
LOCK_CLASS(epoll_watches, RANK_FDTABLE);

static struct lock_class *const ready_classes[EPOLL_MAX_NESTING] = {
	&epoll_ready0_class, &epoll_ready1_class, &epoll_ready2_class,
	&epoll_ready3_class, &epoll_ready4_class,
};

struct epoll {
	struct mutex lock;	   /* items; held while events are copied to the user */
	struct wait_queue waiters; /* sleepers in epoll_wait, and who polls this set */
	struct list ready;	   /* [L:waiters.lock] items that may be ready */
	u32 nr_ready;		   /* [a] changes under waiters.lock */
	u32 refs;		   /* [a] the open file and each item */
	struct file *file;	   /* [I] no reference; valid until release */
	struct epoll_item **hash;  /* [L:lock] by file and descriptor */
	u32 hash_size;		   /* [L:lock] a power of two */
	u32 nr_items;		   /* [L:lock] */
	struct list inner;	   /* [L:nesting] items whose file is a set */
};

struct epoll_item {
	struct wait_entry entry;    /* on *source */
	struct wait_queue *source;  /* [I] NULL: the file never changes */
	struct epoll *ep;	    /* [I] a count in ep->refs */
	struct file *file;	    /* [I] no reference, see above */
	int fd;			    /* [I] */
	u32 events;		    /* [a] wanted events and modes; changes under ep->lock */
	u64 data;		    /* [L:ep->lock] the user's */
	struct epoll_item *chain;   /* [L:ep->lock] hash */
	struct epoll_item *sibling; /* [L:watches] the file's next item */
	struct list ready;	    /* [L:ep->waiters.lock] */
	bool is_ready;		    /* [L:ep->waiters.lock] on the ready list */
	struct list inner;	    /* [L:nesting] */
};

static struct mutex nesting = MUTEX_INIT(nesting, epoll_nesting_class);
/* Guards file->watches of all files. */
static struct spinlock watches = SPINLOCK_INIT(epoll_watches_class);

static const struct file_ops epoll_ops;

struct epoll *epoll_of(struct file *f)
{
	return f->ops == &epoll_ops ? f->data : NULL;
}

static void epoll_put(struct epoll *ep)
{
	if (!refcount_put(&ep->refs))
		return;
	kfree(ep->hash);
	kfree(ep);
}

/* ---- the ready list ---- */

/* Context: ep->waiters.lock held. */
static void ready_add_locked(struct epoll_item *item)
{
	struct epoll *ep = item->ep;

	if (item->is_ready)
		return;
	item->is_ready = true;
	list_add_tail(&ep->ready, &item->ready);
	atomic_store_relaxed(&ep->nr_ready, ep->nr_ready + 1);
}

static void ready_remove_locked(struct epoll_item *item)
{
	struct epoll *ep = item->ep;

	if (!item->is_ready)
		return;
	item->is_ready = false;
	list_del(&item->ready);
	atomic_store_relaxed(&ep->nr_ready, ep->nr_ready - 1);
}

/* The first item, off the list; NULL: none. */
static struct epoll_item *ready_take(struct epoll *ep)
{
	struct epoll_item *item = NULL;

	spin_lock(&ep->waiters.lock);
	if (!list_empty(&ep->ready)) {
		item = list_first(&ep->ready, struct epoll_item, ready);
		ready_remove_locked(item);
	}
	spin_unlock(&ep->waiters.lock);
	return item;
}

static void ready_add(struct epoll_item *item, bool wake)
{
	struct epoll *ep = item->ep;
	struct unpark_batch batch = {0};

	spin_lock(&ep->waiters.lock);
	ready_add_locked(item);
	if (wake)
		waitq_wake_locked(&ep->waiters, POLL_EVENT_READ, 1, &batch);
	spin_unlock(&ep->waiters.lock);
	unpark_batch_flush(&batch);
}

/* The file changed. Context: the source queue's lock is held. */
static void epoll_notify(struct wait_entry *e, PollEvent events, struct unpark_batch *batch)
{
	struct epoll_item *item = container_of(e, struct epoll_item, entry);
	struct epoll *ep = item->ep;

	if (!(atomic_load_relaxed(&item->events) & events))
		return;
	spin_lock(&ep->waiters.lock);
	ready_add_locked(item);
	waitq_wake_locked(&ep->waiters, POLL_EVENT_READ, 1, batch);
	spin_unlock(&ep->waiters.lock);
}

/* ---- nesting ---- */

/*
 * Sets in the longest chain down from `ep`, itself counted; too many if `seek` is among them or
 * `limit` is passed. Context: nesting held.
 */
static u32 depth_below(struct epoll *ep, const struct epoll *seek, u32 limit)
{
	struct epoll_item *item;
	u32 deepest = 0;

	if (ep == seek || limit == 0)
		return EPOLL_MAX_NESTING + 1;
	list_for_each(item, &ep->inner, inner)
		deepest = MAX(deepest, depth_below(epoll_of(item->file), seek, limit - 1));
	return deepest + 1;
}

/*
 * Sets in the longest chain up from `ep`, itself counted. Context: nesting held, which keeps the
 * list.
 */
static u32 height_above(struct epoll *ep)
{
	u32 highest = 0;

	for (struct epoll_item *item = ep->file->watches; item; item = item->sibling)
		highest = MAX(highest, height_above(item->ep));
	return highest + 1;
}

/*
 * The ranks of the locks of `ep` and of those that watch it follow their depth, so that a callback
 * that goes from set to set takes them in order; in the middle of a change they are in order, too.
 * Context: nesting held.
 */
static void update_ranks(struct epoll *ep)
{
	struct lock_class *class = ready_classes[depth_below(ep, NULL, EPOLL_MAX_NESTING) - 1];
	bool rises = class->rank > ep->waiters.lock.class->rank;

	if (!rises)
		atomic_store_relaxed(&ep->waiters.lock.class, class);
	for (struct epoll_item *item = ep->file->watches; item; item = item->sibling)
		update_ranks(item->ep);
	if (rises)
		atomic_store_relaxed(&ep->waiters.lock.class, class);
}

static bool nests_too_deep(struct epoll *outer, struct epoll *inner)
{
	u32 below = depth_below(inner, outer, EPOLL_MAX_NESTING);

	return below > EPOLL_MAX_NESTING || height_above(outer) + below > EPOLL_MAX_NESTING;
}

/* ---- items ---- */

static u32 item_hash(const struct epoll *ep, const struct file *f, int fd)
{
	u64 key = ((u64)f >> 4) + (u64)(u32)fd * 0x9e3779b97f4a7c15UL;

	return (u32)(key ^ key >> 32) & (ep->hash_size - 1);
}

static struct epoll_item *item_find(struct epoll *ep, const struct file *f, int fd)
{
	struct epoll_item *item = ep->hash[item_hash(ep, f, fd)];

	while (item && (item->file != f || item->fd != fd))
		item = item->chain;
	return item;
}

static void hash_add(struct epoll *ep, struct epoll_item *item)
{
	struct epoll_item **head = &ep->hash[item_hash(ep, item->file, item->fd)];

	item->chain = *head;
	*head = item;
}

/* Doubles a full table; without memory the chains grow instead. */
static void hash_grow(struct epoll *ep)
{
	u32 old_size = ep->hash_size;
	struct epoll_item **old = ep->hash;
	struct epoll_item **new = kzalloc(2 * old_size * sizeof(*new));

	if (!new)
		return;
	ep->hash = new;
	ep->hash_size = 2 * old_size;
	for (u32 i = 0; i < old_size; i++) {
		for (struct epoll_item *item = old[i], *next; item; item = next) {
			next = item->chain;
			hash_add(ep, item);
		}
	}
	kfree(old);
}

static void epoll_unlink_file(struct epoll_item *item)
{
	struct epoll_item **link = &item->file->watches;

	spin_lock(&watches);
	while (*link != item)
		link = &(*link)->sibling;
	/* Pairs with the acquire load in file_put(). */
	atomic_store_release(link, item->sibling);
	spin_unlock(&watches);
}

/* Context: ep->lock held; `nesting` too if the file is a set. */
static void item_remove(struct epoll_item *item)
{
	struct epoll *ep = item->ep;
	struct epoll_item **link = &ep->hash[item_hash(ep, item->file, item->fd)];

	if (item->source)
		waitq_remove(item->source, &item->entry);
	/* No callback runs from here on. */
	spin_lock(&ep->waiters.lock);
	ready_remove_locked(item);
	spin_unlock(&ep->waiters.lock);
	while (*link != item)
		link = &(*link)->chain;
	*link = item->chain;
	ep->nr_items--;
	if (epoll_of(item->file)) {
		list_del(&item->inner);
		update_ranks(ep);
	}
	epoll_unlink_file(item);
	kfree(item);
	epoll_put(ep);
}

/* What the file shows of the events that the item wants. */
static PollEvent item_poll(struct epoll_item *item)
{
	return file_poll(item->file, NULL) & atomic_load_relaxed(&item->events) & ~EPOLL_MODES;
}

static int item_add(struct epoll *ep, struct file *f, int fd, const struct abi_epoll_event *ev)
{
	struct epoll_item *item = kzalloc(sizeof(*item));

	if (!item)
		return -ENOMEM;
	item->ep = ep;
	item->file = f;
	item->fd = fd;
	item->events = ev->events;
	item->data = ev->data;
	list_init(&item->ready);
	list_init(&item->inner);
	refcount_get(&ep->refs);
	if (ep->nr_items++ >= ep->hash_size)
		hash_grow(ep);
	hash_add(ep, item);
	if (epoll_of(f)) {
		list_add(&ep->inner, &item->inner);
		update_ranks(ep);
	}
	spin_lock(&watches);
	item->sibling = f->watches;
	atomic_store_release(&f->watches, item);
	spin_unlock(&watches);
	file_poll(f, &item->source);
	if (item->source) {
		item->entry = (struct wait_entry){
			.thread = thread_current(),
			.events = ~0U,
			.exclusive = ev->events & EPOLLEXCLUSIVE,
			.fn = epoll_notify,
		};
		waitq_add(item->source, &item->entry);
	}
	if (item_poll(item))
		ready_add(item, true);
	return 0;
}

static void item_modify(struct epoll_item *item, const struct abi_epoll_event *ev)
{
	item->data = ev->data;
	atomic_store_relaxed(&item->events, ev->events);
	/* As (B) in waitq_add(): a change from now on sees the new events, an earlier one shows below. */
	fence_full();
	if (item_poll(item))
		ready_add(item, true);
}

/* ---- control ---- */

static int ctl_locked(struct epoll *ep, int op, struct file *f, int fd, struct abi_epoll_event *ev)
{
	struct epoll_item *item = item_find(ep, f, fd);

	ev->events |= POLL_EVENT_ERR | POLL_EVENT_HUP;
	switch (op) {
	case EPOLL_CTL_ADD:
		return item ? -EEXIST : item_add(ep, f, fd, ev);
	case EPOLL_CTL_DEL:
		if (!item)
			return -ENOENT;
		item_remove(item);
		return 0;
	case EPOLL_CTL_MOD:
		if (!item)
			return -ENOENT;
		if (item->events & EPOLLEXCLUSIVE)
			return -EINVAL;
		item_modify(item, ev);
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
		mutex_lock(&nesting);
		if (op == EPOLL_CTL_ADD && nests_too_deep(ep, inner))
			err = -ELOOP;
	}
	if (!err) {
		mutex_lock(&ep->lock);
		err = ctl_locked(ep, op, f, fd, &ev);
		mutex_unlock(&ep->lock);
	}
	if (inner)
		mutex_unlock(&nesting);
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
	struct abi_epoll_event ev = {.events = item_poll(item), .data = item->data};

	if (!ev.events)
		return 0;
	if (iov_copy_out(it, &ev, sizeof(ev)) != (long)sizeof(ev)) {
		ready_add(item, false);
		return -EFAULT;
	}
	if (item->events & EPOLLONESHOT)
		atomic_store_relaxed(&item->events, item->events & EPOLL_MODES);
	else if (!(item->events & EPOLLET))
		ready_add(item, false);
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
		item = ready_take(ep);
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
		struct epoll_item *item = ready_take(ep);

		if (!item)
			break;
		if (item_poll(item)) {
			events = POLL_EVENT_READ;
			ready_add(item, false);
		}
	}
	mutex_unlock(&ep->lock);
	return events;
}

static int epoll_stat(struct file *f, struct stat_info *st)
{
	(void)f;
	*st = (struct stat_info){.dev = NAMELESS_DEV, .mode = 0600, .nlink = 1, .blksize = PAGE_SIZE};
	return 0;
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->data;

	mutex_lock(&nesting);
	mutex_lock(&ep->lock);
	for (u32 i = 0; i < ep->hash_size; i++)
		while (ep->hash[i])
			item_remove(ep->hash[i]);
	mutex_unlock(&ep->lock);
	mutex_unlock(&nesting);
	epoll_put(ep);
}

/* The set of the file's first item, with a reference; NULL: no item is left. */
static struct epoll *first_watcher(struct file *f)
{
	struct epoll *ep = NULL;

	spin_lock(&watches);
	if (f->watches) {
		ep = f->watches->ep;
		refcount_get(&ep->refs);
	}
	spin_unlock(&watches);
	return ep;
}

/* The first of the file's items in `ep`. Context: ep->lock held, so it stays. */
static struct epoll_item *item_in(struct file *f, const struct epoll *ep)
{
	struct epoll_item *item;

	spin_lock(&watches);
	for (item = f->watches; item && item->ep != ep; item = item->sibling)
		;
	spin_unlock(&watches);
	return item;
}

static void epoll_unwatch(struct file *f)
{
	bool inner = epoll_of(f) != NULL;
	struct epoll_item *item;
	struct epoll *ep;

	if (inner)
		mutex_lock(&nesting);
	while ((ep = first_watcher(f)) != NULL) {
		mutex_lock(&ep->lock);
		while ((item = item_in(f, ep)) != NULL)
			item_remove(item);
		mutex_unlock(&ep->lock);
		epoll_put(ep);
	}
	if (inner)
		mutex_unlock(&nesting);
}

static const struct file_ops epoll_ops = {
	.name = "[eventpoll]",
	.poll = epoll_poll,
	.stat = epoll_stat,
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
	spin_init(&ep->waiters.lock, ready_classes[0]);
	list_init(&ep->ready);
	list_init(&ep->inner);
	file_unwatch = epoll_unwatch;
	return f;
}
