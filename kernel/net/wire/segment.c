/*
 * Long segments. A card that cuts segments (TSO) takes up to 64 KiB at once. So lwIP is given as much as one segment: one header, one entry of its
 * lists, one way through TCP and IP for what would be 44 of each. `pcb->mss` is larger while tcp_write() runs, and only then: congestion control,
 * Nagle's rule and the window of silly sizes see the real one.
 *
 * Invariant: lwIP sends a segment whole or not at all, so a long one is made only of real ones that both windows let out at once. One that does not fit
 * when its turn comes (it is sent again and the congestion window is small; or the card was full and the peer's window shrank meanwhile) is cut into
 * real ones, at the latest by wire_conn_after(), which follows all that lwIP does with a connection. So none waits for a window that never opens.
 * After a loss only real ones are made for a while: what is lost of a long one brings all of it again.
 *
 * Few large packets are better than many small ones. What the windows leave is not used while it is less than a third of them and less than a packet: what
 * is on its way will be acknowledged, and then there is more (the rule of Linux's tcp_tso_should_defer()).
 *
 * The real size goes along with the segment's first pbuf (tx.h).
 */
#include <string.h>

#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/wire/internal.h"
#include "kernel/net/wire/tx.h"
#include "kernel/trace/trace.h"

#define LONG_SEGMENTS                                                                              \
	44U /* real ones of 1,448 bytes in a packet of 64 KiB, with room for another one that joins */
#define LONG_BYTES  (LONG_SEGMENTS * 1448U)
#define PAYLOAD_MIN 512U       /* peers that want less get short packets */
#define WINDOW_PART 3U	       /* as much of the windows is worth a packet */
#define LOSSY_BYTES (1U << 20) /* after a loss, without another one */

static u32 option_bytes(const struct tcp_pcb *pcb)
{
	return pcb->flags & TF_TIMESTAMP ? LWIP_TCP_OPT_LEN_TS_OUT : 0;
}

u32 wire_payload(const struct tcp_pcb *pcb)
{
	u32 options = option_bytes(pcb);

	return pcb->mss > options ? pcb->mss - options : 1;
}

static bool card_cuts(const struct tcp_pcb *pcb)
{
	const struct netif *n = ip_route(&pcb->local_ip, &pcb->remote_ip);
	const struct wire_card *c = n ? n->state : NULL;
	u32 wanted = NETDEV_F_CSUM | (IP_IS_V6(&pcb->remote_ip) ? NETDEV_F_TSO6 : NETDEV_F_TSO4);

	return c && (c->eth->dev->features & wanted) == wanted;
}

u32 wire_long_max(const struct wire_conn *c)
{
	const struct tcp_pcb *pcb = c->pcb;
	u32 payload = wire_payload(pcb), options = option_bytes(pcb);
	/* lwIP makes none of more than half of the largest window. */
	u32 largest = MIN(pcb->snd_wnd_max / 2, LONG_BYTES + options);

	if (payload < PAYLOAD_MIN || largest < 2 * payload + options)
		return 0;
	if ((pcb->flags & (TF_RTO | TF_INFR)) || pcb->nrtx || c->pushed < c->lossy_until)
		return 0;
	return card_cuts(pcb) ? (largest - options) / payload * payload : 0;
}

u32 wire_long_next(const struct wire_conn *c, u64 rest, u32 max)
{
	const struct tcp_pcb *pcb = c->pcb;
	u32 payload = wire_payload(pcb), window = MIN(pcb->snd_wnd, pcb->cwnd);
	u32 used = pcb->snd_lbb - pcb->lastack, room = used < window ? window - used : 0;
	u32 want = (u32)MIN(rest, (u64)max);

	if (room < want && room < window / WINDOW_PART && (pcb->unacked || pcb->unsent))
		return WIRE_LONG_WAIT;
	want = MIN(want, room) / payload * payload;
	return want >= 2 * payload ? want : 0;
}

u32 wire_write(struct tcp_pcb *pcb, const void *data, u32 n, u64 rest, u32 payload)
{
	const struct tcp_seg *last = pcb->unsent;
	u32 longest = payload;
	u16 mss = pcb->mss;
	err_t err;

	while (last && last->next)
		last = last->next;
	/* tcp_write() fills up the last segment and wants it to be no longer than others may be. Behind such a one no more than one is made. */
	if (last && last->len > payload) {
		longest = last->len;
		n = MIN(n, payload);
	}
	pcb->mss = (u16)(longest + option_bytes(pcb));
	err = tcp_write(pcb, data, (u16_t)n, n < rest ? TCP_WRITE_FLAG_MORE : 0);
	pcb->mss = mss;
	return err == ERR_OK ? n : 0;
}

/* ---- on the way out ---- */

static u32 header_bytes(const struct tcp_hdr *h)
{
	return (u32)TCPH_HDRLEN_BYTES(h);
}

