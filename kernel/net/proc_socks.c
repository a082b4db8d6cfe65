/*
 * The sockets as /proc/net shows them: walks over the port table and the connection table, each
 * chain under its own lock.
 */
#include "kernel/net/proc_socks.h"

#include "kernel/fs/pseudo.h"
#include "kernel/net/net.h"
#include "kernel/net/raw.h"
#include "kernel/net/tcp.h"
#include "kernel/net/tuple.h"
#include "kernel/net/udp.h"
#include "kernel/net/unix.h"
#include "kernel/sync/atomic.h"

#define PORTS 65536U

/* What one walk collects. */
struct walk {
	struct seq *s; /* NULL: only count */
	u64 family;
	u64 nr;
	u64 nr_established;
};

static void put_end(struct seq *s, u64 family, const struct inet_end *e)
{
	if (family == AF_INET)
		seq_printf(s, "%08X:%04X ", e->addr.w[3], e->port);
	else
		seq_printf(s, "%08X%08X%08X%08X:%04X ", e->addr.w[0], e->addr.w[1], e->addr.w[2],
			   e->addr.w[3], e->port);
}

static void put_line(struct walk *w, const struct inet_end *local, const struct inet_end *remote,
		     u32 state, u32 sent, u32 unread, const struct socket *sk)
{
	struct seq *s = w->s;

	seq_printf(s, "%4lu: ", w->nr);
	put_end(s, w->family, local);
	put_end(s, w->family, remote);
	seq_printf(s, "%02X %08X:%08X 00:00000000 00000000 %5u        0 %lu %u 0000000000000000",
		   state, sent, unread, sk ? sk->uid : 0, sk ? sk->ino : 0UL,
		   sk ? atomic_load_relaxed(&sk->refs) : 3U);
}

static void put_tcp_header(struct seq *s, u64 family)
{
	seq_printf(s,
		   "  sl  local_address %s rem_address %s st tx_queue rx_queue tr tm->when "
		   "retrnsmt   uid  timeout inode\n",
		   family == AF_INET ? "" : "                        ",
		   family == AF_INET ? " " : "                        ");
}

static bool show_listener(struct port_owner *o, void *arg)
{
	struct walk *w = arg;
	struct tcp_sock *t = tcp_of(o->socket);
	struct tcp_listener *l = t->listener;

	if (!o->listening || t->s.family != w->family)
		return true;
	if (w->s) {
		put_line(w, &t->local, &t->remote, ABI_TCP_LISTEN, 0,
			 l ? atomic_load_relaxed(&l->nr_ready) : 0, &t->s);
		seq_puts(w->s, " 100 0 0 10 0\n");
	}
	w->nr++;
	return true;
}

/* Bytes that the peer has not acknowledged, and that the program has not read. */
static void queues(struct tcp_sock *t, u32 *sent, u32 *unread)
{
	const struct tcp_path *path = atomic_load_acquire(&t->path);

	if (path && path != &tcp_local_path) {
		*sent = path->unsent(t);
		*unread = path->unread(t);
	} else {
		*unread = (u32)ring_used(&t->rx.ring);
	}
}

static void show_connection(const struct tuple_node *n, void *arg)
{
	struct walk *w = arg;
	const struct tuple *tu = &n->tuple;
	u32 state = n->sock ? tcp_state(n->sock) : ABI_TCP_TIME_WAIT;
	u64 family = inet_is_v4(&tu->local.addr) ? AF_INET : AF_INET6;

	if (n->sock)
		family = n->sock->s.family;
	if (family != w->family)
		return;
	if (state == ABI_TCP_ESTABLISHED || state == ABI_TCP_CLOSE_WAIT)
		w->nr_established++;
	if (w->s) {
		u32 sent = 0, unread = 0;

		if (n->sock)
			queues(n->sock, &sent, &unread);
		put_line(w, &tu->local, &tu->remote, state, sent, unread,
			 n->sock ? &n->sock->s : NULL);
		seq_puts(w->s, " 20 4 30 10 -1\n");
	}
	w->nr++;
}

/* The piece is long enough. */
static bool walk_full(const struct walk *w)
{
	return w->s && w->s->len >= SEQ_PIECE;
}

/* From place `at` on, of the ports and then the chains of connections: where it ended; 0: all are done. */
static u64 walk_tcp(struct walk *w, u64 at)
{
	u64 end = PORTS + tuple_chains();

	for (; at < end && !walk_full(w); at++) {
		if (at < PORTS)
			port_for_each(PORT_TCP, (u16)at, show_listener, w);
		else
			tuple_for_each((u32)(at - PORTS), show_connection, w);
	}
	return at < end ? at : 0;
}

/* The piece ends at place `at`, 0: and so does the text. */
static int walk_end(const struct walk *w, u64 at)
{
	w->s->at = at;
	w->s->nr = w->nr;
	w->s->more = at != 0;
	return 0;
}

int proc_show_tcp(struct seq *s, u64 family)
{
	struct walk w = {.s = s, .family = family, .nr = s->nr};

	if (!s->at)
		put_tcp_header(s, family);
	return walk_end(&w, walk_tcp(&w, s->at));
}

u64 proc_tcp_established(void)
{
	struct walk v4 = {.family = AF_INET}, v6 = {.family = AF_INET6};

	for (u32 i = 0; i < tuple_chains(); i++) {
		tuple_for_each(i, show_connection, &v4);
		tuple_for_each(i, show_connection, &v6);
	}
	return v4.nr_established + v6.nr_established;
}

