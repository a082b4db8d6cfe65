/*
 * The list of routes that programs see: those that follow from the interfaces' addresses and gateways, and those that programs have set.
 */
#include <string.h>

#include "kernel/mm/mm.h"
#include "kernel/net/route.h"

struct inet_addr net_network_of(const struct inet_addr *of, u32 prefix)
{
	struct inet_addr a = *of;
	u32 bits = prefix + (inet_is_v4(of) ? 96 : 0);

	for (u32 i = 0; i < sizeof(a.b); i++) {
		u32 keep = bits > i * 8 ? MIN(bits - i * 8, 8U) : 0;

		a.b[i] &= (u8)(0xff00U >> keep);
	}
	return a;
}

const struct net_address *net_primary_of(const struct net_address *addrs, u32 nr,
					 const struct net_address *a)
{
	for (u32 k = 0; k < nr; k++)
		if (!(addrs[k].flags & IFA_F_SECONDARY) && addrs[k].prefix == a->prefix &&
		    net_in_network(&addrs[k], &a->addr))
			return &addrs[k];
	return NULL;
}

static void v4_routes(const struct net_iface_info *i, const struct net_address *a,
		      void (*fn)(const struct net_route_info *r, void *arg), void *arg)
{
	bool lo = i->flags & IFF_LOOPBACK, up = i->flags & IFF_UP;
	bool secondary = a->flags & IFA_F_SECONDARY;
	const struct net_address *p = secondary ? net_primary_of(i->addrs, i->nr_addrs, a) : NULL;
	struct net_route_info r = {.iface = i->index,
				   .source = p ? p->addr : a->addr,
				   .has_source = true,
				   .dst = a->addr,
				   .prefix = 32,
				   .table = RT_TABLE_LOCAL,
				   .protocol = RTPROT_KERNEL,
				   .scope = RT_SCOPE_HOST,
				   .type = RTN_LOCAL};

	fn(&r, arg);
	if (secondary)
		return;
	if (a->prefix < 32 && (up || lo)) {
		r.dst = net_network_of(&a->addr, a->prefix);
		r.prefix = a->prefix;
		r.table = lo ? RT_TABLE_LOCAL : RT_TABLE_MAIN;
		r.scope = lo ? RT_SCOPE_HOST : RT_SCOPE_LINK;
		r.type = lo ? RTN_LOCAL : RTN_UNICAST;
		fn(&r, arg);
	}
	r.prefix = 32;
	r.table = RT_TABLE_LOCAL;
	r.scope = RT_SCOPE_LINK;
	r.type = RTN_BROADCAST;
	r.dst = net_broadcast_of(a);
	if (up && a->prefix < 31)
		fn(&r, arg);
	if (up && !inet_is_any(&a->broadcast) && !inet_equal(&a->broadcast, &r.dst)) {
		r.dst = a->broadcast;
		fn(&r, arg);
	}
}

static void v6_routes(const struct net_iface_info *i, const struct net_address *a,
		      void (*fn)(const struct net_route_info *r, void *arg), void *arg)
{
	struct net_route_info r = {.iface = i->index,
				   .dst = a->addr,
				   .prefix = 128,
				   .table = RT_TABLE_LOCAL,
				   .protocol = RTPROT_KERNEL,
				   .scope = RT_SCOPE_UNIVERSE,
				   .type = RTN_LOCAL};

	fn(&r, arg);
	if (a->prefix == 128)
		return;
	r.dst = net_network_of(&a->addr, a->prefix);
	r.prefix = a->prefix;
	r.table = RT_TABLE_MAIN;
	r.type = RTN_UNICAST;
	r.metric = NET_METRIC_V6_NETWORK;
	fn(&r, arg);
}

void net_address_routes(const struct net_iface_info *i, const struct net_address *a,
			void (*fn)(const struct net_route_info *r, void *arg), void *arg)
{
	if (inet_is_v4(&a->addr))
		v4_routes(i, a, fn, arg);
	else
		v6_routes(i, a, fn, arg);
}

