/*
 * RTM_GETROUTE: one route, the list of them, and the one to a destination.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/route.h"
#include "kernel/net/rtnetlink.h"
#include "kernel/task/cred.h"

#define ROUTE_ATTRS 31U
#define REPLY_MAX   512U

/* ---- one route ---- */

static void put_v4_tail(struct nl_buf *b, const struct net_route_info *r)
{
	if (r->metric)
		nl_put_u32(b, RTA_PRIORITY, r->metric);
	if (r->has_source)
		rt_put_addr(b, RTA_PREFSRC, &r->source);
	if (r->has_gateway)
		rt_put_addr(b, RTA_GATEWAY, &r->gateway);
	if (r->iface)
		nl_put_u32(b, RTA_OIF, r->iface);
}

#define V6_REFUSES_OVER 1U /* lo, as Linux shows it */

static void put_v6_tail(struct nl_buf *b, const struct net_route_info *r)
{
	struct abi_rta_cacheinfo cache = {.rta_error = (u32)-net_route_refuses(r->type)};

	if (r->has_source)
		rt_put_addr(b, RTA_PREFSRC, &r->source);
	nl_put_u32(b, RTA_PRIORITY, r->metric);
	if (r->has_gateway)
		rt_put_addr(b, RTA_GATEWAY, &r->gateway);
	nl_put_u32(b, RTA_OIF, r->iface ? r->iface : V6_REFUSES_OVER);
	nl_put(b, RTA_CACHEINFO, &cache, sizeof(cache));
	nl_put_u8(b, RTA_PREF, 0);
}

int rt_put_route(struct nl_buf *b, u16 type, struct rt_to to, const struct net_route_info *r)
{
	struct abi_rtmsg head = {.rtm_family = rt_family_of(&r->dst),
				 .rtm_dst_len = (u8)r->prefix,
				 .rtm_table = r->table,
				 .rtm_protocol = r->protocol,
				 .rtm_scope = r->scope,
				 .rtm_type = r->type};

	nl_begin(b, type, to.flags, to.portid, to.seq, &head, sizeof(head));
	nl_put_u32(b, RTA_TABLE, r->table);
	if (r->prefix)
		rt_put_addr(b, RTA_DST, &r->dst);
	if (inet_is_v4(&r->dst))
		put_v4_tail(b, r);
	else
		put_v6_tail(b, r);
	return nl_end(b);
}

/* ---- dumps ---- */

enum { ARG_FAMILY, ARG_TABLE, ARG_OIF, ARG_PROTOCOL, ARG_TYPE };

static bool shown(const struct nl_dump *d, const struct net_route_info *r)
{
	return (!d->args[ARG_FAMILY] || d->args[ARG_FAMILY] == rt_family_of(&r->dst)) &&
	       (!d->args[ARG_TABLE] || d->args[ARG_TABLE] == r->table) &&
	       (!d->args[ARG_OIF] || d->args[ARG_OIF] == r->iface) &&
	       (!d->args[ARG_PROTOCOL] || d->args[ARG_PROTOCOL] == r->protocol) &&
	       (!d->args[ARG_TYPE] || d->args[ARG_TYPE] == r->type);
}

/* at[0]: routes done. */
static int fill_routes(struct nl_dump *d, struct nl_buf *b)
{
	struct net_route_list *l = net_routes();
	int err = 0;

	if (!l)
		return -ENOBUFS;
	for (; d->at[0] < l->nr; d->at[0]++) {
		const struct net_route_info *r = &l->routes[d->at[0]];

		if (shown(d, r) && rt_put_route(b, RTM_NEWROUTE, rt_to_dump(d), r)) {
			err = -EMSGSIZE;
			break;
		}
	}
	kfree(l);
	return err;
}

