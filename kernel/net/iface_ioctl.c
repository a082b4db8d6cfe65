/*
 * The ioctl requests that ask about interfaces and change them; any socket answers them.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/iface_config.h"
#include "kernel/net/route.h"
#include "kernel/task/cred.h"

static struct abi_sockaddr_in sockaddr_v4(u32 addr)
{
	return (struct abi_sockaddr_in){.sin_family = AF_INET, .sin_addr = {addr}};
}

static int get_address(u32 cmd, const struct net_iface_info *info, struct abi_ifreq *req)
{
	const struct net_address *a = net_iface_first_v4(info);
	u32 v = 0;

	if (!a)
		return -EADDRNOTAVAIL;
	if (cmd == SIOCGIFNETMASK)
		v = inet_v4_mask(a->prefix);
	else if (cmd == SIOCGIFBRDADDR)
		v = inet_is_any(&a->broadcast) ? 0 : a->broadcast.w[3];
	else
		v = a->addr.w[3];
	req->ifr_inet = sockaddr_v4(v);
	return 0;
}

static int answer(u32 cmd, const struct net_iface_info *info, struct abi_ifreq *req)
{
	memset(req->pad, 0, sizeof(req->pad));
	switch (cmd) {
	case SIOCGIFFLAGS:
		req->ifr_flags = (s16)info->flags;
		return 0;
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFNETMASK:
		return get_address(cmd, info, req);
	case SIOCGIFMETRIC:
		req->ifr_ivalue = 0;
		return 0;
	case SIOCGIFMTU:
		req->ifr_ivalue = (s32)info->mtu;
		return 0;
	case SIOCGIFTXQLEN:
		req->ifr_ivalue = (s32)info->txqlen;
		return 0;
	case SIOCGIFINDEX:
		req->ifr_ivalue = (s32)info->index;
		return 0;
	case SIOCGIFHWADDR:
		req->ifr_addr.sa_family = (u16)info->type;
		memcpy(req->ifr_addr.sa_data, info->hwaddr, sizeof(info->hwaddr));
		return 0;
	default:
		return 0;
	}
}

static long one_interface(u32 cmd, u64 arg)
{
	struct net_iface_info info;
	struct abi_ifreq req;
	u32 index;
	int err;

	if (copy_from_user(&req, (const void __user *)(uintptr_t)arg, sizeof(req)))
		return -EFAULT;
	req.ifr_name[IFNAMSIZ - 1] = '\0';
	index = cmd == SIOCGIFNAME ? (u32)req.ifr_ivalue : net_iface_index(req.ifr_name);
	if (!net_iface_info(index, false, &info))
		return -ENODEV;
	if (cmd == SIOCGIFNAME) {
		memcpy(req.ifr_name, info.name, sizeof(req.ifr_name));
	} else {
		err = answer(cmd, &info, &req);
		if (err)
			return err;
	}
	return copy_to_user((void __user *)(uintptr_t)arg, &req, sizeof(req));
}

/* SIOCGIFCONF: one struct ifreq for each IPv4 address; without a buffer only the length. */
static long all_addresses(u64 arg)
{
	struct abi_ifconf conf;
	struct net_iface_info info;
	s32 done = 0;

	if (copy_from_user(&conf, (const void __user *)(uintptr_t)arg, sizeof(conf)))
		return -EFAULT;
	for (u32 at = 0; net_iface_info(at, true, &info); at = info.index) {
		for (u32 i = 0; i < info.nr_addrs; i++) {
			struct abi_ifreq req = {0};

			if (!inet_is_v4(&info.addrs[i].addr))
				continue;
			if (conf.ifc_buf && conf.ifc_len - done < (s32)sizeof(req))
				break;
			memcpy(req.ifr_name, info.name, sizeof(req.ifr_name));
			req.ifr_inet = sockaddr_v4(info.addrs[i].addr.w[3]);
			if (conf.ifc_buf &&
			    copy_to_user((void __user *)(uintptr_t)(conf.ifc_buf + (u64)done), &req,
					 sizeof(req)))
				return -EFAULT;
			done += (s32)sizeof(req);
		}
	}
	conf.ifc_len = done;
	return copy_to_user((void __user *)(uintptr_t)arg, &conf, sizeof(conf));
}

/* ---- changes ---- */

/* Linux's classes decide the prefix of an address that comes without one. */
static u32 class_prefix(u32 v4)
{
	u8 first = (u8)v4; /* network byte order */

	if (first < 128)
		return 8;
	return first < 192 ? 16 : 24;
}

/* -1: not a mask. */
static int mask_prefix(u32 mask)
{
	u32 host = ~net32(mask); /* must be 0...01...1 */

	if (host & (host + 1))
		return -1;
	return host ? __builtin_clz(host) : 32;
}

static bool with_broadcast(const struct net_iface_info *info, const struct net_address *a)
{
	return (info->flags & IFF_BROADCAST) && a->prefix < 31;
}

