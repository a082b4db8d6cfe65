/*
 * Times that system calls take from and give to programs: checked, in nanoseconds, and as deadlines
 * in ticks.
 */
#ifndef KERNEL_SYSCALL_USER_TIME_H
#define KERNEL_SYSCALL_USER_TIME_H

#include "lib/types.h"

/*
 * Reads a struct timespec as nanoseconds, saturating at Linux's KTIME_MAX. 0, -EFAULT, -EINVAL
 * (negative, or tv_nsec out of range).
 */
int user_load_timespec(u64 user, u64 *ns);
int user_store_timespec(u64 user, u64 ns); /* 0 or -EFAULT */
int user_store_timeval(u64 user, u64 ns);  /* 0 or -EFAULT */

/* Ticks of the deadline `ns` nanoseconds from now; far ones become PARK_FOREVER. */
u64 deadline_after(u64 ns);
/* Ticks of the absolute time `ns` of CLOCK_MONOTONIC. */
u64 deadline_at(u64 ns);

/* The names of the caller's own CPU time as numbers of CPU clocks; any other clock as it is. */
s32 cpu_clock_number(s32 clock);
/*
 * What a clock id of timer_create and its like counts; timer_clock_put() is due. 0, -EINVAL, -EOPNOTSUPP (no timers), -EPERM.
 */
struct timer_clock;
int timer_clock_of(s32 clock, struct timer_clock *out);

/* There is a clock of that number, whatever can be done with it. */
bool clock_is_known(s32 clock);
/* The wall clock says `ns` from now on. 0, or -EINVAL: that would be before the machine started at 1970. May sleep. */
int clock_set_realtime(u64 ns);

#endif
