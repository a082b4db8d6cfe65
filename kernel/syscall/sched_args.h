/*
 * Shared by the system calls on policies and on priorities.
 */
#ifndef KERNEL_SYSCALL_SCHED_ARGS_H
#define KERNEL_SYSCALL_SCHED_ARGS_H

#include "kernel/task/task.h"

/* Task `tid`, 0 meaning the caller. Under the epoch: do not block while it is used. */
struct task *sched_find_task(u64 tid);
/* The caller is who `t` runs for; else it needs CAP_SYS_NICE to change its scheduling. */
bool sched_same_owner(const struct task *t);
/* RLIMIT_NICE of `t` allows this nice value. */
bool priority_within_limit(const struct task *t, s32 nice);

#endif
