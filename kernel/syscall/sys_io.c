/*
 * read and write in all forms, lseek. Each looks the descriptor up (borrowed when the table is
 * not shared), checks the access mode, and calls the file type with an iterator and a position.
 * The file's own position is locked only if somebody else may use it.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/uio.h"
#include "kernel/file/pipe.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"

static void io_count(long ret, bool write)
{
	struct io_counts *c = &task_current()->io_counts;

	if (write) {
		c->writes++;
		c->written_bytes += ret > 0 ? (u64)ret : 0;
	} else {
		c->reads++;
		c->read_bytes += ret > 0 ? (u64)ret : 0;
	}
}

long file_transfer(struct file *f, struct iov_iter *it, u64 *pos, bool write, bool nowait)
{
	bool nonblock = nowait || atomic_load_relaxed(&f->flags) & O_NONBLOCK;
	long ret;

	if (!write)
		ret = f->ops->read ? f->ops->read(f, it, pos, nonblock) : -EINVAL;
	else
		ret = broken_pipe(f, f->ops->write ? f->ops->write(f, it, pos, nonblock) : -EINVAL);
	io_count(ret, write);
	if (fs_watched() && ret > 0 && f->path.dentry)
		fs_notify(f->path.dentry, write ? IN_MODIFY : IN_ACCESS);
	return ret;
}

/* At the file's own position. */
static long io_here(const struct fd_ref *r, struct iov_iter *it, bool write, bool nowait)
{
	struct file *f = r->file;
	bool lock = f->ops->seek && !f->ops->own_position && fd_shared(r);
	long ret;

	if (lock)
		mutex_lock(&f->pos_lock);
	ret = file_transfer(f, it, &f->pos, write, nowait);
	if (lock)
		mutex_unlock(&f->pos_lock);
	return ret;
}

/* At `pos`: -EINVAL if negative. The file has positions. */
static long io_at(const struct fd_ref *r, struct iov_iter *it, u64 pos, bool write, bool nowait)
{
	if ((s64)pos < 0)
		return -EINVAL;
	return file_transfer(r->file, it, &pos, write, nowait);
}

/* The descriptor for reading or writing; file NULL: -EBADF. */
static struct fd_ref io_fd(u64 fd, bool write)
{
	struct fd_ref r = fd_arg(fd);

	if (r.file && !(write ? file_writable(r.file) : file_readable(r.file))) {
		fd_return(&r);
		r = (struct fd_ref){0};
	}
	return r;
}

/* The same for a transfer at a position: *err is -ESPIPE where there is none, whatever the access mode. */
static struct fd_ref io_fd_at(u64 fd, bool write, long *err)
{
	struct fd_ref r = fd_arg_open(fd);
	bool stream = r.file && !r.file->ops->seek;

	*err = stream ? -ESPIPE : -EBADF;
	if (r.file && (stream || !(write ? file_writable(r.file) : file_readable(r.file)))) {
		fd_return(&r);
		r = (struct fd_ref){0};
	}
	return r;
}

static __hot long io_buffer(u64 fd, u64 addr, u64 count, bool write)
{
	struct fd_ref r = io_fd(fd, write);
	struct iov_segment seg;
	struct iov_iter it;
	long ret = -EFAULT;

	if (!r.file)
		return -EBADF;
	if (user_range(addr, count)) {
		iov_iter_user(&it, &seg, addr, MIN(count, RW_MAX));
		ret = io_here(&r, &it, write, false);
	}
	fd_return(&r);
	return ret;
}

static long io_buffer_at(u64 fd, u64 addr, u64 count, u64 pos, bool write)
{
	struct fd_ref r;
	struct iov_segment seg;
	struct iov_iter it;
	long ret;

	if ((s64)pos < 0)
		return -EINVAL;
	r = io_fd_at(fd, write, &ret);
	if (!r.file)
		return ret;
	ret = -EFAULT;
	if (user_range(addr, count)) {
		iov_iter_user(&it, &seg, addr, MIN(count, RW_MAX));
		ret = io_at(&r, &it, pos, write, false);
	}
	fd_return(&r);
	return ret;
}

/* There is nothing to write back, and nothing to poll for: the rest of the flags ask for what is so anyway. */
#define RWF_SUPPORTED (RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND)

