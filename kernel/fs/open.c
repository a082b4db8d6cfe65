/*
 * Opening files by name, and the files that are only places: directories and O_PATH.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/leases.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

/* Flags that act at open and are not kept. */
#define OPEN_ONCE (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC)

int fs_file_stat(struct file *f, struct stat_info *st)
{
	return fs_stat(&f->path, st);
}

static const struct file_ops path_file_ops = {
	.name = "path",
	.stat = fs_file_stat,
};

void open_file_closed(struct file *f)
{
	if (f->flags & O_PATH)
		return;
	fs_notify(f->path.dentry, file_writable(f) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	if (S_ISREG(atomic_load_relaxed(&file_inode(f)->mode)))
		lease_file_closed(f);
}

bool fs_allows_direct(const struct file *f)
{
	return f->path.dentry && file_inode(f)->object;
}

/* What an open does to the contents, once no lease is in the way. The caller is counted. */
static int open_contents(struct inode *inode, u32 flags)
{
	int err = lease_break(inode, flags);

	if (!err && (flags & O_TRUNC) && inode->object)
		err = tmpfs_truncate(inode, 0);
	return err;
}

static int open_inode(struct inode *inode, u32 flags, struct file *f)
{
	bool regular = S_ISREG(atomic_load_relaxed(&inode->mode));
	int err = 0;

	if (regular) {
		lease_count_open(inode, flags);
		err = open_contents(inode, flags);
	}
	if (!err && inode->ops && inode->ops->open)
		err = inode->ops->open(inode, f);
	if (err && regular)
		lease_uncount_open(inode, flags);
	return err;
}

int fs_open_path(const struct path *p, u32 flags, struct file **out)
{
	struct inode *inode = p->dentry->inode;
	bool only_path = flags & O_PATH;
	struct file *f;
	int err;

	if (!only_path && (flags & O_DIRECT) && !inode->object)
		return -EINVAL;
	f = file_alloc(only_path ? &path_file_ops : inode->fops, NULL,
		       flags | (only_path ? 0 : O_LARGEFILE));
	if (!f)
		return -ENOMEM;
	path_get(p);
	f->path = *p;
	err = only_path ? 0 : open_inode(inode, flags, f);
	if (err) {
		/* It was never open: no release of the type, and nothing to tell. */
		f->ops = &path_file_ops;
		f->flags = O_PATH;
		file_put(f);
		return err;
	}
	f->flags &= ~OPEN_ONCE;
	*out = f;
	if (!only_path)
		fs_notify(p->dentry, IN_OPEN);
	return 0;
}

static u32 open_mask(u32 flags)
{
	static const u8 masks[] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE};

	return masks[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

static int open_existing(const struct path *p, u32 flags, struct file **out)
{
	struct inode *inode = p->dentry->inode;
	u32 mode = atomic_load_relaxed(&inode->mode);
	int err;

	if (flags & O_PATH)
		return fs_open_path(p, flags, out);
	if (S_ISLNK(mode))
		return -ELOOP;
	if (S_ISDIR(mode) && ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC))))
		return -EISDIR;
	err = fs_permission(inode, open_mask(flags));
	if (!err && (open_mask(flags) & MAY_WRITE) && (S_ISREG(mode) || S_ISDIR(mode)))
		err = mount_writable(p->mnt);
	if (!err && (S_ISCHR(mode) || S_ISBLK(mode)) &&
	    (atomic_load_relaxed(&p->mnt->flags) & MS_NODEV))
		err = -EACCES;
	if (!err && (flags & O_NOATIME))
		err = fs_owner(inode);
	return err ? err : fs_open_path(p, flags, out);
}

/* The name was missing. -EAGAIN: somebody else created it meanwhile. */
static int open_create(struct walk_parent *wp, u32 flags, u32 mode, u32 umask, struct file **out)
{
	struct inode *dir = wp->dir.dentry->inode;
	struct path made = {wp->dir.mnt, NULL};
	int err = 0;

	if (wp->slash)
		return -EISDIR;
	mutex_lock(&dir->lock);
	if (dentry_find(wp->dir.dentry, wp->name, wp->len)) {
		err = flags & O_EXCL ? -EEXIST : -EAGAIN;
	} else if ((err = mount_writable(wp->dir.mnt)) == 0) {
		made.dentry = name_create(wp, mode, umask, 0, NULL);
		if (is_err(made.dentry))
			err = (int)ptr_err(made.dentry);
	}
	mutex_unlock(&dir->lock);
	if (err)
		return err;
	/* Whoever creates a file may open it as asked, whatever its mode. */
	err = fs_open_path(&made, flags & ~O_TRUNC, out);
	dentry_put(made.dentry);
	return err;
}

