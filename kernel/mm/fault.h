/*
 * A page fault on its way: what fault.c, which finds the mapping, shares with fault_fill.c, which fills entries that are
 * empty, and fault_present.c, which changes those that are not.
 *
 * Whoever gets a struct fault is under the epoch or mm->lock, so the mapping stays. The answers of those that resolve: 0, FAULT_RETRY,
 * -ENOMEM, or -ENOSPC (no room for a page of the file).
 */
#ifndef KERNEL_MM_FAULT_H
#define KERNEL_MM_FAULT_H

#include "kernel/mm/space.h"

#define FAULT_AHEAD_MAX 64U

#define FAULT_RETRY 1 /* the mapping changed under us: look again under mm->lock */

struct fault {
	struct mm *mm;
	struct vma *vma;
	u64 addr;    /* page-aligned */
	u64 punches; /* of the object, before its pages were looked for */
	enum mm_access access;
	bool force; /* whatever the mapping's rights are: an entry without them */
	u32 ahead; /* pages from here on that are wanted though nobody touches them now; 0: there is an access */
};

static inline u64 *fault_entry(u64 *table, u64 addr)
{
	return &table[pgtable_index(addr, 0)];
}

/* The bit of an entry that allows the access. */
static inline u64 fault_need(enum mm_access access)
{
	return access == MM_READ ? PTE_R : access == MM_WRITE ? PTE_W : PTE_X;
}

static inline bool fault_satisfied(u64 pte, enum mm_access access)
{
	return (pte & PTE_V) && (pte & fault_need(access));
}

static inline u64 fault_object_index(const struct vma *vma, u64 addr)
{
	return (vma->offset + (addr - vma->start)) >> PAGE_SHIFT;
}

/*
 * Is `index` within the object's size? Called again under the leaf lock, where it pairs with (S) in
 * vm_object_resize().
 */
static inline bool fault_in_object(const struct vma *vma, u64 index)
{
	return index << PAGE_SHIFT < atomic_load_relaxed(&vma->object->size);
}

/*
 * As mm_fault() for mm_access_forced(): the page is there afterwards, and for a write it is private and has no other holder, but the
 * entry gives no more than the mapping's rights.
 */
int fault_forced(struct mm *mm, u64 addr, enum mm_access access);

/* ---- fault_fill.c ---- */
/*
 * Under the leaf lock: may an entry be installed? The lock pairs with (D) in vma_detach(), (S) in
 * vm_object_resize() and (P) in vm_object_punch(): they store, fence, then take this lock to zap; so
 * we see the store here or they see our entry.
 */
bool fault_may_install(const struct fault *f, u64 addr);
/*
 * How many pages to fill from f->addr on: inside the mapping, its leaf table and what the run
 * before it promises.
 */
u32 fault_ahead(const struct fault *f, const u64 *table);
/*
 * Puts `count` fresh pages at f->addr and after, where the entry is `old`: 0 or busy. What is left over is freed.
 */
int fault_install_fresh(struct fault *f, u64 *table, void **pages, u32 count, u64 old);
/* The entry of f->addr was empty. */
int fault_fill(struct fault *f, u64 *table);

/* ---- fault_present.c ---- */
/*
 * There is an entry, but it lacks the right: the mapping's rights, or a copy where a private page
 * has other holders.
 */
int fault_present(struct fault *f, u64 *table);

#endif
