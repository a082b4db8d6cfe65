/*
 * timerfd: a timer that is read and polled.
 */
#ifndef KERNEL_FILE_TIMERFD_H
#define KERNEL_FILE_TIMERFD_H

#include "kernel/file/file.h"

/* Disarmed; `flags`: O_NONBLOCK. NULL when out of memory. */
struct file *timerfd_create(bool realtime, u32 flags);
bool timerfd_is(const struct file *f);

struct timerfd_setting {
	u64 value_ns;	 /* time left, or what to set: from now, or absolute; 0: disarmed */
	u64 interval_ns; /* 0: once */
	bool absolute;
	bool cancel_on_set; /* with `absolute`, of the wall clock: reads fail when it is set */
};
void timerfd_get(struct file *f, struct timerfd_setting *out);
/*
 * Sets it and forgets earlier expirations; *old is what was set before. 0, or -ECANCELED: set, but the
 * clock was changed since the last read. Context: may sleep.
 */
int timerfd_set(struct file *f, const struct timerfd_setting *setting, struct timerfd_setting *old);

/* The wall clock was set. Context: may sleep. */
void timerfd_clock_set(void);

#endif
