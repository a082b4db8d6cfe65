/*
 * Sock_diag of TCP, UDP and raw sockets.
 *
 * A dump goes through the port table (listeners, UDP) or the connection table (TCP) and remembers
 * which chain and which place in it is next: what is closed between two pieces may make it miss another
 * one, as on Linux. Facts are copied under the chain's lock. A connection over lo is asked there, too:
 * while its tuple is linked both ends are whole. Who else carries connections may sleep when asked, so
 * that is done later, with a reference.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/system.h"
#include "abi/tcp.h"
#include "kernel/net/net.h"
#include "kernel/net/raw.h"
#include "kernel/net/sock_diag.h"
#include "kernel/net/tcp.h"
#include "kernel/net/tuple.h"
#include "kernel/net/udp.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/cred.h"
#include "kernel/time/time.h"

#define PORTS	  65536U
#define REPLY_MAX 1024U

#define TIMER_TIME_WAIT 3 /* idiag_timer */

/* What is known of one socket. */
struct diag_entry {
	struct socket *s;     /* a reference, or NULL: a TIME_WAIT record */
	struct tcp_sock *tcp; /* of a connection that was not asked yet, or NULL */
	u8 family, state, timer;
	bool has_info;
	struct inet_end local, remote;
	u32 expires, rqueue, wqueue, drops;
	struct abi_tcp_info info;
	const struct inet_options *options;
	bool v6only;
};

/* The position of a walk: the n-th of a chain is wanted, `seen` were passed. */
struct diag_walk {
	struct diag_entry *e;
	u32 want, seen;
	bool found;
};

/* True if this is the one that is wanted. Context: the chain's lock is held. */
static bool walk_hit(struct diag_walk *w)
{
	w->found = w->seen++ == w->want;
	return w->found;
}

static bool take_socket(struct diag_entry *e, struct socket *s)
{
	if (!refcount_get_unless_zero(&s->refs))
		return false;
	e->s = s;
	e->family = (u8)s->family;
	return true;
}

/* ---- TCP ---- */

static bool see_listener(struct port_owner *o, void *arg)
{
	struct diag_walk *w = arg;
	struct tcp_sock *t = tcp_of(o->socket);
	struct tcp_listener *l = t->listener;
	struct diag_entry *e = w->e;

	if (!o->listening || !l || !walk_hit(w))
		return true;
	if (!take_socket(e, &t->s))
		return false;
	e->state = ABI_TCP_LISTEN;
	e->local = t->local;
	e->rqueue = atomic_load_relaxed(&l->nr_ready);
	e->wqueue = atomic_load_relaxed(&l->backlog);
	e->options = &t->inet;
	e->v6only = tcp_flag(t, TCP_F_V6ONLY);
	return false;
}

static void see_time_wait(struct diag_entry *e, const struct tuple_node *n)
{
	struct time_wait *tw = container_of(n, struct time_wait, node);
	u64 end = atomic_load_relaxed(&tw->started) + TIME_WAIT_SECONDS * time_freq, now = time_now();

	e->family = inet_is_v4(&n->tuple.local.addr) ? AF_INET : AF_INET6;
	e->state = (u8)atomic_load_relaxed(&tw->state);
	e->timer = TIMER_TIME_WAIT;
	e->expires = end > now ? (u32)((end - now) * 1000 / time_freq) : 0;
}

static void ask_connection(struct diag_entry *e, struct tcp_sock *t)
{
	const struct tcp_path *path = atomic_load_acquire(&t->path);

	if (!path)
		return;
	e->rqueue = path->unread(t);
	/* Over lo all that was sent has arrived. */
	e->wqueue = path == &tcp_local_path ? 0 : path->unsent(t);
	path->info(t, &e->info);
	e->info.tcpi_state = e->state;
	e->has_info = true;
}

static void see_connection(const struct tuple_node *n, void *arg)
{
	struct diag_walk *w = arg;
	struct diag_entry *e = w->e;
	struct tcp_sock *t = n->sock;

	if (w->found || !walk_hit(w))
		return;
	e->local = n->tuple.local;
	e->remote = n->tuple.remote;
	if (!t) {
		see_time_wait(e, n);
		return;
	}
	if (!take_socket(e, &t->s))
		return;
	e->state = (u8)tcp_state(t);
	e->options = &t->inet;
	if (t->path == &tcp_local_path && e->state != ABI_TCP_SYN_SENT && t->peer)
		ask_connection(e, t);
	else if (t->path && t->path != &tcp_local_path)
		e->tcp = t;
}

/* ---- UDP, raw ---- */

static bool see_datagrams(struct diag_walk *w, struct inet_sock *i)
{
	struct diag_entry *e = w->e;

	if (!walk_hit(w) || !take_socket(e, &i->s))
		return !w->found;
	e->state = i->connected ? ABI_TCP_ESTABLISHED : ABI_TCP_CLOSE;
	e->local = i->local;
	e->remote = i->remote;
	e->rqueue = (u32)atomic_load_relaxed(&i->queue.bytes);
	e->drops = (u32)atomic_load_relaxed(&i->queue.drops);
	e->options = &i->inet;
	e->v6only = atomic_load_relaxed(&i->v6only);
	return false;
}

