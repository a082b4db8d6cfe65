/*
 * Changes of interfaces by programs; iface_config.h tells the rules.
 */
#include "kernel/net/iface_config.h"

#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/route.h"
#include "kernel/net/rtnetlink.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/mutex.h"

LOCK_CLASS(net_config, RANK_NET_CONFIG);

static struct mutex config = MUTEX_INIT(config, net_config_class);

/* Tells the interface's protocol. */
static void tell(struct net_iface *i)
{
	if (i->ops && i->ops->configured)
		i->ops->configured(i);
}

/* The end of a change of `i`: tells, and lets the next one in. */
static int finish(struct net_iface *i, int err)
{
	if (!err && i)
		tell(i);
	mutex_unlock(&config);
	return err;
}

static int scope_check(const struct net_iface_info *i, const struct net_address *a)
{
	for (u32 k = 0; k < i->nr_addrs; k++)
		if (inet_is_v4(&a->addr) && i->addrs[k].prefix == a->prefix &&
		    i->addrs[k].scope != a->scope && net_in_network(&i->addrs[k], &a->addr) &&
		    !inet_equal(&i->addrs[k].addr, &a->addr))
			return -EINVAL;
	return 0;
}

int net_config_add_address(u32 index, const struct net_address *a)
{
	struct net_iface *i = net_iface_by_index(index);
	struct net_iface_info info;
	int err = -ENODEV;

	mutex_lock(&config);
	if (i && net_iface_info(index, false, &info)) {
		err = scope_check(&info, a);
		if (!err)
			err = net_iface_add_address(i, a);
	}
	return finish(i, err);
}

int net_config_del_address(u32 index, const struct inet_addr *a, u32 prefix)
{
	struct net_iface *i = net_iface_by_index(index);
	struct net_iface_info info;
	int err = -ENODEV;

	mutex_lock(&config);
	if (i && net_iface_info(index, false, &info)) {
		err = -EADDRNOTAVAIL;
		for (u32 k = 0; k < info.nr_addrs; k++)
			if (inet_equal(&info.addrs[k].addr, a) &&
			    (prefix == ~0U || info.addrs[k].prefix == prefix))
				err = 0;
		if (!err)
			err = net_iface_del_address(i, a);
	}
	return finish(i, err);
}

int net_config_replace_address(u32 index, const struct inet_addr *old, const struct net_address *a)
{
	struct net_iface *i = net_iface_by_index(index);
	int err = -ENODEV;

	mutex_lock(&config);
	if (i) {
		if (old)
			net_iface_del_address(i, old);
		err = net_iface_add_address(i, a);
	}
	return finish(i, err);
}

/* ---- default routes ---- */

static const struct inet_addr *gateway_of(const struct net_iface_info *i, bool v4)
{
	return v4 ? &i->gateway_v4 : &i->gateway_v6;
}

/* The interface that has the default route; false: there is none. */
static bool find_gateway(bool v4, u32 wanted, struct net_iface_info *out)
{
	for (u32 at = 0; net_iface_info(at, true, out); at = out->index)
		if (!inet_is_any(gateway_of(out, v4)) && (!wanted || wanted == out->index))
			return true;
	return false;
}

static bool on_link(const struct net_iface_info *i, const struct inet_addr *gateway)
{
	for (u32 k = 0; k < i->nr_addrs; k++)
		if (net_in_network(&i->addrs[k], gateway))
			return !(i->flags & IFF_LOOPBACK);
	/* Link-local neighbours are on every link. */
	return !inet_is_v4(gateway) && gateway->b[0] == 0xfe && (gateway->b[1] & 0xc0) == 0x80 &&
	       !(i->flags & IFF_LOOPBACK);
}

/* The interface over which a gateway is reached. */
static int gateway_iface(const struct net_gateway *g, struct net_iface_info *out)
{
	if (g->iface) {
		if (!net_iface_info(g->iface, false, out))
			return -ENODEV;
		if (!(out->flags & IFF_UP))
			return -ENETDOWN;
		return on_link(out, &g->addr) ? 0 : -ENETUNREACH;
	}
	for (u32 at = 0; net_iface_info(at, true, out); at = out->index)
		if ((out->flags & IFF_UP) && on_link(out, &g->addr))
			return 0;
	return -ENETUNREACH;
}

/* Context: config held. */
static void set_gateway(struct net_iface *i, const struct inet_addr *addr, u8 protocol)
{
	atomic_store_relaxed(&i->gateway_protocol[!inet_is_v4(addr)], protocol);
	net_iface_set_gateway(i, addr);
}

