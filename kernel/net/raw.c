/*
 * Raw sockets, and ICMP echo over lo. There are few of them, so they are one list under one lock,
 * which nothing but raw traffic takes.
 *
 * What is seen: raw packets of this host's own and ICMP's answers to them, and whatever a wire
 * hands to raw_input(). Fused TCP and UDP over lo make no packets, so raw sockets of those
 * protocols hear nothing of them.
 */
#include "kernel/net/raw.h"

#include <string.h>

#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/mm/mm.h"
#include "kernel/net/iface.h"
#include "kernel/net/inet_sock.h"
#include "kernel/net/net.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/cred.h"

#define RAW_MAX	 65535U
#define ECHO_TTL 64 /* of an answer, whatever the request had */

LOCK_CLASS(raw_list, RANK_PORT);

struct raw_sock {
	struct inet_sock i;
	struct list link; /* [L:lock] */
	bool header;	  /* [a] IP_HDRINCL */
	int sum_at;    /* [a] IPV6_CHECKSUM: where the kernel fills and checks it; < 0: nowhere */
	u32 filter[8]; /* [a] ICMP types that are not wanted, a bit each */
};

static struct spinlock lock = SPINLOCK_INIT(raw_list_class);
static struct list socks = LIST_INIT(socks);

static struct raw_sock *raw_of(struct socket *s)
{
	return container_of(s, struct raw_sock, i.s);
}

/* ---- receiving ---- */

static bool raw_filtered(const struct raw_sock *r, const struct dgram *d, u32 skip)
{
	u32 type;

	if ((r->i.s.protocol != IPPROTO_ICMP && r->i.s.protocol != IPPROTO_ICMPV6) || d->len <= skip)
		return false;
	type = d->data[skip];
	if (r->i.s.protocol == IPPROTO_ICMP && type >= 32)
		return false;
	return atomic_load_relaxed(&r->filter[type / 32]) >> (type % 32) & 1;
}

/* The sum over the pseudo header and the payload of an IPv6 packet: 0 if its checksum is right. */
static u16 raw6_sum(const struct dgram *d, u32 protocol)
{
	u32 tail[2] = {net32(d->len), net32(protocol)};
	u32 sum = inet_sum(0, d->remote.addr.b, 16);

	sum = inet_sum(sum, d->local.addr.b, 16);
	sum = inet_sum(sum, tail, sizeof(tail));
	return inet_sum_fold(inet_sum(sum, d->data, d->len));
}

/* Context: `at` + 2 bytes are there. */
static void raw6_fill_sum(struct dgram *d, u32 protocol, u32 at)
{
	u16 sum = 0;

	memcpy(d->data + at, &sum, sizeof(sum));
	sum = raw6_sum(d, protocol);
	memcpy(d->data + at, &sum, sizeof(sum));
}

static bool raw_wants(struct raw_sock *r, const struct dgram *d, int protocol)
{
	bool v4 = inet_is_v4(&d->local.addr);

	if (r->i.s.protocol != (u32)protocol || (r->i.s.family == AF_INET) != v4)
		return false;
	if (!inet_is_any(&r->i.local.addr) && !inet_equal(&r->i.local.addr, &d->local.addr))
		return false;
	if (r->i.connected && !inet_equal(&r->i.remote.addr, &d->remote.addr))
		return false;
	if (!v4 && atomic_load_relaxed(&r->sum_at) >= 0 && raw6_sum(d, (u32)protocol))
		return false;
	if (inet_is_multicast(&d->local.addr) && !multicast_wanted(&r->i, d))
		return false;
	return !raw_filtered(r, d, v4 ? sizeof(struct abi_iphdr) : 0);
}

static struct dgram *dgram_copy(const struct dgram *d)
{
	struct dgram *c = dgram_alloc(d->len);

	if (!c)
		return NULL;
	c->local = d->local;
	c->remote = d->remote;
	c->ttl = d->ttl;
	c->tos = d->tos;
	c->iface = d->iface;
	memcpy(c->data, d->data, d->len);
	return c;
}

