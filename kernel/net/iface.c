/*
 * The table of interfaces and the choice among them; iface.h tells the rules.
 *
 * The routing decision reads a snapshot of all addresses (`routes`) under the epoch; whoever
 * changes an address builds a new one under the lock.
 */
#include "kernel/net/iface.h"

#include <string.h>

#include "abi/errno.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/percpu.h"

#define LO_INDEX 1U
#define LO_MTU	 65536U

LOCK_CLASS(net_ifaces, RANK_IFACE);

static struct spinlock lock = SPINLOCK_INIT(net_ifaces_class);
static struct net_iface *ifaces[NET_IFACES_MAX]; /* [a] by index - 1; filled at boot */
static u32 nr_ifaces;				 /* [a] */

static PERCPU(struct net_iface_stats, lo_stats);

struct net_iface_stats *net_lo_stats(void)
{
	return this_cpu_ptr(lo_stats);
}

/* ---- the snapshot ---- */

struct route_entry {
	struct net_address a;
	struct net_iface *iface;
};

struct route_table {
	struct epoch_node free_node;
	u32 nr;
	struct net_iface *gateway_v4, *gateway_v6; /* interface of the default route, or NULL */
	struct route_entry entries[];
};

static struct route_table *routes; /* [e] written under lock */

static void routes_free(struct epoch_node *node)
{
	kfree(container_of(node, struct route_table, free_node));
}

/* Context: lock held. Without memory the old table stays: the change is refused by the caller. */
static int routes_rebuild(void)
{
	struct route_table *t, *old = routes;
	u32 nr = 0;

	for (u32 i = 0; i < nr_ifaces; i++)
		nr += ifaces[i]->nr_addrs;
	t = kzalloc(sizeof(*t) + nr * sizeof(t->entries[0]));
	if (!t)
		return -ENOBUFS;
	for (u32 i = 0; i < nr_ifaces; i++) {
		struct net_iface *f = ifaces[i];

		for (u32 k = 0; k < f->nr_addrs; k++)
			t->entries[t->nr++] = (struct route_entry){f->addrs[k], f};
		if (!inet_is_any(&f->gateway_v4))
			t->gateway_v4 = f;
		if (!inet_is_any(&f->gateway_v6))
			t->gateway_v6 = f;
	}
	atomic_store_release(&routes, t);
	if (old)
		epoch_defer(&old->free_node, routes_free);
	return 0;
}

/* ---- lo ---- */

static void lo_sum_stats(struct net_iface *i, struct net_iface_stats *out)
{
	(void)i;
	*out = (struct net_iface_stats){0};
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		const struct net_iface_stats *st = cpu_ptr(lo_stats, cpu);

		out->rx_bytes += atomic_load_relaxed(&st->rx_bytes);
		out->rx_packets += atomic_load_relaxed(&st->rx_packets);
	}
	out->tx_bytes = out->rx_bytes;
	out->tx_packets = out->rx_packets;
}

static struct net_iface lo = {
	.name = "lo",
	.type = ARPHRD_LOOPBACK,
	.flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING,
	.mtu = LO_MTU,
	.txqlen = 1000,
	.sum_stats = lo_sum_stats,
};

void net_iface_init(void)
{
	struct net_address v4 = {.addr = inet_loopback_v4, .prefix = 8, .scope = 254};
	struct net_address v6 = {.addr = inet_loopback_v6, .prefix = 128, .scope = 254};

	lo.addrs[0] = v4;
	lo.addrs[1] = v6;
	lo.nr_addrs = 2;
	if (net_iface_register(&lo))
		panic("no memory for the interface table");
}

/* ---- changes ---- */

int net_iface_register(struct net_iface *i)
{
	int err = -ENOSPC;

	spin_lock(&lock);
	if (nr_ifaces < NET_IFACES_MAX) {
		i->index = nr_ifaces + 1;
		ifaces[nr_ifaces] = i;
		/* Pairs with the acquire load in net_iface_by_index(). */
		atomic_store_release(&nr_ifaces, nr_ifaces + 1);
		err = routes_rebuild();
	}
	spin_unlock(&lock);
	return err;
}

