/*
 * Switching, parking and ticks.
 *
 * A thread off its hart is described by `park` (who may wake it) and `on_cpu` (whether its stack is still in use). schedule()
 * decides by the park state: EMPTY or PERMIT goes back on the queue, BLOCKED and WAKING do not. A waker that wins BLOCKED -> WAKING owns the
 * thread until it is on a queue. While on_cpu is 1 that can only be the queue of the hart it is leaving, reached through the inbox:
 *
 *   hart 0: park(), CAS EMPTY -> BLOCKED       hart 1: CAS BLOCKED -> WAKING
 *           schedule(): not queued                     on_cpu is 1: push to hart 0's inbox, kick
 *           switch away; on_cpu = 0 (release)
 *           drains the inbox: queued, runs
 *
 * Cost of a switch: one rdtime, one CSR exchange (arch_switch), one run-queue lock.
 */
#include "kernel/sched/sched_internal.h"

#include "abi/errno.h"
#include "arch/riscv64/csr.h"
#include "arch/riscv64/fpu.h"
#include "kernel/irq/irq.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/trace/trace.h"

#define TICK_HZ 250

PERCPU(struct runq, sched_runq);

static __hot void sched_tick_start(struct runq *rq)
{
	if (rq->tick_on)
		return;
	atomic_store_relaxed(&rq->tick_on, 1);
	timer_arm(&rq->tick, time_now() + time_freq / TICK_HZ);
}

static u32 sched_trace_state(const struct thread *t)
{
	if (t->exiting)
		return TRACE_STATE_DEAD;
	if (atomic_load_relaxed(&t->park) == PARK_BLOCKED ||
	    atomic_load_relaxed(&t->park) == PARK_WAKING)
		return t->park_flags & PARK_INTERRUPTIBLE ? TRACE_STATE_SLEEPING
							  : TRACE_STATE_BLOCKED;
	return TRACE_STATE_PREEMPTED;
}

/* As Linux numbers priorities: 0-99 real time (lower is better), 120 + nice for the rest. */
static u32 sched_trace_prio(const struct thread *t)
{
	return t->rt_prio ? 99U - t->rt_prio : (u32)(120 + t->nice);
}

/* Charges the time since it was switched in. */
static void sched_account(struct runq *rq, struct thread *t, u64 now)
{
	u64 delta = now - t->run_start;

	t->run_ticks += delta;
	t->run_start = now;
	if (t == &rq->idle)
		rq->idle_ticks += delta;
	else if (t->class == SCHED_CLASS_FAIR)
		t->lag += (s64)(t->weight == 1024 ? delta : delta * 1024 / t->weight);
}

/* On the resumed thread's stack: `prev` is off this hart now and may run elsewhere. */
__hot void sched_finish_switch(struct thread *prev)
{
	bool exiting = prev->exiting, migrate = prev->migrate;

	prev->migrate = false;
	/* Release: the saved context is visible to whoever reads 0. Pairs with the acquires in runq.c and wake.c. */
	atomic_store_release(&prev->on_cpu, 0);
	if (unlikely(exiting)) {
		kstack_free(prev->stack);
		thread_put(prev);
	} else if (unlikely(migrate)) {
		sched_enqueue(prev);
	}
}

static __hot void sched_switch(struct runq *rq, struct thread *prev, struct thread *next)
{
	struct cpu *cpu = cpu_self();
	u64 now = time_now();

	sched_account(rq, prev, now);
	next->run_start = now;
	next->nr_switches++;
	rq->nr_switches++;
	trace_sched_switch(prev->tid, sched_trace_state(prev), next->tid, sched_trace_prio(next));
	if (prev->fp && prev->fp->live)
		fpu_save(prev->fp);
	if (prev->ops && prev->ops->switch_out)
		prev->ops->switch_out(prev);
	mm_switch(next->mm);
	cpu->current = next;
	cpu->kernel_sp = next->kernel_sp;
	epoch_quiesce();
	prev = arch_switch(&prev->context, &next->context, prev);
	sched_finish_switch(prev);
	next = thread_current();
	if (next->ops && next->ops->switch_in)
		next->ops->switch_in(next);
	if (next->fp && fpu_wanted(next->fp))
		fpu_restore(next->fp);
}

