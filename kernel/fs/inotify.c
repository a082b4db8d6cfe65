/*
 * inotify. An inode has a list of watches; each belongs to a queue of events, which is a file. One
 * spin lock covers all lists and queues: it is taken only while somebody watches something, which
 * fs_notify() sees by one load of a read-mostly count. A watch holds its inode.
 *
 * An event of a file goes to the watches of its inode and, with its name, to those of its directory.
 * An inode without names is reported as deleted when its last dentry goes.
 */
#include "kernel/fs/inotify.h"

#include <string.h>

#include "abi/errno.h"
#include "abi/inotify.h"
#include "abi/stat.h"
#include "abi/termios.h"
#include "kernel/file/waitq.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"

#define QUEUE_MAX 16384U /* events, as Linux's max_queued_events */

/* Events of whoever has the file open, which IN_EXCL_UNLINK is about. */
#define IN_BY_OPEN_FILE (IN_ACCESS | IN_MODIFY | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE | IN_OPEN)

LOCK_CLASS(inotify, RANK_INOTIFY);

struct queued_event {
	struct list link;
	struct abi_inotify_event head;
	char name[]; /* head.len bytes */
};

struct event_queue {
	struct wait_queue wait;
	struct list events;  /* [L] */
	u32 nr_events;	     /* [a] changes under lock */
	u64 bytes;	     /* [L] */
	struct list watches; /* [L] by `mine` */
	s32 next_wd;	     /* [L] */
};

struct watch {
	struct list mine;	   /* [L] */
	struct watch *next;	   /* [L] of the inode */
	struct event_queue *queue; /* [I] */
	struct inode *inode;	   /* [I] a reference */
	u32 mask;		   /* [L] */
	s32 wd;			   /* [I] */
};

static struct spinlock lock = SPINLOCK_INIT(inotify_class);
u32 fs_nr_watches; /* [a] changes under lock */

/* ---- queueing; the lock is held ---- */

static bool event_equal(const struct queued_event *a, const struct abi_inotify_event *head,
			const char *name)
{
	return a->head.wd == head->wd && a->head.mask == head->mask &&
	       a->head.cookie == head->cookie && a->head.len == head->len &&
	       (!head->len || strcmp(a->name, name) == 0);
}

static void event_add(struct event_queue *q, const struct abi_inotify_event *head, const char *name)
{
	struct queued_event *e;

	/* The same as the last one tells nothing new. */
	if (!list_empty(&q->events)) {
		e = container_of(q->events.prev, struct queued_event, link);
		if (event_equal(e, head, name))
			return;
	}
	e = kzalloc(sizeof(*e) + head->len);
	if (!e)
		return;
	e->head = *head;
	if (head->len)
		strcpy(e->name, name);
	list_add_tail(&q->events, &e->link);
	q->bytes += sizeof(e->head) + head->len;
	atomic_store_relaxed(&q->nr_events, q->nr_events + 1);
}

static void queue_event(struct event_queue *q, s32 wd, u32 mask, u32 cookie, const char *name)
{
	struct abi_inotify_event head = {.wd = wd, .mask = mask, .cookie = cookie};

	if (q->nr_events >= QUEUE_MAX) {
		head = (struct abi_inotify_event){.wd = -1, .mask = IN_Q_OVERFLOW};
		name = NULL;
	}
	if (name)
		head.len = (u32)ALIGN_UP(strlen(name) + 1, sizeof(head));
	event_add(q, &head, name);
}

/* Takes a watch out of both lists; its memory and its inode are the caller's to give back. */
static void watch_unlink(struct watch *w)
{
	struct watch **at = &w->inode->watches;

	while (*at != w)
		at = &(*at)->next;
	atomic_store_relaxed(at, w->next);
	list_del(&w->mine);
	atomic_store_relaxed(&fs_nr_watches, fs_nr_watches - 1);
}

/*
 * Tells the watches of `inode`; what ends by it comes as a list by `next`. Wakes nobody: the queues'
 * readers are woken by `batch`, which the caller flushes.
 */
