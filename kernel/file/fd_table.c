/*
 * Descriptor tables. Writers hold the table's lock; readers hold nothing.
 *
 * Lookup under the epoch: load the array, load the slot, take a reference unless the count is
 * zero, look at the slot again. The second look is needed because the file may have been closed
 * and opened elsewhere between load and increment:
 *
 *	reader			closer
 *	f = slots[3]
 *				slots[3] = NULL, last put of f is still to come (another table holds it)
 *	refs++ succeeds
 *	slots[3] != f: put, try again -> EBADF, as if the close had come first
 *
 * Without it the reader would return a file that close(3), already finished, had taken out. The
 * array grows by replacement: a reader with the old array finds either a file that is still open
 * (the second look is at the new array) or an old pointer whose count is zero or whose slot has
 * changed; both make it try again.
 *
 * Borrowing: when one task alone is on the table (refs == 1) it is the running one, so no slot
 * can change until its call ends, and the reference on the file that the slot holds covers the
 * call. Two shared cache lines less per read().
 *
 * Cost: fd_borrow alone on the table: 3 loads; fd_get: 2 atomics. Allocation looks for a clear
 * bit from `next_free` on.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/file/file.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/refcount.h"

#define FD_TABLE_MIN 64U
#define WORD_BITS    64U

LOCK_CLASS(fd_table, RANK_FDTABLE);

/* One generation of the table, allocated in one piece. */
struct fd_array {
	u32 size;	     /* [I] descriptors; a multiple of 64 */
	u64 *open;	     /* [L:fd_table] bit: in use or reserved */
	u64 *cloexec;	     /* [L:fd_table] */
	struct file **slots; /* [e] written under the lock; NULL: free or only reserved */
	struct epoch_node free_node;
};

struct fd_table {
	u32 refs; /* [a] tasks on this table */
	struct spinlock lock;
	struct fd_array *array; /* [e] written under the lock */
	u32 next_free;		/* [L] every descriptor below it is in use */
	struct epoch_node free_node;
};

static struct fd_array *fd_array_alloc(u32 size)
{
	u32 words = size / WORD_BITS;
	struct fd_array *a =
		kzalloc(sizeof(*a) + 2 * words * sizeof(u64) + size * sizeof(struct file *));

	if (!a)
		return NULL;
	a->size = size;
	a->open = (u64 *)(a + 1);
	a->cloexec = a->open + words;
	a->slots = (struct file **)(a->cloexec + words);
	return a;
}

static void fd_array_free(struct epoch_node *node)
{
	kfree(container_of(node, struct fd_array, free_node));
}

static bool bit_test(const u64 *map, u32 n)
{
	return (map[n / WORD_BITS] >> (n % WORD_BITS)) & 1;
}

static void bit_assign(u64 *map, u32 n, bool on)
{
	u64 bit = BIT(n % WORD_BITS);

	map[n / WORD_BITS] = on ? map[n / WORD_BITS] | bit : map[n / WORD_BITS] & ~bit;
}

/* The first bit >= from that has the value `set`, or `size`. */
static u32 bit_find(const u64 *map, u32 size, u32 from, bool set)
{
	while (from < size) {
		u64 word = set ? map[from / WORD_BITS] : ~map[from / WORD_BITS];

		word &= ~0UL << (from % WORD_BITS);
		if (word)
			return ALIGN_DOWN(from, WORD_BITS) + (u32)__builtin_ctzl(word);
		from = ALIGN_DOWN(from, WORD_BITS) + WORD_BITS;
	}
	return size;
}

/* `t` closes `f`: its record locks on the file go, and its reference. */
static void fd_drop(struct fd_table *t, struct file *f)
{
	if (file_unlock_owner)
		file_unlock_owner(f, t);
	if (f->ops->flush)
		f->ops->flush(f);
	file_put(f);
}

struct fd_table *fd_table_create(void)
{
	struct fd_table *t = kzalloc(sizeof(*t));

	if (!t)
		return NULL;
	t->array = fd_array_alloc(FD_TABLE_MIN);
	if (!t->array) {
		kfree(t);
		return NULL;
	}
	t->refs = 1;
	spin_init(&t->lock, &fd_table_class);
	return t;
}

/* Makes room for descriptor `fd`. The lock is held. */
static int fd_table_grow(struct fd_table *t, u32 fd)
{
	struct fd_array *old = t->array, *new;
	u32 size = old->size;

	if (fd >= FD_TABLE_MAX)
		return -EMFILE;
	while (size <= fd)
		size *= 2;
	new = fd_array_alloc(size);
	if (!new)
		return -ENOMEM;
	memcpy(new->open, old->open, old->size / 8);
	memcpy(new->cloexec, old->cloexec, old->size / 8);
	memcpy(new->slots, old->slots, old->size * sizeof(struct file *));
	/* Pairs with the acquire load in fd_file(). */
	atomic_store_release(&t->array, new);
	epoch_defer(&old->free_node, fd_array_free);
	return 0;
}

