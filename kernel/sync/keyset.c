#include "kernel/sync/keyset.h"

#include <ck_hs.h>

#include "kernel/sync/atomic.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/sync_ops.h"

#define KEYSET_FIRST_SIZE 64

struct keyset {
	struct ck_hs hs;
};

/* In front of each of Concurrency Kit's blocks. */
struct keyset_block {
	struct epoch_node free_node;
	char memory[] __attribute__((aligned(16)));
};

struct keyset_ops keyset_ops;

static void *keyset_block_alloc(size_t size)
{
	struct keyset_block *block = keyset_ops.alloc(sizeof(*block) + size);

	return block ? block->memory : NULL;
}

static void keyset_block_expired(struct epoch_node *node)
{
	keyset_ops.free(container_of(node, struct keyset_block, free_node));
}

/* `defer`: readers may still be inside. */
static void keyset_block_free(void *memory, size_t size, bool defer)
{
	struct keyset_block *block = container_of(memory, struct keyset_block, memory);

	(void)size;
	if (defer)
		epoch_defer(&block->free_node, keyset_block_expired);
	else
		keyset_ops.free(block);
}

static struct ck_malloc keyset_memory = {
	.malloc = keyset_block_alloc,
	.free = keyset_block_free,
};

/* Fibonacci hashing: the upper half of the product mixes all bits of the key. */
static unsigned long keyset_hash(const void *node, unsigned long seed)
{
	u64 product = ((const struct keyset_node *)node)->key * 0x9e3779b97f4a7c15UL;

	(void)seed;
	return product >> 32 | product << 32;
}

static bool keyset_equal(const void *a, const void *b)
{
	return ((const struct keyset_node *)a)->key == ((const struct keyset_node *)b)->key;
}

struct keyset *keyset_create(void)
{
	struct keyset *set = keyset_ops.alloc(sizeof(*set));

	if (set && !ck_hs_init(&set->hs, CK_HS_MODE_SPMC | CK_HS_MODE_OBJECT | CK_HS_MODE_DELETE,
			       keyset_hash, keyset_equal, &keyset_memory, KEYSET_FIRST_SIZE, 0)) {
		keyset_ops.free(set);
		return NULL;
	}
	return set;
}

struct keyset_node *keyset_find(struct keyset *set, u32 key)
{
	struct keyset_node wanted = {.key = key};

	return ck_hs_get(&set->hs, keyset_hash(&wanted, 0), &wanted);
}

bool keyset_insert(struct keyset *set, struct keyset_node *node)
{
	/* Concurrency Kit stores the pointer without one. Pairs with the address dependency of a find. */
	fence_release();
	return ck_hs_put(&set->hs, keyset_hash(node, 0), node);
}

void keyset_remove(struct keyset *set, struct keyset_node *node)
{
	void *removed = ck_hs_remove(&set->hs, keyset_hash(node, 0), node);

	SYNC_BUG_ON(removed != node);
}
