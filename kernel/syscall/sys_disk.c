/*
 * Calls on what only disks have, swap space and quotas: the answers of a system without disks.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/system.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/cred.h"

#define SWAP_FLAGS_VALID 0x7ffffU
#define MAX_QUOTAS	 3
#define Q_SYNC		 0x800001U

/* No file of memory can be swapped to. */
static long swap_refuse(u64 name)
{
	struct path p;
	u32 mode;
	int err = path_lookup_arg((u64)AT_FDCWD, name, WALK_FOLLOW, &p);

	if (err)
		return err;
	mode = p.dentry->inode->mode;
	path_put(&p);
	return S_ISDIR(mode) ? -EISDIR : -EINVAL;
}

long sys_swapon(SYSCALL_ARGS)
{
	if ((u32)a1 & ~SWAP_FLAGS_VALID)
		return -EINVAL;
	return capable(CAP_SYS_ADMIN) ? swap_refuse(a0) : -EPERM;
}

long sys_swapoff(SYSCALL_ARGS)
{
	return capable(CAP_SYS_ADMIN) ? swap_refuse(a0) : -EPERM;
}

/* `cmd`: the command and, in the low byte, whose quotas. Quotas of all file systems are up to date, of none there are any. */
long sys_quotactl(SYSCALL_ARGS)
{
	u32 cmd = (u32)a0;
	struct path p;
	u32 mode;
	int err;

	if ((cmd & 0xff) >= MAX_QUOTAS)
		return -EINVAL;
	if (!a1)
		return cmd >> 8 == Q_SYNC ? 0 : -ENODEV;
	err = path_lookup_arg((u64)AT_FDCWD, a1, WALK_FOLLOW, &p);
	if (err)
		return err;
	mode = p.dentry->inode->mode;
	path_put(&p);
	return S_ISBLK(mode) ? -ENODEV : -ENOTBLK;
}

long sys_quotactl_fd(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg(a0);

	if (!r.file)
		return -EBADF;
	fd_return(&r);
	return ((u32)a1 & 0xff) >= MAX_QUOTAS ? -EINVAL : -ENOSYS;
}