static void put_datagram_line(struct walk *w, const struct inet_sock *i)
{
	put_line(w, &i->local, &i->remote, i->connected ? ABI_TCP_ESTABLISHED : ABI_TCP_CLOSE, 0,
		 (u32)atomic_load_relaxed(&i->queue.bytes), &i->s);
	seq_printf(w->s, " %lu\n", atomic_load_relaxed(&i->queue.drops));
}

static bool show_udp(struct port_owner *o, void *arg)
{
	struct walk *w = arg;
	struct udp_sock *u = container_of(o, struct udp_sock, port);

	if (u->i.s.family != w->family)
		return true;
	if (w->s)
		put_datagram_line(w, &u->i);
	w->nr++;
	return true;
}

static void put_datagram_header(struct seq *s, u64 family)
{
	seq_printf(s,
		   "   sl  local_address %s rem_address %s st tx_queue rx_queue tr tm->when "
		   "retrnsmt   uid  timeout inode ref pointer drops\n",
		   family == AF_INET ? "" : "                        ",
		   family == AF_INET ? " " : "                        ");
}

/* As walk_tcp(), of the ports. */
static u64 walk_udp(struct walk *w, enum port_proto proto, u64 at)
{
	for (; at < PORTS && !walk_full(w); at++)
		port_for_each(proto, (u16)at, show_udp, w);
	return at < PORTS ? at : 0;
}

int proc_show_udp(struct seq *s, u64 family)
{
	struct walk w = {.s = s, .family = family, .nr = s->nr};

	if (!s->at)
		put_datagram_header(s, family);
	return walk_end(&w, walk_udp(&w, PORT_UDP, s->at));
}

int proc_show_udplite(struct seq *s, u64 family)
{
	struct walk w = {.s = s, .family = family, .nr = s->nr};

	if (!s->at)
		put_datagram_header(s, family);
	return walk_end(&w, walk_udp(&w, PORT_UDPLITE, s->at));
}

static void show_raw(struct inet_sock *i, void *arg)
{
	struct walk *w = arg;

	if (i->s.family != w->family)
		return;
	if (w->s)
		put_datagram_line(w, i);
	w->nr++;
}

int proc_show_raw(struct seq *s, u64 family)
{
	struct walk w = {.s = s, .family = family};

	put_datagram_header(s, family);
	raw_for_each(show_raw, &w);
	return 0;
}

static void show_unix(struct unix_sock *u, void *arg)
{
	struct walk *w = arg;
	u32 state = atomic_load_relaxed(&u->state);
	const struct unix_name *n = atomic_load_acquire(&u->name);

	w->nr++;
	if (!w->s)
		return;
	/* Linux's numbers: 1 unconnected, 3 connected; the flag says listening. */
	seq_printf(w->s, "0000000000000000: %08X 00000000 %08X %04X %02X %5lu",
		   atomic_load_relaxed(&u->s.refs), state == UNIX_LISTEN ? 0x10000U : 0U, u->s.type,
		   state == UNIX_CONNECTED ? 3U : 1U, u->s.ino);
	if (n) {
		u32 len = n->name.len - (u32)sizeof(u16);
		bool abstract = n->name.bytes[2] == '\0';

		seq_puts(w->s, " ");
		for (u32 i = 0; i < len - (abstract ? 0 : 1); i++)
			seq_printf(w->s, "%c", n->name.bytes[2 + i] ? n->name.bytes[2 + i] : '@');
	}
	seq_puts(w->s, "\n");
}

int proc_show_unix(struct seq *s, u64 key)
{
	struct walk w = {.s = s};
	u64 at = s->at;

	(void)key;
	if (!at)
		seq_puts(s, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	for (; at < UNIX_BUCKETS && !walk_full(&w); at++)
		unix_for_each((u32)at, show_unix, &w);
	return walk_end(&w, at < UNIX_BUCKETS ? at : 0);
}

int proc_show_sockstat(struct seq *s, u64 key)
{
	struct walk tcp = {.family = AF_INET}, tcp6 = {.family = AF_INET6},
		    udp = {.family = AF_INET}, lite = udp, raw = udp;
	u64 waiting = time_wait_count();

	(void)key;
	walk_tcp(&tcp, 0);
	walk_tcp(&tcp6, 0);
	walk_udp(&udp, PORT_UDP, 0);
	walk_udp(&lite, PORT_UDPLITE, 0);
	raw_for_each(show_raw, &raw);
	seq_printf(s, "sockets: used %ld\n", socket_count());
	seq_printf(s, "TCP: inuse %lu orphan 0 tw %lu alloc %lu mem 0\n",
		   tcp.nr - MIN(waiting, tcp.nr), waiting,
		   tcp.nr + tcp6.nr - MIN(waiting, tcp.nr + tcp6.nr));
	seq_printf(s, "UDP: inuse %lu mem 0\nUDPLITE: inuse %lu\nRAW: inuse %lu\n", udp.nr, lite.nr,
		   raw.nr);
	seq_puts(s, "FRAG: inuse 0 memory 0\n");
	return 0;
}

int proc_show_sockstat6(struct seq *s, u64 key)
{
	struct walk tcp = {.family = AF_INET6}, udp = tcp, lite = tcp, raw = tcp;

	(void)key;
	walk_tcp(&tcp, 0);
	walk_udp(&udp, PORT_UDP, 0);
	walk_udp(&lite, PORT_UDPLITE, 0);
	raw_for_each(show_raw, &raw);
	seq_printf(s, "TCP6: inuse %lu\nUDP6: inuse %lu\nUDPLITE6: inuse %lu\nRAW6: inuse %lu\n",
		   tcp.nr, udp.nr, lite.nr, raw.nr);
	seq_puts(s, "FRAG6: inuse 0 memory 0\n");
	return 0;
}
