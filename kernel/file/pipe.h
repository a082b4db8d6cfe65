/*
 * Pipes.
 */
#ifndef KERNEL_FILE_PIPE_H
#define KERNEL_FILE_PIPE_H

#include "kernel/file/file.h"

#define PIPE_ATOMIC   4096U	  /* writes up to this size are not mixed with others */
#define PIPE_MAX_SIZE (1UL << 20) /* what Linux lets everybody set */

/* ends[0] reads, ends[1] writes; `flags`: O_NONBLOCK. 0 or -ENOMEM. */
int pipe_create(struct file *ends[2], u32 flags);
/*
 * F_GETPIPE_SZ and F_SETPIPE_SZ: bytes, or -EBADF (no pipe), -EBUSY (holds more), -EINVAL, -ENOMEM.
 */
long pipe_size(struct file *f);
long pipe_resize(struct file *f, u64 bytes);

#endif