static bool thread_runnable(const struct thread *t)
{
	u32 park = atomic_load_relaxed(&t->park);

	return !t->exiting && park != PARK_BLOCKED && park != PARK_WAKING;
}

/* Puts the running thread back among the waiting ones: before its equals, or behind them (`last`). */
static void sched_requeue(struct runq *rq, struct thread *prev, bool last)
{
	if (unlikely(!(atomic_load_relaxed(&prev->affinity) & BIT(cpu_id()))))
		prev->migrate = true;
	else if (last)
		runq_insert_last(rq, prev);
	else
		runq_insert_first(rq, prev);
}

/*
 * The best thread that may run here, off the queue; NULL if none. An affinity that changed after a thread was placed is found out
 * here at the latest. Context: rq->lock held, given up for a moment.
 */
static __hot struct thread *sched_pick(struct runq *rq, struct thread *prev)
{
	struct thread *t;

	while ((t = runq_pick(rq)) != NULL) {
		if (likely(atomic_load_relaxed(&t->affinity) & BIT(cpu_id())))
			break;
		/* Still on its stack: sched_finish_switch() sends it on. */
		if (t == prev) {
			t->migrate = true;
			continue;
		}
		spin_unlock(&rq->lock);
		sched_enqueue(t);
		spin_lock(&rq->lock);
	}
	return t;
}

static __hot void sched_reschedule(bool yield)
{
	struct runq *rq = runq_self();
	struct thread *prev = thread_current(), *next;

	hart_check_quiescent();
	yield |= rq->slice_over;
	rq->need_resched = false;
	rq->slice_over = false;
	if (!inbox_empty(&rq->inbox))
		sched_drain_inbox(rq);
	if (prev != &rq->idle && thread_runnable(prev) && prev->class == SCHED_CLASS_FAIR)
		sched_account(rq, prev, time_now());
	spin_lock(&rq->lock);
	if (prev != &rq->idle && thread_runnable(prev))
		sched_requeue(rq, prev, yield);
	next = sched_pick(rq, prev);
	if (!next)
		next = &rq->idle;
	else if (next != prev)
		atomic_store_relaxed(&next->on_cpu, 1);
	if (next->class == SCHED_CLASS_FAIR)
		next->lag = 0;
	spin_unlock(&rq->lock);
	/* What arrived while idle ran has armed nothing. */
	if (next != &rq->idle && atomic_load_relaxed(&rq->nr_queued))
		sched_tick_start(rq);
	if (next != prev)
		sched_switch(rq, prev, next);
}

__hot void schedule(void)
{
	sched_reschedule(false);
}

__hot void sched_yield(void)
{
	sched_reschedule(true);
}

/* True if the park must end because of a signal; the thread is BLOCKED or beyond. */
static inline bool park_interrupted(struct thread *t, u32 flags)
{
	if (!(flags & (PARK_INTERRUPTIBLE | PARK_KILLABLE)) || !atomic_load_relaxed(&t->work))
		return false;
	return t->ops && t->ops->interrupted && t->ops->interrupted(t, flags);
}

static void park_block(struct thread *t)
{
	/* Between BLOCKED and here a waker may have queued us in our inbox; schedule() drains it. */
	schedule();
	/* Full barrier: pairs with the fence in unpark_claim(): either it sees EMPTY or we see its condition. */
	atomic_xchg(&t->park, PARK_EMPTY);
}

static int park_until(struct thread *t, u64 deadline)
{
	sched_timeout_set(t, deadline);
	park_block(t);
	sched_timeout_clear(t);
	return time_now() >= deadline ? -ETIMEDOUT : 0;
}