/* SIOCSIFADDR: the first address becomes another one; 0.0.0.0 takes it away. */
static int set_address(const struct net_iface_info *info, const struct abi_ifreq *req)
{
	const struct net_address *old = net_iface_first_v4(info);
	u32 v4 = req->ifr_inet.sin_addr.s_addr;
	struct net_address a = {.addr = inet_addr_v4(v4), .broadcast = inet_any_v4};

	if (req->ifr_inet.sin_family != AF_INET)
		return -EINVAL;
	if (!v4)
		return old ? net_config_del_address(info->index, &old->addr, ~0U) : 0;
	if (old && inet_equal(&old->addr, &a.addr))
		return 0;
	a.prefix = class_prefix(v4);
	a.scope = (u8)v4 == 127 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	if (with_broadcast(info, &a))
		a.broadcast = net_broadcast_of(&a);
	return net_config_replace_address(info->index, old ? &old->addr : NULL, &a);
}

/* SIOCSIFNETMASK and SIOCSIFBRDADDR change the first address. */
static int change_address(u32 cmd, const struct net_iface_info *info, const struct abi_ifreq *req)
{
	const struct net_address *old = net_iface_first_v4(info);
	u32 v4 = req->ifr_inet.sin_addr.s_addr;
	struct net_address a;
	struct inet_addr last;
	int prefix;

	if (req->ifr_inet.sin_family != AF_INET)
		return -EINVAL;
	if (!old)
		return -EADDRNOTAVAIL;
	a = *old;
	if (cmd == SIOCSIFBRDADDR) {
		a.broadcast = inet_addr_v4(v4);
	} else {
		prefix = mask_prefix(v4);
		if (prefix < 0)
			return -EINVAL;
		last = net_broadcast_of(&a);
		a.prefix = (u32)prefix;
		if (with_broadcast(info, &a) && inet_equal(&last, &old->broadcast))
			a.broadcast = net_broadcast_of(&a);
	}
	return net_config_replace_address(info->index, &old->addr, &a);
}

static int change(u32 cmd, const struct net_iface_info *info, const struct abi_ifreq *req)
{
	int err;

	switch (cmd) {
	case SIOCSIFFLAGS:
		return net_config_flags(info->index, (u16)req->ifr_flags, 0xffff);
	case SIOCSIFMTU:
		err = net_config_mtu(info->index, (u32)req->ifr_ivalue);
		return err == -ERANGE ? -EINVAL : err;
	case SIOCSIFADDR:
		return set_address(info, req);
	default:
		return change_address(cmd, info, req);
	}
}

static long change_interface(u32 cmd, u64 arg)
{
	struct net_iface_info info;
	struct abi_ifreq req;

	if (copy_from_user(&req, (const void __user *)(uintptr_t)arg, sizeof(req)))
		return -EFAULT;
	req.ifr_name[IFNAMSIZ - 1] = '\0';
	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (!net_iface_info(net_iface_index(req.ifr_name), false, &info))
		return -ENODEV;
	return change(cmd, &info, &req);
}

/* SIOCSIFADDR and SIOCDIFADDR of an IPv6 socket: one more address, one less. */
static long change_v6_address(u32 cmd, u64 arg)
{
	struct abi_in6_ifreq req;
	struct net_address a = {0};

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&req, (const void __user *)(uintptr_t)arg, sizeof(req)))
		return -EFAULT;
	if (req.ifr6_prefixlen > 128)
		return -EINVAL;
	memcpy(a.addr.b, req.ifr6_addr, sizeof(a.addr.b));
	a.prefix = req.ifr6_prefixlen;
	if (cmd == SIOCDIFADDR)
		return net_config_del_address((u32)req.ifr6_ifindex, &a.addr, a.prefix);
	return net_config_add_address((u32)req.ifr6_ifindex, &a);
}

/* ---- routes ---- */

static int route_device(u64 name_addr, u32 *index)
{
	char name[IFNAMSIZ] = {0};

	if (!name_addr)
		return 0;
	if (copy_from_user(name, (const void __user *)(uintptr_t)name_addr, sizeof(name) - 1))
		return -EFAULT;
	*index = net_iface_index(name);
	return *index ? 0 : -ENODEV;
}

/* A default one by a gateway is its interface's; the others are in the list. `own`: it has the metric that such a default route has. */
static int route_change(u32 cmd, struct net_route_info *r, bool own)
{
	struct net_gateway g = {r->gateway, r->iface, RTPROT_BOOT};
	struct net_route_match m = {.dst = r->dst,
				    .gateway = r->gateway,
				    .prefix = r->prefix,
				    .iface = r->iface,
				    .metric = r->metric,
				    .scope = RT_SCOPE_NOWHERE};
	bool v4 = inet_is_v4(&r->dst);
	int err;

	if (cmd == SIOCADDRT)
		return own && !r->prefix && r->has_gateway
			       ? net_config_add_gateway(&g, false)
			       : net_config_add_route(r, NET_ROUTE_CREATE | NET_ROUTE_EXCLUSIVE);
	err = net_config_del_route(&m);
	return err == -ESRCH && own && !r->prefix ? net_config_del_gateway(v4, &g) : err;
}

