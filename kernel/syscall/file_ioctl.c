/*
 * Requests about a file's contents that any file may be asked, and that depend on what it is. Sharing of blocks between files is
 * refused as by a file system that cannot: the checks come first. Source: ioctl_ficlonerange(2), ioctl_fideduperange(2).
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/termios.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/file_args.h"

#define BLOCK_BYTES 4096U /* of every file system here */

struct clone_range {
	s64 from_fd;
	u64 from_offset, length, to_offset;
};

static int file_type(struct file *f, u32 *type, u64 *dev)
{
	struct stat_info st;
	int err = f->ops->stat(f, &st);

	*type = st.mode & S_IFMT;
	*dev = st.dev;
	return err;
}

/* The checks of a clone; then it is not possible. */
static int clone_check(struct file *from, struct file *to)
{
	u32 from_type, to_type;
	u64 from_dev, to_dev;
	int err = file_type(from, &from_type, &from_dev);

	if (!err)
		err = file_type(to, &to_type, &to_dev);
	if (err)
		return err;
	if (from_dev != to_dev)
		return -EXDEV;
	if (from_type == S_IFDIR || to_type == S_IFDIR)
		return -EISDIR;
	if (from_type != S_IFREG || to_type != S_IFREG)
		return -EINVAL;
	if (!file_readable(from) || !file_writable(to) || atomic_load_relaxed(&to->flags) & O_APPEND)
		return -EBADF;
	return -EOPNOTSUPP;
}

static long clone_from(struct file *to, u64 fd)
{
	struct fd_ref from = fd_arg_open(fd);
	long ret;

	if (!from.file)
		return -EBADF;
	ret = clone_check(from.file, to);
	fd_return(&from);
	return ret;
}

static long clone_range_from(struct file *to, u64 arg)
{
	struct clone_range range;

	if (copy_from_user(&range, (const void __user *)(uintptr_t)arg, sizeof(range)))
		return -EFAULT;
	return clone_from(to, (u64)range.from_fd);
}

/* Bytes that the file takes up. */
static long bytes_used(struct file *f, u64 arg)
{
	struct stat_info st;
	u64 bytes;
	int err = f->ops->stat(f, &st);

	if (err)
		return err;
	if (!S_ISREG(st.mode) && !S_ISDIR(st.mode) && !S_ISLNK(st.mode))
		return -ENOTTY;
	bytes = st.blocks * 512;
	return copy_to_user((void __user *)(uintptr_t)arg, &bytes, sizeof(bytes)) ? -EFAULT : 0;
}

long file_ioctl(struct file *f, u32 cmd, u64 arg)
{
	switch (cmd) {
	case FIGETBSZ:
		return user_store_u32((u32 __user *)(uintptr_t)arg, BLOCK_BYTES);
	case FIOQSIZE:
		return bytes_used(f, arg);
	case FICLONE:
		return clone_from(f, arg);
	case FICLONERANGE:
		return clone_range_from(f, arg);
	case FS_IOC_FIEMAP:
		return -EOPNOTSUPP;
	default:
		return -ENOTTY;
	}
}
