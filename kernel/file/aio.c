/*
 * A ring of events and the requests that have a place in it: begun + waiting events <= capacity, so a completion always finds room.
 *
 * Contexts are found by address space and number in a table of lists. Who takes a context out of its list, under the list's lock,
 * ends it: io_destroy(), or the end of the mapping, which comes once.
 *
 *	io_destroy()				io_getevents()
 *	dead = true; wake			queue; load dead; sleep
 *
 * The wait queue's fences decide: the sleeper sees `dead`, or is woken.
 */
#include "kernel/file/aio.h"

#include "abi/errno.h"
#include "abi/mman.h"
#include "kernel/file/waitq.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/refcount.h"

#include <stdio.h>
#include <string.h>

#define AIO_LISTS     64U
#define AIO_MAX_BYTES 0x10000000U /* of events: Linux's limit */
#define AIO_CHUNK     32L

LOCK_CLASS(aio_ring, RANK_FILE);
LOCK_CLASS(aio_list, RANK_FDTABLE);

struct aio_context {
	u32 refs;		     /* [a] mapping, table, callers */
	u32 asked;		     /* [I] requests that it was made for */
	u32 capacity;		     /* [I] */
	bool dead;		     /* [a] */
	bool listed;		     /* [L:list] */
	u64 space, number;	     /* [I] */
	struct list link;	     /* [L:list] */
	struct mutex lock;	     /* the ring */
	u32 first, nr;		     /* [L:lock] events; nr [a] to look at */
	u32 begun;		     /* [L:lock] requests that are being made */
	struct abi_io_event *events; /* [L:lock] */
	struct wait_queue waiters;
	struct vm_backing backing;
};

u64 aio_nr;
u64 aio_max_nr = 65536;

static struct aio_list {
	struct spinlock lock;
	struct list contexts;
} aio_lists[AIO_LISTS] = {
	[0 ... AIO_LISTS - 1] = {.lock = SPINLOCK_INIT(aio_list_class)},
};

static struct aio_list *aio_list_of(u64 space, u64 number)
{
	return &aio_lists[(space * 31 + (number >> PAGE_SHIFT)) % AIO_LISTS];
}

void aio_put(struct aio_context *c)
{
	if (!refcount_put(&c->refs))
		return;
	atomic_fetch_add_relaxed(&aio_nr, -(u64)c->asked);
	kfree(c->events);
	kfree(c);
}

static void aio_publish(struct aio_context *c)
{
	struct aio_list *l = aio_list_of(c->space, c->number);

	spin_lock(&l->lock);
	if (!l->contexts.next)
		list_init(&l->contexts);
	list_add_tail(&l->contexts, &c->link);
	c->listed = true;
	spin_unlock(&l->lock);
}

/* True for the one that takes it out: it owes the table's reference. */
static bool aio_hide(struct aio_context *c)
{
	struct aio_list *l = aio_list_of(c->space, c->number);
	bool was_listed;

	spin_lock(&l->lock);
	was_listed = c->listed;
	c->listed = false;
	if (was_listed)
		list_del(&c->link);
	spin_unlock(&l->lock);
	return was_listed;
}

static void aio_end(struct aio_context *c)
{
	if (!aio_hide(c))
		return;
	atomic_store_relaxed(&c->dead, true);
	waitq_wake(&c->waiters, POLL_EVENT_READ, WAITQ_ALL);
	aio_put(c);
}

struct aio_context *aio_get(u64 number)
{
	u64 space = mm_id(mm_current());
	struct aio_list *l = aio_list_of(space, number);
	struct aio_context *c, *found = NULL;

	spin_lock(&l->lock);
	if (l->contexts.next) {
		list_for_each(c, &l->contexts, link)
			if (c->space == space && c->number == number)
				found = c;
	}
	if (found)
		refcount_get(&found->refs);
	spin_unlock(&l->lock);
	return found;
}

/* ---- the mapping ---- */

static struct aio_context *aio_of_backing(struct vm_backing *b)
{
	return container_of(b, struct aio_context, backing);
}

static void aio_mapping_opened(struct vm_backing *b)
{
	refcount_get(&aio_of_backing(b)->refs);
}

static void aio_mapping_closed(struct vm_backing *b)
{
	struct aio_context *c = aio_of_backing(b);

	aio_end(c);
	aio_put(c);
}

static void aio_identify(struct vm_backing *b, struct vm_identity *id)
{
	(void)b;
	*id = (struct vm_identity){.dev = NAMELESS_DEV};
	snprintf(id->name, sizeof(id->name), "/[aio] (deleted)");
}

static const struct vm_backing_ops aio_backing_ops = {
	.open = aio_mapping_opened,
	.close = aio_mapping_closed,
	.identify = aio_identify,
};