static bool see_udp(struct port_owner *o, void *arg)
{
	return see_datagrams(arg, &container_of(o, struct udp_sock, port)->i);
}

static void see_raw(struct inet_sock *i, void *arg)
{
	struct diag_walk *w = arg;

	if (!w->found && see_datagrams(w, i))
		return;
	if (w->found && w->e->s == &i->s)
		w->e->local.port = (u16)i->s.protocol; /* as Linux shows it */
}

/* ---- the walk ---- */

/* What a dump asks for, in nl_dump.args. */
enum { ARG_PROTOCOL, ARG_FAMILY, ARG_STATES, ARG_PORTS, ARG_EXT, ARG_NR };

/* The tables of a protocol, one after the other: at[0] says which, at[1] the chain, at[2] the place. */
static u32 tables(u32 protocol)
{
	return protocol == IPPROTO_TCP ? 2 : 1;
}

static u32 chains(u32 protocol, u32 table)
{
	if (protocol == IPPROTO_RAW)
		return 1;
	return table ? tuple_chains() : PORTS;
}

static bool walk_chain(struct nl_dump *d, struct diag_entry *e)
{
	struct diag_walk w = {.e = e, .want = d->at[2]};

	*e = (struct diag_entry){0};
	if (d->args[ARG_PROTOCOL] == IPPROTO_RAW)
		raw_for_each(see_raw, &w);
	else if (d->args[ARG_PROTOCOL] == IPPROTO_UDP)
		port_for_each(PORT_UDP, (u16)d->at[1], see_udp, &w);
	else if (d->at[0])
		tuple_for_each(d->at[1], see_connection, &w);
	else
		port_for_each(PORT_TCP, (u16)d->at[1], see_listener, &w);
	return w.found;
}

/* The entry at the position of `d`, which it moves to the next one that there is; false: the end. */
static bool walk_next(struct nl_dump *d, struct diag_entry *e)
{
	for (; d->at[0] < tables(d->args[ARG_PROTOCOL]); d->at[0]++, d->at[1] = 0) {
		u32 nr = chains(d->args[ARG_PROTOCOL], d->at[0]);

		for (; d->at[1] < nr; d->at[1]++, d->at[2] = 0)
			if (walk_chain(d, e))
				return true;
	}
	return false;
}

static void entry_put(struct diag_entry *e)
{
	if (e->s)
		socket_put(e->s);
}

/* ---- messages ---- */

static void put_id(struct abi_inet_diag_sockid *id, const struct diag_entry *e)
{
	bool v4 = e->family == AF_INET;

	id->idiag_sport = net16(e->local.port);
	id->idiag_dport = net16(e->remote.port);
	memcpy(id->idiag_src, v4 ? &e->local.addr.b[12] : e->local.addr.b, v4 ? 4 : 16);
	memcpy(id->idiag_dst, v4 ? &e->remote.addr.b[12] : e->remote.addr.b, v4 ? 4 : 16);
	if (!e->s)
		return;
	id->idiag_if = atomic_load_relaxed(&e->s->bound_if);
	id->idiag_cookie[0] = (u32)e->s->ino;
	id->idiag_cookie[1] = (u32)(e->s->ino >> 32);
}

static bool wanted(u32 ext, u32 attribute)
{
	return ext >> (attribute - 1) & 1;
}

static void put_attributes(struct nl_buf *b, const struct diag_entry *e, u32 ext, u32 protocol)
{
	const struct socket *s = e->s;

	nl_put_u8(b, INET_DIAG_SHUTDOWN, (u8)atomic_load_relaxed(&s->shutdown));
	if (wanted(ext, INET_DIAG_TOS))
		nl_put_u8(b, INET_DIAG_TOS, (u8)e->options->tos);
	if (e->family == AF_INET6 && wanted(ext, INET_DIAG_TCLASS))
		nl_put_u8(b, INET_DIAG_TCLASS, (u8)e->options->tclass);
	if (e->family == AF_INET6 && (e->state == ABI_TCP_LISTEN || e->state == ABI_TCP_CLOSE))
		nl_put_u8(b, INET_DIAG_SKV6ONLY, e->v6only);
	if (capable(CAP_NET_ADMIN))
		nl_put_u32(b, INET_DIAG_MARK, s->mark);
	if (wanted(ext, INET_DIAG_SKMEMINFO))
		diag_put_memory(b, INET_DIAG_SKMEMINFO, s, e->rqueue, e->wqueue, e->drops);
	if (protocol == IPPROTO_TCP && wanted(ext, INET_DIAG_INFO))
		nl_put(b, INET_DIAG_INFO, &e->info, sizeof(e->info));
	if (protocol == IPPROTO_TCP && wanted(ext, INET_DIAG_CONG))
		nl_put_string(b, INET_DIAG_CONG, "reno");
}

