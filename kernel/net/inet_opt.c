/*
 * Options of levels IPPROTO_IP and IPPROTO_IPV6 that all internet sockets share. The values live in
 * `struct inet_options`; what a socket type adds (V6ONLY, membership) it handles before it asks.
 */
#include "kernel/net/inet_opt.h"

#include <string.h>

#include "abi/errno.h"
#include "kernel/net/iface.h"
#include "kernel/net/socket.h"
#include "kernel/sync/atomic.h"

void inet_options_init(struct inet_options *o)
{
	*o = (struct inet_options){.ttl = 64,
				   .hops = 64,
				   .multicast_ttl = 1,
				   .multicast_loop = 1,
				   .pmtu = IP_PMTUDISC_WANT};
}

static void set_bit(struct inet_options *o, u32 bit, int v)
{
	if (v)
		atomic_fetch_or(&o->flags, bit);
	else
		atomic_fetch_and(&o->flags, ~bit);
}

static u32 v4_bit(int name)
{
	switch (name) {
	case IP_PKTINFO:
		return INET_F_PKTINFO;
	case IP_RECVTTL:
		return INET_F_RECVTTL;
	case IP_RECVTOS:
		return INET_F_RECVTOS;
	case IP_RECVERR:
		return INET_F_RECVERR;
	case IP_FREEBIND:
		return INET_F_FREEBIND;
	case IP_BIND_ADDRESS_NO_PORT:
		return INET_F_BIND_NO_PORT;
	default:
		return 0;
	}
}

/* The class of service. A stream's two bits of congestion are TCP's own. */
static u32 class_of(const struct inet_options *o, u32 old, int v)
{
	u32 mine = o->stream ? 0xfcU : 0xffU;

	return ((u32)v & mine) | (old & 0xffU & ~mine);
}

static int set_v4(struct inet_options *o, int name, int v)
{
	switch (name) {
	case IP_TOS:
		o->tos = class_of(o, o->tos, v);
		return 0;
	case IP_TTL:
		if (v != -1 && (v < 1 || v > 255))
			return -EINVAL;
		o->ttl = v == -1 ? 64 : (u32)v;
		return 0;
	case IP_MTU_DISCOVER:
		if (v < IP_PMTUDISC_DONT || v > IP_PMTUDISC_OMIT)
			return -EINVAL;
		o->pmtu = (u32)v;
		return 0;
	case IP_MULTICAST_TTL:
		if (o->stream || v < -1 || v > 255)
			return -EINVAL;
		o->multicast_ttl = v == -1 ? 1 : (u32)v;
		return 0;
	case IP_MULTICAST_LOOP:
		o->multicast_loop = v != 0;
		return 0;
	default:
		if (!v4_bit(name))
			return -ENOPROTOOPT;
		set_bit(o, v4_bit(name), v);
		return 0;
	}
}

static u32 v6_bit(int name)
{
	switch (name) {
	case IPV6_RECVPKTINFO:
		return INET_F_PKTINFO6;
	case IPV6_RECVHOPLIMIT:
		return INET_F_RECVHOPLIMIT;
	case IPV6_RECVTCLASS:
		return INET_F_RECVTCLASS;
	case IPV6_RECVERR:
		return INET_F_RECVERR;
	case IPV6_2292PKTINFO:
		return INET_F_2292PKTINFO;
	case IPV6_2292HOPLIMIT:
		return INET_F_2292HOPLIMIT;
	default:
		return 0;
	}
}