static u32 address_find(const struct net_iface *i, const struct inet_addr *a)
{
	u32 k = 0;

	while (k < i->nr_addrs && !inet_equal(&i->addrs[k].addr, a))
		k++;
	return k;
}

int net_iface_add_address(struct net_iface *i, const struct net_address *a)
{
	int err = 0;

	spin_lock(&lock);
	if (address_find(i, &a->addr) < i->nr_addrs) {
		err = -EEXIST;
	} else if (i->nr_addrs == NET_IFACE_ADDRS_MAX) {
		err = -ENOBUFS;
	} else {
		i->addrs[i->nr_addrs++] = *a;
		err = routes_rebuild();
		if (err)
			i->nr_addrs--;
	}
	spin_unlock(&lock);
	return err;
}

int net_iface_del_address(struct net_iface *i, const struct inet_addr *a)
{
	int err = 0;
	u32 k;

	spin_lock(&lock);
	k = address_find(i, a);
	if (k == i->nr_addrs) {
		err = -EADDRNOTAVAIL;
	} else {
		struct net_address gone = i->addrs[k];

		i->addrs[k] = i->addrs[--i->nr_addrs];
		err = routes_rebuild();
		if (err) {
			i->addrs[i->nr_addrs++] = i->addrs[k];
			i->addrs[k] = gone;
		}
	}
	spin_unlock(&lock);
	return err;
}

void net_iface_set_gateway(struct net_iface *i, const struct inet_addr *gateway)
{
	spin_lock(&lock);
	if (inet_is_v4(gateway))
		i->gateway_v4 = *gateway;
	else
		i->gateway_v6 = *gateway;
	routes_rebuild();
	spin_unlock(&lock);
}

void net_iface_set_dns(struct net_iface *i, u32 which, struct inet_addr server)
{
	spin_lock(&lock);
	i->dns[which] = server;
	spin_unlock(&lock);
}

void net_iface_set_flags(struct net_iface *i, u32 flags)
{
	atomic_store_relaxed(&i->flags, flags);
}

/* ---- facts ---- */

struct net_iface *net_iface_by_index(u32 index)
{
	/* Pairs with the release store in net_iface_register(). */
	return index && index <= atomic_load_acquire(&nr_ifaces) ? ifaces[index - 1] : NULL;
}

bool net_iface_info(u32 index, bool next, struct net_iface_info *out)
{
	struct net_iface *i = net_iface_by_index(next ? index + 1 : index);

	if (!i)
		return false;
	*out = (struct net_iface_info){
		.index = i->index,
		.type = i->type,
		.flags = atomic_load_relaxed(&i->flags),
		.mtu = atomic_load_relaxed(&i->mtu),
		.txqlen = i->txqlen,
	};
	memcpy(out->name, i->name, sizeof(out->name));
	memcpy(out->hwaddr, i->hwaddr, sizeof(out->hwaddr));
	spin_lock(&lock);
	out->nr_addrs = i->nr_addrs;
	memcpy(out->addrs, i->addrs, sizeof(out->addrs));
	out->gateway_v4 = i->gateway_v4;
	out->gateway_v6 = i->gateway_v6;
	memcpy(out->dns, i->dns, sizeof(out->dns));
	spin_unlock(&lock);
	if (i->sum_stats)
		i->sum_stats(i, &out->stats);
	return true;
}

u32 net_iface_index(const char *name)
{
	u32 nr = atomic_load_acquire(&nr_ifaces);

	for (u32 i = 0; i < nr; i++)
		if (!strncmp(ifaces[i]->name, name, IFNAMSIZ))
			return i + 1;
	return 0;
}

/* ---- the choice ---- */

static bool is_loopback(const struct inet_addr *a)
{
	return inet_is_v4(a) ? a->b[12] == 127 : inet_equal(a, &inet_loopback_v6);
}

bool net_is_local(const struct inet_addr *a)
{
	const struct route_table *t;
	bool found = false;

	if (is_loopback(a))
		return true;
	epoch_enter();
	t = atomic_load_acquire(&routes);
	for (u32 i = 0; i < t->nr && !found; i++)
		found = inet_equal(&t->entries[i].a.addr, a);
	epoch_exit();
	return found;
}

