/*
 * timerfd: a timer that is read and polled.
 */
#ifndef KERNEL_FILE_TIMERFD_H
#define KERNEL_FILE_TIMERFD_H

#include "kernel/file/file.h"

/* Disarmed; `flags`: O_NONBLOCK. NULL when out of memory. */
struct file *timerfd_create(bool realtime, u32 flags);
/* True if `f` is a timer; then *realtime tells its clock. */
bool timerfd_clock(struct file *f, bool *realtime);

/* When a timer expires, counted from now. */
struct timerfd_setting {
	u64 left_ns;	 /* 0: disarmed */
	u64 interval_ns; /* 0: once */
};
void timerfd_get(struct file *f, struct timerfd_setting *out);
/*
 * Arms it for `deadline` (ticks; 0: disarmed, PARK_FOREVER) and forgets earlier expirations; *old is
 * what was set before. Context: may sleep.
 */
void timerfd_set(struct file *f, u64 deadline, u64 interval_ns, struct timerfd_setting *old);

#endif
