/*
 * epoll: files watched for a long time by a set that hears of each change.
 */
#ifndef KERNEL_FILE_EPOLL_H
#define KERNEL_FILE_EPOLL_H

#include "abi/epoll.h"
#include "kernel/file/file.h"

struct epoll;

/* A new set as an open file, one reference; NULL when out of memory. */
struct file *epoll_create(void);
/* The set behind `f`; NULL if it is another kind of file. */
struct epoll *epoll_of(struct file *f);

/*
 * epoll_ctl(2) on file `f`, known by descriptor `fd`. 0, -EEXIST, -ENOENT, -EPERM (cannot be
 * polled), -EINVAL, -ELOOP, -ENOMEM. Context: may sleep, no lock held.
 */
int epoll_ctl(struct epoll *ep, int op, struct file *f, int fd, const struct abi_epoll_event *ev);
/*
 * Waits until `deadline` (ticks, 0: does not wait, PARK_FOREVER) and writes at most `max` events to
 * `it`. Their number, -EINTR, -EFAULT. Context: may sleep, no lock held.
 */
long epoll_wait(struct epoll *ep, struct iov_iter *it, u32 max, u64 deadline);

#endif
