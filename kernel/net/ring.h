/*
 * A byte ring between one writer and one reader, in pages that are allocated when they are first
 * written and given back when they have been read: the data path of local TCP and of AF_UNIX
 * streams. Whoever writes (reads) holds the lock of that side, which is not the ring's business.
 *
 *	writer: room = limit - (head - tail); copy in behind head; head += n	(release, A)
 *	reader: used = head - tail	(acquire, pairs with A); copy out; tail += n	(release, B)
 *	writer: tail			(acquire, pairs with B)
 *
 * Invariant: tail <= head <= tail + RING_LIMIT_MAX; a page belongs to the writer from its slot's
 * filling until head passes its begin, to both while bytes are in it, to the reader once tail
 * reaches its end. RING_LIMIT_MAX leaves one slot free, so the writer never enters the page that
 * the reader is in from behind. A slot holds a page if a position from the begin of tail's page up to
 * head lies in it; nobody looks at what else is in `slots`. So the reader, which takes a page before
 * tail passes (B), has nothing to clear. Positions count bytes since the beginning and never wrap.
 *
 * Cost of a small message: one copy in, one out, and three lines that move if the ends are on two
 * harts (head, tail, data); the writer looks at tail only when its last view says full.
 */
#ifndef KERNEL_NET_RING_H
#define KERNEL_NET_RING_H

#include "kernel/file/file.h"
#include "lib/types.h"

/*
 * A megabyte: a writer goes on while a halted hart is woken for the reader, which takes 100 us and
 * more on a busy host, and while that one catches up.
 */
#define RING_SLOTS     256U
#define RING_LIMIT_MAX ((RING_SLOTS - 1) * 4096U)
#define RING_SPARES    8U

struct ring {
	u64 head;		       /* [a] bytes ever written; by the writer */
	u64 tail_seen;		       /* [writer] last tail that the writer looked at */
	u64 tail __cacheline_aligned;  /* [a] bytes ever read; by the reader */
	u32 limit __cacheline_aligned; /* [a] bytes that may be in it */
	u32 want_room;		       /* [a] the writer waits for room, see ring_writable() */
	void **slots; /* [e] of RING_SLOTS pages, see above; NULL until the first write */
	void *spares[RING_SPARES]; /* [a] empty pages, taken by exchange */
};

void ring_init(struct ring *r, u32 limit);
/* Frees all pages. Nobody uses it any more. */
void ring_destroy(struct ring *r);

static inline u64 ring_used(const struct ring *r)
{
	u64 tail = atomic_load_relaxed(&r->tail);

	return atomic_load_relaxed(&r->head) - tail;
}
/* Bytes that fit now; 0 also when the limit was lowered below what is in. */
static inline u64 ring_room(const struct ring *r)
{
	u64 used = ring_used(r), limit = atomic_load_relaxed(&r->limit);

	return used < limit ? limit - used : 0;
}

/*
 * Copies up to n bytes in, as many as there is room for, and publishes them. Bytes, 0 (full),
 * -EFAULT, -ENOMEM. Context: the writer's; may touch user memory.
 */
long ring_write(struct ring *r, struct iov_iter *it, size_t n);
/*
 * Copies up to n bytes out, from `skip` bytes behind tail on; `take` consumes them (skip must be 0
 * then). Bytes, 0 (empty), -EFAULT. Context: the reader's.
 */
long ring_read(struct ring *r, struct iov_iter *it, size_t n, u64 skip, bool take);
/*
 * The bytes at `position`, between tail and head, that lie together: at most *n, which is set. They
 * stay until they are dropped, and as long as somebody holds their page (page_get()). Context: the
 * reader's.
 */
const void *ring_peek(const struct ring *r, u64 position, size_t *n);
/* Drops up to n bytes. Context: the reader's. */
void ring_drop(struct ring *r, size_t n);
/*
 * May a writer go on, or poll say "writable"? A third is free; else the writer is noted, and
 * ring_made_room() will tell the reader of it:
 *	writer				reader
 *	want_room = 1			tail += n
 *	fence (C)			fence (D)
 *	room? no: sleep			want_room && a third is free: want_room = 0, wake
 * One of the two sees the other (store buffering; C pairs with D). So a reader whose writer is
 * content touches none of the writer's lines.
 */
bool ring_writable(struct ring *r);
/* After bytes were taken: true if the writer is to be woken. Context: the reader's. */
bool ring_made_room(struct ring *r);
/* Gives the spare pages back: the reader found nothing and will wait. */
void ring_trim(struct ring *r);

#endif