__hot int sched_park(u64 deadline, u32 flags)
{
	struct thread *t = thread_current();
	int ret = 0;

	might_sleep();
	t->park_flags = flags;
	if (!atomic_cas(&t->park, PARK_EMPTY, PARK_BLOCKED)) {
		atomic_xchg(&t->park, PARK_EMPTY); /* a permit was left */
		return park_interrupted(t, flags) ? -EINTR : 0;
	}
	/* The CAS above is a full barrier: pairs with the one in thread_set_work(). */
	if (park_interrupted(t, flags)) {
		if (!atomic_cas(&t->park, PARK_BLOCKED, PARK_EMPTY))
			park_block(t); /* claimed by a waker: it owns us until we run */
		return -EINTR;
	}
	if (deadline != PARK_FOREVER)
		ret = park_until(t, deadline);
	else
		park_block(t);
	return unlikely(park_interrupted(t, flags)) ? -EINTR : ret;
}

int sched_sleep_until(u64 deadline, u32 park_flags)
{
	for (;;) {
		int ret = sched_park(deadline, park_flags);

		if (ret == -EINTR)
			return ret;
		if (ret == -ETIMEDOUT || time_now() >= deadline)
			return 0;
	}
}

/* Arms the tick when threads wait behind the running one; a hart with one runnable thread has none. */
__hot void sched_tick_arm(struct runq *rq)
{
	if (thread_current() != &rq->idle)
		sched_tick_start(rq);
}

/* One tick of the running thread has passed: has it had its slice? FIFO threads have none. */
static void sched_tick_slice(struct runq *rq, struct thread *t)
{
	if (t->class == SCHED_CLASS_RR) {
		if (++t->slice < SCHED_RR_SLICE_MS * TICK_HZ / 1000)
			return;
		t->slice = 0;
		rq->slice_over = true;
	}
	if (t->class != SCHED_CLASS_FIFO)
		rq->need_resched = true;
}

/*
 * The running thread may have had its slice: let others run; if a hart idles, offer it one of ours.
 */
void sched_tick(struct timer *timer)
{
	struct runq *rq = container_of(timer, struct runq, tick);
	u64 idle;

	atomic_store_relaxed(&rq->tick_on, 0);
	fence_full(); /* (T): pairs with the barrier of inbox_push_chain() before tick_on is read, in wake.c */
	if (!inbox_empty(&rq->inbox))
		sched_drain_inbox(rq);
	if (!rq->nr_queued)
		return;
	sched_tick_slice(rq, thread_current());
	idle = sched_idle_cpus();
	if (idle) {
		atomic_store_release(&rq->offer, 1);
		hart_kick((u32)__builtin_ctzl(idle), HART_WORK_RESCHED, false);
	}
	sched_tick_arm(rq);
}

void sched_hart_work(void)
{
	struct runq *rq = runq_self();
	u32 work = hart_take_work();

	if (work & HART_WORK_STOP)
		panic_stop_self();
	if (work & HART_WORK_CALL)
		hart_call_run();
	if (work & HART_WORK_TLB)
		mm_flush_stale();
	if (work & HART_WORK_EPOCH)
		epoch_poll();
	if (!inbox_empty(&rq->inbox))
		sched_drain_inbox(rq);
	if (work & HART_WORK_RESCHED)
		rq->need_resched = true;
}

void sched_resched_if_needed(void)
{
	if (runq_self()->need_resched)
		schedule();
}

void kernel_relax(void)
{
	u64 pending = csr_read(sip) & csr_read(sie);

	might_sleep();
	epoch_quiesce();
	if (pending)
		irq_handle_pending(pending);
	if (atomic_load_relaxed(&cpu_self()->work))
		sched_hart_work();
	sched_resched_if_needed();
}

void might_sleep_at(const char *file, int line)
{
	if (spin_held_count() || epoch_depth())
		panic("sleeping with %u spin locks held, epoch depth %u at %s:%d",
		      spin_held_count(), epoch_depth(), file, line);
}