/* The page whose address is the number. */
static long aio_map(struct aio_context *c)
{
	struct vm_object *page = vm_object_create(PAGE_SIZE);
	struct mm *mm = mm_current();
	long at;

	if (!page)
		return -ENOMEM;
	at = mm_map_backed(mm, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0,
			   &c->backing);
	vm_object_put(page);
	if (at < 0)
		return at;
	c->number = (u64)at;
	return mm_advise(mm, c->number, PAGE_SIZE, MADV_DONTFORK);
}

/* ---- life ---- */

static struct aio_context *aio_alloc(u32 nr)
{
	struct aio_context *c = kzalloc(sizeof(*c));

	if (!c)
		return NULL;
	c->refs = 1;
	c->asked = nr;
	/* As on Linux more than was asked for: enough for each hart to have some at hand. */
	c->capacity = 2 * MAX(nr, nr_cpus * 4);
	c->space = mm_id(mm_current());
	c->backing.ops = &aio_backing_ops;
	c->events = kmalloc(c->capacity * sizeof(*c->events));
	mutex_init(&c->lock, &aio_ring_class);
	waitq_init(&c->waiters);
	list_init(&c->link);
	if (c->events)
		return c;
	kfree(c);
	return NULL;
}

long aio_create(u32 nr, u64 *number)
{
	struct aio_context *c;
	long err;

	if (!nr || nr > AIO_MAX_BYTES / sizeof(struct abi_io_event))
		return -EINVAL;
	if (atomic_fetch_add_relaxed(&aio_nr, (u64)nr) + nr > atomic_load_relaxed(&aio_max_nr)) {
		atomic_fetch_add_relaxed(&aio_nr, -(u64)nr);
		return -EAGAIN;
	}
	c = aio_alloc(nr);
	if (!c) {
		atomic_fetch_add_relaxed(&aio_nr, -(u64)nr);
		return -ENOMEM;
	}
	err = aio_map(c);
	if (err) {
		if (c->number)
			mm_unmap(mm_current(), c->number, PAGE_SIZE);
		aio_put(c);
		return err;
	}
	*number = c->number;
	aio_publish(c);
	return 0;
}

long aio_destroy(u64 number)
{
	struct aio_context *c = aio_get(number);

	if (!c)
		return -EINVAL;
	aio_end(c);
	aio_put(c);
	mm_unmap(mm_current(), number, PAGE_SIZE);
	return 0;
}

/* ---- requests and events ---- */

u32 aio_capacity(const struct aio_context *c)
{
	return c->capacity;
}

bool aio_begin(struct aio_context *c)
{
	bool room;

	mutex_lock(&c->lock);
	room = c->begun + c->nr < c->capacity;
	c->begun += room;
	mutex_unlock(&c->lock);
	return room;
}

void aio_cancel(struct aio_context *c)
{
	mutex_lock(&c->lock);
	c->begun--;
	mutex_unlock(&c->lock);
}

void aio_complete(struct aio_context *c, const struct abi_io_event *event)
{
	mutex_lock(&c->lock);
	c->begun--;
	c->events[(c->first + c->nr) % c->capacity] = *event;
	atomic_store_relaxed(&c->nr, c->nr + 1);
	mutex_unlock(&c->lock);
	waitq_wake(&c->waiters, POLL_EVENT_READ, WAITQ_ALL);
}

/* Those that are there now, without waiting. How many, or -EFAULT with nothing taken of the last part. */
static long aio_take_now(struct aio_context *c, u64 user, long nr)
{
	long done = 0;
	int err = 0;

	mutex_lock(&c->lock);
	while (done < nr && c->nr && !err) {
		u32 n = MIN(MIN((u32)MIN(nr - done, AIO_CHUNK), c->nr), c->capacity - c->first);

		err = copy_to_user((void __user *)(user + (u64)done * sizeof(*c->events)),
				   &c->events[c->first], n * sizeof(*c->events));
		if (err)
			break;
		c->first = (c->first + n) % c->capacity;
		atomic_store_relaxed(&c->nr, c->nr - n);
		done += n;
	}
	mutex_unlock(&c->lock);
	return done ? done : err;
}

struct aio_need {
	struct aio_context *context;
	u32 least;
};

static bool aio_has_enough(void *arg)
{
	struct aio_need *need = arg;

	return atomic_load_relaxed(&need->context->dead) ||
	       atomic_load_relaxed(&need->context->nr) >= need->least;
}

long aio_take(struct aio_context *c, u64 user, long least, long nr, u64 deadline)
{
	long done = 0;

	for (;;) {
		long got = aio_take_now(c, user + (u64)done * sizeof(*c->events), nr - done);
		struct aio_need need = {c, 1};
		int err;

		if (got < 0)
			return done ? done : got;
		done += got;
		if (done >= least)
			return done;
		if (atomic_load_relaxed(&c->dead))
			return done ? done : -EINVAL;
		err = waitq_wait(&c->waiters, POLL_EVENT_READ, false, aio_has_enough, &need,
				 deadline, PARK_INTERRUPTIBLE);
		if (err)
			return done || err == -ETIMEDOUT ? done : err;
	}
}
