/* The driver's side of a split virtqueue, against a device written out here as the specification says it. */
#include "drivers/virtio/virtqueue.h"

#include "abi/errno.h"
#include "arch/riscv64/layout.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define SIZE 8

struct device {
	struct virtq q;
	void *memory;
	u16 seen; /* of the available ring */
};

static struct device *device_create_with(u64 features)
{
	struct device *d = calloc(1, sizeof(*d));

	d->memory = aligned_alloc(16, ALIGN_UP(virtq_bytes(SIZE), 16UL));
	memset(d->memory, 0, virtq_bytes(SIZE));
	virtq_init(&d->q, 3, SIZE, d->memory, features);
	return d;
}

static struct device *device_create(void)
{
	return device_create_with(0);
}

static void device_free(struct device *d)
{
	free(d->memory);
	free(d);
}

/* The head of the next request that the driver shows; -1 if none. */
static int device_take(struct device *d)
{
	if (d->seen == d->q.avail->index)
		return -1;
	return d->q.avail->ring[d->seen++ % SIZE];
}

static void device_finish(struct device *d, int head, u32 length)
{
	struct virtq_used *used = d->q.used;

	used->ring[used->index % SIZE] = (struct virtq_used_elem){.id = (u32)head, .length = length};
	used->index++;
}

static int add_one(struct device *d, void *token)
{
	static char byte;
	struct virtq_piece piece = {.memory = &byte, .length = 1};

	return virtq_add(&d->q, &piece, 1, token);
}

TEST(the_rings_do_not_overlap)
{
	struct device *d = device_create();
	char *memory = d->memory;

	CHECK((char *)d->q.desc == memory);
	CHECK((char *)d->q.avail >= (char *)(d->q.desc + SIZE));
	CHECK((char *)d->q.used >= (char *)&d->q.avail->ring[SIZE] + 2);
	CHECK((char *)d->q.tokens >= (char *)&d->q.used->ring[SIZE] + 2);
	CHECK(memory + virtq_bytes(SIZE) == (char *)(d->q.tokens + SIZE));
	CHECK((uintptr_t)d->q.used % 4 == 0 && (uintptr_t)d->q.avail % 2 == 0);
	device_free(d);
}

TEST(a_request_is_a_chain_of_its_pieces)
{
	struct device *d = device_create();
	char out[3], in[5];
	struct virtq_piece pieces[] = {
		{.memory = out, .length = sizeof(out)},
		{.memory = in, .length = sizeof(in), .device_writes = true},
	};
	const struct virtq_desc *first, *second;
	int head;

	CHECK(virtq_add(&d->q, pieces, 2, d) == 0);
	head = device_take(d);
	CHECK(head >= 0 && device_take(d) == -1);
	first = &d->q.desc[head];
	CHECK(pa_to_va(first->address) == out && first->length == 3 && first->flags == 1);
	second = &d->q.desc[first->next];
	CHECK(pa_to_va(second->address) == in && second->length == 5 && second->flags == 2);
	device_free(d);
}

TEST(a_full_queue_refuses_and_recovers)
{
	struct device *d = device_create();
	struct virtq_piece pieces[3] = {0};
	u32 length;

	for (int i = 0; i < SIZE; i++)
		CHECK(add_one(d, d) == 0);
	CHECK(add_one(d, d) == -ENOSPC);
	device_finish(d, device_take(d), 0);
	device_finish(d, device_take(d), 0);
	CHECK(virtq_take(&d->q, &length) == d);
	CHECK(virtq_take(&d->q, &length) == d);
	CHECK(virtq_take(&d->q, &length) == NULL);
	CHECK(virtq_add(&d->q, pieces, 3, d) == -ENOSPC);
	CHECK(virtq_add(&d->q, pieces, 2, d) == 0);
	device_free(d);
}

TEST(peeking_takes_nothing)
{
	struct device *d = device_create();
	u32 length = 0;
	int token;

	CHECK(!virtq_has_used(&d->q) && virtq_peek(&d->q, &length) == NULL);
	add_one(d, &token);
	CHECK(!virtq_has_used(&d->q));
	device_finish(d, device_take(d), 77);
	CHECK(virtq_has_used(&d->q));
	CHECK(virtq_peek(&d->q, &length) == &token && length == 77);
	CHECK(virtq_peek(&d->q, &length) == &token);
	CHECK(virtq_take(&d->q, &length) == &token);
	CHECK(!virtq_has_used(&d->q));
	device_free(d);
}

