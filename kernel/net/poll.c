/*
 * The per-hart poll loops; poll.h tells the rules.
 */
#include "kernel/net/poll.h"

#include <stdio.h>

#include "kernel/log/log.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/trace/trace.h"

struct poll_loop {
	struct inbox inbox;	     /* [a] struct net_work */
	u32 kicked;		     /* [a] ask the pollers */
	u32 sleeping;		     /* [a] */
	struct thread *thread;	     /* [I] */
	bool flooded;		     /* [c] the loop's own: it competes as others do */
	struct net_poll_stats stats; /* [c] the loop's own */
} __cacheline_aligned;

static PERCPU(struct poll_loop, loops);
static struct net_poller *pollers; /* [e] only grows */

void net_poller_register(struct net_poller *p)
{
	p->next = pollers;
	/* Pairs with the acquire load in loop_poll(). */
	atomic_store_release(&pollers, p);
}

static void loop_unpark(struct poll_loop *l)
{
	if (atomic_load_relaxed(&l->sleeping) && l->thread)
		unpark(l->thread);
}

bool net_work_queue(u32 cpu, struct net_work *w)
{
	struct poll_loop *l = cpu_ptr(loops, cpu);

	if (atomic_xchg(&w->queued, 1))
		return false;
	inbox_push(&l->inbox, &w->node); /* (A), a full barrier */
	loop_unpark(l);
	return true;
}

void net_poll_kick(u32 cpu)
{
	struct poll_loop *l = cpu_ptr(loops, cpu);

	atomic_store_relaxed(&l->kicked, 1);
	fence_full(); /* (A) Pairs with (B) in loop_sleep(). */
	loop_unpark(l);
}

void net_poll_stats(u32 cpu, struct net_poll_stats *out)
{
	*out = cpu_ptr(loops, cpu)->stats;
}

/* All that is queued now; items that queue themselves again wait for the next turn. */
static void loop_work(struct poll_loop *l)
{
	struct inbox_node *n = inbox_take_all(&l->inbox), *next;

	for (; n; n = next) {
		struct net_work *w = container_of(n, struct net_work, node);

		next = n->next;
		atomic_store_release(&w->queued, 0);
		w->fn(w);
		l->stats.work_items++;
	}
}

/* True if a poller has more. */
static bool loop_poll(struct poll_loop *l)
{
	bool any = false;

	for (struct net_poller *p = atomic_load_acquire(&pollers); p; p = p->next) {
		u32 done = 0;
		bool more;

		if (p->cpu != NET_POLL_ANY && p->cpu != cpu_id())
			continue;
		more = p->poll(p, NET_POLL_BUDGET, &done);
		trace_net_poll(done, NET_POLL_BUDGET, more);
		l->stats.polled += done;
		l->stats.squeezed += more;
		any = any || more;
	}
	return any;
}

static void loop_sleep(struct poll_loop *l)
{
	atomic_store_relaxed(&l->sleeping, 1);
	fence_full(); /* (B) Pairs with (A). */
	if (inbox_empty(&l->inbox) && !atomic_load_relaxed(&l->kicked)) {
		l->stats.sleeps++;
		park(PARK_FOREVER, 0);
	}
	atomic_store_relaxed(&l->sleeping, 0);
}

/*
 * The loop runs before the programs of its hart, or a busy one would add a tick to each answer; but not when the work does not end: then
 * it is one thread among them, or a flood would keep them from ever taking what arrives.
 */
static void loop_set_flooded(struct poll_loop *l, bool flooded)
{
	if (flooded == l->flooded)
		return;
	l->flooded = flooded;
	sched_set_policy(l->thread, flooded ? SCHED_CLASS_FAIR : SCHED_CLASS_FIFO, flooded ? 0 : 1,
			 0);
}

static __noreturn void loop_run(void *arg)
{
	struct poll_loop *l = arg;
	bool more = false;

	for (;;) {
		l->stats.turns++;
		/* A full barrier: what a kick told of is seen by the pollers, or the kick is seen by the next turn. */
		if (atomic_xchg(&l->kicked, 0))
			more = true;
		loop_work(l);
		more = more && loop_poll(l);
		loop_set_flooded(l, more);
		if (more)
			kernel_relax();
		else
			loop_sleep(l);
	}
}

void net_poll_init(void)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		struct poll_loop *l = cpu_ptr(loops, cpu);
		char name[16];

		snprintf(name, sizeof(name), "net/%u", cpu);
		l->thread = kthread_create(name, (void (*)(void *))loop_run, l);
		if (!l->thread || sched_set_affinity(l->thread, BIT(cpu)) ||
		    sched_set_policy(l->thread, SCHED_CLASS_FIFO, 1, 0))
			panic("no memory for the network's threads");
	}
}
