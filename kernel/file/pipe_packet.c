/*
 * Packets in pipes (O_DIRECT, pipe(2)): marks on the ring of bytes, in order. A write in packet mode leaves a mark on what it has
 * written; a read stops behind the first mark. Bytes without a mark, written in the ordinary mode, may lie between packets.
 *
 * Invariant: tail <= start of the first packet, each packet ends where the next begins or before, the last at head or before. A pipe
 * without packets pays for one comparison.
 */
#include "abi/errno.h"
#include "kernel/file/pipe_internal.h"
#include "kernel/mm/mm.h"

static struct pipe_packet *pipe_packet_at(struct pipe *p, u32 i)
{
	return &p->packets[(p->first_packet + i) % p->packet_slots];
}

int pipe_resize_packets(struct pipe *p, u64 size)
{
	u32 slots = (u32)(size >> PAGE_SHIFT);
	struct pipe_packet *new;

	if (!p->packets)
		return 0;
	new = kmalloc(slots * sizeof(*new));
	if (!new)
		return -ENOMEM;
	for (u32 i = 0; i < p->nr_packets; i++)
		new[i] = *pipe_packet_at(p, i);
	kfree(p->packets);
	p->packets = new;
	p->first_packet = 0;
	atomic_store_relaxed(&p->packet_slots, slots);
	return 0;
}

static int pipe_alloc_packets(struct pipe *p)
{
	u32 slots = (u32)(p->size >> PAGE_SHIFT);

	if (p->packets)
		return 0;
	p->packets = kmalloc(slots * sizeof(*p->packets));
	if (!p->packets)
		return -ENOMEM;
	atomic_store_relaxed(&p->packet_slots, slots);
	return 0;
}

/* As on Linux a packet becomes part of ordinary bytes whose last page it still fits into. */
static bool pipe_packet_joins(struct pipe *p, size_t n)
{
	u64 start = p->tail, in_page;

	if (p->nr_packets) {
		struct pipe_packet *last = pipe_packet_at(p, p->nr_packets - 1);

		start = last->start + last->len;
	}
	in_page = (p->head - start) & (PAGE_SIZE - 1);
	return in_page && in_page + n <= PAGE_SIZE;
}

long pipe_put_packet(struct pipe *p, struct iov_iter *it)
{
	size_t n = MIN(it->count, PAGE_SIZE);
	u64 start = p->head;
	long got;

	if (pipe_packet_joins(p, n))
		return pipe_move(p, it, n, true);
	if (pipe_alloc_packets(p))
		return -ENOMEM;
	got = pipe_move(p, it, n, true);
	if (got > 0) {
		*pipe_packet_at(p, p->nr_packets) = (struct pipe_packet){start, (u32)got};
		atomic_store_relaxed(&p->nr_packets, p->nr_packets + 1);
	}
	return got;
}

u64 pipe_to_boundary(struct pipe *p)
{
	struct pipe_packet *first;

	if (likely(!p->nr_packets))
		return pipe_used(p);
	first = pipe_packet_at(p, 0);
	return first->start > p->tail ? first->start - p->tail : first->len;
}

/* From the first packet, which is next. */
static long pipe_take_packet(struct pipe *p, struct iov_iter *it, bool keep)
{
	struct pipe_packet *first = pipe_packet_at(p, 0);
	size_t n = MIN(it->count, (size_t)first->len);
	long got = pipe_move(p, it, n, false);

	if (got < 0)
		return got;
	/* What a fault has cut short stays too. */
	if (((size_t)got < n || keep) && (u32)got < first->len) {
		first->start += (u64)got;
		first->len -= (u32)got;
		return got;
	}
	atomic_store_relaxed(&p->tail, first->start + first->len);
	p->first_packet = (p->first_packet + 1) % p->packet_slots;
	atomic_store_relaxed(&p->nr_packets, p->nr_packets - 1);
	return got;
}

long pipe_take(struct pipe *p, struct iov_iter *it, bool keep)
{
	u64 before = pipe_used(p);
	long done, got;

	if (likely(!p->nr_packets))
		return pipe_move(p, it, MIN(before, it->count), false);
	before = pipe_packet_at(p, 0)->start - p->tail;
	done = before ? pipe_move(p, it, MIN(before, it->count), false) : 0;
	if (done < (long)before || !it->count)
		return done;
	got = pipe_take_packet(p, it, keep);
	return got < 0 && done ? done : done + got;
}
