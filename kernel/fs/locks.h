/*
 * Advisory locks on files: flock(2), and record locks of fcntl(2) owned by a descriptor table
 * (POSIX) or by an open file (OFD).
 */
#ifndef KERNEL_FS_LOCKS_H
#define KERNEL_FS_LOCKS_H

#include "kernel/file/file.h"

enum file_lock_kind { FILE_LOCK_FLOCK, FILE_LOCK_RECORD };

/* What is asked for, or what stands in its way. */
struct file_lock_range {
	enum file_lock_kind kind;
	const void *owner; /* the table, or the open file */
	u64 start, end;	   /* bytes, inclusive */
	u32 pid;	   /* shown by F_GETLK */
	bool write;
	bool detect; /* a cycle of waiting owners is an error */
};

/*
 * Takes the lock, in place of what the owner held on these bytes. 0, -EAGAIN (taken, and not `wait`),
 * -EDEADLK, -ERESTARTSYS, -ENOLCK (out of memory), -EINVAL (the file has no inode). May sleep.
 */
int file_lock(struct file *f, const struct file_lock_range *want, bool wait);
/* Gives back what the owner holds on these bytes: 0, -ENOLCK, -EINVAL. May sleep. */
int file_unlock(struct file *f, const struct file_lock_range *range);
/* The first lock in the way of `want`, in *found: true; or false. May sleep. */
bool file_lock_test(struct file *f, const struct file_lock_range *want,
		    struct file_lock_range *found);

#endif