static int dump_filters(struct nl_request *r, const struct abi_rtmsg *h, struct nl_dump *d)
{
	const struct abi_nlattr *attrs[ROUTE_ATTRS];
	struct nl_attrs a = {attrs, ROUTE_ATTRS};
	int err;

	if (h->rtm_dst_len || h->rtm_src_len || h->rtm_tos)
		return nl_refuse(r, -EINVAL, "Invalid values in header for FIB dump request");
	nl_parse(r, sizeof(*h), &a);
	d->args[ARG_TABLE] = h->rtm_table;
	d->args[ARG_PROTOCOL] = h->rtm_protocol;
	d->args[ARG_TYPE] = h->rtm_type;
	err = nl_get_u32(r, &a, RTA_TABLE, &d->args[ARG_TABLE]);
	if (!err)
		err = nl_get_u32(r, &a, RTA_OIF, &d->args[ARG_OIF]);
	if (err)
		return err;
	if (d->args[ARG_OIF] && !net_iface_by_index(d->args[ARG_OIF]))
		return -ENODEV;
	if (d->args[ARG_TABLE] || d->args[ARG_OIF] || d->args[ARG_PROTOCOL] || d->args[ARG_TYPE])
		d->flags = NLM_F_DUMP_FILTERED;
	/* Linux makes a table when it is first used: the two are there, default's may be asked for. */
	if (d->args[ARG_TABLE] && d->args[ARG_TABLE] != RT_TABLE_MAIN &&
	    d->args[ARG_TABLE] != RT_TABLE_LOCAL)
		return h->rtm_family == AF_UNSPEC
			       ? 0
			       : nl_refuse(r, -ENOENT,
					   h->rtm_family == AF_INET
						   ? "ipv4: FIB table does not exist"
						   : "ipv6: FIB table does not exist");
	return 0;
}

int rt_dump_routes(struct nl_request *r)
{
	u8 family = rt_family(r);
	struct nl_dump d = {.fill = fill_routes};
	struct abi_rtmsg h;
	int err;

	if (family == AF_INET || family == AF_INET6)
		d.args[ARG_FAMILY] = family;
	if (r->len >= sizeof(h)) {
		memcpy(&h, r->body, sizeof(h));
		/* What was learnt on the way is asked for: there is nothing. */
		if (h.rtm_flags & RTM_F_CLONED)
			d.at[0] = NET_ROUTES_MAX;
		err = nl_strict(r) ? dump_filters(r, &h, &d) : 0;
		if (err)
			return err;
	} else if (nl_strict(r)) {
		return nl_refuse(r, -EINVAL, "Invalid header for FIB dump request");
	}
	return nl_dump_start(r, &d);
}

/* ---- the route to a destination ---- */

static u8 type_of(const struct inet_addr *to, const struct net_route *route)
{
	if (inet_is_multicast(to))
		return RTN_MULTICAST;
	if (net_is_broadcast(to))
		return RTN_BROADCAST;
	return route->local ? RTN_LOCAL : RTN_UNICAST;
}

/* Set in `info`: interface, source, gateway and what a dump would show of the route that fits. */
static void describe(const struct inet_addr *to, const struct net_route *route,
		     struct net_route_info *info)
{
	struct net_route_list *l = net_routes();
	bool v4 = inet_is_v4(to);
	const struct net_route_info *best = NULL;

	*info = (struct net_route_info){.dst = *to,
					.prefix = v4 ? 32 : 128,
					.iface = route->iface->index,
					.source = route->source,
					.has_source = true,
					.type = type_of(to, route),
					.table = route->local && !v4 ? RT_TABLE_LOCAL : RT_TABLE_MAIN,
					.protocol = RTPROT_KERNEL};
	for (u32 i = 0; l && i < l->nr && !route->local; i++) {
		const struct net_route_info *r = &l->routes[i];
		struct net_address n = {.addr = r->dst, .prefix = r->prefix};

		if (r->iface == info->iface && r->table == RT_TABLE_MAIN && net_in_network(&n, to) &&
		    (!best || r->prefix > best->prefix ||
		     (r->prefix == best->prefix && r->metric < best->metric)))
			best = r;
	}
	if (best) {
		info->metric = best->metric;
		info->protocol = best->protocol;
		info->gateway = best->gateway;
		info->has_gateway = best->has_gateway;
	}
	kfree(l);
}

