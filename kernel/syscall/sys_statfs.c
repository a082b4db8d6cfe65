/*
 * statfs and fstatfs.
 */
#include "abi/errno.h"
#include "abi/mount.h"
#include "abi/stat.h"
#include "abi/system.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"

/* Magic numbers of Linux's file systems for files without a name. */
#define SOCKFS_MAGIC	    0x534f434b
#define ANON_INODE_FS_MAGIC 0x09041934

/* The flags of a mount in the order of statfs. */
static s64 statfs_flags(const struct mount *m)
{
	u32 flags = atomic_load_relaxed(&m->flags);

	return ST_VALID |
	       (flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME)) |
	       (flags & MS_RELATIME ? ST_RELATIME : 0);
}

static long statfs_to_user(const struct path *p, u64 addr)
{
	const struct super_block *sb = p->mnt->sb;
	u64 total = sb->budget ? atomic_load_relaxed(&sb->budget->limit) : 0;
	u64 used = sb->budget ? vm_budget_used(sb->budget) : 0, free = total - MIN(used, total);
	struct abi_statfs out = {
		.f_type = (s64)sb->magic,
		.f_bsize = PAGE_SIZE,
		.f_blocks = total,
		.f_bfree = free,
		.f_bavail = free,
		.f_files = sb->max_inodes,
		.f_ffree = sb->max_inodes - MIN(atomic_load_relaxed(&sb->nr_inodes), sb->max_inodes),
		.f_fsid = {(s32)sb->dev, 0},
		.f_namelen = FS_NAME_MAX,
		.f_frsize = PAGE_SIZE,
		.f_flags = statfs_flags(p->mnt),
	};

	return copy_to_user((void __user *)(uintptr_t)addr, &out, sizeof(out));
}

long sys_statfs(SYSCALL_ARGS)
{
	struct path p;
	long ret = path_lookup_arg((u64)AT_FDCWD, a0, WALK_FOLLOW, &p);

	if (ret)
		return ret;
	ret = statfs_to_user(&p, a1);
	path_put(&p);
	return ret;
}

/* Of a file without a place in the tree: the file system that Linux has for its kind. */
static long statfs_nameless(struct file *f, u64 addr)
{
	struct abi_statfs out = {
		.f_bsize = PAGE_SIZE,
		.f_namelen = FS_NAME_MAX,
		.f_frsize = PAGE_SIZE,
	};
	struct stat_info st;
	int err = f->ops->stat(f, &st);

	if (err)
		return err;
	out.f_type = S_ISFIFO(st.mode)	 ? PIPEFS_MAGIC
		     : S_ISSOCK(st.mode) ? SOCKFS_MAGIC
					 : ANON_INODE_FS_MAGIC;
	return copy_to_user((void __user *)(uintptr_t)addr, &out, sizeof(out));
}

long sys_fstatfs(SYSCALL_ARGS)
{
	struct fd_ref r = fd_arg(a0);
	struct file *f = r.file;
	long ret;

	if (!f)
		return -EBADF;
	ret = f->path.dentry ? statfs_to_user(&f->path, a1) : statfs_nameless(f, a1);
	fd_return(&r);
	return ret;
}