/* As Linux reads it: the flags say whether the mask and the gateway count; metrics are one more than they are. */
static int parse_v4_route(const struct abi_rtentry *rt, struct net_route_info *r)
{
	struct inet_addr network;
	int prefix = 32;

	if (rt->rt_dst.sin_family != AF_INET)
		return -EAFNOSUPPORT;
	if (!(rt->rt_flags & RTF_HOST)) {
		if (rt->rt_genmask.sin_family != AF_INET &&
		    (rt->rt_genmask.sin_addr.s_addr || rt->rt_genmask.sin_family))
			return -EAFNOSUPPORT;
		prefix = mask_prefix(rt->rt_genmask.sin_addr.s_addr);
		if (prefix < 0)
			return -EINVAL;
	}
	*r = (struct net_route_info){.dst = inet_addr_v4(rt->rt_dst.sin_addr.s_addr),
				     .gateway = inet_any_v4,
				     .source = inet_any_v4,
				     .prefix = (u32)prefix,
				     .metric = rt->rt_metric > 0 ? (u32)rt->rt_metric - 1 : 0,
				     .table = RT_TABLE_MAIN,
				     .protocol = RTPROT_BOOT,
				     .scope = RT_SCOPE_LINK,
				     .type = rt->rt_flags & RTF_REJECT ? RTN_UNREACHABLE
								       : RTN_UNICAST};
	network = net_network_of(&r->dst, r->prefix);
	if (!inet_equal(&network, &r->dst))
		return -EINVAL;
	if (rt->rt_gateway.sin_family == AF_INET && rt->rt_gateway.sin_addr.s_addr) {
		r->gateway = inet_addr_v4(rt->rt_gateway.sin_addr.s_addr);
		r->has_gateway = true;
		r->scope = RT_SCOPE_UNIVERSE;
	}
	return 0;
}

static long change_v4_route(u32 cmd, u64 arg)
{
	struct abi_rtentry rt;
	struct net_route_info r;
	int err;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&rt, (const void __user *)(uintptr_t)arg, sizeof(rt)))
		return -EFAULT;
	err = parse_v4_route(&rt, &r);
	if (!err)
		err = route_device(rt.rt_dev, &r.iface);
	if (err)
		return err;
	if (cmd == SIOCADDRT && (rt.rt_flags & RTF_GATEWAY) && !r.has_gateway)
		return -EINVAL;
	return route_change(cmd, &r, !r.metric);
}

static long change_v6_route(u32 cmd, u64 arg)
{
	struct net_route_info r = {.table = RT_TABLE_MAIN,
				   .protocol = RTPROT_BOOT,
				   .scope = RT_SCOPE_UNIVERSE,
				   .type = RTN_UNICAST};
	struct abi_in6_rtmsg rt;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&rt, (const void __user *)(uintptr_t)arg, sizeof(rt)))
		return -EFAULT;
	if (rt.rtmsg_dst_len > 128 || rt.rtmsg_src_len)
		return -EINVAL;
	memcpy(r.dst.b, rt.rtmsg_dst, sizeof(r.dst.b));
	memcpy(r.gateway.b, rt.rtmsg_gateway, sizeof(r.gateway.b));
	r.prefix = rt.rtmsg_dst_len;
	r.dst = net_network_of(&r.dst, r.prefix);
	r.has_gateway = !inet_is_any(&r.gateway);
	r.iface = (u32)rt.rtmsg_ifindex;
	r.metric = rt.rtmsg_metric;
	if (cmd == SIOCADDRT && !r.metric)
		r.metric = NET_METRIC_V6_GATEWAY;
	return route_change(cmd, &r, !r.metric || r.metric == NET_METRIC_V6_GATEWAY);
}

long net_iface_ioctl(int family, u32 cmd, u64 arg)
{
	switch (cmd) {
	case SIOCGIFCONF:
		return all_addresses(arg);
	case SIOCGIFNAME:
	case SIOCGIFFLAGS:
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFNETMASK:
	case SIOCGIFMETRIC:
	case SIOCGIFMTU:
	case SIOCGIFHWADDR:
	case SIOCGIFINDEX:
	case SIOCGIFTXQLEN:
	case SIOCGIFMAP:
		return one_interface(cmd, arg);
	case SIOCSIFADDR:
	case SIOCDIFADDR:
		if (family == AF_INET6)
			return change_v6_address(cmd, arg);
		return cmd == SIOCDIFADDR ? -ENOTTY : change_interface(cmd, arg);
	case SIOCSIFFLAGS:
	case SIOCSIFBRDADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFMTU:
		return change_interface(cmd, arg);
	case SIOCADDRT:
	case SIOCDELRT:
		return family == AF_INET6 ? change_v6_route(cmd, arg) : change_v4_route(cmd, arg);
	default:
		return -ENOTTY;
	}
}
