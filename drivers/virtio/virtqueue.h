/*
 * Split virtqueue: a table of descriptors and two rings of 16-bit indices that count without end, one written by the driver (available), one by
 * the device (used). A request is a chain of descriptors, named by its first one, the head; `token` is what the driver gets back for it.
 *
 * The fences, each against the device (virtio 1.2, 2.7.13): (V1) a chain is written before the index that shows it; (V2) the index is
 * written before the device's wish for kicks is read: device and driver each store, fence, load, so that one of them sees the other; (V3) the used index
 * is read before the element that it covers.
 *
 * With the event index (VIRTIO_F_EVENT_IDX) each side names the entry at which it wants to be told, behind the other's ring. It is told once;
 * a queue that is polled needs no store to stay quiet, and a busy device takes a whole batch for one kick.
 *
 * What the device writes is checked before use: an unknown or repeated request breaks the queue, which then has nothing more to give.
 *
 * One user at a time (its lock covers the queue), but virtq_has_used() may be called by any hart.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, section 2.7.
 */
#ifndef DRIVERS_VIRTIO_VIRTQUEUE_H
#define DRIVERS_VIRTIO_VIRTQUEUE_H

#include "lib/types.h"

#define VIRTQ_SIZE_MAX	   1024
#define VIRTIO_F_EVENT_IDX BIT(29)

struct virtq_desc {
	u64 address; /* physical */
	u32 length;
	u16 flags;
	u16 next;
};

struct virtq_avail {
	u16 flags;
	u16 index;
	u16 ring[];
};

struct virtq_used_elem {
	u32 id;
	u32 length; /* bytes that the device wrote */
};

struct virtq_used {
	u16 flags;
	u16 index;
	struct virtq_used_elem ring[];
};

struct virtq {
	u16 size;      /* [I] a power of two */
	u16 number;    /* [I] which queue of its device */
	u16 free_head; /* first of the chain of free descriptors */
	u16 nr_free;
	u16 avail_index;  /* what avail->index shows */
	u16 kick_index;	  /* avail_index at the last look for a kick */
	bool event_index; /* [I] VIRTIO_F_EVENT_IDX was agreed on */
	bool broken;	  /* [a] the device named a request that it does not have; stays set */
	u16 used_seen;	  /* [a] elements taken; written by the user, read by any hart */
	struct virtq_desc *desc;   /* [I] */
	struct virtq_avail *avail; /* [I] */
	struct virtq_used *used;   /* [I] */
	void **tokens;		   /* [I] by head */
	volatile void *door;	   /* [I] the transport's: where it tells the device */
};

/* A piece of a request: memory in the direct map. */
struct virtq_piece {
	void *memory;
	u32 length;
	bool device_writes; /* pieces that the device reads come first */
};

/* Bytes of memory that a queue of `size` descriptors needs. */
size_t virtq_bytes(u16 size);
/* `memory`: virtq_bytes(size) zeroed bytes, 16-byte aligned, physically contiguous. `features`: what was agreed on. */
void virtq_init(struct virtq *q, u16 number, u16 size, void *memory, u64 features);

/* Shows a request to the device; kick after the last of a batch. 0, or -ENOSPC if too few descriptors are free. `token` is not NULL. */
int virtq_add(struct virtq *q, const struct virtq_piece *pieces, u16 count, void *token);
/* Does the device want to be told of what virtq_add() showed since the last call? */
bool virtq_wants_kick(struct virtq *q);

/* The device has finished something. Context: any hart. */
bool virtq_has_used(const struct virtq *q);
/* The oldest finished request and how much the device wrote, left where it is; NULL if none. */
void *virtq_peek(const struct virtq *q, u32 *length);
/* The same, taken: its descriptors are free again. */
void *virtq_take(struct virtq *q, u32 *length);

/* Requests shown and not yet taken back. */
u16 virtq_outstanding(const struct virtq *q);

/*
 * Asks for an interrupt when more than `ahead` finished requests lie in the queue. False if they do already: no interrupt may come then, so
 * take them and ask again. `ahead` < virtq_outstanding(), else nothing can come.
 */
bool virtq_arm(struct virtq *q, u16 ahead);
/* A hint to the device that the queue is polled. Interrupts may still come. */
void virtq_disarm(struct virtq *q);

#endif
