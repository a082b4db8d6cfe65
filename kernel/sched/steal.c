/*
 * Stealing: an idle hart takes a waiting thread of a busier one.
 *
 * Which queues may be robbed: one with two or more waiting threads, and one whose owner has offered (its last waiting thread
 * has waited a whole tick). A single fresh thread is left alone: its waker is likely to block and switch to it at once, and
 * taking it would turn that switch into a cross-hart wake-up.
 */
#include "kernel/sched/sched_internal.h"

#include "kernel/sync/atomic.h"
#include "kernel/trace/trace.h"

static bool steal_allowed(struct runq *victim)
{
	u32 queued = atomic_load_relaxed(&victim->nr_queued);

	return queued > 1 || (queued == 1 && atomic_load_relaxed(&victim->offer));
}

/* Only tries the lock: the owner needs it more. */
static struct thread *steal_from(struct runq *victim)
{
	struct thread *t = NULL;

	if (!spin_trylock(&victim->lock))
		return NULL;
	if (steal_allowed(victim))
		t = runq_pick_for(victim, cpu_id());
	if (t) {
		atomic_store_relaxed(&victim->offer, 0);
		/* Under the victim's lock: runq_lock_of() then looks at our queue. */
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

		if (!steal_allowed(victim))
			continue;
		t = steal_from(victim);
		if (t) {
			trace_sched_migrate(t->tid, cpu, self);
			sched_local_insert(rq, t);
			return true;
		}
	}
	return false;
}
