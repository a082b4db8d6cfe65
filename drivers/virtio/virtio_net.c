/*
 * Virtio network card: one pair of queues, receive 0 and transmit 1.
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
#include "drivers/netdev.h"
#include "drivers/virtio/virtio.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/time/time.h"

#define F_CSUM	     BIT(0)
#define F_GUEST_CSUM BIT(1)
#define F_MTU	     BIT(3)
#define F_MAC	     BIT(5)
#define F_GUEST_TSO4 BIT(7)
#define F_GUEST_TSO6 BIT(8)
#define F_HOST_TSO4  BIT(11)
#define F_HOST_TSO6  BIT(12)
#define F_MRG_RXBUF  BIT(15)
#define F_STATUS     BIT(16)
#define F_WANTED                                                                                   \
	(F_CSUM | F_GUEST_CSUM | F_MTU | F_MAC | F_GUEST_TSO4 | F_GUEST_TSO6 | F_HOST_TSO4 |       \
	 F_HOST_TSO6 | F_MRG_RXBUF | F_STATUS | VIRTIO_F_EVENT_IDX)

#define CONFIG_MAC	  0 /* 6 bytes */
#define CONFIG_MAC_STATUS 4 /* the last two of them, then the status, 16 bits each */
#define CONFIG_PAIRS_MTU  8 /* queue pairs, then the MTU, 16 bits each */
#define STATUS_LINK_UP	  1U

#define QUEUE_RX   0
#define QUEUE_TX   1
#define QUEUE_SIZE 256U

#define HDR_NEEDS_CSUM 1U
#define HDR_DATA_VALID 2U
#define GSO_NONE       0U
#define GSO_TCPV4      1U
#define GSO_TCPV6      4U
#define GSO_ECN	       0x80U

#define ETHERNET_HEADER 14U
#define MTU_DEFAULT	1500U
#define MTU_MIN		576U
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

struct virtio_net {
	struct netdev dev;
	struct virtio_device *virtio; /* [I] */
	struct virtq *rx, *tx;	      /* [L:caller] */
	struct tx_slot *slots;	      /* [I] one for each descriptor */
	struct tx_slot *free_slots;   /* [L:caller] */
	bool told_broken;	      /* [L:caller] */
	struct timer refill;	      /* armed while there is no memory for receive buffers */
};

static struct virtio_net *to_virtio_net(struct netdev *d)
{
	return d->driver;
}

static bool is_broken(struct virtio_net *vn)
{
	if (!vn->rx->broken && !vn->tx->broken)
		return false;
	if (!vn->told_broken)
		klog(KLOG_ERR, "virtio: %s broke the rules of its queue and is not used any more\n",
		     vn->dev.name);
	vn->told_broken = true;
	return true;
}

/* ---- transmit ---- */

static void tx_reclaim(struct virtio_net *vn)
{
	const struct netdev_user *user = atomic_load_acquire(&vn->dev.user);
	struct tx_slot *slot;
	u32 length;

	while ((slot = virtq_take(vn->tx, &length)) != NULL) {
		void *cookie = slot->cookie;

		slot->next_free = vn->free_slots;
		vn->free_slots = slot;
		user->sent(&vn->dev, 0, cookie);
	}
}

