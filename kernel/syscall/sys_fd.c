/*
 * System calls on descriptors: close, dup, fcntl, ioctl, pipe.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/termios.h"
#include "kernel/file/pipe.h"
#include "kernel/fs/leases.h"
#include "kernel/fs/memfd.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/sigio.h"

long sys_close(SYSCALL_ARGS)
{
	return fd_close(task_current()->files, (int)a0);
}

long sys_close_range(SYSCALL_ARGS)
{
	u32 first = (u32)a0, last = (u32)a1, flags = (u32)a2;
	struct task *t = task_current();

	if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) {
		struct fd_table *copy = fd_table_copy(t->files);

		if (!copy)
			return -ENOMEM;
		task_set_files(copy);
	}
	fd_close_range(t->files, first, last, flags & CLOSE_RANGE_CLOEXEC);
	return 0;
}

/* dup, F_DUPFD: a second descriptor >= min of the same file. */
static long fd_duplicate(u64 fd, u32 min, bool cloexec)
{
	struct fd_table *files = task_current()->files;
	struct file *f = fd_get(files, (int)fd);
	int new;

	if (!f)
		return -EBADF;
	new = fd_install(files, f, min, cloexec, fd_limit());
	if (new < 0)
		file_put(f);
	return new;
}

long sys_dup(SYSCALL_ARGS)
{
	return fd_duplicate(a0, 0, false);
}

long sys_dup3(SYSCALL_ARGS)
{
	struct fd_table *files = task_current()->files;
	int old = (int)a0, new = (int)a1, ret;
	struct file *f;

	if ((int)a2 & ~O_CLOEXEC)
		return -EINVAL;
	if (old == new)
		return -EINVAL;
	f = fd_get(files, old);
	if (!f)
		return -EBADF;
	ret = fd_replace(files, new, f, a2 & O_CLOEXEC, fd_limit());
	if (ret < 0)
		file_put(f);
	return ret;
}

/* O_ASYNC is set for files that can do it only, and read back so. */
static long set_status_flags(struct file *f, int fd, u32 flags)
{
	const u32 mask = O_APPEND | O_DIRECT | O_NONBLOCK | O_NOATIME;
	u32 old = atomic_load_relaxed(&f->flags);
	int err = 0;

	/* In pipes it means packets. */
	if ((flags & O_DIRECT) && !pipe_of_file(f) && !fs_allows_direct(f))
		return -EINVAL;
	if ((flags ^ old) & O_ASYNC)
		err = sigio_set_async(f, fd, flags & O_ASYNC);
	if (err)
		return err;
	do {
		old = atomic_load_relaxed(&f->flags);
	} while (!atomic_cas(&f->flags, old, (old & ~mask) | (flags & mask)));
	return 0;
}

static long set_owner_ex(struct file *f, u64 addr)
{
	struct abi_f_owner_ex ex;

	if (copy_from_user(&ex, (const void __user *)(uintptr_t)addr, sizeof(ex)))
		return -EFAULT;
	switch (ex.type) {
	case F_OWNER_TID:
	case F_OWNER_PID:
		return ex.pid < 0 ? -EINVAL : sigio_set_owner(f, ex.pid, ex.type == F_OWNER_TID);
	case F_OWNER_PGRP:
		return ex.pid < 0 ? -EINVAL : sigio_set_owner(f, -ex.pid, false);
	default:
		return -EINVAL;
	}
}

static long get_owner_ex(struct file *f, u64 addr)
{
	s32 owner = atomic_load_relaxed(&f->owner);
	struct abi_f_owner_ex ex = {.type = F_OWNER_PID, .pid = owner};

	if (owner < 0)
		ex = (struct abi_f_owner_ex){F_OWNER_PGRP, -owner};
	else if (owner && atomic_load_relaxed(&f->owner_thread))
		ex.type = F_OWNER_TID;
	return copy_to_user((void __user *)(uintptr_t)addr, &ex, sizeof(ex));
}

/* Whom the file's events are told, and by which signal. */
static long fcntl_signals(struct file *f, u32 cmd, u64 arg)
{
	switch (cmd) {
	case F_SETOWN:
		return sigio_set_owner(f, (s32)arg, false);
	case F_GETOWN:
		return atomic_load_relaxed(&f->owner);
	case F_SETOWN_EX:
		return set_owner_ex(f, arg);
	case F_GETOWN_EX:
		return get_owner_ex(f, arg);
	case F_SETSIG:
		return sigio_set_signal(f, arg);
	default:
		return sigio_signal(f);
	}
}

