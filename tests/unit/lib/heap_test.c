/* The pairing heap of timers and the fair class: order, ties, removal from anywhere, against a plain array. */
#include "lib/heap.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define NODES 500

static struct heap_node nodes[NODES];
static bool inside[NODES];

TEST(an_empty_heap_has_no_first)
{
	struct heap h = {0};

	CHECK(heap_first(&h) == NULL);
	CHECK(heap_pop(&h) == NULL);
}

TEST(pops_come_in_order_of_keys)
{
	struct heap h = {0};
	u64 last = 0;

	srand(1);
	for (int i = 0; i < NODES; i++) {
		nodes[i].key = (u64)rand() % 1000;
		heap_insert(&h, &nodes[i]);
	}
	for (int i = 0; i < NODES; i++) {
		struct heap_node *n = heap_pop(&h);

		CHECK(n && n->key >= last);
		last = n ? n->key : last;
	}
	CHECK(heap_pop(&h) == NULL);
}

TEST(equal_keys_leave_in_order_of_insertion)
{
	struct heap h = {0};

	for (int i = 0; i < NODES; i++) {
		nodes[i].key = 7;
		heap_insert(&h, &nodes[i]);
	}
	for (int i = 0; i < NODES; i++)
		CHECK(heap_pop(&h) == &nodes[i]);
}

TEST(the_first_can_be_removed_and_inserted_again)
{
	struct heap h = {0};

	for (u64 i = 0; i < 3; i++) {
		nodes[i].key = i;
		heap_insert(&h, &nodes[i]);
	}
	heap_remove(&h, &nodes[0]);
	CHECK(heap_first(&h) == &nodes[1]);
	nodes[0].key = 9;
	heap_insert(&h, &nodes[0]);
	CHECK(heap_pop(&h) == &nodes[1]);
	CHECK(heap_pop(&h) == &nodes[2]);
	CHECK(heap_pop(&h) == &nodes[0]);
}

static u64 smallest_inside(void)
{
	u64 least = ~0UL;

	for (int i = 0; i < NODES; i++) {
		if (inside[i] && nodes[i].key < least)
			least = nodes[i].key;
	}
	return least;
}

TEST(random_insertions_and_removals_agree_with_a_search)
{
	struct heap h = {0};

	srand(2);
	memset(inside, 0, sizeof(inside));
	for (int step = 0; step < 20000; step++) {
		int i = rand() % NODES;

		if (inside[i]) {
			heap_remove(&h, &nodes[i]);
		} else {
			nodes[i].key = (u64)rand() % 100000;
			heap_insert(&h, &nodes[i]);
		}
		inside[i] = !inside[i];
		if (step % 16 == 0) {
			struct heap_node *first = heap_first(&h);

			CHECK((first ? first->key : ~0UL) == smallest_inside());
		}
	}
}
