/*
 * A connection over the wire: the socket (struct tcp_sock), lwIP's PCB, and what lies between them (struct wire_conn).
 *
 * Life: the wire_conn is made with the first connect(), or with the SYN that opens it, and freed with the socket. As long as there is a PCB it holds a
 * reference on the socket, also when the file is gone (`orphan`): then it ends by itself. lwIP frees the PCB in the middle of things and says so by
 * the error callback, after which `pcb` is NULL.
 *
 * Timers: lwIP's walk its list of connections. It is shown only the `busy` ones: those with bytes on their way, an acknowledgement due, an end under
 * way. An idle connection costs nothing, however many there are.
 */
#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/wire/internal.h"
#include "kernel/sync/atomic.h"

LOCK_CLASS(wire_reader, RANK_STREAM);
LOCK_CLASS(wire_rx, RANK_SOCKQ);

static struct list busy = LIST_INIT(busy); /* [w] */

#define INITIAL_WINDOW	10U			   /* segments, RFC 6928 */
#define TIME_WAIT_TICKS (1000 / TCP_SLOW_INTERVAL) /* lwIP answers FINs for so long */

/* ---- life ---- */

static void run_work(struct wire_op *op)
{
	struct wire_conn *c = container_of(op, struct wire_conn, work);
	struct tcp_sock *t = c->sock;

	atomic_store_relaxed(&c->queued, 0);
	fence_full(); /* What is asked for after this queues it again: pairs with the exchange in wire_conn_kick(). */
	if (c->pcb) {
		if (!c->pcb->unacked)
			c->cpu = atomic_load_relaxed(&c->user);
		wire_conn_credit(c);
		wire_conn_push(c);
		wire_conn_after(c);
	}
	socket_put(&t->s);
}

static void conn_post(struct wire_conn *c)
{
	if (atomic_xchg(&c->queued, 1))
		return;
	socket_get(&c->sock->s);
	wire_post(&c->work);
}

void wire_conn_kick(struct wire_conn *c)
{
	atomic_store_relaxed(&c->user, cpu_id());
	conn_post(c);
}

void wire_conn_continue(struct wire_conn *c)
{
	if (c->pcb && c->pushed < c->tx.ring.head)
		conn_post(c);
}

struct wire_conn *wire_conn_alloc(struct tcp_sock *t)
{
	struct wire_conn *c = kzalloc(sizeof(*c));

	if (!c)
		return NULL;
	c->sock = t;
	c->work.run = run_work;
	stream_init(&c->tx, RING_LIMIT_MAX);
	mutex_init(&c->reader, &wire_reader_class);
	spin_init(&c->rx.lock, &wire_rx_class);
	list_init(&c->busy);
	list_init(&c->half);
	return c;
}

void wire_conn_free(struct tcp_sock *t)
{
	struct wire_conn *c = wire_conn_of(t);

	wire_rx_drop(&c->rx);
	stream_destroy(&c->tx);
	kfree(c);
	t->wire = NULL;
}

static u32 receive_window(const struct tcp_sock *t)
{
	u32 rcvbuf = atomic_load_relaxed(&t->s.rcvbuf);

	/* Not set: as far as Linux's own tuning would go on a short path. */
	if (rcvbuf == TCP_RCVBUF_DEFAULT)
		return 512U << 10;
	return MAX(MIN(rcvbuf, TCP_WND), 2U * TCP_MSS);
}

static void conn_error(void *arg, err_t err)
{
	struct wire_conn *c = arg;
	int error = 0;

	if (err == ERR_RST)
		error = tcp_state(c->sock) == ABI_TCP_SYN_SENT ? ECONNREFUSED : ECONNRESET;
	else if (err != ERR_CLSD)
		error = ETIMEDOUT;
	wire_conn_gone(c, error);
}

void wire_conn_attach(struct wire_conn *c, struct tcp_pcb *pcb)
{
	c->pcb = pcb;
	c->window = 0;
	c->cpu = cpu_id();
	atomic_store_relaxed(&c->user, c->cpu);
	c->fin_wanted = c->fin_sent = c->orphan = c->fresh = false;
	c->pushed = c->tx.ring.head;
	c->lossy_until = 0;
	c->credited = atomic_load_relaxed(&c->consumed);
	tcp_arg(pcb, c);
	tcp_err(pcb, conn_error);
	tcp_recv(pcb, wire_conn_recv);
	tcp_sent(pcb, wire_conn_sent);
}

