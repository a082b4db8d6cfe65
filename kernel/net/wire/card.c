/*
 * Frames of a card, both ways, without copying.
 *
 * In: the card's pages become pbufs that refer to them; the page goes back to the driver when lwIP, or the socket that it ended in, frees the pbuf. A
 * frame of 64 KiB that the card has merged is one chain.
 *
 * Out: lwIP's pbufs are read by the card in place, so each is held until the card says that it was sent. lwIP sees that from the reference count and
 * does not touch such a segment. The payload of TCP lies in pages of the socket's ring, which are held on their own account: an acknowledgement may
 * free the segment and empty the ring while the card still reads.
 *
 * Programs that do not read could let pages pile up. When those that came in and were not given back are an eighth of memory, only frames of up to
 * HELD_SMALL bytes are let in: acknowledgements, ARP, resets go on, data are sent again later.
 *
 * Of a card with several queues each connection uses the one of the hart on which its program last wrote while nothing was on its way: the card
 * brings the answers there. So the interrupt comes to the hart that waits for it.
 *
 * A card that cuts segments (TSO) gets one packet for all that one tcp_output() makes: a segment waits until the next frame shows whether it
 * continues it (`gather`), at most until the batch ends.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/wire/internal.h"
#include "kernel/net/wire/tx.h"
#include "kernel/sync/atomic.h"
#include "kernel/trace/trace.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/ip4.h"
#include "lwip/ip6.h"
#include "lwip/prot/ethernet.h"

#define ETH_HEADER sizeof(struct eth_hdr)

#define CPU_NONE 0xffffffffU

#define HELD_PART  8U /* of memory */
#define HELD_SMALL 256U

static bool checksum_good;	/* [w] of the frame that is being received */
static u32 next_cpu = CPU_NONE; /* [w] of the frame that is sent next */
static u64 held;		/* [a] the cards' pages that pbufs are in */
static bool mtu_lifted;		/* [w] */

bool wire_checksum_good(void)
{
	return checksum_good;
}

/* ---- in ---- */

static void buffer_pbuf_free(struct pbuf *p)
{
	atomic_fetch_add_relaxed(&held, -1UL);
	/* The pbuf is in the buffer's own room. */
	netdev_buffer_free((struct netdev_buffer *)((uintptr_t)p & ~(PAGE_SIZE - 1)));
}

static struct pbuf *buffer_pbuf(struct netdev_buffer *b)
{
	struct pbuf_custom *c = (struct pbuf_custom *)b->room;

	static_assert(sizeof(*c) <= sizeof(b->room), "a pbuf fits beside a buffer");
	atomic_fetch_add_relaxed(&held, 1UL);
	c->custom_free_function = buffer_pbuf_free;
	return pbuf_alloced_custom(PBUF_RAW, (u16_t)b->length, PBUF_REF, c, b->data,
				   (u16_t)b->length);
}

static bool frame_wanted(const struct netdev_frame *f)
{
	return f->length <= HELD_SMALL || atomic_load_relaxed(&held) < mm_total_pages() / HELD_PART;
}

/* The frame behind its Ethernet header, whose length 16 bits can tell. NULL: malformed, or no room; the buffers are freed. */
static struct pbuf *frame_pbuf(const struct netdev_frame *f)
{
	struct pbuf *first = NULL, *last = NULL;
	struct netdev_buffer *b = f->first, *next;
	u32 rest = f->length - ETH_HEADER;

	if (f->length < ETH_HEADER || b->length < ETH_HEADER || rest > 0xffff || !frame_wanted(f)) {
		netdev_buffers_free(b);
		return NULL;
	}
	b->data += ETH_HEADER;
	b->length -= ETH_HEADER;
	for (; b; b = next) {
		struct pbuf *p;

		next = b->next;
		p = buffer_pbuf(b);
		if (!first)
			first = p;
		else
			last->next = p;
		last = p;
		p->tot_len = (u16_t)rest;
		rest -= MIN(rest, (u32)p->len);
	}
	return first;
}

/* Who is off by its own address is not for us; the card may be promiscuous. */
static bool frame_for_us(const struct wire_card *c, const struct eth_hdr *h)
{
	return (h->dest.addr[0] & 1) || !memcmp(h->dest.addr, c->netif.hwaddr, ETH_HWADDR_LEN);
}

void wire_receive(struct eth *e, const struct netdev_frame *f)
{
	struct wire_card *c = e->wire_data;
	struct eth_hdr h = {0};
	struct pbuf *p;

	if (f->first->length >= ETH_HEADER)
		memcpy(&h, f->first->data, ETH_HEADER);
	trace_frame(f->length, false);
	checksum_good = f->checksum_good;
	p = frame_pbuf(f);
	if (!p) {
		atomic_store_relaxed(&e->stats.rx_dropped, e->stats.rx_dropped + 1);
		return;
	}
	p->if_idx = netif_get_index(&c->netif);
	/* What the card has looked at is not summed again. */
	NETIF_SET_CHECKSUM_CTRL(&c->netif,
				checksum_good ? c->netif.chksum_flags & ~NETIF_CHECKSUM_CHECK_TCP
					      : c->netif.chksum_flags | NETIF_CHECKSUM_CHECK_TCP);
	if (!frame_for_us(c, &h))
		pbuf_free(p);
	else if (h.type == PP_HTONS(ETHTYPE_IP))
		ip4_input(p, &c->netif);
	else if (h.type == PP_HTONS(ETHTYPE_IPV6))
		ip6_input(p, &c->netif);
	else if (h.type == PP_HTONS(ETHTYPE_ARP))
		etharp_input(p, &c->netif);
	else
		pbuf_free(p);
	wire_show_done();
}

