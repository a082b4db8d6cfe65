/*
 * What programs change at interfaces, by netlink and by ioctl. One change at a time, under a sleeping
 * lock, so that an interface's protocol hears of them in their order (ops->configured). The caller has
 * checked CAP_NET_ADMIN.
 */
#ifndef KERNEL_NET_IFACE_CONFIG_H
#define KERNEL_NET_IFACE_CONFIG_H

#include "kernel/net/iface.h"

/* 0, -ENODEV, -EEXIST, -EINVAL (another scope in the same network), -ENOBUFS. */
int net_config_add_address(u32 index, const struct net_address *a);
/* An address, with `prefix` bits if that is not ~0: 0, -ENODEV, -EADDRNOTAVAIL. */
int net_config_del_address(u32 index, const struct inet_addr *a, u32 prefix);
/*
 * SIOCSIFADDR and its like: the first IPv4 address becomes `a`, whose fields are all filled. 0,
 * -ENODEV, -ENOBUFS.
 */
int net_config_replace_address(u32 index, const struct inet_addr *old, const struct net_address *a);

/* A default route. */
struct net_gateway {
	struct inet_addr addr; /* del: any: whichever it is */
	u32 iface;	       /* 0: the interface in whose network it is; del: any */
	u8 protocol;	       /* RTPROT_* */
};
/*
 * 0; -EEXIST: there is one, and not `replace`; -ENETUNREACH: it is in no interface's network; -ENODEV; -ENETDOWN.
 */
int net_config_add_gateway(const struct net_gateway *g, bool replace);
int net_config_del_gateway(bool v4, const struct net_gateway *g); /* 0, -ESRCH */

struct net_route_info;
struct net_route_match;

/*
 * Another route, checked but for its way; `flags`: NET_ROUTE_*. 0; -EEXIST; -ENOENT; -ENODEV: no way; -ENETUNREACH, -ENETDOWN as above; -EINVAL: the source
 * is not this host's; -EOPNOTSUPP: over lo; -ENOBUFS.
 */
int net_config_add_route(struct net_route_info *r, u32 flags);
int net_config_del_route(const struct net_route_match *m); /* 0, -ESRCH */

/* Flags that say what an interface is: programs' wishes for them are not looked at, as on Linux. */
#define NET_IFF_FIXED                                                                              \
	(u32)(IFF_BROADCAST | IFF_LOOPBACK | IFF_POINTOPOINT | IFF_RUNNING | IFF_LOWER_UP)

/* Changes the flags of `mask`: IFF_UP; the others must stay as they are. 0, -ENODEV, -EOPNOTSUPP. */
int net_config_flags(u32 index, u32 flags, u32 mask);
/* 0; -ENODEV; -EINVAL: too small; -ERANGE: too large. */
int net_config_mtu(u32 index, u32 mtu);

#endif
