/*
 * Raw sockets and ICMP, as far as the wire has to know them.
 */
#ifndef KERNEL_NET_RAW_H
#define KERNEL_NET_RAW_H

#include "kernel/net/inet_sock.h"
#include "lib/types.h"

/*
 * A packet of `protocol` has come, local and remote filled: for IPv4 the whole packet with its
 * header, for IPv6 the payload. Each raw socket that fits gets a copy. Does not take the reference.
 * True if somebody wanted it.
 */
bool raw_input(const struct dgram *d, int protocol);
/* False: there is no raw socket at all, so nobody wants a copy. Lock-free. */
bool raw_any(void);
/* Calls fn for every raw socket; a spin lock is held. */
void raw_for_each(void (*fn)(struct inet_sock *i, void *arg), void *arg);

#endif
