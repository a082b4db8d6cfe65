/*
 * Virtio network card: features, configuration, queues. It has one pair of queues or, if the device offers more and each can interrupt a hart of its
 * own, one for each hart; the device is then told by its control queue how many of them are in use. It puts a received frame into the pair that
 * last sent for the same stream (virtio 1.2, 5.1.6.5.5), so who sends chooses.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, section 5.1.
 */
#include "drivers/virtio/virtio_net.h"

#include <string.h>

#include "abi/errno.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

#define F_WANTED                                                                                   \
	(F_CSUM | F_GUEST_CSUM | F_MTU | F_MAC | F_GUEST_TSO4 | F_GUEST_TSO6 | F_HOST_TSO4 |       \
	 F_HOST_TSO6 | F_MRG_RXBUF | F_STATUS | F_CTRL_VQ | F_MQ | VIRTIO_F_EVENT_IDX)

/* Fields of 16 bits; the address has three of them. */
#define CONFIG_MAC     0
#define CONFIG_STATUS  6
#define CONFIG_PAIRS   8
#define CONFIG_MTU     10
#define STATUS_LINK_UP 1U

#define MTU_DEFAULT 1500U
#define MTU_MIN	    576U

#define CONTROL_CLASS_MQ  4
#define CONTROL_PAIRS_SET 0
#define CONTROL_OK	  0
#define CONTROL_WAIT_S	  20 /* a busy host */
#define CONTROL_SIZE	  2  /* a command is two pieces */

/* A command of the control queue and what the device answers. */
struct command {
	u8 class, command;
	u16 pairs;
	u8 answer;
};

/* ---- interrupts ---- */

static void virtio_net_interrupt(struct virtio_device *dev, u32 vector)
{
	struct virtio_net *vn = dev->driver;
	struct virtio_net_pair *pair = &vn->pairs[vector];

	if (virtq_has_used(pair->rx) || virtq_has_used(pair->tx))
		virtio_net_tell_work(pair);
}

static void read_link(struct virtio_net *vn)
{
	u32 status = STATUS_LINK_UP;

	if (vn->virtio->features & F_STATUS)
		status = virtio_config16(vn->virtio, CONFIG_STATUS);
	atomic_store_relaxed(&vn->dev.link, status & STATUS_LINK_UP);
}

static void virtio_net_config_changed(struct virtio_device *dev)
{
	struct virtio_net *vn = dev->driver;

	read_link(vn);
	virtio_net_tell_work(&vn->pairs[0]);
}

/* ---- start ---- */

static void read_config(struct virtio_net *vn)
{
	u16 mac[3];
	u32 mtu = MTU_DEFAULT;

	for (u32 i = 0; i < ARRAY_SIZE(mac); i++)
		mac[i] = virtio_config16(vn->virtio, CONFIG_MAC + 2 * i);
	memcpy(vn->dev.address, mac, sizeof(vn->dev.address));
	if (vn->virtio->features & F_MTU)
		mtu = virtio_config16(vn->virtio, CONFIG_MTU);
	vn->dev.mtu = mtu < MTU_MIN ? MTU_DEFAULT : mtu;
	read_link(vn);
}

static u32 netdev_features(u64 features)
{
	return (features & F_CSUM ? NETDEV_F_CSUM : 0) |
	       (features & F_HOST_TSO4 ? NETDEV_F_TSO4 : 0) |
	       (features & F_HOST_TSO6 ? NETDEV_F_TSO6 : 0);
}

/* Pairs that the device has at most, which also says where its control queue is. */
static u32 device_pairs(struct virtio_net *vn)
{
	u64 both = F_MQ | F_CTRL_VQ;

	if ((vn->virtio->features & both) != both)
		return 1;
	return MAX((u32)virtio_config16(vn->virtio, CONFIG_PAIRS), 1U);
}

/* As many as there are vectors for. False: not even one. */
static bool create_pairs(struct virtio_net *vn)
{
	int vectors = virtio_vectors(vn->virtio, "virtio-net", MIN(device_pairs(vn), (u32)MAX_CPUS));

	vn->dev.nr_queues = 0;
	while ((int)vn->dev.nr_queues < vectors && virtio_net_create_pair(vn, vn->dev.nr_queues))
		vn->dev.nr_queues++;
	return vn->dev.nr_queues;
}

/*
 * Has the device use all pairs; without, it uses the first. 0, -EOPNOTSUPP: it refuses; -ENOMEM; -EIO: it does not answer, so nobody knows
 * what it uses, and the command's memory stays with it.
 */
static int control_set_pairs(struct virtio_net *vn, struct virtq *control)
{
	struct command *c = kzalloc(sizeof(*c));
	struct virtq_piece pieces[] = {
		{.memory = c, .length = offsetof(struct command, answer)},
		{.memory = c ? &c->answer : NULL, .length = 1, .device_writes = true},
	};
	u64 until = time_now() + CONTROL_WAIT_S * time_freq;
	u32 length;
	int err;

	if (!c)
		return -ENOMEM;
	*c = (struct command){.class = CONTROL_CLASS_MQ,
			      .command = CONTROL_PAIRS_SET,
			      .pairs = (u16)vn->dev.nr_queues,
			      .answer = (u8)~CONTROL_OK};
	BUG_ON(virtq_add(control, pieces, ARRAY_SIZE(pieces), c));
	virtio_kick(vn->virtio, control);
	while (!virtq_take(control, &length)) {
		if (time_now() > until || control->broken)
			return -EIO;
		cpu_relax();
	}
	err = c->answer == CONTROL_OK ? 0 : -EOPNOTSUPP;
	kfree(c);
	return err;
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

/* Behind the queues of all pairs that the device could have. NULL: one pair is enough, or there is no such queue. */
static struct virtq *create_control(struct virtio_net *vn)
{
	struct virtq *q = NULL;

	if (vn->dev.nr_queues > 1)
		q = virtio_queue_create(vn->virtio, (u16)(2 * device_pairs(vn)), CONTROL_SIZE, 0);
	if (q)
		virtq_disarm(q);
	else
		vn->dev.nr_queues = 1;
	return q;
}

/* The queues, and the device at work. False: it cannot be used. */
static bool virtio_net_start(struct virtio_net *vn)
{
	struct virtio_device *dev = vn->virtio;
	struct virtq *control;
	int err;

	if (!create_pairs(vn))
		return false;
	control = create_control(vn);
	dev->interrupt = virtio_net_interrupt;
	dev->config_changed = virtio_net_config_changed;
	virtio_ready(dev);
	for (u32 i = 0; i < vn->dev.nr_queues; i++)
		virtio_net_refill(&vn->pairs[i]);
	err = control ? control_set_pairs(vn, control) : 0;
	if (err) {
		klog(KLOG_WARN,
		     "virtio: a network card does not take its pairs of queues: error %d\n", err);
		vn->dev.nr_queues = 1;
	}
	return err != -EIO;
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
	vn->dev.features = netdev_features(dev->features);
	dev->driver = vn;
	read_config(vn);
	if (!virtio_net_start(vn))
		goto fail;
	netdev_register(&vn->dev);
	klog(KLOG_INFO, "virtio: %s features %lx mtu %u queues %u\n", vn->dev.name, dev->features,
	     vn->dev.mtu, vn->dev.nr_queues);
	return;
fail:
	/* What was allocated stays with the device: it may still know of it. */
	klog(KLOG_ERR,
	     "virtio: a network device cannot be used: no address, queues, interrupt or memory\n");
	virtio_fail(dev);
}
