/*
 * Page faults. No lock is held but that of one leaf table, for the installation alone; pages are
 * allocated and filled before. The mapping is found under the epoch, which nothing between leaves:
 * no sleep, no relax (space.h has the argument). A fault that lost a race just returns: the access
 * faults again if need be.
 *
 * Anonymous memory is filled ahead when touched in sequence: 1, 4, 16, 64 pages, judged by the run
 * of pages present just before the address, so there is no state to keep. A fault on an object maps
 * the pages present around it.
 *
 * Replacing a private page by a copy while other threads run takes two steps: the entry is made
 * PTE_BUSY, and all harts flushed; then the copy goes in. Without the step between, one thread
 * could write the copy while another still read the old page.
 */
#include "abi/errno.h"
#include "arch/riscv64/csr.h"
#include "kernel/mm/space.h"
#include "kernel/sync/hart.h"
#include "kernel/trace/trace.h"

#define AHEAD_MAX  64U
#define AROUND_MAX 16U

#define FAULT_RETRY 1 /* the mapping changed under us: look again under mm->lock */

#define SEGV_MAPERR 1
#define SEGV_ACCERR 2

struct fault {
	struct mm *mm;
	struct vma *vma;
	u64 addr;    /* page-aligned */
	u64 punches; /* of the object, before its pages were looked for */
	enum mm_access access;
	u32 ahead; /* pages from here on that are wanted though nobody touches them now; 0: there is an access */
};

static u64 *fault_entry(u64 *table, u64 addr)
{
	return &table[pgtable_index(addr, 0)];
}

static bool fault_allowed(const struct vma *vma, enum mm_access access)
{
	switch (access) {
	case MM_READ:
		return vma->prot & (PROT_READ | PROT_WRITE);
	case MM_WRITE:
		return vma->prot & PROT_WRITE;
	case MM_EXEC:
		return vma->prot & PROT_EXEC;
	}
	return false;
}

/* The bit of an entry that allows the access. */
static u64 fault_need(enum mm_access access)
{
	return access == MM_READ ? PTE_R : access == MM_WRITE ? PTE_W : PTE_X;
}

static bool fault_satisfied(u64 pte, enum mm_access access)
{
	return (pte & PTE_V) && (pte & fault_need(access));
}

static u64 fault_object_index(const struct vma *vma, u64 addr)
{
	return (vma->offset + (addr - vma->start)) >> PAGE_SHIFT;
}

/*
 * Is `index` within the object's size? Called again under the leaf lock, where it pairs with (S) in
 * vm_object_resize().
 */
static bool fault_in_object(const struct vma *vma, u64 index)
{
	return index << PAGE_SHIFT < atomic_load_relaxed(&vma->object->size);
}

/*
 * Under the leaf lock: may an entry be installed? The lock pairs with (D) in vma_detach(), (S) in
 * vm_object_resize() and (P) in vm_object_punch(): they store, fence, then take this lock to zap; so
 * we see the store here or they see our entry.
 */
static bool fault_may_install(const struct fault *f, u64 addr)
{
	if (atomic_load_relaxed(&f->vma->detached))
		return false;
	if (!f->vma->object)
		return true;
	return fault_in_object(f->vma, fault_object_index(f->vma, addr)) &&
	       atomic_load_relaxed(&f->vma->object->priv->punches) == f->punches;
}

/* Is the page part of a run up to f->addr? For a write, zeroes that were only read are not. */
static bool fault_counts(const struct fault *f, u64 pte)
{
	return pte && (f->access != MM_WRITE || !pte_is_zero(pte));
}

/*
 * How many pages to fill from f->addr on: inside the mapping, its leaf table and what the run
 * before it promises.
 */
