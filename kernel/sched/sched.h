/*
 * Threads, run queues, placement and idle. A hart owns its run queue; woken threads arrive in its inbox.
 */
#ifndef KERNEL_SCHED_SCHED_H
#define KERNEL_SCHED_SCHED_H

#include "arch/riscv64/context.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/inbox.h"
#include "kernel/sync/park.h"
#include "kernel/sync/spinlock.h"
#include "kernel/time/time.h"
#include "lib/heap.h"
#include "lib/list.h"
#include "lib/types.h"

enum sched_class { SCHED_CLASS_RR, SCHED_CLASS_FIFO, SCHED_CLASS_FAIR, SCHED_CLASS_IDLE };
#define SCHED_RR_SLICE_MS 100 /* as Linux */

enum thread_leaving {
	THREAD_STAYS,
	THREAD_MIGRATES, /* runnable, but this hart is no longer allowed */
	THREAD_EXITS,	 /* thread_exit() was called */
};
enum park_state { PARK_EMPTY, PARK_PERMIT, PARK_BLOCKED, PARK_WAKING };

/* Exit-work bits of thread->work: asynchronous demands, tested once on return to user mode. */
#define THREAD_WORK_SIGNAL BIT(0) /* look at pending signals */
#define THREAD_WORK_KILL                                                                           \
	BIT(1) /* fatal signal or exec/exit_group by another thread: parks return -EINTR */
#define THREAD_WORK_RSEQ BIT(2)
#define THREAD_WORK_STOP BIT(3)
#define THREAD_WORK_VECTOR                                                                         \
	BIT(4) /* stays set: vector registers to load or to take (kernel/task/vector.c) */
#define THREAD_WORK_TRACED                                                                         \
	BIT(5) /* stays set: somebody traces it, its system calls go another way (kernel/task/ptrace.h) */
/* What stays set while a thread is in user mode. */
#define THREAD_WORK_STANDING (THREAD_WORK_VECTOR | THREAD_WORK_TRACED)

/* thread->rseq_hart: the program does not ask, or is to be told anyway. */
#define RSEQ_HART_NONE	 (~0U)
#define RSEQ_HART_UNTOLD (~1U)

struct fp_state;
struct mm;
struct mutex;

/*
 * Room in a thread for what it queues while it waits (kernel/futex), laid out by the one who uses it. Threads lie side by side in a
 * slab; stacks lie 32 KiB apart, so that those of many waiters share few places of a translation cache, and each look at one
 * walks the page table.
 */
#define THREAD_WAIT_ROOM 72

/* The timeout of the current park; see timeout.c. */
struct thread_timeout {
	struct spinlock lock; /* arming */
	struct timer timer;   /* [L:lock] */
	u64 deadline;	      /* [a] written by the thread; TIME_NEVER while it does not wait */
	u64 armed; /* [a] when the timer goes off, written under the lock; TIME_NEVER if it is not armed */
};

/*
 * The schedulable half of a task; kernel/task embeds it. Lifetime: counted; freed after a grace period, so that a waker that found it
 * under the epoch may finish unpark().
 */
struct thread {
	u32 work;	/* [a] THREAD_WORK_*; first: entry.S tests it */
	u32 park;	/* [a] enum park_state */
	u32 park_flags; /* [a] PARK_* of the current park, for thread_set_work() */
	u32 on_cpu;	/* [a] 1 while a hart runs on its kernel stack */
	u32 cpu; /* [a] hart whose queue it is on or was last on; changes under that queue's lock */
	u8 leaving;  /* [c] enum thread_leaving: what the next thread on its hart does with it */
	bool queued; /* [L:runq] */
	bool in_user; /* [L:runq] what the last tick found it in: its run time counts so until the next */
	u8 runs_on; /* [c] how surely it runs on for long after it woke another thread; 0: nobody looks */
	struct arch_context context; /* [c] saved registers when switched out */
	u64 kernel_sp;		     /* [I] top of its kernel stack */
	void *stack;		     /* [I] */
	struct mm *mm;		     /* [c] NULL for kernel threads */
	u32 rseq_hart;		 /* [c] hart that the program was told it runs on, or RSEQ_HART_* */
	struct fp_state *fp;	 /* [I] floating-point state; NULL for kernel threads */
	struct inbox_node inbox; /* [a] link in a hart's inbox */
	struct thread *batch_next; /* link in an unpark batch, owned by the waker that won WAKING */
	struct list run;	   /* [L:runq] real-time classes */
	struct heap_node fair; /* [L:runq] the others; key = vruntime on the time line of the queue that `cpu` names */
	u64 affinity;	    /* [a] bit per dense cpu id */
	u64 run_ticks;	    /* [L:runq] summed run time, up to its queue's `clock` */
	u64 user_ticks;	    /* [L:runq] of it in user mode: see tick.c */
	u64 nr_voluntary;   /* [c] switches away because it blocked */
	u64 nr_involuntary; /* [c] switches away while it could have run on */
	u64 woke_at;	    /* [c] looked at: its first wake-up since it got the hart; 0: none */
	u64 minor_faults;   /* [c] page faults resolved without waiting for a device */
	u32 weight;	    /* [L:runq] 1024 at nice 0 */
	u32 tid;	    /* [I] for tracing: Linux thread id; 0 for idle */
	u8 class; /* [L:runq] enum sched_class in force: base_class, or FIFO while boosted above it */
	u8 rt_prio;		      /* [L:runq] in force: 1..99 for FIFO and RR, else 0 */
	u8 base_class;		      /* [L:runq] what sched_set_policy() asked for */
	u8 base_prio;		      /* [L:runq] */
	u8 slice;		      /* [c] ticks that an RR thread has run of its slice */
	u8 boost;		      /* [L:runq] priority lent by sched_set_boost(); 0: none */
	s8 nice;		      /* [L:runq] -20..19 */
	char name[16];		      /* [a] comm; changed by prctl and exec */
	const struct thread_ops *ops; /* [I] events to the upper layer; NULL for kernel threads */
	u8 wait_room[THREAD_WAIT_ROOM] __cacheline_aligned;
	struct thread_timeout timeout;
	struct mutex *held_mutexes; /* [c] debug builds: rank check of sleeping mutexes */
	u32 refs;		    /* [a] */
	struct epoch_node free_node;
};

