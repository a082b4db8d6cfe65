/*
 * The tree of names. Every linked dentry has one key in a hash table by (parent, name); readers
 * walk a chain under the epoch with no lock and no retry:
 *   - a key never moves: rename publishes a new key, then removes the old one, so a reader is
 *     never carried to another chain;
 *   - new keys enter at the head, and a removed key keeps its `next`, so a reader in the middle
 *     still reaches every key that was linked when it began. Hence a miss is final.
 * Rename over an existing name links the new key before it removes the old: the name never
 * vanishes in between.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/refcount.h"

#define DENTRY_BUCKETS 16384U
#define DENTRY_STRIPES 64U

LOCK_CLASS(dentry_hash, RANK_DENTRY);

static struct dentry_key *dentry_buckets[DENTRY_BUCKETS]; /* [e] */
static struct {
	struct spinlock lock;
} __cacheline_aligned dentry_stripes[DENTRY_STRIPES]; /* stripe of bucket b: b % DENTRY_STRIPES */

void dentry_init(void)
{
	for (u32 i = 0; i < DENTRY_STRIPES; i++)
		spin_init(&dentry_stripes[i].lock, &dentry_hash_class);
}

/* FNV-1a over the name, started from the parent's address. */
static u32 dentry_hash(const struct dentry *parent, const char *name, size_t len)
{
	u64 h = (u64)(uintptr_t)parent ^ 0xcbf29ce484222325UL;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (u8)name[i]) * 0x100000001b3UL;
	return (u32)(h ^ (h >> 32));
}

static struct dentry_key *dentry_key_alloc(struct dentry *parent, const char *name, size_t len,
					   struct dentry *d)
{
	struct dentry_key *key = kmalloc(sizeof(*key) + len + 1);

	if (!key)
		return NULL;
	key->parent = parent ? parent : d;
	key->dentry = d;
	key->hash = dentry_hash(key->parent, name, len);
	key->len = (u32)len;
	memcpy(key->text, name, len);
	key->text[len] = '\0';
	if (parent)
		dentry_get(parent);
	return key;
}

static void dentry_key_free(struct epoch_node *node)
{
	kfree(container_of(node, struct dentry_key, free_node));
}

struct dentry *dentry_alloc(struct dentry *parent, const char *name, size_t len, struct inode *inode)
{
	struct dentry *d = kzalloc(sizeof(*d));

	if (d) {
		d->key = dentry_key_alloc(parent, name, len, d);
		if (d->key) {
			d->inode = inode;
			d->refs = 1;
			list_init(&d->sibling);
			return d;
		}
		kfree(d);
	}
	inode_put(inode);
	return NULL;
}

void dentry_get(struct dentry *d)
{
	refcount_get(&d->refs);
}

bool dentry_get_unless_zero(struct dentry *d)
{
	return refcount_get_unless_zero(&d->refs);
}

static void dentry_free(struct epoch_node *node)
{
	struct dentry *d = container_of(node, struct dentry, free_node);

	kfree(d->key);
	kfree(d);
}

/*
 * The last put of a dentry puts its parent: a loop, not recursion, since removed trees may be deep.
 */
void dentry_put(struct dentry *d)
{
	while (refcount_put(&d->refs)) {
		struct dentry *parent = d->key->parent;

		if (atomic_load_relaxed(&d->inode->nlink) == 0)
			fs_notify_self(d->inode, IN_DELETE_SELF);
		inode_put(d->inode);
		epoch_defer(&d->free_node, dentry_free);
		if (parent == d)
			return;
		d = parent;
	}
}

struct dentry *dentry_find(struct dentry *dir, const char *name, size_t len)
{
	u32 hash = dentry_hash(dir, name, len);
	/* Pairs with the release store in dentry_hash_add(). */
	struct dentry_key *key = atomic_load_acquire(&dentry_buckets[hash % DENTRY_BUCKETS]);

	for (; key; key = atomic_load_acquire(&key->next))
		if (key->hash == hash && key->parent == dir && key->len == len &&
		    memcmp(key->text, name, len) == 0)
			return key->dentry;
	return NULL;
}

static void dentry_hash_add(struct dentry_key *key)
{
	u32 bucket = key->hash % DENTRY_BUCKETS;
	struct spinlock *lock = &dentry_stripes[bucket % DENTRY_STRIPES].lock;

	spin_lock(lock);
	key->next = dentry_buckets[bucket];
	/* Pairs with the acquire load in dentry_find(): the key is complete. */
	atomic_store_release(&dentry_buckets[bucket], key);
	spin_unlock(lock);
}

