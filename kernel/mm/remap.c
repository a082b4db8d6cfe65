/*
 * mremap: mappings that grow, shrink and move. Pages are not copied: their entries move.
 *
 * While entries move, both mappings are frozen, that is, marked detached though still in the list:
 * a fault then waits for mm->lock (space.h), so it neither fills the old place behind our back nor
 * the new one before us. Entries move under the locks of both leaf tables, and only those within
 * the object's size: a truncation either finds the entry in the new mapping, which is in the
 * object's list by then, or has lowered the size that we test. One flush at the end: until then
 * other harts may reach the frame at its old address, which is no harm, as it is still the same
 * frame.
 */
#include "abi/errno.h"
#include "abi/mman.h"
#include "kernel/mm/space.h"
#include "kernel/sync/hart.h"

struct remap {
	struct mm *mm;
	struct vma *vma; /* that is to change */
	u64 old, old_len;
	u64 new_len;
	u64 new; /* where to, or a hint */
	u32 flags;
};

static void remap_freeze(struct vma *vma)
{
	atomic_store_relaxed(&vma->detached, 1U);
	fence_full(); /* As (D) in vma_detach(). */
}

static void remap_thaw(struct vma *vma)
{
	atomic_store_release(&vma->detached, 0U);
}

/* How far one leaf table goes at both addresses. */
static u64 remap_chunk(const struct remap *r, u64 old, u64 end)
{
	u64 new = old + (r->new - r->old);
	u64 here = PGTABLE_SPAN(1) - old % PGTABLE_SPAN(1);
	u64 there = PGTABLE_SPAN(1) - new % PGTABLE_SPAN(1);

	return MIN(MIN(here, there), end - old);
}

static bool remap_in_object(const struct vma *vma, u64 addr)
{
	return !vma->object ||
	       vma->offset + (addr - vma->start) < atomic_load_relaxed(&vma->object->size);
}

/* A page that a fault is replacing moves without rights: the fault finds it gone. */
static void remap_entries(const struct vma *to, u64 *from_table, u64 *to_table, u64 old, u64 new,
			  u64 len)
{
	struct spinlock *from_lock = &page_of(from_table)->table_lock;
	struct spinlock *to_lock = &page_of(to_table)->table_lock;

	spin_lock_pair(from_lock, to_lock); /* maybe one and the same */
	for (u64 at = 0; at < len; at += PAGE_SIZE) {
		u64 *entry = &from_table[pgtable_index(old + at, 0)], pte = *entry;

		if (!pte || !remap_in_object(to, new + at))
			continue;
		atomic_store_relaxed(entry, 0UL);
		atomic_store_relaxed(&to_table[pgtable_index(new + at, 0)],
				     pte & PTE_BUSY ? pte & PTE_PPN_MASK : pte_touched(pte));
	}
	spin_unlock_pair(from_lock, to_lock);
}

/* Makes the tables that the entries will need. The old mapping is frozen: no more can appear. */
static int remap_make_tables(const struct remap *r)
{
	u64 at = r->old, end = r->old + r->old_len;

	while (pgtable_next_leaf(r->mm, &at, end)) {
		if (!pgtable_leaf(r->mm, at + (r->new - r->old), true))
			return -ENOMEM;
		at += remap_chunk(r, at, end);
	}
	return 0;
}

static void remap_move_entries(const struct remap *r, const struct vma *to)
{
	u64 at = r->old, end = r->old + r->old_len;
	u64 *from;

	while ((from = pgtable_next_leaf(r->mm, &at, end))) {
		u64 new = at + (r->new - r->old);
		u64 len = remap_chunk(r, at, end);
		u64 *table = pgtable_leaf(r->mm, new, false);

		/* A table without entries may appear late: a fault that then finds itself shut out. */
		if (table)
			remap_entries(to, from, table, at, new, len);
		at += len;
		hart_relax();
	}
	tlb_flush_mm(r->mm, false);
}

static struct vma *remap_alloc(const struct remap *r)
{
	struct vma like = *r->vma, *to;

	like.offset += r->old - r->vma->start;
	like.start = r->new;
	if (!like.object)
		like.name = NULL; /* no longer the heap or the stack */
	to = vma_alloc(r->mm, &like, r->new, r->new + r->new_len);
	if (to)
		to->detached = 1;
	return to;
}

