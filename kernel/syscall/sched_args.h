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
/*
 * Calls fn(arg, t) for each task of each process of a group, or of a real user, until it returns false. Context: under the
 * epoch; `fn` runs with the lock of t's process held.
 */
enum sched_whom {
	SCHED_GROUP,
	SCHED_USER,
};
void sched_each(enum sched_whom whom, u32 who, bool (*fn)(void *arg, struct task *t), void *arg);
/* RLIMIT_NICE of `t` allows this nice value. */
bool priority_within_limit(const struct task *t, s32 nice);

/* May the running task ask for this I/O priority? 0, -EINVAL or -EPERM. */
long ioprio_check(u32 value);

#endif
