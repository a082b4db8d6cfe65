/*
 * Waking: claim, place, deliver.
 *
 * unpark_claim() decides by one CAS who delivers a blocked thread. Placement: the waker's own hart if nothing waits there (the waker is likely
 * to block, and a switch costs a hundredth of waking a halted virtual CPU), else the hart where the thread last ran if that is idle, else any
 * idle hart, else the shorter of the two queues. A waker that is known to run on for long keeps nobody while another hart idles. A real-time
 * thread preempts whom it beats, on its waker's hart first, and nobody is placed behind a real-time thread that he does not beat if there is
 * another hart. A thread on this hart's queue needs the queue's lock; any other goes through the target's inbox with at most one doorbell.
 *
 * Doorbells: a hart in the kernel, or polling, looks by itself; a halted one is rung; one in user mode is rung for a real-time thread, else its
 * tick looks (tick.c).
 */
#include "kernel/sched/wake.h"

#include "kernel/log/log.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/trace/trace.h"

#define RUNS_ON_SHIFT 15 /* 1/32768 s, 30 us: about what waking a halted virtual CPU costs */
#define RUNS_ON_SURE  8U
#define RUNS_ON_MAX   16U

/* As above, from anywhere: the fence is that barrier. */
static __hot bool unpark_claim(struct thread *t)
{
	fence_full();
	return unpark_claim_ordered(t);
}

/*
 * Does a waker block soon? A thread that waits behind one that does not would run earlier on a hart that has to be woken for it. So a tick
 * that finds somebody waiting has the running thread's wake-ups looked at: the time from the first of them until it leaves its
 * hart is long or not, and the majority of the last ones decides. Nobody else pays for reading the clock at a wake-up. A thread that knows
 * beforehand says so (sched_waker_will_run_on()); it loses the reputation as it would one that it has earned.
 */
void sched_watch_waker(struct thread *t)
{
	if (!t->runs_on)
		t->runs_on = 1;
}

void sched_judge_waker(struct thread *t, u64 now)
{
	if (!t->woke_at)
		return;
	if (now - t->woke_at < time_freq >> RUNS_ON_SHIFT)
		t->runs_on--;
	else if (t->runs_on < RUNS_ON_MAX)
		t->runs_on++;
	t->woke_at = 0;
}

void sched_waker_will_run_on(void)
{
	struct thread *t = thread_current();

	t->runs_on = MAX(t->runs_on, (u8)RUNS_ON_SURE);
}

bool sched_waker_runs_on(void)
{
	struct thread *t = thread_current();

	if (!t->woke_at)
		t->woke_at = time_now();
	return t->runs_on >= RUNS_ON_SURE;
}

__hot u64 sched_idle_cpus(void)
{
	u64 mask = 0;

	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		enum hart_state state = hart_state_of(cpu_of(cpu));

		if (state == HART_HALTED || state == HART_POLL)
			mask |= BIT(cpu);
	}
	return mask;
}

u64 sched_beaten_cpus(u32 rt_prio, u64 allowed)
{
	u64 mask = 0;

	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		if ((allowed & BIT(cpu)) &&
		    atomic_load_relaxed(&cpu_ptr(sched_runq, cpu)->running_prio) < rt_prio)
			mask |= BIT(cpu);
	return mask;
}

static u32 sched_queue_length(u32 cpu)
{
	return atomic_load_relaxed(&cpu_ptr(sched_runq, cpu)->nr_queued);
}

/* No hart idles: this one or the one where it ran last, but behind no real-time thread that it does not beat. */
static u32 sched_place_busy(const struct thread *t, u64 allowed)
{
	u32 self = cpu_id(), last = atomic_load_relaxed(&t->cpu);
	u64 beaten = sched_beaten_cpus(MAX(t->rt_prio, 1U), allowed);

	if (beaten)
		allowed = beaten;
	if (!(allowed & BIT(last)))
		last = allowed & BIT(self) ? self : (u32)__builtin_ctzl(allowed);
	if ((allowed & BIT(self)) && sched_queue_length(self) <= sched_queue_length(last))
		return self;
	return last;
}

/* `taken`: harts that already got a thread of the same batch. */
static __noinline u32 sched_place_away(const struct thread *t, u64 taken)
{
	u32 last = atomic_load_relaxed(&t->cpu);
	u64 allowed = atomic_load_relaxed(&t->affinity), idle;

	if (allowed == BIT(cpu_id()))
		return cpu_id();
	idle = sched_idle_cpus() & allowed & ~taken & ~BIT(cpu_id());
	if (idle & BIT(last))
		return last;
	return idle ? (u32)__builtin_ctzl(idle) : sched_place_busy(t, allowed);
}

/* `t` is claimed. */
static __force_inline u32 sched_place(const struct thread *t, u64 taken)
{
	/* Still on its stack: only where that is. Acquire pairs with the release in sched_finish_switch(). */
	if (unlikely(atomic_load_acquire(&t->on_cpu)))
		return atomic_load_relaxed(&t->cpu);
	return sched_takes_here(runq_self(), t, taken) ? cpu_id() : sched_place_away(t, taken);
}

/*
 * `t` comes here from another hart. t->cpu changes under the lock of the queue that it names, or a change of policy could take `t` off
 * one queue while it is on another:
 *
 *	sched_lock_queue_of()		here, without the old queue's lock
 *	lock queue 1; t->cpu is 1
 *					t->cpu = 2; lock queue 2; insert; queued
 *	queued: remove from queue 1
 */
