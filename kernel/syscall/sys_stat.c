/*
 * System calls on attributes and sizes: the stat family, statfs, chmod, chown, times, truncate,
 * sync.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/time/time.h"

/* Floor division: times before 1970 have non-negative nanoseconds. */
static s64 ns_seconds(s64 ns)
{
	return ns >= 0 ? ns / NSEC_PER_SEC : -((-ns + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
}

static u32 ns_rest(s64 ns)
{
	return (u32)(ns - ns_seconds(ns) * NSEC_PER_SEC);
}

static int stat_to_user(u64 addr, const struct stat_info *st)
{
	struct abi_stat out = {
		.st_dev = st->dev,
		.st_ino = st->ino,
		.st_mode = st->mode,
		.st_nlink = st->nlink,
		.st_uid = st->uid,
		.st_gid = st->gid,
		.st_rdev = st->rdev,
		.st_size = (s64)st->size,
		.st_blksize = (s32)st->blksize,
		.st_blocks = (s64)st->blocks,
		.st_atime = ns_seconds(st->atime_ns),
		.st_atime_nsec = ns_rest(st->atime_ns),
		.st_mtime = ns_seconds(st->mtime_ns),
		.st_mtime_nsec = ns_rest(st->mtime_ns),
		.st_ctime = ns_seconds(st->ctime_ns),
		.st_ctime_nsec = ns_rest(st->ctime_ns),
	};

	return copy_to_user((void __user *)(uintptr_t)addr, &out, sizeof(out));
}

static int stat_fd(u64 fd, struct stat_info *st)
{
	struct fd_ref r = fd_arg(fd);
	int err;

	if (!r.file)
		return -EBADF;
	err = r.file->ops->stat(r.file, st);
	fd_return(&r);
	return err;
}

/* "" with AT_EMPTY_PATH is the descriptor itself, which may have no place in the tree. */
static int stat_at(u64 dirfd, u64 addr, u32 flags, struct stat_info *st)
{
	u32 walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct path_arg name;
	struct dir_arg dir;
	struct path p;
	int err;

	if ((flags & AT_EMPTY_PATH) && addr == 0 && (int)dirfd >= 0)
		return stat_fd(dirfd, st);
	err = path_arg_get(&name, addr);
	if (err)
		return err;
	if ((flags & AT_EMPTY_PATH) && name.text[0] == '\0') {
		walk |= WALK_EMPTY;
		if ((int)dirfd != AT_FDCWD) {
			path_arg_put(&name);
			return stat_fd(dirfd, st);
		}
	}
	err = dir_arg_get(&dir, dirfd, name.text);
	if (!err) {
		err = fs_lookup(task_current()->fs, dir.at, name.text, walk, &p);
		dir_arg_put(&dir);
	}
	path_arg_put(&name);
	if (err)
		return err;
	err = fs_stat(&p, st);
	path_put(&p);
	return err;
}

long sys_fstat(SYSCALL_ARGS)
{
	struct stat_info st;
	int err = stat_fd(a0, &st);

	return err ? err : stat_to_user(a1, &st);
}

long sys_newfstatat(SYSCALL_ARGS)
{
	struct stat_info st;
	int err;

	if ((u32)a3 & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	err = stat_at(a0, a1, (u32)a3, &st);
	return err ? err : stat_to_user(a2, &st);
}

static struct abi_statx_timestamp statx_time(s64 ns)
{
	return (struct abi_statx_timestamp){.tv_sec = ns_seconds(ns), .tv_nsec = ns_rest(ns)};
}

long sys_statx(SYSCALL_ARGS)
{
	u32 flags = (u32)a2, mask = (u32)a3;
	struct abi_statx out;
	struct stat_info st;
	int err;

	if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) ||
	    (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE || (mask & STATX__RESERVED))
		return -EINVAL;
	err = stat_at(a0, a1, flags, &st);
	if (err)
		return err;
	out = (struct abi_statx){
		.stx_mask = STATX_BASIC_STATS | STATX_BTIME,
		.stx_blksize = (u32)st.blksize,
		.stx_attributes = st.mount_root ? STATX_ATTR_MOUNT_ROOT : 0,
		.stx_attributes_mask = STATX_ATTR_MOUNT_ROOT,
		.stx_nlink = st.nlink,
		.stx_uid = st.uid,
		.stx_gid = st.gid,
		.stx_mode = (u16)st.mode,
		.stx_ino = st.ino,
		.stx_size = st.size,
		.stx_blocks = st.blocks,
		.stx_atime = statx_time(st.atime_ns),
		.stx_btime = statx_time(st.btime_ns),
		.stx_ctime = statx_time(st.ctime_ns),
		.stx_mtime = statx_time(st.mtime_ns),
		.stx_rdev_major = ABI_MAJOR(st.rdev),
		.stx_rdev_minor = ABI_MINOR(st.rdev),
		.stx_dev_major = ABI_MAJOR(st.dev),
		.stx_dev_minor = ABI_MINOR(st.dev),
	};
	return copy_to_user((void __user *)(uintptr_t)a4, &out, sizeof(out));
}

/* ---- changes ---- */

long sys_fchmod(SYSCALL_ARGS)
{
	struct path p;
	int err = path_of_fd(a0, &p);

	if (err)
		return err;
	err = fs_chmod(&p, (u32)a1);
	path_put(&p);
	return err;
}

static long chmod_at(u64 dirfd, u64 addr, u32 mode, u32 flags)
{
	struct path p;
	int err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = path_lookup_arg(dirfd, addr, walk_of_at(flags), &p);
	if (err)
		return err;
	err = fs_chmod(&p, mode);
	path_put(&p);
	return err;
}

/* The kernel's fchmodat has no flags. */
long sys_fchmodat(SYSCALL_ARGS)
{
	return chmod_at(a0, a1, (u32)a2, 0);
}

long sys_fchmodat2(SYSCALL_ARGS)
{
	return chmod_at(a0, a1, (u32)a2, (u32)a3);
}

long sys_fchown(SYSCALL_ARGS)
{
	struct path p;
	int err = path_of_fd(a0, &p);

	if (err)
		return err;
	err = fs_chown(&p, (u32)a1, (u32)a2);
	path_put(&p);
	return err;
}

long sys_fchownat(SYSCALL_ARGS)
{
	u32 flags = (u32)a4;
	struct path p;
	int err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = path_lookup_arg(a0, a1, walk_of_at(flags), &p);
	if (err)
		return err;
	err = fs_chown(&p, (u32)a2, (u32)a3);
	path_put(&p);
	return err;
}

/*
 * Reads the two times of utimensat; NULL: now and now. *given: a time other than "now" is set
 * (needs the owner).
 */
static int times_from_user(u64 addr, s64 out[2], bool *given)
{
	struct abi_timespec ts[2];
	s64 now = (s64)time_realtime_ns();

	out[0] = now;
	out[1] = now;
	*given = false;
	if (!addr)
		return 0;
	if (copy_from_user(ts, (const void __user *)(uintptr_t)addr, sizeof(ts)))
		return -EFAULT;
	for (int i = 0; i < 2; i++) {
		if (ts[i].tv_nsec == UTIME_NOW)
			continue;
		*given = true;
		if (ts[i].tv_nsec == UTIME_OMIT)
			out[i] = FS_TIME_OMIT;
		else if (ts[i].tv_nsec < 0 || ts[i].tv_nsec >= NSEC_PER_SEC)
			return -EINVAL;
		else if (__builtin_mul_overflow(ts[i].tv_sec, NSEC_PER_SEC, &out[i]) ||
			 __builtin_add_overflow(out[i], ts[i].tv_nsec, &out[i]))
			out[i] = ts[i].tv_sec < 0 ? -INT64_MAX : INT64_MAX;
	}
	return 0;
}

static int times_set(const struct path *p, const s64 times[2], bool given)
{
	int err;

	if (times[0] == FS_TIME_OMIT && times[1] == FS_TIME_OMIT)
		return 0;
	err = fs_owner(p->dentry->inode);
	if (err && !given)
		err = fs_permission(p->dentry->inode, MAY_WRITE);
	return err ? err : fs_set_times(p, times[0], times[1]);
}

long sys_utimensat(SYSCALL_ARGS)
{
	u32 flags = (u32)a3;
	struct path p;
	s64 times[2];
	bool given;
	int err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = times_from_user(a2, times, &given);
	if (err)
		return err;
	if (a1 == 0 && (int)a0 != AT_FDCWD)
		err = flags ? -EINVAL : path_of_fd(a0, &p);
	else
		err = path_lookup_arg(a0, a1, walk_of_at(flags), &p);
	if (err)
		return err;
	err = times_set(&p, times, given);
	path_put(&p);
	return err;
}

long sys_truncate(SYSCALL_ARGS)
{
	struct path p;
	int err;

	if ((s64)a1 < 0)
		return -EINVAL;
	err = path_lookup_arg((u64)AT_FDCWD, a0, WALK_FOLLOW, &p);
	if (err)
		return err;
	err = fs_truncate(&p, a1);
	path_put(&p);
	return err;
}

long sys_ftruncate(SYSCALL_ARGS)
{
	struct fd_ref r;
	long ret = -EINVAL;

	if ((s64)a1 < 0)
		return -EINVAL;
	r = fd_arg(a0);
	if (!r.file)
		return -EBADF;
	if (r.file->flags & O_PATH)
		ret = -EBADF;
	else if (file_writable(r.file) && r.file->ops->truncate)
		ret = r.file->ops->truncate(r.file, a1);
	if (!ret && r.file->path.dentry)
		fs_notify(r.file->path.dentry, IN_MODIFY);
	fd_return(&r);
	return ret;
}

static int fallocate_file(struct file *f, u32 mode, u64 offset, u64 len)
{
	u32 type = f->path.dentry ? file_inode(f)->mode : S_IFIFO;

	if ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (!file_writable(f))
		return -EBADF;
	if (S_ISFIFO(type))
		return -ESPIPE;
	if (S_ISDIR(type))
		return -EISDIR;
	if (!S_ISREG(type))
		return -ENODEV;
	if (offset + len > INT64_MAX)
		return -EFBIG;
	return f->ops->fallocate ? f->ops->fallocate(f, mode, offset, len) : -EOPNOTSUPP;
}

long sys_fallocate(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg(a0);
	int err;

	if (!r.file)
		return -EBADF;
	if ((s64)a2 < 0 || (s64)a3 <= 0)
		err = -EINVAL;
	else
		err = fallocate_file(r.file, (u32)a1, a2, a3);
	fd_return(&r);
	return err;
}

/*
 * Memory is where these file systems keep their data: there is nothing to write back, and no way to
 * fail.
 */
static long sync_fd(u64 fd, bool regular_only)
{
	struct fd_ref r = fd_arg(fd);
	long ret = 0;

	if (!r.file)
		return -EBADF;
	if (r.file->flags & O_PATH)
		ret = -EBADF;
	else if (regular_only && !r.file->path.dentry)
		ret = -EINVAL;
	fd_return(&r);
	return ret;
}

long sys_fsync(SYSCALL_ARGS)
{
	return sync_fd(a0, true);
}

long sys_fdatasync(SYSCALL_ARGS)
{
	return sync_fd(a0, true);
}

long sys_syncfs(SYSCALL_ARGS)
{
	return sync_fd(a0, false);
}

static long sync_range(struct file *f, s64 offset, s64 len, u32 flags)
{
	u32 type = f->path.dentry ? file_inode(f)->mode : S_IFIFO;
	s64 end;

	if (flags & ~SYNC_FILE_RANGE_VALID)
		return -EINVAL;
	if (offset < 0 || __builtin_add_overflow(offset, len, &end) || end < offset)
		return -EINVAL;
	return S_ISREG(type) || S_ISDIR(type) || S_ISBLK(type) ? 0 : -ESPIPE;
}

long sys_sync_file_range(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg_open(a0);
	long ret;

	if (!r.file)
		return -EBADF;
	ret = sync_range(r.file, (s64)a1, (s64)a2, (u32)a3);
	fd_return(&r);
	return ret;
}

long sys_sync(SYSCALL_ARGS)
{
	return 0;
}
