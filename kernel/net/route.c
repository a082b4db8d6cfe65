/*
 * Routes: the choice of an interface for a destination, and the list of them that programs see. All
 * follow from the interfaces' addresses and gateways; there is no other table.
 *
 * The choice reads a snapshot of all addresses (`routes`) under the epoch; whoever changes an
 * address builds a new one under the lock of iface.c.
 */
#include "kernel/net/route.h"

#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/epoch.h"

/* ---- the snapshot ---- */

struct route_entry {
	struct net_address a;
	struct net_iface *iface;
	bool up; /* else it is only local */
};

struct route_table {
	struct epoch_node free_node;
	u32 nr;
	struct net_iface *lo;
	bool lo_up;
	struct net_iface *gateway_v4, *gateway_v6; /* interface of the default route, or NULL */
	struct route_entry entries[];
};

static struct route_table *routes; /* [e] written under lock */

static void routes_free(struct epoch_node *node)
{
	kfree(container_of(node, struct route_table, free_node));
}

int net_routes_rebuild(struct net_iface *const *ifaces, u32 nr_ifaces)
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
		bool up = atomic_load_relaxed(&f->flags) & IFF_UP;

		if (f->flags & IFF_LOOPBACK) {
			t->lo = f;
			t->lo_up = up;
		}
		for (u32 k = 0; k < f->nr_addrs; k++)
			t->entries[t->nr++] = (struct route_entry){f->addrs[k], f, up};
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

/* ---- the choice ---- */

static bool is_loopback(const struct inet_addr *a)
{
	return inet_is_v4(a) ? a->b[12] == 127 : inet_equal(a, &inet_loopback_v6);
}

bool net_in_network(const struct net_address *n, const struct inet_addr *a)
{
	u32 bits = n->prefix + (inet_is_v4(&n->addr) ? 96 : 0);

	if (inet_is_v4(&n->addr) != inet_is_v4(a) || memcmp(n->addr.b, a->b, bits / 8))
		return false;
	return bits % 8 == 0 || !((n->addr.b[bits / 8] ^ a->b[bits / 8]) >> (8 - bits % 8));
}

/* Of an IPv4 network on lo all addresses are this host's. Context: in an epoch. */
static bool is_local(const struct route_table *t, const struct inet_addr *a)
{
	if (is_loopback(a))
		return t->lo_up || inet_is_v4(a);
	for (u32 i = 0; i < t->nr; i++) {
		const struct route_entry *e = &t->entries[i];

		if (inet_equal(&e->a.addr, a) ||
		    (e->iface == t->lo && inet_is_v4(a) && net_in_network(&e->a, a)))
			return true;
	}
	return false;
}

bool net_is_local(const struct inet_addr *a)
{
	bool found;

	epoch_enter();
	found = is_local(atomic_load_acquire(&routes), a);
	epoch_exit();
	return found;
}

struct inet_addr net_broadcast_of(const struct net_address *n)
{
	return inet_addr_v4(n->addr.w[3] | ~inet_v4_mask(n->prefix));
}

/* The one that was set, or the last address of the network. */
static bool broadcast_matches(const struct net_address *n, const struct inet_addr *a)
{
	struct inet_addr last;

	if (!inet_is_v4(&n->addr))
		return false;
	if (!inet_is_any(&n->broadcast) && inet_equal(&n->broadcast, a))
		return true;
	last = net_broadcast_of(n);
	return n->prefix < 31 && inet_equal(&last, a);
}

bool net_is_broadcast(const struct inet_addr *a)
{
	const struct route_table *t;
	bool found = false;

	if (!inet_is_v4(a))
		return false;
	if (a->w[3] == 0xffffffff)
		return true;
	epoch_enter();
	t = atomic_load_acquire(&routes);
	for (u32 i = 0; i < t->nr && !found; i++)
		found = t->entries[i].up && broadcast_matches(&t->entries[i].a, a);
	epoch_exit();
	return found;
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
		if (!best || net_in_network(&e->a, to))
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
		if (t->entries[i].up && t->entries[i].iface != t->lo &&
		    net_in_network(&t->entries[i].a, to))
			return t->entries[i].iface;
	return by_gateway;
}

/* What an unbound socket sends from to `to`, which is local and not loopback. */
static struct inet_addr local_source(const struct route_table *t, const struct inet_addr *to)
{
	const struct route_entry *in = NULL;

	for (u32 i = 0; i < t->nr; i++) {
		if (inet_equal(&t->entries[i].a.addr, to))
			return *to;
		if (!in && t->entries[i].iface == t->lo && net_in_network(&t->entries[i].a, to))
			in = &t->entries[i];
	}
	return in ? in->a.addr : *to;
}

static int route_loopback(const struct route_table *t, const struct inet_addr *to, u32 bound_if,
			  struct net_route *out)
{
	if ((!t->lo_up && !inet_is_v4(to)) || (bound_if && bound_if != t->lo->index))
		return -ENETUNREACH;
	*out = (struct net_route){t->lo, inet_is_v4(to) ? inet_loopback_v4 : inet_loopback_v6, true};
	return 0;
}

static int route_away(const struct route_table *t, const struct inet_addr *to, u32 bound_if,
		      struct net_route *out)
{
	struct net_iface *i = bound_if ? net_iface_by_index(bound_if) : route_remote(t, to);

	/* A group on lo, which somebody has asked for: the source is the caller's to choose. */
	if (i == t->lo && i && inet_is_v4(to) && inet_is_multicast(to)) {
		*out = (struct net_route){i, inet_any_v4, true};
		return 0;
	}
	out->local = false;
	out->iface = i;
	if (!i || i == t->lo || !(atomic_load_relaxed(&i->flags) & IFF_UP) ||
	    !choose_source(t, i, to, &out->source))
		return -ENETUNREACH;
	return 0;
}

int net_iface_for(const struct inet_addr *to, u32 bound_if, struct net_route *out)
{
	const struct route_table *t;
	int err = 0;

	epoch_enter();
	t = atomic_load_acquire(&routes);
	if (is_loopback(to))
		err = route_loopback(t, to, bound_if, out);
	else if (is_local(t, to))
		*out = (struct net_route){t->lo, local_source(t, to), true};
	else
		err = route_away(t, to, bound_if, out);
	epoch_exit();
	return err;
}

/* ---- the list ---- */

static struct inet_addr network_of(const struct net_address *n)
{
	struct inet_addr a = n->addr;
	u32 bits = n->prefix + (inet_is_v4(&n->addr) ? 96 : 0);

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
		r.dst = network_of(a);
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
	r.dst = network_of(a);
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

struct net_route_list *net_routes(void)
{
	struct net_route_list *l = kmalloc(sizeof(*l));
	struct net_iface_info i;
	struct net_route_info r;

	if (!l)
		return NULL;
	l->nr = 0;
	for (u32 at = 0; net_iface_info(at, true, &i); at = i.index) {
		for (u32 k = 0; k < i.nr_addrs; k++)
			net_address_routes(&i, &i.addrs[k], list_add_route, l);
		if (!inet_is_any(&i.gateway_v4)) {
			r = net_gateway_route(&i, &i.gateway_v4);
			list_add_route(&r, l);
		}
		if (!inet_is_any(&i.gateway_v6)) {
			r = net_gateway_route(&i, &i.gateway_v6);
			list_add_route(&r, l);
		}
		if ((i.flags & IFF_MULTICAST) && (i.flags & IFF_UP)) {
			r = multicast_route(&i);
			list_add_route(&r, l);
		}
	}
	return l;
}