/* ---- ends ---- */

static void leave_lists(struct wire_conn *c)
{
	c->pcb = NULL;
	list_del(&c->busy);
	wire_half_done(c);
}

/* The socket has no connection any more, and no error to tell. */
static void sock_closed(struct tcp_sock *t, bool time_wait)
{
	tcp_lock(t);
	atomic_fetch_or(&t->s.shutdown, SOCK_SHUT_ALL);
	tcp_set_state(t, ABI_TCP_CLOSE);
	if (time_wait)
		time_wait_start(t, true);
	else
		tcp_forget(t);
	tcp_unlock(t);
	socket_wake_all(&t->s);
}

void wire_conn_gone(struct wire_conn *c, int error)
{
	struct tcp_sock *t = c->sock;

	leave_lists(c);
	if (error == ECONNREFUSED)
		net_count(TCP_ATTEMPT_FAILS);
	else if (error == ECONNRESET)
		net_count(TCP_ESTAB_RESETS);
	if (error)
		tcp_reset(t, error);
	else
		sock_closed(t, false);
	socket_put(&t->s);
}

/* lwIP keeps its PCB a little longer, without us. */
static void conn_time_wait(struct wire_conn *c)
{
	struct tcp_pcb *pcb = c->pcb;
	struct tcp_sock *t = c->sock;

	tcp_arg(pcb, NULL);
	tcp_err(pcb, NULL);
	pcb->tmr = tcp_ticks - 2 * TCP_MSL / TCP_SLOW_INTERVAL + TIME_WAIT_TICKS;
	wire_ticks_need();
	leave_lists(c);
	sock_closed(t, true);
	socket_put(&t->s);
}

void wire_conn_abort(struct wire_conn *c, bool rst, int error)
{
	struct tcp_pcb *pcb = c->pcb;

	tcp_err(pcb, NULL);
	tcp_abandon(pcb, rst);
	if (rst)
		net_count(TCP_OUT_RSTS);
	wire_conn_gone(c, error);
}

/* ---- states ---- */

static u32 linux_state(enum tcp_state s)
{
	static const u8 map[] = {
		[CLOSED] = ABI_TCP_CLOSE,
		[LISTEN] = ABI_TCP_LISTEN,
		[SYN_SENT] = ABI_TCP_SYN_SENT,
		[SYN_RCVD] = ABI_TCP_SYN_RECV,
		[ESTABLISHED] = ABI_TCP_ESTABLISHED,
		[FIN_WAIT_1] = ABI_TCP_FIN_WAIT1,
		[FIN_WAIT_2] = ABI_TCP_FIN_WAIT2,
		[CLOSE_WAIT] = ABI_TCP_CLOSE_WAIT,
		[CLOSING] = ABI_TCP_CLOSING,
		[LAST_ACK] = ABI_TCP_LAST_ACK,
		[TIME_WAIT] = ABI_TCP_TIME_WAIT,
	};

	return map[s];
}

/* States that connect() and accept() wait for are told where they are reached, with what belongs to them. */
static void follow_state(struct wire_conn *c)
{
	struct tcp_sock *t = c->sock;
	u32 state = linux_state(c->pcb->state);

	if (state == tcp_state(t))
		return;
	tcp_lock(t);
	tcp_set_state(t, state);
	tcp_unlock(t);
	socket_wake_all(&t->s);
}

static bool needs_timers(const struct wire_conn *c)
{
	const struct tcp_pcb *pcb = c->pcb;

	if (pcb->state != ESTABLISHED && pcb->state != CLOSE_WAIT)
		return true;
	if (pcb->unacked || pcb->unsent || pcb->ooseq || pcb->persist_backoff)
		return true;
	if (pcb->flags & (TF_ACK_DELAY | TF_ACK_NOW | TF_NAGLEMEMERR | TF_CLOSEPEND))
		return true;
	return c->pushed < c->tx.ring.head || c->fin_wanted != c->fin_sent ||
	       ip_get_option(pcb, SOF_KEEPALIVE);
}

/* lwIP begins with three segments, which it notes behind its call of accepted(). */
static void open_window(struct wire_conn *c)
{
	if (likely(!c->fresh))
		return;
	c->fresh = false;
	c->pcb->cwnd = MAX(c->pcb->cwnd, INITIAL_WINDOW * c->pcb->mss);
}

