/*
 * posix_fadvise and readahead. The data of all files is in memory: good advice has nothing to change, as on Linux's tmpfs.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"

/* Source: posix_fadvise(2). */
static long advise_file(struct file *f, s64 len, u32 advice)
{
	struct stat_info st;
	int err = f->ops->stat(f, &st);

	if (err)
		return err;
	if (S_ISFIFO(st.mode))
		return -ESPIPE;
	return len < 0 || advice > POSIX_FADV_NOREUSE ? -EINVAL : 0;
}

long sys_fadvise64(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg_open(a0);
	long err;

	if (!r.file)
		return -EBADF;
	err = advise_file(r.file, (s64)a2, (u32)a3);
	fd_return(&r);
	return err;
}

/* Source: readahead(2). Only regular files are read ahead. */
static long readahead_file(struct file *f, s64 len)
{
	struct stat_info st;
	int err;

	if (!file_readable(f))
		return -EBADF;
	err = f->ops->stat(f, &st);
	if (err)
		return err;
	return !S_ISREG(st.mode) || len < 0 ? -EINVAL : 0;
}

long sys_readahead(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg(a0);
	long err;

	if (!r.file)
		return -EBADF;
	err = readahead_file(r.file, (s64)a2);
	fd_return(&r);
	return err;
}
