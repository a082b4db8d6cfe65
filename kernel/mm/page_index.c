#include "kernel/mm/page_index.h"

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/epoch.h"

#include <string.h>

#define INDEX_BITS  6
#define INDEX_SLOTS (1U << INDEX_BITS)

struct index_node {
	u32 shift;		 /* [I] a slot covers 2^shift indices */
	void *slot[INDEX_SLOTS]; /* [e] nodes, or frames where shift is 0 */
	struct epoch_node free_node;
};

static struct slab_cache *index_cache;

void page_index_init(void)
{
	index_cache = slab_create("page_index", sizeof(struct index_node), 0);
}

static struct index_node *index_node_alloc(u32 shift)
{
	struct index_node *node = slab_alloc(index_cache);

	if (node) {
		memset(node, 0, sizeof(*node));
		node->shift = shift;
	}
	return node;
}

static void index_node_free(struct epoch_node *free_node)
{
	slab_free(index_cache, container_of(free_node, struct index_node, free_node));
}

static u32 index_slot(const struct index_node *node, u64 index)
{
	return (index >> node->shift) & (INDEX_SLOTS - 1);
}

static bool index_covers(const struct index_node *node, u64 index)
{
	return node->shift + INDEX_BITS >= 64 || index >> (node->shift + INDEX_BITS) == 0;
}

void *page_index_find(const struct page_index *p, u64 index)
{
	const struct index_node *node = atomic_load_acquire(&p->root);

	if (!node || !index_covers(node, index))
		return NULL;
	for (;;) {
		/* Pairs with the release in page_index_insert(). */
		void *child = atomic_load_acquire(&node->slot[index_slot(node, index)]);

		if (!child || node->shift == 0)
			return child;
		node = child;
	}
}

/* Makes the tree high enough for `index`. */
static int index_grow(struct page_index *p, u64 index)
{
	while (!p->root || !index_covers(p->root, index)) {
		struct index_node *node = index_node_alloc(p->root ? p->root->shift + INDEX_BITS : 0);

		if (!node)
			return -ENOMEM;
		node->slot[0] = p->root;
		atomic_store_release(&p->root, node);
	}
	return 0;
}

int page_index_insert(struct page_index *p, u64 index, void *page)
{
	struct index_node *node;
	int ret = index_grow(p, index);

	if (ret)
		return ret;
	node = p->root;
	while (node->shift) {
		void **slot = &node->slot[index_slot(node, index)];

		if (!*slot) {
			struct index_node *child = index_node_alloc(node->shift - INDEX_BITS);

			if (!child)
				return -ENOMEM;
			atomic_store_release(slot, child);
		}
		node = *slot;
	}
	atomic_store_release(&node->slot[index_slot(node, index)], page);
	return 0;
}

/* Recursion, here and below, is as deep as the tree: eleven levels at most. */
static u64 index_next_in(const struct index_node *node, u64 base, u64 index)
{
	for (u32 i = index > base ? index_slot(node, index) : 0; i < INDEX_SLOTS; i++) {
		u64 child_base = base + ((u64)i << node->shift), found;
		void *child = atomic_load_acquire(&node->slot[i]);

		if (!child)
			continue;
		found = node->shift ? index_next_in(child, child_base, index) : child_base;
		if (found != ~0UL)
			return found;
	}
	return ~0UL;
}

u64 page_index_next(const struct page_index *p, u64 index)
{
	const struct index_node *root = atomic_load_acquire(&p->root);

	return root && index_covers(root, index) ? index_next_in(root, 0, index) : ~0UL;
}

struct index_cut {
	u64 first, last;
	u32 budget;
	void (*fn)(void *page, void *arg);
	void *arg;
};

/* The last index below a slot that begins at `base`. */
static u64 index_slot_last(const struct index_node *node, u64 base)
{
	return base + (1UL << node->shift) - 1;
}

/* Empties the part of `node`, whose first index is `base`, that is to go. True when that is done. */
static bool index_cut_node(struct index_node *node, u64 base, struct index_cut *cut)
{
	for (u32 i = cut->first > base ? index_slot(node, cut->first) : 0; i < INDEX_SLOTS; i++) {
		u64 child_base = base + ((u64)i << node->shift);
		void *child = node->slot[i];

		if (child_base > cut->last)
			break;
		if (!child)
			continue;
		if (node->shift == 0) {
			if (cut->budget == 0)
				return false;
			cut->budget--;
			atomic_store_relaxed(&node->slot[i], NULL);
			cut->fn(child, cut->arg);
			continue;
		}
		if (!index_cut_node(child, child_base, cut))
			return false;
		if (child_base >= cut->first && index_slot_last(node, child_base) <= cut->last) {
			atomic_store_relaxed(&node->slot[i], NULL);
			epoch_defer(&((struct index_node *)child)->free_node, index_node_free);
		}
	}
	return true;
}

bool page_index_cut(struct page_index *p, u64 first, u64 last, u32 budget,
		    void (*fn)(void *page, void *arg), void *arg)
{
	struct index_cut cut = {.first = first, .last = last, .budget = budget, .fn = fn, .arg = arg};
	struct index_node *root = p->root;

	if (!root || !index_covers(root, first))
		return true;
	if (!index_cut_node(root, 0, &cut))
		return false;
	if (first == 0 && !index_covers(root, last)) {
		atomic_store_relaxed(&p->root, NULL);
		epoch_defer(&root->free_node, index_node_free);
	}
	return true;
}
