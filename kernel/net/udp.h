/*
 * UDP and UDP-Lite, as far as the wire has to know them.
 */
#ifndef KERNEL_NET_UDP_H
#define KERNEL_NET_UDP_H

#include "kernel/net/inet_sock.h"
#include "kernel/net/port.h"
#include "kernel/net/udplite.h"

#define UDP_MAX_V4 65507U /* payload of a full IPv4 packet */
#define UDP_MAX_V6 65527U

struct udp_sock {
	struct inet_sock i;
	struct port_owner port;
	enum port_proto proto; /* [I] PORT_UDP or PORT_UDPLITE */
	struct udplite_options lite;
};

/*
 * A datagram has come: d->local (destination), d->remote (source), ttl, tos, iface are filled. It
 * goes to the socket that fits best; to all that fit if the destination is a group. Takes over the
 * reference. False: nobody wants it (answer ICMP port unreachable).
 */
bool udp_input(struct dgram *d);
/* The socket that sent from `local` to `remote`, with a reference, for an ICMP error; NULL: none. */
struct inet_sock *udp_find_sender(const struct inet_end *local, const struct inet_end *remote);

#endif
