/*
 * NETLINK_ROUTE: which function answers which request, the rules, the neighbours, and the events.
 */
#include "kernel/net/rtnetlink.h"

#include <string.h>

#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/net/route.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/mutex.h"
#include "kernel/task/cred.h"

#define EVENT_MAX 2048U

LOCK_CLASS(netlink_echo, RANK_NETLINK_ECHO);

/* ---- addresses in attributes ---- */

int rt_get_addr(struct nl_request *r, const struct nl_attrs *a, u32 type, u8 family,
		struct inet_addr *out)
{
	const struct abi_nlattr *at = a->at[type];
	u32 len = family == AF_INET ? 4 : 16, v4;

	*out = family == AF_INET ? inet_any_v4 : inet_any_v6;
	if (!at)
		return 0;
	if (nl_data_len(at) < len) {
		r->bad = at;
		return nl_refuse(r, -ERANGE, "Attribute failed policy validation");
	}
	if (family == AF_INET) {
		memcpy(&v4, nl_data(at), sizeof(v4));
		*out = inet_addr_v4(v4);
	} else {
		memcpy(out->b, nl_data(at), sizeof(out->b));
	}
	return 0;
}

void rt_put_addr(struct nl_buf *b, u16 type, const struct inet_addr *a)
{
	if (inet_is_v4(a))
		nl_put(b, type, &a->w[3], sizeof(a->w[3]));
	else
		nl_put(b, type, a->b, sizeof(a->b));
}

/* ---- rules: the three that always are there ---- */

static const struct {
	u8 table;
	u32 priority;
	u32 families; /* 1: IPv4 only */
} rules[] = {{RT_TABLE_LOCAL, 0, 2}, {RT_TABLE_MAIN, 32766, 2}, {RT_TABLE_DEFAULT, 32767, 1}};

static int put_rule(struct nl_buf *b, struct rt_to to, u8 family, u32 rule)
{
	struct abi_rtmsg head = {
		.rtm_family = family, .rtm_table = rules[rule].table, .rtm_type = FR_ACT_TO_TBL};

	nl_begin(b, RTM_NEWRULE, to.flags, to.portid, to.seq, &head, sizeof(head));
	nl_put_u32(b, FRA_TABLE, rules[rule].table);
	nl_put_u32(b, FRA_SUPPRESS_PREFIXLEN, ~0U);
	nl_put_u8(b, FRA_PROTOCOL, RTPROT_KERNEL);
	if (rules[rule].priority)
		nl_put_u32(b, FRA_PRIORITY, rules[rule].priority);
	return nl_end(b);
}

/* args[0]: the family; at[0]: families done, at[1]: rules done. */
static int fill_rules(struct nl_dump *d, struct nl_buf *b)
{
	static const u8 families[] = {AF_INET, AF_INET6};

	for (; d->at[0] < ARRAY_SIZE(families); d->at[0]++, d->at[1] = 0) {
		u8 family = families[d->at[0]];

		if (d->args[0] && d->args[0] != family)
			continue;
		for (; d->at[1] < ARRAY_SIZE(rules); d->at[1]++) {
			if (d->at[0] < rules[d->at[1]].families &&
			    put_rule(b, rt_to_dump(d), family, d->at[1]))
				return -EMSGSIZE;
		}
	}
	return 0;
}

static int dump_rules(struct nl_request *r)
{
	struct nl_dump d = {.fill = fill_rules, .args = {rt_family(r)}};

	if (rt_family(r) && rt_family(r) != AF_INET && rt_family(r) != AF_INET6)
		return -EAFNOSUPPORT;
	return nl_dump_start(r, &d);
}

/* ---- neighbours: the tables are the interfaces' ---- */

static int put_neighbour(struct nl_buf *b, struct rt_to to, u32 index, const struct net_neighbour *n)
{
	struct abi_ndmsg head = {.ndm_family = rt_family_of(&n->addr),
				 .ndm_ifindex = (s32)index,
				 .ndm_state = n->state,
				 .ndm_type = RTN_UNICAST};
	struct abi_nda_cacheinfo cache = {.ndm_refcnt = 1};

	nl_begin(b, RTM_NEWNEIGH, to.flags, to.portid, to.seq, &head, sizeof(head));
	rt_put_addr(b, NDA_DST, &n->addr);
	if (n->state != NUD_INCOMPLETE)
		nl_put(b, NDA_LLADDR, n->hwaddr, sizeof(n->hwaddr));
	nl_put_u32(b, NDA_PROBES, 0);
	nl_put(b, NDA_CACHEINFO, &cache, sizeof(cache));
	return nl_end(b);
}

