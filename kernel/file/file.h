/*
 * Open files, descriptors, I/O iterators and readiness: the layer below every file type.
 */
#ifndef KERNEL_FILE_FILE_H
#define KERNEL_FILE_FILE_H

#include "kernel/sync/epoch.h"
#include "kernel/sync/spinlock.h"
#include "lib/list.h"
#include "lib/types.h"

/* The one readiness type of poll, select and epoll: Linux's EPOLL* bit values. */
typedef u32 PollEvent;
#define POLL_EVENT_IN	 0x001
#define POLL_EVENT_PRI	 0x002
#define POLL_EVENT_OUT	 0x004
#define POLL_EVENT_ERR	 0x008
#define POLL_EVENT_HUP	 0x010
#define POLL_EVENT_RDHUP 0x2000

/* Source or destination of bytes: user segments, or one kernel buffer. */
struct iov_segment {
	u64 base;
	u64 len;
};
struct iov_iter {
	const struct iov_segment *seg; /* current segment */
	u32 nr_segs;
	bool user;   /* user addresses (copied with uaccess) or kernel ones */
	u64 offset;  /* bytes of *seg already used */
	u64 count;   /* bytes left in all segments */
};
void iov_iter_kernel(struct iov_iter *it, struct iov_segment *seg, void *buf, size_t len);
void iov_iter_user(struct iov_iter *it, struct iov_segment *seg, u64 addr, size_t len);
/* Copy up to n bytes and advance. Return bytes copied, or -EFAULT if none could be. */
long iov_copy_in(void *dst, struct iov_iter *it, size_t n);	   /* iterator -> dst */
long iov_copy_out(struct iov_iter *it, const void *src, size_t n); /* src -> iterator */
long iov_zero(struct iov_iter *it, size_t n);

struct file;
struct stat_info;
struct vm_object;
struct wait_queue;

/* One table per file type. A missing function means the errno noted. */
struct file_ops {
	const char *name;
	/* Bytes moved or -errno; *pos is read and advanced for seekable types. NULL: -EINVAL. */
	long (*read)(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock);
	long (*write)(struct file *f, struct iov_iter *it, u64 *pos, bool nonblock);
	long (*seek)(struct file *f, s64 offset, int whence);		  /* NULL: -ESPIPE */
	long (*ioctl)(struct file *f, u32 cmd, u64 arg);		  /* NULL: -ENOTTY */
	PollEvent (*poll)(struct file *f, struct wait_queue **source);	  /* NULL: always readable and writable */
	long (*getdents)(struct file *f, struct iov_iter *it);		  /* NULL: -ENOTDIR */
	int (*stat)(struct file *f, struct stat_info *st);		  /* required */
	int (*truncate)(struct file *f, u64 size);			  /* NULL: -EINVAL */
	/* The object to map (a reference) or NULL with -errno in *err. NULL: -ENODEV. */
	struct vm_object *(*mmap)(struct file *f, int prot, int flags, int *err);
	void (*release)(struct file *f); /* last put */
};

struct file {
	const struct file_ops *ops; /* [I] */
	void *data;		    /* [I] the type's own */
	struct dentry *dentry;	    /* [I] path it was opened by, or NULL */
	u64 pos;		    /* [L:file mutex] */
	u32 flags;		    /* [a] O_* status flags */
	u32 refs;		    /* [a] */
	struct epoch_node free_node;
};

struct file *file_alloc(const struct file_ops *ops, void *data, u32 flags); /* one reference or NULL */
void file_get(struct file *f);
void file_put(struct file *f); /* may sleep in release */

/* Descriptor tables: shared by threads (CLONE_FILES), copied by fork. */
struct fd_table;
struct fd_table *fd_table_create(void);
struct fd_table *fd_table_copy(struct fd_table *t);
void fd_table_get(struct fd_table *t);
void fd_table_put(struct fd_table *t);
int fd_install(struct fd_table *t, struct file *f, u32 min_fd, bool cloexec, u32 limit); /* takes the reference; fd or -EMFILE */
struct file *fd_get(struct fd_table *t, int fd); /* a reference, or NULL (EBADF) */
int fd_close(struct fd_table *t, int fd);
void fd_close_on_exec(struct fd_table *t);

#endif