void wire_conn_after(struct wire_conn *c)
{
	if (!c->pcb)
		return;
	if (c->pcb->state == TIME_WAIT) {
		conn_time_wait(c);
		return;
	}
	follow_state(c);
	open_window(c);
	wire_segment_cut(c);
	if (!c->pcb->unacked)
		c->stalled_since = 0;
	else if (!c->stalled_since)
		c->stalled_since = time_now();
	if (needs_timers(c) == !list_empty(&c->busy))
		return;
	if (!list_empty(&c->busy)) {
		list_del(&c->busy);
		return;
	}
	list_add_tail(&busy, &c->busy);
	wire_ticks_need();
}

/* ---- options ---- */

void wire_conn_options(struct wire_conn *c)
{
	struct tcp_sock *t = c->sock;
	struct tcp_pcb *pcb = c->pcb;
	u32 window = receive_window(t), mss = atomic_load_relaxed(&t->maxseg);

	if (tcp_flag(t, TCP_F_NODELAY))
		tcp_nagle_disable(pcb);
	else
		tcp_nagle_enable(pcb);
	if (socket_flag(&t->s, SOCK_F_KEEPALIVE))
		ip_set_option(pcb, SOF_KEEPALIVE);
	else
		ip_reset_option(pcb, SOF_KEEPALIVE);
	pcb->keep_idle = atomic_load_relaxed(&t->keepidle) * 1000;
	pcb->keep_intvl = atomic_load_relaxed(&t->keepintvl) * 1000;
	pcb->keep_cnt = atomic_load_relaxed(&t->keepcnt);
	pcb->tos = (u8)t->inet.tos;
	pcb->ttl = (u8)(IP_IS_V6(&pcb->remote_ip) ? t->inet.hops : t->inet.ttl);
	if (pcb->state == SYN_SENT || pcb->state == SYN_RCVD)
		return;
	if (mss && mss < pcb->mss)
		pcb->mss = (u16)mss;
	atomic_store_relaxed(&c->tx.ring.limit,
			     MIN(atomic_load_relaxed(&t->s.sndbuf), RING_LIMIT_MAX));
	if (!c->window) {
		/* The window that was offered so far is at most 64 KiB, and nothing has come. */
		pcb->rcv_wnd = MIN(pcb->rcv_wnd, window);
		pcb->rcv_ann_wnd = pcb->rcv_wnd;
		/* With the SYN's answer lwIP noted all of TCP_WND as offered, though the field held 16 bits. */
		pcb->rcv_ann_right_edge = pcb->rcv_nxt + pcb->rcv_ann_wnd;
		c->window = pcb->rcv_wnd;
	}
	while (c->window < window && (pcb->flags & TF_WND_SCALE)) {
		u16 more = (u16)MIN(window - c->window, 0xffffU);

		tcp_recved(pcb, more);
		c->window += more;
	}
}

/* ---- timers ---- */

bool wire_conn_busy(void)
{
	return !list_empty(&busy);
}

/* What lwIP has no timer for. The connection may be gone after it. */
static void conn_tick(struct wire_conn *c)
{
	u64 now = time_now(), limit = atomic_load_relaxed(&c->sock->user_timeout);

	if (c->pcb->state == SYN_SENT) {
		wire_syn_tick(c);
		return;
	}
	if (c->pcb->state == SYN_RCVD)
		wire_half_tick(c);
	if (limit && c->stalled_since && now - c->stalled_since > limit * (time_freq / 1000)) {
		wire_conn_abort(c, true, ETIMEDOUT);
		return;
	}
	if (c->orphan && c->pcb->state == FIN_WAIT_2 && now > c->orphan_until) {
		wire_conn_abort(c, false, 0);
		return;
	}
	if (c->pushed < c->tx.ring.head)
		wire_conn_push(c);
}

void wire_conn_timers(bool slow)
{
	struct wire_conn *c, *next;

	list_for_each(c, &busy, busy) {
		c->pcb->next = tcp_active_pcbs;
		tcp_active_pcbs = c->pcb;
	}
	tcp_fasttmr();
	if (slow) {
		tcp_ticks--; /* which it counts itself */
		tcp_slowtmr();
	}
	tcp_active_pcbs = NULL;
	list_for_each_safe(c, next, &busy, busy) {
		struct tcp_sock *t = c->sock;

		/* What ends here may be the socket's last holder. */
		socket_get(&t->s);
		conn_tick(c);
		wire_conn_after(c);
		socket_put(&t->s);
	}
}