static u32 fault_ahead(const struct fault *f, const u64 *table)
{
	u64 table_start = ALIGN_DOWN(f->addr, PGTABLE_SPAN(1));
	u64 floor = MAX(table_start, f->vma->start);
	u64 room = MIN(f->vma->end, table_start + PGTABLE_SPAN(1)) - f->addr;
	u32 run = 0, want;

	while (run < AHEAD_MAX / 3 && f->addr - run * PAGE_SIZE > floor &&
	       fault_counts(f, atomic_load_relaxed(&table[pgtable_index(f->addr, 0) - run - 1])))
		run++;
	if (run == 0 && f->addr == table_start && f->addr > f->vma->start) {
		struct pgtable_at before;

		if (pgtable_find(f->mm, f->addr - PAGE_SIZE, &before) &&
		    fault_counts(f, atomic_load_relaxed(before.entry)))
			run = AHEAD_MAX / 3;
	}
	want = page_plentiful() ? MIN(MAX(3 * run + 1, f->ahead), AHEAD_MAX) : 1;
	return (u32)MIN((u64)want, room >> PAGE_SHIFT);
}

/* For a page that is mapped at `addr`: the one that is accessed, or one of those around it. */
static u64 fault_bits(const struct fault *f, u64 addr)
{
	return addr == f->addr && !f->ahead ? pgtable_bits(f->vma) : pgtable_bits_untouched(f->vma);
}

/*
 * Puts `count` fresh pages at f->addr and after, where the entry is `old`: 0 or busy. What is left over is freed.
 */
static int fault_install_fresh(struct fault *f, u64 *table, void **pages, u32 count, u64 old)
{
	u32 used = 0;
	bool ok;

	pgtable_lock(table);
	ok = fault_may_install(f, f->addr);
	for (u32 i = 0; i < count; i++) {
		u64 *entry = fault_entry(table, f->addr) + i;

		if (*entry != old)
			continue;
		if (!ok) {
			/* Without rights, as in fault_finish_copy(). */
			atomic_store_relaxed(entry, old & PTE_PPN_MASK);
			continue;
		}
		page_set_kind(pages[i], PAGE_KIND_ANONYMOUS);
		/* The zeroes are visible before the entry. */
		atomic_store_release(entry, pte_make(va_to_pa(pages[i]),
						     fault_bits(f, f->addr + i * PAGE_SIZE)));
		pages[i] = NULL;
		used++;
	}
	pgtable_unlock(table);
	if (used)
		atomic_fetch_add_relaxed(&f->mm->resident_pages, (u64)used);
	for (u32 i = 0; used < count && i < count; i++) {
		if (pages[i])
			page_free(pages[i], 0);
	}
	return ok ? 0 : FAULT_RETRY;
}

static int fault_anonymous(struct fault *f, u64 *table)
{
	void *pages[AHEAD_MAX];
	u32 count = page_alloc_batch(pages, fault_ahead(f, table), PAGE_ZERO | PAGE_PROGRAM);

	return count ? fault_install_fresh(f, table, pages, count, 0) : -ENOMEM;
}

/* The first read: shared zeroes, here and ahead. */
static int fault_zero(struct fault *f, u64 *table)
{
	u32 count = fault_ahead(f, table);
	bool ok;

	pgtable_lock(table);
	ok = fault_may_install(f, f->addr);
	for (u32 i = 0; ok && i < count; i++) {
		u64 *entry = fault_entry(table, f->addr) + i;
		u64 bits = fault_bits(f, f->addr + i * PAGE_SIZE) & ~PTE_W;

		if (!*entry)
			atomic_store_relaxed(entry, pte_make(zero_page_pa, bits));
	}
	pgtable_unlock(table);
	return ok ? 0 : FAULT_RETRY;
}

/* Makes the shared zeroes among the `count` entries from f->addr on busy. False: the mapping is being changed. */
static bool fault_seize_zeroes(struct fault *f, u64 *table, u32 count, u64 busy, bool *cached)
{
	bool ok;

	pgtable_lock(table);
	ok = fault_may_install(f, f->addr);
	for (u32 i = 0; ok && i < count; i++) {
		u64 *entry = fault_entry(table, f->addr) + i;

		if (!pte_is_zero(*entry) || *entry & PTE_BUSY)
			continue;
		*cached |= pte_may_be_cached(atomic_xchg(entry, busy));
	}
	pgtable_unlock(table);
	return ok;
}

