/*
 * Timers that send signals: setitimer's three, POSIX timers, and the limit on CPU time.
 *
 * Everything here lies under the lock of its process. A timer that has expired does nothing more
 * until its signal is taken; only then are the periods that have passed meanwhile counted (the
 * overrun) and the next one begun. So a short period cannot flood a process that does not listen.
 */
#ifndef KERNEL_TASK_TIMERS_H
#define KERNEL_TASK_TIMERS_H

#include "lib/types.h"

struct abi_siginfo;
struct process;

struct timer_setting {
	u64 value_ns; /* time left, or the absolute time when it is set; 0: disarmed */
	u64 interval_ns;
};

/* What a timer counts. */
struct timer_clock {
	bool cpu;	/* CPU time, of the process or of one thread */
	bool user_only; /* CPU time in user mode */
	bool realtime;	/* an absolute time follows the wall clock; else the time since boot */
	u32 tid;	/* of a thread's CPU clock; 0: the process */
	struct process *other; /* whose CPU clock it is, a reference; NULL: the running process's */
};
void timer_clock_put(struct timer_clock *clock); /* drops the reference, if there is one */
/* Nanoseconds on a CPU clock. 0 or -EINVAL (no such thread). */
int timer_clock_now(const struct timer_clock *clock, u64 *ns);
/*
 * Sleeps until CPU clock `clock` says `deadline_ns`. 0, or -EINTR. Context: may sleep.
 */
int timer_clock_sleep(const struct timer_clock *clock, u64 deadline_ns);

/* ---- setitimer (which: ITIMER_*); 0 or -ENOMEM ---- */
int itimer_set(u32 which, const struct timer_setting *setting, struct timer_setting *old);
void itimer_get(u32 which, struct timer_setting *now);

/* ---- POSIX timers of the running process ---- */
struct timer_notify {
	int kind; /* SIGEV_SIGNAL, SIGEV_NONE or SIGEV_THREAD */
	u32 tid;  /* SIGEV_THREAD_ID: that thread; 0: the process */
	int signal;
	u64 value;
	bool value_is_id; /* no sigevent was given */
	s32 clock;	  /* as /proc names it */
};
/* Its number, and the timer has the clock's reference; -EAGAIN or -ENOMEM. */
long posix_timer_create(const struct timer_clock *clock, const struct timer_notify *notify);
/* 0, -EINVAL: no such timer, -ESRCH: the process of its clock is gone. */
int posix_timer_set(s32 id, bool absolute, const struct timer_setting *setting,
		    struct timer_setting *old);
int posix_timer_get(s32 id, struct timer_setting *now);
int posix_timer_delete(s32 id);
long posix_timer_overrun(s32 id);
/*
 * The timers of any process, highest number first: *id becomes the highest below it, whose notification is stored, its `value` what the
 * signal brings. False: there is none. Context: under the epoch.
 */
bool posix_timer_next(struct process *p, s32 *id, struct timer_notify *notify);

/* ---- life ---- */

/* exec: POSIX timers end, setitimer's go on. Context: the only task of the running process. */
void process_timers_exec(struct process *p);
/* All end. Context: `p` has no tasks any more. No lock held. */
void process_timers_exit(struct process *p);
/*
 * RLIMIT_CPU or RLIMIT_RTTIME was set or inherited, or a thread became a real-time one: from now on they are watched. 0 or -ENOMEM.
 * Context: no lock held.
 */
int process_timers_limit(struct process *p);

#endif
