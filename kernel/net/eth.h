/*
 * Ethernet cards as interfaces (eth0): what lies between a driver (drivers/netdev.h) and the wire's protocols (kernel/net/wire). A card is
 * polled by the loop of the hart that its interrupt came to, in turns with a budget; its interrupt is on only while nobody polls. Of a card
 * with several pairs of queues each belongs to the hart of the same number.
 *
 * The wire's lock covers the card's queues: enter() takes it, leave() gives it back, and everything between driver and wire happens
 * inside. So the order of frames is the card's, and no second lock is needed on the way.
 *
 * No frame is left lying: a turn that ends without more work has armed the interrupt under the wire's lock (the proof is the driver's, at its
 * arm()), and the interrupt kicks a loop (the proof is in poll.h). Two loops that are kicked take turns of ETH_BUDGET frames.
 */
#ifndef KERNEL_NET_ETH_H
#define KERNEL_NET_ETH_H

#include "drivers/netdev.h"
#include "kernel/net/iface.h"
#include "kernel/net/poll.h"

#define ETH_BUDGET 16U /* frames under one enter() */

struct eth;

/* A pair of queues. */
struct eth_queue {
	struct net_poller poller;
	struct eth *eth; /* [I] */
	u32 number;	 /* [I] */
};

/* What carries IP over a card. */
struct eth_wire {
	const struct net_iface_ops *iface_ops;
	void (*enter)(struct eth *e); /* may sleep */
	void (*leave)(struct eth *e);
	/* The rest between enter() and leave(). Takes over the frame's buffers. */
	void (*receive)(struct eth *e, const struct netdev_frame *f);
	/* A packet was read by the card, or dropped with it. Also from eth_send(). */
	void (*sent)(struct eth *e, void *cookie);
	/* The card's cable was plugged or pulled: e->dev->link. NULL: nothing to do. */
	void (*link)(struct eth *e);
	/* Once, before the first frame: e->iface is registered and has its boot addresses; e->dhcp: ask for more. 0 or -errno: it stays down. */
	int (*start)(struct eth *e);
};

struct eth {
	struct net_iface iface;
	struct netdev *dev;	      /* [I] */
	const struct eth_wire *wire;  /* [I] */
	void *wire_data;	      /* the wire's own */
	bool dhcp;		      /* [I] the boot argument asks for it */
	bool link_seen;		      /* [L:enter] */
	struct net_iface_stats stats; /* [L:enter] read by any hart; the wire adds what it drops */
	struct eth_queue queues[];    /* [I] dev->nr_queues */
};

/* Makes every card an interface carried by `wire`, with the addresses of the boot argument ip=; -EINVAL: that is wrong. Boot, after net_init(). */
int eth_init(const struct eth_wire *wire);
/* The queue for what hart `cpu` sends: the card answers to it. */
u32 eth_queue_of(const struct eth *e, u32 cpu);
/* Sends: 0, -ENOBUFS (drop it, or try again after `sent`), -ENETDOWN, -EIO. Counted. Context: between enter() and leave(). */
int eth_send(struct eth *e, u32 queue, const struct netdev_packet *p);
/* Tells the card about what was sent on a queue since: once at the end of a batch. Context: the same. Done by the poll loop after each turn. */
void eth_flush(struct eth *e, u32 queue);

#endif
