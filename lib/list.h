/*
 * Intrusive doubly linked list with a sentinel head. Not thread-safe: the owner's lock covers it.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/types.h"

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_INIT(name)                                                                            \
	{                                                                                          \
		&(name), &(name)                                                                   \
	}

static inline void list_init(struct list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_insert_between(struct list *node, struct list *prev, struct list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

static inline void list_add(struct list *head, struct list *node)
{
	list_insert_between(node, head, head->next);
}

static inline void list_add_tail(struct list *head, struct list *node)
{
	list_insert_between(node, head->prev, head);
}

/* Unlink `node` and leave it a valid empty list, so that a second removal does no harm. */
static inline void list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Move every node of `from` to the tail of `to`; `from` is empty afterwards. */
static inline void list_splice_tail(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)
#define list_first(head, type, member) container_of((head)->next, type, member)

#define list_for_each(pos, head, member)                                                           \
	for (pos = container_of((head)->next, typeof(*pos), member); &pos->member != (head);       \
	     pos = container_of(pos->member.next, typeof(*pos), member))

/* As list_for_each; `pos` may be unlinked in the body. */
#define list_for_each_safe(pos, tmp, head, member)                                                 \
	for (pos = container_of((head)->next, typeof(*pos), member),                               \
	    tmp = container_of(pos->member.next, typeof(*pos), member);                            \
	     &pos->member != (head);                                                               \
	     pos = tmp, tmp = container_of(tmp->member.next, typeof(*tmp), member))

#endif
