/*
 * What a virtio transport does for virtio.c: the registers that every device has, under whatever addresses, and its interrupts.
 */
#ifndef DRIVERS_VIRTIO_TRANSPORT_H
#define DRIVERS_VIRTIO_TRANSPORT_H

#include "drivers/virtio/virtio.h"

#define VIRTIO_ID_NONE	  0
#define VIRTIO_ID_NET	  1
#define VIRTIO_ID_CONSOLE 3

/* Two causes share a wire; the bits of its status are the same for both transports. */
#define VIRTIO_INTERRUPT_QUEUE	BIT(0)
#define VIRTIO_INTERRUPT_CONFIG BIT(1)

struct virtio_transport {
	u8 (*status)(struct virtio_device *dev);
	void (*set_status)(struct virtio_device *dev, u8 status); /* 0: reset; waits until it is done */
	u32 (*offered)(struct virtio_device *dev, u32 word);	  /* 32 features of the device */
	void (*accept)(struct virtio_device *dev, u32 word, u32 features);
	/* As virtio_vectors(). From here on interrupts may come. */
	int (*vectors)(struct virtio_device *dev, const char *name, u32 wanted);
	u32 (*queue_size_max)(struct virtio_device *dev,
			      u16 number); /* 0: no such queue, or it is in use */
	/* The device may use it. False: it does not take the vector, or does not say how to tell it. */
	bool (*queue_start)(struct virtio_device *dev, struct virtq *q, u32 vector);
	void (*notify)(struct virtio_device *dev, const struct virtq *q);
	u32 (*config)(struct virtio_device *dev, u32 offset);
	u16 (*config16)(struct virtio_device *dev, u32 offset);
};

/* Gives a device to the driver of its kind, which virtio_has_driver(). It lives as long as the kernel: devices do not go away. */
void virtio_probe(struct virtio_device *dev, u32 id);
/* Says so in the log if not. */
bool virtio_has_driver(u32 id);

/* From an interrupt of the transport. Nothing happens before the driver is ready. */
void virtio_deliver(struct virtio_device *dev, u32 vector);
void virtio_deliver_config(struct virtio_device *dev);

/* Each finds the devices of one transport. Boot. */
void virtio_mmio_init(void);
void virtio_pci_init(void);

#endif
