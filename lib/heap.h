/*
 * Intrusive pairing heap: the smallest key first, ties in order of insertion. Insert and first O(1), pop and remove O(log n)
 * amortised. Not thread-safe: the owner's lock covers it.
 * Source: Fredman, Sedgewick, Sleator, Tarjan: "The pairing heap", Algorithmica 1 (1986).
 */
#ifndef LIB_HEAP_H
#define LIB_HEAP_H

#include "lib/types.h"

struct heap_node {
	struct heap_node *child;
	struct heap_node *next; /* sibling */
	struct heap_node *prev; /* left sibling, or the parent of a first child; itself NULL at the root */
	u64 key;
	u64 order; /* tie-breaker */
};

struct heap {
	struct heap_node *root;
	u64 inserted;
};

static inline struct heap_node *heap_first(const struct heap *h)
{
	return h->root;
}

/* The general cases; the ones below settle a heap of one node without a call. */
void heap_meld_root(struct heap *h, struct heap_node *node);
void heap_remove_slow(struct heap *h, struct heap_node *node);

/* `node->key` is set by the caller. */
static inline void heap_insert(struct heap *h, struct heap_node *node)
{
	node->child = NULL;
	node->next = NULL;
	node->prev = NULL;
	node->order = h->inserted++;
	if (!h->root)
		h->root = node;
	else
		heap_meld_root(h, node);
}

/* `node` must be in the heap. */
static inline void heap_remove(struct heap *h, struct heap_node *node)
{
	if (h->root == node && !node->child)
		h->root = NULL;
	else
		heap_remove_slow(h, node);
}

/* The smallest, removed; NULL when empty. */
static inline struct heap_node *heap_pop(struct heap *h)
{
	struct heap_node *top = h->root;

	if (top)
		heap_remove(h, top);
	return top;
}

#endif
