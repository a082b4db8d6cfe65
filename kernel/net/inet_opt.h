/*
 * The options of IP and IPv6 that UDP, raw and TCP sockets have in common.
 */
#ifndef KERNEL_NET_INET_OPT_H
#define KERNEL_NET_INET_OPT_H

#include "kernel/net/inet.h"
#include "lib/types.h"

#define INET_F_PKTINFO	    BIT(0)
#define INET_F_RECVTTL	    BIT(1)
#define INET_F_RECVTOS	    BIT(2)
#define INET_F_RECVERR	    BIT(3)
#define INET_F_FREEBIND	    BIT(4)
#define INET_F_PKTINFO6	    BIT(5)
#define INET_F_RECVHOPLIMIT BIT(6)
#define INET_F_RECVTCLASS   BIT(7)
#define INET_F_BIND_NO_PORT BIT(8) /* bind() to port 0 leaves the choice to connect() or listen() */
#define INET_F_2292PKTINFO  BIT(9)
#define INET_F_2292HOPLIMIT BIT(10)

/* [a] all: written by setsockopt, read by sends. */
struct inet_options {
	u32 flags; /* INET_F_* */
	u32 tos, ttl, tclass, hops, pmtu;
	u32 multicast_ttl, multicast_loop;
	bool stream; /* [I] TCP's: congestion is its own, groups are not for it */
};

void inet_options_init(struct inet_options *o);
/* 0, -EINVAL, or -ENOPROTOOPT for what is not supported. */
int inet_set_option(struct inet_options *o, int family, int level, int name, const void *val,
		    u32 len);
int inet_get_option(const struct inet_options *o, int family, int level, int name, void *val,
		    u32 *len);

#endif
