/*
 * Virtio devices, as their drivers see them: behind memory-mapped registers (virtio-mmio, version 2) or as functions of a PCI bus (modern); transport.h
 * is what the two have in common. virtio_init() finds them and gives each to the driver of its kind; a driver negotiates, asks for its interrupts,
 * creates its queues and says when it is ready.
 *
 * Interrupts have vectors, counted from 0: each queue is created for one, each vector belongs to the hart of the same number. A device whose only
 * interrupt is a wire has the one vector 0, on the hart that started it.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, section 3.1.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_H
#define DRIVERS_VIRTIO_VIRTIO_H

#include "drivers/virtio/virtqueue.h"
#include "lib/types.h"

#define VIRTIO_F_VERSION_1 BIT(32)

struct virtio_transport;

struct virtio_device {
	const struct virtio_transport *transport; /* [I] */
	u64 features;				  /* [I] negotiated */
	/* Set by the driver before virtio_ready(): some queue of the vector has used buffers. */
	void (*interrupt)(struct virtio_device *dev, u32 vector);
	/* The configuration changed. NULL: the driver does not care. */
	void (*config_changed)(struct virtio_device *dev);
	void *driver; /* [I] the driver's own */
};

/* For virtio_init(): each takes a device of its kind, or leaves it alone after a log line. */
void virtio_console_probe(struct virtio_device *dev);
void virtio_net_probe(struct virtio_device *dev);

/* Resets the device and agrees on `wanted` (those it offers) with it. 0, or -ENODEV if it refuses. */
int virtio_negotiate(struct virtio_device *dev, u64 wanted);
/* After virtio_negotiate(), before the queues: asks for `wanted` vectors. How many there are, at least 1; or -errno: there is no interrupt. */
int virtio_vectors(struct virtio_device *dev, const char *name, u32 wanted);
/* Queue `number` with at most `size` descriptors, a power of two, told of by `vector`. NULL: the device has none such, or no memory. */
struct virtq *virtio_queue_create(struct virtio_device *dev, u16 number, u16 size, u32 vector);
/* The queues and the functions above are there: the device may work. */
void virtio_ready(struct virtio_device *dev);
/* Gives up: the device will not touch its queues any more. */
void virtio_fail(struct virtio_device *dev);

/* Tells the device about what virtq_add() showed, if it wants to know. Costs a trap into the emulator. */
void virtio_kick(struct virtio_device *dev, struct virtq *q);
/*
 * A little-endian field of the device's configuration, read as wide as it is, for the configuration may end behind it; `offset` is a
 * multiple of its size. 0 behind the end of the registers.
 */
u32 virtio_config(struct virtio_device *dev, u32 offset);
u16 virtio_config16(struct virtio_device *dev, u32 offset);

#endif
