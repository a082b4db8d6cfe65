/*
 * Sockets of UDP and UDP-Lite. A datagram to a local address is put on the receiver's queue by the
 * sender: one copy in, one out, no other hart's line touched but the receiver's.
 */
#include "kernel/net/udp.h"

#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/iface.h"
#include "kernel/net/net.h"
#include "kernel/sync/atomic.h"

static struct udp_sock *udp_of(struct socket *s)
{
	return container_of(s, struct udp_sock, i.s);
}

/* `counter` is UDP's. */
static void udp_count(enum port_proto proto, enum net_counter counter)
{
	net_count(proto == PORT_UDP ? counter : counter + UDPLITE_IN_DATAGRAMS - UDP_IN_DATAGRAMS);
}

/* ---- names ---- */

static int udp_bind_locked(struct udp_sock *u, const struct inet_end *e)
{
	struct socket *s = &u->i.s;
	int port;

	u->port.addr = e->addr;
	u->port.v6only = atomic_load_relaxed(&u->i.v6only);
	u->port.reuseaddr = socket_flag(s, SOCK_F_REUSEADDR);
	u->port.reuseport = socket_flag(s, SOCK_F_REUSEPORT);
	u->port.uid = s->uid;
	u->port.bound_if = atomic_load_relaxed(&s->bound_if);
	port = port_bind(u->proto, &u->port, e->port);
	if (port < 0)
		return port;
	u->i.local = *e;
	u->i.local.port = (u16)port;
	return port_activate(u->proto, &u->port, false);
}

static int udp_bind(struct socket *s, const struct sock_name *name)
{
	struct udp_sock *u = udp_of(s);
	u32 flags = atomic_load_relaxed(&u->i.inet.flags);
	struct inet_end e;
	int err = inet_bind_check(s->family, name, atomic_load_relaxed(&u->i.v6only),
				  flags & INET_F_FREEBIND, true, &e);

	if (err)
		return err;
	mutex_lock(&s->lock);
	if (u->port.bucket)
		err = -EINVAL;
	else if (!e.port && (flags & INET_F_BIND_NO_PORT))
		u->i.local = e; /* the first send or connect chooses the port */
	else
		err = udp_bind_locked(u, &e);
	if (!err) {
		u->i.bound = e.port != 0;
		u->i.bound_addr = e.addr;
	}
	mutex_unlock(&s->lock);
	return err;
}

/* A port for who sends or connects without one. */
static int udp_autobind(struct udp_sock *u)
{
	int err = 0;

	mutex_lock(&u->i.s.lock);
	if (!u->port.bucket) {
		struct inet_end any = {.addr = u->i.local.addr};

		err = udp_bind_locked(u, &any);
	}
	mutex_unlock(&u->i.s.lock);
	return err == -EADDRINUSE ? -EAGAIN : err;
}

/* The remote end and the address that goes with it change as one for those who look for us. */
static void udp_set_remote(struct udp_sock *u, const struct inet_end *remote,
			   const struct inet_addr *local, bool connected)
{
	port_lock(&u->port);
	u->i.remote = *remote;
	u->i.local.addr = *local;
	u->port.addr = *local;
	atomic_store_relaxed(&u->i.connected, connected);
	port_unlock(&u->port);
}

static int udp_disconnect(struct udp_sock *u)
{
	struct inet_end none = {.addr = u->i.s.family == AF_INET ? inet_any_v4 : inet_any_v6};

	if (!u->port.bucket)
		return 0;
	udp_set_remote(u, &none, &u->i.bound_addr, false);
	if (!u->i.bound) {
		port_unbind(u->proto, &u->port);
		u->i.local.port = 0;
	}
	return 0;
}

static int udp_connect_to(struct udp_sock *u, struct inet_end *to)
{
	struct inet_addr local = u->i.bound_addr;
	struct net_route route;
	int err;

	if (inet_is_v4(&to->addr) && u->i.s.family == AF_INET6 && atomic_load_relaxed(&u->i.v6only))
		return -EAFNOSUPPORT;
	if (inet_is_any(&to->addr))
		to->addr = inet_is_v4(&to->addr) ? inet_loopback_v4 : inet_loopback_v6;
	if (net_is_broadcast(&to->addr) && !socket_flag(&u->i.s, SOCK_F_BROADCAST))
		return -EACCES;
	err = inet_sock_route(&u->i, &to->addr, atomic_load_relaxed(&u->i.s.bound_if), &route);
	if (err)
		return err;
	if (inet_is_any(&local))
		local = route.source;
	udp_set_remote(u, to, &local, true);
	return 0;
}

static int udp_connect(struct socket *s, const struct sock_name *name, bool nonblock)
{
	struct udp_sock *u = udp_of(s);
	struct inet_end to;
	int err;

	(void)nonblock;
	if (name->len < sizeof(u16))
		return -EINVAL;
	if (name->family != AF_UNSPEC) {
		err = inet_end_from_name(s->family, name, true, &to);
		if (!err)
			err = udp_autobind(u);
		if (err)
			return err;
	}
	mutex_lock(&s->lock);
	err = name->family == AF_UNSPEC ? udp_disconnect(u) : udp_connect_to(u, &to);
	mutex_unlock(&s->lock);
	return err;
}