/* lwIP's hook: a segment goes out; again, if it begins before what was sent already. */
uint32_t *wire_tcp_output(struct pbuf *p, struct tcp_hdr *h, const struct tcp_pcb *pcb, uint32_t *opts)
{
	struct wire_conn *c = pcb ? pcb->callback_arg : NULL;
	u32 size;

	net_count(TCP_OUT_SEGS);
	if (!c)
		return opts;
	wire_next_frame_of(c->cpu);
	if (pcb->nrtx && TCP_SEQ_LT(net32(h->seqno), pcb->snd_nxt)) {
		net_count(TCP_RETRANS_SEGS);
		trace_tcp_resend(c->sock->s.ino, net32(h->seqno), pcb->nrtx);
		c->lossy_until = c->pushed + LOSSY_BYTES;
	}
	size = wire_payload(pcb);
	if (p->tot_len > header_bytes(h) + size && card_cuts(pcb)) {
		tx_set_size(p, h, size);
		wire_card_lift_mtu();
	}
	return opts;
}

/* ---- cutting ---- */

/* Appends n bytes of `from`, `offset` bytes into it. What lies in the ring's pages is not copied. */
static bool append_slice(struct pbuf *to, struct pbuf *from, u32 offset, u32 n)
{
	while (n) {
		u16_t at;
		struct pbuf *q = pbuf_skip(from, (u16_t)offset, &at), *piece;
		bool copy = q->type_internal != PBUF_ROM;
		u32 length = MIN(n, (u32)q->len - at);

		piece = pbuf_alloc(PBUF_RAW, (u16_t)length, copy ? PBUF_RAM : PBUF_ROM);
		if (!piece)
			return false;
		if (copy)
			memcpy(piece->payload, (u8 *)q->payload + at, length);
		else
			piece->payload = (u8 *)q->payload + at;
		pbuf_cat(to, piece);
		offset += length;
		n -= length;
	}
	return true;
}

/* A real segment with n bytes of `from`, `offset` bytes into its payload. NULL: no memory. */
static struct tcp_seg *slice_segment(const struct tcp_seg *from, u32 offset, u32 n)
{
	u32 headers = header_bytes(from->tcphdr);
	struct tcp_seg *seg = memp_malloc(MEMP_TCP_SEG);

	if (!seg)
		return NULL;
	*seg = (struct tcp_seg){.flags = from->flags, .len = (u16_t)n};
	seg->p = pbuf_alloc(PBUF_IP, (u16_t)headers, PBUF_RAM);
	if (!seg->p || !append_slice(seg->p, from->p, from->p->tot_len - from->len + offset, n)) {
		tcp_seg_free(seg);
		return NULL;
	}
	seg->tcphdr = seg->p->payload;
	*seg->tcphdr = *from->tcphdr;
	seg->tcphdr->seqno = net32(net32(from->tcphdr->seqno) + offset);
	if (offset + n != from->len)
		TCPH_UNSET_FLAG(seg->tcphdr, TCP_FIN | TCP_PSH);
	return seg;
}

/* The real segments that `from` is made of, less its first `offset` bytes. NULL: no memory. */
static struct tcp_seg *slice_all(const struct tcp_seg *from, u32 offset, u32 payload,
				 struct tcp_seg **last)
{
	struct tcp_seg *first = NULL, **next = &first;

	while (offset < from->len) {
		u32 n = MIN(from->len - offset, payload);

		*last = *next = slice_segment(from, offset, n);
		if (!*next) {
			tcp_segs_free(first);
			return NULL;
		}
		next = &(*next)->next;
		offset += n;
	}
	return first;
}

/* The head of what is unsent, if it is a long one that the windows do not let out. */
static struct tcp_seg *blocked_segment(const struct tcp_pcb *pcb)
{
	struct tcp_seg *seg = pcb->unsent;
	u32 window = MIN(pcb->snd_wnd, pcb->cwnd);

	if (!seg || seg->len <= wire_payload(pcb))
		return NULL;
	return net32(seg->tcphdr->seqno) - pcb->lastack + seg->len > window ? seg : NULL;
}

/* What was acknowledged of the oldest segment goes with it: lwIP keeps account of whole ones. */
static void drop_acked(struct wire_conn *c, u32 n)
{
	c->pcb->snd_buf += n;
	ring_drop(&c->tx.ring, n);
	if (ring_made_room(&c->tx.ring))
		socket_wake(&c->sock->s, POLL_EVENT_WRITE);
}

void wire_segment_cut(struct wire_conn *c)
{
	struct tcp_pcb *pcb = c->pcb;
	struct tcp_seg *seg = blocked_segment(pcb), *first, *last;
	u32 seq, acked;

	if (likely(!seg))
		return;
	seq = net32(seg->tcphdr->seqno);
	acked = TCP_SEQ_LT(seq, pcb->lastack) ? pcb->lastack - seq : 0;
	first = slice_all(seg, acked, wire_payload(pcb), &last);
	if (!first) {
		/* Again with the next tick. lwIP may not try to split it. */
		pcb->persist_backoff = 0;
		return;
	}
	pcb->snd_queuelen -= pbuf_clen(seg->p);
	for (struct tcp_seg *s = first; s; s = s->next)
		pcb->snd_queuelen += pbuf_clen(s->p);
	last->next = seg->next;
	pcb->unsent = first;
	tcp_seg_free(seg);
	if (acked)
		drop_acked(c, acked);
	tcp_output(pcb);
}
