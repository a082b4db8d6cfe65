/*
 * How connections over the wire begin: connect(), and the SYNs that come for listening sockets.
 *
 * lwIP has one listening PCB for all of them: it is made up for each SYN (show.c), so a listening socket costs lwIP nothing and SO_REUSEPORT groups
 * need no second PCB on one port. A SYN makes the socket of the later connection, in SYN_RECV, so it is in the table of tuples and in /proc/net/tcp.
 * It does not hold a place on the accept queue yet: half-open ones are counted apart. When there are too many, SYNs are answered with cookies (cookie.c), so
 * a flood costs bounded memory and locks nobody out. If the queue is full when the handshake's last ACK comes, that ACK counts as
 * lost: the client's data, or SYN and ACK that are sent again, bring another one.
 */
#include "abi/errno.h"
#include "kernel/net/iface.h"
#include "kernel/net/net.h"
#include "kernel/net/wire/internal.h"
#include "kernel/sync/atomic.h"
#include "lwip/etharp.h"
#include "lwip/ip.h"
#include "lwip/priv/tcp_priv.h"

#define HALF_MIN	64U
#define HALF_MAX	4096U
#define SYN_BACKOFF	6U /* doublings of the first second */
#define SYN_UNREACHABLE 2U /* SYNs sent again without an answer of ARP: nobody is there */

static struct list halves = LIST_INIT(halves); /* [w] oldest first */
static u32 nr_halves;			       /* [w] */
static struct tcp_pcb_listen *listen_pcb;      /* [w] */

int wire_errno(err_t err)
{
	switch (err) {
	case ERR_OK:
		return 0;
	case ERR_RTE:
		return -ENETUNREACH;
	case ERR_MEM:
	case ERR_BUF:
		return -ENOBUFS;
	case ERR_IF:
		return -ENETDOWN;
	default:
		return -EINVAL;
	}
}

/* ESTABLISHED: from now on programs reach the connection. */
static void conn_open(struct wire_conn *c)
{
	struct tcp_sock *t = c->sock;

	tcp_grow_sndbuf(t);
	wire_conn_options(c);
	c->fresh = true;
	atomic_store_release(&t->path, &tcp_wire_path);
}

/* ---- connect ---- */

struct connect_call {
	struct tcp_sock *sock;
	int err;
};

static err_t connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct wire_conn *c = arg;

	(void)pcb;
	(void)err;
	conn_open(c);
	tcp_established(c->sock);
	socket_wake_all(&c->sock->s);
	return ERR_OK;
}

static void run_connect(void *arg)
{
	struct connect_call *call = arg;
	struct tcp_sock *t = call->sock;
	struct wire_conn *c = wire_conn_of(t);
	ip_addr_t to;
	struct tcp_pcb *pcb;
	err_t err;

	wire_to_ip(&t->remote.addr, &to);
	pcb = tcp_new_ip_type(IP_GET_TYPE(&to));
	if (!pcb) {
		call->err = -ENOBUFS;
		return;
	}
	wire_to_ip(&t->local.addr, &pcb->local_ip);
	pcb->local_port = t->local.port;
	socket_get(&t->s);
	wire_conn_attach(c, pcb);
	wire_conn_options(c);
	err = lwip_tcp_connect(pcb, &to, t->remote.port, connected);
	tcp_active_pcbs = NULL;
	pcb->next = NULL;
	if (err == ERR_OK) {
		wire_conn_after(c);
		return;
	}
	c->pcb = NULL;
	tcp_err(pcb, NULL);
	tcp_abandon(pcb, 0);
	socket_put(&t->s);
	call->err = wire_errno(err);
}

int wire_tcp_connect(struct tcp_sock *t)
{
	struct connect_call call = {.sock = t};

	if (!t->wire)
		t->wire = wire_conn_alloc(t);
	if (!t->wire)
		return -ENOBUFS;
	wire_call(run_connect, &call);
	return call.err;
}

