/*
 * pidfd: a descriptor that names a process, or with PIDFD_THREAD one thread, whatever becomes of its number.
 */
#ifndef KERNEL_TASK_PIDFD_H
#define KERNEL_TASK_PIDFD_H

#include "kernel/file/file.h"

struct process;
struct task;

/* `flags`: O_NONBLOCK. NULL when out of memory. */
struct file *pidfd_create(struct process *p, u32 flags);
/* The same for thread `t` of `p`; NULL: its leader, who may have gone. */
struct file *pidfd_create_thread(struct process *p, struct task *t, u32 flags);
/* The process that `f` names, or whose thread, or NULL: no pidfd. */
struct process *pidfd_process(const struct file *f);
/* The number that it had when `f` was made. */
u32 pidfd_number(const struct file *f);
/* `f` names a thread: a signal without further words goes to it alone. */
bool pidfd_of_thread(const struct file *f);
/* The task that `f` names, or the process's leader, as long as it runs, or NULL. Context: under the epoch. */
struct task *pidfd_task(const struct file *f);
/* The number is no longer that process's, or thread's. Context: under the epoch. */
bool pidfd_reaped(const struct file *f);

/* A thread of `p` has given its number back: tells those who watch a descriptor of that thread. */
void pidfd_tell_exit(struct process *p);

#endif
