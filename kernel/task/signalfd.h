/*
 * signalfd: pending signals that are read and polled.
 */
#ifndef KERNEL_TASK_SIGNALFD_H
#define KERNEL_TASK_SIGNALFD_H

#include "kernel/file/file.h"

/* For the signals of `mask`; `flags`: O_NONBLOCK. NULL when out of memory. */
struct file *signalfd_create(u64 mask, u32 flags);
bool signalfd_is(const struct file *f);
void signalfd_set_mask(struct file *f, u64 mask);

#endif