/* ---- out ---- */

static void tx_free(struct wire_tx *tx)
{
	for (u32 i = 0; i < tx->nr_pages; i++)
		page_put(tx->pages[i]);
	for (u32 i = 0; i < tx->nr_heads; i++)
		pbuf_free(tx->heads[i]);
	kfree(tx);
}

void wire_sent(struct eth *e, void *cookie)
{
	(void)e;
	tx_free(cookie);
}

/* Gives a packet to the card. False: the card is full. */
static bool tx_try(struct wire_card *c, struct wire_tx *tx)
{
	u32 length = tx->length;
	u32 queue = tx->queue;
	int err = eth_send(c->eth, queue, &tx->packet);

	if (err == -ENOBUFS)
		return false;
	if (err) {
		tx_free(tx);
		return true;
	}
	trace_frame(length, true);
	c->unflushed |= BIT(queue);
	return true;
}

static void tx_wait(struct wire_card *c, struct wire_tx *tx)
{
	tx->next = NULL;
	*c->last = tx;
	c->last = &tx->next;
	c->nr_waiting++;
}

static void tx_send(struct wire_card *c, struct wire_tx *tx)
{
	tx_finish(tx);
	if (c->first || !tx_try(c, tx))
		tx_wait(c, tx);
}

static void tx_send_gathered(struct wire_card *c)
{
	struct wire_tx *tx = c->gather;

	c->gather = NULL;
	if (tx)
		tx_send(c, tx);
}

/* The card has room again, perhaps. */
static void tx_send_waiting(struct wire_card *c)
{
	struct wire_tx *tx;

	while ((tx = c->first)) {
		struct wire_tx *next = tx->next;

		if (!tx_try(c, tx))
			return;
		c->first = next;
		if (!next)
			c->last = &c->first;
		c->nr_waiting--;
	}
}

static void mtu_restore(void)
{
	if (likely(!mtu_lifted))
		return;
	mtu_lifted = false;
	for (struct wire_card *c = wire_cards; c; c = c->next) {
		c->netif.mtu = c->mtu;
		c->netif.mtu6 = c->mtu6;
	}
}

/* 0 means to lwIP that there is no limit. */
void wire_card_lift_mtu(void)
{
	mtu_restore();
	for (struct wire_card *c = wire_cards; c; c = c->next) {
		c->mtu = c->netif.mtu;
		c->mtu6 = c->netif.mtu6;
		c->netif.mtu = c->netif.mtu6 = 0;
	}
	mtu_lifted = true;
}

void wire_card_flush(struct wire_card *c)
{
	mtu_restore();
	if (c->first)
		tx_send_waiting(c);
	tx_send_gathered(c);
	for (; c->unflushed; c->unflushed &= c->unflushed - 1)
		eth_flush(c->eth, (u32)__builtin_ctzl(c->unflushed));
}

/* netif.output: a packet has passed lwIP's look at the length. */
static err_t card_output_ip4(struct netif *n, struct pbuf *p, const ip4_addr_t *to)
{
	mtu_restore();
	return etharp_output(n, p, to);
}

static err_t card_output_ip6(struct netif *n, struct pbuf *p, const ip6_addr_t *to)
{
	mtu_restore();
	return ethip6_output(n, p, to);
}

void wire_next_frame_of(u32 cpu)
{
	next_cpu = cpu;
}

/* All that a connection sends goes by one queue, so that it stays in order; the rest by this hart's. */
static u32 next_queue(const struct wire_card *c)
{
	u32 cpu = next_cpu == CPU_NONE ? cpu_id() : next_cpu;

	next_cpu = CPU_NONE;
	return eth_queue_of(c->eth, cpu);
}

/* netif.linkoutput: a whole frame. lwIP keeps its own reference. */
static err_t card_output(struct netif *netif, struct pbuf *p)
{
	struct wire_card *c = netif->state;
	u32 features = c->eth->dev->features, queue = next_queue(c);
	struct wire_tx *tx;

	if (c->gather && tx_join(c->gather, p))
		return ERR_OK;
	tx_send_gathered(c);
	if (c->nr_waiting >= WIRE_TX_WAITING_MAX)
		return ERR_MEM;
	tx = tx_make(p, features);
	if (!tx)
		return ERR_MEM;
	tx->queue = queue;
	if (tx->segment)
		c->gather = tx;
	else
		tx_send(c, tx);
	return ERR_OK;
}

void wire_card_init(struct wire_card *c)
{
	struct netif *n = &c->netif;
	const struct netdev *d = c->eth->dev;
	u16_t sums = NETIF_CHECKSUM_ENABLE_ALL;

	c->last = &c->first;
	memcpy(n->hwaddr, d->address, ETH_HWADDR_LEN);
	n->hwaddr_len = ETH_HWADDR_LEN;
	n->name[0] = 'e';
	n->name[1] = 't';
	n->mtu = (u16_t)MIN(d->mtu, 65535U - ETH_HEADER);
	n->mtu6 = n->mtu;
	n->flags |= NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
		    NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
	n->output = card_output_ip4;
	n->output_ip6 = card_output_ip6;
	n->linkoutput = card_output;
	if (d->features & NETDEV_F_CSUM)
		sums &= (u16_t)~NETIF_CHECKSUM_GEN_TCP;
	NETIF_SET_CHECKSUM_CTRL(n, sums);
}
