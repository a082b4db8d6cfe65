/*
 * System calls on names: open, create, remove, rename, links, directories, the task's place in
 * the tree.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/system.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"

/* `walk`: restrictions. */
static long open_at(u64 dirfd, u64 addr, u32 flags, u32 mode, u32 walk)
{
	struct fd_table *files = task_current()->files;
	struct path_arg name;
	struct dir_arg dir;
	struct file *f;
	int err = path_arg_get(&name, addr), fd;

	if (err)
		return err;
	fd = fd_reserve(files, 0, flags & O_CLOEXEC, fd_limit());
	/* Where `dirfd` is the root, absolute names begin there, too. */
	if (fd < 0)
		err = fd;
	else
		err = dir_arg_get(&dir, dirfd, walk & WALK_IN_ROOT ? "" : name.text);
	if (!err) {
		err = fs_open(task_current()->fs, dir.at, name.text, flags, mode, walk, &f);
		dir_arg_put(&dir);
	}
	path_arg_put(&name);
	if (err) {
		if (fd >= 0)
			fd_unreserve(files, fd);
		return err;
	}
	fd_publish(files, fd, f);
	return fd;
}

long sys_openat(SYSCALL_ARGS)
{
	return open_at(a0, a1, (u32)a2, (u32)a3, 0);
}

/* Source: openat2(2), and the order of Linux's checks. */
static int open_how_check(const struct abi_open_how *how)
{
	const u64 border = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
	bool creates = how->flags & (O_CREAT | __O_TMPFILE);

	if (how->flags & ~(u64)O_KNOWN || how->resolve & ~(u64)RESOLVE_KNOWN)
		return -EINVAL;
	if ((how->resolve & border) == border || how->mode & ~(creates ? 07777UL : 0))
		return -EINVAL;
	if (how->flags & O_PATH && how->flags & ~(u64)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
		return -EINVAL;
	/* Nothing here is ever read from a disk; but what changes something is never done from the cache. */
	if (how->resolve & RESOLVE_CACHED && how->flags & (O_TRUNC | O_CREAT | __O_TMPFILE))
		return -EAGAIN;
	return 0;
}

long sys_openat2(SYSCALL_ARGS)
{
	struct abi_open_how how;
	u32 walk = 0;
	int err;

	if (a3 < OPEN_HOW_SIZE_VER0)
		return -EINVAL;
	if (a3 > PAGE_SIZE)
		return -E2BIG;
	err = copy_versioned(&how, sizeof(how), (const void __user *)(uintptr_t)a2, a3);
	if (!err)
		err = open_how_check(&how);
	if (err)
		return err;
	walk |= how.resolve & RESOLVE_NO_XDEV ? WALK_NO_XDEV : 0;
	walk |= how.resolve & RESOLVE_NO_MAGICLINKS ? WALK_NO_MAGIC : 0;
	walk |= how.resolve & RESOLVE_NO_SYMLINKS ? WALK_NO_LINKS : 0;
	walk |= how.resolve & RESOLVE_BENEATH ? WALK_BENEATH : 0;
	walk |= how.resolve & RESOLVE_IN_ROOT ? WALK_IN_ROOT : 0;
	return open_at(a0, a1, (u32)how.flags, (u32)how.mode, walk);
}

/* Calls that take a directory and a name and a mode. */
typedef int (*name_fn)(struct fs_context *ctx, const struct path *at, const char *name, u32 mode);

static long name_call(u64 dirfd, u64 addr, name_fn fn, u32 mode)
{
	struct path_arg name;
	struct dir_arg dir;
	int err = path_arg_get(&name, addr);

	if (err)
		return err;
	err = dir_arg_get(&dir, dirfd, name.text);
	if (!err) {
		err = fn(task_current()->fs, dir.at, name.text, mode);
		dir_arg_put(&dir);
	}
	path_arg_put(&name);
	return err;
}

/* A device number as user space passes it to mknod, 32 bits wide, in the 64-bit form of st_rdev. */
static u64 dev_from_user(u32 dev)
{
	return ABI_MKDEV((dev & 0xfff00) >> 8, (dev & 0xff) | ((dev >> 12) & 0xfff00));
}

long sys_mknodat(SYSCALL_ARGS)
{
	u32 mode = (u32)a2;
	struct path_arg name;
	struct dir_arg dir;
	int err;

	if ((S_ISCHR(mode) || S_ISBLK(mode)) && !capable(CAP_MKNOD))
		return -EPERM;
	err = path_arg_get(&name, a1);
	if (err)
		return err;
	err = dir_arg_get(&dir, a0, name.text);
	if (!err) {
		err = fs_mknod(task_current()->fs, dir.at, name.text, mode, dev_from_user((u32)a3));
		dir_arg_put(&dir);
	}
	path_arg_put(&name);
	return err;
}

long sys_mkdirat(SYSCALL_ARGS)
{
	return name_call(a0, a1, fs_mkdir, (u32)a2);
}

static int unlink_or_rmdir(struct fs_context *ctx, const struct path *at, const char *name, u32 flags)
{
	return flags & AT_REMOVEDIR ? fs_rmdir(ctx, at, name) : fs_unlink(ctx, at, name);
}

long sys_unlinkat(SYSCALL_ARGS)
{
	if ((u32)a2 & ~AT_REMOVEDIR)
		return -EINVAL;
	return name_call(a0, a1, unlink_or_rmdir, (u32)a2);
}

long sys_symlinkat(SYSCALL_ARGS)
{
	struct path_arg text, name;
	struct dir_arg dir;
	int err = path_arg_get(&text, a0);

	if (err)
		return err;
	err = path_arg_get(&name, a2);
	if (!err) {
		err = dir_arg_get(&dir, a1, name.text);
		if (!err) {
			err = fs_symlink(task_current()->fs, dir.at, name.text, text.text);
			dir_arg_put(&dir);
		}
		path_arg_put(&name);
	}
	path_arg_put(&text);
	return err;
}

long sys_linkat(SYSCALL_ARGS)
{
	u32 flags = (u32)a4, walk = 0;
	struct path target;
	struct path_arg name;
	struct dir_arg dir;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_SYMLINK_FOLLOW)
		walk |= WALK_FOLLOW;
	if (flags & AT_EMPTY_PATH) {
		if (!capable(CAP_DAC_READ_SEARCH))
			return -ENOENT;
		walk |= WALK_EMPTY;
	}
	err = path_lookup_arg(a0, a1, walk, &target);
	if (err)
		return err;
	err = path_arg_get(&name, a3);
	if (!err) {
		err = dir_arg_get(&dir, a2, name.text);
		if (!err) {
			err = fs_link(task_current()->fs, &target, dir.at, name.text);
			dir_arg_put(&dir);
		}
		path_arg_put(&name);
	}
	path_put(&target);
	return err;
}