static void put_v4_answer(struct nl_buf *b, struct rt_to to, const struct net_route_info *i)
{
	struct abi_rta_cacheinfo cache = {.rta_clntref = 1};
	struct abi_rtmsg head = {.rtm_family = AF_INET,
				 .rtm_dst_len = 32,
				 .rtm_table = RT_TABLE_MAIN,
				 .rtm_type = i->type,
				 .rtm_flags = RTM_F_CLONED};

	if (i->type == RTN_LOCAL)
		head.rtm_flags |= ABI_RTCF_LOCAL;
	if (i->type == RTN_BROADCAST)
		head.rtm_flags |= ABI_RTCF_BROADCAST | ABI_RTCF_LOCAL;
	if (i->type == RTN_MULTICAST)
		head.rtm_flags |= ABI_RTCF_MULTICAST;
	nl_begin(b, RTM_NEWROUTE, to.flags, to.portid, to.seq, &head, sizeof(head));
	nl_put_u32(b, RTA_TABLE, RT_TABLE_MAIN);
	rt_put_addr(b, RTA_DST, &i->dst);
	nl_put_u32(b, RTA_OIF, i->iface);
	rt_put_addr(b, RTA_PREFSRC, &i->source);
	if (i->has_gateway)
		rt_put_addr(b, RTA_GATEWAY, &i->gateway);
	nl_put_u32(b, RTA_UID, cred_current()->uid);
	nl_put(b, RTA_CACHEINFO, &cache, sizeof(cache));
}

static void put_v6_answer(struct nl_buf *b, struct rt_to to, const struct net_route_info *i)
{
	struct abi_rtmsg head = {.rtm_family = AF_INET6,
				 .rtm_dst_len = 128,
				 .rtm_src_len = 128,
				 .rtm_table = i->table,
				 .rtm_protocol = i->protocol,
				 .rtm_type = i->type};

	nl_begin(b, RTM_NEWROUTE, to.flags, to.portid, to.seq, &head, sizeof(head));
	nl_put_u32(b, RTA_TABLE, i->table);
	rt_put_addr(b, RTA_DST, &i->dst);
	rt_put_addr(b, RTA_SRC, &inet_any_v6);
	put_v6_tail(b, i);
}

/* What a question may say beside the destination. */
static bool answerable(u32 type)
{
	return type == RTA_DST || type == RTA_SRC || type == RTA_OIF || type == RTA_UID ||
	       type == RTA_IP_PROTO || type == RTA_SPORT || type == RTA_DPORT || type == RTA_MARK ||
	       type == RTA_TABLE;
}

static int route_question(struct nl_request *r, u8 family, struct inet_addr *to, u32 *oif)
{
	const struct abi_nlattr *attrs[ROUTE_ATTRS];
	struct nl_attrs a = {attrs, ROUTE_ATTRS};
	int err = nl_parse(r, sizeof(struct abi_rtmsg), &a);

	if (err)
		return nl_refuse(r, err, "Invalid header for get route request");
	for (u32 i = 0; i < ROUTE_ATTRS; i++) {
		if (!attrs[i] || answerable(i))
			continue;
		r->bad = attrs[i];
		return nl_refuse(r, -EOPNOTSUPP, "Attribute is not supported");
	}
	err = rt_get_addr(r, &a, RTA_DST, family, to);
	return err ? err : nl_get_u32(r, &a, RTA_OIF, oif);
}

int rt_get_route(struct nl_request *r)
{
	u8 family = rt_family(r);
	struct net_route_info info;
	struct net_route route;
	struct inet_addr to;
	struct nl_buf b;
	u32 oif = 0;
	int err;

	if (family != AF_INET && family != AF_INET6)
		return -EOPNOTSUPP;
	err = route_question(r, family, &to, &oif);
	if (!err && oif && !net_iface_by_index(oif))
		err = -ENODEV;
	if (!err && inet_is_any(&to))
		to = family == AF_INET ? inet_loopback_v4 : inet_loopback_v6;
	if (!err)
		err = net_iface_for(&to, oif, &route);
	if (!err)
		err = nl_buf_alloc(&b, REPLY_MAX);
	if (err)
		return err;
	describe(&to, &route, &info);
	if (family == AF_INET)
		put_v4_answer(&b, rt_to_request(r), &info);
	else
		put_v6_answer(&b, rt_to_request(r), &info);
	return nl_reply(r, &b, nl_end(&b));
}
