/*
 * Bytes of a connection, as lwIP takes and brings them.
 *
 * Sending: programs write into the ring `tx`; what lwIP gets are references into its pages, which stay until the peer has acknowledged them. lwIP
 * walks the list of what is unsent for each write, so it gets no more than UNSENT_MAX ahead of what it may send; the rest waits in the ring, and
 * follows with the acknowledgements. Where long segments are made (segment.c) it gets little ahead, for what it has it has cut already.
 *
 * Receiving: pbufs go as they are onto the connection's chain, where the reader finds them without the wire's mutex. Small ones are copied together, so
 * that many small segments do not hold a page each. The window reopens as programs read (wire_conn_credit).
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/wire/internal.h"
#include "kernel/sync/atomic.h"
#include "kernel/time/time.h"
#include "lwip/priv/tcp_priv.h"

#define UNSENT_MAX  65536U
#define UNSENT_LONG 2U	  /* real segments, where long ones are made */
#define SMALL	    512U  /* segments up to this are copied together */
#define SMALL_BLOCK 2048U /* into blocks of this size */
#define CORK_MS	    200U

/* ---- sending ---- */

/* How far lwIP may have it now: TCP_CORK and MSG_MORE hold back what does not fill a segment, for 200 ms at most. */
static u64 push_end(struct wire_conn *c)
{
	u64 head = atomic_load_acquire(&c->tx.ring.head), now;
	u32 rest = (u32)((head - c->pushed) % wire_payload(c->pcb));

	if (!rest || c->fin_wanted ||
	    (!tcp_flag(c->sock, TCP_F_CORK) && !atomic_load_relaxed(&c->more))) {
		c->cork_until = 0;
		return head;
	}
	now = time_now();
	if (!c->cork_until)
		c->cork_until = now + time_freq / 1000 * CORK_MS;
	if (now < c->cork_until)
		return head - rest;
	c->cork_until = 0;
	return head;
}

/* The next n bytes, in segments with up to `payload` bytes. */
static bool push_bytes(struct wire_conn *c, u64 n, u64 end, u32 payload)
{
	struct tcp_pcb *pcb = c->pcb;

	for (u64 to = c->pushed + n; c->pushed < to;) {
		size_t piece = MIN(to - c->pushed, (u64)tcp_sndbuf(pcb));
		const void *data = ring_peek(&c->tx.ring, c->pushed, &piece);
		u32 done = piece ? wire_write(pcb, data, (u32)piece, end - c->pushed, payload) : 0;

		if (!done)
			return false;
		c->pushed += done;
	}
	return true;
}

/* lwIP has all that the windows let out, and some more: it looks at what is unsent for each write. */
static bool has_enough(const struct tcp_pcb *pcb, u32 long_max)
{
	u32 unsent = pcb->snd_lbb - pcb->snd_nxt;

	if (!long_max)
		return unsent >= UNSENT_MAX;
	return unsent >= UNSENT_LONG * wire_payload(pcb) &&
	       pcb->snd_lbb - pcb->lastack >= MIN(pcb->snd_wnd, pcb->cwnd);
}

/* One segment, or a page. False: lwIP has enough now. `long_max`: of wire_long_max(). */
static bool push_some(struct wire_conn *c, u64 end, u32 long_max)
{
	u32 payload = wire_payload(c->pcb);
	u64 rest = end - c->pushed;

	if (long_max && rest >= 2 * payload) {
		u32 n = wire_long_next(c, rest, long_max);

		if (n)
			return n != WIRE_LONG_WAIT && push_bytes(c, n, end, long_max);
	}
	return !has_enough(c->pcb, long_max) &&
	       push_bytes(c, MIN(rest, (u64)PAGE_SIZE), end, payload);
}

static bool may_write(const struct tcp_pcb *pcb)
{
	return pcb->state == ESTABLISHED || pcb->state == CLOSE_WAIT;
}

void wire_conn_push(struct wire_conn *c)
{
	struct tcp_pcb *pcb = c->pcb;
	u32 long_max;
	u64 end;

	if (!may_write(pcb))
		return;
	end = push_end(c);
	/* Little needs no long segment, and no look for a card. */
	long_max = end - c->pushed >= 2 * wire_payload(pcb) ? wire_long_max(c) : 0;
	while (c->pushed < end && push_some(c, end, long_max))
		;
	if (c->fin_wanted && !c->fin_sent && c->pushed == c->tx.ring.head)
		c->fin_sent = tcp_shutdown(pcb, 0, 1) == ERR_OK;
	tcp_output(pcb);
}

/*
 * lwIP grows the congestion window by two segments for an acknowledgement at most (RFC 3465). A peer that acknowledges long segments whole does so
 * seldom; so all that was acknowledged counts, as on Linux.
 */
static void grow_window(struct tcp_pcb *pcb, u32 acked)
{
	u32 counted = MIN(acked, 2U * pcb->mss);

	if (pcb->cwnd < pcb->ssthresh && !(pcb->flags & TF_RTO))
		pcb->cwnd = MIN(pcb->cwnd + acked - counted, pcb->ssthresh);
}

