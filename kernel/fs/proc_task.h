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
/* The number of the process whose directory /proc/<pid> `f` is; 0: it is something else. */
u32 proc_directory_pid(const struct file *f);

/* The files of the directory of a process or thread, and those that threads lack; end with a NULL name. */
extern const struct pseudo_node proc_process_nodes[], proc_leader_nodes[];
/* Its links and directories (proc_task_links.c). Keys are the process's. */
extern const struct inode_ops proc_cwd_ops, proc_exe_ops, proc_root_ops;
extern const struct inode_ops proc_fd_dir_ops, proc_fdinfo_dir_ops;
/* Files that are no text (proc_task_mem.c, proc_task_pagemap.c). */
extern const struct inode_ops proc_mem_ops;
extern const struct file_ops proc_mem_file_ops;
extern const struct inode_ops proc_pagemap_ops;
extern const struct file_ops proc_pagemap_file_ops;
/*
 * A place as seen from the first root, with " (deleted)" if it is gone; lies at the end of `buf`, of which
 * the text may be the last part. An error pointer.
 */
char *proc_path_text(const struct path *p, char *buf, size_t size);
extern struct fs_context *proc_context; /* [I] for paths as seen from the first root */

/* ---- making entries; under the epoch ---- */
/* `inode` under a name, owned by the process or thread that its key says; NULL is taken as -ENOMEM. */
struct dentry *proc_make(struct dentry *dir, const char *name, size_t len, struct inode *inode);
struct dentry *proc_make_link(struct dentry *dir, const char *name, size_t len, u32 mode, u64 key,
			      const struct inode_ops *ops);
struct dentry *proc_make_dir(struct dentry *dir, const char *name, size_t len, u64 key,
			     const struct inode_ops *ops);
void proc_entry(struct dir_entry *out, const char *name, u32 mode);
/* The number that is `name`, or 0. */
u32 proc_number(const char *name, size_t len);

/* ---- proc_task_space.c: what needs the address space ---- */
struct proc_space {
	struct mm *mm; /* a reference */
	struct process_layout layout;
};
/* 0; -ESRCH: it is gone or has none; -EACCES: `inspect`, and the caller may not. mm_put() is due. */
int proc_space_get(u64 key, bool inspect, struct proc_space *out);
int proc_show_cmdline(struct seq *s, u64 key);
int proc_show_environ(struct seq *s, u64 key);
int proc_show_auxv(struct seq *s, u64 key);

/* ---- proc_task_maps.c ---- */
int proc_show_maps(struct seq *s, u64 key);
int proc_show_smaps(struct seq *s, u64 key);
int proc_show_smaps_rollup(struct seq *s, u64 key);
int proc_show_statm(struct seq *s, u64 key);
/* The lines Vm* and Rss* of status. Context: any. */
void proc_status_memory(struct seq *s, const struct proc_space *space);

int proc_show_loadavg(struct seq *s, u64 key);

/* ---- proc_task_timers.c ---- */
int proc_show_timers(struct seq *s, u64 key);

/* ---- proc_task_oom.c ---- */
int proc_show_oom_score(struct seq *s, u64 key);
int proc_show_oom_score_adj(struct seq *s, u64 key);
int proc_store_oom_score_adj(const char *text, u64 key);

/* ---- proc_task_ids.c ---- */
int proc_show_id_map(struct seq *s, u64 key);
int proc_store_id_map(const char *text, u64 key);
int proc_show_setgroups(struct seq *s, u64 key);
int proc_show_cgroup(struct seq *s, u64 key);
int proc_show_timerslack(struct seq *s, u64 key);
int proc_store_timerslack(const char *text, u64 key);

/* /proc/<pid>. After task_init() and fs_init(). 0 or -ENOMEM. */
int fs_task_nodes_init(void);

#endif