static void dentry_hash_remove(struct dentry_key *key)
{
	u32 bucket = key->hash % DENTRY_BUCKETS;
	struct spinlock *lock = &dentry_stripes[bucket % DENTRY_STRIPES].lock;
	struct dentry_key **at = &dentry_buckets[bucket];

	spin_lock(lock);
	while (*at != key)
		at = &(*at)->next;
	atomic_store_release(at, key->next);
	spin_unlock(lock);
}

/* One more child, unless the directory is dead. */
static int dir_count_up(struct inode *dir)
{
	u32 n;

	do {
		n = atomic_load_relaxed(&dir->nr_children);
		if (n == DIR_DEAD)
			return -ENOENT;
	} while (!atomic_cas(&dir->nr_children, n, n + 1));
	return 0;
}

static void dir_add(struct inode *dir, struct dentry *d)
{
	d->cookie = dir->next_cookie++;
	list_add_tail(&dir->children, &d->sibling);
	if (S_ISDIR(d->inode->mode))
		atomic_fetch_add_relaxed(&dir->nlink, 1);
}

static void dir_remove(struct inode *dir, struct dentry *d)
{
	list_del(&d->sibling);
	atomic_fetch_add(&dir->nr_children, -1);
	if (S_ISDIR(d->inode->mode))
		atomic_fetch_add_relaxed(&dir->nlink, -1);
}

int dentry_link(struct dentry *d)
{
	struct inode *dir = d->key->parent->inode;
	int err = dir_count_up(dir);

	if (err)
		return err;
	dir_add(dir, d);
	dentry_get(d);
	dentry_hash_add(d->key);
	return 0;
}

void dentry_unlink(struct dentry *d)
{
	dentry_hash_remove(d->key);
	dir_remove(d->key->parent->inode, d);
	atomic_fetch_or(&d->flags, DENTRY_UNLINKED);
	dentry_put(d);
}

int dir_kill(struct inode *dir)
{
	return atomic_cas(&dir->nr_children, 0, DIR_DEAD) ? 0 : -ENOTEMPTY;
}

int dentry_move(struct dentry *d, struct dentry *parent, const char *name, size_t len,
		struct dentry *replaced)
{
	struct dentry_key *old = d->key;
	struct dentry_key *new = dentry_key_alloc(parent, name, len, d);

	if (!new)
		return -ENOMEM;
	if (dir_count_up(parent->inode)) {
		dentry_put(parent);
		kfree(new);
		return -ENOENT;
	}
	dentry_hash_add(new);
	atomic_store_release(&d->key, new);
	dir_remove(old->parent->inode, d);
	dir_add(parent->inode, d);
	if (replaced)
		dentry_unlink(replaced);
	dentry_hash_remove(old);
	dentry_put(old->parent);
	epoch_defer(&old->free_node, dentry_key_free);
	return 0;
}

int dentry_exchange(struct dentry *a, struct dentry *b)
{
	struct dentry_key *old_a = a->key, *old_b = b->key;
	struct dentry_key *new_a = dentry_key_alloc(old_b->parent, old_b->text, old_b->len, a);
	struct dentry_key *new_b = dentry_key_alloc(old_a->parent, old_a->text, old_a->len, b);
	struct inode *dir_a = old_a->parent->inode, *dir_b = old_b->parent->inode;

	if (!new_a || !new_b) {
		if (new_a)
			dentry_put(old_b->parent);
		if (new_b)
			dentry_put(old_a->parent);
		kfree(new_a);
		kfree(new_b);
		return -ENOMEM;
	}
	/*
	 * Head insertion hides the old keys at once; neither directory's number of children
	 * changes.
	 */
	dentry_hash_add(new_a);
	dentry_hash_add(new_b);
	atomic_store_release(&a->key, new_a);
	atomic_store_release(&b->key, new_b);
	/* Count up first: a moment at zero would let rmdir of the directory through. */
	atomic_fetch_add(&dir_a->nr_children, 1);
	atomic_fetch_add(&dir_b->nr_children, 1);
	dir_remove(dir_a, a);
	dir_remove(dir_b, b);
	dir_add(dir_b, a);
	dir_add(dir_a, b);
	dentry_hash_remove(old_a);
	dentry_hash_remove(old_b);
	dentry_put(old_a->parent);
	dentry_put(old_b->parent);
	epoch_defer(&old_a->free_node, dentry_key_free);
	epoch_defer(&old_b->free_node, dentry_key_free);
	return 0;
}
