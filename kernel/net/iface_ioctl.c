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

static int gateway_change(u32 cmd, bool v4, const struct net_gateway *g)
{
	return cmd == SIOCADDRT ? net_config_add_gateway(g, false) : net_config_del_gateway(v4, g);
}

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

/* Only default routes can be set; the others follow from addresses. */
static long change_v4_route(u32 cmd, u64 arg)
{
	struct net_gateway g = {.protocol = RTPROT_BOOT};
	struct abi_rtentry rt;
	int err;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&rt, (const void __user *)(uintptr_t)arg, sizeof(rt)))
		return -EFAULT;
	if (rt.rt_dst.sin_family != AF_INET)
		return -EAFNOSUPPORT;
	if (rt.rt_dst.sin_addr.s_addr || rt.rt_genmask.sin_addr.s_addr || (rt.rt_flags & RTF_HOST))
		return cmd == SIOCADDRT ? -EOPNOTSUPP : -ESRCH;
	err = route_device(rt.rt_dev, &g.iface);
	if (err)
		return err;
	if (rt.rt_metric > 1)
		return cmd == SIOCADDRT ? -EOPNOTSUPP : -ESRCH;
	g.addr = rt.rt_gateway.sin_family == AF_INET ? inet_addr_v4(rt.rt_gateway.sin_addr.s_addr)
						     : inet_any_v4;
	if (cmd == SIOCADDRT && (inet_is_any(&g.addr) || !(rt.rt_flags & RTF_GATEWAY)))
		return -EOPNOTSUPP;
	return gateway_change(cmd, true, &g);
}

static long change_v6_route(u32 cmd, u64 arg)
{
	struct net_gateway g = {.protocol = RTPROT_BOOT};
	struct abi_in6_rtmsg rt;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (copy_from_user(&rt, (const void __user *)(uintptr_t)arg, sizeof(rt)))
		return -EFAULT;
	memcpy(g.addr.b, rt.rtmsg_gateway, sizeof(g.addr.b));
	g.iface = (u32)rt.rtmsg_ifindex;
	if (rt.rtmsg_dst_len || rt.rtmsg_src_len || rt.rtmsg_metric > NET_METRIC_V6_GATEWAY)
		return cmd == SIOCADDRT ? -EOPNOTSUPP : -ESRCH;
	if (cmd == SIOCADDRT && (inet_is_any(&g.addr) || !(rt.rtmsg_flags & RTF_GATEWAY)))
		return -EOPNOTSUPP;
	return gateway_change(cmd, false, &g);
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
