/*
 * The table of interfaces: lo, changes, facts; iface.h tells the rules.
 */
#include "kernel/net/iface.h"

#include <string.h>

#include "abi/errno.h"
#include "abi/time.h"
#include "kernel/log/log.h"
#include "kernel/net/net.h"
#include "kernel/net/route.h"
#include "kernel/net/rtnetlink.h"
#include "kernel/net/tcp.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/time/time.h"

#define LO_MTU 65536U

LOCK_CLASS(net_ifaces, RANK_IFACE);

static struct spinlock lock = SPINLOCK_INIT(net_ifaces_class);
static struct net_iface *ifaces[NET_IFACES_MAX]; /* [a] by index - 1; filled at boot */
static u32 nr_ifaces;				 /* [a] */

static PERCPU(struct net_iface_stats, lo_stats);

struct net_iface_stats *net_lo_stats(void)
{
	return this_cpu_ptr(lo_stats);
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

/* It comes back with IFF_UP. */
static struct net_address lo_v6 = {
	.prefix = 128, .scope = RT_SCOPE_HOST, .protocol = IFAPROT_KERNEL_LO};

void net_iface_init(void)
{
	lo_v6.addr = inet_loopback_v6;
	lo.addrs[0] =
		(struct net_address){.addr = inet_loopback_v4, .prefix = 8, .scope = RT_SCOPE_HOST};
	lo.addrs[1] = lo_v6;
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
		err = net_routes_rebuild(ifaces, nr_ifaces);
	}
	spin_unlock(&lock);
	return err ? err : net_sysfs_add(i);
}

static u32 address_find(const struct net_iface *i, const struct inet_addr *a)
{
	u32 k = 0;

	while (k < i->nr_addrs && !inet_equal(&i->addrs[k].addr, a))
		k++;
	return k;
}

/* Linux ranks ::1 with the link-local ones. */
static u32 v6_order(const struct net_address *a)
{
	return a->scope == RT_SCOPE_UNIVERSE ? 1 : 0;
}

/* Where Linux's lists have a new address: IPv4 primaries by scope, then secondaries; IPv6 by scope, newest first. */
static u32 address_place(const struct net_iface *i, const struct net_address *a)
{
	u32 place = 0;

	for (u32 k = 0; k < i->nr_addrs; k++) {
		const struct net_address *b = &i->addrs[k];

		if (inet_is_v4(&b->addr) != inet_is_v4(&a->addr))
			continue;
		if (!inet_is_v4(&a->addr)) {
			if (v6_order(a) < v6_order(b))
				place = k + 1;
		} else if ((a->flags & IFA_F_SECONDARY) ||
			   (!(b->flags & IFA_F_SECONDARY) && a->scope <= b->scope)) {
			place = k + 1;
		}
	}
	return place;
}

/* True if an earlier address of the interface has the same IPv4 network. */
static bool is_secondary(const struct net_iface *i, const struct net_address *a)
{
	return inet_is_v4(&a->addr) && net_primary_of(i->addrs, i->nr_addrs, a);
}

/* Context: lock held. */
static int address_insert(struct net_iface *i, const struct net_address *a)
{
	u32 place = address_place(i, a);
	int err;

	if (i->nr_addrs == NET_IFACE_ADDRS_MAX)
		return -ENOBUFS;
	memmove(&i->addrs[place + 1], &i->addrs[place], (i->nr_addrs - place) * sizeof(i->addrs[0]));
	i->addrs[place] = *a;
	i->nr_addrs++;
	err = net_routes_rebuild(ifaces, nr_ifaces);
	if (err) {
		i->nr_addrs--;
		memmove(&i->addrs[place], &i->addrs[place + 1],
			(i->nr_addrs - place) * sizeof(i->addrs[0]));
	}
	return err;
}

int net_iface_add_address(struct net_iface *i, const struct net_address *a)
{
	struct net_address added = *a;
	int err;

	added.stamp = (u32)(time_monotonic_ns() / (NSEC_PER_SEC / 100));
	spin_lock(&lock);
	if (is_secondary(i, a))
		added.flags |= IFA_F_SECONDARY;
	err = address_find(i, &a->addr) < i->nr_addrs ? -EEXIST : address_insert(i, &added);
	spin_unlock(&lock);
	if (!err)
		rtnetlink_address(i, &added, true);
	return err;
}

