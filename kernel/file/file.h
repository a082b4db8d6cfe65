/*
 * Open files, descriptors, I/O iterators and readiness: the layer below every file type.
 *
 * An open file (`struct file`) is counted; its memory is freed after a grace period, so that a
 * descriptor may be looked up without a lock: load the slot, increment-unless-zero, look at the
 * slot again. A table that only one task shares needs not even that: fd_borrow() hands out the
 * pointer as it is, because nobody else can close it before the call ends.
 */
#ifndef KERNEL_FILE_FILE_H
#define KERNEL_FILE_FILE_H

#include "kernel/mm/mm.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/spinlock.h"
#include "lib/list.h"
#include "lib/types.h"

/* The one readiness type of poll, select and epoll: Linux's EPOLL* bit values. */
typedef u32 PollEvent;
#define POLL_EVENT_IN	  0x001
#define POLL_EVENT_PRI	  0x002
#define POLL_EVENT_OUT	  0x004
#define POLL_EVENT_ERR	  0x008
#define POLL_EVENT_HUP	  0x010
#define POLL_EVENT_NVAL	  0x020
#define POLL_EVENT_RDNORM 0x040
#define POLL_EVENT_WRNORM 0x100
#define POLL_EVENT_MSG	  0x400
#define POLL_EVENT_RDHUP  0x2000
#define POLL_EVENT_READ	  (POLL_EVENT_IN | POLL_EVENT_RDNORM)
#define POLL_EVENT_WRITE  (POLL_EVENT_OUT | POLL_EVENT_WRNORM)

/* Where a write to a file with positions goes: as O_APPEND of the file says, or pwritev2 instead of it. */
enum iov_append { IOV_APPEND_BY_FILE, IOV_APPEND_ALWAYS, IOV_APPEND_NEVER };

/* Source or destination of bytes: user segments, or one kernel buffer. */
struct iov_segment {
	u64 base;
	u64 len;
};
struct iov_iter {
	const struct iov_segment *seg; /* current segment */
	u32 nr_segs;
	bool user;  /* user addresses (copied with uaccess) or kernel ones */
	u64 offset; /* bytes of *seg already used */
	u64 count;  /* bytes left in all segments */
	enum iov_append append;
};
void iov_iter_kernel(struct iov_iter *it, struct iov_segment *seg, void *buf, size_t len);
void iov_iter_user(struct iov_iter *it, struct iov_segment *seg, u64 addr, size_t len);
void iov_iter_user_vector(struct iov_iter *it, const struct iov_segment *segs, u32 nr_segs);
/*
 * Copy up to n bytes and advance. Return bytes copied (fewer at the end or at a fault), or
 * -EFAULT if none could be. Context: may sleep when `user`.
 */
long iov_copy_in(void *dst, struct iov_iter *it, size_t n);	   /* iterator -> dst */
long iov_copy_out(struct iov_iter *it, const void *src, size_t n); /* src -> iterator */
long iov_zero(struct iov_iter *it, size_t n);

/* What stat, fstat and statx report; times in nanoseconds since 1970. */
struct stat_info {
	u64 dev, ino, rdev; /* device numbers in Linux's 64-bit form */
	u32 mode, nlink, uid, gid;
	u64 size, blksize, blocks; /* blocks of 512 bytes */
	s64 atime_ns, mtime_ns, ctime_ns, btime_ns;
	bool mount_root;
};

#define NAMELESS_DEV 0xffUL /* st_dev of files that have no place in the tree */

struct dentry;
struct epoll_item;
struct file;
struct mount;
struct sigio;
struct wait_queue;

/* A place in the tree of mounted file systems (kernel/fs). */
struct path {
	struct mount *mnt;
	struct dentry *dentry;
};