bool raw_input(const struct dgram *d, int protocol)
{
	struct raw_sock *r;
	bool wanted = false;

	spin_lock(&lock);
	list_for_each(r, &socks, link) {
		struct dgram *c;

		if (!raw_wants(r, d, protocol))
			continue;
		wanted = true;
		c = dgram_copy(d);
		if (c)
			inet_sock_deliver(&r->i, c);
	}
	spin_unlock(&lock);
	return wanted;
}

bool raw_any(void)
{
	return atomic_load_relaxed(&socks.next) != &socks;
}

void raw_for_each(void (*fn)(struct inet_sock *i, void *arg), void *arg)
{
	struct raw_sock *r;

	spin_lock(&lock);
	list_for_each(r, &socks, link)
		fn(&r->i, arg);
	spin_unlock(&lock);
}

/* ---- ICMP over lo ---- */

static void swap_ends(struct dgram *d)
{
	struct inet_end e = d->local;

	d->local = d->remote;
	d->remote = e;
}

/* Turns an echo request into its reply; false if `d` is none. `d` begins with an IP header if v4. */
static bool icmp_echo(struct dgram *d, int protocol)
{
	bool v4 = protocol == IPPROTO_ICMP;
	u32 skip = v4 ? sizeof(struct abi_iphdr) : 0;
	struct abi_icmphdr *h = (struct abi_icmphdr *)(d->data + skip);
	struct abi_iphdr *ip = (struct abi_iphdr *)d->data;

	if ((!v4 && protocol != IPPROTO_ICMPV6) || d->len < skip + sizeof(*h))
		return false;
	if (h->type != (v4 ? ICMP_ECHO : ICMPV6_ECHO_REQUEST))
		return false;
	if (v4 ? inet_sum_fold(inet_sum(0, h, d->len - skip)) : raw6_sum(d, IPPROTO_ICMPV6))
		return false;
	net_count(ICMP_IN_MSGS);
	net_count(ICMP_IN_ECHOS);
	net_count(ICMP_OUT_ECHO_REPS);
	swap_ends(d);
	d->ttl = ECHO_TTL;
	if (!v4) {
		h->type = ICMPV6_ECHO_REPLY;
		raw6_fill_sum(d, IPPROTO_ICMPV6, offsetof(struct abi_icmphdr, checksum));
		return true;
	}
	h->type = ICMP_ECHOREPLY;
	h->checksum = 0;
	h->checksum = inet_sum_fold(inet_sum(0, h, d->len - skip));
	ip->saddr = d->remote.addr.w[3];
	ip->daddr = d->local.addr.w[3];
	ip->ttl = ECHO_TTL;
	ip->check = 0;
	ip->check = inet_sum_fold(inet_sum(0, ip, sizeof(*ip)));
	return true;
}

static void raw_send_local(struct dgram *d, int protocol)
{
	if (unlikely(!net_lo_is_up()))
		return;
	net_lo_count(1, d->len);
	net_count(IP_IN_RECEIVES);
	raw_input(d, protocol);
	if (icmp_echo(d, protocol)) {
		net_lo_count(1, d->len);
		raw_input(d, protocol);
	}
}

/* ---- sending ---- */

static void ip_header(const struct raw_sock *r, const struct inet_flow *flow, struct dgram *d)
{
	struct abi_iphdr *ip = (struct abi_iphdr *)d->data;
	static u32 next_id; /* [a] */

	*ip = (struct abi_iphdr){
		.version_ihl = 0x45,
		.tos = (u8)r->i.inet.tos,
		.tot_len = net16((u16)d->len),
		.id = net16((u16)atomic_fetch_add_relaxed(&next_id, 1)),
		.ttl = d->ttl,
		.protocol = (u8)r->i.s.protocol,
		.saddr = flow->local.addr.w[3],
		.daddr = flow->remote.addr.w[3],
	};
	ip->check = inet_sum_fold(inet_sum(0, ip, sizeof(*ip)));
}

