/*
 * The I/O priority of a task, kept for programs that ask: nothing here queues I/O.
 */
#ifndef KERNEL_TASK_IOPRIO_H
#define KERNEL_TASK_IOPRIO_H

#include "kernel/task/task.h"

/* Sets it for `t` and whoever shares it. -ESRCH: `t` has exited. Context: `t`'s process lock is held. */
int task_ioprio_set_locked(struct task *t, u32 ioprio);
u32 task_ioprio_locked(const struct task *t); /* as it was set, 0 if never */

/* A new task gets the running one's priority, or with CLONE_IO shares it. 0 or -ENOMEM. May sleep. */
int task_ioprio_clone(struct task *child, u64 flags);
/* `t` has none any more. Context: takes the process lock. */
void task_ioprio_exit(struct task *t);

#endif
