/*
 * Namespaces as files: /proc/<pid>/ns. There is one of each kind, in which all processes are; it can be named, compared and entered,
 * which changes nothing.
 */
#ifndef KERNEL_FS_PROC_TASK_NS_H
#define KERNEL_FS_PROC_TASK_NS_H

#include "kernel/fs/fs.h"

/* The kind of the namespace that `f` names, CLONE_NEW*; 0: it names none. */
u64 namespace_kind(const struct file *f);

/* The directory /proc/<pid>/ns. */
extern const struct inode_ops proc_ns_dir_ops;

/* Boot only. 0 or -ENOMEM. */
int namespaces_init(void);

#endif
