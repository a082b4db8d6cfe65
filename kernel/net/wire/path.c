/*
 * An established connection over the wire, as the socket sees it: shutdown, close, what programs ask.
 */
#include "abi/errno.h"
#include "kernel/net/net.h"
#include "kernel/net/wire/internal.h"
#include "kernel/sync/atomic.h"
#include "lwip/priv/tcp_priv.h"

static bool wire_readable(struct tcp_sock *t)
{
	u64 bytes = atomic_load_relaxed(&wire_conn_of(t)->rx.bytes);

	return bytes && bytes >= MIN(atomic_load_relaxed(&t->s.rcvlowat),
				     atomic_load_relaxed(&wire_conn_of(t)->window));
}

static bool wire_writable(struct tcp_sock *t)
{
	return ring_writable(&wire_conn_of(t)->tx.ring);
}

static u32 wire_unread(struct tcp_sock *t)
{
	return (u32)atomic_load_relaxed(&wire_conn_of(t)->rx.bytes);
}

static u32 wire_unsent(struct tcp_sock *t)
{
	return (u32)ring_used(&wire_conn_of(t)->tx.ring);
}

/* ---- ends ---- */

static void run_shutdown(void *arg)
{
	struct wire_conn *c = wire_conn_of(arg);

	if (!c->pcb)
		return;
	c->fin_wanted = true;
	wire_conn_push(c);
	wire_conn_after(c);
}

/* The FIN comes behind every byte of a send that began before: such a send holds the writer's lock. */
static void wire_shutdown(struct tcp_sock *t)
{
	struct wire_conn *c = wire_conn_of(t);

	mutex_lock(&c->tx.writer);
	mutex_unlock(&c->tx.writer);
	wire_call(run_shutdown, t);
}

static bool drained(void *arg)
{
	struct tcp_sock *t = arg;
	u32 state = tcp_state(t);

	return ring_used(&wire_conn_of(t)->tx.ring) == 0 && state != ABI_TCP_FIN_WAIT1 &&
	       state != ABI_TCP_CLOSING && state != ABI_TCP_LAST_ACK;
}

/* SO_LINGER: close() waits until the peer has everything. */
static void close_linger(struct tcp_sock *t)
{
	if (socket_flag(&t->s, SOCK_F_LINGER))
		socket_wait(&t->s, POLL_EVENT_HUP, false, drained, t,
			    socket_deadline(t->s.linger_seconds * time_freq));
}

static void run_close(void *arg)
{
	struct tcp_sock *t = arg;
	struct wire_conn *c = wire_conn_of(t);
	s32 linger2 = t->linger2;

	if (!c->pcb)
		return;
	if (atomic_load_relaxed(&c->rx.bytes) || (linger2 < 0 && c->pcb->state == FIN_WAIT_2)) {
		wire_conn_abort(c, true, 0);
		return;
	}
	c->orphan = true;
	c->orphan_until = time_now() + (u64)MAX(linger2, 1) * time_freq;
	wire_conn_after(c);
}

static void run_abort(void *arg)
{
	struct wire_conn *c = wire_conn_of(arg);

	if (c->pcb)
		wire_conn_abort(c, true, 0);
}

/* What is unread, or SO_LINGER with no time: a reset. Else the connection ends without its file. */
static bool wire_close(struct tcp_sock *t)
{
	struct wire_conn *c = wire_conn_of(t);
	bool abort = atomic_load_relaxed(&c->rx.bytes) ||
		     (socket_flag(&t->s, SOCK_F_LINGER) && !t->s.linger_seconds);

	if (abort) {
		wire_call(run_abort, t);
		return false;
	}
	wire_shutdown(t);
	close_linger(t);
	wire_call(run_close, t);
	return atomic_load_relaxed(&c->pcb) != NULL;
}

