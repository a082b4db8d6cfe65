/*
 * flock, and the lock commands of fcntl.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "kernel/fs/locks.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"

long sys_flock(SYSCALL_ARGS)
{
	struct file_lock_range whole = {.kind = FILE_LOCK_FLOCK, .end = INT64_MAX};
	u32 op = (u32)a1 & ~(u32)LOCK_NB;
	struct fd_ref r;
	int err;

	/* Requests for mandatory locks are ignored, as on Linux. */
	if (op & LOCK_MAND)
		return 0;
	if (op != LOCK_SH && op != LOCK_EX && op != LOCK_UN)
		return -EINVAL;
	r = fd_arg(a0);
	if (!r.file)
		return -EBADF;
	whole.owner = r.file;
	whole.write = op == LOCK_EX;
	if (atomic_load_relaxed(&r.file->flags) & O_PATH)
		err = -EBADF;
	else if (op == LOCK_UN)
		err = file_unlock(r.file, &whole);
	else
		err = file_lock(r.file, &whole, !(a1 & LOCK_NB));
	fd_return(&r);
	return err;
}

/* The bytes that `lock` names. 0, -EINVAL, -EOVERFLOW. */
static int lock_bytes(struct file *f, const struct abi_flock *lock, struct file_lock_range *r)
{
	struct stat_info st;
	s64 start = lock->l_start, base = 0, end;
	int err;

	if (lock->l_whence == SEEK_CUR) {
		base = (s64)f->pos;
	} else if (lock->l_whence == SEEK_END) {
		err = f->ops->stat(f, &st);
		if (err)
			return err;
		base = (s64)st.size;
	} else if (lock->l_whence != SEEK_SET) {
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	end = INT64_MAX;
	if (lock->l_len > 0 && __builtin_add_overflow(start, lock->l_len - 1, &end))
		return -EOVERFLOW;
	if (lock->l_len < 0) {
		end = start - 1;
		start += lock->l_len;
		if (start < 0)
			return -EINVAL;
	}
	r->start = (u64)start;
	r->end = (u64)end;
	return 0;
}

static int lock_test(struct file *f, const struct file_lock_range *want, u64 addr,
		     struct abi_flock *lock)
{
	struct file_lock_range found;

	if (file_lock_test(f, want, &found)) {
		lock->l_type = found.write ? F_WRLCK : F_RDLCK;
		lock->l_whence = SEEK_SET;
		lock->l_start = (s64)found.start;
		lock->l_len = found.end == INT64_MAX ? 0 : (s64)(found.end - found.start + 1);
		lock->l_pid = (s32)found.pid;
	} else {
		lock->l_type = F_UNLCK;
	}
	return copy_to_user((void __user *)(uintptr_t)addr, lock, sizeof(*lock));
}

static int lock_set(u64 fd, const struct fd_ref *ref, const struct file_lock_range *want, s16 type,
		    bool wait)
{
	struct file *f = ref->file;
	struct file *now;
	int err;

	if (type == F_UNLCK)
		return file_unlock(f, want);
	if (type == F_RDLCK ? !file_readable(f) : !file_writable(f))
		return -EBADF;
	err = file_lock(f, want, wait);
	if (err || !ref->counted)
		return err;
	/* Closed meanwhile by another thread, whose close may have looked before the lock was there. */
	now = fd_get(task_current()->files, (int)fd);
	if (now != f) {
		file_unlock(f, want);
		err = -EBADF;
	}
	if (now)
		file_put(now);
	return err;
}

long file_lock_command(u64 fd, const struct fd_ref *ref, u32 cmd, u64 addr)
{
	bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
	bool test = cmd == F_GETLK || cmd == F_OFD_GETLK;
	struct file_lock_range want = {
		.kind = FILE_LOCK_RECORD,
		.owner = ofd ? (const void *)ref->file : (const void *)task_current()->files,
		.pid = ofd ? (u32)-1 : process_pid(process_current()),
		.detect = !ofd,
	};
	struct abi_flock lock;
	int err;

	if (copy_from_user(&lock, (const void __user *)(uintptr_t)addr, sizeof(lock)))
		return -EFAULT;
	if (ofd && lock.l_pid != 0)
		return -EINVAL;
	if (lock.l_type != F_RDLCK && lock.l_type != F_WRLCK && (test || lock.l_type != F_UNLCK))
		return -EINVAL;
	err = lock_bytes(ref->file, &lock, &want);
	if (err)
		return err;
	want.write = lock.l_type == F_WRLCK;
	if (test)
		return lock_test(ref->file, &want, addr, &lock);
	return lock_set(fd, ref, &want, lock.l_type, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
}