/* The first write, here and ahead, where shared zeroes have been read. */
static int fault_unzero(struct fault *f, u64 *table)
{
	u64 busy = pte_make(zero_page_pa, PTE_BUSY);
	u32 count = fault_ahead(f, table);
	void *pages[AHEAD_MAX];
	bool cached = false, ok;

	count = page_alloc_batch(pages, count, PAGE_ZERO | PAGE_PROGRAM);
	if (!count)
		return -ENOMEM;
	ok = fault_seize_zeroes(f, table, count, busy, &cached);
	if (cached)
		tlb_flush_mm(f->mm, false);
	if (ok)
		return fault_install_fresh(f, table, pages, count, busy);
	for (u32 i = 0; i < count; i++)
		page_free(pages[i], 0);
	return FAULT_RETRY;
}

/* A file system without room for the page of a file is a bus error. */
static int fault_no_page(int err)
{
	return err == -ENOSPC ? -EIO : err;
}

/* First write to a page of a private mapping that is not there yet: a copy of the object's page. */
static int fault_private_write(struct fault *f, u64 *table)
{
	void *from, *copy;
	int err = vm_object_make_page(f->vma->object, fault_object_index(f->vma, f->addr), &from);

	if (err)
		return fault_no_page(err);
	copy = page_alloc(0, PAGE_PROGRAM);
	if (copy)
		page_copy(copy, from);
	page_put(from);
	return copy ? fault_install_fresh(f, table, &copy, 1, 0) : -ENOMEM;
}

/*
 * Maps the pages of the object that are there already, around f->addr; that of f->addr is made if
 * absent.
 */
static int fault_object(struct fault *f, u64 *table)
{
	u64 first = MAX(ALIGN_DOWN(f->addr, AROUND_MAX * PAGE_SIZE), f->vma->start);
	u64 last = MIN(ALIGN_DOWN(f->addr, AROUND_MAX * PAGE_SIZE) + AROUND_MAX * PAGE_SIZE,
		       f->vma->end);
	u64 strip = f->vma->flags & VMA_SHARED ? 0 : PTE_W;
	void *pages[AROUND_MAX];
	void *wanted;
	u32 used = 0;
	bool ok;
	int err;

	err = vm_object_make_page(f->vma->object, fault_object_index(f->vma, f->addr), &wanted);
	if (err)
		return fault_no_page(err);
	for (u64 addr = first; addr < last; addr += PAGE_SIZE)
		pages[(addr - first) >> PAGE_SHIFT] =
			addr == f->addr ? wanted
					: vm_object_page(f->vma->object,
							 fault_object_index(f->vma, addr), false);
	pgtable_lock(table);
	ok = fault_may_install(f, f->addr);
	for (u64 addr = first; ok && addr < last; addr += PAGE_SIZE) {
		void **page = &pages[(addr - first) >> PAGE_SHIFT];
		u64 *entry = fault_entry(table, addr);

		if (!*page || *entry || !fault_in_object(f->vma, fault_object_index(f->vma, addr)))
			continue;
		atomic_store_release(entry, pte_make(va_to_pa(*page), fault_bits(f, addr) & ~strip));
		*page = NULL;
		used++;
	}
	pgtable_unlock(table);
	if (used) {
		atomic_fetch_add_relaxed(&f->mm->resident_pages, (u64)used);
		atomic_fetch_add_relaxed(&f->mm->object_pages, (u64)used);
	}
	for (u64 i = 0; i < (last - first) >> PAGE_SHIFT; i++) {
		if (pages[i])
			page_put(pages[i]);
	}
	return ok ? 0 : FAULT_RETRY;
}

