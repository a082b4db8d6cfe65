/*
 * Rename and exchange. Within one directory its lock is enough. Between two, the file system's
 * rename mutex comes first: it keeps the tree's shape (who is whose ancestor) still, and since it
 * is the only way to hold two directory locks, these need no order among themselves.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/sync/atomic.h"

struct rename {
	struct walk_parent from, to;
	u32 flags;
	struct dentry *source; /* borrowed under the directory locks */
	struct dentry *target; /* the name's present owner, or NULL */
};

static void rename_lock(struct rename *r)
{
	struct inode *from = r->from.dir.dentry->inode, *to = r->to.dir.dentry->inode;

	if (from == to) {
		mutex_lock(&from->lock);
		return;
	}
	mutex_lock(&from->sb->rename);
	mutex_lock(&from->lock);
	mutex_lock_nested(&to->lock);
}

static void rename_unlock(struct rename *r)
{
	struct inode *from = r->from.dir.dentry->inode, *to = r->to.dir.dentry->inode;

	mutex_unlock(&to->lock);
	if (from == to)
		return;
	mutex_unlock(&from->lock);
	mutex_unlock(&from->sb->rename);
}

static bool is_ancestor(struct dentry *a, struct dentry *d)
{
	for (;;) {
		struct dentry *parent = dentry_parent(d);

		if (d == a)
			return true;
		if (parent == d)
			return false;
		d = parent;
	}
}

/* May `d` leave `from` and enter `to`? */
static int rename_may_move(const struct walk_parent *from, const struct walk_parent *to,
			   const struct dentry *d)
{
	const struct inode *dir = from->dir.dentry->inode;
	int err = fs_permission(dir, MAY_WRITE | MAY_EXEC);

	if (!err)
		err = fs_permission(to->dir.dentry->inode, MAY_WRITE | MAY_EXEC);
	if (err)
		return err;
	if ((atomic_load_relaxed(&dir->mode) & S_ISVTX) && fs_owner(dir) && fs_owner(d->inode))
		return -EPERM;
	return atomic_load_relaxed(&d->flags) & DENTRY_MOUNTPOINT ? -EBUSY : 0;
}