int net_config_add_gateway(const struct net_gateway *g, bool replace)
{
	bool v4 = inet_is_v4(&g->addr);
	struct net_iface *i = NULL, *other = NULL;
	struct net_iface_info to, old;
	int err;

	mutex_lock(&config);
	err = gateway_iface(g, &to);
	if (!err && find_gateway(v4, 0, &old)) {
		err = replace ? 0 : -EEXIST;
		if (old.index != to.index)
			other = net_iface_by_index(old.index);
	}
	if (!err) {
		i = net_iface_by_index(to.index);
		if (other) {
			net_iface_set_gateway(other, v4 ? &inet_any_v4 : &inet_any_v6);
			tell(other);
		}
		set_gateway(i, &g->addr, g->protocol);
	}
	return finish(i, err);
}

int net_config_del_gateway(bool v4, const struct net_gateway *g)
{
	struct net_iface *i = NULL;
	struct net_iface_info info;
	int err = -ESRCH;

	mutex_lock(&config);
	if (find_gateway(v4, g->iface, &info) &&
	    (inet_is_any(&g->addr) || inet_equal(&g->addr, gateway_of(&info, v4)))) {
		i = net_iface_by_index(info.index);
		net_iface_set_gateway(i, v4 ? &inet_any_v4 : &inet_any_v6);
		err = 0;
	}
	return finish(i, err);
}

/* ---- other routes ---- */

/* The route's interface and that it can be used. */
static int route_way(struct net_route_info *r)
{
	struct net_gateway g = {.addr = r->gateway, .iface = r->iface};
	struct net_iface_info info;
	int err = 0;

	if (net_route_refuses(r->type)) {
		r->iface = 0;
		r->has_gateway = false;
		return 0;
	}
	if (r->has_gateway)
		err = gateway_iface(&g, &info);
	else if (!net_iface_info(r->iface, false, &info))
		err = -ENODEV;
	else if (!(info.flags & IFF_UP))
		err = -ENETDOWN;
	if (err)
		return err;
	r->iface = info.index;
	return info.flags & IFF_LOOPBACK ? -EOPNOTSUPP : 0;
}

/* One that follows from an address has the destination and metric of `r`. */
static bool route_is_there(const struct net_route_info *r)
{
	struct net_route_list *l = net_routes();
	bool found = false;

	for (u32 i = 0; l && i < l->nr && !found; i++) {
		const struct net_route_info *o = &l->routes[i];

		found = o->protocol == RTPROT_KERNEL && o->table == RT_TABLE_MAIN &&
			o->prefix == r->prefix && o->metric == r->metric &&
			inet_equal(&o->dst, &r->dst);
	}
	kfree(l);
	return found;
}

int net_config_add_route(struct net_route_info *r, u32 flags)
{
	struct net_iface *i = NULL;
	int err;

	mutex_lock(&config);
	err = route_way(r);
	if (!err && r->has_source && !net_is_local(&r->source))
		err = -EINVAL;
	if (!err && route_is_there(r))
		err = -EEXIST;
	if (!err)
		err = net_iface_add_route(r, flags);
	if (!err)
		i = net_iface_by_index(r->iface);
	return finish(i, err);
}

int net_config_del_route(const struct net_route_match *m)
{
	int err;

	mutex_lock(&config);
	err = net_iface_del_route(m);
	for (u32 at = 1; !err && net_iface_by_index(at); at++)
		tell(net_iface_by_index(at));
	return finish(NULL, err);
}

/* ---- flags, MTU ---- */

int net_config_flags(u32 index, u32 flags, u32 mask)
{
	struct net_iface *i = net_iface_by_index(index);
	u32 was, wanted;
	int err = -ENODEV;

	mutex_lock(&config);
	if (i) {
		was = atomic_load_relaxed(&i->flags);
		wanted = (was & ~mask) | (flags & mask);
		/* What the interface is, and whether it has carrier, are not a program's to set. */
		wanted = (wanted & ~NET_IFF_FIXED) | (was & NET_IFF_FIXED);
		err = (wanted ^ was) & ~(u32)IFF_UP ? -EOPNOTSUPP : 0;
		if (!err && wanted != was)
			net_iface_set_flags(i, wanted, IFF_UP);
	}
	return finish(i, err);
}

int net_config_mtu(u32 index, u32 mtu)
{
	struct net_iface *i = net_iface_by_index(index);
	int err = -ENODEV;

	mutex_lock(&config);
	if (i) {
		err = 0;
		if ((s32)mtu < 0 || mtu < i->min_mtu)
			err = -EINVAL;
		else if (i->max_mtu && mtu > i->max_mtu)
			err = -ERANGE;
		else if (mtu != atomic_load_relaxed(&i->mtu)) {
			atomic_store_relaxed(&i->mtu, mtu);
			rtnetlink_link(i, 0);
		}
	}
	return finish(i, err);
}
