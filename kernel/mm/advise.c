/*
 * Advice about memory, and questions about it: madvise, populate, mincore, msync.
 *
 * Nothing is swapped out or written back here, so advice about when a page will be used changes
 * nothing. MADV_FREE allows pages to be taken at any time: they are taken at once.
 */
#include "abi/errno.h"
#include "abi/mman.h"
#include "kernel/mm/space.h"
#include "kernel/sync/hart.h"

/*
 * Pages of [start, end) go, and what is left of the mapping fills afresh; or they might go elsewhere for a while, which
 * is never done here. Locked ones must stay.
 */
static int advise_pages(struct mm *mm, struct vma *vma, u64 start, u64 end, int advice)
{
	if (advice == MADV_FREE && vma->object)
		return -EINVAL;
	if (advice != MADV_DONTNEED_LOCKED && vma->flags & VMA_LOCKED)
		return -EINVAL;
	if (advice != MADV_COLD && advice != MADV_PAGEOUT)
		zap_range(mm, start, end);
	return 0;
}

/* What a hole in the file is punched from: the object of a shared mapping that may write. */
struct removal {
	struct vm_object *object; /* a reference */
	u64 first, nr;
};

/*
 * MADV_REMOVE of the first mapping from *addr on, which moves behind it. The hole itself is for the
 * caller, without mm->lock: it takes page-table locks of every space that maps the object.
 */
static int advise_removal(struct mm *mm, u64 *addr, u64 end, struct removal *r)
{
	struct vma *vma = vma_find(mm, *addr);
	u64 to;

	if (!vma)
		return -ENOMEM;
	if (vma->flags & VMA_LOCKED || !vma->object)
		return -EINVAL;
	if (!vma_writes_object(vma))
		return -EACCES;
	to = MIN(vma->end, end);
	*r = (struct removal){vma->object, (vma->offset + (*addr - vma->start)) >> PAGE_SHIFT,
			      (to - *addr) >> PAGE_SHIFT};
	vm_object_get(r->object);
	*addr = to;
	return 0;
}

static int advise_remove(struct mm *mm, u64 addr, u64 end)
{
	int ret = 0;

	while (!ret && addr < end) {
		struct removal r;

		space_lock(mm);
		ret = advise_removal(mm, &addr, end, &r);
		space_unlock(mm);
		if (ret)
			break;
		vm_object_punch(r.object, r.first, r.nr);
		vm_object_put(r.object);
	}
	return ret;
}

/* As Linux: a hole is reported, but what is mapped behind it is advised all the same. */
static int advise_range(struct mm *mm, u64 start, u64 end, int advice)
{
	u64 at = start;
	int ret = 0, hole = 0;

	while (at < end && !ret) {
		struct vma *vma = vma_find_above(mm, at);

		if (!vma || vma->start > at)
			hole = -ENOMEM;
		if (!vma || vma->start >= end)
			break;
		ret = advise_pages(mm, vma, MAX(at, vma->start), MIN(end, vma->end), advice);
		at = vma->end;
	}
	return ret ? ret : hole;
}

static bool advise_all_anonymous(struct mm *mm, u64 start, u64 end)
{
	struct vma *vma = vma_find_above(mm, start);

	while (vma && vma->start < end && !vma->object)
		vma = vma_next(vma);
	return !vma || vma->start >= end;
}

static int advise_locked(struct mm *mm, u64 start, u64 end, int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return advise_range(mm, start, end, advice);
	case MADV_DONTFORK:
		return vma_change_flags(mm, start, end, VMA_DONTFORK, 0);
	case MADV_DOFORK:
		return vma_change_flags(mm, start, end, 0, VMA_DONTFORK);
	case MADV_WIPEONFORK:
		if (!advise_all_anonymous(mm, start, end))
			return -EINVAL;
		return vma_change_flags(mm, start, end, VMA_WIPEONFORK, 0);
	case MADV_KEEPONFORK:
		return vma_change_flags(mm, start, end, 0, VMA_WIPEONFORK);
	case MADV_HUGEPAGE:
		return vma_change_flags(mm, start, end, VMA_HUGE, VMA_NOHUGE);
	case MADV_NOHUGEPAGE:
		return vma_change_flags(mm, start, end, VMA_NOHUGE, VMA_HUGE);
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
		return vma_change_flags(mm, start, end, 0, 0);
	default:
		return -EINVAL;
	}
}

int mm_advise(struct mm *mm, u64 addr, u64 len, int advice)
{
	int ret;

	if (advice == MADV_REMOVE)
		return advise_remove(mm, addr, addr + len);
	space_lock(mm);
	ret = advise_locked(mm, addr, addr + len, advice);
	space_unlock(mm);
	return ret;
}