/*
 * Takes out the addresses for which leaves() holds, into `gone`, room for all: how many. Context:
 * lock held.
 */
static u32 addresses_take(struct net_iface *i, const struct net_address *of,
			  bool (*leaves)(const struct net_address *a, const struct net_address *of),
			  struct net_address *gone)
{
	u32 nr = 0, kept = 0;

	for (u32 k = 0; k < i->nr_addrs; k++) {
		if (leaves(&i->addrs[k], of))
			gone[nr++] = i->addrs[k];
		else
			i->addrs[kept++] = i->addrs[k];
	}
	i->nr_addrs = kept;
	return nr;
}

/* An address, and the secondaries in the network of a primary. */
static bool leaves_with(const struct net_address *a, const struct net_address *of)
{
	if (inet_equal(&a->addr, &of->addr))
		return true;
	return (a->flags & IFA_F_SECONDARY) && !(of->flags & IFA_F_SECONDARY) &&
	       a->prefix == of->prefix && net_in_network(of, &a->addr);
}

static bool is_v6(const struct net_address *a, const struct net_address *of)
{
	(void)of;
	return !inet_is_v4(&a->addr);
}

static void tell_gone(struct net_iface *i, const struct net_address *gone, u32 nr)
{
	for (u32 k = 0; k < nr; k++)
		rtnetlink_address(i, &gone[k], false);
}

int net_iface_del_address(struct net_iface *i, const struct inet_addr *a)
{
	struct net_address gone[NET_IFACE_ADDRS_MAX], before[NET_IFACE_ADDRS_MAX], of;
	u32 nr = 0, nr_before;
	int err = -EADDRNOTAVAIL;
	u32 k;

	spin_lock(&lock);
	k = address_find(i, a);
	if (k < i->nr_addrs) {
		nr_before = i->nr_addrs;
		memcpy(before, i->addrs, sizeof(before));
		of = i->addrs[k];
		nr = addresses_take(i, &of, leaves_with, gone);
		err = net_routes_rebuild(ifaces, nr_ifaces);
		if (err) {
			memcpy(i->addrs, before, sizeof(before));
			i->nr_addrs = nr_before;
		}
	}
	spin_unlock(&lock);
	if (!err)
		tell_gone(i, gone, nr);
	return err;
}

void net_iface_set_gateway(struct net_iface *i, const struct inet_addr *gateway)
{
	bool v4 = inet_is_v4(gateway);
	struct inet_addr *to = v4 ? &i->gateway_v4 : &i->gateway_v6, was;

	spin_lock(&lock);
	was = *to;
	*to = *gateway;
	net_routes_rebuild(ifaces, nr_ifaces);
	spin_unlock(&lock);
	if (!inet_is_any(&was))
		rtnetlink_gateway(i, &was, false);
	if (!inet_is_any(gateway))
		rtnetlink_gateway(i, gateway, true);
}

/* ---- routes that programs set ---- */

int net_iface_add_route(const struct net_route_info *r, u32 flags)
{
	struct net_route_match m = {.dst = r->dst, .prefix = r->prefix, .scope = RT_SCOPE_NOWHERE};
	struct net_route_info was, undone;
	int err;

	spin_lock(&lock);
	err = net_statics_add(r, flags, &was);
	if (!err && net_routes_rebuild(ifaces, nr_ifaces)) {
		m.metric = r->metric;
		m.iface = r->iface;
		net_statics_remove(&m, &undone);
		if (was.type)
			net_statics_add(&was, NET_ROUTE_CREATE, &undone);
		err = -ENOBUFS;
	}
	spin_unlock(&lock);
	if (err)
		return err;
	if (was.type)
		rtnetlink_route(&was, false);
	rtnetlink_route(r, true);
	return 0;
}

