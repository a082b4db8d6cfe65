/*
 * Skip list ordered by a 64-bit key: one writer at a time (the caller's lock), any number of
 * readers without a lock.
 *
 * A reader follows `next` pointers with acquire loads and may run beside an insertion or a removal:
 * it then sees the list before or after it. A removed node keeps its pointers, so a reader standing
 * on it walks on; its memory may be reused only when no reader is left (the caller's epoch). Keys
 * are unique and fixed while a node is in a list.
 */
#ifndef LIB_SKIPLIST_H
#define LIB_SKIPLIST_H

#include "lib/types.h"

#define SKIPLIST_LEVELS 10 /* 4^10 nodes at full speed */

struct skiplist_node {
	u64 key;
	struct skiplist_node *next[SKIPLIST_LEVELS]; /* those up to the node's height are in use */
	u32 height;
};

struct skiplist {
	struct skiplist_node head; /* its key is never looked at */
	u64 random;		   /* state of the heights' generator; writer */
};

void skiplist_init(struct skiplist *list);
/* Writer. The key must not be in the list yet. */
void skiplist_insert(struct skiplist *list, struct skiplist_node *node);
/* Writer. The node must be in the list. */
void skiplist_remove(struct skiplist *list, struct skiplist_node *node);
/* The node with the greatest key not above `key`, or NULL. */
struct skiplist_node *skiplist_floor(const struct skiplist *list, u64 key);
/* The first node, the one after `node`; NULL at the end. */
struct skiplist_node *skiplist_first(const struct skiplist *list);
struct skiplist_node *skiplist_next(const struct skiplist_node *node);
/* The node with the smallest key above `key`, or NULL. */
struct skiplist_node *skiplist_above(const struct skiplist *list, u64 key);

#endif