static void run_cancel(void *arg)
{
	struct wire_conn *c = wire_conn_of(arg);

	if (c->pcb && c->pcb->state == SYN_SENT)
		wire_conn_abort(c, false, 0);
}

void wire_tcp_cancel(struct tcp_sock *t)
{
	wire_call(run_cancel, t);
}

/* True if ARP does not know who a connection's packets would go to. */
static bool neighbour_unknown(const struct tcp_pcb *pcb)
{
	struct netif *n = ip_route(&pcb->local_ip, &pcb->remote_ip);
	const ip4_addr_t *hop = ip_2_ip4(&pcb->remote_ip), *found;
	struct eth_addr *eth;

	if (!n || !IP_IS_V4(&pcb->remote_ip))
		return false;
	if (!ip4_addr_net_eq(hop, netif_ip4_addr(n), netif_ip4_netmask(n)))
		hop = netif_ip4_gw(n);
	return etharp_find_addr(n, hop, &eth, &found) < 0;
}

/* lwIP sends SYNs at equal distances, for as long as we let it: Linux doubles the distance and counts up to TCP_SYNCNT. */
void wire_syn_tick(struct wire_conn *c)
{
	struct tcp_pcb *pcb = c->pcb;
	u32 again = pcb->nrtx, limit = MIN(atomic_load_relaxed(&c->sock->syncnt), TCP_SYNMAXRTX - 1U);

	pcb->rto = (s16_t)((LWIP_TCP_RTO_TIME / TCP_SLOW_INTERVAL) << MIN(again, SYN_BACKOFF));
	if (again >= SYN_UNREACHABLE && neighbour_unknown(pcb))
		wire_conn_abort(c, false, EHOSTUNREACH);
	else if (again >= limit && pcb->rtime + 1 >= pcb->rto)
		wire_conn_abort(c, false, ETIMEDOUT);
}

/* ---- who comes ---- */

void wire_half_done(struct wire_conn *c)
{
	struct tcp_sock *listener = c->listener;

	if (!listener)
		return;
	wire_half_settle(c);
	c->listener = NULL;
	list_del(&c->half);
	nr_halves--;
	listener->listener->nr_half--;
	socket_put(&listener->s);
}

/* Data, or an end: more than the acknowledgement of SYN. */
static bool brings_data(const struct tcp_hdr *h, u32 payload)
{
	return payload || (TCPH_FLAGS(h) & TCP_FIN);
}