static int put_entry(struct nl_buf *b, struct nl_dump *d, const struct diag_entry *e)
{
	struct abi_inet_diag_msg m = {.idiag_family = e->family,
				      .idiag_state = e->state,
				      .idiag_timer = e->timer,
				      .idiag_expires = e->expires,
				      .idiag_rqueue = e->rqueue,
				      .idiag_wqueue = e->wqueue};

	put_id(&m.id, e);
	if (e->s) {
		m.idiag_uid = e->s->uid;
		m.idiag_inode = e->s->file ? (u32)e->s->ino : 0;
	}
	nl_begin(b, SOCK_DIAG_BY_FAMILY, d->flags, d->portid, d->seq, &m, sizeof(m));
	if (e->s)
		put_attributes(b, e, d->args[ARG_EXT], d->args[ARG_PROTOCOL]);
	return nl_end(b);
}

/* ---- dumps ---- */

static bool port_fits(u32 asked, u16 port)
{
	return !asked || asked == port;
}

static bool shown(const struct nl_dump *d, const struct diag_entry *e)
{
	return e->family == d->args[ARG_FAMILY] && (d->args[ARG_STATES] >> e->state & 1) &&
	       port_fits(d->args[ARG_PORTS] >> 16, e->local.port) &&
	       port_fits(d->args[ARG_PORTS] & 0xffff, e->remote.port);
}

static int fill_sockets(struct nl_dump *d, struct nl_buf *b)
{
	struct diag_entry e;
	int err = 0;

	for (; !err && walk_next(d, &e); d->at[2] += !err) {
		if (shown(d, &e)) {
			if (e.tcp)
				ask_connection(&e, e.tcp);
			err = put_entry(b, d, &e);
		}
		entry_put(&e);
	}
	return err;
}

/* ---- one socket ---- */

static void get_end(struct inet_end *out, u8 family, const u8 *addr, u16 port)
{
	u32 v4;

	memcpy(&v4, addr, sizeof(v4));
	out->addr = inet_addr_v4(v4);
	if (family == AF_INET6)
		memcpy(out->addr.b, addr, sizeof(out->addr.b));
	out->port = net16(port);
}

static bool ends_fit(const struct diag_entry *e, const struct inet_end *local,
		     const struct inet_end *remote)
{
	return e->local.port == local->port && e->remote.port == remote->port &&
	       inet_equal(&e->local.addr, &local->addr) &&
	       (!remote->port || inet_equal(&e->remote.addr, &remote->addr));
}

static int find_socket(struct nl_dump *d, const struct abi_inet_diag_req *q, struct diag_entry *e)
{
	struct inet_end local, remote;

	get_end(&local, q->sdiag_family, q->id.idiag_src, q->id.idiag_sport);
	get_end(&remote, q->sdiag_family, q->id.idiag_dst, q->id.idiag_dport);
	for (; walk_next(d, e); d->at[2]++) {
		if (e->family == q->sdiag_family && ends_fit(e, &local, &remote))
			return !e->s || diag_cookie_fits(q->id.idiag_cookie, e->s) ? 0 : -ESTALE;
		entry_put(e);
	}
	e->s = NULL;
	return -ENOENT;
}

static int answer_one(struct nl_request *r, struct nl_dump *d, const struct abi_inet_diag_req *q)
{
	struct diag_entry e;
	struct nl_buf b;
	int err = find_socket(d, q, &e);

	d->portid = r->portid;
	d->seq = r->head->nlmsg_seq;
	if (!err)
		err = nl_buf_alloc(&b, REPLY_MAX);
	if (!err) {
		if (e.tcp)
			ask_connection(&e, e.tcp);
		err = nl_reply(r, &b, put_entry(&b, d, &e));
	}
	entry_put(&e);
	return err;
}

int inet_diag_request(struct nl_request *r)
{
	const struct abi_nlattr *attrs[2];
	struct nl_attrs a = {attrs, ARRAY_SIZE(attrs)};
	struct nl_dump d = {.fill = fill_sockets};
	struct abi_inet_diag_req q;
	int err = nl_parse(r, sizeof(q), &a);

	if (err)
		return err;
	memcpy(&q, r->body, sizeof(q));
	if (q.sdiag_protocol != IPPROTO_TCP && q.sdiag_protocol != IPPROTO_UDP &&
	    q.sdiag_protocol != IPPROTO_RAW)
		return -ENOENT;
	d.args[ARG_PROTOCOL] = q.sdiag_protocol;
	d.args[ARG_FAMILY] = q.sdiag_family;
	d.args[ARG_STATES] = q.idiag_states;
	d.args[ARG_PORTS] = (u32)net16(q.id.idiag_sport) << 16 | net16(q.id.idiag_dport);
	d.args[ARG_EXT] = q.idiag_ext;
	if (!(r->head->nlmsg_flags & NLM_F_DUMP))
		return answer_one(r, &d, &q);
	/* `ss` then reads /proc/net and filters itself. */
	if (a.at[INET_DIAG_REQ_BYTECODE])
		return -EOPNOTSUPP;
	return nl_dump_start(r, &d);
}
