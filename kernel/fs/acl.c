/*
 * POSIX access control lists. A list never changes once an inode has it: it is replaced under the inode's lock and freed a grace period
 * later, so that a walk reads it without a lock. A list that says no more than the mode is not kept.
 *
 * Sources: acl(5), POSIX.1e draft 17, section 23; the attribute's form as in Linux's linux/posix_acl_xattr.h.
 * Cost: one load for each permission check that is not the owner's.
 */
#include "kernel/fs/acl.h"

#include <string.h>

#include "abi/errno.h"
#include "abi/stat.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

#define TAG_USER_OBJ  0x01
#define TAG_USER      0x02
#define TAG_GROUP_OBJ 0x04
#define TAG_GROUP     0x08
#define TAG_MASK      0x10
#define TAG_OTHER     0x20

#define XATTR_VERSION 2U
#define NO_ID	      (~0U)
#define PERM_ALL      7U

/* In the attribute, behind a u32 that is the version; and in a list. */
struct acl_entry {
	u16 tag;
	u16 perm;
	u32 id; /* of TAG_USER and TAG_GROUP */
};

struct acl {
	struct epoch_node free_node;
	u32 nr;
	struct acl_entry entry[];
};

bool acl_named(const char *name, enum acl_kind *kind)
{
	if (strcmp(name, "system.posix_acl_access") == 0)
		*kind = ACL_ACCESS;
	else if (strcmp(name, "system.posix_acl_default") == 0)
		*kind = ACL_DEFAULT;
	else
		return false;
	return true;
}

/* ---- lists ---- */

static size_t acl_bytes(u32 nr)
{
	return nr * sizeof(struct acl_entry);
}

static struct acl *acl_alloc(const struct acl_entry *entries, u32 nr)
{
	struct acl *acl = kmalloc(sizeof(*acl) + acl_bytes(nr));

	if (!acl)
		return NULL;
	acl->nr = nr;
	memcpy(acl->entry, entries, acl_bytes(nr));
	return acl;
}

static void acl_free(struct epoch_node *node)
{
	kfree(container_of(node, struct acl, free_node));
}

/* Context: inode locked, or new. */
static void acl_replace(struct acl **at, struct acl *acl)
{
	struct acl *old = *at;

	atomic_store_release(at, acl); /* pairs with the acquire in acl_permission() */
	if (old)
		epoch_defer(&old->free_node, acl_free);
}

static struct acl **acl_of(struct inode *inode, enum acl_kind kind)
{
	return kind == ACL_ACCESS ? &inode->acl : &inode->default_acl;
}

void acls_free(struct inode *inode)
{
	kfree(inode->acl);
	kfree(inode->default_acl);
}

static struct acl_entry *acl_find(struct acl *acl, u16 tag)
{
	for (u32 i = 0; i < acl->nr; i++)
		if (acl->entry[i].tag == tag)
			return &acl->entry[i];
	return NULL;
}

/* The entry that stands for the group bits of a mode. */
static struct acl_entry *acl_group_class(struct acl *acl)
{
	return acl_find(acl, TAG_MASK) ?: acl_find(acl, TAG_GROUP_OBJ);
}

static bool acl_is_mode(const struct acl *acl)
{
	return acl->nr == 3; /* a valid one with the three entries that must be there */
}

static u32 acl_mode(struct acl *acl)
{
	return (u32)acl_find(acl, TAG_USER_OBJ)->perm << 6 | (u32)acl_group_class(acl)->perm << 3 |
	       acl_find(acl, TAG_OTHER)->perm;
}

static void acl_set_mode(struct acl *acl, u32 mode)
{
	acl_find(acl, TAG_USER_OBJ)->perm = (u16)(mode >> 6 & PERM_ALL);
	acl_group_class(acl)->perm = (u16)(mode >> 3 & PERM_ALL);
	acl_find(acl, TAG_OTHER)->perm = (u16)(mode & PERM_ALL);
}

/* One of each that must be there, in the order of their tags; a mask if users or groups are named. */
static bool acl_valid(const struct acl_entry *e, u32 nr)
{
	u32 seen = 0;

	for (u32 i = 0; i < nr; i++) {
		bool named = e[i].tag == TAG_USER || e[i].tag == TAG_GROUP;

		if (e[i].perm & ~PERM_ALL || e[i].tag > TAG_OTHER || __builtin_popcount(e[i].tag) != 1)
			return false;
		if (i && (named ? e[i].tag < e[i - 1].tag : e[i].tag <= e[i - 1].tag))
			return false;
		if (named && e[i].id == NO_ID)
			return false;
		seen |= e[i].tag;
	}
	if ((seen & (TAG_USER | TAG_GROUP)) && !(seen & TAG_MASK))
		return false;
	return (seen & (TAG_USER_OBJ | TAG_GROUP_OBJ | TAG_OTHER)) ==
	       (TAG_USER_OBJ | TAG_GROUP_OBJ | TAG_OTHER);
}

/* ---- permission ---- */

static bool entry_is_group(const struct acl_entry *e, const struct inode *inode,
			   const struct fs_cred *cred)
{
	u32 gid = e->tag == TAG_GROUP_OBJ ? atomic_load_relaxed(&inode->gid) : e->id;

	if (e->tag != TAG_GROUP_OBJ && e->tag != TAG_GROUP)
		return false;
	return cred->gid == gid || (cred->in_group && cred->in_group(gid));
}

