/*
 * Affinity, classes and priorities. A change locks the queue that the thread is on; a running thread is made to pass
 * through schedule(), which obeys.
 */
#include "kernel/sched/sched_internal.h"

#include "abi/errno.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"

u64 sched_all_cpus(void)
{
	return nr_cpus == 64 ? ~0UL : BIT(nr_cpus) - 1;
}

/* Locks the queue that `t` is on, or was last on. It stays the right one while the lock is held (sched_take_over()). */
static struct runq *runq_lock_of(struct thread *t)
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

	mask &= sched_all_cpus();
	if (!mask)
		return -EINVAL;
	rq = runq_lock_of(t);
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

int sched_set_policy(struct thread *t, enum sched_class class, u32 rt_prio, s32 nice)
{
	bool rt = class == SCHED_CLASS_FIFO || class == SCHED_CLASS_RR;
	struct runq *rq;
	bool queued;
	u32 cpu;

	if (nice < -20 || nice > 19 || (rt ? rt_prio < 1 || rt_prio >= RT_PRIO_MAX : rt_prio != 0))
		return -EINVAL;
	rq = runq_lock_of(t);
	cpu = atomic_load_relaxed(&t->cpu);
	queued = t->queued;
	if (queued)
		runq_remove(rq, t);
	t->class = class;
	t->rt_prio = (u8)rt_prio;
	t->nice = (s8)nice;
	t->weight = sched_weight(nice);
	if (queued)
		runq_insert(rq, t);
	spin_unlock(&rq->lock);
	if (queued || atomic_load_relaxed(&t->on_cpu))
		hart_kick(cpu, HART_WORK_RESCHED, true);
	return 0;
}

void sched_cpu_stats(u32 cpu, struct sched_stats *out)
{
	struct runq *rq = cpu_ptr(sched_runq, cpu);

	*out = (struct sched_stats){
		.nr_running =
			atomic_load_relaxed(&rq->nr_queued) + (cpu_of(cpu)->current != &rq->idle),
		.nr_switches = atomic_load_relaxed(&rq->nr_switches),
		.idle_ticks = atomic_load_relaxed(&rq->idle_ticks),
		.user_ticks = atomic_load_relaxed(&rq->user_ticks),
		.system_ticks = atomic_load_relaxed(&rq->system_ticks),
	};
}
