/*
 * memfd: a tmpfs file that never had a name, and seals, which forbid changes for good. Seals change
 * under the inode's lock, as size and contents do, so that no write is under way when one is set.
 *
 * F_SEAL_WRITE needs that nobody can write through a mapping; the file's object counts those that
 * may, and admits no more once they are denied.
 */
#include "kernel/fs/memfd.h"

#include <stdio.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

#define SEALS_WRITE (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)
#define SEALS_ALL                                                                                  \
	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE |          \
	 F_SEAL_EXEC)

int memfd_create(const char *name, u32 mode, u32 seals, struct file **out)
{
	struct super_block *sb = mount_root->sb;
	struct path made = {mount_root, NULL};
	char text[FS_NAME_MAX + 1];
	struct inode *inode;
	int len, err;

	len = snprintf(text, sizeof(text), "memfd:%s", name);
	inode = sb->ops->create(sb, S_IFREG | mode, 0);
	if (!inode)
		return -ENOMEM;
	/* It is in no file system's size. */
	vm_object_set_budget(inode->object, NULL);
	inode->nlink = 0;
	inode->seals = seals;
	made.dentry = dentry_alloc(mount_root->root, text, (size_t)len, inode);
	if (!made.dentry)
		return -ENOMEM;
	made.dentry->flags = DENTRY_UNLINKED;
	err = fs_open_path(&made, O_RDWR, out);
	dentry_put(made.dentry);
	return err;
}

static struct inode *sealable(struct file *f)
{
	struct inode *inode = f->path.dentry ? file_inode(f) : NULL;

	return inode && inode->object ? inode : NULL;
}

bool file_write_sealed(struct file *f)
{
	struct inode *inode = sealable(f);

	return inode && (atomic_load_relaxed(&inode->seals) & SEALS_WRITE);
}

long file_get_seals(struct file *f)
{
	struct inode *inode = sealable(f);

	return inode ? (long)atomic_load_relaxed(&inode->seals) : -EINVAL;
}

int file_add_seals(struct file *f, u32 seals)
{
	struct inode *inode = sealable(f);
	int err = 0;

	if (!file_writable(f))
		return -EPERM;
	if (!inode || (seals & ~(u32)SEALS_ALL))
		return -EINVAL;
	mutex_lock(&inode->lock);
	/* A program that may be run for ever must stay the same one. */
	if ((seals & F_SEAL_EXEC) && (inode->mode & 0111))
		seals |= F_SEAL_SHRINK | F_SEAL_GROW | SEALS_WRITE;
	if (inode->seals & F_SEAL_SEAL)
		err = -EPERM;
	else if (seals & ~inode->seals & F_SEAL_WRITE)
		err = vm_object_deny_writable(inode->object);
	if (!err)
		atomic_store_relaxed(&inode->seals, inode->seals | seals);
	mutex_unlock(&inode->lock);
	return err;
}