static long fcntl_run(u64 fd, const struct fd_ref *ref, u32 cmd, u64 arg)
{
	struct file *f = ref->file;
	struct fd_table *files = task_current()->files;
	u32 flags = atomic_load_relaxed(&f->flags);

	if ((flags & O_PATH) && cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC && cmd != F_GETFD &&
	    cmd != F_SETFD && cmd != F_GETFL)
		return -EBADF;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (arg >= fd_limit())
			return -EINVAL;
		return fd_duplicate(fd, (u32)arg, cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_get_cloexec(files, (int)fd);
	case F_SETFD:
		return fd_set_cloexec(files, (int)fd, arg & FD_CLOEXEC);
	case F_GETFL:
		return flags;
	case F_SETFL:
		return set_status_flags(f, (int)fd, (u32)arg);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return file_lock_command(fd, ref, cmd, arg);
	case F_SETLEASE:
		return lease_set(f, (int)fd, (int)arg);
	case F_GETLEASE:
		return lease_get(f);
	case F_ADD_SEALS:
		return file_add_seals(f, (u32)arg);
	case F_GET_SEALS:
		return file_get_seals(f);
	case F_SETOWN:
	case F_GETOWN:
	case F_SETOWN_EX:
	case F_GETOWN_EX:
	case F_SETSIG:
	case F_GETSIG:
		return fcntl_signals(f, cmd, arg);
	case F_GETPIPE_SZ:
		return pipe_size(f);
	case F_SETPIPE_SZ:
		return pipe_resize(f, (u32)arg);
	default:
		return -EINVAL;
	}
}

long sys_fcntl(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg(a0);
	long ret;

	if (!r.file)
		return -EBADF;
	ret = fcntl_run(a0, &r, (u32)a1, a2);
	fd_return(&r);
	return ret;
}

/* FIONREAD of a regular file: the bytes behind its position. -ENOTTY: it is none. */
static long bytes_left(struct file *f, u64 arg)
{
	struct stat_info st;
	int err = f->ops->stat(f, &st);

	if (err || !S_ISREG(st.mode))
		return err ? err : -ENOTTY;
	return user_store_u32((u32 __user *)(uintptr_t)arg,
			      (u32)(st.size - atomic_load_relaxed(&f->pos)));
}

/* Requests that concern the descriptor, not the kind of file; -ENOTTY: another one. */
static long ioctl_common(u64 fd, struct file *f, u32 cmd, u64 arg)
{
	u32 value = 0;
	int err;

	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
		return fd_set_cloexec(task_current()->files, (int)fd, cmd == FIOCLEX);
	case FIONBIO:
		err = user_load_u32((const u32 __user *)(uintptr_t)arg, &value);
		if (err)
			return err;
		if (value)
			atomic_fetch_or(&f->flags, O_NONBLOCK);
		else
			atomic_fetch_and(&f->flags, ~O_NONBLOCK);
		return 0;
	case FIOASYNC:
		err = user_load_u32((const u32 __user *)(uintptr_t)arg, &value);
		if (err)
			return err;
		if (!f->ops->async_owner)
			return value ? -ENOTTY : 0;
		return sigio_set_async(f, (int)fd, value);
	default:
		return -ENOTTY;
	}
}

long sys_ioctl(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg(a0);
	struct file *f = r.file;
	long ret = -EBADF;

	if (!f)
		return -EBADF;
	if (!(atomic_load_relaxed(&f->flags) & O_PATH))
		ret = ioctl_common(a0, f, (u32)a1, a2);
	if (ret == -ENOTTY && f->ops->ioctl)
		ret = f->ops->ioctl(f, (u32)a1, a2);
	if (ret == -ENOTTY && (u32)a1 == FIONREAD)
		ret = bytes_left(f, a2);
	if (ret == -ENOTTY)
		ret = file_ioctl(f, (u32)a1, a2);
	fd_return(&r);
	return ret;
}

long sys_memfd_create(SYSCALL_ARGS)
{
	u32 flags = (u32)a1;
	char name[MEMFD_NAME_MAX + 1];
	u32 seals = flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL) ? 0 : F_SEAL_SEAL;
	struct file *f;
	long ret;

	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC))
		return -EINVAL;
	if ((flags & MFD_EXEC) && (flags & MFD_NOEXEC_SEAL))
		return -EINVAL;
	ret = strncpy_from_user(name, (const char __user *)(uintptr_t)a0, sizeof(name));
	if (ret < 0)
		return ret == -ENAMETOOLONG ? -EINVAL : ret;
	if (flags & MFD_NOEXEC_SEAL)
		seals |= F_SEAL_EXEC;
	ret = memfd_create(name, flags & MFD_NOEXEC_SEAL ? 0666 : 0777, seals, &f);
	return ret ? ret : file_install_new(f, flags & MFD_CLOEXEC);
}

long sys_pipe2(SYSCALL_ARGS)
{
	u32 flags = (u32)a1;
	struct file *ends[2];
	long ret;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_NOTIFICATION_PIPE))
		return -EINVAL;
	/* Watch queues are not built in, as in Debian's kernel. */
	if (flags & O_NOTIFICATION_PIPE)
		return -ENOPKG;
	ret = pipe_create(ends, flags & (O_NONBLOCK | O_DIRECT));
	if (ret)
		return ret;
	ret = file_install_pair(ends, a0, flags & O_CLOEXEC);
	if (ret) {
		file_put(ends[0]);
		file_put(ends[1]);
	}
	return ret;
}
