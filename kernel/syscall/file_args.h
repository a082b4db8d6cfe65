/*
 * Arguments that the file system calls share: descriptors, path names, directories to start from,
 * vectors.
 */
#ifndef KERNEL_SYSCALL_FILE_ARGS_H
#define KERNEL_SYSCALL_FILE_ARGS_H

#include "abi/fcntl.h"
#include "arch/riscv64/layout.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs.h"
#include "kernel/task/task.h"
#include "lib/types.h"

#define RW_MAX 0x7ffff000UL /* bytes that one read or write moves at most, as on Linux */

static inline struct fd_ref fd_arg(u64 fd)
{
	return fd_borrow(task_current()->files, (int)fd);
}

/* The same for calls that want more than a place in the tree: nothing behind O_PATH. */
static inline struct fd_ref fd_arg_open(u64 fd)
{
	struct fd_ref r = fd_arg(fd);

	if (r.file && r.file->flags & O_PATH) {
		fd_return(&r);
		r.file = NULL;
	}
	return r;
}

/* The place of an open descriptor, a reference. -EBADF also for O_PATH; -EINVAL: it has none. */
int path_of_fd(u64 fd, struct path *out);

/* The limit on descriptors of the running process. */
u32 fd_limit(void);

/*
 * Gives a new file (NULL: -ENOMEM) the lowest free descriptor, or puts it. The descriptor or
 * -errno.
 */
long file_install_new(struct file *f, bool cloexec);

/*
 * Two new files and their descriptors, which are written to the int[2] at `addr`: reserved before
 * user memory is touched and published after it, so that they appear together or not at all. On
 * -errno the files stay the caller's.
 */
long file_install_pair(struct file *files[2], u64 addr, bool cloexec);

/* True if [addr, addr + len) lies in user space. */
static inline bool user_range(u64 addr, u64 len)
{
	return len <= USER_TOP && addr <= USER_TOP - len;
}

/* A path name from user memory; short ones stay on the stack. */
struct path_arg {
	char *text;
	char small[160];
};
/* 0, -EFAULT, -ENAMETOOLONG, -ENOMEM; on success path_arg_put() is due. */
int path_arg_get(struct path_arg *p, u64 addr);
void path_arg_put(struct path_arg *p);

/* Where a path starts: `dirfd` of an *at() call. */
struct dir_arg {
	const struct path *at; /* NULL: the working directory */
	struct fd_ref ref;
};
/*
 * 0, -EBADF, -ENOTDIR (the descriptor has no place in the tree). An absolute `text` needs no dirfd.
 */
int dir_arg_get(struct dir_arg *d, u64 dirfd, const char *text);
void dir_arg_put(struct dir_arg *d);

/* How the AT_* flags of a call want the last name walked. */
static inline u32 walk_of_at(u32 flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
	       (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

/*
 * Both, and the walk: what most calls on names begin with. `walk`: WALK_*. The result carries a
 * reference.
 */
int path_lookup_arg(u64 dirfd, u64 addr, u32 walk, struct path *out);

/* The lock commands of fcntl: F_GETLK, F_SETLK, F_SETLKW and F_OFD_*. Context: may sleep. */
long file_lock_command(u64 fd, const struct fd_ref *ref, u32 cmd, u64 addr);

/*
 * Requests that any file may be asked: block size, bytes used, sharing of blocks. -ENOTTY: another one. Context: may sleep.
 */
long file_ioctl(struct file *f, u32 cmd, u64 arg);

/* Passes the result of a write to `f` on; -EPIPE sends SIGPIPE to the caller. */
long broken_pipe(const struct file *f, long ret);

/*
 * A structure of `size` bytes, perhaps newer than ours: what we do not know must be zero. Source:
 * clone3(2).
 */
int copy_versioned(void *dst, size_t known, const void __user *src, size_t size);

/* One transfer at *pos, counted and told to who watches; nowait: as if the file were O_NONBLOCK. */
long file_transfer(struct file *f, struct iov_iter *it, u64 *pos, bool write, bool nowait);
/* May `f` be read or written with these RWF_* flags? 0, -EOPNOTSUPP or -EINVAL. */
long rw_flags_check(const struct file *f, u32 flags);
enum iov_append rw_flags_append(u32 flags);

/* An iovec array. */
#define VEC_ON_STACK 8
struct vec_arg {
	struct iov_segment *segs;
	struct iov_iter it;
	struct iov_segment few[VEC_ON_STACK];
};
/* 0, -EINVAL, -EFAULT, -ENOMEM; on success vec_arg_put() is due. */
int vec_arg_get(struct vec_arg *v, u64 addr, u64 count);
void vec_arg_put(struct vec_arg *v);

#endif
