/*
 * Operations on names: each finds the parent by a walk, takes the parent's lock, looks the name
 * up again and changes it. Under that lock the children cannot go away, so borrowed dentries are
 * safe. Order of errors as Linux's.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/fs/acl.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

static struct dentry *name_find(const struct walk_parent *wp)
{
	return dentry_find(wp->dir.dentry, wp->name, wp->len);
}

/* May the caller take `d` out of `dir`? */
static int name_may_remove(const struct inode *dir, const struct dentry *d)
{
	int err = fs_permission(dir, MAY_WRITE | MAY_EXEC);

	if (err)
		return err;
	if ((atomic_load_relaxed(&dir->mode) & S_ISVTX) && fs_owner(dir) && fs_owner(d->inode))
		return -EPERM;
	return atomic_load_relaxed(&d->flags) & DENTRY_MOUNTPOINT ? -EBUSY : 0;
}

/* The inode lost a name. */
static void name_dropped(struct inode *inode)
{
	if (S_ISDIR(inode->mode))
		atomic_store_relaxed(&inode->nlink, 0);
	else
		atomic_fetch_add(&inode->nlink, -1);
	inode_touch(inode, false);
}

/*
 * A new dentry for `inode` (whose reference it takes) with one reference beside the tree's. Parent
 * locked.
 */
static struct dentry *name_add(const struct walk_parent *wp, struct inode *inode)
{
	struct dentry *d = dentry_alloc(wp->dir.dentry, wp->name, wp->len, inode);
	int err;

	if (!d)
		return err_ptr(-ENOMEM);
	err = dentry_link(d);
	if (err) {
		dentry_put(d);
		return err_ptr(err);
	}
	inode_touch(wp->dir.dentry->inode, true);
	fs_notify_name(wp->dir.dentry->inode, IN_CREATE, inode, wp->name, 0);
	return d;
}

struct inode *name_inode(const struct inode *dir, u32 mode, u32 umask, u64 rdev)
{
	struct inode *inode = dir->sb->ops->create(dir->sb, mode, rdev);

	if (is_err(inode))
		return inode;
	if (!inode)
		return err_ptr(super_full(dir->sb) ? -ENOSPC : -ENOMEM);
	if (acl_inherit(dir, inode, umask)) {
		inode_put(inode);
		return err_ptr(-ENOMEM);
	}
	if (dir->mode & S_ISGID) {
		inode->gid = dir->gid;
		if (S_ISDIR(mode))
			inode->mode |= S_ISGID;
	}
	return inode;
}

struct dentry *name_create(const struct walk_parent *wp, u32 mode, u32 umask, u64 rdev,
			   const char *text)
{
	struct inode *dir = wp->dir.dentry->inode;
	struct inode *inode;
	int err;

	/* Linux's procfs says of a name that it does not make: there is none. */
	if (!dir->sb->ops->create)
		return err_ptr(-ENOENT);
	err = fs_permission(dir, MAY_WRITE | MAY_EXEC);
	if (err)
		return err_ptr(err);
	inode = name_inode(dir, mode, umask, rdev);
	if (is_err(inode))
		return err_ptr(ptr_err(inode));
	if (text) {
		inode->link = kmalloc(strlen(text) + 1);
		if (!inode->link) {
			inode_put(inode);
			return err_ptr(-ENOMEM);
		}
		strcpy(inode->link, text);
	}
	return name_add(wp, inode);
}

/*
 * The common part of mkdir, mknod and symlink. `text`: of a symlink, else NULL. *out, unless NULL: the
 * new place with references.
 */
static int name_make(struct fs_context *ctx, const struct path *at, const char *name, u32 mode,
		     u64 rdev, const char *text, struct path *out)
{
	struct walk_parent wp;
	struct inode *dir;
	struct dentry *d;
	int err = walk_to_parent(ctx, at, name, &wp);

	if (err)
		return err;
	dir = wp.dir.dentry->inode;
	mutex_lock(&dir->lock);
	if (wp.kind != WALK_LAST_NAME || name_find(&wp)) {
		err = -EEXIST;
	} else if (wp.slash && !S_ISDIR(mode)) {
		err = -ENOENT;
	} else if ((err = mount_writable(wp.dir.mnt)) == 0) {
		d = name_create(&wp, mode, atomic_load_relaxed(&ctx->umask), rdev, text);
		if (is_err(d))
			err = (int)ptr_err(d);
	}
	mutex_unlock(&dir->lock);
	if (!err && out) {
		*out = (struct path){wp.dir.mnt, d};
		path_get(out);
	}
	if (!err)
		dentry_put(d);
	path_put(&wp.dir);
	return err;
}

int fs_mkdir(struct fs_context *ctx, const struct path *at, const char *name, u32 mode)
{
	return name_make(ctx, at, name, S_IFDIR | (mode & (0777 | S_ISVTX)), 0, NULL, NULL);
}

