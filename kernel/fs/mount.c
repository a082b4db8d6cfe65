/*
 * The mount table: a list read under the epoch, written under one mutex. A dentry says by a flag that
 * something may be mounted on it, so a walk searches the list at mount points only. The newest mount
 * on a place hides older ones: it is nearer to the head.
 *
 * Whoever keeps a path counts its mount, so that umount knows whether it is in use. The count would be
 * the most shared line of all opens, so each hart counts what it got and what it put, apart:
 *
 *	a mount that is out of the list, after a grace period, can only be got from who has it already;
 *	all puts are summed first, then all gets: both only rise, so equal sums mean that at the moment
 *	between them nothing was held, and nothing can be held ever again.
 *
 * Breaks it: a get that a hart does for a mount it does not hold, outside an epoch section.
 * A busy mount that MNT_DETACH took out of the list waits on `detached` until a later umount finds it
 * unused.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/mount.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/refcount.h"

LOCK_CLASS(mount_table, RANK_MOUNT);

struct mount *mount_root;
static struct mutex mount_lock = MUTEX_INIT(mount_lock, mount_table_class);
static struct mount *mount_list; /* [e] written under mount_lock */
static struct mount *detached;	 /* [L:mount_lock] by next */
static u32 mount_next_id = 1;	 /* [L:mount_lock] */

struct mount *mount_first(void)
{
	return atomic_load_acquire(&mount_list);
}

struct mount *mount_alloc(struct super_block *sb, struct dentry *root, u32 flags, const char *source)
{
	struct mount *m = kzalloc(sizeof(*m));
	size_t len = strlen(source) + 1;

	if (!m)
		return NULL;
	m->counts = kzalloc(nr_cpus * sizeof(*m->counts));
	m->source = kmalloc(len);
	if (!m->counts || !m->source) {
		kfree(m->counts);
		kfree(m->source);
		kfree(m);
		return NULL;
	}
	memcpy(m->source, source, len);
	m->flags = flags;
	m->sb = sb;
	m->root = root;
	super_get(sb);
	dentry_get(root);
	return m;
}

struct mount *mount_hidden(struct super_block *sb)
{
	return mount_alloc(sb, sb->root, 0, sb->type);
}

static void mount_free(struct epoch_node *node)
{
	struct mount *m = container_of(node, struct mount, free_node);

	kfree(m->counts);
	kfree(m->source);
	kfree(m);
}

/* Nobody holds it and no walk can find it. */
static void mount_destroy(struct mount *m)
{
	struct path at = {m->parent, m->mountpoint};

	if (m->parent)
		path_put(&at);
	dentry_put(m->root);
	super_put(m->sb);
	epoch_defer(&m->free_node, mount_free);
}

static bool mount_in_use(const struct mount *m)
{
	u64 gets = 0, puts = 0;

	/* Pairs with the release store in mount_put(): who sees a put sees its get. */
	for (u32 i = 0; i < nr_cpus; i++)
		puts += atomic_load_acquire(&m->counts[i].puts);
	fence_full();
	for (u32 i = 0; i < nr_cpus; i++)
		gets += atomic_load_relaxed(&m->counts[i].gets);
	return gets != puts;
}

int mount_add(const struct path *at, struct super_block *sb, struct dentry *root, u32 flags,
	      const char *source)
{
	struct mount *m;

	if (at && !S_ISDIR(at->dentry->inode->mode) != !S_ISDIR(root->inode->mode))
		return -ENOTDIR;
	m = mount_alloc(sb, root, flags, source);
	if (!m)
		return -ENOMEM;
	mutex_lock(&mount_lock);
	if (at) {
		path_get(at);
		m->parent = at->mnt;
		m->mountpoint = at->dentry;
	} else {
		mount_root = m;
	}
	m->id = mount_next_id++;
	m->next = mount_list;
	/* Pairs with the acquire load in mount_first(). */
	atomic_store_release(&mount_list, m);
	if (at)
		atomic_fetch_or(&at->dentry->flags, DENTRY_MOUNTPOINT);
	mutex_unlock(&mount_lock);
	return 0;
}

int mount_at(const struct path *at, struct super_block *sb)
{
	return mount_add(at, sb, sb->root, MS_RELATIME, sb->type);
}

static struct mount *mount_on(const struct path *p)
{
	struct mount *m;

	for (m = mount_first(); m; m = atomic_load_acquire(&m->next))
		if (m->mountpoint == p->dentry && m->parent == p->mnt)
			return m;
	return NULL;
}

