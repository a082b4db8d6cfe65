/*
 * The items of a set: found by file and descriptor, listed while their file may be ready, and taken out when the file is closed.
 */
#include "abi/errno.h"
#include "arch/riscv64/cpu.h"
#include "kernel/file/epoll_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/refcount.h"

LOCK_CLASS(epoll_watches, RANK_FDTABLE);
/* Guards file->watches of all files. */
static struct spinlock watches = SPINLOCK_INIT(epoll_watches_class);

void epoll_put(struct epoll *ep)
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

struct epoll_item *epoll_ready_take(struct epoll *ep)
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

void epoll_ready_add(struct epoll_item *item, bool wake)
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

/* ---- items ---- */

static u32 item_hash(const struct epoll *ep, const struct file *f, int fd)
{
	u64 key = ((u64)f >> 4) + (u64)(u32)fd * 0x9e3779b97f4a7c15UL;

	return (u32)(key ^ key >> 32) & (ep->hash_size - 1);
}

struct epoll_item *epoll_item_find(struct epoll *ep, const struct file *f, int fd)
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
void epoll_item_remove(struct epoll_item *item)
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
		epoll_update_ranks(ep);
	}
	epoll_unlink_file(item);
	kfree(item);
	epoll_put(ep);
}

PollEvent epoll_item_poll(struct epoll_item *item)
{
	return file_poll(item->file, NULL) & atomic_load_relaxed(&item->events) & ~EPOLL_MODES;
}

int epoll_item_add(struct epoll *ep, struct file *f, int fd, const struct abi_epoll_event *ev)
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
		epoll_update_ranks(ep);
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
	if (epoll_item_poll(item))
		epoll_ready_add(item, true);
	return 0;
}

void epoll_item_modify(struct epoll_item *item, const struct abi_epoll_event *ev)
{
	item->data = ev->data;
	atomic_store_relaxed(&item->events, ev->events);
	/* As (B) in waitq_add(): a change from now on sees the new events, an earlier one shows below. */
	fence_full();
	if (epoll_item_poll(item))
		epoll_ready_add(item, true);
}

/* ---- files that are closed ---- */

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

void epoll_unwatch(struct file *f)
{
	bool inner = epoll_of(f) != NULL;
	struct epoll_item *item;
	struct epoll *ep;

	if (inner)
		mutex_lock(&epoll_nesting);
	while ((ep = first_watcher(f)) != NULL) {
		mutex_lock(&ep->lock);
		while ((item = item_in(f, ep)) != NULL)
			epoll_item_remove(item);
		mutex_unlock(&ep->lock);
		epoll_put(ep);
	}
	if (inner)
		mutex_unlock(&epoll_nesting);
}