struct net_route_info net_gateway_route(const struct net_iface_info *i,
					const struct inet_addr *gateway)
{
	bool v4 = inet_is_v4(gateway);
	u8 protocol = i->gateway_protocol[!v4];

	return (struct net_route_info){.iface = i->index,
				       .dst = v4 ? inet_any_v4 : inet_any_v6,
				       .gateway = *gateway,
				       .has_gateway = true,
				       .table = RT_TABLE_MAIN,
				       .protocol = protocol ? protocol : RTPROT_BOOT,
				       .scope = RT_SCOPE_UNIVERSE,
				       .type = RTN_UNICAST,
				       .metric = v4 ? 0 : NET_METRIC_V6_GATEWAY};
}

/* IPv6 multicast goes out of every interface that can. */
static struct net_route_info multicast_route(const struct net_iface_info *i)
{
	struct net_route_info r = {.iface = i->index,
				   .prefix = 8,
				   .table = RT_TABLE_LOCAL,
				   .protocol = RTPROT_KERNEL,
				   .scope = RT_SCOPE_UNIVERSE,
				   .type = RTN_MULTICAST,
				   .metric = NET_METRIC_V6_NETWORK};

	r.dst.b[0] = 0xff;
	return r;
}

/* True if Linux shows `a` before `b`: by family and table, then as its tries are walked. */
static bool route_before(const struct net_route_info *a, const struct net_route_info *b)
{
	bool v4 = inet_is_v4(&a->dst);
	u32 common = MIN(a->prefix, b->prefix) + (v4 ? 96 : 0);
	struct net_address na = {.addr = a->dst, .prefix = common - (v4 ? 96 : 0)};
	int order;

	if (v4 != inet_is_v4(&b->dst))
		return v4;
	if (a->table != b->table)
		return a->table < b->table;
	order = memcmp(a->dst.b, b->dst.b, sizeof(a->dst.b));
	/* IPv6's networks come behind what they contain. */
	if (order == 0 && a->prefix == b->prefix)
		return a->metric < b->metric;
	if (order == 0 || (!v4 && net_in_network(&na, &b->dst)))
		return a->prefix > b->prefix;
	return order < 0;
}

static void list_add_route(const struct net_route_info *r, void *arg)
{
	struct net_route_list *l = arg;
	u32 at = l->nr;

	if (l->nr == ARRAY_SIZE(l->routes))
		return;
	while (at && route_before(r, &l->routes[at - 1])) {
		l->routes[at] = l->routes[at - 1];
		at--;
	}
	l->routes[at] = *r;
	l->nr++;
}

static void list_add_gateway(struct net_route_list *l, const struct net_iface_info *i,
			     const struct inet_addr *gateway)
{
	struct net_route_info r = net_gateway_route(i, gateway);

	if (!inet_is_any(gateway))
		list_add_route(&r, l);
}

static void list_add_iface(struct net_route_list *l, const struct net_iface_info *i)
{
	struct net_route_info r = multicast_route(i);

	for (u32 k = 0; k < i->nr_addrs; k++)
		net_address_routes(i, &i->addrs[k], list_add_route, l);
	list_add_gateway(l, i, &i->gateway_v4);
	list_add_gateway(l, i, &i->gateway_v6);
	if ((i->flags & IFF_MULTICAST) && (i->flags & IFF_UP))
		list_add_route(&r, l);
}

struct net_route_list *net_routes(void)
{
	struct net_route_list *l = kmalloc(sizeof(*l));
	struct net_route_info *set = kmalloc(NET_STATICS_MAX * sizeof(*set));
	struct net_iface_info i;
	u32 nr;

	if (!l || !set) {
		kfree(l);
		kfree(set);
		return NULL;
	}
	l->nr = 0;
	for (u32 at = 0; net_iface_info(at, true, &i); at = i.index)
		list_add_iface(l, &i);
	nr = net_iface_statics(set);
	for (u32 k = 0; k < nr; k++)
		list_add_route(&set[k], l);
	kfree(set);
	return l;
}
