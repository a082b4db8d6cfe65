/*
 * inotify: events of names and inodes for who watches them.
 */
#ifndef KERNEL_FS_INOTIFY_H
#define KERNEL_FS_INOTIFY_H

#include "kernel/fs/fs.h"

/* A new queue of events as a file; `flags`: O_NONBLOCK. NULL when out of memory. */
struct file *inotify_create(u32 flags);
bool inotify_is(const struct file *f);
/* The watch's number, or -EEXIST, -ENOMEM. */
long inotify_add(struct file *f, struct inode *inode, u32 mask);
/* 0, or -EINVAL: no such watch. */
int inotify_remove(struct file *f, s32 wd);

#endif
