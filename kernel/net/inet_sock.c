/*
 * What UDP and raw sockets share; inet_sock.h tells the rules.
 */
#include "kernel/net/inet_sock.h"

#include <string.h>

#include "abi/errno.h"
#include "abi/netdevice.h"
#include "abi/time.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/sync/atomic.h"
#include "kernel/time/time.h"

#define ERROR_PAYLOAD 128U /* bytes of the datagram that an error report shows */
#define ERROR_LIMIT   65536U

void inet_sock_init(struct inet_sock *i, const struct socket_ops *ops, int family, int type,
		    int protocol)
{
	socket_init(&i->s, ops, family, type, protocol);
	i->local.addr = family == AF_INET ? inet_any_v4 : inet_any_v6;
	i->remote.addr = i->local.addr;
	i->bound_addr = i->local.addr;
	inet_options_init(&i->inet);
	dgram_queue_init(&i->queue);
	dgram_queue_init(&i->errors);
}

void inet_sock_close(struct inet_sock *i)
{
	multicast_close(i);
	dgram_queue_close(&i->queue);
	dgram_queue_close(&i->errors);
}

/* ---- sending ---- */

/* IP_PKTINFO and IPV6_PKTINFO of a send choose the source and the interface. */
static int flow_control(struct inet_sock *i, struct sock_msg *m, struct inet_addr *source, u32 *iface)
{
	struct abi_cmsghdr head;
	struct abi_in_pktinfo v4;
	struct abi_in6_pktinfo v6;
	const void *data;
	u64 pos = 0;
	int err;

	while (cmsg_next(m->control, &pos, &head, &data, &err)) {
		if (head.cmsg_level == SOL_SOCKET)
			return -EINVAL;
		if (head.cmsg_level == SOL_IP && head.cmsg_type == IP_PKTINFO &&
		    head.cmsg_len == sizeof(v4)) {
			memcpy(&v4, data, sizeof(v4));
			*iface = (u32)v4.ipi_ifindex;
			*source = inet_addr_v4(v4.ipi_spec_dst.s_addr);
		} else if (head.cmsg_level == SOL_IPV6 && head.cmsg_type == IPV6_PKTINFO &&
			   i->s.family == AF_INET6 && head.cmsg_len >= 20) {
			memcpy(&v6, data, sizeof(v6));
			*iface = (u32)v6.ipi6_ifindex;
			memcpy(source->b, v6.ipi6_addr, sizeof(source->b));
		} else {
			return -EINVAL;
		}
	}
	return err;
}

static int flow_remote(struct inet_sock *i, struct sock_msg *m, struct inet_end *to)
{
	int err;

	if (!m->name) {
		if (!atomic_load_relaxed(&i->connected))
			return -EDESTADDRREQ;
		*to = i->remote;
		return 0;
	}
	err = inet_end_from_name(i->s.family, m->name, true, to);
	if (err)
		return err;
	if (inet_is_v4(&to->addr) && i->s.family == AF_INET6 && atomic_load_relaxed(&i->v6only))
		return -ENETUNREACH;
	if (inet_is_any(&to->addr))
		to->addr = inet_is_v4(&to->addr) ? inet_loopback_v4 : inet_loopback_v6;
	return 0;
}

int inet_sock_route(struct inet_sock *i, const struct inet_addr *to, u32 bound_if,
		    struct net_route *out)
{
	bool group = inet_is_multicast(to), v4 = inet_is_v4(to);
	u32 source = atomic_load_relaxed(&i->multicast.source);
	int err;

	if (group && !bound_if)
		bound_if = atomic_load_relaxed(&i->multicast.iface[!v4]);
	err = net_iface_for(to, bound_if, out);
	if (!err && group && v4 && source)
		out->source = inet_addr_v4(source);
	return err;
}

int inet_sock_flow(struct inet_sock *i, struct sock_msg *m, struct inet_flow *flow)
{
	u32 iface = atomic_load_relaxed(&i->s.bound_if);
	int err = flow_remote(i, m, &flow->remote);

	if (err)
		return err;
	flow->local = i->local;
	if (m->control) {
		err = flow_control(i, m, &flow->local.addr, &iface);
		if (err)
			return err;
	}
	if (net_is_broadcast(&flow->remote.addr) && !socket_flag(&i->s, SOCK_F_BROADCAST))
		return -EACCES;
	err = inet_sock_route(i, &flow->remote.addr, iface, &flow->route);
	if (err)
		return err;
	if (inet_is_any(&flow->local.addr) || inet_is_multicast(&flow->local.addr))
		flow->local.addr = flow->route.source;
	else if (inet_is_v4(&flow->local.addr) != inet_is_v4(&flow->remote.addr))
		return -ENETUNREACH;
	if (atomic_load_relaxed(&i->s.shutdown) & SOCK_SHUT_WR)
		return -EPIPE;
	return socket_take_error(&i->s);
}

