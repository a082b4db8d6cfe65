#include "drivers/virtio/virtqueue.h"

#include "abi/errno.h"
#include "arch/riscv64/layout.h"
#include "kernel/sync/atomic.h"

#define DESC_NEXT  1
#define DESC_WRITE 2

#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY	   1

static size_t avail_offset(u16 size)
{
	return sizeof(struct virtq_desc) * size;
}

static size_t used_offset(u16 size)
{
	return ALIGN_UP(avail_offset(size) + sizeof(struct virtq_avail) + 2UL * size + 2, 8UL);
}

static size_t tokens_offset(u16 size)
{
	return ALIGN_UP(used_offset(size) + sizeof(struct virtq_used) +
				sizeof(struct virtq_used_elem) * size + 2,
			8UL);
}

size_t virtq_bytes(u16 size)
{
	return tokens_offset(size) + sizeof(void *) * size;
}

void virtq_init(struct virtq *q, u16 number, u16 size, void *memory)
{
	u8 *base = memory;

	*q = (struct virtq){
		.size = size,
		.number = number,
		.nr_free = size,
		.desc = memory,
		.avail = (struct virtq_avail *)(base + avail_offset(size)),
		.used = (struct virtq_used *)(base + used_offset(size)),
		.tokens = (void **)(base + tokens_offset(size)),
	};
	for (u16 i = 0; i < size; i++)
		q->desc[i].next = (u16)(i + 1);
}

int virtq_add(struct virtq *q, const struct virtq_piece *pieces, u16 count, void *token)
{
	u16 head = q->free_head, i = head;

	if (q->nr_free < count)
		return -ENOSPC;
	for (u16 n = 0; n < count; n++) {
		struct virtq_desc *d = &q->desc[i];

		d->address = va_to_pa(pieces[n].memory);
		d->length = pieces[n].length;
		d->flags = (pieces[n].device_writes ? DESC_WRITE : 0) |
			   (n + 1 < count ? DESC_NEXT : 0);
		i = d->next;
	}
	q->free_head = i;
	q->nr_free -= count;
	q->tokens[head] = token;
	q->avail->ring[q->avail_index % q->size] = head;
	q->avail_index++;
	atomic_store_release(&q->avail->index, q->avail_index); /* (V1) */
	return 0;
}

bool virtq_wants_kick(const struct virtq *q)
{
	fence_full(); /* (V2) */
	return !(atomic_load_relaxed(&q->used->flags) & USED_NO_NOTIFY);
}

bool virtq_has_used(const struct virtq *q)
{
	return atomic_load_acquire(&q->used->index) != atomic_load_relaxed(&q->used_seen); /* (V3) */
}

void *virtq_peek(const struct virtq *q, u32 *length)
{
	const struct virtq_used_elem *elem = &q->used->ring[q->used_seen % q->size];

	if (!virtq_has_used(q))
		return NULL;
	*length = elem->length;
	return elem->id < q->size ? q->tokens[elem->id] : NULL;
}

/* Gives the descriptors of a chain back to the front of the free ones. */
static void virtq_free_chain(struct virtq *q, u16 head)
{
	u16 last = head;

	q->nr_free++;
	while (q->desc[last].flags & DESC_NEXT) {
		last = q->desc[last].next;
		q->nr_free++;
	}
	q->desc[last].next = q->free_head;
	q->free_head = head;
}

void *virtq_take(struct virtq *q, u32 *length)
{
	void *token = virtq_peek(q, length);

	if (!token)
		return NULL;
	virtq_free_chain(q, (u16)q->used->ring[q->used_seen % q->size].id);
	atomic_store_relaxed(&q->used_seen, (u16)(q->used_seen + 1));
	return token;
}

void virtq_want_interrupts(struct virtq *q, bool wanted)
{
	atomic_store_relaxed(&q->avail->flags, wanted ? 0 : AVAIL_NO_INTERRUPT);
	fence_full(); /* (V2): the wish before the next look at the used ring */
}
