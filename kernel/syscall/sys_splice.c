/*
 * splice, tee, vmsplice, sendfile, copy_file_range: arguments and positions; kernel/file/splice.c moves
 * the bytes.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/file/pipe.h"
#include "kernel/file/splice.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"

#define SPLICE_F_NONBLOCK 2U
#define SPLICE_F_ALL	  15U

/* Two descriptors: the first to read from, the second to write to. */
struct transfer {
	struct fd_ref refs[2];
	struct splice_end in, out;
	u64 pos[2];  /* positions, as far as the files have any */
	u64 user[2]; /* where they came from and go back to; 0: the file's own */
};

static void transfer_end(struct transfer *t)
{
	for (int i = 0; i < 2; i++)
		if (t->refs[i].file)
			fd_return(&t->refs[i]);
}

static bool nonblocking(const struct file *f)
{
	return atomic_load_relaxed(&f->flags) & O_NONBLOCK;
}

static int transfer_begin(struct transfer *t, u64 in, u64 out)
{
	*t = (struct transfer){.refs = {fd_arg(in), fd_arg(out)}};
	if (t->refs[0].file && t->refs[1].file && file_readable(t->refs[0].file) &&
	    file_writable(t->refs[1].file)) {
		t->in = (struct splice_end){.file = t->refs[0].file,
					    .nonblock = nonblocking(t->refs[0].file)};
		t->out = (struct splice_end){.file = t->refs[1].file,
					     .nonblock = nonblocking(t->refs[1].file)};
		return 0;
	}
	transfer_end(t);
	return -EBADF;
}

/*
 * Finds the position of end `i`: at `user`, or the file's own. That is not locked, as Linux does not
 * either: the transfer may wait for the other file.
 */
static int transfer_place(struct transfer *t, int i, u64 user)
{
	struct splice_end *end = i ? &t->out : &t->in;

	if (!end->file->ops->seek)
		return user ? -ESPIPE : 0;
	if (!user)
		t->pos[i] = end->file->pos;
	else if (copy_from_user(&t->pos[i], (const void __user *)(uintptr_t)user, sizeof(u64)))
		return -EFAULT;
	if ((s64)t->pos[i] < 0)
		return -EINVAL;
	t->user[i] = user;
	end->pos = &t->pos[i];
	return 0;
}

static long transfer_result(struct transfer *t, long ret)
{
	for (int i = 0; i < 2 && ret > 0; i++) {
		struct splice_end *end = i ? &t->out : &t->in;

		if (end->pos && !t->user[i])
			end->file->pos = t->pos[i];
		else if (end->pos &&
			 copy_to_user((void __user *)(uintptr_t)t->user[i], &t->pos[i], sizeof(u64)))
			ret = -EFAULT;
	}
	ret = broken_pipe(t->out.file, ret);
	transfer_end(t);
	return ret;
}

/* Does writing append? Linux refuses that for transfers. */
static bool appends(const struct file *f)
{
	return atomic_load_relaxed(&f->flags) & O_APPEND;
}

static long splice_run(struct transfer *t, u64 len, bool from, bool to)
{
	if (to && from && pipe_of_file(t->in.file) == pipe_of_file(t->out.file))
		return -EINVAL;
	if (!to && appends(t->out.file))
		return -EINVAL;
	return from ? splice_from_pipe(&t->in, &t->out, len) : splice_to_pipe(&t->in, &t->out, len);
}

long sys_splice(SYSCALL_ARGS)
{
	u64 len = MIN(a4, RW_MAX);
	struct transfer t;
	bool from, to;
	long ret;

	if (!a4)
		return 0;
	if (a5 & ~(u64)SPLICE_F_ALL)
		return -EINVAL;
	ret = transfer_begin(&t, a0, a2);
	if (ret)
		return ret;
	from = pipe_of_file(t.in.file);
	to = pipe_of_file(t.out.file);
	if (!from && !to)
		ret = -EINVAL;
	else if ((from && a1) || (to && a3))
		ret = -ESPIPE;
	if (a5 & SPLICE_F_NONBLOCK) {
		t.in.nonblock |= from;
		t.out.nonblock |= to;
	}
	if (!ret && !from)
		ret = transfer_place(&t, 0, a1);
	if (!ret && !to)
		ret = transfer_place(&t, 1, a3);
	if (!ret)
		ret = splice_run(&t, len, from, to);
	return transfer_result(&t, ret);
}

