/*
 * System calls on extended attributes: by path, by path without following a link, by descriptor.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/system.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"

#define XATTR_NAME_MAX 255U
#define XATTR_SIZE_MAX 65536UL
#define XATTR_LIST_MAX 65536UL

enum xattr_by { BY_PATH, BY_LINK, BY_FD };

/* The place that the first argument names, with references. */
static int xattr_place(enum xattr_by by, u64 arg, struct path *out)
{
	int err;

	if (by != BY_FD)
		return path_lookup_arg((u64)AT_FDCWD, arg, by == BY_PATH ? WALK_FOLLOW : 0, out);
	err = path_of_fd(arg, out);
	return err == -EINVAL ? -EOPNOTSUPP : err;
}

static int xattr_name(u64 addr, char name[XATTR_NAME_MAX + 1])
{
	long len = strncpy_from_user(name, (const char __user *)(uintptr_t)addr, XATTR_NAME_MAX + 1);

	if (len < 0)
		return len == -ENAMETOOLONG ? -ERANGE : (int)len;
	return name[0] ? 0 : -ERANGE;
}

static long xattr_set(enum xattr_by by, SYSCALL_ARGS)
{
	char name[XATTR_NAME_MAX + 1];
	struct path p;
	void *value;
	int err;

	if (a4 & ~(u64)(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	err = xattr_name(a1, name);
	if (err)
		return err;
	if (a3 > XATTR_SIZE_MAX)
		return -E2BIG;
	value = kmalloc(a3 + 1);
	if (!value)
		return -ENOMEM;
	err = copy_from_user(value, (const void __user *)(uintptr_t)a2, a3);
	if (!err)
		err = xattr_place(by, a0, &p);
	if (!err) {
		err = fs_set_xattr(&p, name, value, a3, (u32)a4, capable(CAP_SYS_ADMIN));
		path_put(&p);
	}
	kfree(value);
	return err;
}

/* What `get` or `list` gives, in a buffer of at most `max`, copied to the caller. */
static long xattr_read(enum xattr_by by, u64 place, const char *name, u64 addr, u64 size, u64 max)
{
	bool admin = capable(CAP_SYS_ADMIN);
	struct path p;
	char *buf;
	long ret;

	size = MIN(size, max);
	buf = kmalloc(size + 1);
	if (!buf)
		return -ENOMEM;
	ret = xattr_place(by, place, &p);
	if (!ret) {
		ret = name ? fs_get_xattr(&p, name, buf, size, admin)
			   : fs_list_xattrs(&p, buf, size, admin);
		path_put(&p);
	}
	if (ret > 0 && size && copy_to_user((void __user *)(uintptr_t)addr, buf, (size_t)ret))
		ret = -EFAULT;
	kfree(buf);
	return ret;
}

static long xattr_get(enum xattr_by by, SYSCALL_ARGS)
{
	char name[XATTR_NAME_MAX + 1];
	int err = xattr_name(a1, name);

	return err ? err : xattr_read(by, a0, name, a2, a3, XATTR_SIZE_MAX);
}

static long xattr_remove(enum xattr_by by, u64 place, u64 addr)
{
	char name[XATTR_NAME_MAX + 1];
	struct path p;
	int err = xattr_name(addr, name);

	if (!err)
		err = xattr_place(by, place, &p);
	if (err)
		return err;
	err = fs_remove_xattr(&p, name, capable(CAP_SYS_ADMIN));
	path_put(&p);
	return err;
}

long sys_setxattr(SYSCALL_ARGS)
{
	return xattr_set(BY_PATH, a0, a1, a2, a3, a4, a5);
}

long sys_lsetxattr(SYSCALL_ARGS)
{
	return xattr_set(BY_LINK, a0, a1, a2, a3, a4, a5);
}

long sys_fsetxattr(SYSCALL_ARGS)
{
	return xattr_set(BY_FD, a0, a1, a2, a3, a4, a5);
}

long sys_getxattr(SYSCALL_ARGS)
{
	return xattr_get(BY_PATH, a0, a1, a2, a3, a4, a5);
}

long sys_lgetxattr(SYSCALL_ARGS)
{
	return xattr_get(BY_LINK, a0, a1, a2, a3, a4, a5);
}

long sys_fgetxattr(SYSCALL_ARGS)
{
	return xattr_get(BY_FD, a0, a1, a2, a3, a4, a5);
}

long sys_listxattr(SYSCALL_ARGS)
{
	return xattr_read(BY_PATH, a0, NULL, a1, a2, XATTR_LIST_MAX);
}

long sys_llistxattr(SYSCALL_ARGS)
{
	return xattr_read(BY_LINK, a0, NULL, a1, a2, XATTR_LIST_MAX);
}

long sys_flistxattr(SYSCALL_ARGS)
{
	return xattr_read(BY_FD, a0, NULL, a1, a2, XATTR_LIST_MAX);
}

long sys_removexattr(SYSCALL_ARGS)
{
	return xattr_remove(BY_PATH, a0, a1);
}

long sys_lremovexattr(SYSCALL_ARGS)
{
	return xattr_remove(BY_LINK, a0, a1);
}

long sys_fremovexattr(SYSCALL_ARGS)
{
	return xattr_remove(BY_FD, a0, a1);
}