/* Mapped throughout, or at all if `holes`. */
static bool policy_range(struct mm *mm, u64 start, u64 end, bool holes)
{
	struct vma *vma = vma_find_above(mm, start);

	if (holes || !vma)
		return vma && vma->start < end;
	while (vma && vma->start <= start && vma->end < end) {
		start = vma->end;
		vma = vma_find_above(mm, start);
	}
	return vma && vma->start <= start;
}

int mm_set_policy(struct mm *mm, u64 addr, u64 len, u32 policy, bool holes)
{
	u32 set = policy << VMA_POLICY_SHIFT, clear = VMA_POLICY & ~set;
	u64 end = addr + len;
	struct vma *vma;
	int ret = -EFAULT;

	space_lock(mm);
	if (policy_range(mm, addr, end, holes))
		ret = 0;
	/* One by one: a hole is no error of the whole. */
	while (!ret && addr < end && (vma = vma_find_above(mm, addr)) != NULL && vma->start < end) {
		u64 from = MAX(addr, vma->start);

		addr = MIN(end, vma->end);
		ret = vma_change_flags(mm, from, addr, set, clear);
	}
	space_unlock(mm);
	return ret;
}

bool mm_next_policy(struct mm *mm, u64 *at, u64 end, u32 *policy)
{
	struct vma *vma;

	space_lock(mm);
	vma = vma_find_above(mm, *at);
	if (vma && vma->start >= end)
		vma = NULL;
	if (vma) {
		*policy = (vma->flags & VMA_POLICY) >> VMA_POLICY_SHIFT;
		*at = vma->end;
	}
	space_unlock(mm);
	return vma;
}

/* What to populate by, and to where it goes on alike. Epoch or mm->lock. */
static bool populate_by(struct mm *mm, u64 addr, enum mm_access *access, u64 *end)
{
	const struct vma *vma = vma_find(mm, addr);
	bool copy;

	if (!vma || !vma->prot)
		return false;
	copy = vma->prot & PROT_WRITE && !(vma->flags & VMA_SHARED);
	*access = copy ? MM_WRITE : vma->prot & (PROT_READ | PROT_WRITE) ? MM_READ : MM_EXEC;
	*end = MIN(*end, vma->end);
	return true;
}

/* Without the lock first, as a fault. */
static int populate_access(struct mm *mm, u64 addr, enum mm_access *access, u64 *end)
{
	bool found;

	epoch_enter();
	found = populate_by(mm, addr, access, end);
	epoch_exit();
	if (!found) {
		space_lock(mm);
		found = populate_by(mm, addr, access, end);
		space_unlock(mm);
	}
	return found ? 0 : -EFAULT;
}

int mm_populate(struct mm *mm, u64 addr, u64 len)
{
	u64 end = addr + len;
	int ret = 0, code;

	while (addr < end && !ret) {
		enum mm_access access;
		u64 part_end = end;

		ret = populate_access(mm, addr, &access, &part_end);
		if (!ret)
			ret = mm_fault_range(mm, addr, part_end - addr, access, &code);
		addr = part_end;
	}
	return ret == -EIO ? -EFAULT : ret;
}

static bool mincore_resident(const struct vma *vma, u64 addr)
{
	struct pgtable_at at;
	void *page;

	if (pgtable_find(vma->mm, addr, &at) && atomic_load_relaxed(at.entry))
		return true;
	if (!vma->object)
		return false;
	page = vm_object_page(vma->object, (vma->offset + (addr - vma->start)) >> PAGE_SHIFT, false);
	if (page)
		page_put(page);
	return page;
}

int mm_mincore(struct mm *mm, u64 addr, u64 pages, u8 *vec)
{
	int ret = 0;

	space_lock(mm);
	for (u64 i = 0; i < pages; i++) {
		struct vma *vma = vma_find(mm, addr + i * PAGE_SIZE);

		if (!vma) {
			ret = -ENOMEM;
			break;
		}
		vec[i] = mincore_resident(vma, addr + i * PAGE_SIZE);
	}
	space_unlock(mm);
	return ret;
}

int mm_sync(struct mm *mm, u64 addr, u64 len, bool invalidate)
{
	u64 end = addr + len;
	int ret = 0;

	space_lock(mm);
	while (addr < end) {
		struct vma *vma = vma_find_above(mm, addr);

		if (!vma || vma->start > addr)
			ret = -ENOMEM;
		if (!vma || vma->start >= end)
			break;
		if (invalidate && vma->flags & VMA_LOCKED) {
			ret = -EBUSY;
			break;
		}
		addr = vma->end;
	}
	space_unlock(mm);
	return ret;
}
