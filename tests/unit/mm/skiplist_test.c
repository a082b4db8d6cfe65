#include "lib/skiplist.h"

#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdlib.h>

#define KEYS 2000

static struct skiplist list;
static struct skiplist_node nodes[KEYS];
static bool present[KEYS];

static struct skiplist_node *floor_by_scan(long key)
{
	while (key >= 0 && !present[key])
		key--;
	return key < 0 ? NULL : &nodes[key];
}

TEST(skiplist_agrees_with_an_array)
{
	skiplist_init(&list);
	CHECK(!skiplist_first(&list) && !skiplist_floor(&list, ~0UL) && !skiplist_above(&list, 0));
	srandom(1);
	for (int round = 0; round < 100000; round++) {
		long key = random() % KEYS;

		if (present[key]) {
			skiplist_remove(&list, &nodes[key]);
		} else {
			nodes[key].key = (u64)key * 10;
			skiplist_insert(&list, &nodes[key]);
		}
		present[key] = !present[key];
		key = random() % KEYS;
		CHECK(skiplist_floor(&list, (u64)key * 10 + 5) == floor_by_scan(key));
		CHECK(skiplist_floor(&list, (u64)key * 10) == floor_by_scan(key));
	}
	for (struct skiplist_node *n = skiplist_first(&list), *next; n; n = next) {
		next = skiplist_next(n);
		CHECK(skiplist_above(&list, n->key) == next);
		CHECK(!next || next->key > n->key);
	}
}

static bool stop;

/* Even keys stay; odd ones come and go. */
static void *reader(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		for (u64 key = 0; key < 200; key += 2) {
			struct skiplist_node *n = skiplist_floor(&list, key);

			CHECK(n && n->key == key);
			n = skiplist_above(&list, key);
			CHECK(!n || n->key == key + 1 || n->key == key + 2);
		}
	}
	return NULL;
}

TEST(skiplist_readers_beside_a_writer)
{
	static struct skiplist_node fresh[2000 * 100];
	pthread_t threads[2];
	u32 used = 0;

	skiplist_init(&list);
	for (u64 key = 0; key < 200; key += 2) {
		nodes[key].key = key;
		skiplist_insert(&list, &nodes[key]);
	}
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, reader, NULL);
	for (int round = 0; round < 2000; round++) {
		u32 first = used;

		/* Removed nodes are not used again: readers may stand on them. */
		for (u64 key = 1; key < 200; key += 2) {
			fresh[used].key = key;
			skiplist_insert(&list, &fresh[used++]);
		}
		while (first < used)
			skiplist_remove(&list, &fresh[first++]);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}
