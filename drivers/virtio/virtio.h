/*
 * Virtio devices behind memory-mapped registers (virtio-mmio, version 2). virtio_init() walks the device tree and gives each device to the driver of
 * its kind; a driver negotiates, creates its queues and says when it is ready.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, sections 3.1 and 4.2.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_H
#define DRIVERS_VIRTIO_VIRTIO_H

#include "drivers/virtio/virtqueue.h"
#include "lib/types.h"

#define VIRTIO_F_VERSION_1 BIT(32)

struct virtio_device {
	volatile u32 *regs; /* [I] */
	u32 source;	    /* [I] its wired interrupt */
	u64 features;	    /* [I] negotiated */
	/* Set by the driver before virtio_ready(): some queue has used buffers, or the configuration changed (then config_changed comes first). */
	void (*interrupt)(struct virtio_device *dev);
	void (*config_changed)(struct virtio_device *dev); /* NULL: the driver does not care */
	void *driver;					   /* [I] the driver's own */
};

/* For virtio_init(): each takes a device of its kind, or leaves it alone after a log line. */
void virtio_console_probe(struct virtio_device *dev);
void virtio_net_probe(struct virtio_device *dev);

/* Resets the device and agrees on `wanted` (those it offers) with it. 0, or -ENODEV if it refuses. */
int virtio_negotiate(struct virtio_device *dev, u64 wanted);
/* Queue `number` with at most `size` descriptors, a power of two. NULL: the device has none such, or no memory. */
struct virtq *virtio_queue_create(struct virtio_device *dev, u16 number, u16 size);
/* The queues are there: interrupts on, the device may work. 0, or what irq_register() says. */
int virtio_ready(struct virtio_device *dev, const char *name);
/* Gives up: the device will not touch its queues any more. */
void virtio_fail(struct virtio_device *dev);

/* Tells the device about what virtq_add() showed, if it wants to know. Costs a trap into the emulator. */
void virtio_kick(struct virtio_device *dev, struct virtq *q);
/* A little-endian field of the device's configuration; `offset` is a multiple of 4. */
u32 virtio_config(struct virtio_device *dev, u32 offset);

#endif
