/*
 * The two halves of the virtio network card: its pairs of queues (virtio_net_pair.c) and the device as a whole (virtio_net.c).
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_NET_H
#define DRIVERS_VIRTIO_VIRTIO_NET_H

#include "drivers/netdev.h"
#include "drivers/virtio/virtio.h"
#include "kernel/sync/percpu.h"
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
#define F_CTRL_VQ    BIT(17)
#define F_MQ	     BIT(22)

struct tx_slot;
struct virtio_net;

struct virtio_net_pair {
	struct virtio_net *vn;	    /* [I] */
	u32 number;		    /* [I] also its vector */
	struct virtq *rx, *tx;	    /* [L:caller] */
	struct tx_slot *slots;	    /* [I] one for each descriptor */
	struct tx_slot *free_slots; /* [L:caller] */
	bool told_broken;	    /* [L:caller] */
	struct timer refill;	    /* armed while there is no memory for receive buffers */
};

struct virtio_net {
	struct netdev dev;
	struct virtio_device *virtio; /* [I] */
	struct virtio_net_pair pairs[MAX_CPUS];
};

extern const struct netdev_ops virtio_net_ops;

/* Makes pair `number`, disarmed and empty; false: the device has none such, or no memory. What was made stays. */
bool virtio_net_create_pair(struct virtio_net *vn, u32 number);
/* Gives the device what pages it lacks. The caller's lock, or before the device is attached. */
void virtio_net_refill(struct virtio_net_pair *pair);
/* From an interrupt: the user has to look at the pair. */
void virtio_net_tell_work(struct virtio_net_pair *pair);

#endif