int net_iface_del_route(const struct net_route_match *m)
{
	struct net_route_info was;
	int err;

	spin_lock(&lock);
	err = net_statics_remove(m, &was);
	/* Without memory the old snapshot stays; the next change of anything takes it away. */
	if (!err)
		net_routes_rebuild(ifaces, nr_ifaces);
	spin_unlock(&lock);
	if (!err)
		rtnetlink_route(&was, false);
	return err;
}

u32 net_iface_statics(struct net_route_info *out)
{
	u32 nr;

	spin_lock(&lock);
	nr = net_statics_copy(out);
	spin_unlock(&lock);
	return nr;
}

/* Those over an interface that went down. */
static void drop_routes(struct net_iface *i)
{
	struct net_route_info was;
	bool found;

	do {
		spin_lock(&lock);
		found = net_statics_drop(i->index, &was);
		if (found)
			net_routes_rebuild(ifaces, nr_ifaces);
		spin_unlock(&lock);
		if (found)
			rtnetlink_route(&was, false);
	} while (found);
}

/* What goes with IFF_UP. Context: lock held. The number of addresses in `gone`. */
static u32 went_down(struct net_iface *i, struct net_address *gone)
{
	i->gateway_v4 = inet_any_v4;
	i->gateway_v6 = inet_any_v6;
	return addresses_take(i, NULL, is_v6, gone);
}

void net_iface_set_dns(struct net_iface *i, u32 which, struct inet_addr server)
{
	spin_lock(&lock);
	i->dns[which] = server;
	spin_unlock(&lock);
}

void net_iface_set_flags(struct net_iface *i, u32 flags, u32 mask)
{
	struct net_address gone[NET_IFACE_ADDRS_MAX];
	u32 was, nr = 0;

	spin_lock(&lock);
	was = i->flags;
	flags = (was & ~mask) | (flags & mask);
	atomic_store_relaxed(&i->flags, flags);
	if ((was & IFF_UP) && !(flags & IFF_UP))
		nr = went_down(i, gone);
	if ((was ^ flags) & IFF_UP)
		net_routes_rebuild(ifaces, nr_ifaces);
	spin_unlock(&lock);
	if (was != flags)
		rtnetlink_link(i, was ^ flags);
	tell_gone(i, gone, nr);
	if ((was & ~flags) & IFF_UP)
		drop_routes(i);
	if (i == &lo && (flags & ~was & IFF_UP))
		net_iface_add_address(i, &lo_v6);
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
	u32 flags;

	if (!i)
		return false;
	flags = atomic_load_relaxed(&i->flags);
	if (!(flags & IFF_UP))
		flags &= ~(u32)IFF_RUNNING;
	if (flags & IFF_RUNNING)
		flags |= IFF_LOWER_UP;
	*out = (struct net_iface_info){
		.index = i->index,
		.type = i->type,
		.flags = flags,
		.mtu = atomic_load_relaxed(&i->mtu),
		.min_mtu = i->min_mtu,
		.max_mtu = i->max_mtu,
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
	memcpy(out->gateway_protocol, i->gateway_protocol, sizeof(out->gateway_protocol));
	spin_unlock(&lock);
	if (i->sum_stats)
		i->sum_stats(i, &out->stats);
	return true;
}

const struct net_address *net_iface_first_v4(const struct net_iface_info *info)
{
	for (u32 k = 0; k < info->nr_addrs; k++)
		if (inet_is_v4(&info->addrs[k].addr))
			return &info->addrs[k];
	return NULL;
}

u8 net_iface_oper_state(const struct net_iface_info *info)
{
	if (!(info->flags & IFF_UP))
		return ABI_IF_OPER_DOWN;
	if (info->flags & IFF_LOOPBACK)
		return ABI_IF_OPER_UNKNOWN;
	return info->flags & IFF_LOWER_UP ? ABI_IF_OPER_UP : ABI_IF_OPER_DOWN;
}

bool net_lo_is_up(void)
{
	return atomic_load_relaxed(&lo.flags) & IFF_UP;
}

u32 net_iface_index(const char *name)
{
	u32 nr = atomic_load_acquire(&nr_ifaces);

	for (u32 i = 0; i < nr; i++)
		if (!strncmp(ifaces[i]->name, name, IFNAMSIZ))
			return i + 1;
	return 0;
}

/* ---- who listens ---- */

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
