#include "drivers/virtio/virtqueue.h"

#include "abi/errno.h"
#include "arch/riscv64/layout.h"
#include "kernel/sync/atomic.h"

#define DESC_NEXT  1
#define DESC_WRITE 2

#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY	   1

/* Instead of a head: nothing has been used, or what was is nothing that was asked for. */
#define USED_NONE (-1)
#define USED_BAD  (-2)

#define NEVER_AHEAD 0x8000U /* entries: as far off as an index can name */

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

/* Where each side names the entry at which it wants to be told: behind the other's ring. */
static u16 *used_event(const struct virtq *q)
{
	return &q->avail->ring[q->size];
}

static const u16 *avail_event(const struct virtq *q)
{
	return (const u16 *)&q->used->ring[q->size];
}

void virtq_init(struct virtq *q, u16 number, u16 size, void *memory, u64 features)
{
	u8 *base = memory;

	*q = (struct virtq){
		.size = size,
		.number = number,
		.nr_free = size,
		.event_index = features & VIRTIO_F_EVENT_IDX,
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

bool virtq_wants_kick(struct virtq *q)
{
	u16 last = q->kick_index, event;

	q->kick_index = q->avail_index;
	fence_full(); /* (V2) */
	if (!q->event_index)
		return !(atomic_load_relaxed(&q->used->flags) & USED_NO_NOTIFY);
	/* Did the index pass the event since the last look? In 16 bits, as the indices. */
	event = atomic_load_relaxed(avail_event(q));
	return (u16)(q->avail_index - event - 1) < (u16)(q->avail_index - last);
}

static u16 used_ahead(const struct virtq *q)
{
	/* (V3) */
	return (u16)(atomic_load_acquire(&q->used->index) - atomic_load_relaxed(&q->used_seen));
}

bool virtq_has_used(const struct virtq *q)
{
	return used_ahead(q) && !atomic_load_relaxed(&q->broken);
}

/* The oldest element, read once: the device could change it meanwhile. Its head, or USED_*. */
static s32 used_head(const struct virtq *q, u32 *length)
{
	const struct virtq_used_elem *elem = &q->used->ring[q->used_seen % q->size];
	u32 id;

	if (!virtq_has_used(q))
		return USED_NONE;
	id = atomic_load_relaxed(&elem->id);
	*length = atomic_load_relaxed(&elem->length);
	return id < q->size && q->tokens[id] ? (s32)id : USED_BAD;
}

void *virtq_peek(const struct virtq *q, u32 *length)
{
	s32 head = used_head(q, length);

	return head < 0 ? NULL : q->tokens[head];
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
	s32 head = used_head(q, length);
	void *token;

	if (head == USED_BAD)
		atomic_store_relaxed(&q->broken, true);
	if (head < 0)
		return NULL;
	token = q->tokens[head];
	q->tokens[head] = NULL; /* a request comes back once */
	virtq_free_chain(q, (u16)head);
	atomic_store_relaxed(&q->used_seen, (u16)(q->used_seen + 1));
	return token;
}

u16 virtq_outstanding(const struct virtq *q)
{
	return (u16)(q->avail_index - q->used_seen);
}

bool virtq_arm(struct virtq *q, u16 ahead)
{
	if (q->event_index)
		atomic_store_relaxed(used_event(q), (u16)(q->used_seen + ahead));
	else
		atomic_store_relaxed(&q->avail->flags, 0);
	fence_full(); /* (V2): the wish before the next look at the used ring */
	return used_ahead(q) <= ahead || atomic_load_relaxed(&q->broken);
}

void virtq_disarm(struct virtq *q)
{
	if (q->event_index)
		atomic_store_relaxed(used_event(q), (u16)(q->used_seen + NEVER_AHEAD));
	else
		atomic_store_relaxed(&q->avail->flags, AVAIL_NO_INTERRUPT);
}
