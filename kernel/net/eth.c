/* Ethernet cards as interfaces; eth.h tells the rules. */
#include "kernel/net/eth.h"

#include <string.h>

#include "abi/errno.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/net/ipconfig.h"
#include "kernel/net/route.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "lib/cmdline.h"

#define ETH_MTU_MIN	68U /* what IPv4 wants of every link */
#define TX_QUEUE_LENGTH 1000U

static bool is_up(const struct eth *e)
{
	return atomic_load_relaxed(&e->iface.flags) & IFF_UP;
}

/* Only the holder of the wire's lock writes. */
static void count(u64 *counter, u64 by)
{
	atomic_store_relaxed(counter, *counter + by);
}

/* ---- sending ---- */

u32 eth_queue_of(const struct eth *e, u32 cpu)
{
	return e->dev->nr_queues > 1 ? cpu % e->dev->nr_queues : 0;
}

int eth_send(struct eth *e, u32 queue, const struct netdev_packet *p)
{
	u64 length = 0;
	int err = -ENETDOWN;

	for (u32 i = 0; i < p->nr_pieces; i++)
		length += p->pieces[i].length;
	if (is_up(e) && atomic_load_relaxed(&e->dev->link))
		err = e->dev->ops->send(e->dev, queue, p);
	if (err) {
		count(&e->stats.tx_dropped, 1);
		return err;
	}
	count(&e->stats.tx_packets, 1);
	count(&e->stats.tx_bytes, length);
	return 0;
}

void eth_flush(struct eth *e, u32 queue)
{
	e->dev->ops->flush(e->dev, queue);
}

/* ---- receiving ---- */

static void eth_receive(struct netdev *d, u32 queue, const struct netdev_frame *f)
{
	struct eth *e = d->owner;

	(void)queue;
	if (is_up(e)) {
		count(&e->stats.rx_packets, 1);
		count(&e->stats.rx_bytes, f->length);
		e->wire->receive(e, f);
		return;
	}
	netdev_buffers_free(f->first);
}

static void eth_sent(struct netdev *d, u32 queue, void *cookie)
{
	struct eth *e = d->owner;

	(void)queue;
	e->wire->sent(e, cookie);
}

/* From an interrupt: this hart was chosen for it, so it polls, unless the queue has a hart of its own. */
static void eth_work(struct netdev *d, u32 queue)
{
	net_poll_kick(d->nr_queues > 1 ? queue : cpu_id());
}

static const struct netdev_user eth_user = {
	.receive = eth_receive,
	.sent = eth_sent,
	.work = eth_work,
};

static void eth_check_link(struct eth *e)
{
	bool link = atomic_load_relaxed(&e->dev->link);

	if (link == e->link_seen)
		return;
	e->link_seen = link;
	net_iface_set_flags(&e->iface, link ? IFF_RUNNING : 0, IFF_RUNNING);
	if (e->wire->link)
		e->wire->link(e);
}

/* One slice under the wire's lock. True: there is more. */
static bool eth_poll_slice(struct eth_queue *q, u32 budget, u32 *done)
{
	struct eth *e = q->eth;
	struct netdev *d = e->dev;
	bool more;
	u32 n;

	e->wire->enter(e);
	eth_check_link(e);
	d->ops->disarm(d, q->number);
	n = d->ops->poll(d, q->number, budget);
	d->ops->flush(d, q->number);
	more = n == budget || !d->ops->arm(d, q->number);
	e->wire->leave(e);
	*done += n;
	return more;
}

static bool eth_poll(struct net_poller *p, u32 budget, u32 *done)
{
	struct eth_queue *q = container_of(p, struct eth_queue, poller);
	bool more = true;

	while (more && *done < budget)
		more = eth_poll_slice(q, MIN(budget - *done, ETH_BUDGET), done);
	return more;
}

/* ---- start ---- */

