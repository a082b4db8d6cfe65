/*
 * pidfd: a descriptor that names a process whatever becomes of its number.
 */
#ifndef KERNEL_TASK_PIDFD_H
#define KERNEL_TASK_PIDFD_H

#include "kernel/file/file.h"

struct process;

/* `flags`: O_NONBLOCK. NULL when out of memory. */
struct file *pidfd_create(struct process *p, u32 flags);
/* The process that `f` names, or NULL: no pidfd. */
struct process *pidfd_process(const struct file *f);

#endif