/* Second half of a copy: the entry is ours as long as it holds `busy`. */
static int fault_finish_copy(struct fault *f, u64 *table, u64 busy, void *copy)
{
	u64 *entry = fault_entry(table, f->addr);
	void *drop = copy;
	bool ok;

	page_set_kind(copy, PAGE_KIND_ANONYMOUS);
	pgtable_lock(table);
	ok = *entry == busy;
	if (ok && fault_may_install(f, f->addr)) {
		atomic_store_release(entry, pte_make(va_to_pa(copy), pgtable_bits(f->vma)));
		drop = pa_to_va(pte_pa(busy));
	} else if (ok) {
		/*
		 * Without rights: the next fault gives it those of the mapping that is there then.
		 */
		atomic_store_relaxed(entry, busy & PTE_PPN_MASK);
	}
	pgtable_unlock(table);
	if (drop != copy && page_of(drop)->kind == PAGE_KIND_OBJECT)
		atomic_fetch_add_relaxed(&f->mm->object_pages, -1UL);
	page_put(drop);
	return 0;
}

static int fault_copy(struct fault *f, u64 *table, u64 pte)
{
	u64 busy = (pte & PTE_PPN_MASK) | PTE_BUSY;
	void *copy = page_alloc(0, PAGE_PROGRAM);
	u64 *entry = fault_entry(table, f->addr);
	bool ours;

	if (!copy)
		return -ENOMEM;
	pgtable_lock(table);
	ours = *entry == pte && fault_may_install(f, f->addr);
	if (ours)
		atomic_store_relaxed(entry, busy);
	pgtable_unlock(table);
	if (!ours) {
		page_free(copy, 0);
		return 0;
	}
	tlb_flush_mm(f->mm, false);
	page_copy(copy, pa_to_va(pte_pa(pte)));
	return fault_finish_copy(f, table, busy, copy);
}

/*
 * There is an entry, but it lacks the right: the mapping's rights, or a copy where a private page
 * has other holders.
 */
static int fault_present(struct fault *f, u64 *table)
{
	u64 *entry = fault_entry(table, f->addr);
	u64 bits = pgtable_bits(f->vma), pte;
	bool ok, copy = false;

	pgtable_lock(table);
	pte = *entry;
	ok = fault_may_install(f, f->addr);
	if (ok && pte && !(pte & PTE_BUSY) && !fault_satisfied(pte, f->access)) {
		struct page *page = page_of(pa_to_va(pte_pa(pte)));

		if (!(f->vma->flags & VMA_SHARED) && atomic_load_acquire(&page->refs) != 1) {
			copy = f->access == MM_WRITE;
			bits &= ~PTE_W;
		}
		if (!copy)
			atomic_store_relaxed(entry, (pte & PTE_PPN_MASK) | bits);
	}
	pgtable_unlock(table);
	if (!ok)
		return FAULT_RETRY;
	if (copy)
		return pte_is_zero(pte) ? fault_unzero(f, table) : fault_copy(f, table, pte);
	/* Another hart was first, or our translation is older than the entry. */
	sfence_vma_page(f->addr);
	return 0;
}

/* With f->vma found: under the epoch or mm->lock. */
static int fault_resolve(struct fault *f, int *sig_code)
{
	struct vm_object *object = f->vma->object;
	u64 *table;

	if (!fault_allowed(f->vma, f->access)) {
		*sig_code = SEGV_ACCERR;
		return atomic_load_acquire(&f->vma->detached) ? FAULT_RETRY : -EFAULT;
	}
	if (object && !fault_in_object(f->vma, fault_object_index(f->vma, f->addr)))
		return atomic_load_acquire(&f->vma->detached) ? FAULT_RETRY : -EIO;
	if (object)
		f->punches = atomic_load_acquire(&object->priv->punches);
	if (!object) {
		enum huge_result huge = huge_fault(f->vma, f->addr, fault_need(f->access), !f->ahead);

		if (huge != HUGE_NO)
			return huge == HUGE_DONE ? 0 : FAULT_RETRY;
	}
	table = pgtable_leaf(f->mm, f->addr, true);
	if (!table)
		return -ENOMEM;
	if (atomic_load_acquire(fault_entry(table, f->addr)))
		return fault_present(f, table);
	if (!object)
		return f->access == MM_WRITE ? fault_anonymous(f, table) : fault_zero(f, table);
	if (f->access == MM_WRITE && !(f->vma->flags & VMA_SHARED))
		return fault_private_write(f, table);
	return fault_object(f, table);
}