/* The packet: header and payload. */
static struct dgram *raw_packet(struct raw_sock *r, struct sock_msg *m, const struct inet_flow *flow)
{
	bool header = r->i.s.family == AF_INET && !r->header;
	int sum_at = r->i.s.family == AF_INET6 ? atomic_load_relaxed(&r->sum_at) : -1;
	u64 len = m->it->count, skip = header ? sizeof(struct abi_iphdr) : 0;
	struct dgram *d;

	if (sum_at >= 0 && (u64)sum_at + sizeof(u16) > len)
		return err_ptr(-EINVAL);
	d = dgram_alloc(len + skip);
	if (!d)
		return err_ptr(-ENOBUFS);
	if (len && iov_copy_in(d->data + skip, m->it, len) != (long)len) {
		dgram_put(d);
		return err_ptr(-EFAULT);
	}
	d->local = flow->remote;
	d->remote = flow->local;
	d->iface = flow->route.iface->index;
	d->ttl = inet_sock_ttl(&r->i, &flow->remote.addr);
	if (header)
		ip_header(r, flow, d);
	else if (sum_at >= 0)
		raw6_fill_sum(d, r->i.s.protocol, (u32)sum_at);
	return d;
}

static long raw_send(struct socket *s, struct sock_msg *m)
{
	struct raw_sock *r = raw_of(s);
	u64 len = m->it->count;
	struct inet_flow flow;
	struct dgram *d;
	int err = 0;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (len > RAW_MAX - (r->header ? 0 : sizeof(struct abi_iphdr)))
		return -EMSGSIZE;
	if (r->header && len < sizeof(struct abi_iphdr))
		return -EINVAL;
	err = inet_sock_flow(&r->i, m, &flow);
	if (err)
		return err;
	d = raw_packet(r, m, &flow);
	if (is_err(d))
		return ptr_err(d);
	net_count(IP_OUT_REQUESTS);
	if (flow.route.local) {
		raw_send_local(d, (int)s->protocol);
	} else {
		swap_ends(d);
		err = flow.route.iface->ops->raw_send(d, (int)s->protocol, s->family == AF_INET);
	}
	dgram_put(d);
	return err ? err : (long)len;
}

/* ---- names and options ---- */

static int raw_bind(struct socket *s, const struct sock_name *name)
{
	struct raw_sock *r = raw_of(s);
	struct inet_end e;
	int err = inet_bind_check(s->family, name, false, false, true, &e);

	/* The port means nothing here, so it needs no right either. */
	if (err && err != -EACCES)
		return err;
	e.port = (u16)s->protocol;
	mutex_lock(&s->lock);
	spin_lock(&lock);
	r->i.local = e;
	r->i.bound_addr = e.addr;
	spin_unlock(&lock);
	mutex_unlock(&s->lock);
	return 0;
}

static int raw_connect(struct socket *s, const struct sock_name *name, bool nonblock)
{
	struct raw_sock *r = raw_of(s);
	struct inet_end to = {0};
	struct net_route route = {0};
	bool connect = name->len >= sizeof(u16) && name->family != AF_UNSPEC;
	int err = connect ? inet_end_from_name(s->family, name, false, &to) : 0;

	(void)nonblock;
	if (name->len < sizeof(u16))
		return -EINVAL;
	if (connect && !err)
		err = inet_sock_route(&r->i, &to.addr, atomic_load_relaxed(&s->bound_if), &route);
	if (err)
		return err;
	mutex_lock(&s->lock);
	spin_lock(&lock);
	r->i.remote = to;
	r->i.connected = connect;
	if (inet_is_any(&r->i.bound_addr))
		r->i.local.addr = connect ? route.source : r->i.bound_addr;
	spin_unlock(&lock);
	mutex_unlock(&s->lock);
	return 0;
}

