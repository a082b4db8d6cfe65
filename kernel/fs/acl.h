/*
 * POSIX access control lists (acl(5)) of inodes that have them: rights of further users and groups beside those in the mode.
 */
#ifndef KERNEL_FS_ACL_H
#define KERNEL_FS_ACL_H

#include "kernel/fs/fs.h"

enum acl_kind { ACL_ACCESS, ACL_DEFAULT };

/* An extended attribute's name: whether it stands for a list, and for which. */
bool acl_named(const char *name, enum acl_kind *kind);

/*
 * What fs_permission() asks once the owner is ruled out: 0, -EACCES, or -EAGAIN (no list: the mode decides). Context: under the
 * epoch.
 */
int acl_permission(const struct inode *inode, const struct fs_cred *cred, u32 mask);

/*
 * Completes a new inode of directory `dir`, which is locked: its mode, of which `umask` is taken unless `dir` has a default list. 0 or
 * -ENOMEM.
 */
int acl_inherit(const struct inode *dir, struct inode *inode, u32 umask);
/* The inode's mode becomes `mode`, and its list with it. Context: inode locked. 0 or -ENOMEM. */
int acl_chmod(struct inode *inode, u32 mode);

/* The attribute's value, `size` 0 to ask for its length: bytes, or -ENODATA, -ERANGE, -EOPNOTSUPP. */
long acl_get(struct inode *inode, enum acl_kind kind, void *buf, size_t size);
/* Sets or (size 0) removes it: 0, -EINVAL, -EOPNOTSUPP, -EACCES, -EPERM, -ENOMEM. Context: may sleep. */
int acl_set(struct inode *inode, enum acl_kind kind, const void *value, size_t size);
/* Names of the lists that there are, each with its NUL: bytes, and in `buf` those that fit `size`. Context: inode locked. */
size_t acl_list(const struct inode *inode, char *buf, size_t size);
/* Context: nobody has the inode. */
void acls_free(struct inode *inode);

#endif