/* ---- delivery ---- */

/* -1: not for this socket; a connected one beats a bound one, an exact address a wildcard. */
static int udp_fits(const struct port_owner *o, void *arg)
{
	const struct dgram *d = arg;
	const struct udp_sock *u = container_of(o, struct udp_sock, port);
	int score;

	if (!port_addr_matches(o, &d->local.addr) || (o->bound_if && o->bound_if != d->iface))
		return -1;
	score = inet_equal(&o->addr, &d->local.addr) ? 4 : 0;
	score += inet_is_v4(&o->addr) == inet_is_v4(&d->local.addr) ? 1 : 0;
	if (!u->i.connected)
		return score;
	if (u->i.remote.port != d->remote.port || !inet_equal(&u->i.remote.addr, &d->remote.addr))
		return -1;
	return score + 8;
}

/* Puts `d` on the queue, or drops it. Takes over the reference. */
static void udp_deliver(struct udp_sock *u, struct dgram *d)
{
	enum net_counter counter = UDP_IN_ERRORS;

	if (likely(udplite_accepts(&u->lite, d->coverage)))
		counter = inet_sock_deliver(&u->i, d) ? UDP_IN_DATAGRAMS : UDP_RCVBUF_ERRORS;
	else
		dgram_put(d);
	udp_count(u->proto, counter);
}

/* Delivery to a group: each socket that fits gets a datagram of its own. */
static bool udp_group_member(struct port_owner *o, void *arg)
{
	struct dgram *d = arg;
	struct udp_sock *u = container_of(o, struct udp_sock, port);
	struct dgram *copy;

	if (udp_fits(o, d) < 0)
		return true;
	if (inet_is_multicast(&d->local.addr) && !multicast_wanted(&u->i, d))
		return true;
	copy = dgram_alloc(d->len);
	if (!copy)
		return false;
	copy->local = d->local;
	copy->remote = d->remote;
	copy->ttl = d->ttl;
	copy->tos = d->tos;
	copy->coverage = d->coverage;
	copy->iface = d->iface;
	memcpy(copy->data, d->data, d->len);
	udp_deliver(u, copy);
	return true;
}

static void udp_input_group(struct dgram *d, enum port_proto proto)
{
	port_for_each(proto, d->local.port, udp_group_member, d);
}

/* As udp_input(), but the reference stays the caller's if nobody wants it. */
static bool udp_try_input(struct dgram *d, enum port_proto proto)
{
	struct socket *s;

	if (inet_is_multicast(&d->local.addr) || net_is_broadcast(&d->local.addr)) {
		if (!inet_is_multicast(&d->local.addr) || multicast_joined(&d->local.addr, d->iface))
			udp_input_group(d, proto);
		dgram_put(d);
		return true;
	}
	s = port_find(proto, d->local.port, inet_hash(&d->local, &d->remote), udp_fits, d);
	if (!s)
		return false;
	udp_deliver(udp_of(s), d);
	socket_put(s);
	return true;
}

bool udp_input(struct dgram *d)
{
	bool wanted = udp_try_input(d, PORT_UDP);

	if (!wanted) {
		net_count(UDP_NO_PORTS);
		dgram_put(d);
	}
	return wanted;
}

struct inet_sock *udp_find_sender(const struct inet_end *local, const struct inet_end *remote)
{
	struct dgram d = {.local = *local, .remote = *remote};
	struct socket *s = port_find(PORT_UDP, local->port, inet_hash(local, remote), udp_fits, &d);

	return s ? inet_of(s) : NULL;
}

/* ---- sending ---- */

static void udp_send_local(struct udp_sock *u, const struct inet_flow *flow, struct dgram *d)
{
	d->local = flow->remote;
	d->remote = flow->local;
	d->iface = flow->route.iface->index;
	if (unlikely(!net_lo_is_up())) {
		dgram_put(d);
		return;
	}
	net_lo_count(1, d->len + 28UL);
	if (udp_try_input(d, u->proto))
		return;
	udp_count(u->proto, UDP_NO_PORTS);
	net_count(ICMP_OUT_DEST_UNREACHS);
	inet_sock_icmp_error(&u->i, &flow->remote, d, ECONNREFUSED);
	dgram_put(d);
}

/* What is sent to a group that this host has joined there, or to everybody on the link, this host hears, too. */
static void udp_send_back(struct udp_sock *u, const struct inet_flow *flow, const struct dgram *d)
{
	const struct inet_addr *to = &flow->remote.addr;
	u32 iface = flow->route.iface->index;
	struct dgram *copy;

	if (inet_is_multicast(to)
		    ? !atomic_load_relaxed(&u->i.inet.multicast_loop) || !multicast_joined(to, iface)
		    : !net_is_broadcast(to))
		return;
	copy = dgram_alloc(d->len);
	if (!copy)
		return;
	copy->local = flow->remote;
	copy->remote = flow->local;
	copy->ttl = d->ttl;
	copy->tos = d->tos;
	copy->iface = iface;
	memcpy(copy->data, d->data, d->len);
	udp_try_input(copy, u->proto);
}

