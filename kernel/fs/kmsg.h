/*
 * What /dev/kmsg and syslog(2) share.
 */
#ifndef KERNEL_FS_KMSG_H
#define KERNEL_FS_KMSG_H

#include "lib/types.h"

/* Sleeps until the log goes beyond record *number, which others may change meanwhile. 0 or -ERESTARTSYS. Context: no lock. */
int kmsg_wait(const u64 *number);
/* Clearing hides older records from those who read all; and the number of the first that is not hidden. */
void kmsg_clear(void);
u64 kmsg_first_kept(void);

int dev_kmsg_init(void);

#endif
