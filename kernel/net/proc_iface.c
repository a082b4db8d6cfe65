/*
 * /proc/net: interfaces, their addresses, routes and neighbours, and who listens on netlink.
 */
#include "kernel/net/proc_iface.h"

#include <stdio.h>

#include "abi/errno.h"
#include "kernel/fs/pseudo.h"
#include "kernel/mm/mm.h"
#include "kernel/net/netlink.h"
#include "kernel/net/route.h"
#include "kernel/sync/atomic.h"

int proc_show_dev(struct seq *s, u64 key)
{
	struct net_iface_info i;

	(void)key;
	seq_puts(s, "Inter-|   Receive                                                |  Transmit\n"
		    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
		    "packets errs drop fifo colls carrier compressed\n");
	for (u32 at = 0; net_iface_info(at, true, &i); at = i.index) {
		const struct net_iface_stats *st = &i.stats;

		seq_printf(s,
			   "%6s: %7lu %7lu %4lu %4lu    0     0          0         0 %8lu %7lu %4lu "
			   "%4lu    0     0       0          0\n",
			   i.name, st->rx_bytes, st->rx_packets, st->rx_errors, st->rx_dropped,
			   st->tx_bytes, st->tx_packets, st->tx_errors, st->tx_dropped);
	}
	return 0;
}

static void end_route_line(struct seq *s, size_t start)
{
	while (s->len - start < 127)
		seq_puts(s, " ");
	seq_puts(s, "\n");
}

/* IPv4's main table, in lines of 127 characters as Linux pads them. */
static u32 route_flags(const struct net_route_info *r)
{
	return (u32)(RTF_UP | (r->has_gateway ? RTF_GATEWAY : 0) | (r->prefix == 32 ? RTF_HOST : 0) |
		     (r->type == RTN_UNREACHABLE || r->type == RTN_PROHIBIT ? RTF_REJECT : 0));
}

int proc_show_route(struct seq *s, u64 key)
{
	struct net_route_list *l = net_routes();
	struct net_iface_info i;
	size_t start;

	(void)key;
	if (!l)
		return -ENOMEM;
	start = s->len;
	seq_puts(s,
		 "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
	end_route_line(s, start);
	for (u32 k = 0; k < l->nr; k++) {
		const struct net_route_info *r = &l->routes[k];

		if (!inet_is_v4(&r->dst) || r->table != RT_TABLE_MAIN)
			continue;
		if (!net_iface_info(r->iface, false, &i))
			snprintf(i.name, sizeof(i.name), "*");
		start = s->len;
		seq_printf(s, "%s\t%08X\t%08X\t%04X\t0\t0\t%u\t%08X\t0\t0\t0", i.name, r->dst.w[3],
			   r->has_gateway ? r->gateway.w[3] : 0, route_flags(r), r->metric,
			   inet_v4_mask(r->prefix));
		end_route_line(s, start);
	}
	kfree(l);
	return 0;
}

int proc_show_if_inet6(struct seq *s, u64 key)
{
	struct net_iface_info i;

	(void)key;
	for (u32 at = 0; net_iface_info(at, true, &i); at = i.index) {
		for (u32 k = 0; k < i.nr_addrs; k++) {
			const struct net_address *a = &i.addrs[k];
			/* Linux's scopes here: host 0x10, link 0x20, global 0. */
			u32 scope = a->scope == 254 ? 0x10 : a->scope == 253 ? 0x20 : 0;

			if (inet_is_v4(&a->addr))
				continue;
			for (u32 b = 0; b < sizeof(a->addr.b); b++)
				seq_printf(s, "%02x", a->addr.b[b]);
			seq_printf(s, " %02x %02x %02x 80 %8s\n", i.index, a->prefix, scope, i.name);
		}
	}
	return 0;
}

#define ATF_COM	 0x2 /* the hardware address is known */
#define ATF_PERM 0x4

static void put_neighbour(struct seq *s, const struct net_iface_info *i,
			  const struct net_neighbour *n)
{
	u32 flags = n->state & NUD_INCOMPLETE ? 0 : ATF_COM;
	const u8 *a = &n->addr.b[12], *h = n->hwaddr;
	char addr[16];

	if (n->state & NUD_PERMANENT)
		flags |= ATF_PERM;
	snprintf(addr, sizeof(addr), "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
	seq_printf(s, "%-16s 0x%-10x0x%-10x%02x:%02x:%02x:%02x:%02x:%02x     *        %s\n", addr,
		   i->type, flags, h[0], h[1], h[2], h[3], h[4], h[5], i->name);
}

int proc_show_arp(struct seq *s, u64 key)
{
	struct net_iface_info info;
	struct net_neighbour n;

	(void)key;
	seq_puts(s,
		 "IP address       HW type     Flags       HW address            Mask     Device\n");
	for (u32 index = 1; net_iface_info(index, false, &info); index++) {
		struct net_iface *i = net_iface_by_index(index);

		for (u32 at = 0; i->ops && i->ops->neighbour && i->ops->neighbour(i, at, &n); at++)
			if (inet_is_v4(&n.addr))
				put_neighbour(s, &info, &n);
	}
	return 0;
}

static void put_netlink(struct netlink_sock *n, void *arg)
{
	seq_printf(arg, "0000000000000000 %-3u %-10u %08x %-8lu 0        %-5d %-8u %-8lu %-8lu\n",
		   n->s.protocol, n->portid, (u32)atomic_load_relaxed(&n->groups),
		   atomic_load_relaxed(&n->queue.bytes), atomic_load_relaxed(&n->dumping) ? 1 : 0,
		   atomic_load_relaxed(&n->s.refs), atomic_load_relaxed(&n->queue.drops), n->s.ino);
}

int proc_show_netlink(struct seq *s, u64 key)
{
	(void)key;
	seq_puts(s,
		 "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n");
	netlink_for_each(put_netlink, s);
	return 0;
}

/* What a resolver may use: Linux's ipconfig leaves DHCP's name servers here. */
int proc_show_pnp(struct seq *s, u64 key)
{
	struct net_iface_info info;
	u32 index = 0;

	(void)key;
	while (net_iface_info(index, true, &info)) {
		index = info.index;
		for (u32 k = 0; k < NET_IFACE_DNS_MAX; k++) {
			const u8 *a = info.dns[k].b + 12;

			if (!inet_is_any(&info.dns[k]))
				seq_printf(s, "nameserver %u.%u.%u.%u\n", a[0], a[1], a[2], a[3]);
		}
	}
	return 0;
}