/* Before more than half of the queue is in use: takes back what was sent, or sees to it that an interrupt says so. */
static void tx_make_room(struct virtio_net *vn)
{
	while (vn->tx->nr_free < vn->tx->size / 2U) {
		tx_reclaim(vn);
		if (vn->tx->nr_free >= vn->tx->size / 2U ||
		    virtq_arm(vn->tx, virtq_outstanding(vn->tx) / 2))
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
	struct virtio_net *vn = to_virtio_net(d);
	struct virtq_piece pieces[NETDEV_PIECES_MAX + 1];
	struct tx_slot *slot;

	(void)queue;
	BUG_ON(!p->nr_pieces || p->nr_pieces > NETDEV_PIECES_MAX);
	if (is_broken(vn))
		return -EIO;
	tx_make_room(vn);
	slot = vn->free_slots;
	if (vn->tx->nr_free < p->nr_pieces + 1)
		return -ENOBUFS;
	vn->free_slots = slot->next_free;
	slot->cookie = p->cookie;
	tx_fill_header(&slot->header, p);
	pieces[0] = (struct virtq_piece){.memory = &slot->header, .length = sizeof(slot->header)};
	for (u32 i = 0; i < p->nr_pieces; i++)
		pieces[i + 1] = (struct virtq_piece){.memory = (void *)p->pieces[i].data,
						     .length = p->pieces[i].length};
	/* There is room: each slot has at least one descriptor, and the rest was counted. */
	BUG_ON(virtq_add(vn->tx, pieces, (u16)(p->nr_pieces + 1), slot));
	return 0;
}

static void virtio_net_flush(struct netdev *d, u32 queue)
{
	(void)queue;
	virtio_kick(to_virtio_net(d)->virtio, to_virtio_net(d)->tx);
}

/* ---- receive ---- */

static void rx_refill(struct virtio_net *vn)
{
	bool added = false;

	while (vn->rx->nr_free) {
		u8 *page = page_alloc(0, 0);
		struct virtq_piece piece = {.length = RX_ROOM, .device_writes = true};

		if (!page)
			break;
		piece.memory = page + RX_OFFSET;
		BUG_ON(virtq_add(vn->rx, &piece, 1, page));
		added = true;
	}
	if (added)
		virtio_kick(vn->virtio, vn->rx);
	if (virtq_outstanding(vn->rx) == 0 && !is_broken(vn))
		timer_arm(&vn->refill, time_now() + time_freq * REFILL_WAIT_MS / 1000);
}

/* The oldest finished request as a buffer of what the device says that it wrote, at most what it may. */
static struct netdev_buffer *rx_take(struct virtio_net *vn)
{
	struct netdev_buffer *b;
	u32 length;

	b = virtq_take(vn->rx, &length);
	if (!b)
		return NULL;
	b->next = NULL;
	b->data = (u8 *)b + RX_OFFSET;
	b->length = MIN(length, RX_ROOM);
	return b;
}

/* What the header says of checksum and segments; false: it contradicts itself. */
static bool rx_parse_header(struct virtio_net *vn, const struct net_header *h, struct netdev_frame *f)
{
	u32 gso = h->gso_type & ~GSO_ECN;

	if ((h->flags & HDR_NEEDS_CSUM) && (u32)h->csum_start + h->csum_offset + 2 > f->length)
		return false;
	f->checksum_good = h->flags & (HDR_NEEDS_CSUM | HDR_DATA_VALID);
	if (gso == GSO_NONE)
		return true;
	return (gso == GSO_TCPV4 || gso == GSO_TCPV6) && h->gso_size &&
	       (vn->virtio->features & (F_GUEST_TSO4 | F_GUEST_TSO6));
}

/* The rest of a frame's buffers behind its first. False: the device did not give what it said. */
static bool rx_take_rest(struct virtio_net *vn, struct netdev_frame *f, u32 count)
{
	struct netdev_buffer *last = f->first;
	bool good = true;

	for (u32 i = 1; i < count; i++) {
		last->next = rx_take(vn);
		last = last->next;
		if (!last)
			return false;
		f->length += last->length;
		good = good && last->length && f->length <= FRAME_MAX;
	}
	return good;
}

/* Takes one frame; false: it is to be dropped. `f->first` is its buffers in any case. */
static bool rx_frame(struct virtio_net *vn, struct netdev_buffer *first, struct netdev_frame *f)
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
	if (vn->virtio->features & F_MRG_RXBUF)
		count = h.nr_buffers;
	return rx_take_rest(vn, f, count) && count && f->length >= ETHERNET_HEADER &&
	       first->length >= ETHERNET_HEADER && rx_parse_header(vn, &h, f);
}

static u32 virtio_net_poll(struct netdev *d, u32 queue, u32 budget)
{
	struct virtio_net *vn = to_virtio_net(d);
	const struct netdev_user *user = atomic_load_acquire(&d->user);
	struct netdev_buffer *first;
	u32 done = 0;

	tx_reclaim(vn);
	while (done < budget && (first = rx_take(vn)) != NULL) {
		struct netdev_frame f;

		done++;
		if (rx_frame(vn, first, &f)) {
			user->receive(d, queue, &f);
		} else {
			atomic_store_relaxed(&d->rx_errors, d->rx_errors + 1);
			netdev_buffers_free(f.first);
		}
	}
	if (vn->rx->nr_free >= vn->rx->size / 4U || done < budget)
		rx_refill(vn);
	return done;
}

/* ---- interrupts ---- */

static void virtio_net_disarm(struct netdev *d, u32 queue)
{
	(void)queue;
	virtq_disarm(to_virtio_net(d)->rx);
	virtq_disarm(to_virtio_net(d)->tx);
}

static bool virtio_net_arm(struct netdev *d, u32 queue)
{
	struct virtio_net *vn = to_virtio_net(d);
	u16 sending = virtq_outstanding(vn->tx);

	(void)queue;
	if (is_broken(vn))
		return true;
	if (vn->tx->nr_free < vn->tx->size / 2U && !virtq_arm(vn->tx, sending / 2))
		goto work;
	if (virtq_arm(vn->rx, 0))
		return true;
work:
	virtio_net_disarm(d, queue);
	return false;
}

static void tell_work(struct virtio_net *vn)
{
	/* Pairs with the release in netdev_attach(). */
	const struct netdev_user *user = atomic_load_acquire(&vn->dev.user);

	if (user)
		user->work(&vn->dev, 0);
}

