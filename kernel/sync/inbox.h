/*
 * A many-producer, one-consumer inbox. push is one CAS loop; take_all one exchange, handing the whole batch to the consumer in
 * the order of pushing. No node is ever popped alone, so there is no ABA.
 */
#ifndef KERNEL_SYNC_INBOX_H
#define KERNEL_SYNC_INBOX_H

#include "lib/types.h"

struct inbox_node {
	struct inbox_node *next;
};

struct inbox {
	struct inbox_node *head; /* [a] newest first */
};

/* Publishes a chain first..last (linked by next, oldest first). Full fence before publication. True if the inbox was empty. */
bool inbox_push_chain(struct inbox *in, struct inbox_node *first, struct inbox_node *last);
static inline bool inbox_push(struct inbox *in, struct inbox_node *node)
{
	return inbox_push_chain(in, node, node);
}
/* Takes all, oldest first; NULL if empty. Consumer only. */
struct inbox_node *inbox_take_all(struct inbox *in);
static inline bool inbox_empty(const struct inbox *in)
{
	return __atomic_load_n(&in->head, __ATOMIC_RELAXED) == NULL;
}

#endif
