/* What all virtio devices have in common, whatever their transport; virtio.h tells the rules. */
#include "drivers/virtio/virtio.h"

#include "abi/errno.h"
#include "drivers/drivers.h"
#include "drivers/virtio/transport.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER	   2
#define STATUS_DRIVER_OK   4
#define STATUS_FEATURES_OK 8
#define STATUS_FAILED	   128

static void status_add(struct virtio_device *dev, u8 bits)
{
	dev->transport->set_status(dev, dev->transport->status(dev) | bits);
}

int virtio_negotiate(struct virtio_device *dev, u64 wanted)
{
	const struct virtio_transport *t = dev->transport;
	u64 offered;

	t->set_status(dev, 0);
	status_add(dev, STATUS_ACKNOWLEDGE);
	status_add(dev, STATUS_DRIVER);
	offered = t->offered(dev, 0) | (u64)t->offered(dev, 1) << 32;
	dev->features = offered & (wanted | VIRTIO_F_VERSION_1);
	t->accept(dev, 0, (u32)dev->features);
	t->accept(dev, 1, (u32)(dev->features >> 32));
	status_add(dev, STATUS_FEATURES_OK);
	if ((dev->features & VIRTIO_F_VERSION_1) && (t->status(dev) & STATUS_FEATURES_OK))
		return 0;
	virtio_fail(dev);
	return -ENODEV;
}

int virtio_vectors(struct virtio_device *dev, const char *name, u32 wanted)
{
	return dev->transport->vectors(dev, name, wanted);
}

struct virtq *virtio_queue_create(struct virtio_device *dev, u16 number, u16 size, u32 vector)
{
	u32 max = dev->transport->queue_size_max(dev, number);
	struct virtq *q;
	void *memory;

	if (!max)
		return NULL;
	while (size > max)
		size /= 2;
	q = kmalloc(sizeof(*q));
	memory = kzalloc(virtq_bytes(size));
	if (!q || !memory)
		goto fail;
	virtq_init(q, number, size, memory, dev->features);
	if (dev->transport->queue_start(dev, q, vector))
		return q;
fail:
	kfree(memory);
	kfree(q);
	return NULL;
}

void virtio_ready(struct virtio_device *dev)
{
	status_add(dev, STATUS_DRIVER_OK);
}

void virtio_fail(struct virtio_device *dev)
{
	status_add(dev, STATUS_FAILED);
}

void virtio_kick(struct virtio_device *dev, struct virtq *q)
{
	if (!virtq_wants_kick(q))
		return;
	/* (V1) for the notification, which is device output. */
	__asm__ volatile("fence w, o" ::: "memory");
	dev->transport->notify(dev, q);
}

u32 virtio_config(struct virtio_device *dev, u32 offset)
{
	return dev->transport->config(dev, offset);
}

u16 virtio_config16(struct virtio_device *dev, u32 offset)
{
	return dev->transport->config16(dev, offset);
}

void virtio_deliver(struct virtio_device *dev, u32 vector)
{
	if (dev->interrupt)
		dev->interrupt(dev, vector);
}

void virtio_deliver_config(struct virtio_device *dev)
{
	if (dev->config_changed)
		dev->config_changed(dev);
}

/* ---- start ---- */

static void (*const probes[])(struct virtio_device *) = {
	[VIRTIO_ID_NET] = virtio_net_probe,
	[VIRTIO_ID_CONSOLE] = virtio_console_probe,
};

bool virtio_has_driver(u32 id)
{
	if (id < ARRAY_SIZE(probes) && probes[id])
		return true;
	klog(KLOG_INFO, "virtio: no driver for device %u\n", id);
	return false;
}

void virtio_probe(struct virtio_device *dev, u32 id)
{
	probes[id](dev);
}

void virtio_init(void)
{
	virtio_mmio_init();
	virtio_pci_init();
}
