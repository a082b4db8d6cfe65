/*
 * Local byte streams: what fused TCP and AF_UNIX streams share. Each end of a connection owns a
 * `struct stream`, its receive half: the ring that the peer writes into, and one sleeping mutex a
 * side. Two senders on one socket exclude each other while they copy, not while they wait, as on
 * Linux; so do two receivers.
 */
#ifndef KERNEL_NET_STREAM_H
#define KERNEL_NET_STREAM_H

#include "kernel/net/ring.h"
#include "kernel/net/socket.h"

struct stream {
	struct ring ring;
	struct mutex reader __cacheline_aligned; /* RANK_STREAM; the receiver's line */
	struct mutex writer __cacheline_aligned; /* RANK_STREAM; the sender's line */
};

void stream_init(struct stream *st, u32 limit);
void stream_destroy(struct stream *st);

/* What differs between TCP and AF_UNIX. */
struct stream_kind {
	/* May `s` send now? 0 or -errno. Called under the writer's lock and from waits; never sleeps. */
	int (*may_send)(struct socket *s, const struct stream *to);
	/*
	 * The ring is empty: what a receive answers. 0: end of stream; -EAGAIN: wait; else -errno. A
	 * pending error is consumed if `take`. Never sleeps.
	 */
	int (*at_end)(struct socket *s, bool take);
	/*
	 * Marks in the stream (urgent data, passed descriptors): how many of the next n bytes one
	 * turn may read; 0: the call ends here. `done`: bytes that it has. Under the reader's lock.
	 * NULL: no marks.
	 */
	size_t (*clip)(struct socket *s, struct sock_msg *m, u64 done, size_t n);
	/*
	 * With m->state set, a turn of a send that is about to fill positions from..to calls mark,
	 * 0 or -errno; and mark_end if it got no further than `end`: what then belongs to no byte is the call's
	 * again. Under the writer's lock.
	 */
	int (*mark)(struct socket *s, struct sock_msg *m, u64 from, u64 to);
	void (*mark_end)(struct socket *s, struct sock_msg *m, u64 end);
	/* Bytes were put into the ring. NULL: the peer is woken. May sleep. */
	void (*wrote)(struct socket *s);
	u32 turn; /* bytes of a turn; 0: the usual number */
};

/*
 * Sends the payload into `to`, the receive half of `peer`. Bytes, or -errno if none went.
 * Context: may sleep; a reference on peer.
 */
long stream_send(struct socket *s, struct socket *peer, struct stream *to, struct sock_msg *m,
		 const struct stream_kind *kind);
/*
 * Receives from `from`, the own half, as m->flags say (PEEK, WAITALL; TRUNC drops). Bytes, or what
 * kind->at_end says.
 */
long stream_recv(struct socket *s, struct socket *peer, struct stream *from, struct sock_msg *m,
		 const struct stream_kind *kind);

/* After bytes were taken from `from`: tells `peer` if it waits for room. */
void stream_took(struct stream *from, struct socket *peer);

#endif
