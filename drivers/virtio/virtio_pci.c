/*
 * Virtio over PCI, modern: capabilities say which part of which BAR holds the common registers, the doorbells of the queues, the interrupt status
 * and the device's configuration.
 *
 * With MSI-X message 0 tells of changes of the configuration and message 1 + v is vector v, so no register is read in an interrupt. Without, there is
 * one wire, and one read of the status tells both causes and lowers it.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, section 4.1.
 */
#include "drivers/virtio/transport.h"

#include "abi/errno.h"
#include "arch/riscv64/layout.h"
#include "drivers/pci/pci.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/percpu.h"

#define VENDOR_VIRTIO	  0x1af4
#define DEVICE_MODERN	  0x1040 /* plus the virtio device id */
#define DEVICE_MODERN_MAX 0x107f
#define DEVICE_OLD	  0x1000 /* transitional: the id is the subsystem's */
#define DEVICE_OLD_MAX	  0x103f
#define CONFIG_SUBSYSTEM  0x2e
#define CAPABILITY_VENDOR 0x09
#define CAP_LENGTH	  2 /* offsets in the capability */
#define CAP_KIND	  3
#define CAP_BAR		  4
#define CAP_OFFSET	  8
#define CAP_SIZE	  12
#define CAP_NOTIFY_FACTOR 16
#define CAP_LENGTH_MIN	  16U
#define CAP_NOTIFY_LENGTH 20U

enum { KIND_COMMON = 1, KIND_NOTIFY, KIND_STATUS, KIND_DEVICE };

#define VECTOR_NONE    0xffffU
#define MESSAGE_CONFIG 0U
#define MESSAGE_QUEUES 1U

/* Registers of all devices, as they lie in memory (4.1.4.3). Addresses are written in two halves. */
struct common {
	u32 offered_word, offered;
	u32 accepted_word, accepted;
	u16 config_vector, nr_queues;
	u8 status, generation;
	u16 queue;
	u16 queue_size, queue_vector, queue_enable, queue_notify;
	u32 queue_desc[2], queue_avail[2], queue_used[2];
};
static_assert(sizeof(struct common) == 56, "virtio 1.2, 4.1.4.3");

struct virtio_pci_vector {
	struct virtio_pci *vp;
	u32 number;
};

struct virtio_pci {
	struct virtio_device dev;
	struct pci_device pci;		/* [I] */
	volatile struct common *common; /* [I] */
	volatile u8 *status;		/* [I] of interrupts: a read clears it */
	volatile u32 *config;		/* [I] */
	u32 config_size;
	volatile u8 *notify; /* [I] */
	u32 notify_size, notify_factor;
	struct virtio_pci_vector *vectors; /* [I] */
};

static struct virtio_pci *to_vp(struct virtio_device *dev)
{
	return container_of(dev, struct virtio_pci, dev);
}

static u8 vp_status(struct virtio_device *dev)
{
	return to_vp(dev)->common->status;
}

static void vp_set_status(struct virtio_device *dev, u8 status)
{
	to_vp(dev)->common->status = status;
	/* A device may take its time to reset, and must not be touched meanwhile (4.1.4.3.2). */
	while (!status && to_vp(dev)->common->status)
		cpu_relax();
}

static u32 vp_offered(struct virtio_device *dev, u32 word)
{
	to_vp(dev)->common->offered_word = word;
	return to_vp(dev)->common->offered;
}

static void vp_accept(struct virtio_device *dev, u32 word, u32 features)
{
	to_vp(dev)->common->accepted_word = word;
	to_vp(dev)->common->accepted = features;
}

/* ---- interrupts ---- */

static void vp_wire_interrupt(void *arg)
{
	struct virtio_pci *vp = arg;
	u8 status = *vp->status;

	__asm__ volatile("fence io, r" ::: "memory");
	if (status & VIRTIO_INTERRUPT_CONFIG)
		virtio_deliver_config(&vp->dev);
	if (status & VIRTIO_INTERRUPT_QUEUE)
		virtio_deliver(&vp->dev, 0);
}

