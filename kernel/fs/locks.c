/*
 * Advisory locks. An inode has one list of them, under its mutex; an owner's record locks never
 * overlap and never touch with the same type, so setting one is: cut a hole, join with equal
 * neighbours, insert. A waiter sleeps on one of a few hashed queues until some lock in its bucket
 * has gone, and tries again; so there is no queue to keep in order and no wake-up to lose: the
 * bucket's generation is read before the list and counts every change that may let somebody in.
 *
 * Locks go when their owner does: POSIX locks at any close of the file by the table, the others
 * with the last reference on the open file (file_unlock_owner, called by kernel/file).
 */
#include "kernel/fs/locks.h"

#include "abi/errno.h"
#include "kernel/file/waitq.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

#define LOCK_BUCKETS   16U
#define DEADLOCK_DEPTH 64U

LOCK_CLASS(lock_waits, RANK_FDTABLE);

struct file_lock {
	struct file_lock *next; /* [L:inode] */
	struct file_lock_range range;
};

/* Who waits for whom, for the search for cycles; on the waiter's stack. */
struct lock_wait {
	struct list link;
	const void *owner;
	const void *blocker;
};

struct lock_bucket {
	struct wait_queue queue;
	u32 generation; /* [a] */
};

static struct lock_bucket buckets[LOCK_BUCKETS];
static u32 buckets_ready; /* [a] */
static struct spinlock waits_lock = SPINLOCK_INIT(lock_waits_class);
static struct list waits = LIST_INIT(waits); /* [L:waits_lock] struct lock_wait */

static void unlock_owner(struct file *f, const void *owner);

static struct lock_bucket *bucket_of(const struct inode *inode)
{
	return &buckets[(u64)inode / sizeof(*inode) % LOCK_BUCKETS];
}

/* Before the first lock of all: queues, and the hook of close. */
static void locks_init(void)
{
	if (atomic_load_acquire(&buckets_ready))
		return;
	spin_lock(&waits_lock);
	if (!buckets_ready) {
		for (u32 i = 0; i < LOCK_BUCKETS; i++)
			waitq_init(&buckets[i].queue);
		file_unlock_owner = unlock_owner;
		/* Pairs with the acquire load above. */
		atomic_store_release(&buckets_ready, 1);
	}
	spin_unlock(&waits_lock);
}

/* Some lock has gone or shrunk. Context: the inode is not locked. */
static void locks_changed(struct inode *inode)
{
	struct lock_bucket *b = bucket_of(inode);

	atomic_fetch_add(&b->generation, 1);
	waitq_wake(&b->queue, POLL_EVENT_WRITE, WAITQ_ALL);
}

static bool in_the_way(const struct file_lock_range *l, const struct file_lock_range *want)
{
	return l->kind == want->kind && l->owner != want->owner && (l->write || want->write) &&
	       l->start <= want->end && want->start <= l->end;
}

static struct file_lock *find_conflict(struct inode *inode, const struct file_lock_range *want)
{
	struct file_lock *l = inode->locks;

	while (l && !in_the_way(&l->range, want))
		l = l->next;
	return l;
}

/* Does `l`, of the same owner, overlap `r` or, with the same type, touch it? */
static bool concerns(const struct file_lock_range *l, const struct file_lock_range *r, bool lock)
{
	u64 reach = lock && l->write == r->write ? 1 : 0;

	if (l->kind != r->kind || l->owner != r->owner)
		return false;
	return l->start <= r->end + reach && r->start <= l->end + reach;
}

static void insert(struct inode *inode, struct file_lock *l, const struct file_lock_range *range)
{
	l->range = *range;
	l->next = inode->locks;
	inode->locks = l;
}

/*
 * Replaces what the owner holds on `r` by a lock (lock) or by nothing. spare[]: two locks, of which
 * those used become NULL. Context: the inode is locked, nothing is in the way.
 */
static void replace(struct inode *inode, struct file_lock_range r, bool lock,
		    struct file_lock *spare[2])
{
	struct file_lock **link = &inode->locks, *l;

	while ((l = *link) != NULL) {
		struct file_lock_range *old = &l->range;

		if (!concerns(old, &r, lock)) {
			link = &l->next;
		} else if (lock && old->write == r.write) {
			r.start = MIN(r.start, old->start);
			r.end = MAX(r.end, old->end);
			*link = l->next;
			kfree(l);
		} else if (old->start < r.start && old->end > r.end) {
			struct file_lock_range tail = *old;

			tail.start = r.end + 1;
			old->end = r.start - 1;
			insert(inode, spare[0], &tail);
			spare[0] = NULL;
			break;
		} else if (old->start < r.start) {
			old->end = r.start - 1;
			link = &l->next;
		} else if (old->end > r.end) {
			old->start = r.end + 1;
			link = &l->next;
		} else {
			*link = l->next;
			kfree(l);
		}
	}
	if (lock) {
		insert(inode, spare[1], &r);
		spare[1] = NULL;
	}
}