/* ---- receiving ---- */

bool inet_sock_deliver(struct inet_sock *i, struct dgram *d)
{
	if (socket_flag(&i->s, SOCK_F_TIMESTAMP | SOCK_F_TIMESTAMPNS))
		d->time_ns = time_realtime_ns();
	if (dgram_queue_add(&i->queue, d, atomic_load_relaxed(&i->s.rcvbuf))) {
		dgram_put(d);
		return false;
	}
	socket_wake(&i->s, POLL_EVENT_READ);
	return true;
}

void inet_sock_icmp_error(struct inet_sock *i, const struct inet_end *to, const struct dgram *sent,
			  int error)
{
	bool v4 = inet_is_v4(&to->addr);
	bool queued = atomic_load_relaxed(&i->inet.flags) & INET_F_RECVERR;

	if (queued) {
		u32 len = MIN(sent->len, ERROR_PAYLOAD);
		struct dgram *d = dgram_alloc(len);

		if (!d)
			return;
		memcpy(d->data, sent->data, len);
		d->remote = *to;
		d->ttl = v4 ? ICMP_DEST_UNREACH : ICMPV6_DEST_UNREACH;
		d->tos = v4 ? ICMP_PORT_UNREACH : ICMPV6_PORT_UNREACH;
		if (dgram_queue_add(&i->errors, d, ERROR_LIMIT))
			dgram_put(d);
	} else if (!atomic_load_relaxed(&i->connected)) {
		return;
	}
	socket_fail(&i->s, error);
}

static int put_int(struct sock_msg *m, int level, int type, int v)
{
	return cmsg_put(m, level, type, &v, sizeof(v));
}

static int put_time(struct socket *s, struct sock_msg *m, const struct dgram *d)
{
	s64 sec = (s64)(d->time_ns / NSEC_PER_SEC), ns = (s64)(d->time_ns % NSEC_PER_SEC);
	struct abi_timeval tv = {sec, ns / NSEC_PER_USEC};
	struct abi_timespec ts = {sec, ns};

	if (!d->time_ns)
		return 0;
	if (socket_flag(s, SOCK_F_TIMESTAMP))
		return cmsg_put(m, SOL_SOCKET, ABI_SO_TIMESTAMP_OLD, &tv, sizeof(tv));
	if (socket_flag(s, SOCK_F_TIMESTAMPNS))
		return cmsg_put(m, SOL_SOCKET, ABI_SO_TIMESTAMPNS_OLD, &ts, sizeof(ts));
	return 0;
}