static void eth_sum_stats(struct net_iface *i, struct net_iface_stats *out)
{
	const struct eth *e = container_of(i, struct eth, iface);

	*out = (struct net_iface_stats){
		.rx_bytes = atomic_load_relaxed(&e->stats.rx_bytes),
		.rx_packets = atomic_load_relaxed(&e->stats.rx_packets),
		.rx_dropped = atomic_load_relaxed(&e->stats.rx_dropped),
		.rx_errors = atomic_load_relaxed(&e->stats.rx_errors) +
			     atomic_load_relaxed(&e->dev->rx_errors),
		.tx_bytes = atomic_load_relaxed(&e->stats.tx_bytes),
		.tx_packets = atomic_load_relaxed(&e->stats.tx_packets),
		.tx_dropped = atomic_load_relaxed(&e->stats.tx_dropped),
		.tx_errors = atomic_load_relaxed(&e->stats.tx_errors),
	};
}

/* The addresses of ip=; up, if it names this card. */
static void eth_configure(struct eth *e, const struct ipconfig *c)
{
	struct net_address a = {.addr = inet_addr_v4(c->address), .prefix = c->prefix};
	struct inet_addr gateway = inet_addr_v4(c->gateway);

	if (c->address) {
		if (c->prefix < 31)
			a.broadcast = net_broadcast_of(&a);
		net_iface_add_address(&e->iface, &a);
		if (c->gateway)
			net_iface_set_gateway(&e->iface, &gateway);
	}
	e->dhcp = c->dhcp;
	if (c->address || c->dhcp)
		net_iface_set_flags(&e->iface, IFF_UP, IFF_UP);
}

static struct eth *eth_create(struct netdev *d, const struct eth_wire *wire)
{
	struct eth *e = kzalloc(sizeof(*e) + d->nr_queues * sizeof(e->queues[0]));

	if (!e)
		return NULL;
	for (u32 i = 0; i < d->nr_queues; i++) {
		e->queues[i] = (struct eth_queue){.eth = e, .number = i};
		e->queues[i].poller.poll = eth_poll;
		e->queues[i].poller.cpu = d->nr_queues > 1 ? i : NET_POLL_ANY;
	}
	e->dev = d;
	e->wire = wire;
	e->link_seen = atomic_load_relaxed(&d->link);
	strncpy(e->iface.name, d->name, sizeof(e->iface.name) - 1);
	memcpy(e->iface.hwaddr, d->address, sizeof(e->iface.hwaddr));
	e->iface.type = ARPHRD_ETHER;
	e->iface.flags = IFF_BROADCAST | IFF_MULTICAST | (e->link_seen ? IFF_RUNNING : 0);
	e->iface.mtu = d->mtu;
	e->iface.min_mtu = ETH_MTU_MIN;
	e->iface.max_mtu = d->mtu;
	e->iface.txqlen = TX_QUEUE_LENGTH;
	e->iface.ops = wire->iface_ops;
	e->iface.sum_stats = eth_sum_stats;
	return e;
}

static void eth_start(struct netdev *d, const struct eth_wire *wire, const struct ipconfig *c)
{
	struct eth *e = eth_create(d, wire);
	int err = e ? net_iface_register(&e->iface) : -ENOMEM;

	if (err)
		goto fail;
	if (!strcmp(c->device[0] ? c->device : "eth0", e->iface.name))
		eth_configure(e, c);
	err = wire->start(e);
	if (err)
		goto fail;
	netdev_attach(d, &eth_user, e);
	for (u32 i = 0; i < d->nr_queues; i++) {
		net_poller_register(&e->queues[i].poller);
		/* The first turn arms the interrupt. */
		eth_work(d, i);
	}
	return;
fail:
	klog(KLOG_ERR, "net: %s cannot be used: error %d\n", d->name, err);
}

int eth_init(const struct eth_wire *wire)
{
	struct ipconfig config = {0};
	struct netdev *d;
	char text[128];

	if (cmdline_get("ip", text, sizeof(text)) && !ipconfig_parse(text, &config))
		return -EINVAL;
	for (u32 i = 0; (d = netdev_get(i)) != NULL; i++)
		eth_start(d, wire, &config);
	return 0;
}
