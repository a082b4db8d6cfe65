/*
 * Datagrams and the queue of those that a socket has not yet received: UDP, raw, AF_UNIX datagrams
 * and seqpackets. A datagram is one allocation, its payload behind it, copied from user memory
 * before any lock is taken and to user memory after the queue's lock is dropped: a receiver that
 * peeks holds a reference.
 */
#ifndef KERNEL_NET_DGRAM_H
#define KERNEL_NET_DGRAM_H

#include "kernel/net/inet.h"
#include "kernel/net/socket.h"
#include "kernel/sync/spinlock.h"
#include "lib/list.h"
#include "lib/types.h"

struct unix_scm;

#define DGRAM_OVERHEAD 256U /* charged to the receive buffer beside the payload */

struct dgram {
	struct list link; /* [L:queue] */
	u32 refs;	  /* [a] */
	u32 len;	  /* [I] payload bytes */
	u64 time_ns;	  /* [I] CLOCK_REALTIME, 0: not stamped */
	union {
		struct {
			struct inet_end local, remote; /* [I] internet: as the receiver sees them */
		};
		struct {
			u32 portid,
				group; /* [I] netlink: the sender's number, 0: the kernel; the group or 0 */
			struct abi_ucred cred; /* [I] the sender's */
		};
	};
	u8 ttl, tos;	       /* [I] internet */
	u16 coverage;	       /* [I] UDP-Lite: bytes, 0: all */
	u32 iface;	       /* [I] internet: index */
	struct socket *sender; /* [I] AF_UNIX: a reference, or NULL */
	struct unix_scm *scm;  /* [L:queue] AF_UNIX: what came with it, or NULL */
	u8 data[];
};

/* A datagram with one reference and room for `len` bytes, or NULL. */
struct dgram *dgram_alloc(size_t len);
/* The same, its payload taken from `it`; -ENOMEM or -EFAULT in the pointer. */
struct dgram *dgram_from(struct iov_iter *it, size_t len);
void dgram_put(struct dgram *d);

/* Filled by AF_UNIX: drops what came with a datagram. */
extern void (*dgram_scm_free)(struct unix_scm *scm);

struct dgram_queue {
	struct spinlock lock; /* RANK_SOCKQ */
	struct list list;     /* [L] */
	u32 nr;		      /* [a] changes under lock */
	u64 bytes;	      /* [a] payload and overhead; changes under lock */
	u64 drops;	      /* [a] */
	bool closed;	      /* [L] takes no more */
};

void dgram_queue_init(struct dgram_queue *q);
/*
 * Takes over the reference on `d`: 0; -ENOBUFS: over `limit` bytes (counted as a drop);
 * -ECONNREFUSED: closed. On failure `d` stays the caller's. Wakes nobody.
 */
int dgram_queue_add(struct dgram_queue *q, struct dgram *d, u64 limit);
/* The first one, with a reference; `take`: off the queue. NULL: empty. */
struct dgram *dgram_queue_get(struct dgram_queue *q, bool take);
/* Takes no more from now on and drops what is there. */
void dgram_queue_close(struct dgram_queue *q);
static inline bool dgram_queue_empty(const struct dgram_queue *q)
{
	return atomic_load_relaxed(&q->nr) == 0;
}

/*
 * What every receive of datagrams does: waits for one as `m` says, copies the payload, sets
 * MSG_TRUNC. The length to return (the whole one with MSG_TRUNC in m->flags), or -errno; on
 * success *out is the datagram, for its address and control messages: dgram_put() is due.
 * An empty queue answers the socket's error, which that consumes, or the end of file (*out NULL) once
 * it was shut down for reading, or waits.
 */
long dgram_recv(struct socket *s, struct dgram_queue *q, struct sock_msg *m, struct dgram **out);

#endif