static void vp_config_interrupt(void *arg)
{
	struct virtio_pci *vp = arg;

	virtio_deliver_config(&vp->dev);
}

static void vp_queue_interrupt(void *arg)
{
	struct virtio_pci_vector *v = arg;

	/* The device's stores before its message: pairs with their order on the bus. */
	__asm__ volatile("fence io, r" ::: "memory");
	virtio_deliver(&v->vp->dev, v->number);
}

/* Messages 0 to `count`. How many are for queues. */
static int vp_register_messages(struct virtio_pci *vp, const char *name, u32 count)
{
	int err = pci_message_register(&vp->pci, MESSAGE_CONFIG, 0, name, vp_config_interrupt, vp);
	u32 done;

	if (err)
		return err;
	vp->vectors = kzalloc(count * sizeof(*vp->vectors));
	if (!vp->vectors)
		return -ENOMEM;
	for (done = 0; done < count && !err; done++) {
		vp->vectors[done] = (struct virtio_pci_vector){.vp = vp, .number = done};
		err = pci_message_register(&vp->pci, MESSAGE_QUEUES + done, done, name,
					   vp_queue_interrupt, &vp->vectors[done]);
	}
	done -= err != 0;
	return done ? (int)done : err;
}

static int vp_vectors(struct virtio_device *dev, const char *name, u32 wanted)
{
	struct virtio_pci *vp = to_vp(dev);
	int err, count;

	if (vp->pci.nr_messages <= MESSAGE_QUEUES) {
		err = pci_wire_register(&vp->pci, name, vp_wire_interrupt, vp);
		return err ? err : 1;
	}
	wanted = MIN(MIN(wanted, nr_cpus), vp->pci.nr_messages - MESSAGE_QUEUES);
	count = vp_register_messages(vp, name, wanted);
	if (count < 0)
		return count;
	vp->common->config_vector = MESSAGE_CONFIG;
	return vp->common->config_vector == MESSAGE_CONFIG ? count : -EIO;
}

/* ---- queues ---- */

static u32 vp_queue_size_max(struct virtio_device *dev, u16 number)
{
	volatile struct common *c = to_vp(dev)->common;

	if (number >= c->nr_queues)
		return 0;
	c->queue = number;
	return c->queue_enable ? 0 : c->queue_size;
}

static void write_address(volatile u32 to[2], const void *va)
{
	u64 pa = va_to_pa(va);

	to[0] = (u32)pa;
	to[1] = (u32)(pa >> 32);
}

static bool vp_queue_start(struct virtio_device *dev, struct virtq *q, u32 vector)
{
	struct virtio_pci *vp = to_vp(dev);
	volatile struct common *c = vp->common;
	u64 door;

	c->queue = q->number;
	c->queue_size = q->size;
	door = (u64)c->queue_notify * vp->notify_factor;
	if (door % 2 || door + 2 > vp->notify_size)
		return false;
	q->door = vp->notify + door;
	if (vp->vectors) {
		c->queue_vector = (u16)(MESSAGE_QUEUES + vector);
		if (c->queue_vector == VECTOR_NONE)
			return false;
	}
	write_address(c->queue_desc, q->desc);
	write_address(c->queue_avail, q->avail);
	write_address(c->queue_used, q->used);
	/* The empty rings are written before the device may look at them. */
	__asm__ volatile("fence w, o" ::: "memory");
	c->queue_enable = 1;
	return true;
}

static void vp_notify(struct virtio_device *dev, const struct virtq *q)
{
	(void)dev;
	*(volatile u16 *)q->door = q->number;
}

static u32 vp_config(struct virtio_device *dev, u32 offset)
{
	struct virtio_pci *vp = to_vp(dev);

	return offset + 4 <= vp->config_size ? vp->config[offset / 4] : 0;
}

