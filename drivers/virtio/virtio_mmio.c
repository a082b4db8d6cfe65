/*
 * Virtio over memory-mapped registers, version 2: one device a node of the device tree, one wired interrupt for everything.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, section 4.2.
 */
#include "drivers/virtio/transport.h"

#include "abi/errno.h"
#include "arch/riscv64/layout.h"
#include "drivers/dt.h"
#include "kernel/irq/irq.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"

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

#define MAGIC	0x74726976 /* "virt" */
#define VERSION 2

struct virtio_mmio {
	struct virtio_device dev;
	volatile u32 *regs; /* [I] */
	u64 size;	    /* [I] of the registers */
	u32 source;	    /* [I] its wired interrupt */
};

static struct virtio_mmio *to_mmio(struct virtio_device *dev)
{
	return container_of(dev, struct virtio_mmio, dev);
}

static u32 reg_read(struct virtio_device *dev, u32 reg)
{
	return to_mmio(dev)->regs[reg / 4];
}

static void reg_write(struct virtio_device *dev, u32 reg, u32 value)
{
	to_mmio(dev)->regs[reg / 4] = value;
}

static void reg_write_address(struct virtio_device *dev, u32 reg, const void *va)
{
	u64 pa = va_to_pa(va);

	reg_write(dev, reg, (u32)pa);
	reg_write(dev, reg + 4, (u32)(pa >> 32));
}

static u8 mmio_status(struct virtio_device *dev)
{
	return (u8)reg_read(dev, REG_STATUS);
}

static void mmio_set_status(struct virtio_device *dev, u8 status)
{
	reg_write(dev, REG_STATUS, status);
}

static u32 mmio_offered(struct virtio_device *dev, u32 word)
{
	reg_write(dev, REG_DEVICE_FEATURES_SEL, word);
	return reg_read(dev, REG_DEVICE_FEATURES);
}

static void mmio_accept(struct virtio_device *dev, u32 word, u32 features)
{
	reg_write(dev, REG_DRIVER_FEATURES_SEL, word);
	reg_write(dev, REG_DRIVER_FEATURES, features);
}

static void mmio_interrupt(void *arg)
{
	struct virtio_device *dev = arg;
	u32 status = reg_read(dev, REG_INTERRUPT_STATUS);

	/* Acknowledge first: what the device does from here on raises the interrupt again. */
	reg_write(dev, REG_INTERRUPT_ACK, status);
	__asm__ volatile("fence io, r" ::: "memory");
	if (status & VIRTIO_INTERRUPT_CONFIG)
		virtio_deliver_config(dev);
	virtio_deliver(dev, 0);
}

static int mmio_vectors(struct virtio_device *dev, const char *name, u32 wanted)
{
	int err = irq_register(to_mmio(dev)->source, name, mmio_interrupt, dev);

	(void)wanted;
	return err ? err : 1;
}

static u32 mmio_queue_size_max(struct virtio_device *dev, u16 number)
{
	reg_write(dev, REG_QUEUE_SEL, number);
	return reg_read(dev, REG_QUEUE_READY) ? 0 : reg_read(dev, REG_QUEUE_SIZE_MAX);
}

static bool mmio_queue_start(struct virtio_device *dev, struct virtq *q, u32 vector)
{
	(void)vector;
	reg_write(dev, REG_QUEUE_SEL, q->number);
	reg_write(dev, REG_QUEUE_SIZE, q->size);
	reg_write_address(dev, REG_QUEUE_DESC, q->desc);
	reg_write_address(dev, REG_QUEUE_AVAIL, q->avail);
	reg_write_address(dev, REG_QUEUE_USED, q->used);
	/* The empty rings are written before the device may look at them. */
	__asm__ volatile("fence w, o" ::: "memory");
	reg_write(dev, REG_QUEUE_READY, 1);
	return true;
}

static void mmio_notify(struct virtio_device *dev, const struct virtq *q)
{
	reg_write(dev, REG_QUEUE_NOTIFY, q->number);
}

static u32 mmio_config(struct virtio_device *dev, u32 offset)
{
	return REG_CONFIG + offset + 4 <= to_mmio(dev)->size ? reg_read(dev, REG_CONFIG + offset) : 0;
}

static u16 mmio_config16(struct virtio_device *dev, u32 offset)
{
	volatile u16 *config = (volatile u16 *)&to_mmio(dev)->regs[REG_CONFIG / 4];

	return REG_CONFIG + offset + 2 <= to_mmio(dev)->size ? config[offset / 2] : 0;
}

static const struct virtio_transport mmio_transport = {
	.status = mmio_status,
	.set_status = mmio_set_status,
	.offered = mmio_offered,
	.accept = mmio_accept,
	.vectors = mmio_vectors,
	.queue_size_max = mmio_queue_size_max,
	.queue_start = mmio_queue_start,
	.notify = mmio_notify,
	.config = mmio_config,
	.config16 = mmio_config16,
};

static void mmio_probe(int node, volatile u32 *regs, u64 size)
{
	u32 id = regs[REG_DEVICE_ID / 4];
	struct virtio_mmio *vm;

	if (regs[REG_MAGIC / 4] != MAGIC || id == VIRTIO_ID_NONE)
		return;
	if (regs[REG_VERSION / 4] != VERSION) {
		klog(KLOG_WARN, "virtio: device %u is legacy: use force-legacy=false\n", id);
		return;
	}
	if (!virtio_has_driver(id))
		return;
	vm = kzalloc(sizeof(*vm));
	if (!vm) {
		klog(KLOG_ERR, "virtio: no memory\n");
		return;
	}
	vm->dev.transport = &mmio_transport;
	vm->regs = regs;
	vm->size = size;
	dt_cell(node, "interrupts", 0, &vm->source);
	virtio_probe(&vm->dev, id);
}

void virtio_mmio_init(void)
{
	int node = -1;
	u64 address, size;

	while ((node = dt_find(node, "virtio,mmio")) >= 0) {
		if (dt_reg(node, 0, &address, &size) && size >= REG_CONFIG)
			mmio_probe(node, pa_to_va(address), size);
	}
}
