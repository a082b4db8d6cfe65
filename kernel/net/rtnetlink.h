/*
 * NETLINK_ROUTE: interfaces, addresses, routes, rules and neighbours as messages. rtnetlink.c takes the
 * requests, rt_*.c each know one kind.
 */
#ifndef KERNEL_NET_RTNETLINK_H
#define KERNEL_NET_RTNETLINK_H

#include "kernel/net/iface.h"
#include "kernel/net/netlink.h"

struct net_route_info;

/*
 * Events, told to the groups. Context: no lock of the interfaces held; do not sleep. rtnetlink_address()
 * tells of the routes that come and go with the address, too.
 */
void rtnetlink_link(struct net_iface *i, u32 changed);
void rtnetlink_address(struct net_iface *i, const struct net_address *a, bool added);
void rtnetlink_route(const struct net_route_info *r, bool added);
void rtnetlink_gateway(struct net_iface *i, const struct inet_addr *gateway, bool added);

/* ---- between the files of rtnetlink ---- */

/* Who a message is for: a request, a dump, or nobody (zeros). */
struct rt_to {
	u32 portid, seq;
	u16 flags;
};
static inline struct rt_to rt_to_dump(const struct nl_dump *d)
{
	return (struct rt_to){d->portid, d->seq, d->flags};
}
static inline struct rt_to rt_to_request(const struct nl_request *r)
{
	return (struct rt_to){r->portid, r->head->nlmsg_seq, 0};
}

/* The family of a request: the first byte of every body. */
static inline u8 rt_family(const struct nl_request *r)
{
	return r->body[0];
}
/* An address from an attribute of `family`: 0, or -ERANGE with a wrong length. Absent: any. */
int rt_get_addr(struct nl_request *r, const struct nl_attrs *a, u32 type, u8 family,
		struct inet_addr *out);
void rt_put_addr(struct nl_buf *b, u16 type, const struct inet_addr *a);
static inline u8 rt_family_of(const struct inet_addr *a)
{
	return inet_is_v4(a) ? AF_INET : AF_INET6;
}

int rt_get_link(struct nl_request *r);
int rt_dump_links(struct nl_request *r);
int rt_set_link(struct nl_request *r);
int rt_del_link(struct nl_request *r);
int rt_dump_addrs(struct nl_request *r);
int rt_new_addr(struct nl_request *r);
int rt_del_addr(struct nl_request *r);
int rt_get_route(struct nl_request *r);
int rt_dump_routes(struct nl_request *r);
int rt_new_route(struct nl_request *r);
int rt_del_route(struct nl_request *r);
int rt_put_route(struct nl_buf *b, u16 type, struct rt_to to, const struct net_route_info *r);
int rt_put_link(struct nl_buf *b, u16 type, struct rt_to to, const struct net_iface_info *i,
		u32 ext_mask, u32 changed);
int rt_put_address(struct nl_buf *b, u16 type, struct rt_to to, const struct net_iface_info *i,
		   const struct net_address *a);

#endif