static u16 vp_config16(struct virtio_device *dev, u32 offset)
{
	struct virtio_pci *vp = to_vp(dev);

	return offset + 2 <= vp->config_size ? ((volatile u16 *)vp->config)[offset / 2] : 0;
}

static const struct virtio_transport vp_transport = {
	.status = vp_status,
	.set_status = vp_set_status,
	.offered = vp_offered,
	.accept = vp_accept,
	.vectors = vp_vectors,
	.queue_size_max = vp_queue_size_max,
	.queue_start = vp_queue_start,
	.notify = vp_notify,
	.config = vp_config,
	.config16 = vp_config16,
};

/* ---- start ---- */

/* The first capability of each kind counts: a device lists what it prefers first. */
static void take_capability(struct virtio_pci *vp, u32 at)
{
	const struct pci_device *d = &vp->pci;
	u8 length = pci_read8(d, at + CAP_LENGTH), kind = pci_read8(d, at + CAP_KIND);
	u32 size = pci_read(d, at + CAP_SIZE);
	volatile void *part;

	if (length < CAP_LENGTH_MIN || kind < KIND_COMMON || kind > KIND_DEVICE)
		return;
	part = pci_map(d, pci_read8(d, at + CAP_BAR), pci_read(d, at + CAP_OFFSET), size);
	if (!part)
		return;
	if (kind == KIND_COMMON && !vp->common && size >= sizeof(struct common)) {
		vp->common = part;
	} else if (kind == KIND_NOTIFY && !vp->notify && length >= CAP_NOTIFY_LENGTH) {
		vp->notify = part;
		vp->notify_size = size;
		vp->notify_factor = pci_read(d, at + CAP_NOTIFY_FACTOR);
	} else if (kind == KIND_STATUS && !vp->status && size) {
		vp->status = part;
	} else if (kind == KIND_DEVICE && !vp->config) {
		vp->config = part;
		vp->config_size = size;
	}
}

static bool vp_start(struct virtio_pci *vp)
{
	int err = pci_start(&vp->pci);
	u32 at = 0;

	if (err) {
		klog(KLOG_ERR, "virtio: no addresses for PCI slot %u: error %d\n", vp->pci.slot, err);
		return false;
	}
	while ((at = pci_find_capability(&vp->pci, at, CAPABILITY_VENDOR)) != 0)
		take_capability(vp, at);
	if (!vp->common || !vp->notify || !vp->status) {
		klog(KLOG_WARN, "virtio: PCI slot %u is legacy: use disable-modern=off\n",
		     vp->pci.slot);
		return false;
	}
	pci_messages_start(&vp->pci);
	return true;
}

/* The virtio device id; VIRTIO_ID_NONE: it is something else. */
static u32 virtio_id(const struct pci_device *d)
{
	if (d->vendor != VENDOR_VIRTIO)
		return VIRTIO_ID_NONE;
	if (d->device >= DEVICE_OLD && d->device <= DEVICE_OLD_MAX)
		return pci_read16(d, CONFIG_SUBSYSTEM);
	return d->device >= DEVICE_MODERN && d->device <= DEVICE_MODERN_MAX
		       ? d->device - DEVICE_MODERN
		       : VIRTIO_ID_NONE;
}

static void vp_found(const struct pci_device *d)
{
	u32 id = virtio_id(d);
	struct virtio_pci *vp;

	if (id == VIRTIO_ID_NONE || !virtio_has_driver(id))
		return;
	vp = kzalloc(sizeof(*vp));
	if (!vp) {
		klog(KLOG_ERR, "virtio: no memory\n");
		return;
	}
	vp->pci = *d;
	vp->dev.transport = &vp_transport;
	if (vp_start(vp))
		virtio_probe(&vp->dev, id);
	else
		kfree(vp);
}

void virtio_pci_init(void)
{
	pci_scan(vp_found);
}