/* args[0]: family, args[1]: interface; at[0]: interfaces done, at[1]: entries done. */
static int fill_neighbours(struct nl_dump *d, struct nl_buf *b)
{
	struct net_iface *i;
	struct net_neighbour n;

	for (; (i = net_iface_by_index(d->at[0] + 1)); d->at[0]++, d->at[1] = 0) {
		if ((d->args[1] && d->args[1] != i->index) || !i->ops || !i->ops->neighbour)
			continue;
		for (; i->ops->neighbour(i, d->at[1], &n); d->at[1]++)
			if ((!d->args[0] || d->args[0] == rt_family_of(&n.addr)) &&
			    put_neighbour(b, rt_to_dump(d), i->index, &n))
				return -EMSGSIZE;
	}
	return 0;
}

static int dump_neighbours(struct nl_request *r)
{
	const struct abi_nlattr *attrs[16];
	struct nl_attrs a = {attrs, ARRAY_SIZE(attrs)};
	struct nl_dump d = {.fill = fill_neighbours, .args = {rt_family(r)}};
	struct abi_ndmsg head;
	int err;

	if (r->len >= sizeof(head)) {
		memcpy(&head, r->body, sizeof(head));
		nl_parse(r, sizeof(head), &a);
		err = nl_get_u32(r, &a, NDA_IFINDEX, &d.args[1]);
		if (err)
			return err;
		/* Entries that answer for others: there are none. */
		if (head.ndm_flags & NTF_PROXY)
			d.at[0] = NET_IFACES_MAX;
	} else if (nl_strict(r)) {
		return nl_refuse(r, -EINVAL, "Invalid header for neighbor dump request");
	}
	return nl_dump_start(r, &d);
}

/* ---- requests ---- */

static const struct {
	int (*run)(struct nl_request *r);
	int (*dump)(struct nl_request *r); /* with NLM_F_DUMP */
} requests[] = {
	[RTM_NEWLINK - RTM_BASE] = {.run = rt_set_link},
	[RTM_DELLINK - RTM_BASE] = {.run = rt_del_link},
	[RTM_GETLINK - RTM_BASE] = {.run = rt_get_link, .dump = rt_dump_links},
	[RTM_SETLINK - RTM_BASE] = {.run = rt_set_link},
	[RTM_NEWADDR - RTM_BASE] = {.run = rt_new_addr},
	[RTM_DELADDR - RTM_BASE] = {.run = rt_del_addr},
	[RTM_GETADDR - RTM_BASE] = {.dump = rt_dump_addrs},
	[RTM_NEWROUTE - RTM_BASE] = {.run = rt_new_route},
	[RTM_DELROUTE - RTM_BASE] = {.run = rt_del_route},
	[RTM_GETROUTE - RTM_BASE] = {.run = rt_get_route, .dump = rt_dump_routes},
	[RTM_GETNEIGH - RTM_BASE] = {.dump = dump_neighbours},
	[RTM_GETRULE - RTM_BASE] = {.dump = dump_rules},
};

/* ---- NLM_F_ECHO ---- */

/*
 * The request that is being carried out and wants to hear of what it changes, beside those who have subscribed. Events are told deep inside of a change, in
 * the thread that makes it: so they know whether they are meant. As on Linux: IPv4 addresses, and routes that are set.
 */
static struct {
	struct mutex lock;
	struct thread *thread;	    /* [a] who carries it out; NULL: nobody */
	struct nl_request *request; /* [that thread] */
} echo = {.lock = MUTEX_INIT(echo.lock, netlink_echo_class)};

static int run_echoed(struct nl_request *r, int (*fn)(struct nl_request *r))
{
	int err;

	mutex_lock(&echo.lock);
	echo.request = r;
	atomic_store_relaxed(&echo.thread, thread_current());
	err = fn(r);
	atomic_store_relaxed(&echo.thread, NULL);
	mutex_unlock(&echo.lock);
	return err;
}

/* The request that the running thread carries out with NLM_F_ECHO, or NULL. */
static struct nl_request *echo_wanted(void)
{
	return atomic_load_relaxed(&echo.thread) == thread_current() ? echo.request : NULL;
}

