/*
 * The per-hart poll loop: a kernel thread a hart, bound to it, that runs what is queued for that
 * hart and asks its devices, in turns with a budget, and sleeps when there is nothing to do.
 *
 * Two sources: work items (one-shot, any hart may queue them, lock-free), and pollers (a device's
 * receive queue of that hart), which are asked as long as they report work and then told to arm
 * their interrupt. Local sockets need neither: their traffic is carried by the calls themselves.
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

/* A source that every loop asks. */
struct net_poller {
	/* Handles at most `budget` items of this hart. How many it did; < budget: nothing is left. */
	u32 (*poll)(struct net_poller *p, u32 budget);
	/* Nothing is left: arm the interrupt. True: something came meanwhile, poll again. */
	bool (*arm)(struct net_poller *p);
	struct net_poller *next;
};

/* What a loop has done, for /proc/net/softnet_stat. */
struct net_poll_stats {
	u64 turns, work_items, polled, squeezed, sleeps;
};

void net_poll_init(void); /* starts the threads */
void net_poller_register(struct net_poller *p);
/* Runs w->fn soon on hart `cpu`; false if it is queued already. Context: any. */
bool net_work_queue(u32 cpu, struct net_work *w);
/* The loop of hart `cpu` asks its pollers: from an interrupt handler. Context: any. */
void net_poll_kick(u32 cpu);
void net_poll_stats(u32 cpu, struct net_poll_stats *out);

#endif