/* O_TMPFILE: a file without a name in the file system of directory `dir`. */
static int open_tmpfile(const struct path *dir, u32 flags, u32 mode, u32 umask, struct file **out)
{
	struct inode *parent = dir->dentry->inode;
	struct path made = {dir->mnt, NULL};
	struct inode *inode;
	int err;

	if ((flags & O_ACCMODE) == O_RDONLY)
		return -EINVAL;
	err = mount_writable(dir->mnt);
	if (!err)
		err = fs_permission(parent, MAY_WRITE | MAY_EXEC);
	if (err)
		return err;
	if (!parent->sb->ops->create || parent->sb->ops->plain)
		return -EOPNOTSUPP;
	mutex_lock(&parent->lock);
	inode = name_inode(parent, mode, umask, 0);
	mutex_unlock(&parent->lock);
	if (is_err(inode))
		return (int)ptr_err(inode);
	inode->nlink = 0;
	made.dentry = dentry_alloc(dir->dentry, "#tmpfile", 8, inode);
	if (!made.dentry)
		return -ENOMEM;
	made.dentry->flags = DENTRY_UNLINKED;
	err = fs_open_path(&made, flags & ~O_TRUNC, out);
	dentry_put(made.dentry);
	return err;
}

int fs_open(struct fs_context *ctx, const struct path *at, const char *name, u32 flags, u32 mode,
	    u32 walk, struct file **out)
{
	bool tmpfile = (flags & O_TMPFILE) == O_TMPFILE;
	bool create = (flags & O_CREAT) && !(flags & O_PATH);
	u32 umask = atomic_load_relaxed(&ctx->umask);
	struct walk_parent wp;
	struct path p;
	bool again;
	int err;

	if (create && (flags & O_DIRECTORY))
		return -EINVAL;
	if (flags & O_DIRECTORY)
		walk |= WALK_DIRECTORY;
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	else if (flags & __O_TMPFILE && !tmpfile)
		return -EINVAL;
	if (!(flags & O_NOFOLLOW) && !(create && (flags & O_EXCL)))
		walk |= WALK_FOLLOW;
	mode = S_IFREG | (mode & 07777);
	do {
		err = create ? walk_or_parent(ctx, at, name, walk, &p, &wp)
			     : fs_lookup(ctx, at, name, walk, &p);
		if (err)
			return err;
		again = false;
		if (!p.dentry) {
			err = open_create(&wp, flags, mode, umask, out);
			path_put(&wp.dir);
			again = err == -EAGAIN;
			continue;
		}
		if (create && (flags & O_EXCL))
			err = -EEXIST;
		else if (tmpfile)
			err = open_tmpfile(&p, flags, mode, umask, out);
		else
			err = open_existing(&p, flags, out);
		path_put(&p);
	} while (again);
	return err;
}

int fs_open_exec(struct fs_context *ctx, const struct path *at, const char *name, u32 walk,
		 struct file **out)
{
	struct path p;
	int err = fs_lookup(ctx, at, name, walk, &p);

	if (err)
		return err;
	if (S_ISLNK(p.dentry->inode->mode))
		err = -ELOOP;
	else if (!S_ISREG(p.dentry->inode->mode) || (atomic_load_relaxed(&p.mnt->flags) & MS_NOEXEC))
		err = -EACCES;
	if (!err)
		err = fs_permission(p.dentry->inode, MAY_EXEC);
	if (!err)
		err = fs_open_path(&p, O_RDONLY, out);
	path_put(&p);
	return err;
}

bool fs_obeys_set_id(const struct file *f)
{
	return !f->path.mnt || !(atomic_load_relaxed(&f->path.mnt->flags) & MS_NOSUID);
}
