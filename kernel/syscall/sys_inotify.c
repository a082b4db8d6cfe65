/*
 * inotify.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "kernel/fs/inotify.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"

long sys_inotify_init1(SYSCALL_ARGS)
{
	u32 flags = (u32)a0;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	return file_install_new(inotify_create(flags & O_NONBLOCK), flags & O_CLOEXEC);
}

static long watch_add(struct file *f, u64 name, u32 mask)
{
	u32 walk = (mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW) |
		   (mask & IN_ONLYDIR ? WALK_DIRECTORY : 0);
	struct path p;
	long ret;

	if (!(mask & IN_ALL_EVENTS) ||
	    (mask & (IN_MASK_ADD | IN_MASK_CREATE)) == (IN_MASK_ADD | IN_MASK_CREATE))
		return -EINVAL;
	if (!inotify_is(f))
		return -EINVAL;
	ret = path_lookup_arg((u64)AT_FDCWD, name, walk, &p);
	if (ret)
		return ret;
	ret = fs_permission(p.dentry->inode, MAY_READ);
	if (!ret)
		ret = inotify_add(f, p.dentry->inode, mask);
	path_put(&p);
	return ret;
}

long sys_inotify_add_watch(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg(a0);
	long ret;

	if (!r.file)
		return -EBADF;
	ret = watch_add(r.file, a1, (u32)a2);
	fd_return(&r);
	return ret;
}

long sys_inotify_rm_watch(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg(a0);
	int err;

	if (!r.file)
		return -EBADF;
	err = inotify_is(r.file) ? inotify_remove(r.file, (s32)a1) : -EINVAL;
	fd_return(&r);
	return err;
}
