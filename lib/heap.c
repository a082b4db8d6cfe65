#include "lib/heap.h"

static bool heap_before(const struct heap_node *a, const struct heap_node *b)
{
	return a->key < b->key || (a->key == b->key && a->order < b->order);
}

/* Joins two roots; the later one becomes the first child of the earlier one. */
static struct heap_node *heap_meld(struct heap_node *a, struct heap_node *b)
{
	if (!a)
		return b;
	if (!b)
		return a;
	if (heap_before(b, a)) {
		struct heap_node *tmp = a;

		a = b;
		b = tmp;
	}
	b->prev = a;
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	a->child = b;
	a->next = NULL;
	a->prev = NULL;
	return a;
}

/* Joins a list of siblings: pairs left to right, then the pairs right to left. */
static struct heap_node *heap_merge_siblings(struct heap_node *first)
{
	struct heap_node *pairs = NULL, *root = NULL;

	while (first) {
		struct heap_node *a = first, *b = a->next;

		first = b ? b->next : NULL;
		a->next = NULL;
		a->prev = NULL;
		if (b) {
			b->next = NULL;
			b->prev = NULL;
		}
		a = heap_meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct heap_node *next = pairs->next;

		pairs->next = NULL;
		root = heap_meld(root, pairs);
		pairs = next;
	}
	return root;
}

void heap_meld_root(struct heap *h, struct heap_node *node)
{
	h->root = heap_meld(h->root, node);
}

void heap_remove_slow(struct heap *h, struct heap_node *node)
{
	if (node == h->root) {
		h->root = heap_merge_siblings(node->child);
		return;
	}
	if (node->prev->child == node)
		node->prev->child = node->next;
	else
		node->prev->next = node->next;
	if (node->next)
		node->next->prev = node->prev;
	h->root = heap_meld(h->root, heap_merge_siblings(node->child));
}
