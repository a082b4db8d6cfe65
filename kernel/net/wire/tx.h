/*
 * Packets on their way to a card (tx.c), as card.c queues them.
 */
#ifndef KERNEL_NET_WIRE_TX_H
#define KERNEL_NET_WIRE_TX_H

#include "drivers/netdev.h"
#include "kernel/net/inet.h"
#include "lwip/pbuf.h"
#include "lwip/prot/tcp.h"

#define WIRE_TX_WAITING_MAX 512U /* packets that wait for a full card */
#define WIRE_TX_HEADS_MAX   64U	 /* segments in one packet */

/* A packet and what it keeps alive until it was sent. Its cookie. */
struct wire_tx {
	struct wire_tx *next;
	struct netdev_packet packet;
	u8 *frame;    /* where Ethernet, IP and TCP headers lie: in the first piece */
	bool segment; /* TCP data that the card may cut: others may join */
	u32 next_seq; /* where a segment would continue it */
	u32 payload;
	u32 length; /* of the frame */
	u32 queue;
	u32 nr_heads, nr_pages;
	struct pbuf *heads[WIRE_TX_HEADS_MAX];
	void *pages[NETDEV_PIECES_MAX];
};

/*
 * A segment `p` with header `h` is longer than what the peer takes: the card cuts it into such of `size` bytes. That is told where the checksum will
 * be, and with a flag that lwIP does not use.
 */
#define TX_PBUF_LONG 0x80U
static inline void tx_set_size(struct pbuf *p, struct tcp_hdr *h, u32 size)
{
	p->flags |= TX_PBUF_LONG;
	h->chksum = (u16)size;
}

/* A packet of the frame `p`, held; NULL: no memory. */
struct wire_tx *tx_make(struct pbuf *p, u32 features);
/* Adds the segment in frame `p` if it continues `tx`. */
bool tx_join(struct wire_tx *tx, struct pbuf *p);
/* No more joins: lengths, checksums. */
void tx_finish(struct wire_tx *tx);

#endif
