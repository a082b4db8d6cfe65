/*
 * What of the run queue is not inline: see runq.h.
 */
#include "kernel/sched/runq.h"

#define WEIGHT_IDLE 3
#define FIND_MAX    32 /* threads that runq_find() looks at under the lock */

u32 sched_weight(enum sched_class class, s32 nice)
{
	/* 1024 / 1.25^nice: one step is about a tenth of the processor between two threads. */
	static const u32 weights[40] = {
		88818, 71054, 56843, 45475, 36380, 29104, 23283, 18626, 14901, 11921,
		9537,  7629,  6104,  4883,  3906,  3125,  2500,	 2000,	1600,  1280,
		1024,  819,   655,   524,   419,   336,	  268,	 215,	172,   137,
		110,   88,    70,    56,    45,	   36,	  29,	 23,	18,    15,
	};

	return class == SCHED_CLASS_IDLE ? WEIGHT_IDLE : weights[nice + 20];
}

void runq_init(struct runq *rq)
{
	for (u32 i = 0; i < RT_PRIO_MAX; i++)
		list_init(&rq->rt[i]);
}

void runq_insert_rt(struct runq *rq, struct thread *t, enum runq_end end)
{
	if (end == RUNQ_FIRST)
		list_add(&rq->rt[t->rt_prio], &t->run);
	else
		list_add_tail(&rq->rt[t->rt_prio], &t->run);
	rq->rt_bitmap[t->rt_prio / 64] |= BIT(t->rt_prio % 64);
}

void runq_remove_rt(struct runq *rq, struct thread *t)
{
	list_del(&t->run);
	if (list_empty(&rq->rt[t->rt_prio]))
		rq->rt_bitmap[t->rt_prio / 64] &= ~BIT(t->rt_prio % 64);
}

/* The highest priority below `prio` with waiting threads; 0 if none. */
static u32 runq_rt_below(const struct runq *rq, u32 prio)
{
	while (prio-- > 1) {
		u64 bits = rq->rt_bitmap[prio / 64] << (63 - prio % 64);

		if (bits)
			return prio - (u32)__builtin_clzl(bits);
		prio -= prio % 64;
	}
	return 0;
}

struct thread *runq_first_rt(struct runq *rq)
{
	if (rq->fair_turn && heap_first(&rq->fair))
		return NULL;
	return list_first(&rq->rt[runq_rt_below(rq, RT_PRIO_MAX)], struct thread, run);
}

static bool runq_may_move(const struct thread *t, u64 cpus)
{
	/* Acquire pairs with the release in sched_finish_switch(): its context is saved. */
	return (atomic_load_relaxed(&t->affinity) & cpus) && !atomic_load_acquire(&t->on_cpu);
}

static struct thread *runq_find_rt(struct runq *rq, u64 cpus)
{
	struct thread *t;

	for (u32 prio = RT_PRIO_MAX; (prio = runq_rt_below(rq, prio)) != 0;) {
		list_for_each(t, &rq->rt[prio], run)
			if (runq_may_move(t, cpus))
				return t;
	}
	return NULL;
}

/* The node after `n` when each is visited before its children. */
static struct heap_node *heap_next(struct heap_node *n)
{
	if (n->child)
		return n->child;
	while (n && !n->next) {
		/* Back to the first of the siblings, whose `prev` is the parent. */
		while (n->prev && n->prev->child != n)
			n = n->prev;
		n = n->prev;
	}
	return n ? n->next : NULL;
}

struct thread *runq_find(struct runq *rq, u64 cpus)
{
	struct thread *t = runq_find_rt(rq, cpus);
	u32 looks = FIND_MAX;

	for (struct heap_node *n = heap_first(&rq->fair); !t && n && looks--; n = heap_next(n))
		if (runq_may_move(container_of(n, struct thread, fair), cpus))
			t = container_of(n, struct thread, fair);
	return t;
}
