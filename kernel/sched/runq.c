/*
 * The order of threads on one hart: RT by priority and arrival, then fair by weighted run time, then the idle class.
 *
 * Fair threads are kept in a pairing heap by vruntime, the run time in ticks scaled by 1024 / weight. Queues advance
 * independently, so a thread that leaves keeps its lag (vruntime above the queue's minimum, within one tick) and gets it back on
 * whichever queue it joins: migration neither starves nor favours it, and a sleeper starts at the minimum.
 */
#include "kernel/sched/sched_internal.h"

#include "kernel/log/log.h"
#include "kernel/sync/atomic.h"

#define LAG_MAX 80000 /* ticks: 8 ms at 10 MHz */

u32 sched_weight(s32 nice)
{
	/* 1024 / 1.25^nice: one step is about a tenth of the processor between two threads. */
	static const u32 weights[40] = {
		88818, 71054, 56843, 45475, 36380, 29104, 23283, 18626, 14901, 11921,
		9537,  7629,  6104,  4883,  3906,  3125,  2500,	 2000,	1600,  1280,
		1024,  819,   655,   524,   419,   336,	  268,	 215,	172,   137,
		110,   88,    70,    56,    45,	   36,	  29,	 23,	18,    15,
	};

	return weights[nice + 20];
}

void runq_init(struct runq *rq)
{
	for (u32 i = 0; i < RT_PRIO_MAX; i++)
		list_init(&rq->rt[i]);
	list_init(&rq->idle_class);
}

static void runq_count(struct runq *rq, s32 delta)
{
	atomic_store_relaxed(&rq->nr_queued, rq->nr_queued + (u32)delta);
}

static bool class_is_rt(const struct thread *t)
{
	return t->class == SCHED_CLASS_FIFO || t->class == SCHED_CLASS_RR;
}

static __hot void runq_insert_fair(struct runq *rq, struct thread *t, u64 vruntime)
{
	t->fair.key = vruntime;
	rq->max_vruntime = MAX(rq->max_vruntime, vruntime);
	heap_insert(&rq->fair, &t->fair);
}

static void runq_insert_list(struct runq *rq, struct thread *t, bool first)
{
	struct list *list = &rq->idle_class;

	if (class_is_rt(t)) {
		list = &rq->rt[t->rt_prio];
		rq->rt_bitmap[t->rt_prio / 64] |= BIT(t->rt_prio % 64);
	}
	if (first)
		list_add(list, &t->run);
	else
		list_add_tail(list, &t->run);
}

static __hot void runq_insert_at(struct runq *rq, struct thread *t, bool first)
{
	ASSERT(!t->queued);
	if (t->class == SCHED_CLASS_FAIR)
		runq_insert_fair(rq, t, rq->min_vruntime + (u64)MIN(MAX(t->lag, 0L), (s64)LAG_MAX));
	else
		runq_insert_list(rq, t, first);
	t->queued = true;
	runq_count(rq, 1);
}

__hot void runq_insert(struct runq *rq, struct thread *t)
{
	runq_insert_at(rq, t, false);
}

__hot void runq_insert_first(struct runq *rq, struct thread *t)
{
	runq_insert_at(rq, t, true);
}

__hot void runq_insert_last(struct runq *rq, struct thread *t)
{
	ASSERT(!t->queued);
	if (t->class == SCHED_CLASS_FAIR)
		runq_insert_fair(rq, t, MAX(rq->max_vruntime, rq->min_vruntime));
	else
		runq_insert_list(rq, t, false);
	t->queued = true;
	runq_count(rq, 1);
}

__hot void runq_remove(struct runq *rq, struct thread *t)
{
	ASSERT(t->queued);
	if (t->class == SCHED_CLASS_FAIR) {
		t->lag = (s64)(t->fair.key - rq->min_vruntime);
		heap_remove(&rq->fair, &t->fair);
	} else {
		list_del(&t->run);
		if (class_is_rt(t) && list_empty(&rq->rt[t->rt_prio]))
			rq->rt_bitmap[t->rt_prio / 64] &= ~BIT(t->rt_prio % 64);
	}
	t->queued = false;
	runq_count(rq, -1);
}

static __hot struct thread *runq_first_rt(struct runq *rq)
{
	for (u32 word = 2; word-- > 0;) {
		if (rq->rt_bitmap[word]) {
			u32 prio = word * 64 + 63 - (u32)__builtin_clzl(rq->rt_bitmap[word]);

			return list_first(&rq->rt[prio], struct thread, run);
		}
	}
	return NULL;
}

static __hot struct thread *runq_first(struct runq *rq)
{
	struct thread *t = runq_first_rt(rq);

	if (t)
		return t;
	if (heap_first(&rq->fair))
		return container_of(heap_first(&rq->fair), struct thread, fair);
	if (!list_empty(&rq->idle_class))
		return list_first(&rq->idle_class, struct thread, run);
	return NULL;
}

__hot struct thread *runq_pick(struct runq *rq)
{
	struct thread *t = runq_first(rq);

	if (!t)
		return NULL;
	if (t->class == SCHED_CLASS_FAIR)
		rq->min_vruntime = MAX(rq->min_vruntime, t->fair.key);
	runq_remove(rq, t);
	return t;
}

struct thread *runq_pick_for(struct runq *rq, u32 cpu)
{
	struct thread *t = runq_first(rq);

	/* Acquire pairs with the release in sched_finish_switch(): its context is saved. */
	if (!t || !(atomic_load_relaxed(&t->affinity) & BIT(cpu)) || atomic_load_acquire(&t->on_cpu))
		return NULL;
	runq_remove(rq, t);
	return t;
}

__hot bool runq_beats(const struct thread *a, const struct thread *b)
{
	if (class_is_rt(a))
		return !class_is_rt(b) || a->rt_prio > b->rt_prio;
	return b->class == SCHED_CLASS_IDLE && a->class == SCHED_CLASS_FAIR;
}
