/*
 * Extended attributes of tmpfs: a list on the inode, under its lock. Which names there are and who may
 * touch them: xattr(7). Cost: a walk of the list; nothing for inodes without attributes.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/fs/acl.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/mm/mm.h"

struct xattr {
	struct xattr *next; /* [L:inode] */
	u32 size;	    /* [I] of the value, which stands behind the name */
	char name[];	    /* [I] NUL-terminated */
};

static const char *xattr_value(const struct xattr *x)
{
	return x->name + strlen(x->name) + 1;
}

static bool in_space(const char *name, const char *space)
{
	size_t len = strlen(space);

	return strncmp(name, space, len) == 0 && name[len];
}

/* May the caller use this name? `admin`: it has CAP_SYS_ADMIN. */
static int xattr_allowed(const struct inode *inode, const char *name, bool write, bool admin)
{
	u32 mode = inode->mode;

	if (!inode->sb->ops->create || inode->sb->ops->plain)
		return -EOPNOTSUPP;
	if (in_space(name, "trusted."))
		return admin ? 0 : write ? -EPERM : -ENODATA;
	if (in_space(name, "security."))
		return !write || admin ? 0 : -EPERM;
	if (!in_space(name, "user."))
		return -EOPNOTSUPP;
	if (!S_ISREG(mode) && !S_ISDIR(mode))
		return write ? -EPERM : -ENODATA;
	if (write && S_ISDIR(mode) && (mode & S_ISVTX) && fs_owner(inode))
		return -EPERM;
	return fs_permission(inode, write ? MAY_WRITE : MAY_READ);
}

/* The link to the attribute, or to the end. The inode is locked. */
static struct xattr **xattr_find(struct inode *inode, const char *name)
{
	struct xattr **at = &inode->xattrs;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

/* The outcome of a change. */
static int xattr_changed(const struct path *p, int err)
{
	if (!err) {
		inode_touch(p->dentry->inode, false);
		fs_notify(p->dentry, IN_ATTRIB);
	}
	return err;
}

int fs_set_xattr(const struct path *p, const char *name, const void *value, size_t size, u32 flags,
		 bool admin)
{
	struct inode *inode = p->dentry->inode;
	size_t len = strlen(name) + 1;
	struct xattr **at, *new, *old = NULL;
	int err = mount_writable(p->mnt);
	enum acl_kind kind;

	/* A list takes no notice of `flags`, as on Linux. */
	if (!err && acl_named(name, &kind))
		return xattr_changed(p, acl_set(inode, kind, value, size));
	if (!err)
		err = xattr_allowed(inode, name, true, admin);
	if (err)
		return err;
	new = kmalloc(sizeof(*new) + len + size);
	if (!new)
		return -ENOMEM;
	new->size = (u32)size;
	memcpy(new->name, name, len);
	memcpy(new->name + len, value, size);
	mutex_lock(&inode->lock);
	at = xattr_find(inode, name);
	if (*at ? flags & XATTR_CREATE : flags & XATTR_REPLACE) {
		err = *at ? -EEXIST : -ENODATA;
		old = new;
	} else {
		old = *at;
		new->next = old ? old->next : NULL;
		*at = new;
	}
	mutex_unlock(&inode->lock);
	kfree(old);
	return xattr_changed(p, err);
}

long fs_get_xattr(const struct path *p, const char *name, void *buf, size_t size, bool admin)
{
	struct inode *inode = p->dentry->inode;
	const struct xattr *x;
	enum acl_kind kind;
	long ret;

	if (acl_named(name, &kind))
		return acl_get(inode, kind, buf, size);
	ret = xattr_allowed(inode, name, false, admin);
	if (ret)
		return ret;
	mutex_lock(&inode->lock);
	x = *xattr_find(inode, name);
	if (!x)
		ret = -ENODATA;
	else if (size && size < x->size)
		ret = -ERANGE;
	else
		ret = x->size;
	if (ret > 0 && size)
		memcpy(buf, xattr_value(x), x->size);
	mutex_unlock(&inode->lock);
	return ret;
}

long fs_list_xattrs(const struct path *p, char *buf, size_t size, bool admin)
{
	struct inode *inode = p->dentry->inode;
	u64 done;

	mutex_lock(&inode->lock);
	done = acl_list(inode, buf, size);
	for (const struct xattr *x = inode->xattrs; x; x = x->next) {
		size_t len = strlen(x->name) + 1;

		if (in_space(x->name, "trusted.") && !admin)
			continue;
		if (size && done + len <= size)
			memcpy(buf + done, x->name, len);
		done += len;
	}
	mutex_unlock(&inode->lock);
	return size && done > size ? -ERANGE : (long)done;
}

int fs_remove_xattr(const struct path *p, const char *name, bool admin)
{
	struct inode *inode = p->dentry->inode;
	struct xattr **at, *old;
	int err = mount_writable(p->mnt);
	enum acl_kind kind;

	if (!err && acl_named(name, &kind))
		return xattr_changed(p, acl_set(inode, kind, NULL, 0));
	if (!err)
		err = xattr_allowed(inode, name, true, admin);
	if (err)
		return err;
	mutex_lock(&inode->lock);
	at = xattr_find(inode, name);
	old = *at;
	if (old)
		*at = old->next;
	mutex_unlock(&inode->lock);
	if (!old)
		return -ENODATA;
	kfree(old);
	return xattr_changed(p, 0);
}

void xattrs_free(struct inode *inode)
{
	while (inode->xattrs) {
		struct xattr *x = inode->xattrs;

		inode->xattrs = x->next;
		kfree(x);
	}
}
