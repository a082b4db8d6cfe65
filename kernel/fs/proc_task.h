/*
 * Shared by proc_task.c (the tree of /proc/<pid>) and proc_task_show.c (its texts).
 */
#ifndef KERNEL_FS_PROC_TASK_H
#define KERNEL_FS_PROC_TASK_H

#include "kernel/fs/pseudo.h"
#include "kernel/task/task.h"

/*
 * What a node's key stands for: a process, or with PROC_THREAD one of its threads. Valid under
 * the epoch. `task` is NULL if the process's first thread has exited.
 */
#define PROC_THREAD BIT(63)
struct proc_who {
	struct process *process;
	struct task *task;
};
/* False if it is gone. Under the epoch. */
bool proc_find(u64 key, struct proc_who *who);

/* The files of a process directory and of a thread's; both end with a NULL name. */
extern const struct pseudo_node proc_process_nodes[];
extern const struct pseudo_node proc_thread_nodes[];

int proc_show_loadavg(struct seq *s, u64 key);

/* /proc/<pid>. After task_init() and fs_init(). 0 or -ENOMEM. */
int fs_task_nodes_init(void);

#endif