long sys_renameat2(SYSCALL_ARGS)
{
	struct path_arg from, to;
	struct dir_arg from_dir, to_dir;
	int err = path_arg_get(&from, a1);

	if (err)
		return err;
	err = path_arg_get(&to, a3);
	if (err)
		goto out_from;
	err = dir_arg_get(&from_dir, a0, from.text);
	if (err)
		goto out_to;
	err = dir_arg_get(&to_dir, a2, to.text);
	if (err)
		goto out_from_dir;
	err = fs_rename(task_current()->fs, from_dir.at, from.text, to_dir.at, to.text, (u32)a4);
	dir_arg_put(&to_dir);
out_from_dir:
	dir_arg_put(&from_dir);
out_to:
	path_arg_put(&to);
out_from:
	path_arg_put(&from);
	return err;
}

long sys_readlinkat(SYSCALL_ARGS)
{
	int size = (int)a3;
	struct path p;
	char *buf, first;
	long ret;

	if (size <= 0)
		return -EINVAL;
	ret = path_lookup_arg(a0, a1, WALK_EMPTY, &p);
	if (ret)
		return ret;
	buf = kmalloc(FS_PATH_MAX);
	ret = buf ? fs_readlink(&p, buf, MIN((size_t)size, (size_t)FS_PATH_MAX)) : -ENOMEM;
	if (ret > 0 && copy_to_user((void __user *)(uintptr_t)a2, buf, (size_t)ret))
		ret = -EFAULT;
	kfree(buf);
	path_put(&p);
	/* As Linux: a descriptor alone that is no link. */
	if (ret == -EINVAL && !copy_from_user(&first, (const void __user *)(uintptr_t)a1, 1) && !first)
		return -ENOENT;
	return ret;
}

