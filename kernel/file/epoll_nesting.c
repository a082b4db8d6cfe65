/*
 * Sets in sets: how deep they nest, without cycles, and the order of their locks that follows from it.
 */
#include "kernel/file/epoll_internal.h"
#include "kernel/sync/atomic.h"

#define EPOLL_MAX_NESTING 5U

/* By depth: a set that watches no other, one that watches such, and so on. */
LOCK_CLASS(epoll_ready0, RANK_EPOLL);
LOCK_CLASS(epoll_ready1, RANK_EPOLL + 1);
LOCK_CLASS(epoll_ready2, RANK_EPOLL + 2);
LOCK_CLASS(epoll_ready3, RANK_EPOLL + 3);
LOCK_CLASS(epoll_ready4, RANK_EPOLL + 4);
LOCK_CLASS(epoll_nesting, RANK_EPOLL_NESTING);

static struct lock_class *const ready_classes[EPOLL_MAX_NESTING] = {
	&epoll_ready0_class, &epoll_ready1_class, &epoll_ready2_class,
	&epoll_ready3_class, &epoll_ready4_class,
};

struct mutex epoll_nesting = MUTEX_INIT(epoll_nesting, epoll_nesting_class);

void epoll_nesting_init(struct epoll *ep)
{
	spin_init(&ep->waiters.lock, ready_classes[0]);
	list_init(&ep->inner);
}

/*
 * Sets in the longest chain down from `ep`, itself counted; too many if `seek` is among them or
 * `limit` is passed. Context: epoll_nesting held.
 */
static u32 depth_below(struct epoll *ep, const struct epoll *seek, u32 limit)
{
	struct epoll_item *item;
	u32 deepest = 0;

	if (ep == seek || limit == 0)
		return EPOLL_MAX_NESTING + 1;
	list_for_each(item, &ep->inner, inner)
		deepest = MAX(deepest, depth_below(epoll_of(item->file), seek, limit - 1));
	return deepest + 1;
}

/*
 * Sets in the longest chain up from `ep`, itself counted. Context: epoll_nesting held, which keeps the
 * list.
 */
static u32 height_above(struct epoll *ep)
{
	u32 highest = 0;

	for (struct epoll_item *item = ep->file->watches; item; item = item->sibling)
		highest = MAX(highest, height_above(item->ep));
	return highest + 1;
}

/*
 * The ranks of the locks of `ep` and of those that watch it follow their depth, so that a callback
 * that goes from set to set takes them in order; in the middle of a change they are in order, too.
 * Context: epoll_nesting held.
 */
void epoll_update_ranks(struct epoll *ep)
{
	struct lock_class *class = ready_classes[depth_below(ep, NULL, EPOLL_MAX_NESTING) - 1];
	bool rises = class->rank > ep->waiters.lock.class->rank;

	if (!rises)
		atomic_store_relaxed(&ep->waiters.lock.class, class);
	for (struct epoll_item *item = ep->file->watches; item; item = item->sibling)
		epoll_update_ranks(item->ep);
	if (rises)
		atomic_store_relaxed(&ep->waiters.lock.class, class);
}

bool epoll_nests_too_deep(struct epoll *outer, struct epoll *inner)
{
	u32 below = depth_below(inner, outer, EPOLL_MAX_NESTING);

	return below > EPOLL_MAX_NESTING || height_above(outer) + below > EPOLL_MAX_NESTING;
}
