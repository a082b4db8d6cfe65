/*
 * Routes as programs see them, and the snapshot that the choice of an interface reads (net_iface_for()
 * in iface.h).
 */
#ifndef KERNEL_NET_ROUTE_H
#define KERNEL_NET_ROUTE_H

#include "kernel/net/iface.h"

#define NET_METRIC_V6_NETWORK 256U
#define NET_METRIC_V6_GATEWAY 1024U

struct net_route_info {
	struct inet_addr dst;	  /* IPv4 or IPv6: the family */
	struct inet_addr gateway; /* has_gateway */
	struct inet_addr source;  /* has_source: RTA_PREFSRC */
	bool has_gateway, has_source;
	u32 prefix; /* bits of the family's own length */
	u32 iface;  /* index; 0: none, the route refuses */
	u32 metric;
	u8 table, protocol, scope, type; /* RT_TABLE_*, RTPROT_*, RT_SCOPE_*, RTN_* */
};

/* Routes that programs set, beside interfaces' gateways. */
#define NET_STATICS_MAX 64U
/* An address has four routes at most, an interface three beside. */
#define NET_ROUTES_MAX (NET_IFACES_MAX * (4 * NET_IFACE_ADDRS_MAX + 3) + NET_STATICS_MAX)

struct net_route_list {
	u32 nr;
	struct net_route_info routes[NET_ROUTES_MAX];
};

/* All routes in the order of Linux's dumps; kfree() is due. NULL: no memory. */
struct net_route_list *net_routes(void);
/*
 * Those that come and go with one address, in the order in which Linux tells that they come. If `i` is down:
 * those that say what is local.
 */
void net_address_routes(const struct net_iface_info *i, const struct net_address *a,
			void (*fn)(const struct net_route_info *r, void *arg), void *arg);
/* The next host on the way to `to`, which is not local: the interface and the host's address, `to` itself on the link. False: no route. Lock-free. */
bool net_next_hop(const struct inet_addr *to, struct net_iface **iface, struct inet_addr *hop);
/* The errno, positive, with which a route of that type refuses; 0: it does not. */
int net_route_refuses(u8 type);
/* The network that `a` is in, `prefix` bits of its family's length: the address with the rest zero. */
struct inet_addr net_network_of(const struct inet_addr *a, u32 prefix);
/* The default route by `gateway`. */
struct net_route_info net_gateway_route(const struct net_iface_info *i,
					const struct inet_addr *gateway);

/* True if `a` is in the network of `n`. */
bool net_in_network(const struct net_address *n, const struct inet_addr *a);
/* Of `nr` addresses of an interface the first that is not secondary and has the network of `a`: who sends from there. NULL: none. */
const struct net_address *net_primary_of(const struct net_address *addrs, u32 nr,
					 const struct net_address *a);
/* The last address of an IPv4 network. */
struct inet_addr net_broadcast_of(const struct net_address *n);

/* ---- routes that programs set ---- */

/* How a route is added, as NLM_F_* say. */
#define NET_ROUTE_CREATE    1U /* if there is none of that destination and metric */
#define NET_ROUTE_EXCLUSIVE 2U /* only then */
#define NET_ROUTE_REPLACE   4U /* in place of the first one */
#define NET_ROUTE_APPEND    8U /* behind those there are; else in front of them */

/* Which route is meant: what is zero (scope: NOWHERE) may be anything, but dst and prefix. */
struct net_route_match {
	struct inet_addr dst, gateway, source;
	u32 prefix, iface, metric;
	u8 protocol, scope, type;
};

/*
 * Changes, told to who listens on netlink (iface.c). The route was checked. 0, -EEXIST, -ENOENT, -ESRCH, -ENOBUFS.
 */
int net_iface_add_route(const struct net_route_info *r, u32 flags);
int net_iface_del_route(const struct net_route_match *m);
u32 net_iface_statics(struct net_route_info *out); /* a copy, as net_statics_copy() */

/* For iface.c and route.c, under the lock of the former. */
u32 net_statics_copy(struct net_route_info *out); /* room for NET_STATICS_MAX; how many there are */
/* *was: the one that was replaced; its prefix, interface and type are 0 if none was. */
int net_statics_add(const struct net_route_info *r, u32 flags, struct net_route_info *was);
int net_statics_remove(const struct net_route_match *m, struct net_route_info *was);
/* Removes one that goes over `iface`; false: there is none. */
bool net_statics_drop(u32 iface, struct net_route_info *was);

/*
 * For iface.c, under its lock: publishes the interfaces' addresses and gateways, and the routes that programs set.
 * 0, or -ENOBUFS: the old ones stay.
 */
int net_routes_rebuild(struct net_iface *const *ifaces, u32 nr_ifaces);

#endif
