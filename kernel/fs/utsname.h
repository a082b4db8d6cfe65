/*
 * The names that the administrator gives the machine: uname(2), sethostname(2), /proc/sys/kernel/hostname and domainname.
 */
#ifndef KERNEL_FS_UTSNAME_H
#define KERNEL_FS_UTSNAME_H

#include "lib/types.h"

#define UTS_NAME_MAX 64 /* bytes without the NUL */

enum uts_name { UTS_HOST, UTS_DOMAIN, NR_UTS_NAMES };

/* Copies the name and its NUL. Context: any without a lock above the descriptor tables'. */
void uts_get(enum uts_name which, char out[UTS_NAME_MAX + 1]);
/* The first `len` bytes of `text`, at most UTS_NAME_MAX, are the name from now on. */
void uts_set(enum uts_name which, const char *text, size_t len);
/* Boot only: the files in /proc/sys/kernel. 0 or -ENOMEM. */
int uts_init(void);

#endif
