/*
 * Between timers.c (what all timers do), cpu_timer.c (CPU clocks), itimer.c and posix_timer.c.
 */
#ifndef KERNEL_TASK_TIMER_INTERNAL_H
#define KERNEL_TASK_TIMER_INTERNAL_H

#include "kernel/task/signal_internal.h"
#include "kernel/task/task.h"
#include "kernel/task/timers.h"
#include "kernel/time/time.h"

struct task_timer {
	struct process *process;	       /* [I] */
	struct timer_clock clock;	       /* [I] */
	void (*expired)(struct task_timer *t); /* [I] its time has come; process lock held */
	u64 deadline_ns;		       /* [L:process] on its clock; 0: never set, or over */
	u64 interval_ns;		       /* [L:process] 0: once */
	u64 other_ns;	    /* [L:process] what the clock of another process said last */
	bool armed;	    /* [L:process] the kernel watches for the deadline */
	bool awaits_taking; /* [L:process] expired, and goes on when its signal is taken */
	bool wall;	    /* [L:process] deadline_ns is a time of the wall clock */
	struct timer timer; /* not of CPU clocks */
	struct list cpu;    /* [L:process] on process_timers.cpu while armed on a CPU clock */
};

struct posix_timer;

/* Made when the first timer is. */
struct process_timers {
	struct task_timer itimer[3]; /* by ITIMER_* */
	struct posix_timer **posix;  /* [L:process] by number; NULL: free */
	u32 nr_posix;		     /* [L:process] length of the table */
	u32 next_posix;		     /* [L:process] where to look for a free number */
	struct list cpu;	     /* [L:process] armed timers on CPU clocks */
	bool cpu_limit;		     /* [L:process] RLIMIT_CPU and RLIMIT_RTTIME are watched */
	struct timer poll;	     /* looks at the CPU clocks */
	u64 poll_at;		     /* [L:process] when; TIME_NEVER: not armed */
	struct process *process;     /* [I] */
};

/*
 * Those of `p`, made if need be; NULL when out of memory, or they have ended with `p`. Valid for its tasks.
 */
struct process_timers *process_timers_get(struct process *p);

void task_timer_init(struct task_timer *t, struct process *p, const struct timer_clock *clock,
		     void (*expired)(struct task_timer *));

/* The process lock is held for all of these. */
u64 task_timer_now(struct task_timer *t);
/* Reads a CPU clock of another process into t->other_ns. False: that one is just locked. */
bool task_timer_sample(struct task_timer *t);
void task_timer_start(struct task_timer *t); /* watches for t->deadline_ns */
void task_timer_stop(struct task_timer *t);  /* forgets it; the kernel timer may still go off */
void task_timer_set(struct task_timer *t, const struct timer_setting *setting, bool absolute);
void task_timer_read(struct task_timer *t, struct timer_setting *out);
/* Moves the deadline of a periodic timer beyond `now`: periods passed, at least 1. */
u64 task_timer_forward(struct task_timer *t, u64 now);

/* ---- cpu_timer.c ---- */
u64 cpu_clock_now_locked(struct process *p, const struct timer_clock *clock);
/* Arms the next look at the CPU clocks for what is on the list. */
void cpu_timers_watch_locked(struct process_timers *pt);
void cpu_timers_init(struct process_timers *pt);
/* The next look comes in `ns` nanoseconds at the latest. Context: process lock held. */
void cpu_timers_arm(struct process_timers *pt, u64 ns);

/* ---- cpu_limit.c ---- */
/* Sends the signals that are due; nanoseconds until the next could be, or PARK_FOREVER. Context: process lock held. */
u64 cpu_limits_check(struct process *p);

void itimers_init(struct process_timers *pt);
/* Frees every POSIX timer. Context: no lock held, nobody else can use them. */
void posix_timers_free(struct process_timers *pt);
/* Absolute timers of the wall clock follow it. Context: process lock held. */
void posix_timers_clock_set_locked(struct process_timers *pt);

#endif