/* One table per file type. A missing function means the errno noted. */
struct file_ops {
	const char *name;
	/* Bytes moved or -errno; *pos is read and advanced for seekable types. NULL: -EINVAL. */
	long (*read)(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock);
	long (*write)(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock);
	/* The new position; called with the file's position locked. NULL: -ESPIPE. */
	long (*seek)(struct file *f, s64 offset, int whence);
	bool seek_ignored; /* without `seek`: lseek() stays at 0 and is no error */
	bool nowait;	   /* takes RWF_NOWAIT */
	bool no_rw_flags;  /* takes none of them but RWF_HIPRI */
	bool own_position; /* the type keeps one itself: f->pos is not used, and its lock not taken */
	long (*ioctl)(struct file *f, u32 cmd, u64 arg); /* NULL: -ENOTTY */
	/*
	 * Events that hold now; *source, if wanted, is the queue woken when they change. NULL:
	 * always readable and writable.
	 */
	PollEvent (*poll)(struct file *f, struct wait_queue **source);
	/* Directory entries from f->pos on, which it advances; position locked. NULL: -ENOTDIR. */
	long (*getdents)(struct file *f, struct iov_iter *it);
	int (*stat)(struct file *f, struct stat_info *st); /* required */
	int (*truncate)(struct file *f, u64 size);	   /* NULL: -EINVAL */
	/* FALLOC_FL_*; the range is checked. NULL: -EOPNOTSUPP. */
	int (*fallocate)(struct file *f, u32 mode, u64 offset, u64 len);
	/* The object to map (a reference) or NULL with -errno in *err. NULL: -ENODEV. */
	struct vm_object *(*mmap)(struct file *f, int prot, int flags, int *err);
	void (*release)(struct file *f); /* last put. NULL: nothing to do */
	/* The running process closes one of its descriptors. NULL: nothing to do */
	void (*flush)(struct file *f);
	/*
	 * Devices only: completes a file that is being opened; may give it other ops and data.
	 * f->flags still has what acts at open (O_NOCTTY). NULL: nothing to do.
	 */
	int (*open)(struct file *f);
	/* O_ASYNC: who is sent the signals (as F_SETOWN) if nobody has been named; 0: nobody. NULL: it is not possible. */
	s32 (*async_owner)(struct file *f);
	/* A write that fails with -EPIPE has sent SIGPIPE itself, or wants none. */
	bool raises_sigpipe_itself;
};

struct file {
	const struct file_ops *ops; /* [I] */
	void *data;		    /* [I] the type's own; set before the file is installed */
	struct path path; /* [I] where it was opened, references held; dentry NULL if it has no name */
	u64 pos;	  /* [L:pos_lock, or the only task that can reach it] */
	struct mutex pos_lock;	    /* RANK_FILE */
	u32 flags;		    /* [a] O_* access mode and status flags */
	s32 owner;		    /* [a] F_SETOWN: process, or -group; 0: nobody */
	u32 owner_thread;	    /* [a] owner is one thread */
	u32 owner_uid, owner_euid;  /* [a] of who named the owner */
	struct sigio *sigio;	    /* [a] F_SETSIG, O_ASYNC (kernel/task); NULL: never used */
	u32 refs;		    /* [a] 0: being released */
	struct epoll_item *watches; /* [a] epoll's items of this file, see epoll.c */
	struct vm_backing backing;  /* each mapping of it holds a reference */
	struct epoch_node free_node;
};

struct file *file_alloc(const struct file_ops *ops, void *data, u32 flags); /* one reference or NULL */
void file_get(struct file *f);
void file_put(struct file *f); /* may sleep in release */
/* The file behind a mapping; NULL: something else is. */
struct file *file_of_backing(struct vm_backing *b);

bool file_readable(const struct file *f); /* opened for reading (not O_PATH) */
bool file_writable(const struct file *f);
PollEvent file_poll(struct file *f, struct wait_queue **source);
/* Read or write at `pos` from kernel memory. Bytes or -errno. May sleep. */
long file_read_kernel(struct file *f, void *buf, size_t n, u64 pos);
long file_write_kernel(struct file *f, const void *buf, size_t n, u64 pos);
/* The common lseek: SEEK_SET, _CUR, _END, _DATA, _HOLE over `size` bytes without holes. */
long file_seek_in(struct file *f, u64 size, s64 offset, int whence);

