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
	u32 iface;  /* index */
	u32 metric;
	u8 table, protocol, scope, type; /* RT_TABLE_*, RTPROT_*, RT_SCOPE_*, RTN_* */
};

/* An address has four routes at most, an interface three beside. */
#define NET_ROUTES_MAX (NET_IFACES_MAX * (4 * NET_IFACE_ADDRS_MAX + 3))

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

/*
 * For iface.c, under its lock: publishes the interfaces' addresses and gateways.
 * 0, or -ENOBUFS: the old ones stay.
 */
int net_routes_rebuild(struct net_iface *const *ifaces, u32 nr_ifaces);

#endif
