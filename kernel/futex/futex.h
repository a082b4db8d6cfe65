/*
 * Futexes: what other folders may call. The system calls are in syscalls.c, the algorithm is told in waitwake.c.
 */
#ifndef KERNEL_FUTEX_FUTEX_H
#define KERNEL_FUTEX_FUTEX_H

#include "lib/types.h"

/* Boot hart, before the first task: the bucket table, the exit hook. */
void futex_init(void);

/* The priority of `t` has changed: puts its wait for a PI futex, and whoever it waits for, in order. Context: under the epoch. */
struct task;
void futex_priority_changed(struct task *t);

#endif
