/*
 * A pair of queues of a virtio network card: receive 2n and transmit 2n + 1.
 *
 * Receive: each request is one page, a struct netdev_buffer and then room for data. The device lays a virtio header in front of a frame
 * and, with mergeable buffers, lets it run over as many requests as it needs. Transmit: the header lies in a table of the driver, the
 * packet's pieces are read where they are.
 *
 * Interrupts. A polled queue is disarmed: no entry that the device makes passes the one that it was asked to tell of (virtqueue.h). No frame
 * is left lying without an interrupt, by store buffering:
 *	driver, arm()			device
 *	event = used_seen		used index += 1
 *	fence (V2)			fence
 *	used index == used_seen?	event passed? interrupt
 *	sleep; else false: poll again
 * Sent packets want no interrupt while more than half of the queue is free: the next poll or send takes them back. Below that, send() arms the
 * transmit queue, by the same rule: it takes back what is done if arming says that there is something, so `sent` always comes.
 *
 * Without memory for receive buffers the device has none left at some time, and nothing would ever interrupt: a timer has the queue polled again.
 *
 * What the device writes is checked before use: request numbers by virtq_take(), lengths, offsets and counts here. A frame that is
 * wrong is dropped and counted; a device that breaks the queue's rules is not used any more.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, section 5.1.
 */
#include <string.h>

#include "abi/errno.h"
#include "arch/riscv64/layout.h"
#include "drivers/virtio/virtio_net.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

#define QUEUE_SIZE 256U

#define HDR_NEEDS_CSUM 1U
#define HDR_DATA_VALID 2U
#define GSO_NONE       0U
#define GSO_TCPV4      1U
#define GSO_TCPV6      4U
#define GSO_ECN	       0x80U

#define ETHERNET_HEADER 14U
#define FRAME_MAX	(ETHERNET_HEADER + 65535U)
#define REFILL_WAIT_MS	20U

struct net_header {
	u8 flags;
	u8 gso_type;
	u16 header_length;
	u16 gso_size;
	u16 csum_start;
	u16 csum_offset;
	u16 nr_buffers; /* received: requests that the frame lies in */
};
static_assert(sizeof(struct net_header) == 12, "virtio 1.2, 5.1.6");

/* Where the device writes: so that the IP header behind both others is aligned. */
#define RX_OFFSET (ALIGN_UP(sizeof(struct netdev_buffer), 4UL) + 2)
#define RX_ROOM	  ((u32)(PAGE_SIZE - RX_OFFSET))
static_assert((RX_OFFSET + sizeof(struct net_header) + ETHERNET_HEADER) % 4 == 0, "IP header");

/* A packet under way. */
struct tx_slot {
	struct net_header header;
	struct tx_slot *next_free;
	void *cookie;
};

static struct virtio_net_pair *pair_of(struct netdev *d, u32 queue)
{
	struct virtio_net *vn = d->driver;

	return &vn->pairs[queue];
}

static bool is_broken(struct virtio_net_pair *pair)
{
	if (!pair->rx->broken && !pair->tx->broken)
		return false;
	if (!pair->told_broken)
		klog(KLOG_ERR, "virtio: %s broke the rules of its queue and is not used any more\n",
		     pair->vn->dev.name);
	pair->told_broken = true;
	return true;
}

/* ---- transmit ---- */

static void tx_reclaim(struct virtio_net_pair *pair)
{
	const struct netdev_user *user = atomic_load_acquire(&pair->vn->dev.user);
	struct tx_slot *slot;
	u32 length;

	while ((slot = virtq_take(pair->tx, &length)) != NULL) {
		void *cookie = slot->cookie;

		slot->next_free = pair->free_slots;
		pair->free_slots = slot;
		user->sent(&pair->vn->dev, pair->number, cookie);
	}
}

/* Before more than half of the queue is in use: takes back what was sent, or sees to it that an interrupt says so. */
static void tx_make_room(struct virtio_net_pair *pair)
{
	while (pair->tx->nr_free < pair->tx->size / 2U) {
		tx_reclaim(pair);
		if (pair->tx->nr_free >= pair->tx->size / 2U ||
		    virtq_arm(pair->tx, virtq_outstanding(pair->tx) / 2))
			break;
	}
}

