/*
 * Private to kernel/sched: the run queue and what its files call in each other.
 */
#ifndef KERNEL_SCHED_SCHED_INTERNAL_H
#define KERNEL_SCHED_SCHED_INTERNAL_H

#include "kernel/sched/sched.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/spinlock.h"

#define RT_PRIO_MAX 100

/*
 * A hart's run queue. The owner locks it (8 ns uncontended); thieves only try; changes of affinity and policy lock. The running thread is
 * not on it.
 */
struct runq {
	struct spinlock lock;
	u32 nr_queued; /* [a] written under the lock, read by everybody for placement */
	u32 tick_on;   /* [a] a tick is armed: the hart will pass through the kernel soon */
	u32 offer;     /* [a] a thread has waited a whole tick: thieves may take the last one too */
	struct heap fair; /* [L:lock] by vruntime */
	u64 min_vruntime; /* [L:lock] never decreases */
	u64 max_vruntime; /* [L:lock] largest key inserted: where a yielding thread goes */
	u64 rt_bitmap[2]; /* [L:lock] bit per priority with waiting threads */
	struct list rt[RT_PRIO_MAX]; /* [L:lock] */
	struct list idle_class;	     /* [L:lock] SCHED_IDLE threads */
	struct inbox inbox;	     /* [a] woken threads from other harts */
	struct thread idle;	     /* [c] runs when nothing else does */
	struct timer tick;	     /* [c] */
	bool need_resched;	     /* [c] */
	bool slice_over;	     /* [c] the running thread goes behind its equals next time */
	u64 nr_switches;	     /* [c] */
	u64 idle_ticks;		     /* [c] time spent in the idle thread */
	u64 user_ticks;		     /* [c] sampled by the tick */
	u64 system_ticks;	     /* [c] sampled by the tick */
	u64 poll_off_until;	     /* [c] no polling before this time: the host is busy */
};

PERCPU_DECLARE(struct runq, sched_runq);

static inline struct runq *runq_self(void)
{
	return this_cpu_ptr(sched_runq);
}

/* runq.c: callers hold rq->lock. */
void runq_init(struct runq *rq);
void runq_insert(struct runq *rq, struct thread *t);
void runq_insert_last(struct runq *rq,
		      struct thread *t); /* behind all others of its class: sched_yield */
void runq_insert_first(struct runq *rq, struct thread *t); /* before its equals: preempted, or lowered */
void runq_remove(struct runq *rq, struct thread *t);
struct thread *runq_pick(struct runq *rq); /* removes the best; NULL when empty */
struct thread *runq_pick_for(struct runq *rq,
			     u32 cpu); /* removes one that may move to `cpu`; NULL if none */
bool runq_beats(const struct thread *a, const struct thread *b); /* a preempts b at once */
u32 sched_weight(s32 nice);

/* wake.c */
void sched_wake_new(struct thread *t); /* a thread that no queue knows yet */
void sched_enqueue(struct thread *t); /* claimed (WAKING or migrating), not on any queue: place it */
void sched_drain_inbox(struct runq *rq); /* own hart */
void sched_local_insert(struct runq *rq, struct thread *t);
u64 sched_idle_cpus(void); /* harts that poll or are halted */

void sched_park_init(void);

/* policy.c */
u64 sched_all_cpus(void);

/* core.c */
int sched_park(u64 deadline, u32 flags);
void sched_tick_arm(struct runq *rq);
void sched_tick(struct timer *timer);
void sched_finish_switch(struct thread *prev);

/* timeout.c: set and clear on the thread itself; end before its memory goes */
void sched_timeout_init(struct thread *t);
void sched_timeout_set(struct thread *t, u64 deadline);
void sched_timeout_clear(struct thread *t);
void sched_timeout_end(struct thread *t);

/* steal.c */
bool sched_steal(struct runq *rq); /* own hart, its queue empty: takes a thread from a busier one */

#endif
