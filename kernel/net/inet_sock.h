/*
 * What UDP and raw sockets share: names, the receive queue, the error queue of IP_RECVERR, control
 * messages.
 *
 * `local` and `remote` are written under s.lock; senders read them without it, so a send that runs
 * while another thread reconnects the socket goes to the one or the other, as on Linux.
 */
#ifndef KERNEL_NET_INET_SOCK_H
#define KERNEL_NET_INET_SOCK_H

#include "kernel/net/dgram.h"
#include "kernel/net/iface.h"
#include "kernel/net/inet_opt.h"
#include "kernel/net/multicast.h"
#include "kernel/net/socket.h"

struct inet_sock {
	struct socket s;
	struct inet_end local, remote; /* [L:s.lock] remote.port 0 and connected false: none */
	bool connected;		       /* [a] */
	struct inet_addr bound_addr;   /* [L:s.lock] what bind() was told; any: connect chooses */
	bool bound;		       /* [L:s.lock] bind() chose the port */
	u32 v6only;		       /* [a] */
	struct inet_options inet;
	struct multicast_options multicast;
	struct dgram_queue queue;
	struct dgram_queue errors; /* IP_RECVERR; d->ttl, d->tos: ICMP type and code */
};

static inline struct inet_sock *inet_of(struct socket *s)
{
	return container_of(s, struct inet_sock, s);
}

void inet_sock_init(struct inet_sock *i, const struct socket_ops *ops, int family, int type,
		    int protocol);
void inet_sock_close(struct inet_sock *i); /* empties the queues */

/*
 * Where a send goes: m->name, or the remote end; and from where, an IP_PKTINFO message included.
 * 0, -EDESTADDRREQ, -EINVAL, -ENETUNREACH, -EACCES (broadcast), -EPIPE, or the pending error.
 */
struct inet_flow {
	struct inet_end local, remote;
	struct net_route route;
};
int inet_sock_flow(struct inet_sock *i, struct sock_msg *m, struct inet_flow *flow);
/* The route to `to`, by IP_MULTICAST_IF if that is a group. 0 or -ENETUNREACH. */
int inet_sock_route(struct inet_sock *i, const struct inet_addr *to, u32 bound_if,
		    struct net_route *out);

/* The hops that a datagram to `to` may go. */
static inline u8 inet_sock_ttl(const struct inet_sock *i, const struct inet_addr *to)
{
	if (inet_is_multicast(to))
		return (u8)i->inet.multicast_ttl;
	return (u8)(inet_is_v4(to) ? i->inet.ttl : i->inet.hops);
}

/* Puts `d` on the queue and wakes, or drops it (counted). Takes over the reference. */
bool inet_sock_deliver(struct inet_sock *i, struct dgram *d);
/*
 * An ICMP error came back for what `i` sent to `to`: posted if the socket is connected, queued with
 * the first bytes of the payload under IP_RECVERR.
 */
void inet_sock_icmp_error(struct inet_sock *i, const struct inet_end *to, const struct dgram *sent,
			  int error);

/* ops of both */
long inet_sock_recv(struct socket *s, struct sock_msg *m);
PollEvent inet_sock_poll(struct socket *s);
int inet_sock_getname(struct socket *s, struct sock_name *out, bool peer);
int inet_sock_shutdown(struct socket *s, int how);
long inet_sock_ioctl(struct socket *s, u32 cmd, u64 arg);
int inet_sock_setsockopt(struct socket *s, int level, int name, const void *val, u32 len);
int inet_sock_getsockopt(struct socket *s, int level, int name, void *val, u32 *len);

#endif
