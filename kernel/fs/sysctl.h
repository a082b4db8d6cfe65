/*
 * Numbers below /proc/sys that programs may read and set. The subsystem that owns a number keeps it in a variable of its
 * own and reads it with one relaxed atomic load; one that must know of a change gives a function.
 */
#ifndef KERNEL_FS_SYSCTL_H
#define KERNEL_FS_SYSCTL_H

#include "lib/types.h"

struct sysctl {
	const char *path; /* below /proc/sys: "kernel/shmmax" */
	u32 mode;	  /* permission bits: 0644, or 0444 for what only reports */
	u32 nr;		  /* numbers in a row, shown with tabs between them */
	u64 *values;	  /* [a] nr of them */
	bool is_signed;	  /* min, max and values are s64 in u64's clothes */
	u64 min, max;	  /* bounds, inclusive, of each number */
	/* Stores the first `nr` numbers, which are in bounds, or refuses with -errno. NULL: just stores. */
	int (*set)(u64 *values, const u64 *wanted, u32 nr);
};

/*
 * Makes `ctl`, which must stay, a file. A write sets as many numbers as it has, from the first; one that is out of bounds or
 * no number is EINVAL, and then nothing changes. A write that does not begin at position 0 is ignored, as by Linux.
 * 0, -ENOMEM, -EEXIST. Boot only. Source: proc_sys(5), Documentation/admin-guide/sysctl.
 */
int sysctl_register(const struct sysctl *ctl);

#endif
