/*
 * The choice of a route for a destination: the longest prefix, then the lowest metric, of the interfaces' networks, their gateways, and what programs have set.
 *
 * It reads a snapshot of all of them (`routes`) under the epoch; whoever changes one builds a new snapshot under the lock of iface.c.
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
	struct route_gateway {
		struct net_iface *iface; /* NULL: none */
		struct inet_addr addr;
	} gateway_v4, gateway_v6;
	u32 nr_statics;
	struct net_route_info statics[NET_STATICS_MAX];
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
			t->gateway_v4 = (struct route_gateway){f, f->gateway_v4};
		if (!inet_is_any(&f->gateway_v6))
			t->gateway_v6 = (struct route_gateway){f, f->gateway_v6};
	}
	t->nr_statics = net_statics_copy(t->statics);
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

/* One way to a destination. */
struct route_way {
	struct net_iface *iface; /* NULL: none */
	struct inet_addr hop;	 /* whom the link carries it to */
	u32 prefix, metric;
	const struct net_route_info *set; /* the route that a program set; NULL: it is none */
};

static bool better(const struct route_way *a, const struct route_way *b)
{
	if (a->prefix != b->prefix)
		return a->prefix > b->prefix;
	return a->metric < b->metric;
}

static void way_consider(struct route_way *best, struct route_way w)
{
	if ((!best->iface && !best->set) || better(&w, best))
		*best = w;
}

static bool route_fits(const struct net_route_info *r, const struct inet_addr *to)
{
	struct net_address n = {.addr = r->dst, .prefix = r->prefix};

	return net_in_network(&n, to);
}

/* The first that fits is the best of these. */
static void consider_statics(const struct route_table *t, const struct inet_addr *to, u32 bound_if,
			     struct route_way *best)
{
	for (u32 i = 0; i < t->nr_statics; i++) {
		const struct net_route_info *r = &t->statics[i];

		if ((bound_if && r->iface != bound_if) || !route_fits(r, to))
			continue;
		way_consider(best, (struct route_way){net_iface_by_index(r->iface),
						      r->has_gateway ? r->gateway : *to, r->prefix,
						      r->metric, r});
		return;
	}
}

/* Context: in an epoch. */
static struct route_way best_way(const struct route_table *t, const struct inet_addr *to, u32 bound_if)
{
	bool v4 = inet_is_v4(to);
	const struct route_gateway *g = v4 ? &t->gateway_v4 : &t->gateway_v6;
	struct route_way best = {0};

	for (u32 i = 0; i < t->nr; i++) {
		const struct route_entry *e = &t->entries[i];

		if (e->up && e->iface != t->lo && (!bound_if || e->iface->index == bound_if) &&
		    net_in_network(&e->a, to))
			way_consider(&best, (struct route_way){e->iface, *to, e->a.prefix,
							       v4 ? 0 : NET_METRIC_V6_NETWORK, NULL});
	}
	if (g->iface && (!bound_if || g->iface->index == bound_if))
		way_consider(&best, (struct route_way){g->iface, g->addr, 0,
						       v4 ? 0 : NET_METRIC_V6_GATEWAY, NULL});
	consider_statics(t, to, bound_if, &best);
	return best;
}

bool net_next_hop(const struct inet_addr *to, struct net_iface **iface, struct inet_addr *hop)
{
	struct route_way w;

	epoch_enter();
	w = best_way(atomic_load_acquire(&routes), to, 0);
	epoch_exit();
	*iface = w.iface;
	*hop = w.hop;
	return w.iface;
}

int net_route_refuses(u8 type)
{
	switch (type) {
	case RTN_BLACKHOLE:
		return EINVAL;
	case RTN_UNREACHABLE:
		return EHOSTUNREACH;
	case RTN_PROHIBIT:
		return EACCES;
	default:
		return 0;
	}
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
	struct route_way w = best_way(t, to, bound_if);
	/* Who is bound to an interface may use its link without a route. */
	struct net_iface *i = bound_if ? net_iface_by_index(bound_if) : w.iface;

	if (w.set && net_route_refuses(w.set->type))
		return -net_route_refuses(w.set->type);
	/* A group on lo, which somebody has asked for: the source is the caller's to choose. */
	if (i == t->lo && i && inet_is_v4(to) && inet_is_multicast(to)) {
		*out = (struct net_route){i, inet_any_v4, true};
		return 0;
	}
	out->local = false;
	out->iface = i;
	if (!i || i == t->lo || !(atomic_load_relaxed(&i->flags) & IFF_UP) ||
	    !choose_source(t, i, w.iface ? &w.hop : to, &out->source))
		return -ENETUNREACH;
	if (w.set && w.set->has_source)
		out->source = w.set->source;
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
