/*
 * Pipes, and what FIFOs have in common with them: a FIFO is a name for a pipe without ends.
 */
#ifndef KERNEL_FILE_PIPE_H
#define KERNEL_FILE_PIPE_H

#include "kernel/file/file.h"

#define PIPE_ATOMIC   4096U	  /* writes up to this size are not mixed with others */
#define PIPE_MAX_SIZE (1UL << 20) /* what Linux lets everybody set */

struct pipe;

/* ends[0] reads, ends[1] writes; `flags`: O_NONBLOCK, O_DIRECT (packets, of the writing end). 0 or -ENOMEM. */
int pipe_create(struct file *ends[2], u32 flags);

/* A pipe without ends. One reference, or NULL. */
struct pipe *pipe_alloc(void);
void pipe_get(struct pipe *p);
void pipe_put(struct pipe *p);
/*
 * Makes `f`, which is being opened, an end of `p`, or both ends, as its access mode says: fifo(7). Of a
 * FIFO, one end waits for the other; O_NONBLOCK: a reader does not wait, a writer without reader is
 * -ENXIO. 0 or -ERESTARTSYS.
 */
int pipe_open(struct pipe *p, struct file *f, bool fifo);
/* The pipe whose end `f` is, borrowed, or NULL. */
struct pipe *pipe_of_file(const struct file *f);
extern const struct file_ops pipe_file_ops;

/*
 * F_GETPIPE_SZ and F_SETPIPE_SZ: bytes, or -EBADF (no pipe), -EBUSY (holds more), -EINVAL, -ENOMEM.
 */
long pipe_size(struct file *f);
long pipe_resize(struct file *f, u64 bytes);

/* ---- for splice ---- */
/* As reading, but what of a packet does not fit stays one, if `keep`. */
long pipe_read_packets(struct pipe *p, struct iov_iter *it, bool nonblock, bool keep);
/* Copies up to n bytes of the pipe that `f` reads and leaves them there. Bytes, 0 at the end, or -errno. */
long pipe_peek(struct file *f, char *buf, size_t n, bool nonblock);
/* Puts back in front what was just read, as bytes that are no packet. */
void pipe_unread(struct pipe *p, const char *buf, size_t n);
/* Waits until something can be written, with PARK_* flags. Bytes of room, -EAGAIN, -EPIPE, -ERESTARTSYS. */
long pipe_wait_room(struct pipe *p, bool nonblock, u32 park_flags);

#endif
