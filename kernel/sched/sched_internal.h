/*
 * Private to kernel/sched: the run queue and what its files call in each other.
 */
#ifndef KERNEL_SCHED_SCHED_INTERNAL_H
#define KERNEL_SCHED_SCHED_INTERNAL_H

#include "kernel/mm/mm.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/spinlock.h"
#include "kernel/trace/trace.h"

#define RT_PRIO_MAX 100
#define TICK_HZ	    250

/*
 * A hart's run queue. The owner locks it (8 ns uncontended); thieves only try; changes of affinity and policy lock, and so do readers of
 * run time. The running thread is not on it.
 */
struct runq {
	struct spinlock lock;
	u32 nr_queued; /* [a] written under the lock, read by everybody for placement */
	u32 running_prio; /* [a] real-time priority of the running thread, 0 below; written under the lock */
	struct heap fair;	/* [L:lock] fair and idle classes, by vruntime */
	u64 min_vruntime;	/* [L:lock] never decreases */
	u64 rt_bitmap[2];	/* [L:lock] bit per priority with waiting threads */
	struct inbox inbox;	/* [a] woken threads from other harts */
	struct thread *running; /* [L:lock] */
	u64 clock;		/* [L:lock] until when the running thread has been charged */
	u64 user_ticks;		/* [L:lock] of all threads that ran here */
	u64 start;		/* [I] when `clock` began */
	u64 nr_switches;	/* [c] */
	u64 nr_started;		/* [a] threads that were started from this hart */
	bool need_resched;	/* [c] */
	bool slice_over;	/* [c] the running thread goes behind its equals next time */
	bool tick_on;		/* [c] a tick is armed */
	bool tick_user;		/* [c] the interrupt being handled came out of user mode */
	bool fair_turn;	   /* [L:lock] real-time threads have had their share: fair ones go first */
	struct timer tick; /* [c] */
	struct {
		u64 clock;    /* [c] when the last tick was */
		u64 switches; /* [c] nr_switches then */
		bool waiting; /* [c] somebody waited then */
		u64 window;   /* [c] of this period, the time with somebody waiting */
		u64 rt;	      /* [c] of it, the time with a real-time thread running */
	} last;
	u64 poll_off_until;	     /* [c] no polling before this time: the host is busy */
	struct list rt[RT_PRIO_MAX]; /* [L:lock] */
	struct thread idle;	     /* [c] runs when nothing else does */
};

PERCPU_DECLARE(struct runq, sched_runq);

static inline struct runq *runq_self(void)
{
	return this_cpu_ptr(sched_runq);
}

static inline bool thread_is_rt(const struct thread *t)
{
	return t->rt_prio != 0;
}

/* core.c */
int sched_park(u64 deadline, u32 flags);

/* wake.c */
void sched_wake_new(struct thread *t); /* a thread that no queue knows yet */
void sched_enqueue(struct thread *t); /* claimed (WAKING or migrating), not on any queue: place it */
void sched_send(struct thread *t, u32 cpu); /* the same to a hart that is settled and not this one */
void sched_drain_inbox(struct runq *rq);    /* own hart */
u64 sched_idle_cpus(void);		    /* harts that poll or are halted */
u64 sched_beaten_cpus(u32 rt_prio,
		      u64 allowed); /* harts of `allowed` that a thread of this priority would get at once */

void sched_watch_waker(struct thread *t); /* somebody has waited behind `t`, which runs: look at its wake-ups */
void sched_judge_waker(struct thread *t, u64 now); /* `t` is looked at and leaves its hart */

void sched_park_init(void);

/* policy.c */
struct runq *sched_lock_queue_of(struct thread *t);

/* tick.c */
void sched_tick(struct timer *timer);
void sched_tick_arm(struct runq *rq, u64 now); /* if it is not armed: the hart leaves idle */

/* timeout.c: set and clear on the thread itself; end before its memory goes */
void sched_timeout_init(struct thread *t);
void sched_timeout_set(struct thread *t, u64 deadline);
void sched_timeout_clear(struct thread *t);
void sched_timeout_end(struct thread *t);

/* As Linux numbers priorities: 0-99 real time (lower is better), 120 + nice for the rest. */
static inline u32 sched_trace_prio(u32 rt_prio, s32 nice)
{
	return rt_prio ? 99U - rt_prio : (u32)(120 + nice);
}
/* How much memory is free, now and then. */
static inline void sched_trace_memory(void)
{
	if (trace_enabled(free_pages))
		trace_free_pages(mm_free_pages());
}

/* steal.c */
bool sched_steal(struct runq *rq); /* own hart, its queue empty: takes a thread from a busier one */
bool sched_push(struct runq *rq); /* own hart: gives a waiting thread to a hart that would run it at once */

#endif
