/*
 * Sets of objects that carry a 32-bit key: found without a lock under the epoch, changed by one
 * writer at a time. Concurrency Kit's hash set, its tables freed after a grace period.
 *
 * Invariant: a key is in the set once at most and does not change while its node can be found. A
 * node's memory stays for a grace period after keyset_remove(). A miss is final: if a key was in
 * the set for the whole of a search, the search finds it (ck_hs_get() looks again when an entry was
 * moved meanwhile, and a growing table is complete before it is published).
 */
#ifndef KERNEL_SYNC_KEYSET_H
#define KERNEL_SYNC_KEYSET_H

#include "lib/types.h"

struct keyset;

/* Embedded in what the set holds. */
struct keyset_node {
	u32 key; /* [I] */
};

/* Memory comes from a layer above, which fills this before the first set is made. */
struct keyset_ops {
	void *(*alloc)(size_t size); /* NULL: out of memory */
	void (*free)(void *p);
};
extern struct keyset_ops keyset_ops;

struct keyset *keyset_create(void); /* NULL: out of memory */

/* The node with `key`, or NULL. Context: under the epoch, or the writers' lock. */
struct keyset_node *keyset_find(struct keyset *set, u32 key);

/*
 * Context of both: the writers' lock. Insert: false if out of memory; the key is not in the set.
 * What was written to the node's object before is seen by whoever finds it.
 */
bool keyset_insert(struct keyset *set, struct keyset_node *node);
void keyset_remove(struct keyset *set, struct keyset_node *node);

#endif
