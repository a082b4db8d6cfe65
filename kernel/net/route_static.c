/*
 * Routes that programs set, but for the default ones by a gateway, which are the interfaces' own: a short list, the longest prefix first, of equal ones
 * the lowest metric. Who chooses a route reads the snapshot's copy (route.c), so this is touched by changes and lists only.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/net/route.h"

static struct net_route_info statics[NET_STATICS_MAX]; /* [L:lock of iface.c] */
static u32 nr_statics;				       /* [L:lock of iface.c] */

u32 net_statics_copy(struct net_route_info *out)
{
	memcpy(out, statics, nr_statics * sizeof(statics[0]));
	return nr_statics;
}

/* Linux's key of a route: of two with the same one the later needs leave. */
static bool same_key(const struct net_route_info *a, const struct net_route_info *b)
{
	return a->prefix == b->prefix && a->metric == b->metric && inet_equal(&a->dst, &b->dst);
}

static bool same_hop(const struct net_route_info *a, const struct net_route_info *b)
{
	return a->type == b->type && a->scope == b->scope && a->iface == b->iface &&
	       a->protocol == b->protocol && a->has_gateway == b->has_gateway &&
	       a->has_source == b->has_source && inet_equal(&a->gateway, &b->gateway) &&
	       inet_equal(&a->source, &b->source);
}

static bool goes_before(const struct net_route_info *a, const struct net_route_info *b, bool first)
{
	if (a->prefix != b->prefix)
		return a->prefix > b->prefix;
	return a->metric < b->metric || (first && a->metric == b->metric);
}

static void take_out(u32 at)
{
	nr_statics--;
	memmove(&statics[at], &statics[at + 1], (nr_statics - at) * sizeof(statics[0]));
}

static int put_in(const struct net_route_info *r, bool first)
{
	u32 at = 0;

	if (nr_statics == NET_STATICS_MAX)
		return -ENOBUFS;
	while (at < nr_statics && !goes_before(r, &statics[at], first))
		at++;
	memmove(&statics[at + 1], &statics[at], (nr_statics - at) * sizeof(statics[0]));
	statics[at] = *r;
	nr_statics++;
	return 0;
}

int net_statics_add(const struct net_route_info *r, u32 flags, struct net_route_info *was)
{
	u32 first = NET_STATICS_MAX, same = NET_STATICS_MAX;

	for (u32 i = nr_statics; i-- > 0;) {
		if (!same_key(&statics[i], r))
			continue;
		first = i;
		if (same_hop(&statics[i], r))
			same = i;
	}
	*was = (struct net_route_info){0};
	if (first == NET_STATICS_MAX)
		return flags & NET_ROUTE_CREATE ? put_in(r, false) : -ENOENT;
	if (flags & NET_ROUTE_EXCLUSIVE)
		return -EEXIST;
	if (same != NET_STATICS_MAX)
		return (flags & NET_ROUTE_REPLACE) && same == first ? 0 : -EEXIST;
	if (!(flags & NET_ROUTE_REPLACE))
		return put_in(r, !(flags & NET_ROUTE_APPEND));
	*was = statics[first];
	statics[first] = *r;
	return 0;
}

static bool fits(const struct net_route_info *r, const struct net_route_match *m)
{
	return r->prefix == m->prefix && inet_equal(&r->dst, &m->dst) &&
	       (!m->type || m->type == r->type) && (!m->protocol || m->protocol == r->protocol) &&
	       (m->scope == RT_SCOPE_NOWHERE || m->scope == r->scope) &&
	       (!m->metric || m->metric == r->metric) && (!m->iface || m->iface == r->iface) &&
	       (inet_is_any(&m->gateway) || inet_equal(&m->gateway, &r->gateway)) &&
	       (inet_is_any(&m->source) || inet_equal(&m->source, &r->source));
}

int net_statics_remove(const struct net_route_match *m, struct net_route_info *was)
{
	for (u32 i = 0; i < nr_statics; i++) {
		if (!fits(&statics[i], m))
			continue;
		*was = statics[i];
		take_out(i);
		return 0;
	}
	return -ESRCH;
}

bool net_statics_drop(u32 iface, struct net_route_info *was)
{
	for (u32 i = 0; i < nr_statics; i++) {
		if (statics[i].iface != iface)
			continue;
		*was = statics[i];
		take_out(i);
		return true;
	}
	return false;
}
