/*
 * Byte rings; the protocol is told in ring.h.
 */
#include "kernel/net/ring.h"

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

static_assert(RING_LIMIT_MAX == (RING_SLOTS - 1) * PAGE_SIZE, "one slot stays free");

static void **ring_slot(const struct ring *r, u64 position)
{
	return &r->slots[(position >> PAGE_SHIFT) % RING_SLOTS];
}

void ring_init(struct ring *r, u32 limit)
{
	*r = (struct ring){.limit = MIN(limit, RING_LIMIT_MAX)};
}

void ring_trim(struct ring *r)
{
	for (u32 i = 0; i < RING_SPARES; i++) {
		void *page = atomic_load_relaxed(&r->spares[i]) ? atomic_xchg(&r->spares[i], NULL)
								: NULL;

		if (page)
			page_put(page);
	}
}

void ring_destroy(struct ring *r)
{
	ring_trim(r);
	for (u64 at = r->tail & ~(PAGE_SIZE - 1); at < r->head; at += PAGE_SIZE)
		page_put(*ring_slot(r, at));
	kfree(r->slots);
}

/* A page for the writer: one that the reader has emptied, or a new one. */
static void *ring_page(struct ring *r)
{
	for (u32 i = 0; i < RING_SPARES; i++) {
		void *page;

		if (!atomic_load_relaxed(&r->spares[i]))
			continue;
		page = atomic_xchg(&r->spares[i], NULL);
		if (page)
			return page;
	}
	return page_alloc(0, 0);
}

/* An empty page becomes a spare, or goes. */
static void ring_retire(struct ring *r, void *page)
{
	for (u32 i = 0; i < RING_SPARES; i++)
		if (!atomic_load_relaxed(&r->spares[i]) && atomic_cas(&r->spares[i], NULL, page))
			return;
	page_put(page);
}

/* Room as the writer sees it; looks at the reader's line only if its last view is too small. */
static u64 ring_writer_room(struct ring *r, size_t want)
{
	u64 limit = atomic_load_relaxed(&r->limit);

	if (r->head - r->tail_seen + want > limit)
		r->tail_seen = atomic_load_acquire(&r->tail);
	return r->head - r->tail_seen < limit ? limit - (r->head - r->tail_seen) : 0;
}

long ring_write(struct ring *r, struct iov_iter *it, size_t n)
{
	u64 head = r->head, end;
	long err = 0, done;

	if (!r->slots) {
		void **slots = kmalloc(RING_SLOTS * sizeof(*slots));

		if (!slots)
			return -ENOMEM;
		r->slots = slots;
	}
	n = MIN(n, it->count);
	end = head + MIN((u64)n, ring_writer_room(r, n));
	while (head < end) {
		size_t at = head & (PAGE_SIZE - 1), chunk = MIN(end - head, PAGE_SIZE - at);
		void **slot = ring_slot(r, head);
		long got;

		if (!at)
			*slot = ring_page(r);
		if (!*slot) {
			err = -ENOMEM;
			break;
		}
		got = iov_copy_in((char *)*slot + at, it, chunk);
		if (got < 0) {
			if (!at)
				ring_retire(r, *slot);
			err = got;
			break;
		}
		head += (u64)got;
		if ((size_t)got < chunk)
			break;
	}
	if (head == r->head)
		return err;
	done = (long)(head - r->head);
	/* (A) Pairs with the acquire load of head in ring_read(). */
	atomic_store_release(&r->head, head);
	return done;
}

/* Moves tail; pages that it leaves behind go. */
static void ring_consume(struct ring *r, u64 to)
{
	for (u64 page = r->tail >> PAGE_SHIFT; page < to >> PAGE_SHIFT; page++)
		ring_retire(r, r->slots[page % RING_SLOTS]);
	/* (B) Pairs with the acquire load of tail in ring_writer_room(). */
	atomic_store_release(&r->tail, to);
}

long ring_read(struct ring *r, struct iov_iter *it, size_t n, u64 skip, bool take)
{
	u64 head = atomic_load_acquire(&r->head), from = r->tail + skip, at = from, end;
	long err = 0;

	if (from >= head)
		return 0;
	end = from + MIN((u64)n, head - from);
	while (at < end) {
		size_t in_page = at & (PAGE_SIZE - 1);
		size_t chunk = MIN(end - at, PAGE_SIZE - in_page);
		long got = iov_copy_out(it, (const char *)*ring_slot(r, at) + in_page, chunk);

		if (got < 0) {
			err = got;
			break;
		}
		at += (u64)got;
		if ((size_t)got < chunk)
			break;
	}
	if (at == from)
		return err;
	if (take)
		ring_consume(r, at);
	return (long)(at - from);
}

const void *ring_peek(const struct ring *r, u64 position, size_t *n)
{
	size_t in_page = position & (PAGE_SIZE - 1);

	*n = MIN(*n, PAGE_SIZE - in_page);
	return (const char *)*ring_slot(r, position) + in_page;
}

void ring_drop(struct ring *r, size_t n)
{
	u64 used = atomic_load_acquire(&r->head) - r->tail;

	if (used)
		ring_consume(r, r->tail + MIN((u64)n, used));
}

static bool third_free(const struct ring *r)
{
	return ring_room(r) * 3 >= atomic_load_relaxed(&r->limit);
}

bool ring_writable(struct ring *r)
{
	if (likely(third_free(r)))
		return true;
	atomic_store_relaxed(&r->want_room, 1);
	fence_full(); /* (C) Pairs with (D) in ring_made_room(). */
	return third_free(r);
}

bool ring_made_room(struct ring *r)
{
	fence_full(); /* (D) Pairs with (C) in ring_writable(). */
	if (likely(!atomic_load_relaxed(&r->want_room)) || !third_free(r))
		return false;
	atomic_store_relaxed(&r->want_room, 0);
	return true;
}
