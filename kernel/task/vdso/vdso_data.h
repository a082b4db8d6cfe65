/*
 * The page that the kernel shares with the vDSO's code, which lies right behind it in every address
 * space.
 */
#ifndef KERNEL_TASK_VDSO_VDSO_DATA_H
#define KERNEL_TASK_VDSO_VDSO_DATA_H

#include "lib/types.h"

#define VDSO_DATA_SIZE 4096

struct vdso_data {
	u64 ns_numerator;   /* [I] nanoseconds = ticks * numerator / denominator */
	u64 ns_denominator; /* [I] */
	u64 realtime_base;  /* [a] CLOCK_REALTIME at tick 0, in nanoseconds */
	s32 minutes_west;   /* [a] the time zone, settimeofday(2) */
	s32 dst_time;	    /* [a] */
};

#endif
