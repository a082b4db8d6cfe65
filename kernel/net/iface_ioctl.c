/*
 * The ioctl requests that ask about interfaces; any socket answers them.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/iface.h"

static struct abi_sockaddr_in sockaddr_v4(u32 addr)
{
	return (struct abi_sockaddr_in){.sin_family = AF_INET, .sin_addr = {addr}};
}

/* The interface's first IPv4 address, or NULL. */
static const struct net_address *first_v4(const struct net_iface_info *info)
{
	for (u32 i = 0; i < info->nr_addrs; i++)
		if (inet_is_v4(&info->addrs[i].addr))
			return &info->addrs[i];
	return NULL;
}

static int get_address(u32 cmd, const struct net_iface_info *info, struct abi_ifreq *req)
{
	const struct net_address *a = first_v4(info);
	u32 v = 0;

	if (!a)
		return -EADDRNOTAVAIL;
	if (cmd == SIOCGIFNETMASK)
		v = a->prefix ? net32(~0U << (32 - a->prefix)) : 0;
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

long net_iface_ioctl(u32 cmd, u64 arg)
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
		return one_interface(cmd, arg);
	default:
		return -ENOTTY;
	}
}
