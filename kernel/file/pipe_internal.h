/*
 * The inside of a pipe, shared by the files that implement it: pipe.c (reading, writing, life),
 * pipe_fifo.c (opening by name), pipe_ring.c (size, looking and putting back), pipe_packet.c (packets).
 */
#ifndef KERNEL_FILE_PIPE_INTERNAL_H
#define KERNEL_FILE_PIPE_INTERNAL_H

#include "kernel/file/pipe.h"
#include "kernel/file/waitq.h"
#include "kernel/sync/atomic.h"

/* Bytes of the ring that one write in packet mode has put there, and one read takes. */
struct pipe_packet {
	u64 start; /* as pipe.head and .tail */
	u32 len;
};

struct pipe {
	struct mutex lock;
	u64 head;		     /* [a] bytes ever written; changed under lock */
	u64 tail;		     /* [a] bytes ever read; changed under lock */
	u64 size;		     /* [a] bytes of room, a power of two; changed under lock */
	void **pages;		     /* [L] size / PAGE_SIZE of them, NULL where never written */
	struct pipe_packet *packets; /* [L] a ring of packet_slots, in order; NULL: there never was one */
	u32 packet_slots;	     /* [a] size / PAGE_SIZE, or 0; changed under lock */
	u32 first_packet;	     /* [L] */
	u32 nr_packets;		     /* [a] changed under lock */
	u32 readers;		     /* [a] open files that read; changed under lock */
	u32 writers;		     /* [a] */
	u32 opened_readers; /* [a] all that ever were: openers of the other end wait for a change */
	u32 opened_writers; /* [a] */
	u32 refs;	    /* [a] open files, and the name of a FIFO */
	u64 ino;	    /* [I] */
	s64 ctime_ns;	    /* [I] */
	struct wait_queue readable;
	struct wait_queue writable;
	/* Both of the above for poll: watchers of either event. */
	struct wait_queue watchers;
	struct wait_queue openers; /* FIFOs: those that wait for the other end */
};

static inline u64 pipe_used(struct pipe *p)
{
	return atomic_load_relaxed(&p->head) - atomic_load_relaxed(&p->tail);
}

/* Bytes that can be written. Each packet takes the place of a page, however small it is. */
static inline u64 pipe_room(struct pipe *p)
{
	u32 slots = atomic_load_relaxed(&p->packet_slots);

	if (unlikely(slots) && atomic_load_relaxed(&p->nr_packets) >= slots)
		return 0;
	return atomic_load_relaxed(&p->size) - pipe_used(p);
}

/* Moves up to n bytes between the ring and the iterator, one page at a time. The lock is held. */
long pipe_move(struct pipe *p, struct iov_iter *it, size_t n, bool in);
/*
 * The same out of a ring that is not empty, up to the end of a packet. What of a packet does not fit is lost, unless
 * `keep`. The lock is held.
 */
long pipe_take(struct pipe *p, struct iov_iter *it, bool keep);
/* Bytes up to the end of the first packet, or of the bytes in front of it, or all. The lock is held. */
u64 pipe_to_boundary(struct pipe *p);
/* Writes one packet, up to a page. There is room for it. Bytes, -EFAULT or -ENOMEM. The lock is held. */
long pipe_put_packet(struct pipe *p, struct iov_iter *it);
/* Room for as many packets as a ring of `size` has pages. 0 or -ENOMEM. The lock is held. */
int pipe_resize_packets(struct pipe *p, u64 size);
/* Context: the lock is not held. `nr`: how many that read or write exclusively. */
void pipe_wake_readers(struct pipe *p, u32 nr);
void pipe_wake_writers(struct pipe *p, u32 nr);
/* Waits until there is something to read, or no writer. 0 or -ERESTARTSYS. */
int pipe_wait_readable(struct pipe *p);
/* `f` is an end no more. */
void pipe_leave(struct pipe *p, const struct file *f);

#endif