int fs_mknod(struct fs_context *ctx, const struct path *at, const char *name, u32 mode, u64 rdev)
{
	u32 type = mode & S_IFMT ? mode & S_IFMT : S_IFREG;

	if (S_ISDIR(type))
		return -EPERM;
	if (type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO &&
	    type != S_IFSOCK)
		return -EINVAL;
	return name_make(ctx, at, name, type | (mode & 07777), rdev, NULL, NULL);
}

int fs_socket_bind(struct fs_context *ctx, const char *name, u32 mode, void *owner, struct path *out)
{
	int err = name_make(ctx, NULL, name, S_IFSOCK | (mode & 0777), 0, NULL, out);

	if (!err)
		atomic_store_release(&out->dentry->inode->data, owner);
	return err == -EEXIST ? -EADDRINUSE : err;
}

int fs_socket_find(struct fs_context *ctx, const char *name, struct path *out)
{
	int err = fs_lookup(ctx, NULL, name, WALK_FOLLOW, out);

	if (err)
		return err;
	err = fs_permission(out->dentry->inode, MAY_WRITE);
	if (!err && !S_ISSOCK(out->dentry->inode->mode))
		err = -ECONNREFUSED;
	if (err)
		path_put(out);
	return err;
}

int fs_symlink(struct fs_context *ctx, const struct path *at, const char *name, const char *text)
{
	if (*text == '\0')
		return -ENOENT;
	return name_make(ctx, at, name, S_IFLNK | 0777, 0, text, NULL);
}

int fs_link(struct fs_context *ctx, const struct path *target, const struct path *at, const char *name)
{
	struct inode *inode = target->dentry->inode;
	struct walk_parent wp;
	struct inode *dir;
	struct dentry *d;
	int err = walk_to_parent(ctx, at, name, &wp);

	if (err)
		return err;
	dir = wp.dir.dentry->inode;
	mutex_lock(&dir->lock);
	if (wp.kind != WALK_LAST_NAME || name_find(&wp))
		err = -EEXIST;
	else if (wp.slash || !dir->sb->ops->create)
		err = -ENOENT;
	else if (wp.dir.mnt != target->mnt)
		err = -EXDEV;
	else if (S_ISDIR(inode->mode) || dir->sb->ops->plain)
		err = -EPERM;
	else if ((err = mount_writable(target->mnt)) == 0)
		err = fs_permission(dir, MAY_WRITE | MAY_EXEC);
	if (!err) {
		inode_get(inode);
		fs_notify_self(inode, IN_ATTRIB);
		d = name_add(&wp, inode);
		if (is_err(d)) {
			err = (int)ptr_err(d);
		} else {
			atomic_fetch_add(&inode->nlink, 1);
			inode_touch(inode, false);
			dentry_put(d);
		}
	}
	mutex_unlock(&dir->lock);
	path_put(&wp.dir);
	return err;
}

/* Parent locked; `d` was found there. */
static int name_remove(const struct walk_parent *wp, struct dentry *d, bool directory)
{
	struct inode *dir = wp->dir.dentry->inode, *inode = d->inode;
	int err = name_may_remove(dir, d);

	if (err)
		return err;
	if (!dir->sb->ops->create)
		return -EPERM;
	if (directory && !S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (!directory && S_ISDIR(inode->mode))
		return -EISDIR;
	if (!directory && wp->slash)
		return -ENOTDIR;
	if (directory) {
		err = dir_kill(inode);
		if (err)
			return err;
	}
	name_dropped(inode);
	inode_touch(dir, true);
	if (!directory)
		fs_notify_self(inode, IN_ATTRIB);
	fs_notify_name(dir, IN_DELETE, inode, wp->name, 0);
	dentry_unlink(d);
	return 0;
}

static int name_unlink(struct fs_context *ctx, const struct path *at, const char *name, bool directory)
{
	struct walk_parent wp;
	struct dentry *d = NULL;
	struct inode *dir;
	int err = walk_to_parent(ctx, at, name, &wp);

	if (err)
		return err;
	if (wp.kind != WALK_LAST_NAME) {
		if (!directory)
			err = -EISDIR;
		else if (wp.kind == WALK_LAST_NONE)
			err = -EBUSY;
		else
			err = wp.kind == WALK_LAST_DOT ? -EINVAL : -ENOTEMPTY;
		path_put(&wp.dir);
		return err;
	}
	err = mount_writable(wp.dir.mnt);
	if (err) {
		path_put(&wp.dir);
		return err;
	}
	dir = wp.dir.dentry->inode;
	mutex_lock(&dir->lock);
	d = name_find(&wp);
	if (d) {
		/*
		 * Kept over the unlock: the last put may free a big file, which no lock should
		 * cover.
		 */
		dentry_get(d);
		err = name_remove(&wp, d, directory);
	} else {
		err = -ENOENT;
	}
	mutex_unlock(&dir->lock);
	if (d)
		dentry_put(d);
	path_put(&wp.dir);
	return err;
}

int fs_unlink(struct fs_context *ctx, const struct path *at, const char *name)
{
	return name_unlink(ctx, at, name, false);
}

int fs_rmdir(struct fs_context *ctx, const struct path *at, const char *name)
{
	return name_unlink(ctx, at, name, true);
}
