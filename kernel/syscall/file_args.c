/*
 * Decoding of arguments of file system calls.
 */
#include "kernel/syscall/file_args.h"

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/resource.h"
#include "abi/signal.h"
#include "abi/uio.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/task/signal.h"

#include <string.h>

static_assert(sizeof(struct iov_segment) == sizeof(struct abi_iovec), "copied as they are");

int path_of_fd(u64 fd, struct path *out)
{
	struct fd_ref r = fd_arg_open(fd);
	int err = -EINVAL;

	if (!r.file)
		return -EBADF;
	if (r.file->path.dentry) {
		*out = r.file->path;
		path_get(out);
		err = 0;
	}
	fd_return(&r);
	return err;
}

u32 fd_limit(void)
{
	return (u32)MIN(process_rlimit(process_current(), RLIMIT_NOFILE), (u64)FD_TABLE_MAX);
}

long file_install_new(struct file *f, bool cloexec)
{
	int fd;

	if (!f)
		return -ENOMEM;
	fd = fd_install(task_current()->files, f, 0, cloexec, fd_limit());
	if (fd < 0)
		file_put(f);
	return fd;
}

long file_install_pair(struct file *ends[2], u64 addr, bool cloexec)
{
	struct fd_table *files = task_current()->files;
	int fds[2];
	int err;

	fds[0] = fd_reserve(files, 0, cloexec, fd_limit());
	if (fds[0] < 0)
		return fds[0];
	fds[1] = fd_reserve(files, 0, cloexec, fd_limit());
	err = fds[1] < 0 ? fds[1] : copy_to_user((void __user *)(uintptr_t)addr, fds, sizeof(fds));
	if (err) {
		fd_unreserve(files, fds[0]);
		if (fds[1] >= 0)
			fd_unreserve(files, fds[1]);
		return err;
	}
	fd_publish(files, fds[0], ends[0]);
	fd_publish(files, fds[1], ends[1]);
	return 0;
}

long broken_pipe(const struct file *f, long ret)
{
	struct abi_siginfo info;

	if (ret == -EPIPE && !f->ops->raises_sigpipe_itself) {
		signal_info_user(&info, SIGPIPE, SI_USER);
		signal_send_task(task_current(), &info);
	}
	return ret;
}

int path_arg_get(struct path_arg *p, u64 addr)
{
	const char __user *from = (const char __user *)(uintptr_t)addr;
	long len = strncpy_from_user(p->small, from, sizeof(p->small));

	p->text = p->small;
	if (len >= 0)
		return 0;
	if (len != -ENAMETOOLONG)
		return (int)len;
	p->text = kmalloc(FS_PATH_MAX);
	if (!p->text)
		return -ENOMEM;
	len = strncpy_from_user(p->text, from, FS_PATH_MAX);
	if (len >= 0)
		return 0;
	kfree(p->text);
	return (int)len;
}

void path_arg_put(struct path_arg *p)
{
	if (p->text != p->small)
		kfree(p->text);
}

int dir_arg_get(struct dir_arg *d, u64 dirfd, const char *text)
{
	*d = (struct dir_arg){0};
	if ((int)dirfd == AT_FDCWD || text[0] == '/')
		return 0;
	d->ref = fd_arg(dirfd);
	if (!d->ref.file)
		return -EBADF;
	if (!d->ref.file->path.dentry) {
		fd_return(&d->ref);
		return -ENOTDIR;
	}
	d->at = &d->ref.file->path;
	return 0;
}

void dir_arg_put(struct dir_arg *d)
{
	if (d->ref.file)
		fd_return(&d->ref);
}

int path_lookup_arg(u64 dirfd, u64 addr, u32 walk, struct path *out)
{
	struct path_arg name;
	struct dir_arg dir;
	int err = path_arg_get(&name, addr);

	if (err)
		return err;
	err = dir_arg_get(&dir, dirfd, name.text);
	if (!err) {
		err = fs_lookup(task_current()->fs, dir.at, name.text, walk, out);
		dir_arg_put(&dir);
	}
	path_arg_put(&name);
	return err;
}

/* The lengths of a vector, cut so that their sum is at most RW_MAX. */
static int vec_check(struct iov_segment *segs, u64 count)
{
	u64 total = 0;

	for (u64 i = 0; i < count; i++) {
		if ((s64)segs[i].len < 0)
			return -EINVAL;
		if (!user_range(segs[i].base, segs[i].len))
			return -EFAULT;
		segs[i].len = MIN(segs[i].len, RW_MAX - total);
		total += segs[i].len;
	}
	return 0;
}

int vec_arg_get(struct vec_arg *v, u64 addr, u64 count)
{
	int err;

	if (count > UIO_MAXIOV)
		return -EINVAL;
	v->segs = v->few;
	if (count > VEC_ON_STACK) {
		v->segs = kmalloc(count * sizeof(*v->segs));
		if (!v->segs)
			return -ENOMEM;
	}
	err = copy_from_user(v->segs, (const void __user *)(uintptr_t)addr, count * sizeof(*v->segs));
	if (!err)
		err = vec_check(v->segs, count);
	if (err) {
		vec_arg_put(v);
		return err;
	}
	iov_iter_user_vector(&v->it, v->segs, (u32)count);
	return 0;
}

void vec_arg_put(struct vec_arg *v)
{
	if (v->segs != v->few)
		kfree(v->segs);
}

int copy_versioned(void *dst, size_t known, const void __user *src, size_t size)
{
	u8 byte;

	memset(dst, 0, known);
	if (copy_from_user(dst, src, MIN(known, size)))
		return -EFAULT;
	for (size_t i = known; i < size; i++) {
		if (copy_from_user(&byte, (const u8 __user *)src + i, 1))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	return 0;
}