static int put_v4(struct inet_sock *i, struct sock_msg *m, const struct dgram *d, u32 flags)
{
	struct abi_in_pktinfo info = {(s32)d->iface, {d->local.addr.w[3]}, {d->local.addr.w[3]}};
	u8 tos = d->tos;
	int err = 0;

	(void)i;
	if (flags & INET_F_PKTINFO)
		err = cmsg_put(m, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	if (!err && (flags & INET_F_RECVTTL))
		err = put_int(m, SOL_IP, IP_TTL, d->ttl);
	if (!err && (flags & INET_F_RECVTOS))
		err = cmsg_put(m, SOL_IP, IP_TOS, &tos, sizeof(tos));
	return err;
}

static int put_v6(struct sock_msg *m, const struct dgram *d, u32 flags)
{
	struct abi_in6_pktinfo info = {.ipi6_ifindex = (s32)d->iface};
	int err = 0;

	memcpy(info.ipi6_addr, d->local.addr.b, sizeof(info.ipi6_addr));
	if (flags & INET_F_PKTINFO6)
		err = cmsg_put(m, SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	if (!err && (flags & INET_F_RECVHOPLIMIT))
		err = put_int(m, SOL_IPV6, IPV6_HOPLIMIT, d->ttl);
	if (!err && (flags & INET_F_RECVTCLASS))
		err = put_int(m, SOL_IPV6, IPV6_TCLASS, d->tos);
	if (!err && (flags & INET_F_2292PKTINFO))
		err = cmsg_put(m, SOL_IPV6, IPV6_2292PKTINFO, &info, sizeof(info));
	if (!err && (flags & INET_F_2292HOPLIMIT))
		err = put_int(m, SOL_IPV6, IPV6_2292HOPLIMIT, d->ttl);
	return err;
}

static int put_control(struct inet_sock *i, struct sock_msg *m, const struct dgram *d)
{
	u32 flags = atomic_load_relaxed(&i->inet.flags);
	int err;

	if (!m->sink)
		return 0;
	err = put_time(&i->s, m, d);
	if (!err && inet_is_v4(&d->remote.addr))
		err = put_v4(i, m, d, flags);
	if (!err && i->s.family == AF_INET6)
		err = put_v6(m, d, flags);
	return err;
}

/* MSG_ERRQUEUE: the oldest report. */
static long recv_error(struct inet_sock *i, struct sock_msg *m)
{
	struct dgram *d = dgram_queue_get(&i->errors, true);
	bool v4;
	struct {
		struct abi_sock_extended_err err;
		u8 offender[sizeof(struct abi_sockaddr_in6)];
	} report = {0};
	u64 copy;
	long ret;

	if (!d)
		return -EAGAIN;
	v4 = inet_is_v4(&d->remote.addr);
	report.err = (struct abi_sock_extended_err){
		.ee_errno = ECONNREFUSED,
		.ee_origin = v4 ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6,
		.ee_type = d->ttl,
		.ee_code = d->tos,
	};
	copy = MIN((u64)d->len, m->it->count);
	m->out_flags |= MSG_ERRQUEUE | (copy < d->len ? MSG_TRUNC : 0);
	ret = copy ? iov_copy_out(m->it, d->data, copy) : 0;
	if (m->name)
		inet_end_to_name(i->s.family, &d->remote, m->name);
	if (ret >= 0 && m->sink &&
	    cmsg_put(m, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, &report,
		     sizeof(report.err) + (v4 ? 16 : sizeof(report.offender))))
		ret = -EFAULT;
	dgram_put(d);
	return ret;
}

long inet_sock_recv(struct socket *s, struct sock_msg *m)
{
	struct inet_sock *i = inet_of(s);
	struct dgram *d;
	long ret;

	if (m->flags & MSG_ERRQUEUE)
		return recv_error(i, m);
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->name)
		m->name->len = 0;
	ret = dgram_recv(s, &i->queue, m, &d);
	if (!d)
		return ret;
	if (m->name)
		inet_end_to_name(s->family, &d->remote, m->name);
	if (put_control(i, m, d))
		ret = -EFAULT;
	dgram_put(d);
	return ret;
}

/* ---- the rest ---- */

PollEvent inet_sock_poll(struct socket *s)
{
	struct inet_sock *i = inet_of(s);
	u32 shut = atomic_load_relaxed(&s->shutdown);
	PollEvent events = POLL_EVENT_WRITE;

	if (atomic_load_relaxed(&s->error) || !dgram_queue_empty(&i->errors))
		events |= POLL_EVENT_ERR;
	if (shut & SOCK_SHUT_RD)
		events |= POLL_EVENT_READ | POLL_EVENT_RDHUP;
	if (shut == SOCK_SHUT_ALL)
		events |= POLL_EVENT_HUP;
	if (!dgram_queue_empty(&i->queue))
		events |= POLL_EVENT_READ;
	return events;
}

int inet_sock_getname(struct socket *s, struct sock_name *out, bool peer)
{
	struct inet_sock *i = inet_of(s);

	if (peer && !atomic_load_relaxed(&i->connected))
		return -ENOTCONN;
	inet_end_to_name(s->family, peer ? &i->remote : &i->local, out);
	return 0;
}

int inet_sock_shutdown(struct socket *s, int how)
{
	atomic_fetch_or(&s->shutdown, (u32)how + 1);
	socket_wake_all(s);
	return atomic_load_relaxed(&inet_of(s)->connected) ? 0 : -ENOTCONN;
}

long inet_sock_ioctl(struct socket *s, u32 cmd, u64 arg)
{
	struct inet_sock *i = inet_of(s);
	struct dgram *d;
	u32 v = 0;

	switch (cmd) {
	case SIOCINQ:
		d = dgram_queue_get(&i->queue, false);
		if (d) {
			v = d->len;
			dgram_put(d);
		}
		break;
	case SIOCOUTQ:
		break;
	default:
		return -ENOTTY;
	}
	return user_store_u32((u32 __user *)(uintptr_t)arg, v);
}

int inet_sock_setsockopt(struct socket *s, int level, int name, const void *val, u32 len)
{
	struct inet_sock *i = inet_of(s);
	int v, err;

	err = multicast_set_option(i, level, name, val, len);
	if (err != -ENOPROTOOPT)
		return err;
	if (level != SOL_IPV6 || s->family != AF_INET6 || name != IPV6_V6ONLY)
		return inet_set_option(&i->inet, s->family, level, name, val, len);
	err = sockopt_int(val, len, &v);
	if (err)
		return err;
	if (i->local.port)
		return -EINVAL;
	atomic_store_relaxed(&i->v6only, v != 0);
	return 0;
}

int inet_sock_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	struct inet_sock *i = inet_of(s);
	int err = multicast_get_option(i, level, name, val, len);

	if (err != -ENOPROTOOPT)
		return err;
	if (level == SOL_IPV6 && s->family == AF_INET6 && name == IPV6_V6ONLY)
		return sockopt_put_int(val, len, (int)atomic_load_relaxed(&i->v6only));
	return inet_get_option(&i->inet, s->family, level, name, val, len);
}
