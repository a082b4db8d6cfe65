/*
 * RTM_NEWROUTE and RTM_DELROUTE. Of the main table only; a default route by a gateway is its interface's, all others are in the list of route_static.c.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/net/iface_config.h"
#include "kernel/net/route.h"
#include "kernel/net/rtnetlink.h"

#define ROUTE_ATTRS 31U

/* What a request says of a route. */
struct route_request {
	struct net_route_info r;
	bool v4;
};

static bool understood(u32 type)
{
	return type == RTA_TABLE || type == RTA_OIF || type == RTA_PRIORITY ||
	       type == RTA_GATEWAY || type == RTA_DST || type == RTA_PREFSRC || type == RTA_PREF;
}

static int parse_attrs(struct nl_request *r, struct nl_attrs *a, u8 family, u32 *table,
		       struct net_route_info *out)
{
	int err = nl_get_u32(r, a, RTA_TABLE, table);

	if (!err)
		err = nl_get_u32(r, a, RTA_OIF, &out->iface);
	if (!err)
		err = nl_get_u32(r, a, RTA_PRIORITY, &out->metric);
	if (!err)
		err = rt_get_addr(r, a, RTA_GATEWAY, family, &out->gateway);
	if (!err)
		err = rt_get_addr(r, a, RTA_DST, family, &out->dst);
	if (!err)
		err = rt_get_addr(r, a, RTA_PREFSRC, family, &out->source);
	out->has_gateway = !inet_is_any(&out->gateway);
	out->has_source = !inet_is_any(&out->source);
	return err;
}

static int check_destination(struct nl_request *r, bool v4, struct net_route_info *out)
{
	struct inet_addr network = net_network_of(&out->dst, out->prefix);

	if (v4 && !inet_equal(&network, &out->dst))
		return nl_refuse(r, -EINVAL, "Invalid prefix for given prefix length");
	out->dst = network;
	return 0;
}

static int route_parse(struct nl_request *r, struct route_request *q)
{
	const struct abi_nlattr *attrs[ROUTE_ATTRS];
	struct nl_attrs a = {attrs, ROUTE_ATTRS};
	struct abi_rtmsg h;
	u32 table;
	int err = nl_parse(r, sizeof(h), &a);

	if (err)
		return err;
	memcpy(&h, r->body, sizeof(h));
	if (h.rtm_family != AF_INET && h.rtm_family != AF_INET6)
		return -EOPNOTSUPP;
	q->v4 = h.rtm_family == AF_INET;
	if (h.rtm_dst_len > (q->v4 ? 32 : 128))
		return nl_refuse(r, -EINVAL, "Invalid prefix length");
	table = h.rtm_table;
	q->r = (struct net_route_info){.prefix = h.rtm_dst_len,
				       .protocol = h.rtm_protocol,
				       .scope = q->v4 ? h.rtm_scope : RT_SCOPE_UNIVERSE,
				       .type = h.rtm_type,
				       .table = RT_TABLE_MAIN};
	err = parse_attrs(r, &a, h.rtm_family, &table, &q->r);
	if (!err)
		err = check_destination(r, q->v4, &q->r);
	if (err)
		return err;
	for (u32 i = 0; i < ROUTE_ATTRS; i++)
		if (attrs[i] && !understood(i))
			return nl_refuse(r, -EOPNOTSUPP, "Attribute is not supported");
	return table && table != RT_TABLE_MAIN ? -ERANGE : 0;
}

/* A default route by a gateway, with the metric that it has by itself. */
static bool is_gateway(const struct route_request *q)
{
	const struct net_route_info *r = &q->r;

	return !r->prefix && (r->type == RTN_UNICAST || !r->type) && r->has_gateway &&
	       !r->has_source && (!r->metric || (!q->v4 && r->metric == NET_METRIC_V6_GATEWAY));
}

static int explain(struct nl_request *r, int err)
{
	if (err == -ENETUNREACH)
		return nl_refuse(r, err, "Nexthop has invalid gateway");
	if (err == -ENETDOWN)
		return nl_refuse(r, err, "Nexthop device is not up");
	return err;
}

static u32 add_flags(u16 flags)
{
	return (flags & NLM_F_CREATE ? NET_ROUTE_CREATE : 0) |
	       (flags & NLM_F_EXCL ? NET_ROUTE_EXCLUSIVE : 0) |
	       (flags & NLM_F_REPLACE ? NET_ROUTE_REPLACE : 0) |
	       (flags & NLM_F_APPEND ? NET_ROUTE_APPEND : 0);
}

static int add_gateway(struct nl_request *r, const struct route_request *q)
{
	u16 flags = r->head->nlmsg_flags;
	struct net_gateway g = {q->r.gateway, q->r.iface, q->r.protocol};

	if (!(flags & NLM_F_CREATE) && !(flags & NLM_F_REPLACE))
		return -ENOENT;
	return explain(r,
		       net_config_add_gateway(&g, (flags & NLM_F_REPLACE) && !(flags & NLM_F_EXCL)));
}

int rt_new_route(struct nl_request *r)
{
	struct route_request q;
	int err = route_parse(r, &q);

	if (err == -ERANGE && !r->why)
		return nl_refuse(r, -EOPNOTSUPP, "Only routes of the main table can be set");
	if (err)
		return err;
	if (q.r.iface && !net_iface_by_index(q.r.iface))
		return -ENODEV;
	if (is_gateway(&q))
		return add_gateway(r, &q);
	if (!q.v4 && !q.r.metric)
		q.r.metric = NET_METRIC_V6_GATEWAY;
	if (net_route_refuses(q.r.type) && q.v4 && (q.r.iface || q.r.has_gateway))
		return nl_refuse(
			r, -EINVAL,
			"Gateway, device and multipath can not be specified for this route type");
	if (!net_route_refuses(q.r.type) && q.r.type != RTN_UNICAST)
		return nl_refuse(r, -EOPNOTSUPP, "Routes of this type cannot be set");
	err = net_config_add_route(&q.r, add_flags(r->head->nlmsg_flags));
	if (err == -EOPNOTSUPP)
		return nl_refuse(r, err, "Routes over lo follow from its addresses");
	return explain(r, err);
}

int rt_del_route(struct nl_request *r)
{
	struct net_route_match m;
	struct route_request q;
	int err = route_parse(r, &q);

	if (err == -ERANGE && !r->why)
		return -ESRCH;
	if (err)
		return err;
	m = (struct net_route_match){.dst = q.r.dst,
				     .gateway = q.r.gateway,
				     .source = q.r.source,
				     .prefix = q.r.prefix,
				     .iface = q.v4 || !net_route_refuses(q.r.type) ? q.r.iface : 0,
				     .metric = q.r.metric,
				     .protocol = q.r.protocol,
				     .scope = q.v4 ? q.r.scope : RT_SCOPE_NOWHERE,
				     .type = q.r.type};
	err = net_config_del_route(&m);
	if (err == -ESRCH && !q.r.prefix && !q.r.has_source &&
	    (!q.r.metric || (!q.v4 && q.r.metric == NET_METRIC_V6_GATEWAY)))
		err = net_config_del_gateway(q.v4, &(struct net_gateway){q.r.gateway, q.r.iface, 0});
	return err;
}