bool net_is_broadcast(const struct inet_addr *a)
{
	const struct route_table *t;
	bool found = false;

	if (!inet_is_v4(a))
		return false;
	if (a->w[3] == 0xffffffff || a->w[3] == net32(0x7fffffff))
		return true;
	epoch_enter();
	t = atomic_load_acquire(&routes);
	for (u32 i = 0; i < t->nr && !found; i++)
		found = !inet_is_any(&t->entries[i].a.broadcast) &&
			inet_equal(&t->entries[i].a.broadcast, a);
	epoch_exit();
	return found;
}

static bool in_network(const struct net_address *n, const struct inet_addr *a)
{
	u32 bits = n->prefix + (inet_is_v4(&n->addr) ? 96 : 0);

	if (inet_is_v4(&n->addr) != inet_is_v4(a) || memcmp(n->addr.b, a->b, bits / 8))
		return false;
	return bits % 8 == 0 || !((n->addr.b[bits / 8] ^ a->b[bits / 8]) >> (8 - bits % 8));
}

/* The address to send from over `iface`: the one in the destination's network, else the first. */
static bool choose_source(const struct route_table *t, const struct net_iface *iface,
			  const struct inet_addr *to, struct inet_addr *source)
{
	const struct route_entry *best = NULL;

	for (u32 i = 0; i < t->nr; i++) {
		const struct route_entry *e = &t->entries[i];

		if (e->iface != iface || inet_is_v4(&e->a.addr) != inet_is_v4(to))
			continue;
		if (!best || in_network(&e->a, to))
			best = e;
	}
	if (best)
		*source = best->a.addr;
	return best;
}

static struct net_iface *route_remote(const struct route_table *t, const struct inet_addr *to)
{
	struct net_iface *by_gateway = inet_is_v4(to) ? t->gateway_v4 : t->gateway_v6;

	for (u32 i = 0; i < t->nr; i++)
		if (t->entries[i].iface != &lo && in_network(&t->entries[i].a, to))
			return t->entries[i].iface;
	return by_gateway;
}

int net_iface_for(const struct inet_addr *to, u32 bound_if, struct net_route *out)
{
	const struct route_table *t;
	int err = 0;

	if (is_loopback(to)) {
		if (bound_if > LO_INDEX)
			return -ENETUNREACH;
		*out = (struct net_route){&lo, inet_is_v4(to) ? inet_loopback_v4 : inet_loopback_v6,
					  true};
		return 0;
	}
	epoch_enter();
	t = atomic_load_acquire(&routes);
	if (net_is_local(to)) {
		*out = (struct net_route){&lo, *to, true};
	} else {
		out->local = false;
		out->iface = bound_if ? net_iface_by_index(bound_if) : route_remote(t, to);
		if (!out->iface || out->iface == &lo ||
		    !(atomic_load_relaxed(&out->iface->flags) & IFF_UP) ||
		    !choose_source(t, out->iface, to, &out->source))
			err = -ENETUNREACH;
	}
	epoch_exit();
	return err;
}

void net_wire_listen(struct tcp_sock *t)
{
	u32 nr = atomic_load_acquire(&nr_ifaces);

	for (u32 i = 0; i < nr; i++)
		if (ifaces[i]->ops && ifaces[i]->ops->tcp_listen)
			ifaces[i]->ops->tcp_listen(t);
}

void net_wire_unlisten(struct tcp_sock *t)
{
	u32 nr = atomic_load_acquire(&nr_ifaces);

	for (u32 i = 0; i < nr; i++)
		if (ifaces[i]->ops && ifaces[i]->ops->tcp_unlisten)
			ifaces[i]->ops->tcp_unlisten(t);
}

void net_wire_cancel(struct tcp_sock *t)
{
	u32 nr = atomic_load_acquire(&nr_ifaces);

	for (u32 i = 0; i < nr; i++)
		if (ifaces[i]->ops && ifaces[i]->ops->tcp_cancel)
			ifaces[i]->ops->tcp_cancel(t);
}

void net_wire_free(struct tcp_sock *t)
{
	u32 nr = atomic_load_acquire(&nr_ifaces);

	for (u32 i = 0; i < nr && t->wire; i++)
		if (ifaces[i]->ops && ifaces[i]->ops->tcp_free)
			ifaces[i]->ops->tcp_free(t);
}