void mount_cross(struct path *p)
{
	while (atomic_load_relaxed(&p->dentry->flags) & DENTRY_MOUNTPOINT) {
		struct mount *m = mount_on(p);

		if (!m)
			return;
		*p = (struct path){m, m->root};
	}
}

int mount_for_each(int (*fn)(const struct mount *m, void *arg), void *arg)
{
	int err = 0;

	mutex_lock(&mount_lock);
	for (u32 id = 1; id < mount_next_id && !err; id++)
		for (const struct mount *m = mount_list; m; m = m->next)
			if (m->id == id)
				err = fn(m, arg);
	mutex_unlock(&mount_lock);
	return err;
}

/* ---- umount ---- */

/* Takes `m` out of the list; its own `next` still leads walks on. The lock is held. */
static void mount_hide(struct mount *m)
{
	struct mount **at = &mount_list;

	while (*at != m)
		at = &(*at)->next;
	atomic_store_release(at, m->next);
}

static struct mount *mount_child(const struct mount *parent)
{
	struct mount *m = mount_list;

	while (m && m->parent != parent)
		m = m->next;
	return m;
}

/* The place that `m` was on may be removed again unless another mount is there. The lock is held. */
static void mount_uncover(const struct mount *m)
{
	const struct mount *other = mount_list;

	while (other && other->mountpoint != m->mountpoint)
		other = other->next;
	if (!other)
		atomic_fetch_and(&m->mountpoint->flags, ~DENTRY_MOUNTPOINT);
}

/* `m` is hidden and a grace period is over: ends it now, or when nobody holds it. The lock is held. */
static void mount_end(struct mount *m)
{
	mount_uncover(m);
	if (!mount_in_use(m)) {
		mount_destroy(m);
		return;
	}
	m->next = detached;
	detached = m;
}

/* Ends what was detached and is unused now; one may be all that another one waits for. The lock is held. */
static void mount_reap(void)
{
	bool progress = true;

	while (progress) {
		progress = false;
		for (struct mount **at = &detached; *at;) {
			struct mount *m = *at;

			if (mount_in_use(m)) {
				at = &m->next;
				continue;
			}
			*at = m->next;
			mount_destroy(m);
			progress = true;
		}
	}
}

/* Takes `m` and all below it out of the tree, leaves first. The lock is held. */
static void mount_detach(struct mount *m)
{
	struct mount *leaf, *child;

	do {
		for (leaf = m; (child = mount_child(leaf)) != NULL;)
			leaf = child;
		mount_hide(leaf);
		epoch_barrier();
		mount_end(leaf);
	} while (leaf != m);
}

static int mount_take_down(struct mount *m, bool detach)
{
	if (detach) {
		mount_detach(m);
		return 0;
	}
	if (mount_child(m))
		return -EBUSY;
	mount_hide(m);
	epoch_barrier();
	if (mount_in_use(m)) {
		m->next = mount_list;
		atomic_store_release(&mount_list, m);
		return -EBUSY;
	}
	mount_end(m);
	return 0;
}

int fs_umount(struct path *p, bool detach)
{
	struct mount *m = p->mnt;
	bool is_root = p->dentry == m->root;
	u32 id = m->id;
	int err = -EINVAL;

	/* Our own reference would make it busy; the number finds it again. */
	path_put(p);
	mutex_lock(&mount_lock);
	mount_reap();
	for (m = mount_list; m && m->id != id; m = m->next)
		;
	if (m && is_root && m->parent)
		err = mount_take_down(m, detach);
	else if (m && is_root)
		err = -EBUSY;
	mount_reap();
	mutex_unlock(&mount_lock);
	return err;
}

/* ---- super blocks ---- */

void super_get(struct super_block *sb)
{
	refcount_get(&sb->refs);
}

/* Takes all names out of the tree, leaves first. Nobody else can reach it. */
static void tree_remove(struct dentry *root)
{
	struct dentry *d = root;

	for (;;) {
		struct dentry *parent = dentry_parent(d);

		if (!list_empty(&d->inode->children)) {
			d = container_of(d->inode->children.next, struct dentry, sibling);
			continue;
		}
		if (d == root)
			return;
		dentry_get(d);
		dentry_unlink(d);
		dentry_put(d);
		d = parent;
	}
}

void super_put(struct super_block *sb)
{
	if (!refcount_put(&sb->refs))
		return;
	tree_remove(sb->root);
	dentry_put(sb->root);
	/* Its inodes and their pages, which are counted in the budget, go after a grace period. */
	epoch_barrier();
	kfree(sb->budget);
	kfree(sb);
}