long rw_flags_check(const struct file *f, u32 flags)
{
	if (flags & ~(u32)(f->ops->no_rw_flags ? RWF_HIPRI : RWF_SUPPORTED))
		return -EOPNOTSUPP;
	if ((flags & RWF_APPEND) && (flags & RWF_NOAPPEND))
		return -EINVAL;
	/* A pipe by name does not know it, as on Linux. */
	if ((flags & RWF_NOWAIT) && (!f->ops->nowait || (pipe_of_file(f) && f->path.dentry)))
		return -EOPNOTSUPP;
	return 0;
}

enum iov_append rw_flags_append(u32 flags)
{
	return flags & RWF_APPEND     ? IOV_APPEND_ALWAYS
	       : flags & RWF_NOAPPEND ? IOV_APPEND_NEVER
				      : IOV_APPEND_BY_FILE;
}

static long io_vector_flags(const struct fd_ref *r, struct iov_iter *it, const u64 *pos, bool write,
			    u32 flags)
{
	/* As on Linux, nothing to move is no error whatever the flags are. */
	long err = flags && it->count ? rw_flags_check(r->file, flags) : 0;

	if (err)
		return err;
	it->append = rw_flags_append(flags);
	return pos ? io_at(r, it, *pos, write, flags & RWF_NOWAIT)
		   : io_here(r, it, write, flags & RWF_NOWAIT);
}

static long io_vector(u64 fd, u64 addr, u64 count, const u64 *pos, bool write, u32 flags)
{
	long ret = -EBADF;
	struct fd_ref r = pos ? io_fd_at(fd, write, &ret) : io_fd(fd, write);
	struct vec_arg v;

	if (!r.file)
		return ret;
	ret = vec_arg_get(&v, addr, (u32)count);
	if (!ret) {
		ret = io_vector_flags(&r, &v.it, pos, write, flags);
		vec_arg_put(&v);
	}
	fd_return(&r);
	return ret;
}

__hot long sys_read(SYSCALL_ARGS)
{
	return io_buffer(a0, a1, a2, false);
}

__hot long sys_write(SYSCALL_ARGS)
{
	return io_buffer(a0, a1, a2, true);
}

long sys_pread64(SYSCALL_ARGS)
{
	return io_buffer_at(a0, a1, a2, a3, false);
}

long sys_pwrite64(SYSCALL_ARGS)
{
	return io_buffer_at(a0, a1, a2, a3, true);
}

long sys_readv(SYSCALL_ARGS)
{
	return io_vector(a0, a1, a2, NULL, false, 0);
}

long sys_writev(SYSCALL_ARGS)
{
	return io_vector(a0, a1, a2, NULL, true, 0);
}

/* On 64 bits the position is all in a3; a4 is the unused upper half. */
long sys_preadv(SYSCALL_ARGS)
{
	return io_vector(a0, a1, a2, &a3, false, 0);
}

long sys_pwritev(SYSCALL_ARGS)
{
	return io_vector(a0, a1, a2, &a3, true, 0);
}

/* Position -1 means the file's own; a5 are RWF_* flags. */
long sys_preadv2(SYSCALL_ARGS)
{
	return io_vector(a0, a1, a2, (s64)a3 == -1 ? NULL : &a3, false, (u32)a5);
}

long sys_pwritev2(SYSCALL_ARGS)
{
	return io_vector(a0, a1, a2, (s64)a3 == -1 ? NULL : &a3, true, (u32)a5);
}

long sys_lseek(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg(a0);
	struct file *f = r.file;
	bool lock;
	long ret;

	if (!f)
		return -EBADF;
	if (f->flags & O_PATH) {
		ret = -EBADF;
	} else if ((u32)a2 > SEEK_HOLE) {
		ret = -EINVAL;
	} else if (!f->ops->seek) {
		ret = f->ops->seek_ignored ? 0 : -ESPIPE;
	} else {
		lock = !f->ops->own_position && fd_shared(&r);
		if (lock)
			mutex_lock(&f->pos_lock);
		ret = f->ops->seek(f, (s64)a1, (int)a2);
		if (lock)
			mutex_unlock(&f->pos_lock);
	}
	fd_return(&r);
	return ret;
}
