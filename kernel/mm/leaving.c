/*
 * The ranges of a space that munmap() has taken out of the list of mappings and is still clearing (unmap.c): nothing may be placed there. The
 * list has a lock of its own, so that who waits for a range may hold mm->lock; then he is the only one.
 */
#include "kernel/mm/space.h"
#include "kernel/sync/park.h"
#include "kernel/sync/spinlock.h"

LOCK_CLASS(mm_leaving, RANK_LEAVING);

void leaving_init_mm(struct mm *mm)
{
	spin_init(&mm->leaving_lock, &mm_leaving_class);
	list_init(&mm->leaving);
}

/* leaving_lock held. */
static struct leaving_range *leaving_find(struct mm *mm, u64 start, u64 end)
{
	struct leaving_range *range;

	list_for_each(range, &mm->leaving, link) {
		if (range->start < end && start < range->end)
			return range;
	}
	return NULL;
}

u64 leaving_overlap(struct mm *mm, u64 start, u64 end)
{
	struct leaving_range *range;
	u64 at;

	/* With mm->lock held none appears. The acquire pairs with the release in leaving_end(): their entries are clear. */
	if (likely(!atomic_load_acquire(&mm->nr_leaving)))
		return 0;
	spin_lock(&mm->leaving_lock);
	range = leaving_find(mm, start, end);
	at = range ? range->start : 0;
	spin_unlock(&mm->leaving_lock);
	return at;
}

/* Until no other is at the same range. mm->lock held. */
void leaving_wait(struct mm *mm, u64 start, u64 end)
{
	bool leaving = leaving_overlap(mm, start, end);

	while (leaving) {
		spin_lock(&mm->leaving_lock);
		leaving = leaving_find(mm, start, end);
		mm->leaving_waiter = leaving ? thread_current() : NULL;
		spin_unlock(&mm->leaving_lock);
		if (leaving)
			park(PARK_FOREVER, 0);
	}
}

/* mm->lock held. */
void leaving_begin(struct mm *mm, struct leaving_range *range)
{
	spin_lock(&mm->leaving_lock);
	list_add_tail(&mm->leaving, &range->link);
	atomic_store_relaxed(&mm->nr_leaving, mm->nr_leaving + 1);
	spin_unlock(&mm->leaving_lock);
}

void leaving_end(struct mm *mm, struct leaving_range *range)
{
	spin_lock(&mm->leaving_lock);
	list_del(&range->link);
	atomic_store_release(&mm->nr_leaving, mm->nr_leaving - 1);
	if (mm->leaving_waiter)
		unpark(mm->leaving_waiter);
	spin_unlock(&mm->leaving_lock);
}
