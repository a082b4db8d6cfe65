/*
 * Attributes of files: what stat tells and what chmod, chown, utimensat and truncate change.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/fs/acl.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/leases.h"
#include "kernel/sync/atomic.h"

int fs_stat(const struct path *p, struct stat_info *st)
{
	inode_stat(p->dentry->inode, st);
	st->mount_root = p->dentry == p->mnt->root;
	return 0;
}

int fs_chmod(const struct path *p, u32 mode)
{
	struct inode *inode = p->dentry->inode;
	int err = mount_writable(p->mnt);

	if (!err)
		err = fs_owner(inode);
	if (err)
		return err;
	if (S_ISLNK(inode->mode))
		return -EOPNOTSUPP;
	mutex_lock(&inode->lock);
	if ((inode->seals & F_SEAL_EXEC) && ((inode->mode ^ mode) & 0111))
		err = -EPERM;
	else
		err = acl_chmod(inode, (inode->mode & S_IFMT) | (mode & 07777));
	mutex_unlock(&inode->lock);
	if (!err) {
		inode_touch(inode, false);
		fs_notify(p->dentry, IN_ATTRIB);
	}
	return err;
}

void inode_drop_set_id(struct inode *inode)
{
	u32 mode = inode->mode, drop = S_ISUID;
	struct fs_cred cred;

	if (likely(!(mode & (S_ISUID | S_ISGID))))
		return;
	fs_cred_current(&cred);
	/* Set-gid without the group's execute permission means something else. */
	if (mode & 0010)
		drop |= S_ISGID;
	if (!cred.override)
		atomic_store_relaxed(&inode->mode, mode & ~drop);
}

int fs_chown(const struct path *p, u32 uid, u32 gid)
{
	struct inode *inode = p->dentry->inode;
	struct fs_cred cred;
	u32 mode;

	if (mount_writable(p->mnt))
		return -EROFS;
	fs_cred_current(&cred);
	if (!cred.override) {
		bool own = cred.uid == inode->uid;
		bool group_ok =
			gid == ~0U || gid == cred.gid || (cred.in_group && cred.in_group(gid));

		if (!own || (uid != ~0U && uid != inode->uid) || !group_ok)
			return -EPERM;
	}
	mutex_lock(&inode->lock);
	if (uid != ~0U)
		atomic_store_relaxed(&inode->uid, uid);
	if (gid != ~0U)
		atomic_store_relaxed(&inode->gid, gid);
	mode = inode->mode;
	if (!S_ISDIR(mode) && (uid != ~0U || gid != ~0U)) {
		/* A new owner must not inherit the right to act as the old one. */
		mode &= ~S_ISUID;
		if (mode & 0010)
			mode &= ~S_ISGID;
		atomic_store_relaxed(&inode->mode, mode);
	}
	mutex_unlock(&inode->lock);
	inode_touch(inode, false);
	fs_notify(p->dentry, IN_ATTRIB);
	return 0;
}

int fs_set_times(const struct path *p, s64 atime_ns, s64 mtime_ns)
{
	struct inode *inode = p->dentry->inode;
	int err = mount_writable(p->mnt);

	if (err)
		return err;
	if (atime_ns != FS_TIME_OMIT)
		atomic_store_relaxed(&inode->atime_ns, atime_ns);
	if (mtime_ns != FS_TIME_OMIT)
		atomic_store_relaxed(&inode->mtime_ns, mtime_ns);
	inode_touch(inode, false);
	fs_notify(p->dentry, IN_ATTRIB);
	return 0;
}

int fs_truncate(const struct path *p, u64 size)
{
	struct inode *inode = p->dentry->inode;
	int err;

	if (S_ISDIR(inode->mode))
		return -EISDIR;
	if (!S_ISREG(inode->mode))
		return -EINVAL;
	err = mount_writable(p->mnt);
	if (!err)
		err = fs_permission(inode, MAY_WRITE);
	if (err)
		return err;
	if (!inode->object)
		return -EPERM;
	lease_count_open(inode, O_WRONLY);
	err = lease_break(inode, O_WRONLY);
	if (!err)
		err = tmpfs_truncate(inode, size);
	lease_uncount_open(inode, O_WRONLY);
	if (!err)
		fs_notify(p->dentry, IN_MODIFY);
	return err;
}

long fs_readlink(const struct path *p, char *buf, size_t size)
{
	struct inode *inode = p->dentry->inode;
	size_t len;

	if (!S_ISLNK(inode->mode))
		return -EINVAL;
	if (!inode->link)
		return inode->ops->readlink(p->dentry, buf, size);
	len = MIN(strlen(inode->link), size);
	memcpy(buf, inode->link, len);
	return (long)len;
}
