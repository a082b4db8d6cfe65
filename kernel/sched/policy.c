/*
 * Affinity, classes and priorities. A change locks the queue that the thread is on; a running thread is made to pass
 * through schedule(), which obeys.
 */
#include "kernel/sched/runq.h"

#include "abi/errno.h"
#include "kernel/sync/hart.h"

/* Locks the queue that `t` is on, or was last on. It stays the right one while the lock is held (sched_take_over()). */
struct runq *sched_lock_queue_of(struct thread *t)
{
	for (;;) {
		u32 cpu = atomic_load_acquire(&t->cpu);
		struct runq *rq = cpu_ptr(sched_runq, cpu);

		spin_lock(&rq->lock);
		if (atomic_load_relaxed(&t->cpu) == cpu)
			return rq;
		spin_unlock(&rq->lock);
	}
}

int sched_set_affinity(struct thread *t, u64 mask)
{
	struct runq *rq;
	bool forward = false;
	u32 cpu;

	mask &= hart_all();
	if (!mask)
		return -EINVAL;
	rq = sched_lock_queue_of(t);
	cpu = atomic_load_relaxed(&t->cpu);
	atomic_store_release(&t->affinity, mask);
	if (t->queued && !(mask & BIT(cpu))) {
		runq_remove(rq, t);
		forward = true;
	}
	spin_unlock(&rq->lock);
	if (forward)
		sched_enqueue(t);
	else if (!(mask & BIT(cpu)) && t == thread_current())
		schedule();
	else if (!(mask & BIT(cpu)) && atomic_load_relaxed(&t->on_cpu))
		hart_kick(cpu, HART_WORK_RESCHED, true);
	return 0;
}

/*
 * `t` may wait in the inbox of a hart in user mode that need not look before its next tick, woken or pushed there, and t->cpu does not say
 * which: every hart with mail looks now.
 */
static void policy_hurry_inboxes(void)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		if (!inbox_empty(&cpu_ptr(sched_runq, cpu)->inbox))
			hart_kick(cpu, HART_WORK_INBOX, true);
}

/* Class and priority from policy and boost, whichever is higher; then whoever runs or queues `t` looks again. Unlocks. */
static void policy_settle(struct runq *rq, struct thread *t)
{
	bool boosted = t->boost > t->base_prio, queued = t->queued;
	u32 before = t->rt_prio, cpu = atomic_load_relaxed(&t->cpu);

	if (queued)
		runq_remove(rq, t);
	t->class = boosted ? SCHED_CLASS_FIFO : t->base_class;
	t->rt_prio = boosted ? t->boost : t->base_prio;
	t->weight = sched_weight(t->class, t->nice);
	if (queued)
		runq_insert(rq, t, t->rt_prio < before ? RUNQ_FIRST : RUNQ_LAST);
	if (t->rt_prio != before)
		trace_sched_prio(t->tid, (u16)sched_trace_prio(before, t->nice),
				 sched_trace_prio(t->rt_prio, t->nice), boosted);
	if (rq->running == t)
		atomic_store_relaxed(&rq->running_prio, t->rt_prio);
	spin_unlock(&rq->lock);
	if (queued || atomic_load_relaxed(&t->on_cpu))
		hart_kick(cpu, HART_WORK_RESCHED, true);
	else if (atomic_load_relaxed(&t->park) != PARK_BLOCKED)
		policy_hurry_inboxes();
}

int sched_set_policy(struct thread *t, enum sched_class class, u32 rt_prio, s32 nice)
{
	bool rt = class == SCHED_CLASS_FIFO || class == SCHED_CLASS_RR;
	struct runq *rq;

	if (nice < -20 || nice > 19 || (rt ? rt_prio < 1 || rt_prio >= RT_PRIO_MAX : rt_prio != 0))
		return -EINVAL;
	rq = sched_lock_queue_of(t);
	t->base_class = class;
	t->base_prio = (u8)rt_prio;
	t->nice = (s8)nice;
	policy_settle(rq, t);
	return 0;
}

void sched_inherit(struct thread *child, const struct thread *parent, bool reset)
{
	bool rt = parent->base_prio != 0;

	child->base_class = rt && reset ? SCHED_CLASS_FAIR : parent->base_class;
	child->base_prio = rt && reset ? 0 : parent->base_prio;
	child->class = child->base_class;
	child->rt_prio = child->base_prio;
	child->nice = reset && (rt || parent->nice < 0) ? 0 : parent->nice;
	child->weight = sched_weight(child->class, child->nice);
	child->affinity = atomic_load_relaxed(&parent->affinity);
}

void sched_set_boost(struct thread *t, u32 prio)
{
	struct runq *rq = sched_lock_queue_of(t);

	ASSERT(prio < RT_PRIO_MAX);
	t->boost = (u8)prio;
	policy_settle(rq, t);
}

/* What of the running thread is not charged yet. Context: rq->lock held. */
static u64 uncharged(const struct runq *rq)
{
	u64 now = time_now();

	return now > rq->clock ? now - rq->clock : 0;
}

void sched_run_time(struct thread *t, u64 *run, u64 *user)
{
	struct runq *rq = sched_lock_queue_of(t);
	u64 rest = rq->running == t ? uncharged(rq) : 0;

	*run = t->run_ticks + rest;
	*user = t->user_ticks + (t->in_user ? rest : 0);
	spin_unlock(&rq->lock);
}

void sched_cpu_stats(u32 cpu, struct sched_stats *out)
{
	struct runq *rq = cpu_ptr(sched_runq, cpu);
	bool idle;
	u64 rest;

	spin_lock(&rq->lock);
	idle = rq->running == &rq->idle;
	rest = uncharged(rq);
	*out = (struct sched_stats){
		.nr_running = rq->nr_queued + !idle,
		.nr_switches = atomic_load_relaxed(&rq->nr_switches),
		.nr_started = atomic_load_relaxed(&rq->nr_started),
		.idle_ticks = rq->idle.run_ticks + (idle ? rest : 0),
		.user_ticks = rq->user_ticks + (rq->running->in_user ? rest : 0),
		.system_ticks = rq->clock + rest - rq->start,
	};
	spin_unlock(&rq->lock);
	out->system_ticks -= out->idle_ticks + out->user_ticks;
}