/* Received bytes go under the reader's lock, those not yet sent under the writer's; lwIP has let go of both with the connection. */
static int wire_disconnect(struct tcp_sock *t)
{
	struct wire_conn *c = wire_conn_of(t);

	wire_call(run_abort, t);
	mutex_lock(&c->tx.writer);
	ring_drop(&c->tx.ring, ring_used(&c->tx.ring));
	mutex_unlock(&c->tx.writer);
	mutex_lock(&c->reader);
	atomic_store_relaxed(&c->consumed, c->consumed + c->rx.bytes);
	wire_rx_drop(&c->rx);
	c->rx.offset = 0;
	c->rx.room = 0;
	mutex_unlock(&c->reader);
	return 0;
}

static void wire_detach(struct tcp_sock *t)
{
	(void)t;
}

/* ---- what programs ask and set ---- */

struct info_call {
	struct tcp_sock *sock;
	struct abi_tcp_info *out;
};

#define TICK_US (TCP_SLOW_INTERVAL * 1000U)

static void run_info(void *arg)
{
	struct info_call *call = arg;
	const struct wire_conn *c = wire_conn_of(call->sock);
	const struct tcp_pcb *pcb = c->pcb;
	u64 sent = c->pushed, acked = c->tx.ring.tail, got = c->consumed + c->rx.bytes;

	call->out->tcpi_bytes_sent = sent;
	call->out->tcpi_bytes_acked = acked;
	call->out->tcpi_bytes_received = got;
	if (!pcb)
		return;
	*call->out = (struct abi_tcp_info){
		.tcpi_options = (u8)(TCPI_OPT_TIMESTAMPS * !!(pcb->flags & TF_TIMESTAMP) |
				     TCPI_OPT_SACK * !!(pcb->flags & TF_SACK) |
				     TCPI_OPT_WSCALE * !!(pcb->flags & TF_WND_SCALE)),
		.tcpi_wscale = (u8)(pcb->snd_scale | pcb->rcv_scale << 4),
		.tcpi_retransmits = pcb->nrtx,
		.tcpi_backoff = pcb->nrtx,
		.tcpi_rto = (u32)pcb->rto * TICK_US,
		.tcpi_ato = TCP_FAST_INTERVAL * 1000U,
		.tcpi_snd_mss = pcb->mss,
		.tcpi_rcv_mss = TCP_MSS,
		.tcpi_advmss = TCP_MSS,
		.tcpi_pmtu = 1500,
		.tcpi_unacked = (u32)((pcb->snd_nxt - pcb->lastack + pcb->mss - 1) / pcb->mss),
		.tcpi_rtt = (u32)MAX(pcb->sa >> 3, 0) * TICK_US,
		.tcpi_rttvar = (u32)MAX(pcb->sv >> 2, 0) * TICK_US,
		.tcpi_snd_ssthresh = pcb->ssthresh / pcb->mss,
		.tcpi_snd_cwnd = pcb->cwnd / pcb->mss,
		.tcpi_rcv_space = c->window,
		.tcpi_rcv_ssthresh = c->window,
		.tcpi_reordering = 3,
		.tcpi_pacing_rate = ~0UL,
		.tcpi_max_pacing_rate = ~0UL,
		.tcpi_bytes_sent = sent,
		.tcpi_bytes_acked = acked,
		.tcpi_bytes_received = got,
		.tcpi_notsent_bytes = (u32)(c->tx.ring.head - c->pushed),
		.tcpi_snd_wnd = pcb->snd_wnd,
		.tcpi_rcv_wnd = pcb->rcv_wnd,
	};
}

static void wire_info(struct tcp_sock *t, struct abi_tcp_info *out)
{
	struct info_call call = {t, out};

	wire_call(run_info, &call);
}

static void run_options(void *arg)
{
	struct wire_conn *c = wire_conn_of(arg);

	if (!c->pcb)
		return;
	wire_conn_options(c);
	wire_conn_push(c);
	wire_conn_after(c);
}

static void wire_options(struct tcp_sock *t)
{
	wire_call(run_options, t);
}

const struct tcp_path tcp_wire_path = {
	.send = wire_send,
	.recv = wire_recv,
	.readable = wire_readable,
	.writable = wire_writable,
	.shutdown = wire_shutdown,
	.close = wire_close,
	.detach = wire_detach,
	.disconnect = wire_disconnect,
	.options = wire_options,
	.info = wire_info,
	.unread = wire_unread,
	.unsent = wire_unsent,
};