static struct watch *tell(struct inode *inode, u32 mask, u32 cookie, const char *name,
			  bool unlinked, struct unpark_batch *batch)
{
	bool unheard = unlinked && mask & IN_BY_OPEN_FILE;

	struct watch *ended = NULL, *w, *next;

	for (w = inode->watches; w; w = next) {
		struct event_queue *q = w->queue;
		bool last = mask & IN_DELETE_SELF;

		next = w->next;
		if (unheard && w->mask & IN_EXCL_UNLINK)
			continue;
		if (w->mask & mask & IN_ALL_EVENTS)
			queue_event(q, w->wd, mask, cookie, name);
		else if (!last)
			continue;
		if (last || (w->mask & IN_ONESHOT)) {
			queue_event(q, w->wd, IN_IGNORED, 0, NULL);
			watch_unlink(w);
			w->next = ended;
			ended = w;
		}
		spin_lock(&q->wait.lock);
		waitq_wake_locked(&q->wait, POLL_EVENT_READ, WAITQ_ALL, batch);
		spin_unlock(&q->wait.lock);
	}
	return ended;
}

static void watches_free(struct watch *w)
{
	while (w) {
		struct watch *next = w->next;

		inode_put(w->inode);
		kfree(w);
		w = next;
	}
}

/* unlinked: by a file whose name has gone. */
static void notify(struct inode *inode, u32 mask, u32 cookie, const char *name, bool unlinked)
{
	struct unpark_batch batch = {0};
	struct watch *ended;

	if (!atomic_load_relaxed(&inode->watches))
		return;
	if (name ? (mask & IN_ISDIR) != 0 : S_ISDIR(inode->mode))
		mask |= IN_ISDIR;
	spin_lock(&lock);
	ended = tell(inode, mask, cookie, name, unlinked, &batch);
	spin_unlock(&lock);
	unpark_batch_flush(&batch);
	watches_free(ended);
}

/* ---- from the file systems ---- */

void fs_notify_slow(struct dentry *d, u32 mask)
{
	struct dentry_key *key;
	bool unlinked = atomic_load_relaxed(&d->flags) & DENTRY_UNLINKED;
	struct dentry *parent;
	char name[FS_NAME_MAX + 1];

	epoch_enter();
	key = atomic_load_acquire(&d->key);
	parent = key->parent;
	memcpy(name, key->text, key->len + 1);
	if (parent == d || !atomic_load_relaxed(&parent->inode->watches) ||
	    !dentry_get_unless_zero(parent))
		parent = NULL;
	epoch_exit();
	if (parent) {
		notify(parent->inode, mask | (S_ISDIR(d->inode->mode) ? IN_ISDIR : 0), 0, name,
		       unlinked);
		dentry_put(parent);
	}
	notify(d->inode, mask, 0, NULL, unlinked);
}

void fs_notify_name_slow(struct inode *dir, u32 mask, const struct inode *inode, const char *name,
			 u32 cookie)
{
	notify(dir, mask | (S_ISDIR(inode->mode) ? IN_ISDIR : 0), cookie, name, false);
}

void fs_notify_self_slow(struct inode *inode, u32 mask)
{
	notify(inode, mask, 0, NULL, false);
}

u32 fs_notify_cookie(void)
{
	static u32 next; /* [a] */

	return atomic_fetch_add_relaxed(&next, 1) + 1;
}

/* ---- the file ---- */

static bool queue_ready(void *arg)
{
	return atomic_load_relaxed(&((struct event_queue *)arg)->nr_events) > 0;
}

/* The first event, taken out if it fits into `room`; NULL and *err 0: none, -EINVAL: it does not fit. */
static struct queued_event *queue_take(struct event_queue *q, u64 room, int *err)
{
	struct queued_event *e = NULL;

	*err = 0;
	spin_lock(&lock);
	if (!list_empty(&q->events)) {
		e = list_first(&q->events, struct queued_event, link);
		if (sizeof(e->head) + e->head.len > room) {
			*err = -EINVAL;
			e = NULL;
		} else {
			list_del(&e->link);
			q->bytes -= sizeof(e->head) + e->head.len;
			atomic_store_relaxed(&q->nr_events, q->nr_events - 1);
		}
	}
	spin_unlock(&lock);
	return e;
}

