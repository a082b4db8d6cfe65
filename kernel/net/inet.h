/*
 * Internet addresses inside the kernel: always sixteen bytes, IPv4 as ::ffff:a.b.c.d, ports in
 * host byte order. So there is one port manager, one connection table and one TCP for both
 * families, and an IPv6 socket that talks to an IPv4 peer is nothing special.
 */
#ifndef KERNEL_NET_INET_H
#define KERNEL_NET_INET_H

#include "abi/inet.h"
#include "abi/socket.h"
#include "lib/types.h"

struct socket;
struct sock_name;

struct inet_addr {
	union {
		u8 b[16];
		u32 w[4];
		u64 d[2];
	};
};

struct inet_end {
	struct inet_addr addr;
	u16 port;
	u32 scope; /* IPv6 link-local: interface index */
};

static inline u16 net16(u16 v)
{
	return (u16)(v << 8 | v >> 8);
}
static inline u32 net32(u32 v)
{
	return __builtin_bswap32(v);
}

/* `v4` in network byte order. */
static inline struct inet_addr inet_addr_v4(u32 v4)
{
	struct inet_addr a = {.d = {0, 0}};

	a.w[2] = net32(0x0000ffff);
	a.w[3] = v4;
	return a;
}
static inline struct inet_addr inet_addr_make_v4(u8 a, u8 b, u8 c, u8 d)
{
	return inet_addr_v4((u32)a | (u32)b << 8 | (u32)c << 16 | (u32)d << 24);
}
static inline bool inet_is_v4(const struct inet_addr *a)
{
	return a->d[0] == 0 && a->w[2] == net32(0x0000ffff);
}
static inline bool inet_equal(const struct inet_addr *a, const struct inet_addr *b)
{
	return a->d[0] == b->d[0] && a->d[1] == b->d[1];
}
/* The netmask of an IPv4 prefix, in network byte order. */
static inline u32 inet_v4_mask(u32 prefix)
{
	return prefix ? net32(~0U << (32 - prefix)) : 0;
}
/* 0.0.0.0 or :: */
static inline bool inet_is_any(const struct inet_addr *a)
{
	return (a->d[0] == 0 && a->d[1] == 0) || (inet_is_v4(a) && a->w[3] == 0);
}
static inline bool inet_is_multicast(const struct inet_addr *a)
{
	return inet_is_v4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}
extern const struct inet_addr inet_any_v4, inet_any_v6, inet_loopback_v4, inet_loopback_v6;

static inline u32 inet_mix(u64 h)
{
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15UL;
	return (u32)(h >> 32);
}
static inline u32 inet_hash(const struct inet_end *local, const struct inet_end *remote)
{
	u64 h = local->addr.d[0] ^ local->addr.d[1] * 3 ^ remote->addr.d[0] * 5 ^
		remote->addr.d[1] * 7;

	return inet_mix(h ^ ((u64)local->port << 16 | remote->port) * 0xff51afd7ed558ccdUL);
}

/*
 * A program's sockaddr for a socket of `family` as an end. -EINVAL (too short), -EAFNOSUPPORT. An
 * AF_INET6 socket takes v4-mapped addresses, whether it may is the caller's to check; with `mixed`
 * it takes a sockaddr_in, too.
 */
int inet_end_from_name(int family, const struct sock_name *name, bool mixed, struct inet_end *out);
/* And back: sockaddr_in or sockaddr_in6 by the socket's family. */
void inet_end_to_name(int family, const struct inet_end *e, struct sock_name *out);

/*
 * The common part of bind(2): the address is well formed, this host's (or any; with `group` also a
 * multicast or broadcast one), its port not privileged or the task is.
 */
int inet_bind_check(int family, const struct sock_name *name, bool v6only, bool freebind,
		    bool group, struct inet_end *out);

/* The internet checksum of `len` bytes, carried on from `sum`; fold at the end. */
u32 inet_sum(u32 sum, const void *data, size_t len);
u16 inet_sum_fold(u32 sum);

#endif