struct fd_table *fd_table_copy(struct fd_table *from)
{
	struct fd_table *t = fd_table_create();
	struct fd_array *a;
	int err = 0;

	if (!t)
		return NULL;
	spin_lock(&from->lock);
	a = from->array;
	if (a->size > t->array->size)
		err = fd_table_grow(t, a->size - 1);
	if (err) {
		spin_unlock(&from->lock);
		fd_table_put(t);
		return NULL;
	}
	for (u32 fd = bit_find(a->open, a->size, 0, true); fd < a->size;
	     fd = bit_find(a->open, a->size, fd + 1, true)) {
		struct file *f = a->slots[fd];

		if (!f)
			continue;
		file_get(f);
		t->array->slots[fd] = f;
		bit_assign(t->array->open, fd, true);
		bit_assign(t->array->cloexec, fd, bit_test(a->cloexec, fd));
	}
	spin_unlock(&from->lock);
	return t;
}

void fd_table_get(struct fd_table *t)
{
	refcount_get(&t->refs);
}

bool fd_table_shared(struct fd_table *t)
{
	return atomic_load_relaxed(&t->refs) > 1;
}

static void fd_table_free(struct epoch_node *node)
{
	kfree(container_of(node, struct fd_table, free_node));
}

void fd_table_put(struct fd_table *t)
{
	struct fd_array *a;

	if (!refcount_put(&t->refs))
		return;
	a = t->array;
	for (u32 fd = bit_find(a->open, a->size, 0, true); fd < a->size;
	     fd = bit_find(a->open, a->size, fd + 1, true))
		if (a->slots[fd])
			fd_drop(t, a->slots[fd]);
	epoch_defer(&a->free_node, fd_array_free);
	epoch_defer(&t->free_node, fd_table_free);
}

/* The file in slot `fd` now, without a reference. */
static struct file *fd_file(struct fd_table *t, int fd)
{
	/* Pairs with the release stores in fd_table_grow() and fd_publish(). */
	struct fd_array *a = atomic_load_acquire(&t->array);

	if ((u32)fd >= a->size)
		return NULL;
	return atomic_load_acquire(&a->slots[fd]);
}

struct file *fd_get(struct fd_table *t, int fd)
{
	struct file *f;

	epoch_enter();
	while ((f = fd_file(t, fd)) != NULL) {
		if (!refcount_get_unless_zero(&f->refs))
			continue;
		if (likely(fd_file(t, fd) == f))
			break;
		epoch_exit();
		file_put(f);
		epoch_enter();
	}
	epoch_exit();
	return f;
}

struct fd_ref fd_borrow(struct fd_table *t, int fd)
{
	if (atomic_load_relaxed(&t->refs) == 1)
		return (struct fd_ref){.file = fd_file(t, fd)};

	struct file *f = fd_get(t, fd);

	return (struct fd_ref){.file = f, .counted = f != NULL};
}

bool fd_shared(const struct fd_ref *r)
{
	return r->counted || atomic_load_relaxed(&r->file->refs) > 1;
}

static int fd_reserve_locked(struct fd_table *t, u32 min_fd, bool cloexec, u32 limit)
{
	u32 from = MAX(min_fd, t->next_free);
	u32 fd = bit_find(t->array->open, t->array->size, MIN(from, t->array->size), false);

	fd = MAX(fd, min_fd);
	if (fd >= limit)
		return -EMFILE;
	if (fd >= t->array->size) {
		int err = fd_table_grow(t, fd);

		if (err)
			return err;
	}
	bit_assign(t->array->open, fd, true);
	bit_assign(t->array->cloexec, fd, cloexec);
	if (min_fd <= t->next_free)
		t->next_free = fd + 1;
	return (int)fd;
}

int fd_reserve(struct fd_table *t, u32 min_fd, bool cloexec, u32 limit)
{
	int fd;

	spin_lock(&t->lock);
	fd = fd_reserve_locked(t, min_fd, cloexec, limit);
	spin_unlock(&t->lock);
	return fd;
}

void fd_publish(struct fd_table *t, int fd, struct file *f)
{
	spin_lock(&t->lock);
	/* Pairs with the acquire load in fd_file(): the file is complete. */
	atomic_store_release(&t->array->slots[fd], f);
	spin_unlock(&t->lock);
}

static void fd_clear_locked(struct fd_table *t, u32 fd)
{
	atomic_store_relaxed(&t->array->slots[fd], NULL);
	bit_assign(t->array->open, fd, false);
	bit_assign(t->array->cloexec, fd, false);
	t->next_free = MIN(t->next_free, fd);
}

void fd_unreserve(struct fd_table *t, int fd)
{
	spin_lock(&t->lock);
	fd_clear_locked(t, (u32)fd);
	spin_unlock(&t->lock);
}