static int change(struct inode *inode, const struct file_lock_range *r, bool lock,
		  const void **blocker)
{
	struct file_lock *spare[2] = {kmalloc(sizeof(*spare[0])), kmalloc(sizeof(*spare[1]))};
	struct file_lock *conflict;
	int err = 0;

	if (!spare[0] || !spare[1]) {
		err = -ENOLCK;
	} else {
		mutex_lock(&inode->lock);
		conflict = lock ? find_conflict(inode, r) : NULL;
		if (conflict) {
			*blocker = conflict->range.owner;
			err = -EAGAIN;
		} else {
			replace(inode, *r, lock, spare);
		}
		mutex_unlock(&inode->lock);
	}
	kfree(spare[0]);
	kfree(spare[1]);
	return err;
}

/* ---- waiting ---- */

struct generation_wait {
	struct lock_bucket *bucket;
	u32 seen;
};

static bool generation_passed(void *arg)
{
	struct generation_wait *w = arg;

	return atomic_load_relaxed(&w->bucket->generation) != w->seen;
}

/* Whom `owner` waits for, or NULL. Context: waits_lock held. */
static const void *waits_for(const void *owner)
{
	struct lock_wait *w;

	list_for_each(w, &waits, link)
		if (w->owner == owner)
			return w->blocker;
	return NULL;
}

/* Notes that w->owner waits; -EDEADLK if its blocker waits for it. */
static int wait_begin(struct lock_wait *w)
{
	const void *at = w->blocker;
	int err = 0;

	spin_lock(&waits_lock);
	for (u32 i = 0; at && at != w->owner && i < DEADLOCK_DEPTH; i++)
		at = waits_for(at);
	if (at == w->owner)
		err = -EDEADLK;
	else
		list_add(&waits, &w->link);
	spin_unlock(&waits_lock);
	return err;
}

static int wait_for_change(const struct file_lock_range *want, const void *blocker,
			   struct generation_wait *gen)
{
	struct lock_wait w = {.owner = want->owner, .blocker = blocker};
	int err = want->detect ? wait_begin(&w) : 0;

	if (err)
		return err;
	err = waitq_wait(&gen->bucket->queue, POLL_EVENT_WRITE, false, generation_passed, gen,
			 PARK_FOREVER, PARK_INTERRUPTIBLE);
	if (want->detect) {
		spin_lock(&waits_lock);
		list_del(&w.link);
		spin_unlock(&waits_lock);
	}
	return err == -EINTR ? -ERESTARTSYS : err;
}

/*
 * flock gives the old lock back before it takes one of the other type, so that two who share the
 * lock and both want it alone do not wait for each other.
 */
static int drop_other_type(struct file *f, const struct file_lock_range *want)
{
	struct inode *inode = file_inode(f);
	struct file_lock *l;
	bool other;

	mutex_lock(&inode->lock);
	for (l = inode->locks; l && !concerns(&l->range, want, false); l = l->next)
		;
	other = l && l->range.write != want->write;
	mutex_unlock(&inode->lock);
	return other ? file_unlock(f, want) : 0;
}

int file_lock(struct file *f, const struct file_lock_range *want, bool wait)
{
	struct generation_wait gen;
	const void *blocker;
	struct inode *inode;
	int err;

	if (!f->path.dentry)
		return -EINVAL;
	locks_init();
	inode = file_inode(f);
	err = want->kind == FILE_LOCK_FLOCK ? drop_other_type(f, want) : 0;
	if (err)
		return err;
	gen.bucket = bucket_of(inode);
	do {
		gen.seen = atomic_load_acquire(&gen.bucket->generation);
		err = change(inode, want, true, &blocker);
		if (err == -EAGAIN && wait)
			err = wait_for_change(want, blocker, &gen);
		else
			wait = false;
	} while (wait && !err);
	/* A write lock that became a read lock lets readers in. */
	if (!err && !want->write)
		locks_changed(inode);
	return err;
}

int file_unlock(struct file *f, const struct file_lock_range *range)
{
	const void *blocker;
	int err;

	if (!f->path.dentry)
		return -EINVAL;
	locks_init();
	err = change(file_inode(f), range, false, &blocker);
	if (!err)
		locks_changed(file_inode(f));
	return err;
}

bool file_lock_test(struct file *f, const struct file_lock_range *want, struct file_lock_range *found)
{
	struct inode *inode;
	struct file_lock *l;

	if (!f->path.dentry)
		return false;
	inode = file_inode(f);
	mutex_lock(&inode->lock);
	l = find_conflict(inode, want);
	if (l)
		*found = l->range;
	mutex_unlock(&inode->lock);
	return l != NULL;
}

/* Drops all locks of `owner` on the file. */
static void unlock_owner(struct file *f, const void *owner)
{
	struct inode *inode;
	struct file_lock **link, *l;
	bool dropped = false;

	if (!f->path.dentry)
		return;
	inode = file_inode(f);
	if (!atomic_load_relaxed(&inode->locks))
		return;
	mutex_lock(&inode->lock);
	for (link = &inode->locks; (l = *link) != NULL;) {
		if (l->range.owner != owner) {
			link = &l->next;
			continue;
		}
		*link = l->next;
		kfree(l);
		dropped = true;
	}
	mutex_unlock(&inode->lock);
	if (dropped)
		locks_changed(inode);
}