static void sched_take_over(struct runq *rq, struct thread *t)
{
	struct runq *from = cpu_ptr(sched_runq, t->cpu);

	spin_lock(&from->lock);
	runq_leave(from, t);
	atomic_store_relaxed(&t->cpu, cpu_id());
	spin_unlock(&from->lock);
	spin_lock(&rq->lock);
	runq_join(rq, t);
	spin_unlock(&rq->lock);
}

static __noinline void sched_insert_foreign(struct runq *rq, struct thread *t)
{
	sched_take_over(rq, t);
	sched_queue_here(rq, t);
}

static __force_inline void sched_local_insert(struct runq *rq, struct thread *t)
{
	if (likely(t->cpu == cpu_id()))
		sched_queue_here(rq, t);
	else
		sched_insert_foreign(rq, t);
}

void sched_send(struct thread *t, u32 cpu)
{
	inbox_push(&cpu_ptr(sched_runq, cpu)->inbox, &t->inbox);
	hart_kick(cpu, HART_WORK_INBOX, thread_is_rt(t));
}

static __force_inline void sched_deliver(struct thread *t, u32 cpu)
{
	if (likely(cpu == cpu_id()) && likely(!atomic_load_relaxed(&t->on_cpu)))
		sched_local_insert(runq_self(), t);
	else
		sched_send(t, cpu);
}

__hot void sched_enqueue(struct thread *t)
{
	sched_deliver(t, sched_place(t, 0));
}

__hot void sched_wake_elsewhere(struct thread *t)
{
	u32 cpu = sched_place(t, 0);

	trace_sched_waking(t->tid, cpu, 0);
	sched_deliver(t, cpu);
}

static __hot void sched_unpark(struct thread *t)
{
	if (unpark_claim(t))
		sched_wake_claimed(t);
}

void sched_wake_new(struct thread *t)
{
	trace_sched_waking(t->tid, cpu_id(), 0);
	sched_enqueue(t);
}

static __hot bool sched_batch_add(struct unpark_batch *b, struct thread *t)
{
	fence_full(); /* as in unpark_claim() */
	return sched_batch_add_ordered(b, t);
}

/*
 * Spreads the batch: each hart gets its first thread before any gets a second; what is left is dealt out in turn. One inbox push
 * per thread costs one CAS; one doorbell per hart is what counts.
 */
void sched_batch_spread(struct thread *first)
{
	u64 taken = 0, kick = 0, ring = 0;
	struct thread *t, *next;

	for (t = first; t; t = next) {
		u32 cpu = sched_place(t, taken);

		next = t->batch_next;
		if ((taken & t->affinity) == t->affinity)
			taken = 0;
		taken |= BIT(cpu);
		trace_sched_waking(t->tid, cpu, 0);
		if (cpu == cpu_id()) {
			sched_deliver(t, cpu);
			continue;
		}
		if (thread_is_rt(t))
			ring |= BIT(cpu);
		/* `t` may run by now, but is not freed before we leave the kernel. */
		inbox_push(&cpu_ptr(sched_runq, cpu)->inbox, &t->inbox);
		kick |= BIT(cpu);
	}
	if (kick & ~ring)
		hart_kick_mask(kick & ~ring, HART_WORK_INBOX, false);
	if (ring)
		hart_kick_mask(ring, HART_WORK_INBOX, true);
}

static __hot void sched_batch_flush(struct unpark_batch *b)
{
	sched_batch_flush_inline(b);
}

/* Moves everything that was sent here to the run queue, oldest first; what may no longer run here goes on. */
__hot void sched_drain_inbox(struct runq *rq)
{
	struct inbox_node *node = inbox_take_all(&rq->inbox), *next;

	for (; node; node = next) {
		struct thread *t = container_of(node, struct thread, inbox);

		next = node->next;
		if (unlikely(!(atomic_load_relaxed(&t->affinity) & BIT(cpu_id()))) &&
		    !atomic_load_acquire(&t->on_cpu))
			sched_enqueue(t);
		else
			sched_local_insert(rq, t);
	}
}

void thread_set_work(struct thread *t, u32 bits)
{
	atomic_fetch_or(&t->work, bits); /* full barrier: pairs with the CAS in sched_park() */
	if (atomic_load_relaxed(&t->park) == PARK_BLOCKED) {
		if (t->park_flags & (PARK_INTERRUPTIBLE | PARK_KILLABLE))
			unpark(t);
	} else if (atomic_load_relaxed(&t->on_cpu) && t != thread_current()) {
		hart_kick(atomic_load_relaxed(&t->cpu), HART_WORK_RESCHED, true);
	}
}

static struct mutex **sched_held_mutexes(void)
{
	return &thread_current()->held_mutexes;
}

static bool sched_running(const struct thread *t)
{
	return atomic_load_relaxed(&t->on_cpu);
}

void sched_park_init(void)
{
	park_ops = (struct park_ops){
		.park = sched_park,
		.unpark = sched_unpark,
		.batch_add = sched_batch_add,
		.batch_flush = sched_batch_flush,
		.running = sched_running,
		.held_mutexes = sched_held_mutexes,
	};
}