/*
 * A fault just below a growing stack extends it. mm->lock held. NULL: not a stack, no room, or out
 * of memory.
 */
static struct vma *fault_grow_stack(struct mm *mm, u64 addr)
{
	struct vma *stack = vma_find_above(mm, addr);
	u64 low = addr > STACK_GUARD_BYTES ? addr - STACK_GUARD_BYTES : 0;
	struct vma *grown;

	if (!stack || !(stack->flags & VMA_GROWSDOWN) ||
	    stack->end - addr > atomic_load_relaxed(&mm->stack_bytes) ||
	    !vma_range_free(mm, low, stack->start))
		return NULL;
	if (space_may_grow(mm, (stack->start - addr) >> PAGE_SHIFT, stack))
		return NULL;
	grown = vma_alloc(mm, stack, addr, stack->end);
	if (!grown)
		return NULL;
	vma_detach(stack);
	vma_publish(grown);
	vma_retire(stack);
	return grown;
}

static int fault_locked(struct fault *f, int *sig_code)
{
	int ret = FAULT_RETRY;

	space_lock(f->mm);
	while (ret == FAULT_RETRY) {
		f->vma = vma_find(f->mm, f->addr);
		if (!f->vma)
			f->vma = fault_grow_stack(f->mm, f->addr);
		if (!f->vma) {
			*sig_code = SEGV_MAPERR;
			ret = -EFAULT;
			break;
		}
		/* A retry here means that the object was cut meanwhile. */
		ret = fault_resolve(f, sig_code);
	}
	space_unlock(f->mm);
	return ret;
}

static int fault_try(struct fault *f, int *sig_code)
{
	int ret = FAULT_RETRY;

	epoch_enter();
	f->vma = vma_find(f->mm, f->addr);
	if (f->vma)
		ret = fault_resolve(f, sig_code);
	epoch_exit();
	return ret == FAULT_RETRY ? fault_locked(f, sig_code) : ret;
}

static int fault_run(struct fault *f, int *sig_code)
{
	int ret;

	*sig_code = SEGV_MAPERR;
	if (!f->mm || f->addr >= USER_TOP)
		return -EFAULT;
	mm_count(MM_FAULTS, 1);
	trace_page_fault(f->addr, f->access);
	while ((ret = fault_try(f, sig_code)) == -ENOMEM) {
		ret = oom_wait();
		if (ret)
			break;
	}
	trace_page_fault_done(ret);
	return ret;
}

int mm_fault(struct mm *mm, u64 addr, enum mm_access access, int *sig_code)
{
	struct fault f = {.mm = mm, .addr = ALIGN_DOWN(addr, PAGE_SIZE), .access = access};

	return fault_run(&f, sig_code);
}

/* The first address from `addr` on that the access would fault at, below end. */
static u64 fault_next(struct mm *mm, u64 addr, u64 end, enum mm_access access)
{
	struct pgtable_at at;

	epoch_enter();
	while (addr < end && pgtable_find(mm, addr, &at) &&
	       fault_satisfied(atomic_load_relaxed(at.entry), access))
		addr = ALIGN_DOWN(addr, at.span) + at.span;
	epoch_exit();
	return MIN(addr, end);
}

int mm_fault_range(struct mm *mm, u64 addr, u64 len, enum mm_access access, int *sig_code)
{
	u64 end = addr + len;
	int ret = 0;

	while (!ret && (addr = fault_next(mm, addr, end, access)) < end) {
		struct fault f = {.mm = mm, .addr = addr, .access = access};

		f.ahead = (u32)MIN((end - addr) >> PAGE_SHIFT, (u64)AHEAD_MAX);
		ret = fault_run(&f, sig_code);
		hart_relax();
	}
	return ret;
}