static void tx_fill_header(struct net_header *h, const struct netdev_packet *p)
{
	static const u8 gso_types[] = {
		[NETDEV_GSO_NONE] = GSO_NONE,
		[NETDEV_GSO_TCPV4] = GSO_TCPV4,
		[NETDEV_GSO_TCPV6] = GSO_TCPV6,
	};

	*h = (struct net_header){0};
	if (p->checksum) {
		h->flags = HDR_NEEDS_CSUM;
		h->csum_start = p->checksum_start;
		h->csum_offset = p->checksum_offset;
	}
	if (p->gso != NETDEV_GSO_NONE) {
		h->gso_type = gso_types[p->gso];
		h->gso_size = p->segment_size;
		h->header_length = p->header_length;
	}
}

static int virtio_net_send(struct netdev *d, u32 queue, const struct netdev_packet *p)
{
	struct virtio_net_pair *pair = pair_of(d, queue);
	struct virtq_piece pieces[NETDEV_PIECES_MAX + 1];
	struct tx_slot *slot;

	BUG_ON(!p->nr_pieces || p->nr_pieces > NETDEV_PIECES_MAX);
	if (is_broken(pair))
		return -EIO;
	tx_make_room(pair);
	slot = pair->free_slots;
	if (pair->tx->nr_free < p->nr_pieces + 1)
		return -ENOBUFS;
	pair->free_slots = slot->next_free;
	slot->cookie = p->cookie;
	tx_fill_header(&slot->header, p);
	pieces[0] = (struct virtq_piece){.memory = &slot->header, .length = sizeof(slot->header)};
	for (u32 i = 0; i < p->nr_pieces; i++)
		pieces[i + 1] = (struct virtq_piece){.memory = (void *)p->pieces[i].data,
						     .length = p->pieces[i].length};
	/* There is room: each slot has at least one descriptor, and the rest was counted. */
	BUG_ON(virtq_add(pair->tx, pieces, (u16)(p->nr_pieces + 1), slot));
	return 0;
}

static void virtio_net_flush(struct netdev *d, u32 queue)
{
	virtio_kick(pair_of(d, queue)->vn->virtio, pair_of(d, queue)->tx);
}

/* ---- receive ---- */

void virtio_net_refill(struct virtio_net_pair *pair)
{
	bool added = false;

	while (pair->rx->nr_free) {
		u8 *page = page_alloc(0, 0);
		struct virtq_piece piece = {.length = RX_ROOM, .device_writes = true};

		if (!page)
			break;
		piece.memory = page + RX_OFFSET;
		BUG_ON(virtq_add(pair->rx, &piece, 1, page));
		added = true;
	}
	if (added)
		virtio_kick(pair->vn->virtio, pair->rx);
	if (virtq_outstanding(pair->rx) == 0 && !is_broken(pair))
		timer_arm(&pair->refill, time_now() + time_freq * REFILL_WAIT_MS / 1000);
}

/* The oldest finished request as a buffer of what the device says that it wrote, at most what it may. */
static struct netdev_buffer *rx_take(struct virtio_net_pair *pair)
{
	struct netdev_buffer *b;
	u32 length;

	b = virtq_take(pair->rx, &length);
	if (!b)
		return NULL;
	b->next = NULL;
	b->data = (u8 *)b + RX_OFFSET;
	b->length = MIN(length, RX_ROOM);
	return b;
}

/* What the header says of checksum and segments; false: it contradicts itself. */
static bool rx_parse_header(struct virtio_net_pair *pair, const struct net_header *h,
			    struct netdev_frame *f)
{
	u32 gso = h->gso_type & ~GSO_ECN;

	if ((h->flags & HDR_NEEDS_CSUM) && (u32)h->csum_start + h->csum_offset + 2 > f->length)
		return false;
	f->checksum_good = h->flags & (HDR_NEEDS_CSUM | HDR_DATA_VALID);
	if (gso == GSO_NONE)
		return true;
	return (gso == GSO_TCPV4 || gso == GSO_TCPV6) && h->gso_size &&
	       (pair->vn->virtio->features & (F_GUEST_TSO4 | F_GUEST_TSO6));
}

/* The rest of a frame's buffers behind its first. False: the device did not give what it said. */
static bool rx_take_rest(struct virtio_net_pair *pair, struct netdev_frame *f, u32 count)
{
	struct netdev_buffer *last = f->first;
	bool good = true;

	for (u32 i = 1; i < count; i++) {
		last->next = rx_take(pair);
		last = last->next;
		if (!last)
			return false;
		f->length += last->length;
		good = good && last->length && f->length <= FRAME_MAX;
	}
	return good;
}

