/*
 * Page faults. No lock is held but that of one leaf table, for the installation alone; pages are
 * allocated and filled before. The mapping is found under the epoch, which nothing between leaves:
 * no sleep, no relax (space.h has the argument). A fault that lost a race just returns: the access
 * faults again if need be.
 */
#include "kernel/mm/fault.h"
#include "abi/errno.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/hart.h"
#include "kernel/trace/trace.h"

#define SEGV_MAPERR 1
#define SEGV_ACCERR 2

static bool fault_allowed(const struct fault *f)
{
	const struct vma *vma = f->vma;

	if (f->force)
		return f->access != MM_WRITE || vma->prot & PROT_WRITE || !(vma->flags & VMA_SHARED);
	switch (f->access) {
	case MM_READ:
		return vma->prot & (PROT_READ | PROT_WRITE);
	case MM_WRITE:
		return vma->prot & PROT_WRITE;
	case MM_EXEC:
		return vma->prot & PROT_EXEC;
	}
	return false;
}

/* With f->vma found: under the epoch or mm->lock. */
static int fault_resolve(struct fault *f, int *sig_code)
{
	struct vm_object *object = f->vma->object;
	u64 *table;

	if (!fault_allowed(f)) {
		*sig_code = SEGV_ACCERR;
		return atomic_load_acquire(&f->vma->detached) ? FAULT_RETRY : -EFAULT;
	}
	if (object && !fault_in_object(f->vma, fault_object_index(f->vma, f->addr)))
		return atomic_load_acquire(&f->vma->detached) ? FAULT_RETRY : -EIO;
	if (object)
		f->punches = atomic_load_acquire(&object->priv->punches);
	if (!object && !f->force) {
		enum huge_result huge = huge_fault(f->vma, f->addr, fault_need(f->access), !f->ahead);

		if (huge != HUGE_NO)
			return huge == HUGE_DONE ? 0 : FAULT_RETRY;
	}
	table = pgtable_leaf(f->mm, f->addr, true);
	if (!table)
		return -ENOMEM;
	if (atomic_load_acquire(fault_entry(table, f->addr)))
		return fault_present(f, table);
	return fault_fill(f, table);
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

/*
 * What a fault failed for may come back: memory, or once the space that removed files had, whose pages are freed a grace period
 * later. 0: try again, or what the fault ends with: a file system without room for the page of a file is a bus error.
 */
static int fault_wait(int err, bool *waited)
{
	if (err == -ENOMEM)
		return oom_wait();
	if (err != -ENOSPC)
		return err;
	if (*waited)
		return -EIO;
	*waited = true;
	epoch_barrier();
	return 0;
}

static int fault_run(struct fault *f, int *sig_code)
{
	bool waited = false;
	int ret;

	*sig_code = SEGV_MAPERR;
	if (!f->mm || f->addr >= USER_TOP)
		return -EFAULT;
	mm_count(MM_FAULTS, 1);
	trace_page_fault(f->addr, f->access);
	while ((ret = fault_try(f, sig_code)) != 0) {
		ret = fault_wait(ret, &waited);
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

int fault_forced(struct mm *mm, u64 addr, enum mm_access access)
{
	struct fault f = {
		.mm = mm, .addr = ALIGN_DOWN(addr, PAGE_SIZE), .access = access, .force = true};
	int sig_code;

	return fault_run(&f, &sig_code);
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

		f.ahead = (u32)MIN((end - addr) >> PAGE_SHIFT, (u64)FAULT_AHEAD_MAX);
		ret = fault_run(&f, sig_code);
		hart_relax();
	}
	return ret;
}
