#include "drivers/drivers.h"
#include "drivers/virtio/virtio.h"

#include "abi/errno.h"
#include "arch/riscv64/layout.h"
#include "drivers/dt.h"
#include "kernel/irq/irq.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

#define REG_MAGIC		0x000
#define REG_VERSION		0x004
#define REG_DEVICE_ID		0x008
#define REG_DEVICE_FEATURES	0x010
#define REG_DEVICE_FEATURES_SEL 0x014
#define REG_DRIVER_FEATURES	0x020
#define REG_DRIVER_FEATURES_SEL 0x024
#define REG_QUEUE_SEL		0x030
#define REG_QUEUE_SIZE_MAX	0x034
#define REG_QUEUE_SIZE		0x038
#define REG_QUEUE_READY		0x044
#define REG_QUEUE_NOTIFY	0x050
#define REG_INTERRUPT_STATUS	0x060
#define REG_INTERRUPT_ACK	0x064
#define REG_STATUS		0x070
#define REG_QUEUE_DESC		0x080 /* low and high word of a physical address, as the next two */
#define REG_QUEUE_AVAIL		0x090
#define REG_QUEUE_USED		0x0a0
#define REG_CONFIG		0x100

#define MAGIC	   0x74726976 /* "virt" */
#define VERSION	   2
#define ID_NONE	   0
#define ID_NET	   1
#define ID_CONSOLE 3

#define INTERRUPT_CONFIG 2

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER	   2
#define STATUS_DRIVER_OK   4
#define STATUS_FEATURES_OK 8
#define STATUS_FAILED	   128

static u32 reg_read(struct virtio_device *dev, u32 reg)
{
	return dev->regs[reg / 4];
}

static void reg_write(struct virtio_device *dev, u32 reg, u32 value)
{
	dev->regs[reg / 4] = value;
}

static void reg_write_address(struct virtio_device *dev, u32 reg, const void *va)
{
	u64 pa = va_to_pa(va);

	reg_write(dev, reg, (u32)pa);
	reg_write(dev, reg + 4, (u32)(pa >> 32));
}

static void status_add(struct virtio_device *dev, u32 bits)
{
	reg_write(dev, REG_STATUS, reg_read(dev, REG_STATUS) | bits);
}

int virtio_negotiate(struct virtio_device *dev, u64 wanted)
{
	u64 offered;

	reg_write(dev, REG_STATUS, 0);
	status_add(dev, STATUS_ACKNOWLEDGE);
	status_add(dev, STATUS_DRIVER);
	reg_write(dev, REG_DEVICE_FEATURES_SEL, 0);
	offered = reg_read(dev, REG_DEVICE_FEATURES);
	reg_write(dev, REG_DEVICE_FEATURES_SEL, 1);
	offered |= (u64)reg_read(dev, REG_DEVICE_FEATURES) << 32;
	dev->features = offered & (wanted | VIRTIO_F_VERSION_1);
	reg_write(dev, REG_DRIVER_FEATURES_SEL, 0);
	reg_write(dev, REG_DRIVER_FEATURES, (u32)dev->features);
	reg_write(dev, REG_DRIVER_FEATURES_SEL, 1);
	reg_write(dev, REG_DRIVER_FEATURES, (u32)(dev->features >> 32));
	status_add(dev, STATUS_FEATURES_OK);
	if ((dev->features & VIRTIO_F_VERSION_1) && (reg_read(dev, REG_STATUS) & STATUS_FEATURES_OK))
		return 0;
	virtio_fail(dev);
	return -ENODEV;
}

struct virtq *virtio_queue_create(struct virtio_device *dev, u16 number, u16 size)
{
	struct virtq *q;
	void *memory;
	u32 max;

	reg_write(dev, REG_QUEUE_SEL, number);
	max = reg_read(dev, REG_QUEUE_SIZE_MAX);
	if (!max || reg_read(dev, REG_QUEUE_READY))
		return NULL;
	while (size > max)
		size /= 2;
	q = kmalloc(sizeof(*q));
	memory = kzalloc(virtq_bytes(size));
	if (!q || !memory) {
		kfree(memory);
		kfree(q);
		return NULL;
	}
	virtq_init(q, number, size, memory, dev->features);
	reg_write(dev, REG_QUEUE_SIZE, size);
	reg_write_address(dev, REG_QUEUE_DESC, q->desc);
	reg_write_address(dev, REG_QUEUE_AVAIL, q->avail);
	reg_write_address(dev, REG_QUEUE_USED, q->used);
	/* The empty rings are written before the device may look at them. */
	__asm__ volatile("fence w, o" ::: "memory");
	reg_write(dev, REG_QUEUE_READY, 1);
	return q;
}

static void virtio_interrupt(void *arg)
{
	struct virtio_device *dev = arg;
	u32 status = reg_read(dev, REG_INTERRUPT_STATUS);

	/* Acknowledge first: what the device does from here on raises the interrupt again. */
	reg_write(dev, REG_INTERRUPT_ACK, status);
	__asm__ volatile("fence io, r" ::: "memory");
	if ((status & INTERRUPT_CONFIG) && dev->config_changed)
		dev->config_changed(dev);
	dev->interrupt(dev);
}

int virtio_ready(struct virtio_device *dev, const char *name)
{
	int err = irq_register(dev->source, name, virtio_interrupt, dev);

	if (!err)
		status_add(dev, STATUS_DRIVER_OK);
	return err;
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
	reg_write(dev, REG_QUEUE_NOTIFY, q->number);
}

u32 virtio_config(struct virtio_device *dev, u32 offset)
{
	return reg_read(dev, REG_CONFIG + offset);
}

/* Lives as long as the kernel: devices do not go away. */
static struct virtio_device *virtio_create(int node, volatile u32 *regs)
{
	struct virtio_device *dev = kzalloc(sizeof(*dev));

	if (!dev) {
		klog(KLOG_ERR, "virtio: no memory\n");
		return NULL;
	}
	dev->regs = regs;
	dt_cell(node, "interrupts", 0, &dev->source);
	return dev;
}

static void virtio_probe(int node, volatile u32 *regs)
{
	static void (*const probes[])(struct virtio_device *) = {
		[ID_NET] = virtio_net_probe,
		[ID_CONSOLE] = virtio_console_probe,
	};
	u32 id = regs[REG_DEVICE_ID / 4];
	struct virtio_device *dev;

	if (regs[REG_MAGIC / 4] != MAGIC || id == ID_NONE)
		return;
	if (regs[REG_VERSION / 4] != VERSION) {
		klog(KLOG_WARN, "virtio: device %u is legacy: use force-legacy=false\n", id);
		return;
	}
	if (id >= ARRAY_SIZE(probes) || !probes[id]) {
		klog(KLOG_INFO, "virtio: no driver for device %u\n", id);
		return;
	}
	dev = virtio_create(node, regs);
	if (dev)
		probes[id](dev);
}

void virtio_init(void)
{
	int node = -1;
	u64 address, size;

	while ((node = dt_find(node, "virtio,mmio")) >= 0) {
		if (dt_reg(node, 0, &address, &size))
			virtio_probe(node, pa_to_va(address));
	}
}
