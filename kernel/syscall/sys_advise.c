/*
 * posix_fadvise, readahead and cachestat. The data of all files is in memory: good advice has nothing to change, as on Linux's tmpfs.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "abi/stat.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
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

/* Pages of the object in [first, last]. */
static u64 count_cached(struct vm_object *o, u64 first, u64 last)
{
	u64 sum = 0, hole;

	for (u64 at = vm_object_next(o, first, true); at <= last && at != ~0UL;
	     at = vm_object_next(o, hole, true)) {
		hole = vm_object_next(o, at, false);
		sum += (hole > last ? last + 1 : hole) - at;
		if (hole > last)
			break;
		kernel_relax();
	}
	return sum;
}

/* All that is in memory is where it belongs: nothing is dirty, on its way out, or has gone. Source: cachestat(2). */
long sys_cachestat(SYSCALL_ARGS)
{
	struct abi_cachestat stat = {0};
	struct abi_cachestat_range range;
	struct fd_ref r = fd_arg_open(a0);
	struct vm_object *o;
	u64 last;
	long err = 0;

	if (!r.file)
		return -EBADF;
	if (copy_from_user(&range, (const void __user *)a1, sizeof(range)))
		err = -EFAULT;
	else if ((u32)a3)
		err = -EINVAL;
	if (!err) {
		o = r.file->path.dentry ? file_inode(r.file)->object : NULL;
		last = range.len ? range.off + range.len - 1 : ~0UL;
		if (o)
			stat.nr_cache = count_cached(o, range.off >> PAGE_SHIFT, last >> PAGE_SHIFT);
		err = copy_to_user((void __user *)a2, &stat, sizeof(stat));
	}
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
