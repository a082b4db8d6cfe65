/*
 * The per-hart poll loop: a kernel thread a hart, bound to it, that runs what is queued for that
 * hart and asks its devices, in turns with a budget, and sleeps when there is nothing to do.
 *
 * Two sources: work items (one-shot, any hart may queue them, lock-free), and pollers (a device's
 * receive queue), which are asked from a kick, by their interrupt, until they have no more work and have armed
 * their interrupt again. Local sockets need neither: their traffic is carried by the calls themselves.
 *
 * No demand is lost:
 *	sender				loop
 *	push item, or set `kicked`	sleeping = 1
 *	fence (A)			fence (B)
 *	sleeping? unpark		anything there? do not park
 * Store buffering; A (the CAS of the inbox, or the fence) pairs with B.
 */
#ifndef KERNEL_NET_POLL_H
#define KERNEL_NET_POLL_H

#include "kernel/sync/inbox.h"
#include "lib/types.h"

#define NET_POLL_BUDGET 64U /* items of one source in a turn */

struct net_work {
	struct inbox_node node;
	void (*fn)(struct net_work *w); /* [I] in the loop's thread; may sleep; may queue itself again */
	u32 queued;			/* [a] 1: on a hart's inbox */
};

#define NET_POLL_ANY 0xffffffffU

/* A source that loops ask when they were kicked: the one of its hart, or any, then several may ask at the same time. */
struct net_poller {
	u32 cpu; /* [I] NET_POLL_ANY: any */
	/*
	 * Handles at most `budget` items and counts them in *done. True: there is more; false: nothing is left, and the interrupt is armed.
	 * May sleep.
	 */
	bool (*poll)(struct net_poller *p, u32 budget, u32 *done);
	struct net_poller *next;
};

/* What a loop has done, for /proc/net/softnet_stat. */
struct net_poll_stats {
	u64 turns, work_items, polled, squeezed,
		sleeps; /* squeezed: a poller had more than its budget */
};

void net_poll_init(void); /* starts the threads */
void net_poller_register(struct net_poller *p);
/* Runs w->fn soon on hart `cpu`; false if it is queued already. Context: any. */
bool net_work_queue(u32 cpu, struct net_work *w);
/* The loop of hart `cpu` asks its pollers: from an interrupt handler. Context: any. */
void net_poll_kick(u32 cpu);
void net_poll_stats(u32 cpu, struct net_poll_stats *out);

#endif