static void virtio_net_interrupt(struct virtio_device *dev, u32 vector)
{
	struct virtio_net *vn = dev->driver;

	(void)vector;
	if (virtq_has_used(vn->rx) || virtq_has_used(vn->tx))
		tell_work(vn);
}

static void refill_timer(struct timer *t)
{
	tell_work(container_of(t, struct virtio_net, refill));
}

static void read_link(struct virtio_net *vn)
{
	u32 status = STATUS_LINK_UP;

	if (vn->virtio->features & F_STATUS)
		status = virtio_config(vn->virtio, CONFIG_MAC_STATUS) >> 16;
	atomic_store_relaxed(&vn->dev.link, status & STATUS_LINK_UP);
}

static void virtio_net_config_changed(struct virtio_device *dev)
{
	read_link(dev->driver);
	tell_work(dev->driver);
}

static const struct netdev_ops virtio_net_ops = {
	.send = virtio_net_send,
	.flush = virtio_net_flush,
	.poll = virtio_net_poll,
	.arm = virtio_net_arm,
	.disarm = virtio_net_disarm,
};

/* ---- start ---- */

static void read_config(struct virtio_net *vn)
{
	u32 mac[2] = {virtio_config(vn->virtio, CONFIG_MAC),
		      virtio_config(vn->virtio, CONFIG_MAC_STATUS)};
	u32 mtu = MTU_DEFAULT;

	memcpy(vn->dev.address, mac, sizeof(vn->dev.address));
	if (vn->virtio->features & F_MTU)
		mtu = virtio_config(vn->virtio, CONFIG_PAIRS_MTU) >> 16;
	vn->dev.mtu = mtu < MTU_MIN ? MTU_DEFAULT : mtu;
	read_link(vn);
}

static u32 netdev_features(u64 features)
{
	return (features & F_CSUM ? NETDEV_F_CSUM : 0) |
	       (features & F_HOST_TSO4 ? NETDEV_F_TSO4 : 0) |
	       (features & F_HOST_TSO6 ? NETDEV_F_TSO6 : 0);
}

static bool create_queues(struct virtio_net *vn)
{
	vn->rx = virtio_queue_create(vn->virtio, QUEUE_RX, QUEUE_SIZE, 0);
	vn->tx = virtio_queue_create(vn->virtio, QUEUE_TX, QUEUE_SIZE, 0);
	if (!vn->rx || !vn->tx || vn->tx->size < 2 * (NETDEV_PIECES_MAX + 1))
		return false;
	vn->slots = kzalloc(vn->tx->size * sizeof(*vn->slots));
	if (!vn->slots)
		return false;
	for (u32 i = 0; i < vn->tx->size; i++) {
		vn->slots[i].next_free = vn->free_slots;
		vn->free_slots = &vn->slots[i];
	}
	virtq_disarm(vn->rx);
	virtq_disarm(vn->tx);
	return true;
}

/* Merged frames only where a frame may lie in several buffers: else a page would have to hold 64 KiB. */
static int negotiate(struct virtio_device *dev)
{
	u64 merged = F_MRG_RXBUF, wanted = F_WANTED;
	int err = virtio_negotiate(dev, wanted);

	if (err || (dev->features & merged) || !(dev->features & (F_GUEST_TSO4 | F_GUEST_TSO6)))
		return err;
	return virtio_negotiate(dev, wanted & ~(F_GUEST_TSO4 | F_GUEST_TSO6));
}

void virtio_net_probe(struct virtio_device *dev)
{
	struct virtio_net *vn;

	if (negotiate(dev))
		return;
	vn = kzalloc(sizeof(*vn));
	if (!vn || !(dev->features & F_MAC))
		goto fail;
	vn->virtio = dev;
	vn->dev.driver = vn;
	vn->dev.ops = &virtio_net_ops;
	vn->dev.nr_queues = 1;
	vn->dev.features = netdev_features(dev->features);
	dev->driver = vn;
	timer_init(&vn->refill, refill_timer);
	read_config(vn);
	if (virtio_vectors(dev, "virtio-net", 1) < 0 || !create_queues(vn))
		goto fail;
	dev->interrupt = virtio_net_interrupt;
	dev->config_changed = virtio_net_config_changed;
	virtio_ready(dev);
	rx_refill(vn);
	netdev_register(&vn->dev);
	klog(KLOG_INFO, "virtio: %s features %lx mtu %u\n", vn->dev.name, dev->features, vn->dev.mtu);
	return;
fail:
	/* What was allocated stays with the device: it may still know of it. */
	klog(KLOG_ERR,
	     "virtio: a network device cannot be used: no address, queues, interrupt or memory\n");
	virtio_fail(dev);
}
