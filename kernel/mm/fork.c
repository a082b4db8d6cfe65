/*
 * Copying a space for fork: the mappings, and the entries of private memory, which both sides then
 * hold read-only; the first to write gets a copy (fault_present.c). Shared memory is left to the child's
 * faults.
 *
 * Other threads of the parent go on meanwhile. They may still write through stale translations
 * until the flush at the end; the child, which must not see later writes, does not run before that.
 * An entry is read, stripped of its right to write and copied under the locks of both leaf tables:
 * the child's too, because a truncation may come through the object's list of mappings as soon as
 * the child's mapping is published.
 */
#include "abi/errno.h"
#include "kernel/mm/space.h"
#include "kernel/sync/hart.h"

struct fork {
	struct mm *from, *to;
	bool stripped; /* some entry of the parent lost its right to write */
};

static bool fork_in_object(const struct vma *vma, u64 addr)
{
	u64 offset = vma->offset + (addr - vma->start);

	return !vma->object || offset < atomic_load_relaxed(&vma->object->size);
}

/*
 * One leaf table, from `addr` to `end` or to an entry that a fault is replacing; returns how far it
 * got.
 */
static u64 fork_table(struct fork *f, const struct vma *vma, u64 *from, u64 *to, u64 addr, u64 end)
{
	struct spinlock *from_lock = &page_of(from)->table_lock, *to_lock = &page_of(to)->table_lock;
	u64 copied = 0, objects = 0;

	spin_lock_pair(from_lock, to_lock);
	for (; addr < end && !(from[pgtable_index(addr, 0)] & PTE_BUSY); addr += PAGE_SIZE) {
		u64 *entry = &from[pgtable_index(addr, 0)];
		u64 old = *entry, pte = pte_touched(old & ~PTE_W);

		if (!pte || !fork_in_object(vma, addr))
			continue;
		if (old & PTE_W) {
			atomic_store_relaxed(entry, pte);
			f->stripped = true;
		}
		to[pgtable_index(addr, 0)] = pte;
		if (pte_is_zero(pte))
			continue;
		page_get(pa_to_va(pte_pa(pte)));
		objects += page_of(pa_to_va(pte_pa(pte)))->kind == PAGE_KIND_OBJECT;
		copied++;
	}
	spin_unlock_pair(from_lock, to_lock);
	atomic_fetch_add_relaxed(&f->to->resident_pages, copied);
	atomic_fetch_add_relaxed(&f->to->object_pages, objects);
	return addr;
}

static int fork_entries(struct fork *f, const struct vma *vma)
{
	u64 addr = vma->start;
	u64 *from;

	while ((from = pgtable_next_leaf(f->from, &addr, vma->end))) {
		u64 end = MIN(vma->end, ALIGN_DOWN(addr, PGTABLE_SPAN(1)) + PGTABLE_SPAN(1));
		u64 *to = pgtable_leaf(f->to, addr, true);

		if (!to)
			return -ENOMEM;
		addr = fork_table(f, vma, from, to, addr, end);
		hart_relax();
	}
	return 0;
}

static int fork_vma(struct fork *f, const struct vma *vma)
{
	struct vma *copy;

	if (vma->flags & VMA_DONTFORK)
		return 0;
	if (vma->flags & VMA_PROMISED && commit_may((vma->end - vma->start) >> PAGE_SHIFT))
		return -ENOMEM;
	copy = vma_alloc(f->to, vma, vma->start, vma->end);
	if (!copy)
		return -ENOMEM;
	copy->flags &= ~VMA_LOCKED; /* locks are not inherited */
	vma_publish(copy);
	return vma->flags & (VMA_SHARED | VMA_WIPEONFORK) ? 0 : fork_entries(f, vma);
}

static void fork_layout(struct mm *to, const struct mm *from)
{
	to->mmap_top = from->mmap_top;
	to->gap_top = from->gap_top;
	to->gap_known = from->gap_known;
	to->brk_start = from->brk_start;
	to->brk = from->brk;
	to->limit_pages = from->limit_pages;
	to->data_limit = from->data_limit;
	to->stack_bytes = from->stack_bytes;
}

struct mm *mm_fork(struct mm *mm)
{
	struct fork f = {.from = mm, .to = mm_create()};
	int ret = 0;

	if (!f.to)
		return NULL;
	space_lock(mm);
	fork_layout(f.to, mm);
	for (struct vma *vma = vma_find_above(mm, 0); vma && !ret; vma = vma_next(vma))
		ret = fork_vma(&f, vma);
	if (f.stripped)
		tlb_flush_mm(mm, false);
	space_unlock(mm);
	if (ret) {
		mm_put(f.to);
		return NULL;
	}
	return f.to;
}