static long inotify_read(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock)
{
	struct event_queue *q = f->data;
	u64 done = 0;
	int err;

	(void)pos;
	for (;;) {
		struct queued_event *e = queue_take(q, it->count, &err);
		u64 size = e ? sizeof(e->head) + e->head.len : 0;

		if (e) {
			long got = iov_copy_out(it, &e->head, size);

			kfree(e);
			if (got != (long)size)
				return -EFAULT;
			done += size;
			continue;
		}
		if (done || err)
			return done ? (long)done : err;
		if (nonblock)
			return -EAGAIN;
		err = waitq_wait(&q->wait, POLL_EVENT_READ, true, queue_ready, q, PARK_FOREVER,
				 PARK_INTERRUPTIBLE);
		if (err)
			return err == -EINTR ? -ERESTARTSYS : err;
	}
}

static PollEvent inotify_poll(struct file *f, struct wait_queue **source)
{
	struct event_queue *q = f->data;

	if (source)
		*source = &q->wait;
	return queue_ready(q) ? POLL_EVENT_READ : 0;
}

static long inotify_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct event_queue *q = f->data;

	if (cmd != FIONREAD)
		return -ENOTTY;
	return user_store_u32((u32 __user *)(uintptr_t)arg, (u32)atomic_load_relaxed(&q->bytes));
}

static void inotify_release(struct file *f)
{
	struct event_queue *q = f->data;
	struct watch *ended = NULL;
	struct queued_event *e, *next;

	spin_lock(&lock);
	while (!list_empty(&q->watches)) {
		struct watch *w = list_first(&q->watches, struct watch, mine);

		watch_unlink(w);
		w->next = ended;
		ended = w;
	}
	spin_unlock(&lock);
	watches_free(ended);
	list_for_each_safe(e, next, &q->events, link)
		kfree(e);
	kfree(q);
}

static const struct file_ops inotify_ops = {
	.name = "inotify",
	.no_rw_flags = true,
	.seek_ignored = true,
	.read = inotify_read,
	.poll = inotify_poll,
	.ioctl = inotify_ioctl,
	.stat = file_nameless_stat,
	.release = inotify_release,
};

bool inotify_is(const struct file *f)
{
	return f->ops == &inotify_ops;
}

struct file *inotify_create(u32 flags)
{
	struct event_queue *q = kzalloc(sizeof(*q));
	struct file *f;

	if (!q)
		return NULL;
	waitq_init(&q->wait);
	list_init(&q->events);
	list_init(&q->watches);
	q->next_wd = 1;
	f = file_alloc(&inotify_ops, q, flags);
	if (!f)
		kfree(q);
	return f;
}

/* The lock is held. */
static struct watch *watch_find(struct event_queue *q, const struct inode *inode)
{
	struct watch *w = inode->watches;

	while (w && w->queue != q)
		w = w->next;
	return w;
}

long inotify_add(struct file *f, struct inode *inode, u32 mask)
{
	struct watch *new, *w;
	struct event_queue *q = f->data;
	long wd;

	new = kzalloc(sizeof(*new));
	if (!new)
		return -ENOMEM;
	spin_lock(&lock);
	w = watch_find(q, inode);
	if (w && (mask & IN_MASK_CREATE)) {
		wd = -EEXIST;
	} else if (w) {
		w->mask = mask & IN_MASK_ADD ? w->mask | mask : mask;
		wd = w->wd;
	} else {
		*new = (struct watch){.queue = q, .inode = inode, .mask = mask, .wd = q->next_wd++};
		inode_get(inode);
		list_add_tail(&q->watches, &new->mine);
		new->next = inode->watches;
		atomic_store_relaxed(&inode->watches, new);
		atomic_store_relaxed(&fs_nr_watches, fs_nr_watches + 1);
		wd = new->wd;
		new = NULL;
	}
	spin_unlock(&lock);
	kfree(new);
	return wd;
}

int inotify_remove(struct file *f, s32 wd)
{
	struct event_queue *q = f->data;
	struct watch *w, *found = NULL;

	spin_lock(&lock);
	list_for_each(w, &q->watches, mine)
		if (w->wd == wd)
			found = w;
	if (found) {
		queue_event(q, wd, IN_IGNORED, 0, NULL);
		watch_unlink(found);
		found->next = NULL;
	}
	spin_unlock(&lock);
	if (!found)
		return -EINVAL;
	waitq_wake(&q->wait, POLL_EVENT_READ, WAITQ_ALL);
	watches_free(found);
	return 0;
}
