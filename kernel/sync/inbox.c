/*
 * The inbox is a stack of nodes, newest first, that the consumer takes whole and turns round. See
 * inbox.h.
 */
#include "kernel/sync/inbox.h"

#include "kernel/sync/atomic.h"

/* Turns the list first..NULL round; returns the new first node. */
static struct inbox_node *inbox_reverse(struct inbox_node *first)
{
	struct inbox_node *reversed = NULL;

	while (first) {
		struct inbox_node *next = first->next;

		first->next = reversed;
		reversed = first;
		first = next;
	}
	return reversed;
}

bool inbox_push_chain(struct inbox *in, struct inbox_node *first, struct inbox_node *last)
{
	struct inbox_node *head;

	last->next = NULL;
	/* `last` is the newest: it becomes the head, and `first` carries what was there before. */
	inbox_reverse(first);
	do {
		head = atomic_load_relaxed(&in->head);
		first->next = head;
	} while (!atomic_cas(&in->head, head, last)); /* (I): pairs with (J) in inbox_take_all() */
	return head == NULL;
}

struct inbox_node *inbox_take_all(struct inbox *in)
{
	if (inbox_empty(in))
		return NULL;
	return inbox_reverse(atomic_xchg(&in->head, NULL)); /* (J): pairs with (I) in inbox_push_chain() */
}
