/*
 * Inodes: life, status and permissions. What a walk may still look at (mode, symlink text) lives
 * a grace period longer than the last reference; the contents (vm_object) go with it at once.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/stat.h"
#include "kernel/fs/acl.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/refcount.h"
#include "kernel/time/time.h"

LOCK_CLASS(inode, RANK_INODE);

static void fs_cred_root(struct fs_cred *out)
{
	*out = (struct fs_cred){.override = true};
}

void (*fs_cred_current)(struct fs_cred *out) = fs_cred_root;

static u64 no_size_limit(void)
{
	return ~0UL;
}

u64 (*fs_size_limit)(void) = no_size_limit;
void (*fs_size_exceeded)(void);

int fs_size_check(u64 size)
{
	if (likely(size <= fs_size_limit()))
		return 0;
	fs_size_exceeded();
	return -EFBIG;
}

struct inode *inode_alloc(struct super_block *sb, u32 mode)
{
	struct inode *inode = kzalloc(sizeof(*inode));
	struct fs_cred cred;

	if (!inode)
		return NULL;
	fs_cred_current(&cred);
	inode->sb = sb;
	inode->ino = atomic_fetch_add_relaxed(&sb->next_ino, 1);
	inode->mode = mode;
	inode->uid = cred.uid;
	inode->gid = cred.gid;
	inode->nlink = S_ISDIR(mode) ? 2 : 1;
	inode->refs = 1;
	inode->btime_ns = (s64)time_realtime_ns();
	inode->atime_ns = inode->btime_ns;
	inode->mtime_ns = inode->btime_ns;
	inode->ctime_ns = inode->btime_ns;
	inode->next_cookie = 2; /* after "." and ".." */
	list_init(&inode->children);
	mutex_init(&inode->lock, &inode_class);
	return inode;
}

void inode_get(struct inode *inode)
{
	refcount_get(&inode->refs);
}

static void inode_free(struct epoch_node *node)
{
	struct inode *inode = container_of(node, struct inode, free_node);

	kfree(inode->link);
	xattrs_free(inode);
	acls_free(inode);
	kfree(inode);
}

void inode_put(struct inode *inode)
{
	if (!refcount_put(&inode->refs))
		return;
	if (inode->object)
		vm_object_put(inode->object);
	if (inode->ops && inode->ops->release)
		inode->ops->release(inode);
	if (inode->sb->max_inodes)
		atomic_fetch_add(&inode->sb->nr_inodes, -1UL);
	epoch_defer(&inode->free_node, inode_free);
}

void inode_touch(struct inode *inode, bool modified)
{
	s64 now = (s64)time_realtime_ns();

	atomic_store_relaxed(&inode->ctime_ns, now);
	if (modified)
		atomic_store_relaxed(&inode->mtime_ns, now);
}

void inode_stat(const struct inode *inode, struct stat_info *st)
{
	*st = (struct stat_info){
		.dev = inode->sb->dev,
		.ino = inode->ino,
		.rdev = inode->rdev,
		.mode = atomic_load_relaxed(&inode->mode),
		.nlink = atomic_load_relaxed(&inode->nlink),
		.uid = atomic_load_relaxed(&inode->uid),
		.gid = atomic_load_relaxed(&inode->gid),
		.blksize = PAGE_SIZE,
		.atime_ns = atomic_load_relaxed(&inode->atime_ns),
		.mtime_ns = atomic_load_relaxed(&inode->mtime_ns),
		.ctime_ns = atomic_load_relaxed(&inode->ctime_ns),
		.btime_ns = inode->btime_ns,
	};
	if (inode->object) {
		st->size = atomic_load_relaxed(&inode->object->size);
		st->blocks = vm_object_pages(inode->object) * (PAGE_SIZE / 512);
	} else if (inode->link) {
		st->size = strlen(inode->link);
	} else if (S_ISDIR(inode->mode)) {
		u32 n = atomic_load_relaxed(&inode->nr_children);

		/* As Linux's tmpfs counts: 20 bytes a name and for "." and "..". */
		st->size = 20UL * ((n == DIR_DEAD ? 0 : n) + 2);
	}
}

static bool cred_in_group(const struct fs_cred *cred, u32 gid)
{
	return cred->gid == gid || (cred->in_group && cred->in_group(gid));
}

int fs_permission(const struct inode *inode, u32 mask)
{
	u32 mode = atomic_load_relaxed(&inode->mode);
	struct fs_cred cred;
	u32 bits;
	int err;

	fs_cred_current(&cred);
	if (cred.override) {
		/* Root may do all but execute a file that nobody may. */
		bool runnable = S_ISDIR(mode) || (mode & 0111);

		return (mask & MAY_EXEC) && !runnable ? -EACCES : 0;
	}
	/* As on Linux a list counts only as long as its mask, the group bits, lets anything through. */
	if (cred.uid != atomic_load_relaxed(&inode->uid) && (mode & 0070)) {
		err = acl_permission(inode, &cred, mask);
		if (err != -EAGAIN)
			return err;
	}
	if (cred.uid == atomic_load_relaxed(&inode->uid))
		bits = mode >> 6;
	else if (cred_in_group(&cred, atomic_load_relaxed(&inode->gid)))
		bits = mode >> 3;
	else
		bits = mode;
	return (bits & mask) == mask ? 0 : -EACCES;
}

int fs_owner(const struct inode *inode)
{
	struct fs_cred cred;

	fs_cred_current(&cred);
	if (cred.override || cred.uid == atomic_load_relaxed(&inode->uid))
		return 0;
	return -EPERM;
}