/* RFC 3542, 3.1: on the sockets of ICMPv6 the option is one of raw sockets, not of IPv6. */
static int set_checksum(struct raw_sock *r, int level, int at)
{
	if (level == SOL_IPV6 && r->i.s.protocol == IPPROTO_ICMPV6)
		return -EINVAL;
	if (at > 0 && at % 2)
		return -EINVAL;
	atomic_store_relaxed(&r->sum_at, at < 0 ? -1 : at);
	return 0;
}

static bool is_checksum(const struct socket *s, int level, int name)
{
	return name == IPV6_CHECKSUM && s->family == AF_INET6 &&
	       (level == SOL_RAW || level == SOL_IPV6);
}

static int raw_setsockopt(struct socket *s, int level, int name, const void *val, u32 len)
{
	struct raw_sock *r = raw_of(s);
	int v;

	if (level == SOL_IP && name == IP_HDRINCL && s->family == AF_INET) {
		if (sockopt_int(val, len, &v))
			return -EINVAL;
		r->header = v != 0;
		return 0;
	}
	if (is_checksum(s, level, name))
		return sockopt_int(val, len, &v) ? -EINVAL : set_checksum(r, level, v);
	if (level == SOL_RAW && name == ICMP_FILTER && s->protocol == IPPROTO_ICMP) {
		memcpy(r->filter, val, MIN(len, (u32)sizeof(u32)));
		return 0;
	}
	if (level == IPPROTO_ICMPV6 && name == ICMPV6_FILTER && s->protocol == IPPROTO_ICMPV6) {
		memcpy(r->filter, val, MIN(len, (u32)sizeof(r->filter)));
		return 0;
	}
	return inet_sock_setsockopt(s, level, name, val, len);
}

static int raw_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	struct raw_sock *r = raw_of(s);

	if (level == SOL_IP && name == IP_HDRINCL && s->family == AF_INET)
		return sockopt_put_int(val, len, r->header);
	if (is_checksum(s, level, name))
		return sockopt_put_int(val, len, atomic_load_relaxed(&r->sum_at));
	if (level == SOL_RAW && name == ICMP_FILTER && s->protocol == IPPROTO_ICMP)
		return sockopt_put_int(val, len, (int)r->filter[0]);
	return inet_sock_getsockopt(s, level, name, val, len);
}

static void raw_close(struct socket *s)
{
	struct raw_sock *r = raw_of(s);

	spin_lock(&lock);
	list_del(&r->link);
	spin_unlock(&lock);
	inet_sock_close(&r->i);
}

static void raw_free(struct socket *s)
{
	inet_sock_close(inet_of(s));
}

static const struct socket_ops raw_ops = {
	.name = "RAW",
	.bind = raw_bind,
	.connect = raw_connect,
	.shutdown = inet_sock_shutdown,
	.getname = inet_sock_getname,
	.send = raw_send,
	.recv = inet_sock_recv,
	.poll = inet_sock_poll,
	.setsockopt = raw_setsockopt,
	.getsockopt = raw_getsockopt,
	.ioctl = inet_sock_ioctl,
	.close = raw_close,
	.free = raw_free,
};

int raw_create(int family, int protocol, struct socket **out)
{
	struct raw_sock *r;

	if (protocol <= 0 || protocol > 255)
		return protocol ? -EINVAL : -EPROTONOSUPPORT;
	if (!capable(CAP_NET_RAW))
		return -EPERM;
	r = kzalloc(sizeof(*r));
	if (!r)
		return -ENOBUFS;
	inet_sock_init(&r->i, &raw_ops, family, SOCK_RAW, protocol);
	r->header = protocol == IPPROTO_RAW;
	r->sum_at = protocol == IPPROTO_ICMPV6 ? (int)offsetof(struct abi_icmphdr, checksum) : -1;
	r->i.local.port = (u16)protocol;
	spin_lock(&lock);
	list_add_tail(&socks, &r->link);
	spin_unlock(&lock);
	*out = &r->i.s;
	return 0;
}
