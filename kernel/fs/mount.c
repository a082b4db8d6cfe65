/*
 * The mount table: a list that only grows, read under the epoch. A dentry says by a flag that
 * something may be mounted on it, so a walk searches the list at mount points only. The newest
 * mount on a place hides older ones: it is nearer to the head.
 */
#include "abi/errno.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

LOCK_CLASS(mount_table, RANK_MOUNT);

struct mount *mount_root;
static struct mutex mount_lock = MUTEX_INIT(mount_lock, mount_table_class);
static struct mount *mount_list; /* [e] written under mount_lock */
static u32 mount_next_id = 1;	 /* [L:mount_lock] */

struct mount *mount_first(void)
{
	return atomic_load_acquire(&mount_list);
}

int mount_at(const struct path *at, struct super_block *sb)
{
	struct mount *m;

	if (at && !S_ISDIR(at->dentry->inode->mode))
		return -ENOTDIR;
	m = kzalloc(sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->sb = sb;
	m->root = sb->root;
	if (at) {
		path_get(at);
		m->parent = at->mnt;
		m->mountpoint = at->dentry;
	} else {
		mount_root = m;
	}
	mutex_lock(&mount_lock);
	m->id = mount_next_id++;
	m->next = mount_list;
	/* Pairs with the acquire load in mount_first(). */
	atomic_store_release(&mount_list, m);
	mutex_unlock(&mount_lock);
	if (at)
		atomic_fetch_or(&at->dentry->flags, DENTRY_MOUNTPOINT);
	return 0;
}

static struct mount *mount_on(const struct path *p)
{
	struct mount *m;

	for (m = mount_first(); m; m = m->next)
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
