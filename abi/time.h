/*
 * Times and clocks of the system-call interface.
 */
#ifndef ABI_TIME_H
#define ABI_TIME_H

#include "lib/types.h"

struct abi_timespec {
	s64 tv_sec;
	s64 tv_nsec;
};
static_assert(sizeof(struct abi_timespec) == 16, "struct timespec");

struct abi_timeval {
	s64 tv_sec;
	s64 tv_usec;
};

struct abi_itimerspec {
	struct abi_timespec it_interval;
	struct abi_timespec it_value;
};

struct abi_itimerval {
	struct abi_timeval it_interval;
	struct abi_timeval it_value;
};

struct abi_timezone {
	s32 tz_minuteswest;
	s32 tz_dsttime;
};

struct abi_tms {
	s64 tms_utime;
	s64 tms_stime;
	s64 tms_cutime;
	s64 tms_cstime;
};

#define NSEC_PER_SEC  1000000000L
#define NSEC_PER_USEC 1000L
#define USEC_PER_SEC  1000000L

/* Unit of times(), AT_CLKTCK and the tick counts of /proc. */
#define USER_HZ 100

#define CLOCK_REALTIME		 0
#define CLOCK_MONOTONIC		 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID	 3
#define CLOCK_MONOTONIC_RAW	 4
#define CLOCK_REALTIME_COARSE	 5
#define CLOCK_MONOTONIC_COARSE	 6
#define CLOCK_BOOTTIME		 7
#define CLOCK_REALTIME_ALARM	 8
#define CLOCK_BOOTTIME_ALARM	 9
#define CLOCK_TAI		 11

#define ITIMER_REAL    0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF    2

#define TIMER_ABSTIME 1

#endif