/* A named user's entry decides; of the groups any that allows it will do; all of these within the mask. */
int acl_permission(const struct inode *inode, const struct fs_cred *cred, u32 mask)
{
	struct acl *acl = atomic_load_acquire(&inode->acl);
	const struct acl_entry *limit;
	bool in_group = false;

	if (!acl)
		return -EAGAIN;
	limit = acl_find(acl, TAG_MASK);
	for (u32 i = 0; i < acl->nr; i++) {
		const struct acl_entry *e = &acl->entry[i];
		u32 perm = limit ? e->perm & limit->perm : e->perm;

		if (e->tag == TAG_USER && e->id == cred->uid)
			return (perm & mask) == mask ? 0 : -EACCES;
		if (entry_is_group(e, inode, cred)) {
			in_group = true;
			if ((perm & mask) == mask)
				return 0;
		}
	}
	return !in_group && (acl_find(acl, TAG_OTHER)->perm & mask) == mask ? 0 : -EACCES;
}

/* ---- modes ---- */

int acl_inherit(const struct inode *dir, struct inode *inode, u32 umask)
{
	struct acl *from = dir->default_acl, *access;
	u32 mode = inode->mode;

	if (S_ISLNK(mode))
		return 0;
	if (!from) {
		inode->mode = mode & ~umask;
		return 0;
	}
	access = acl_alloc(from->entry, from->nr);
	if (!access)
		return -ENOMEM;
	inode->mode = (mode & ~0777U) | (mode & acl_mode(access));
	acl_set_mode(access, inode->mode);
	if (acl_is_mode(access))
		kfree(access);
	else
		inode->acl = access;
	if (!S_ISDIR(mode))
		return 0;
	inode->default_acl = acl_alloc(from->entry, from->nr);
	return inode->default_acl ? 0 : -ENOMEM;
}

int acl_chmod(struct inode *inode, u32 mode)
{
	if (inode->acl) {
		struct acl *acl = acl_alloc(inode->acl->entry, inode->acl->nr);

		if (!acl)
			return -ENOMEM;
		acl_set_mode(acl, mode);
		acl_replace(&inode->acl, acl);
	}
	atomic_store_relaxed(&inode->mode, mode);
	return 0;
}

/* ---- the attribute ---- */

static bool acl_supported(const struct inode *inode)
{
	return inode->sb->ops->create && !inode->sb->ops->plain && !S_ISLNK(inode->mode);
}

long acl_get(struct inode *inode, enum acl_kind kind, void *buf, size_t size)
{
	const u32 version = XATTR_VERSION;
	const struct acl *acl;
	long ret = -ENODATA;

	if (!acl_supported(inode))
		return -EOPNOTSUPP;
	mutex_lock(&inode->lock);
	acl = *acl_of(inode, kind);
	if (acl) {
		ret = (long)(sizeof(version) + acl_bytes(acl->nr));
		if (size && size < (size_t)ret) {
			ret = -ERANGE;
		} else if (size) {
			memcpy(buf, &version, sizeof(version));
			memcpy((char *)buf + sizeof(version), acl->entry, acl_bytes(acl->nr));
		}
	}
	mutex_unlock(&inode->lock);
	return ret;
}

/* *out: the list, NULL for one that is empty. */
static int acl_parse(const void *value, size_t size, struct acl **out)
{
	u32 version, nr;
	struct acl *acl;

	*out = NULL;
	if (size == 0)
		return 0;
	if (size < sizeof(version))
		return -EINVAL;
	memcpy(&version, value, sizeof(version));
	if (version != XATTR_VERSION)
		return -EOPNOTSUPP;
	size -= sizeof(version);
	nr = (u32)(size / sizeof(struct acl_entry));
	if (size % sizeof(struct acl_entry))
		return -EINVAL;
	if (nr == 0)
		return 0;
	acl = kmalloc(sizeof(*acl) + size);
	if (!acl)
		return -ENOMEM;
	acl->nr = nr;
	memcpy(acl->entry, (const char *)value + sizeof(version), size);
	for (u32 i = 0; i < nr; i++)
		if (acl->entry[i].tag != TAG_USER && acl->entry[i].tag != TAG_GROUP)
			acl->entry[i].id = NO_ID;
	*out = acl;
	return 0;
}

/* Takes `acl` if it succeeds. Context: inode locked. */
static void acl_set_locked(struct inode *inode, enum acl_kind kind, struct acl *acl)
{
	if (acl && kind == ACL_ACCESS) {
		atomic_store_relaxed(&inode->mode, (inode->mode & ~0777U) | acl_mode(acl));
		if (acl_is_mode(acl)) {
			kfree(acl);
			acl = NULL;
		}
	}
	acl_replace(acl_of(inode, kind), acl);
}

int acl_set(struct inode *inode, enum acl_kind kind, const void *value, size_t size)
{
	struct acl *acl;
	int err;

	if (!acl_supported(inode))
		return -EOPNOTSUPP;
	err = acl_parse(value, size, &acl);
	if (err)
		return err;
	if (kind == ACL_DEFAULT && !S_ISDIR(inode->mode)) {
		err = acl ? -EACCES : 0;
		goto out_free;
	}
	err = fs_owner(inode);
	if (!err && acl && !acl_valid(acl->entry, acl->nr))
		err = -EINVAL;
	if (err)
		goto out_free;
	mutex_lock(&inode->lock);
	acl_set_locked(inode, kind, acl);
	mutex_unlock(&inode->lock);
	return 0;
out_free:
	kfree(acl);
	return err;
}

static size_t list_name(const char *name, char *buf, size_t size, size_t done)
{
	size_t len = strlen(name) + 1;

	if (done + len <= size)
		memcpy(buf + done, name, len);
	return done + len;
}

size_t acl_list(const struct inode *inode, char *buf, size_t size)
{
	size_t done = 0;

	if (inode->acl)
		done = list_name("system.posix_acl_access", buf, size, done);
	if (inode->default_acl)
		done = list_name("system.posix_acl_default", buf, size, done);
	return done;
}