long sys_tee(SYSCALL_ARGS)
{
	struct transfer t;
	long ret;

	if (a3 & ~(u64)SPLICE_F_ALL)
		return -EINVAL;
	if (!a2)
		return 0;
	ret = transfer_begin(&t, a0, a1);
	if (ret)
		return ret;
	t.in.nonblock |= (a3 & SPLICE_F_NONBLOCK) != 0;
	t.out.nonblock |= (a3 & SPLICE_F_NONBLOCK) != 0;
	if (!pipe_of_file(t.in.file) || !pipe_of_file(t.out.file) ||
	    pipe_of_file(t.in.file) == pipe_of_file(t.out.file))
		ret = -EINVAL;
	else
		ret = splice_tee(&t.in, &t.out, MIN(a2, RW_MAX));
	return transfer_result(&t, ret);
}

/* Into a pipe it is a writev, out of one a readv: the pages are copied. */
long sys_vmsplice(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg(a0);
	struct vec_arg v;
	struct file *f = r.file;
	bool nonblock;
	long ret = -EBADF;

	if (!f)
		return -EBADF;
	if (a3 & ~(u64)SPLICE_F_ALL)
		ret = -EINVAL;
	else if (pipe_of_file(f))
		ret = vec_arg_get(&v, a1, a2);
	if (!ret) {
		nonblock = nonblocking(f) || (a3 & SPLICE_F_NONBLOCK);
		if (!v.it.count)
			ret = 0;
		else if (file_writable(f))
			ret = f->ops->write(f, &v.it, &f->pos, nonblock);
		else
			ret = f->ops->read(f, &v.it, &f->pos, nonblock);
		vec_arg_put(&v);
	}
	ret = broken_pipe(f, ret);
	fd_return(&r);
	return ret;
}

long sys_sendfile(SYSCALL_ARGS)
{
	struct transfer t;
	long ret = transfer_begin(&t, a1, a0);

	if (ret)
		return ret;
	if (a2 && !t.in.file->ops->seek)
		ret = -ESPIPE;
	else if (!t.in.file->ops->seek || appends(t.out.file))
		ret = -EINVAL;
	if (!ret)
		ret = transfer_place(&t, 0, a2);
	if (!ret)
		ret = transfer_place(&t, 1, 0);
	if (!ret)
		ret = splice_copy(&t.in, &t.out, MIN(a3, RW_MAX));
	return transfer_result(&t, ret);
}

static int copy_check_files(const struct file *in, const struct file *out)
{
	u32 modes[2] = {in->path.dentry ? file_inode(in)->mode : 0,
			out->path.dentry ? file_inode(out)->mode : 0};

	if (S_ISDIR(modes[0]) || S_ISDIR(modes[1]))
		return -EISDIR;
	if (!S_ISREG(modes[0]) || !S_ISREG(modes[1]))
		return -EINVAL;
	return appends(out) ? -EBADF : 0;
}

/* Ranges of one file must not overlap. */
static int copy_check_ranges(const struct transfer *t, u64 len)
{
	u64 in = *t->in.pos, out = *t->out.pos;

	if (in + len < in || out + len < out)
		return -EOVERFLOW;
	if (file_inode(t->in.file) == file_inode(t->out.file) && in < out + len && out < in + len)
		return -EINVAL;
	return 0;
}

long sys_copy_file_range(SYSCALL_ARGS)
{
	u64 len = MIN(a4, RW_MAX);
	struct transfer t;
	long ret;

	if (a5)
		return -EINVAL;
	ret = transfer_begin(&t, a0, a2);
	if (ret)
		return ret;
	ret = copy_check_files(t.in.file, t.out.file);
	if (!ret)
		ret = transfer_place(&t, 0, a1);
	if (!ret)
		ret = transfer_place(&t, 1, a3);
	if (!ret)
		ret = copy_check_ranges(&t, len);
	if (!ret)
		ret = splice_copy(&t.in, &t.out, len);
	return transfer_result(&t, ret);
}