/* To r->new, where nothing is mapped. */
static long remap_move(struct remap *r)
{
	bool keep = r->flags & MREMAP_DONTUNMAP || !r->old_len;
	struct vma *to = remap_alloc(r);
	int ret;

	if (!to)
		return -ENOMEM;
	remap_freeze(r->vma);
	ret = remap_make_tables(r);
	if (!ret && !keep)
		ret = vma_carve(r->vma, r->old, r->old + r->old_len, NULL);
	if (ret) {
		remap_thaw(r->vma);
		vma_discard(to);
		return ret;
	}
	vma_publish(to);
	remap_move_entries(r, to);
	remap_thaw(to);
	if (keep) {
		remap_thaw(r->vma);
	} else {
		zap_range(r->mm, r->old, r->old + r->old_len);
		vma_retire(r->vma);
		vma_gap_freed(r->mm, r->old + r->old_len);
	}
	vma_merge(r->mm, r->new, r->new + r->new_len);
	return (long)r->new;
}

/* The mapping may be of another size: looked up again, as space may have been made around it. */
static int remap_check(struct remap *r)
{
	u64 more = r->new_len > r->old_len ? r->new_len - r->old_len : 0;
	u64 offset;

	r->vma = vma_find(r->mm, r->old);
	if (!r->vma)
		return -EFAULT;
	if (!r->old_len && !(r->vma->flags & VMA_SHARED))
		return -EINVAL;
	if (r->old_len > r->vma->end - r->old)
		return -EFAULT;
	offset = r->vma->offset + (r->old - r->vma->start);
	if (more && offset + r->new_len < offset)
		return -EINVAL;
	if (r->flags & MREMAP_DONTUNMAP)
		more = r->new_len;
	return more ? space_may_grow(r->mm, more >> PAGE_SHIFT, r->vma) : 0;
}

/* MREMAP_FIXED or MREMAP_DONTUNMAP: it moves in any case. */
static long remap_to(struct remap *r)
{
	bool fixed = r->flags & MREMAP_FIXED;
	long ret;

	if (!space_range_valid(r->new, r->new_len))
		return -EINVAL;
	if (r->new < r->old + r->old_len && r->old < r->new + r->new_len)
		return -EINVAL;
	ret = fixed ? space_unmap(r->mm, r->new, r->new + r->new_len) : 0;
	if (!ret && r->old_len > r->new_len) {
		ret = space_unmap(r->mm, r->old + r->new_len, r->old + r->old_len);
		r->old_len = r->new_len;
	}
	if (!ret)
		ret = remap_check(r);
	if (ret)
		return ret;
	ret = space_place(r->mm, r->new, r->new_len, fixed ? MAP_FIXED : 0);
	if (ret < 0)
		return ret;
	r->new = (u64)ret;
	return remap_move(r);
}

/* The space behind is a mapping of its own at first, then joined. */
static long remap_extend(struct remap *r)
{
	u64 end = r->old + r->new_len;
	struct vma *more = vma_alloc(r->mm, r->vma, r->vma->end, end);

	if (!more)
		return -ENOMEM;
	vma_publish(more);
	vma_merge(r->mm, r->old, end);
	return (long)r->old;
}

static long remap_grow(struct remap *r)
{
	long ret = remap_check(r);
	u64 end;

	if (ret)
		return ret;
	end = r->vma->end;
	if (r->old_len == end - r->old && r->new_len <= USER_TOP - r->old &&
	    vma_range_free(r->mm, end, r->old + r->new_len))
		return remap_extend(r);
	if (!(r->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	ret = space_place(r->mm, 0, r->new_len, 0);
	if (ret < 0)
		return ret;
	r->new = (u64)ret;
	return remap_move(r);
}

static long remap_locked(struct remap *r)
{
	if (!vma_find(r->mm, r->old))
		return -EFAULT;
	if (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return remap_to(r);
	if (r->old_len == r->new_len)
		return (long)r->old;
	if (r->old_len < r->new_len)
		return r->new_len > USER_TOP ? -ENOMEM : remap_grow(r);
	if (!space_range_valid(r->old, r->old_len))
		return -EINVAL;
	return space_unmap(r->mm, r->old + r->new_len, r->old + r->old_len) ?: (long)r->old;
}

long mm_remap(struct mm *mm, u64 addr, u64 old_len, u64 new_len, u32 flags, u64 new_addr)
{
	struct remap r = {.mm = mm, .old = addr, .new = new_addr, .flags = flags};
	long ret;

	if (flags & ~(u32)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if (flags & MREMAP_DONTUNMAP && old_len != new_len)
		return -EINVAL;
	r.old_len = ALIGN_UP(old_len, PAGE_SIZE);
	r.new_len = ALIGN_UP(new_len, PAGE_SIZE);
	if (!IS_ALIGNED(addr, PAGE_SIZE) || !r.new_len)
		return -EINVAL;
	space_lock(mm);
	ret = remap_locked(&r);
	space_unlock(mm);
	return ret;
}
