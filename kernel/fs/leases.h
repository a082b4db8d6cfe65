/*
 * Leases on files (fcntl(2), F_SETLEASE): the holder is told before somebody else opens or truncates the file.
 */
#ifndef KERNEL_FS_LEASES_H
#define KERNEL_FS_LEASES_H

#include "kernel/file/file.h"

struct inode;

/*
 * F_SETLEASE: `type` is F_RDLCK, F_WRLCK or F_UNLCK; `fd` is what the signal will name. 0, -EINVAL (no regular file, or no leases now), -EACCES
 * (another's file), -EAGAIN (it is open in a way that the lease excludes, or there is none to give back), -ENOMEM. May sleep.
 */
int lease_set(struct file *f, int fd, int type);
/* F_GETLEASE: the lease of this open file, or what it is asked to become. May sleep. */
int lease_get(struct file *f);

/*
 * Before a file is opened with `flags`, by a caller who is counted already: waits until no lease is in the way. 0, -EWOULDBLOCK (O_NONBLOCK),
 * -ERESTARTSYS. May sleep, the inode is not locked.
 */
int lease_break(struct inode *inode, u32 flags);
/* Of each open file, when it is open or about to be: who is there. Regular files only. */
void lease_count_open(struct inode *inode, u32 flags);
void lease_uncount_open(struct inode *inode, u32 flags);
/* The open file goes, with its lease. May sleep. */
void lease_file_closed(struct file *f);

/* Filled by kernel/task. Context: the inode is locked, which keeps the file open. */
struct lease_signals {
	void (*begin)(struct file *f); /* the caller will be told, if nobody has been named */
	void (*tell)(struct file *f, int fd);
	void (*end)(struct file *f); /* nobody any more */
};
extern struct lease_signals lease_signals;

/* Makes its numbers below /proc/sys/fs. 0 or -ENOMEM. Boot, once, before a program runs. */
int lease_init(void);

#endif