static int set_v6(struct inet_options *o, int name, int v)
{
	switch (name) {
	case IPV6_UNICAST_HOPS:
		if (v < -1 || v > 255)
			return -EINVAL;
		o->hops = v == -1 ? 64 : (u32)v;
		return 0;
	case IPV6_TCLASS:
		if (v < -1 || v > 255)
			return -EINVAL;
		o->tclass = class_of(o, o->tclass, v == -1 ? 0 : v);
		return 0;
	case IPV6_MTU_DISCOVER:
		if (v < IP_PMTUDISC_DONT || v > IP_PMTUDISC_OMIT)
			return -EINVAL;
		o->pmtu = (u32)v;
		return 0;
	case IPV6_MULTICAST_HOPS:
		if (o->stream)
			return -ENOPROTOOPT;
		if (v < -1 || v > 255)
			return -EINVAL;
		o->multicast_ttl = v == -1 ? 1 : (u32)v;
		return 0;
	case IPV6_MULTICAST_LOOP:
		if (v < 0 || v > 1)
			return -EINVAL;
		o->multicast_loop = v != 0;
		return 0;
	default:
		if (!v6_bit(name))
			return -ENOPROTOOPT;
		set_bit(o, v6_bit(name), v);
		return 0;
	}
}

/* IPv4's options may also be given as one byte. */
static int option_value(int level, const void *val, u32 len, int *v)
{
	if (level == SOL_IP && len >= 1 && len < sizeof(int)) {
		*v = *(const u8 *)val;
		return 0;
	}
	return sockopt_int(val, len, v);
}

int inet_set_option(struct inet_options *o, int family, int level, int name, const void *val, u32 len)
{
	int v, err;

	if (level != SOL_IP && (level != SOL_IPV6 || family != AF_INET6))
		return -ENOPROTOOPT;
	err = option_value(level, val, len, &v);
	if (err)
		return err;
	return level == SOL_IP ? set_v4(o, name, v) : set_v6(o, name, v);
}

static int get_v4(const struct inet_options *o, int name, int *v)
{
	switch (name) {
	case IP_TOS:
		*v = (int)o->tos;
		return 0;
	case IP_TTL:
		*v = (int)o->ttl;
		return 0;
	case IP_MTU_DISCOVER:
		*v = (int)o->pmtu;
		return 0;
	case IP_MULTICAST_TTL:
		*v = (int)o->multicast_ttl;
		return 0;
	case IP_MULTICAST_LOOP:
		*v = (int)o->multicast_loop;
		return 0;
	default:
		if (!v4_bit(name))
			return -ENOPROTOOPT;
		*v = (atomic_load_relaxed(&o->flags) & v4_bit(name)) != 0;
		return 0;
	}
}

static int get_v6(const struct inet_options *o, int name, int *v)
{
	switch (name) {
	case IPV6_UNICAST_HOPS:
		*v = (int)o->hops;
		return 0;
	case IPV6_TCLASS:
		*v = (int)o->tclass;
		return 0;
	case IPV6_MTU_DISCOVER:
		*v = (int)o->pmtu;
		return 0;
	case IPV6_MULTICAST_HOPS:
		*v = (int)o->multicast_ttl;
		return 0;
	case IPV6_MULTICAST_LOOP:
		*v = (int)o->multicast_loop;
		return 0;
	default:
		if (!v6_bit(name))
			return -ENOPROTOOPT;
		*v = (atomic_load_relaxed(&o->flags) & v6_bit(name)) != 0;
		return 0;
	}
}

int inet_get_option(const struct inet_options *o, int family, int level, int name, void *val, u32 *len)
{
	int v, err = -ENOPROTOOPT;

	/* IP_OPTIONS: none are ever set. */
	if (level == SOL_IP && name == IP_OPTIONS) {
		*len = 0;
		return 0;
	}
	if (level == SOL_IP)
		err = get_v4(o, name, &v);
	else if (level == SOL_IPV6 && family == AF_INET6)
		err = get_v6(o, name, &v);
	if (err)
		return err;
	/* Linux answers a short buffer of IPv4's with one byte. */
	if (level == SOL_IP && *len > 0 && *len < sizeof(int) && v >= 0 && v <= 255) {
		*(u8 *)val = (u8)v;
		*len = 1;
		return 0;
	}
	return sockopt_put_int(val, len, v);
}