err_t wire_conn_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	struct wire_conn *c = arg;

	grow_window(pcb, len);
	/* A FIN is counted, too; the ring has nothing of it. */
	ring_drop(&c->tx.ring, len);
	c->stalled_since = 0;
	if (ring_made_room(&c->tx.ring))
		socket_wake(&c->sock->s, POLL_EVENT_WRITE);
	return ERR_OK;
}

static void wire_wrote(struct socket *s)
{
	wire_conn_kick(wire_conn_of(tcp_of(s)));
}

static int wire_may_send(struct socket *s, const struct stream *to)
{
	(void)to;
	return tcp_may_send(s);
}

/* A turn fills a long segment. */
static const struct stream_kind wire_kind = {
	.may_send = wire_may_send,
	.wrote = wire_wrote,
	.turn = 65536,
};

long wire_send(struct tcp_sock *t, struct sock_msg *m)
{
	struct wire_conn *c = wire_conn_of(t);

	if (unlikely(m->flags & MSG_OOB) && m->it->count)
		return -EOPNOTSUPP;
	if (unlikely(!m->it->count))
		return tcp_may_send(&t->s);
	atomic_store_relaxed(&c->more, (m->flags & MSG_MORE) != 0);
	return stream_send(&t->s, &t->s, &c->tx, m, &wire_kind);
}

/* ---- receiving ---- */

void wire_rx_drop(struct wire_rx *rx)
{
	struct pbuf *p = rx->first, *next;

	for (; p; p = next) {
		next = p->next;
		p->next = NULL;
		p->tot_len = p->len;
		pbuf_free(p);
	}
	rx->first = rx->last = NULL;
	atomic_store_relaxed(&rx->bytes, 0);
}

/* Copies a small segment behind the last block if it fits. Context: rx->lock held. */
static bool rx_fill(struct wire_rx *rx, const struct pbuf *p)
{
	struct pbuf *to = rx->last;

	if (p->tot_len > rx->room)
		return false;
	pbuf_copy_partial(p, (u8 *)to->payload + to->len, p->tot_len, 0);
	to->len += p->tot_len;
	to->tot_len = to->len;
	rx->room -= p->tot_len;
	return true;
}

static void rx_append(struct wire_rx *rx, struct pbuf *p, u32 room)
{
	if (rx->last)
		rx->last->next = p;
	else
		rx->first = p;
	while (p->next)
		p = p->next;
	rx->last = p;
	rx->room = room;
}

/* A new block with the bytes of `p`, or `p` itself without memory. */
static struct pbuf *rx_block(struct pbuf *p, u32 *room)
{
	struct pbuf *block = pbuf_alloc(PBUF_RAW, SMALL_BLOCK, PBUF_RAM);

	if (!block)
		return p;
	pbuf_copy_partial(p, block->payload, p->tot_len, 0);
	block->len = block->tot_len = p->tot_len;
	*room = SMALL_BLOCK - p->tot_len;
	pbuf_free(p);
	return block;
}

static void rx_add(struct wire_rx *rx, struct pbuf *p)
{
	u32 len = p->tot_len, room = 0;
	bool done = false;

	if (len <= SMALL) {
		spin_lock(&rx->lock);
		done = rx->room && rx_fill(rx, p);
		if (done)
			atomic_store_release(&rx->bytes, rx->bytes + len);
		spin_unlock(&rx->lock);
		if (done) {
			pbuf_free(p);
			return;
		}
		p = rx_block(p, &room);
	}
	spin_lock(&rx->lock);
	rx_append(rx, p, room);
	/* Pairs with the acquire load in the reader. */
	atomic_store_release(&rx->bytes, rx->bytes + len);
	spin_unlock(&rx->lock);
}

/* The peer's FIN: reads end when they have read what came before. */
static void fin_received(struct tcp_sock *t)
{
	tcp_lock(t);
	atomic_fetch_or(&t->s.shutdown, SOCK_SHUT_RD);
	atomic_fetch_or(&t->tcp_flags, TCP_F_FIN_SEEN); /* a full barrier: behind the last byte */
	tcp_unlock(t);
	socket_wake_all(&t->s);
}

err_t wire_conn_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct wire_conn *c = arg;

	(void)pcb;
	(void)err;
	if (!p) {
		fin_received(c->sock);
		return ERR_OK;
	}
	if (c->orphan) {
		/* Nobody will read it. */
		pbuf_free(p);
		wire_conn_abort(c, true, ECONNRESET);
		return ERR_ABRT;
	}
	rx_add(&c->rx, p);
	socket_wake(&c->sock->s, POLL_EVENT_READ);
	return ERR_OK;
}

/* Tells lwIP what programs have read: the window opens. */
void wire_conn_credit(struct wire_conn *c)
{
	u64 consumed = atomic_load_relaxed(&c->consumed);

	while (c->credited < consumed) {
		u16 n = (u16)MIN(consumed - c->credited, 0xffffUL);

		tcp_recved(c->pcb, n);
		c->credited += n;
	}
}
