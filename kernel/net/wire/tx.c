/*
 * What one packet to a card is made of: pieces of lwIP's pbufs, several segments of one connection joined into one that the card cuts again.
 *
 * Segments join if the second continues the first: same addresses, ports, acknowledgement, window and options, next sequence number, and the first
 * ended with a full segment. Only the first one's headers are sent; the card counts sequence numbers and IP's identification on from there.
 * A long frame is several segments already, of the size that tx_set_size() has told.
 */
#include "kernel/net/wire/tx.h"

#include <string.h>

#include "kernel/mm/mm.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/tcp.h"

#define ETH_HEADER sizeof(struct eth_hdr)

/* The headers of a TCP frame: all in the first piece, as lwIP makes them. */
struct tcp_frame {
	u8 *ip;
	struct tcp_hdr *tcp;
	u32 ip_length, headers; /* of the IP header; of all headers */
	bool v6;
};

static bool tcp_frame_parse(u8 *frame, u32 length, struct tcp_frame *f)
{
	u32 type = (u32)frame[12] << 8 | frame[13];

	f->ip = frame + ETH_HEADER;
	f->v6 = type == ETHTYPE_IPV6;
	f->ip_length = f->v6 ? IP6_HLEN : IP_HLEN;
	if (length < ETH_HEADER + f->ip_length + sizeof(struct tcp_hdr))
		return false;
	if (f->v6 ? f->ip[6] != IP6_NEXTH_TCP
		  : type != ETHTYPE_IP || f->ip[0] != 0x45 || f->ip[9] != IPPROTO_TCP)
		return false;
	f->tcp = (struct tcp_hdr *)(f->ip + f->ip_length);
	f->headers = (u32)ETH_HEADER + f->ip_length + TCPH_HDRLEN_BYTES(f->tcp);
	return length >= f->headers;
}

/* Appends bytes that lie together. Those of a ring hold each page that they are in. False: too many pieces. */
static bool tx_add_data(struct wire_tx *tx, u32 *nr, const u8 *data, u32 length, bool of_ring)
{
	struct netdev_piece *pieces = tx->packet.pieces;

	while (length) {
		u32 in_page = (u32)((uintptr_t)data & (PAGE_SIZE - 1));
		u32 n = of_ring ? MIN(length, (u32)PAGE_SIZE - in_page) : length;

		if (*nr > 1 && in_page &&
		    (const u8 *)pieces[*nr - 1].data + pieces[*nr - 1].length == data) {
			pieces[*nr - 1].length += n;
		} else {
			if (*nr == NETDEV_PIECES_MAX)
				return false;
			pieces[(*nr)++] = (struct netdev_piece){data, n};
			if (of_ring) {
				page_get((void *)(data - in_page));
				tx->pages[tx->nr_pages++] = (void *)(data - in_page);
			}
		}
		data += n;
		length -= n;
	}
	return true;
}

/* A pbuf of its own holds its bytes; what merely points to them points into a ring's pages, which may lie side by side. */
static bool of_ring(const struct pbuf *q)
{
	return q->type_internal == PBUF_ROM && !(q->flags & PBUF_FLAG_IS_CUSTOM);
}

/* Appends the payload of `p` behind `skip` bytes of headers. False, with nothing changed: too many pieces. */
static bool tx_add(struct wire_tx *tx, struct pbuf *p, u32 skip)
{
	struct netdev_packet *pk = &tx->packet;
	struct netdev_piece last =
		pk->nr_pieces ? pk->pieces[pk->nr_pieces - 1] : (struct netdev_piece){0};
	u32 nr = pk->nr_pieces, pages = tx->nr_pages, bytes = p->tot_len - skip;

	for (struct pbuf *q = p; q; q = q->next) {
		u32 length = q->len - MIN(skip, (u32)q->len);
		const u8 *data = (const u8 *)q->payload + (q->len - length);

		skip -= q->len - length;
		if (!tx_add_data(tx, &nr, data, length, of_ring(q)))
			goto full;
	}
	pk->nr_pieces = nr;
	tx->length += bytes;
	pbuf_ref(p);
	tx->heads[tx->nr_heads++] = p;
	return true;
full:
	while (tx->nr_pages > pages)
		page_put(tx->pages[--tx->nr_pages]);
	if (pk->nr_pieces)
		pk->pieces[pk->nr_pieces - 1] = last;
	return false;
}

/* Into what a long frame is to be cut; 0: it is none. */
static u16 long_size(const struct pbuf *p, const struct tcp_frame *f)
{
	return p->flags & TX_PBUF_LONG ? f->tcp->chksum : 0;
}

struct wire_tx *tx_make(struct pbuf *p, u32 features)
{
	struct wire_tx *tx = kmalloc(sizeof(*tx));
	struct tcp_frame f;