/* Requests come in fours: new, delete, get, set. */
static int route_request(struct nl_request *r)
{
	u32 kind = r->head->nlmsg_type - RTM_BASE;
	bool get = kind % 4 == 2, dump = get && (r->head->nlmsg_flags & NLM_F_DUMP);
	int (*fn)(struct nl_request *) = NULL;
	int err;

	if (r->head->nlmsg_type > ABI_RTM_MAX)
		return -EOPNOTSUPP;
	if (r->len < 1)
		return 0;
	if (!get && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (kind < ARRAY_SIZE(requests))
		fn = dump ? requests[kind].dump : requests[kind].run;
	if (fn && !get && (r->head->nlmsg_flags & NLM_F_ECHO))
		return run_echoed(r, fn);
	err = fn ? fn(r) : -EOPNOTSUPP;
	return dump && fn && err < 0 && err != -EBUSY ? nl_dump_fail(r, err) : err;
}

const struct nl_protocol nl_route = {
	.number = NETLINK_ROUTE, .groups = ABI_RTNLGRP_MAX, .request = route_request};

/* ---- events ---- */

/* `r`: who is told beside the subscribers, or NULL. */
static bool event_begin(struct nl_buf *b, const struct nl_request *r)
{
	return (r || netlink_has_subscribers()) && !nl_buf_alloc(b, EVENT_MAX);
}

static struct rt_to event_to(const struct nl_request *r)
{
	return r ? rt_to_request(r) : (struct rt_to){0};
}

static void event_send(struct nl_buf *b, u32 group, int err, struct nl_request *r)
{
	if (!err) {
		netlink_broadcast(NETLINK_ROUTE, group, b, 0, r ? r->portid : 0);
		if (r)
			netlink_deliver(r->from, b->data, b->len, 0, 0);
	}
	b->len = 0;
}

void rtnetlink_link(struct net_iface *i, u32 changed)
{
	struct net_iface_info info;
	struct nl_buf b;

	if (!net_iface_info(i->index, false, &info) || !event_begin(&b, NULL))
		return;
	event_send(&b, RTNLGRP_LINK,
		   rt_put_link(&b, RTM_NEWLINK, (struct rt_to){0}, &info, 0, changed), NULL);
	nl_buf_free(&b);
}

struct route_event {
	struct nl_buf *b;
	struct nl_request *echo; /* or NULL */
	bool added;
	u32 nr;
	struct net_route_info last; /* taken away: the address's own route goes last */
};

static void tell_route(const struct net_route_info *r, void *arg)
{
	struct route_event *e = arg;

	if (!e->added && e->nr++ == 0) {
		e->last = *r;
		return;
	}
	event_send(e->b, inet_is_v4(&r->dst) ? RTNLGRP_IPV4_ROUTE : RTNLGRP_IPV6_ROUTE,
		   rt_put_route(e->b, e->added ? RTM_NEWROUTE : RTM_DELROUTE, event_to(e->echo), r),
		   e->echo);
}

static void tell_routes(struct nl_buf *b, const struct net_iface_info *i,
			const struct net_address *a, bool added)
{
	struct route_event e = {.b = b, .added = added};

	net_address_routes(i, a, tell_route, &e);
	if (e.nr)
		tell_route(&e.last, &e);
}

void rtnetlink_address(struct net_iface *i, const struct net_address *a, bool added)
{
	bool v4 = inet_is_v4(&a->addr);
	struct nl_request *wants = v4 ? echo_wanted() : NULL;
	struct net_iface_info info;
	struct nl_buf b;

	if (!net_iface_info(i->index, false, &info) || !event_begin(&b, wants))
		return;
	/* IPv6 takes the routes away first. */
	if (!v4 && !added)
		tell_routes(&b, &info, a, added);
	event_send(&b, v4 ? RTNLGRP_IPV4_IFADDR : RTNLGRP_IPV6_IFADDR,
		   rt_put_address(&b, added ? RTM_NEWADDR : RTM_DELADDR, event_to(wants), &info, a),
		   wants);
	if (v4 || added)
		tell_routes(&b, &info, a, added);
	nl_buf_free(&b);
}

void rtnetlink_route(const struct net_route_info *r, bool added)
{
	struct nl_buf b;
	struct route_event e = {.b = &b, .echo = echo_wanted(), .added = added, .nr = 1};

	if (!event_begin(&b, e.echo))
		return;
	tell_route(r, &e);
	nl_buf_free(&b);
}

void rtnetlink_gateway(struct net_iface *i, const struct inet_addr *gateway, bool added)
{
	struct net_iface_info info;
	struct net_route_info r;

	if (!net_iface_info(i->index, false, &info))
		return;
	r = net_gateway_route(&info, gateway);
	rtnetlink_route(&r, added);
}