static int udp_send_wire(struct udp_sock *u, const struct inet_flow *flow, struct dgram *d)
{
	int err;

	udp_send_back(u, flow, d);
	d->local = flow->local;
	d->remote = flow->remote;
	err = flow->route.iface->ops->udp_send(d);
	dgram_put(d);
	return err;
}

static long udp_send(struct socket *s, struct sock_msg *m)
{
	struct udp_sock *u = udp_of(s);
	u64 len = m->it->count;
	struct inet_flow flow;
	struct dgram *d;
	int err;

	if (m->flags & (MSG_OOB | MSG_MORE | MSG_ZEROCOPY))
		return m->flags & MSG_ZEROCOPY ? -EINVAL : -EOPNOTSUPP;
	if (len > UDP_MAX_V6 || (len > UDP_MAX_V4 && s->family == AF_INET))
		return -EMSGSIZE;
	err = inet_sock_flow(&u->i, m, &flow);
	if (err)
		return err;
	if (!flow.remote.port)
		return -EINVAL;
	if (!flow.route.local && u->proto != PORT_UDP)
		return -EOPNOTSUPP;
	if (unlikely(!u->port.bucket)) {
		err = udp_autobind(u);
		if (err)
			return err;
	}
	flow.local.port = u->i.local.port;
	d = dgram_from(m->it, len);
	if (is_err(d))
		return ptr_err(d) == -ENOMEM ? -ENOBUFS : ptr_err(d);
	d->ttl = inet_sock_ttl(&u->i, &flow.remote.addr);
	d->tos = (u8)(inet_is_v4(&flow.remote.addr) ? u->i.inet.tos : u->i.inet.tclass);
	d->coverage = udplite_coverage(&u->lite, (u32)len);
	udp_count(u->proto, UDP_OUT_DATAGRAMS);
	if (flow.route.local) {
		udp_send_local(u, &flow, d);
		return (long)len;
	}
	err = udp_send_wire(u, &flow, d);
	return err ? err : (long)len;
}

/* ---- the rest ---- */

static void udp_options_changed(struct socket *s)
{
	struct udp_sock *u = udp_of(s);

	mutex_lock(&s->lock);
	if (u->port.bucket) {
		port_lock(&u->port);
		u->port.reuseaddr = socket_flag(s, SOCK_F_REUSEADDR);
		u->port.reuseport = socket_flag(s, SOCK_F_REUSEPORT);
		port_unlock(&u->port);
	}
	mutex_unlock(&s->lock);
}

static int udp_setsockopt(struct socket *s, int level, int name, const void *val, u32 len)
{
	struct udp_sock *u = udp_of(s);

	if (u->proto == PORT_UDPLITE && (level == SOL_UDPLITE || level == SOL_UDP))
		return udplite_set_option(&u->lite, name, val, len);
	return inet_sock_setsockopt(s, level, name, val, len);
}

static int udp_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	struct udp_sock *u = udp_of(s);

	if (u->proto == PORT_UDPLITE && (level == SOL_UDPLITE || level == SOL_UDP))
		return udplite_get_option(&u->lite, name, val, len);
	return inet_sock_getsockopt(s, level, name, val, len);
}

static void udp_close(struct socket *s)
{
	struct udp_sock *u = udp_of(s);

	port_unbind(u->proto, &u->port);
	inet_sock_close(&u->i);
}

static void udp_free(struct socket *s)
{
	/* A sender that had found the socket may have queued one more. */
	inet_sock_close(inet_of(s));
}

static const struct socket_ops udp_ops = {
	.name = "UDP",
	.bind = udp_bind,
	.connect = udp_connect,
	.shutdown = inet_sock_shutdown,
	.getname = inet_sock_getname,
	.send = udp_send,
	.recv = inet_sock_recv,
	.poll = inet_sock_poll,
	.setsockopt = udp_setsockopt,
	.getsockopt = udp_getsockopt,
	.options_changed = udp_options_changed,
	.ioctl = inet_sock_ioctl,
	.close = udp_close,
	.free = udp_free,
};

int udp_create(int family, int protocol, struct socket **out)
{
	enum port_proto proto = protocol == IPPROTO_UDP ? PORT_UDP : PORT_UDPLITE;
	struct udp_sock *u = port_table(proto) ? kzalloc(sizeof(*u)) : NULL;

	if (!u)
		return -ENOBUFS;
	inet_sock_init(&u->i, &udp_ops, family, SOCK_DGRAM, protocol);
	list_init(&u->port.link);
	list_init(&u->port.active);
	u->port.socket = &u->i.s;
	u->proto = proto;
	*out = &u->i.s;
	return 0;
}
