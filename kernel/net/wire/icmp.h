/*
 * ICMP errors that come back for what sockets have sent.
 */
#ifndef KERNEL_NET_WIRE_ICMP_H
#define KERNEL_NET_WIRE_ICMP_H

#include "kernel/net/wire/internal.h"

/* If the ICMP message at `skip` in packet `p` is an error about a packet of a socket here, tells the socket. */
void wire_icmp_error(const struct pbuf *p, u32 skip, bool v6);

#endif