static int access_path(const struct path *p, u32 mode)
{
	const struct inode *inode = p->dentry->inode;
	/* R_OK, W_OK and X_OK have the values of MAY_*. */
	int err = mode ? fs_permission(inode, mode) : 0;

	if (!err && (mode & W_OK) && (S_ISREG(inode->mode) || S_ISDIR(inode->mode)))
		err = mount_writable(p->mnt);
	return err;
}

/* By the real ids, the way to the file too; with AT_EACCESS by those that open() goes by. */
static int access_check(u64 dirfd, u64 addr, u32 mode, u32 flags)
{
	struct path p;
	int err;

	if ((mode & ~(R_OK | W_OK | X_OK)) ||
	    (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	task_current()->by_real_ids = !(flags & AT_EACCESS);
	err = path_lookup_arg(dirfd, addr, walk_of_at(flags), &p);
	if (!err) {
		err = access_path(&p, mode);
		path_put(&p);
	}
	task_current()->by_real_ids = false;
	return err;
}

long sys_faccessat(SYSCALL_ARGS)
{
	return access_check(a0, a1, (u32)a2, 0);
}

long sys_faccessat2(SYSCALL_ARGS)
{
	return access_check(a0, a1, (u32)a2, (u32)a3);
}

/* ---- the task's place ---- */

typedef int (*place_fn)(struct fs_context *ctx, const struct path *dir);

static int place_set(const struct path *p, place_fn set)
{
	int err = S_ISDIR(p->dentry->inode->mode) ? 0 : -ENOTDIR;

	if (!err)
		err = fs_permission(p->dentry->inode, MAY_EXEC);
	return err ? err : set(task_current()->fs, p);
}

static int place_lookup(u64 addr, place_fn set)
{
	struct path p;
	int err = path_lookup_arg((u64)AT_FDCWD, addr, WALK_FOLLOW | WALK_DIRECTORY, &p);

	if (err)
		return err;
	err = place_set(&p, set);
	path_put(&p);
	return err;
}

long sys_chdir(SYSCALL_ARGS)
{
	return place_lookup(a0, fs_set_cwd);
}

long sys_chroot(SYSCALL_ARGS)
{
	if (!capable(CAP_SYS_CHROOT))
		return -EPERM;
	return place_lookup(a0, fs_set_root);
}

long sys_fchdir(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg(a0);
	long ret;

	if (!r.file)
		return -EBADF;
	ret = r.file->path.dentry ? place_set(&r.file->path, fs_set_cwd) : -ENOTDIR;
	fd_return(&r);
	return ret;
}

long sys_getcwd(SYSCALL_ARGS)
{
	struct fs_context *ctx = task_current()->fs;
	struct path cwd = fs_cwd(ctx);
	char *buf = kmalloc(FS_PATH_MAX), *text;
	long ret;

	if (!buf) {
		ret = -ENOMEM;
	} else if (atomic_load_relaxed(&cwd.dentry->flags) & DENTRY_UNLINKED) {
		ret = -ENOENT;
	} else {
		text = fs_path_text(ctx, &cwd, buf, FS_PATH_MAX);
		ret = is_err(text) ? ptr_err(text) : (long)strlen(text) + 1;
		if (ret > 0 && (u64)ret > a1)
			ret = -ERANGE;
		if (ret > 0 && copy_to_user((void __user *)(uintptr_t)a0, text, (size_t)ret))
			ret = -EFAULT;
	}
	kfree(buf);
	path_put(&cwd);
	return ret;
}

long sys_umask(SYSCALL_ARGS)
{
	return atomic_xchg(&task_current()->fs->umask, (u32)a0 & 0777);
}

long sys_getdents64(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg(a0);
	struct file *f = r.file;
	struct iov_segment seg;
	struct iov_iter it;
	long ret = -ENOTDIR;

	if (!f)
		return -EBADF;
	if (f->ops->getdents) {
		iov_iter_user(&it, &seg, a1, (u32)a2);
		mutex_lock(&f->pos_lock);
		ret = f->ops->getdents(f, &it);
		mutex_unlock(&f->pos_lock);
	} else if (f->flags & O_PATH) {
		ret = -EBADF;
	}
	fd_return(&r);
	return ret;
}
