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

/* `node->key` is set by the caller. */
void heap_insert(struct heap *h, struct heap_node *node);
/* `node` must be in the heap. */
void heap_remove(struct heap *h, struct heap_node *node);
/* The smallest, removed; NULL when empty. */
struct heap_node *heap_pop(struct heap *h);

#endif
