/*
 * Locked memory (mlock): counted per space against RLIMIT_MEMLOCK. No page is ever taken from a
 * program here, so locking only means to count and, in the caller, to populate.
 */
#include "abi/errno.h"
#include "kernel/mm/space.h"

void mm_set_lock_limit(struct mm *mm, u64 pages)
{
	atomic_store_relaxed(&mm->lock_limit, pages);
}

u64 mm_locked_pages(struct mm *mm)
{
	return atomic_load_relaxed(&mm->locked_pages);
}

bool mm_locks_future(struct mm *mm)
{
	return atomic_load_relaxed(&mm->future_flags) & VMA_LOCKED;
}

/* Pages of [start, end) that are locked already: they count once. */
static u64 lock_pages_in(struct mm *mm, u64 start, u64 end)
{
	struct vma *vma = vma_find_above(mm, start);
	u64 pages = 0;

	for (; vma && vma->start < end; vma = vma_next(vma)) {
		if (vma->flags & VMA_LOCKED)
			pages += (MIN(vma->end, end) - MAX(vma->start, start)) >> PAGE_SHIFT;
	}
	return pages;
}

static int lock_range(struct mm *mm, u64 start, u64 end)
{
	u64 more = (end - start) >> PAGE_SHIFT;

	if (mm->locked_pages + more > atomic_load_relaxed(&mm->lock_limit))
		more -= lock_pages_in(mm, start, end);
	if (mm->locked_pages + more > atomic_load_relaxed(&mm->lock_limit))
		return -ENOMEM;
	return vma_change_flags(mm, start, end, VMA_LOCKED, 0);
}

int mm_lock(struct mm *mm, u64 addr, u64 len, bool lock)
{
	int ret;

	space_lock(mm);
	ret = lock ? lock_range(mm, addr, addr + len)
		   : vma_change_flags(mm, addr, addr + len, 0, VMA_LOCKED);
	space_unlock(mm);
	return ret;
}

int mm_lock_all(struct mm *mm, bool current, bool future)
{
	int ret = 0;

	space_lock(mm);
	if (current && mm->virtual_pages > atomic_load_relaxed(&mm->lock_limit)) {
		ret = -ENOMEM;
	} else {
		atomic_store_relaxed(&mm->future_flags, future ? VMA_LOCKED : 0U);
		/* The holes between mappings are no error here. */
		if (current)
			vma_change_flags(mm, 0, USER_TOP, VMA_LOCKED, 0);
		else if (!future)
			vma_change_flags(mm, 0, USER_TOP, 0, VMA_LOCKED);
	}
	space_unlock(mm);
	return ret;
}