/* `stat` of files that have no place in the tree and nothing to tell. */
int file_nameless_stat(struct file *f, struct stat_info *st);

/* Filled by kernel/fs: drops the references of a file's path at its release; its inode's status. */
extern void (*file_path_put)(struct path *p);
extern int (*file_path_stat)(struct file *f, struct stat_info *st);
/* Filled by kernel/fs at the first lock: drops the advisory locks of `owner` on the file. */
extern void (*file_unlock_owner)(struct file *f, const void *owner);
/* Filled by kernel/fs: a file with a path is being released, for inotify and leases. */
extern void (*file_closed)(struct file *f);
/* Filled by kernel/task: a file with `sigio` is being released. */
extern void (*file_sigio_free)(struct file *f);
/* Filled by epoll.c: takes a file that is being released out of every epoll. */
extern void (*file_unwatch)(struct file *f);

/*
 * Descriptor tables: shared by tasks (CLONE_FILES), copied by fork. The count is the number of
 * *tasks* on the table: each thread takes its own reference before it runs and puts it at exit;
 * count 1 is what makes borrowing legal.
 */
#define FD_TABLE_MAX (256U << 10) /* descriptors; the slots fill 2 MiB: within what kmalloc gives */
struct fd_table;
struct fd_table *fd_table_create(void);
struct fd_table *fd_table_copy(struct fd_table *t);
void fd_table_get(struct fd_table *t);
void fd_table_put(struct fd_table *t);
bool fd_table_shared(struct fd_table *t); /* other tasks are on it */

/*
 * Takes the reference when it succeeds; the lowest free descriptor >= min_fd, -EMFILE (>= limit) or
 * -ENOMEM.
 */
int fd_install(struct fd_table *t, struct file *f, u32 min_fd, bool cloexec, u32 limit);
/* fd_install in two steps, so that "no descriptor left" is known before the file is created. */
int fd_reserve(struct fd_table *t, u32 min_fd, bool cloexec, u32 limit);
void fd_publish(struct fd_table *t, int fd, struct file *f);
void fd_unreserve(struct fd_table *t, int fd);
/*
 * dup3: `fd` becomes `f` (takes the reference when it succeeds), closing what it was. fd, or
 * -EBADF, -EBUSY, -ENOMEM.
 */
int fd_replace(struct fd_table *t, int fd, struct file *f, bool cloexec, u32 limit);

/* A reference, or NULL (EBADF). `t` may be any task's, and dying, if it was found in this epoch section. */
struct file *fd_get(struct fd_table *t, int fd);
int fd_close(struct fd_table *t, int fd); /* 0 or -EBADF; may sleep */
/* Closes, or marks close-on-exec, every descriptor of first..last. */
void fd_close_range(struct fd_table *t, u32 first, u32 last, bool only_mark);
void fd_close_on_exec(struct fd_table *t);
int fd_get_cloexec(struct fd_table *t, int fd); /* 0, 1 or -EBADF */
int fd_set_cloexec(struct fd_table *t, int fd, bool on);
/* O_* of the file behind it; -EBADF. */
int fd_get_flags(struct fd_table *t, int fd, u32 *flags);
/* The smallest descriptor >= fd that is open, or -1. For /proc/<pid>/fd. */
int fd_next(struct fd_table *t, int fd);

/* A file looked up for the duration of one call. */
struct fd_ref {
	struct file *file; /* NULL: not open */
	bool counted;	   /* a reference was taken: others may close it meanwhile */
};
/* For the running task's own table only. */
struct fd_ref fd_borrow(struct fd_table *t, int fd);
static inline void fd_return(struct fd_ref *r)
{
	if (r->counted)
		file_put(r->file);
}
/* True if another task may move the file's position at the same time. */
bool fd_shared(const struct fd_ref *r);

#endif