bool wire_half_admit(struct wire_conn *c, const struct tcp_hdr *h, u32 payload)
{
	if ((TCPH_FLAGS(h) & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK ||
	    net32(h->ackno) != c->pcb->snd_nxt)
		return true;
	/* lwIP gives up 20 seconds after this: time for the client to send again what is not admitted. */
	c->pcb->tmr = tcp_ticks;
	if (time_now() < c->defer_until && !brings_data(h, payload)) {
		c->deferred = true;
		return false;
	}
	switch (tcp_accept_reserve(c->listener, NULL)) {
	case 0:
		c->has_place = true;
		return true;
	case -EAGAIN:
		return false;
	default:
		return true;
	}
}

void wire_half_settle(struct wire_conn *c)
{
	if (c->has_place)
		tcp_accept_unreserve(c->listener);
	c->has_place = false;
}

/*
 * As on Linux, SYN and ACK are not sent again while data are waited for behind the client's ACK; at the end of that time they are, and the ACK to
 * them opens the connection.
 */
void wire_half_tick(struct wire_conn *c)
{
	if (!c->deferred)
		return;
	c->pcb->tmr = tcp_ticks;
	c->deferred = time_now() < c->defer_until;
	c->pcb->rtime = c->deferred ? 0 : c->pcb->rto;
}

/* A half-open connection of `listener`, or NULL. */
static struct wire_conn *half_of(const struct tcp_sock *listener)
{
	struct wire_conn *c;

	list_for_each(c, &halves, half) {
		if (c->listener == listener)
			return c;
	}
	return NULL;
}

bool wire_half_full(const struct tcp_sock *listener)
{
	u32 limit = MAX(atomic_load_relaxed(&listener->listener->backlog), HALF_MIN);

	return listener->listener->nr_half >= limit || nr_halves >= HALF_MAX;
}

static struct wire_conn *half_make(struct tcp_sock *listener, struct tcp_pcb *pcb)
{
	struct inet_end local = {.addr = wire_from_ip(&pcb->local_ip), .port = pcb->local_port};
	struct inet_end remote = {.addr = wire_from_ip(&pcb->remote_ip), .port = pcb->remote_port};
	struct tcp_sock *t = tcp_child(listener, &local, &remote);
	struct wire_conn *c;

	if (!t)
		return NULL;
	c = wire_conn_alloc(t);
	if (c) {
		t->wire = c;
		return c;
	}
	tcp_reset(t, ENOMEM);
	socket_put(&t->s);
	return NULL;
}

/* lwIP has made a PCB for a SYN. An error: it forgets it without a word, as if the SYN were lost. */
static err_t half_open(u8_t id, struct tcp_pcb_listen *l, struct tcp_pcb *pcb)
{
	struct tcp_sock *listener = l->callback_arg;
	struct wire_conn *c;

	(void)id;
	pcb->callback_arg = NULL;
	/* As on Linux, no new ones while the accept queue is full. */
	if (tcp_accept_reserve(listener, NULL))
		return ERR_MEM;
	tcp_accept_unreserve(listener);
	c = half_make(listener, pcb);
	if (!c)
		return ERR_MEM;
	wire_conn_attach(c, pcb);
	socket_get(&listener->s);
	c->listener = listener;
	c->defer_until = tcp_defer_deadline(listener);
	listener->listener->nr_half++;
	nr_halves++;
	list_add_tail(&halves, &c->half);
	wire_conn_options(c);
	return ERR_OK;
}

/* The handshake is complete. */
static err_t accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct wire_conn *c = arg;
	struct tcp_sock *listener;

	(void)err;
	if (!pcb)
		return ERR_OK;
	/* No place: the listener is closed. */
	if (!c->has_place)
		return ERR_MEM;
	listener = c->listener;
	c->has_place = false; /* the accept queue's now */
	socket_get(&listener->s);
	wire_half_done(c);
	pcb->listener = NULL;
	conn_open(c);
	tcp_set_state(c->sock, ABI_TCP_ESTABLISHED);
	socket_get(&c->sock->s);
	tcp_accept_push(listener, c->sock);
	socket_put(&listener->s);
	return ERR_OK;
}

struct tcp_pcb_listen *wire_listen_pcb(struct tcp_sock *listener, const ip_addr_t *local, u16 port)
{
	listen_pcb->callback_arg = listener;
	ip_addr_copy(listen_pcb->local_ip, *local);
	listen_pcb->local_port = port;
	return listen_pcb;
}

static void run_unlisten(void *arg)
{
	struct wire_conn *c;

	while ((c = half_of(arg)))
		wire_conn_abort(c, true, ECONNRESET);
}

void wire_tcp_unlisten(struct tcp_sock *t)
{
	wire_call(run_unlisten, t);
}

void wire_open_start(void)
{
	static const struct tcp_ext_arg_callbacks callbacks = {.passive_open = half_open};
	struct tcp_pcb *pcb = tcp_new();

	tcp_ext_arg_set_callbacks(pcb, 0, &callbacks);
	pcb = tcp_listen_with_backlog(pcb, 1);
	lwip_tcp_accept(pcb, accepted);
	tcp_listen_pcbs.listen_pcbs = NULL;
	listen_pcb = (struct tcp_pcb_listen *)pcb;
}
