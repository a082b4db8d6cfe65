#include "lib/skiplist.h"

/* Pairs with skip_publish(): the node's key and pointers are seen whole. */
static struct skiplist_node *skip_load(struct skiplist_node *const *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void skip_publish(struct skiplist_node **p, struct skiplist_node *node)
{
	__atomic_store_n(p, node, __ATOMIC_RELEASE);
}

void skiplist_init(struct skiplist *list)
{
	*list = (struct skiplist){.head.height = SKIPLIST_LEVELS, .random = 0x9e3779b97f4a7c15};
}

/* A node reaches each further level with probability one quarter. */
static u32 skip_height(struct skiplist *list)
{
	u32 height = 1;
	u64 r = list->random;

	r ^= r << 13;
	r ^= r >> 7;
	r ^= r << 17;
	list->random = r;
	while (height < SKIPLIST_LEVELS && (r & 3) == 0) {
		height++;
		r >>= 2;
	}
	return height;
}

/* The last node with a key below `key`, at every level. */
static void skip_find(struct skiplist *list, u64 key, struct skiplist_node **before)
{
	struct skiplist_node *node = &list->head;

	for (u32 level = SKIPLIST_LEVELS; level-- > 0;) {
		while (node->next[level] && node->next[level]->key < key)
			node = node->next[level];
		before[level] = node;
	}
}

void skiplist_insert(struct skiplist *list, struct skiplist_node *node)
{
	struct skiplist_node *before[SKIPLIST_LEVELS];

	skip_find(list, node->key, before);
	node->height = skip_height(list);
	for (u32 level = 0; level < node->height; level++)
		node->next[level] = before[level]->next[level];
	/* Bottom first: a reader that sees the node on a level finds it below as well. */
	for (u32 level = 0; level < node->height; level++)
		skip_publish(&before[level]->next[level], node);
}

void skiplist_remove(struct skiplist *list, struct skiplist_node *node)
{
	struct skiplist_node *before[SKIPLIST_LEVELS];

	skip_find(list, node->key, before);
	for (u32 level = node->height; level-- > 0;)
		skip_publish(&before[level]->next[level], node->next[level]);
}

/* The last node with a key not above `key`, or the head. */
static const struct skiplist_node *skip_seek(const struct skiplist *list, u64 key)
{
	const struct skiplist_node *node = &list->head;

	for (u32 level = SKIPLIST_LEVELS; level-- > 0;) {
		const struct skiplist_node *next = skip_load(&node->next[level]);

		while (next && next->key <= key) {
			node = next;
			next = skip_load(&node->next[level]);
		}
	}
	return node;
}

struct skiplist_node *skiplist_floor(const struct skiplist *list, u64 key)
{
	const struct skiplist_node *node = skip_seek(list, key);

	return node == &list->head ? NULL : (struct skiplist_node *)node;
}

struct skiplist_node *skiplist_first(const struct skiplist *list)
{
	return skip_load(&list->head.next[0]);
}

struct skiplist_node *skiplist_next(const struct skiplist_node *node)
{
	return skip_load(&node->next[0]);
}

struct skiplist_node *skiplist_above(const struct skiplist *list, u64 key)
{
	return skip_load(&skip_seek(list, key)->next[0]);
}