/* 16-bit indices run over their end; the device finishes in another order than it was asked. */
TEST(every_token_comes_back_once_past_the_end_of_the_indices)
{
	struct device *d = device_create();
	static int tokens[3];
	u32 length;

	for (u32 round = 0; round < 30000; round++) {
		int heads[3];
		u32 seen = 0;

		for (int i = 0; i < 3; i++)
			CHECK(add_one(d, &tokens[i]) == 0);
		for (int i = 0; i < 3; i++)
			heads[i] = device_take(d);
		for (int i = 2; i >= 0; i--)
			device_finish(d, heads[i], round);
		for (int i = 0; i < 3; i++) {
			int *token = virtq_take(&d->q, &length);

			CHECK(token && length == round);
			seen |= 1U << (token - tokens);
		}
		CHECK(seen == 7);
	}
	CHECK(d->q.nr_free == SIZE);
	device_free(d);
}

TEST(a_request_number_from_outside_the_queue_is_no_token)
{
	struct device *d = device_create();
	u32 length;

	add_one(d, d);
	device_finish(d, SIZE + 5, 0);
	CHECK(virtq_take(&d->q, &length) == NULL);
	CHECK(d->q.broken && !virtq_has_used(&d->q));
	device_free(d);
}

TEST(a_request_that_comes_back_twice_breaks_the_queue)
{
	struct device *d = device_create();
	int token, other, head;
	u32 length;

	add_one(d, &token);
	add_one(d, &other);
	head = device_take(d);
	device_finish(d, head, 0);
	device_finish(d, head, 0);
	CHECK(virtq_take(&d->q, &length) == &token);
	CHECK(virtq_take(&d->q, &length) == NULL);
	CHECK(d->q.broken && !virtq_has_used(&d->q) && virtq_arm(&d->q, 0));
	device_free(d);
}

/* The index runs ahead of what was ever asked. */
TEST(a_used_index_from_nowhere_breaks_the_queue)
{
	struct device *d = device_create();
	u32 length;

	d->q.used->index = 1000;
	CHECK(virtq_take(&d->q, &length) == NULL);
	CHECK(d->q.broken);
	device_free(d);
}

TEST(kicks_and_interrupts_follow_the_flags)
{
	struct device *d = device_create();

	CHECK(virtq_wants_kick(&d->q));
	d->q.used->flags = 1;
	CHECK(!virtq_wants_kick(&d->q));
	virtq_disarm(&d->q);
	CHECK(d->q.avail->flags == 1);
	CHECK(virtq_arm(&d->q, 0));
	CHECK(d->q.avail->flags == 0);
	device_free(d);
}

static u16 *avail_event(struct device *d)
{
	return (u16 *)&d->q.used->ring[SIZE];
}

/* As the specification asks the device: told once, when the used index passes the driver's event. */
static bool device_interrupts(struct device *d, u16 old)
{
	u16 event = d->q.avail->ring[SIZE], index = d->q.used->index;

	return (u16)(index - event - 1) < (u16)(index - old);
}

TEST(a_kick_is_wanted_when_the_index_passes_the_event)
{
	struct device *d = device_create_with(VIRTIO_F_EVENT_IDX);

	add_one(d, d);
	CHECK(virtq_wants_kick(&d->q));
	CHECK(!virtq_wants_kick(&d->q));
	add_one(d, d);
	CHECK(!virtq_wants_kick(&d->q)); /* the device has not asked again: it works */
	*avail_event(d) = 3;
	add_one(d, d);
	CHECK(!virtq_wants_kick(&d->q));
	add_one(d, d);
	add_one(d, d);
	CHECK(virtq_wants_kick(&d->q));
	device_free(d);
}

TEST(an_interrupt_comes_once_for_each_arming_also_past_the_end_of_the_indices)
{
	struct device *d = device_create_with(VIRTIO_F_EVENT_IDX);
	u32 length;

	for (u32 round = 0; round < 70000; round++) {
		CHECK(add_one(d, d) == 0 && add_one(d, d) == 0);
		CHECK(virtq_outstanding(&d->q) == 2);
		CHECK(virtq_arm(&d->q, 0));
		device_finish(d, device_take(d), 0);
		CHECK(device_interrupts(d, (u16)(d->q.used->index - 1)));
		device_finish(d, device_take(d), 0);
		CHECK(!device_interrupts(d, (u16)(d->q.used->index - 1)));
		CHECK(!virtq_arm(&d->q, 0) && !virtq_arm(&d->q, 1) && virtq_arm(&d->q, 2));
		CHECK(virtq_take(&d->q, &length) && virtq_take(&d->q, &length));
	}
	device_free(d);
}

TEST(a_disarmed_queue_is_quiet)
{
	struct device *d = device_create_with(VIRTIO_F_EVENT_IDX);
	u32 length;

	for (u32 round = 0; round < 1000; round++) {
		add_one(d, d);
		virtq_disarm(&d->q);
		device_finish(d, device_take(d), 0);
		CHECK(!device_interrupts(d, (u16)(d->q.used->index - 1)));
		CHECK(virtq_take(&d->q, &length) == d);
	}
	device_free(d);
}