/* What the owner of a thread (kernel/task) is told. */
struct thread_ops {
	bool (*interrupted)(struct thread *t,
			    u32 park_flags); /* a park with these flags must end now with -EINTR */
	void (*free)(struct thread *t);	     /* last reference gone, after a grace period */
};

void sched_init(void);		  /* boot hart, once */
void sched_hart_init(void);	  /* every hart: the running context becomes its idle thread */
__noreturn void sched_idle(void); /* what each hart does from the end of its boot on */

/* Prepares `t` (zeroed by the caller) to run fn(arg) on a new kernel stack; one reference. 0 or -ENOMEM. */
int thread_init(struct thread *t, const char *name, const struct thread_ops *ops,
		void (*fn)(void *), void *arg);
void thread_abandon(struct thread *t); /* instead of thread_start(): gives the stack back */
void thread_start(struct thread *t);   /* first wake-up; placement picks the hart */
__noreturn void thread_exit(void); /* current thread: never returns; drops the running reference */
void thread_get(struct thread *t);
bool thread_get_found(struct thread *t); /* for one found under the epoch; false: it is gone */
void thread_put(struct thread *t);
struct thread *kthread_create(const char *name, void (*fn)(void *),
			      void *arg); /* started; NULL on failure */

void sched_yield(void);
void schedule(void); /* switch to the best thread; current goes by its park state */
/*
 * A named point without lock, epoch section or per-hart pointer: quiescent, drains hart work, takes interrupts, may preempt.
 */
void kernel_relax(void);
/* 0; -EINVAL if no started hart is in the mask. Moves the thread if it is on a hart no longer allowed. */
int sched_set_affinity(struct thread *t, u64 mask);
int sched_set_policy(struct thread *t, enum sched_class class, u32 rt_prio, s32 nice);
/*
 * Policy, nice and affinity of `parent` for `child`, which has not started; a boost is not passed on. `reset`: neither are a real-time
 * policy and a nice value below 0.
 */
void sched_inherit(struct thread *child, const struct thread *parent, bool reset);
/*
 * Priority inheritance: `t` runs at real-time priority `prio` while that is above its own policy's; 0 ends it. Takes hold wherever `t` is:
 * waiting in a queue or an inbox it is moved up or down, running it is preempted if it fell, blocked it is queued accordingly
 * when woken. A raised thread goes behind its new equals, a lowered one before them. Never switches by itself: the
 * caller's own hart looks on its way out of the kernel. Context: any, spin locks below RANK_RUNQ may be held; `t` stays alive.
 */
void sched_set_boost(struct thread *t, u32 prio);
/* The profiler's event has been switched on: tells it what this hart runs. Context: the hart's own call. */
void sched_sample_present(void);
/* Runs the hart's pending work (inbox, resched, calls, TLB, epoch, timers). From the way out of the kernel and idle. */
void sched_hart_work(void);
/*
 * The current thread will run on for longer than waking a hart takes (30 us) after the wake-up that it is about to make: whom it wakes need not
 * wait behind it. It counts until it turns out wrong (wake.c). Context: any but an interrupt.
 */
void sched_waker_will_run_on(void);
void sched_resched_if_needed(void); /* switches if hart work or a tick asked for it */
/* Sets bits in t->work and makes sure that `t` looks at them soon: unparks it if parked interruptibly, kicks its hart (urgent). */
void thread_set_work(struct thread *t, u32 bits);

/* Sleeps until `deadline` (ticks). 0, or -EINTR. */
int sched_sleep_until(u64 deadline, u32 park_flags);

/* Ticks that `t` has run up to now, and how many of them in user mode. Exact for the whole, sampled for the split; never decreases. */
void sched_run_time(struct thread *t, u64 *run, u64 *user);
/* From kernel/trap: whether the interrupt about to be handled stopped the program, or was due before, in the kernel. */
void sched_tick_from_user(bool from_user);

/* How much of each period real-time threads may take while fair ones wait, in microseconds. [a] */
#define SCHED_RT_UNLIMITED (~0UL)
extern u64 sched_rt_runtime_us;
extern u64 sched_rt_period_us;

struct sched_stats {
	u64 nr_running, nr_switches, nr_started, idle_ticks, user_ticks, system_ticks;
};
void sched_cpu_stats(u32 cpu, struct sched_stats *out);

/* Debug: the caller may sleep / may take a page fault here (no spin lock, no epoch section). */
void might_sleep_at(const char *file, int line);
#ifdef KERNEL_DEBUG
#define might_sleep() might_sleep_at(__FILE__, __LINE__)
#else
#define might_sleep() ((void)0)
#endif

#endif