	if (!tx)
		return NULL;
	memset(tx, 0, offsetof(struct wire_tx, heads));
	tx->packet.cookie = tx;
	if (!tx_add(tx, p, 0)) {
		/* A frame in crumbs: one piece, then. */
		struct pbuf *whole = pbuf_clone(PBUF_RAW, PBUF_RAM, p);

		if (!whole) {
			kfree(tx);
			return NULL;
		}
		whole->flags |= p->flags & TX_PBUF_LONG;
		tx_add(tx, whole, 0);
		pbuf_free(whole);
		p = whole;
	}
	tx->frame = p->payload;
	if (!(features & NETDEV_F_CSUM) || !tcp_frame_parse(p->payload, p->len, &f))
		return tx;
	tx->packet.checksum = true;
	tx->packet.checksum_start = (u16)(ETH_HEADER + f.ip_length);
	tx->packet.checksum_offset = offsetof(struct tcp_hdr, chksum);
	tx->packet.header_length = (u16)f.headers;
	tx->payload = p->tot_len - f.headers;
	tx->packet.segment_size = long_size(p, &f);
	tx->next_seq = net32(f.tcp->seqno) + tx->payload;
	/* What carries SYN, FIN, RST or URG goes alone. */
	tx->segment = (features & (f.v6 ? NETDEV_F_TSO6 : NETDEV_F_TSO4)) && tx->payload &&
		      p->len == f.headers && !(TCPH_FLAGS(f.tcp) & ~(TCP_ACK | TCP_PSH));
	return tx;
}

/* Equal but for lengths, identification, sequence number, checksums and PSH. */
static bool same_flow(const struct tcp_frame *a, const struct tcp_frame *b)
{
	u32 addresses = a->v6 ? 8 : 12, ports = sizeof(u16) * 2;

	if (a->v6 != b->v6 || a->headers != b->headers ||
	    memcmp(a->ip + addresses, b->ip + addresses, a->ip_length - addresses))
		return false;
	if (memcmp(a->tcp, b->tcp, ports) || a->tcp->ackno != b->tcp->ackno ||
	    a->tcp->wnd != b->tcp->wnd)
		return false;
	if ((TCPH_FLAGS(a->tcp) | TCP_PSH) != (TCPH_FLAGS(b->tcp) | TCP_PSH))
		return false;
	return !memcmp(a->tcp + 1, b->tcp + 1,
		       a->headers - ETH_HEADER - a->ip_length - sizeof(struct tcp_hdr));
}

bool tx_join(struct wire_tx *tx, struct pbuf *p)
{
	struct tcp_frame a, b;
	u32 payload, size = tx->packet.segment_size ? tx->packet.segment_size : tx->payload;

	if (tx->nr_heads == WIRE_TX_HEADS_MAX || !tcp_frame_parse(p->payload, p->len, &b) ||
	    p->len != b.headers)
		return false;
	if (!tcp_frame_parse(tx->frame, tx->packet.header_length, &a) || !same_flow(&a, &b))
		return false;
	payload = p->tot_len - b.headers;
	if (!payload || tx->payload % size || net32(b.tcp->seqno) != tx->next_seq)
		return false;
	if (payload > size && long_size(p, &b) != size)
		return false;
	if (tx->payload + payload + a.headers - ETH_HEADER > 65535)
		return false;
	if (!tx_add(tx, p, b.headers))
		return false;
	tx->packet.segment_size = (u16)size;
	tx->payload += payload;
	tx->next_seq += payload;
	if (TCPH_FLAGS(b.tcp) & TCP_PSH)
		TCPH_SET_FLAG(a.tcp, TCP_PSH);
	return true;
}

/* The pseudo header's sum, which the card adds the rest to. */
static u16 pseudo_sum(const struct tcp_frame *f, u32 length)
{
	u32 tail[2] = {net32(length), net32(IPPROTO_TCP)};
	u32 addresses = f->v6 ? 32 : 8;
	u32 sum = inet_sum(0, f->ip + f->ip_length - addresses, addresses);

	return (u16)~inet_sum_fold(inet_sum(sum, tail, sizeof(tail)));
}

void tx_finish(struct wire_tx *tx)
{
	struct tcp_frame f;
	u32 length;

	if (!tx->packet.checksum || !tcp_frame_parse(tx->frame, tx->packet.header_length, &f))
		return;
	length = f.headers - (u32)ETH_HEADER - f.ip_length + tx->payload;
	if (tx->packet.segment_size) {
		tx->packet.gso = f.v6 ? NETDEV_GSO_TCPV6 : NETDEV_GSO_TCPV4;
		if (f.v6) {
			((struct ip6_hdr *)f.ip)->_plen = net16((u16)length);
		} else {
			struct ip_hdr *ip = (struct ip_hdr *)f.ip;

			IPH_LEN_SET(ip, net16((u16)(length + f.ip_length)));
			IPH_CHKSUM_SET(ip, 0);
			IPH_CHKSUM_SET(ip, inet_sum_fold(inet_sum(0, ip, IP_HLEN)));
		}
	}
	f.tcp->chksum = pseudo_sum(&f, length);
}