int fd_install(struct fd_table *t, struct file *f, u32 min_fd, bool cloexec, u32 limit)
{
	int fd;

	spin_lock(&t->lock);
	fd = fd_reserve_locked(t, min_fd, cloexec, limit);
	if (fd >= 0)
		atomic_store_release(&t->array->slots[fd], f);
	spin_unlock(&t->lock);
	return fd;
}

int fd_replace(struct fd_table *t, int fd, struct file *f, bool cloexec, u32 limit)
{
	struct file *old = NULL;
	int err = 0;

	if ((u32)fd >= limit)
		return -EBADF;
	spin_lock(&t->lock);
	if ((u32)fd >= t->array->size)
		err = fd_table_grow(t, (u32)fd);
	if (!err) {
		old = t->array->slots[fd];
		/*
		 * Reserved by an open() of another thread that has not finished: Linux says EBUSY,
		 * too.
		 */
		if (!old && bit_test(t->array->open, (u32)fd))
			err = -EBUSY;
	}
	if (!err) {
		bit_assign(t->array->open, (u32)fd, true);
		bit_assign(t->array->cloexec, (u32)fd, cloexec);
		atomic_store_release(&t->array->slots[fd], f);
	}
	spin_unlock(&t->lock);
	if (err)
		return err == -EMFILE ? -EBADF : err;
	if (old)
		fd_drop(t, old);
	return fd;
}

/*
 * Takes the file out of slot `fd`, with the table's reference; NULL if it is not open. The lock is
 * held.
 */
static struct file *fd_take_locked(struct fd_table *t, u32 fd)
{
	struct file *f = fd < t->array->size ? t->array->slots[fd] : NULL;

	if (f)
		fd_clear_locked(t, fd);
	return f;
}

int fd_close(struct fd_table *t, int fd)
{
	struct file *f;

	spin_lock(&t->lock);
	f = fd_take_locked(t, (u32)fd);
	spin_unlock(&t->lock);
	if (!f)
		return -EBADF;
	fd_drop(t, f);
	return 0;
}

/*
 * The smallest set bit >= from in `open` (and in `cloexec` when `marked`), or -1. The lock is held.
 */
static int fd_find_locked(struct fd_table *t, u32 from, bool marked)
{
	struct fd_array *a = t->array;
	u32 fd = bit_find(marked ? a->cloexec : a->open, a->size, from, true);

	while (fd < a->size && !a->slots[fd])
		fd = bit_find(marked ? a->cloexec : a->open, a->size, fd + 1, true);
	return fd < a->size ? (int)fd : -1;
}

static void fd_close_matching(struct fd_table *t, u32 first, u32 last, bool marked)
{
	for (;;) {
		struct file *f = NULL;
		int fd;

		spin_lock(&t->lock);
		fd = fd_find_locked(t, first, marked);
		if (fd >= 0 && (u32)fd <= last)
			f = fd_take_locked(t, (u32)fd);
		spin_unlock(&t->lock);
		if (!f)
			return;
		fd_drop(t, f);
		first = (u32)fd + 1;
	}
}

void fd_close_range(struct fd_table *t, u32 first, u32 last, bool only_mark)
{
	if (!only_mark) {
		fd_close_matching(t, first, last, false);
		return;
	}
	spin_lock(&t->lock);
	for (int fd = fd_find_locked(t, first, false); fd >= 0 && (u32)fd <= last;
	     fd = fd_find_locked(t, (u32)fd + 1, false))
		bit_assign(t->array->cloexec, (u32)fd, true);
	spin_unlock(&t->lock);
}

void fd_close_on_exec(struct fd_table *t)
{
	fd_close_matching(t, 0, ~0U, true);
}

int fd_get_cloexec(struct fd_table *t, int fd)
{
	int ret = -EBADF;

	spin_lock(&t->lock);
	if ((u32)fd < t->array->size && t->array->slots[fd])
		ret = bit_test(t->array->cloexec, (u32)fd);
	spin_unlock(&t->lock);
	return ret;
}

int fd_set_cloexec(struct fd_table *t, int fd, bool on)
{
	int ret = -EBADF;

	spin_lock(&t->lock);
	if ((u32)fd < t->array->size && t->array->slots[fd]) {
		bit_assign(t->array->cloexec, (u32)fd, on);
		ret = 0;
	}
	spin_unlock(&t->lock);
	return ret;
}

int fd_get_flags(struct fd_table *t, int fd, u32 *flags)
{
	int ret = -EBADF;

	spin_lock(&t->lock);
	if ((u32)fd < t->array->size && t->array->slots[fd]) {
		*flags = atomic_load_relaxed(&t->array->slots[fd]->flags);
		ret = 0;
	}
	spin_unlock(&t->lock);
	return ret;
}

int fd_next(struct fd_table *t, int fd)
{
	int next;

	spin_lock(&t->lock);
	next = fd_find_locked(t, (u32)fd, false);
	spin_unlock(&t->lock);
	return next;
}
