/*
 * UDP-Lite (RFC 3828): UDP whose checksum may cover only the first bytes of a datagram. Its sockets
 * are UDP's (udp.c) with ports and counters of their own; here are the two options. Over lo nothing is
 * summed, but who asks for more coverage than a datagram has does not get it, as on Linux. Cards do not
 * carry it.
 */
#ifndef KERNEL_NET_UDPLITE_H
#define KERNEL_NET_UDPLITE_H

#include "lib/types.h"

struct udplite_options {
	u32 send, recv; /* [a] bytes, the header's included; send 0: all */
	u32 recv_set;	/* [a] UDPLITE_RECV_CSCOV was given */
};

/* setsockopt and getsockopt of SOL_UDPLITE: 0, -EINVAL, -ENOPROTOOPT. */
int udplite_set_option(struct udplite_options *o, int name, const void *val, u32 len);
int udplite_get_option(struct udplite_options *o, int name, void *val, u32 *len);
/* What a datagram with `len` bytes of payload has covered: header and payload bytes, 0 for all of it. */
u16 udplite_coverage(const struct udplite_options *o, u32 len);
/* True if a receiver with options `o` takes a datagram that has `coverage`. Linux: udp_queue_rcv_one_skb(). */
bool udplite_accepts(const struct udplite_options *o, u16 coverage);

#endif
