/*
 * Moving waiting threads between harts: an idle hart steals, a busy one pushes.
 *
 * A queue of two or more may be robbed. A single waiting thread is left alone: its waker is likely to block and switch to it at
 * once, and taking it would turn that switch into a cross-hart wake-up. When it has waited a whole tick its owner sends it to a hart that
 * would run it at once (sched_push(), from the tick): an idle one, or one whose running thread it beats. So a fair thread behind
 * a real-time one gets away to where fair ones run, and an idle hart that is halted need not look around.
 */
#include "kernel/sched/runq.h"
#include "kernel/sync/hart.h"

#include "kernel/trace/trace.h"

/* Only tries the lock: the owner needs it more. */
static struct thread *steal_from(struct runq *victim)
{
	struct thread *t = NULL;

	if (!spin_trylock(&victim->lock))
		return NULL;
	if (victim->nr_queued > 1)
		t = runq_find(victim, BIT(cpu_id()));
	if (t) {
		runq_remove(victim, t);
		runq_leave(victim, t);
		/* Under the victim's lock: sched_lock_queue_of() then looks at our queue. */
		atomic_store_release(&t->cpu, cpu_id());
	}
	spin_unlock(&victim->lock);
	return t;
}

bool sched_steal(struct runq *rq)
{
	u32 self = cpu_id();

	for (u32 i = 1; i < nr_cpus; i++) {
		u32 cpu = (self + i) % nr_cpus;
		struct runq *victim = cpu_ptr(sched_runq, cpu);
		struct thread *t;

		if (atomic_load_relaxed(&victim->nr_queued) < 2)
			continue;
		t = steal_from(victim);
		if (t) {
			trace_sched_migrate(t->tid, cpu, self);
			spin_lock(&rq->lock);
			runq_join(rq, t);
			runq_insert(rq, t, RUNQ_LAST);
			spin_unlock(&rq->lock);
			return true;
		}
	}
	return false;
}

bool sched_push(struct runq *rq)
{
	u64 others = ~BIT(cpu_id()), cpus = sched_idle_cpus() & others;
	struct thread *t;

	if (!cpus && rq->running_prio)
		cpus = sched_beaten_cpus(1, hart_all() & others);
	spin_lock(&rq->lock);
	t = cpus ? runq_find(rq, cpus) : NULL;
	if (t)
		runq_remove(rq, t);
	spin_unlock(&rq->lock);
	if (!t)
		return false;
	cpus &= atomic_load_relaxed(&t->affinity);
	/* An affinity that changed just now is found out by whoever gets it. */
	sched_send(t, cpus ? (u32)__builtin_ctzl(cpus) : cpu_id());
	return true;
}