/* Finds source and target and checks all that depends on their names and places. */
static int rename_find(struct rename *r)
{
	r->source = dentry_find(r->from.dir.dentry, r->from.name, r->from.len);
	r->target = dentry_find(r->to.dir.dentry, r->to.name, r->to.len);
	if (!r->source)
		return -ENOENT;
	if (r->target && (r->flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (!r->target && (r->flags & RENAME_EXCHANGE))
		return -ENOENT;
	if (!S_ISDIR(r->source->inode->mode) &&
	    (r->from.slash || (r->to.slash && !(r->flags & RENAME_EXCHANGE))))
		return -ENOTDIR;
	if (is_ancestor(r->source, r->to.dir.dentry))
		return -EINVAL;
	if (r->target && is_ancestor(r->target, r->from.dir.dentry))
		return r->flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	return 0;
}

/*
 * RENAME_WHITEOUT: takes the old name before it is free, so that whoever looks it up finds the one or the other. Overlay file systems
 * read a character device 0:0 as "nothing here". *out: the whiteout with a reference.
 */
static int rename_whiteout(const struct rename *r, struct dentry **out)
{
	struct inode *inode = name_inode(r->from.dir.dentry->inode, S_IFCHR, 0, 0);
	struct dentry *d;
	int err;

	if (is_err(inode))
		return (int)ptr_err(inode);
	d = dentry_alloc(r->from.dir.dentry, r->from.name, r->from.len, inode);
	if (!d)
		return -ENOMEM;
	err = dentry_link(d);
	if (err)
		dentry_put(d);
	else
		*out = d;
	return err;
}

static int rename_over(struct rename *r)
{
	struct dentry *target = r->target, *whiteout = NULL;
	bool directory = S_ISDIR(r->source->inode->mode);
	int err;

	if (target && directory && !S_ISDIR(target->inode->mode))
		return -ENOTDIR;
	if (target && !directory && S_ISDIR(target->inode->mode))
		return -EISDIR;
	if (target && directory) {
		err = dir_kill(target->inode);
		if (err)
			return err;
	}
	if (target)
		dentry_get(target);
	err = r->flags & RENAME_WHITEOUT ? rename_whiteout(r, &whiteout) : 0;
	if (!err)
		err = dentry_move(r->source, r->to.dir.dentry, r->to.name, r->to.len, target);
	if (err && target && directory)
		atomic_store_relaxed(&target->inode->nr_children, 0);
	if (whiteout) {
		if (err)
			dentry_unlink(whiteout);
		dentry_put(whiteout);
	}
	if (target) {
		if (!err) {
			if (directory)
				atomic_store_relaxed(&target->inode->nlink, 0);
			else
				atomic_fetch_add(&target->inode->nlink, -1);
			inode_touch(target->inode, false);
		}
		dentry_put(target);
	}
	return err;
}

static void rename_notify(const struct rename *r)
{
	struct inode *from = r->from.dir.dentry->inode, *to = r->to.dir.dentry->inode;
	u32 cookie = fs_watched() ? fs_notify_cookie() : 0;

	fs_notify_name(from, IN_MOVED_FROM, r->source->inode, r->from.name, cookie);
	fs_notify_name(to, IN_MOVED_TO, r->source->inode, r->to.name, cookie);
	fs_notify_self(r->source->inode, IN_MOVE_SELF);
	if (!(r->flags & RENAME_EXCHANGE))
		return;
	cookie = fs_watched() ? fs_notify_cookie() : 0;
	fs_notify_name(to, IN_MOVED_FROM, r->target->inode, r->to.name, cookie);
	fs_notify_name(from, IN_MOVED_TO, r->target->inode, r->from.name, cookie);
	fs_notify_self(r->target->inode, IN_MOVE_SELF);
}

static int rename_locked(struct rename *r)
{
	int err = rename_find(r);

	if (err)
		return err;
	err = rename_may_move(&r->from, &r->to, r->source);
	if (!err && r->target)
		err = rename_may_move(&r->to, &r->from, r->target);
	if (err)
		return err;
	/* Two names of one file: POSIX wants nothing done. */
	if (r->target && r->target->inode == r->source->inode)
		return 0;
	if (r->flags & RENAME_EXCHANGE)
		err = dentry_exchange(r->source, r->target);
	else
		err = rename_over(r);
	if (err)
		return err;
	rename_notify(r);
	inode_touch(r->source->inode, false);
	inode_touch(r->from.dir.dentry->inode, true);
	inode_touch(r->to.dir.dentry->inode, true);
	return 0;
}

static int rename_checked(struct rename *r)
{
	int err;

	if (r->from.dir.mnt != r->to.dir.mnt)
		return -EXDEV;
	if (r->from.kind != WALK_LAST_NAME)
		return -EBUSY;
	if (r->to.kind != WALK_LAST_NAME)
		return r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	err = mount_writable(r->from.dir.mnt);
	if (err)
		return err;
	if (!r->from.dir.mnt->sb->ops->create || r->from.dir.mnt->sb->ops->plain)
		return -EPERM;
	rename_lock(r);
	err = rename_locked(r);
	rename_unlock(r);
	return err;
}

int fs_rename(struct fs_context *ctx, const struct path *old_at, const char *old_name,
	      const struct path *new_at, const char *new_name, u32 flags)
{
	struct rename r = {.flags = flags};
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if ((flags & RENAME_EXCHANGE) && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)))
		return -EINVAL;
	err = walk_to_parent(ctx, old_at, old_name, &r.from);
	if (err)
		return err;
	err = walk_to_parent(ctx, new_at, new_name, &r.to);
	if (!err) {
		err = rename_checked(&r);
		path_put(&r.to.dir);
	}
	path_put(&r.from.dir);
	return err;
}
