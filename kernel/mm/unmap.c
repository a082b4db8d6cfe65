/*
 * Taking mappings away. munmap() takes them out of the list under mm->lock, but clears their entries, flushes and drops the frames
 * after it has unlocked: on a busy host a flush may wait for a hart for milliseconds, and threads of one program that map and
 * unmap ranges of their own should not wait with it. Meanwhile the range stands in mm->leaving:
 *   - nobody places a mapping there: vma_find_gap() and vma_range_free() take it for occupied
 *   - who wants just this range (MAP_FIXED, mremap, brk, another munmap) waits in leaving_wait()
 *   - its page tables stay
 * A fault there finds no mapping, as after the call. Invariant: the vmas of a range in mm->leaving are detached, not yet retired.
 *
 *	munmap				mmap(MAP_FIXED) of the same range, did it not wait
 *	out of the list, unlock
 *					add a mapping; a fault fills an entry
 *	clear the entries		the new page is lost
 *
 * Cost: two turns of the lock of mm->leaving (leaving.c).
 */
#include "abi/errno.h"
#include "kernel/mm/space.h"

/*
 * Takes all mappings out of [start, end) of the list; *gone gets them, chained by free_node. What went before an error is
 * gone all the same. mm->lock held.
 */
static int unmap_detach(struct mm *mm, u64 start, u64 end, struct epoch_node **gone)
{
	struct vma *vma = vma_find_above(mm, start);
	int ret = 0;

	*gone = NULL;
	while (vma && vma->start < end) {
		u64 to = MIN(vma->end, end);

		ret = vma_carve(vma, start, end, NULL);
		if (ret)
			break;
		vma->free_node.next = *gone;
		*gone = &vma->free_node;
		vma = vma_find_above(mm, to);
	}
	if (*gone)
		vma_gap_freed(mm, end);
	return ret;
}

static void unmap_zap(struct mm *mm, struct epoch_node *gone, u64 start, u64 end,
		      void (*retire)(struct vma *vma))
{
	while (gone) {
		struct vma *vma = container_of(gone, struct vma, free_node);

		gone = gone->next;
		zap_range(mm, MAX(vma->start, start), MIN(vma->end, end));
		retire(vma);
	}
}

/* Tables that only served this range may go. mm->lock held. */
static void unmap_free_tables(struct mm *mm, u64 start, u64 end)
{
	struct vma *below = vma_find_below(mm, start), *above = vma_find_above(mm, end);
	u64 free_start = ALIGN_UP(below ? below->end : 0, PGTABLE_SPAN(1));
	u64 free_end = above ? ALIGN_DOWN(above->start, PGTABLE_SPAN(1)) : USER_TOP;

	free_start = MAX(free_start, ALIGN_DOWN(start, PGTABLE_SPAN(1)));
	free_end = MIN(free_end, ALIGN_UP(end, PGTABLE_SPAN(1)));
	if (!leaving_overlap(mm, free_start, free_end))
		pgtable_free_range(mm, free_start, free_end);
}

static bool unmap_tables_matter(struct mm *mm, u64 start, u64 end)
{
	/* A block of 2 MiB had fitted in: it may have one again if the table goes. */
	return end - start >= 2 * PGTABLE_SPAN(1) || pgtable_many(mm);
}

int space_unmap(struct mm *mm, u64 start, u64 end)
{
	struct epoch_node *gone;
	int ret;

	leaving_wait(mm, start, end);
	ret = unmap_detach(mm, start, end, &gone);
	if (!gone)
		return ret;
	unmap_zap(mm, gone, start, end, vma_retire);
	if (unmap_tables_matter(mm, start, end))
		unmap_free_tables(mm, start, end);
	return ret;
}

int mm_unmap(struct mm *mm, u64 addr, u64 len)
{
	struct leaving_range range = {.start = addr, .end = addr + len};
	struct epoch_node *gone;
	int ret;

	if (!len || !space_range_valid(addr, len))
		return -EINVAL;
	space_lock(mm);
	leaving_wait(mm, addr, addr + len);
	ret = unmap_detach(mm, addr, addr + len, &gone);
	if (gone)
		leaving_begin(mm, &range);
	space_unlock(mm);
	if (!gone)
		return ret;
	unmap_zap(mm, gone, addr, addr + len, vma_retire_unlocked);
	leaving_end(mm, &range);
	if (unmap_tables_matter(mm, addr, addr + len)) {
		space_lock(mm);
		/* Whatever is there now. */
		unmap_free_tables(mm, addr, addr + len);
		space_unlock(mm);
	}
	return ret;
}

/* Is `vma` part of an object that was mapped from its start to `addr`? */
static bool vma_begins_at(const struct vma *vma, u64 addr, const struct vm_backing_ops *ops)
{
	return vma->backing && vma->backing->ops == ops && vma->start - addr == vma->offset;
}

int mm_unmap_backed(struct mm *mm, u64 addr, const struct vm_backing_ops *ops)
{
	struct vm_object *object = NULL;
	struct vma *vma;
	int ret = 0;
	u64 end = 0;

	if (!space_range_valid(addr, 0))
		return -EINVAL;
	space_lock(mm);
	for (vma = vma_find_above(mm, addr); vma && !ret; vma = vma_find_above(mm, end)) {
		end = vma->end;
		if (!object && vma->start >= addr && vma_begins_at(vma, addr, ops))
			object = vma->object;
		if (object && end - addr > ALIGN_UP(object->size, PAGE_SIZE))
			break;
		if (object && vma->object == object && vma_begins_at(vma, addr, ops))
			ret = space_unmap(mm, vma->start, end);
	}
	space_unlock(mm);
	return object ? ret : -EINVAL;
}