/* Takes one frame; false: it is to be dropped. `f->first` is its buffers in any case. */
static bool rx_frame(struct virtio_net_pair *pair, struct netdev_buffer *first,
		     struct netdev_frame *f)
{
	struct net_header h;
	u32 count = 1;

	*f = (struct netdev_frame){.first = first};
	if (first->length < sizeof(h))
		return false;
	memcpy(&h, first->data, sizeof(h));
	first->data += sizeof(h);
	first->length -= (u32)sizeof(h);
	f->length = first->length;
	if (pair->vn->virtio->features & F_MRG_RXBUF)
		count = h.nr_buffers;
	return rx_take_rest(pair, f, count) && count && f->length >= ETHERNET_HEADER &&
	       first->length >= ETHERNET_HEADER && rx_parse_header(pair, &h, f);
}

static u32 virtio_net_poll(struct netdev *d, u32 queue, u32 budget)
{
	struct virtio_net_pair *pair = pair_of(d, queue);
	const struct netdev_user *user = atomic_load_acquire(&d->user);
	struct netdev_buffer *first;
	u32 done = 0;

	tx_reclaim(pair);
	while (done < budget && (first = rx_take(pair)) != NULL) {
		struct netdev_frame f;

		done++;
		if (rx_frame(pair, first, &f)) {
			user->receive(d, queue, &f);
		} else {
			atomic_fetch_add_relaxed(&d->rx_errors, 1UL);
			netdev_buffers_free(f.first);
		}
	}
	if (pair->rx->nr_free >= pair->rx->size / 4U || done < budget)
		virtio_net_refill(pair);
	return done;
}

/* ---- interrupts and life ---- */

static void virtio_net_disarm(struct netdev *d, u32 queue)
{
	virtq_disarm(pair_of(d, queue)->rx);
	virtq_disarm(pair_of(d, queue)->tx);
}

static bool virtio_net_arm(struct netdev *d, u32 queue)
{
	struct virtio_net_pair *pair = pair_of(d, queue);
	u16 sending = virtq_outstanding(pair->tx);

	if (is_broken(pair))
		return true;
	if (pair->tx->nr_free < pair->tx->size / 2U && !virtq_arm(pair->tx, sending / 2))
		goto work;
	if (virtq_arm(pair->rx, 0))
		return true;
work:
	virtio_net_disarm(d, queue);
	return false;
}

void virtio_net_tell_work(struct virtio_net_pair *pair)
{
	/* Pairs with the release in netdev_attach(). */
	const struct netdev_user *user = atomic_load_acquire(&pair->vn->dev.user);

	if (user)
		user->work(&pair->vn->dev, pair->number);
}

static void refill_timer(struct timer *t)
{
	virtio_net_tell_work(container_of(t, struct virtio_net_pair, refill));
}

const struct netdev_ops virtio_net_ops = {
	.send = virtio_net_send,
	.flush = virtio_net_flush,
	.poll = virtio_net_poll,
	.arm = virtio_net_arm,
	.disarm = virtio_net_disarm,
};

bool virtio_net_create_pair(struct virtio_net *vn, u32 number)
{
	struct virtio_net_pair *pair = &vn->pairs[number];
	u16 first = (u16)(2 * number);

	pair->vn = vn;
	pair->number = number;
	timer_init(&pair->refill, refill_timer);
	pair->rx = virtio_queue_create(vn->virtio, first, QUEUE_SIZE, number);
	pair->tx = virtio_queue_create(vn->virtio, (u16)(first + 1), QUEUE_SIZE, number);
	if (!pair->rx || !pair->tx || pair->tx->size < 2 * (NETDEV_PIECES_MAX + 1))
		return false;
	pair->slots = kzalloc(pair->tx->size * sizeof(*pair->slots));
	if (!pair->slots)
		return false;
	for (u32 i = 0; i < pair->tx->size; i++) {
		pair->slots[i].next_free = pair->free_slots;
		pair->free_slots = &pair->slots[i];
	}
	virtq_disarm(pair->rx);
	virtq_disarm(pair->tx);
	return true;
}
