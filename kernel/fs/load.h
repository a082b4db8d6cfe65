/*
 * Load averages.
 */
#ifndef KERNEL_FS_LOAD_H
#define KERNEL_FS_LOAD_H

#include "lib/types.h"

/* Over 1, 5 and 15 minutes, scaled by 65536 as sysinfo wants them. Context: any. */
void load_average(u64 loads[3]);
/* Starts the sampling; after sched_init(). */
void load_init(void);

#endif
