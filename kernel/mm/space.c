/*
 * Address spaces: creation, teardown, and the layout changes behind mmap, munmap, mprotect, madvise
 * and brk. The rules that keep faults safe beside them are in space.h.
 */
#include "kernel/mm/space.h"

#include "abi/errno.h"
#include "kernel/log/log.h"

#include <string.h>

#define MM_ID_BIT	    BIT(63)
#define MMAP_GAP	    (128UL << 20) /* below USER_TOP: the stack and its random offset */
#define MMAP_RANDOM_PAGES   (1UL << 18)	  /* Linux: 18 bits on Sv39 */
#define STACK_BYTES_DEFAULT (8UL << 20)

LOCK_CLASS(mm_layout, RANK_MM);
LOCK_CLASS(mm_zombies, RANK_SLAB);

static struct slab_cache *mm_cache;
static struct spinlock zombies_lock = SPINLOCK_INIT(mm_zombies_class);
static struct mm *zombies; /* [L:zombies_lock] dead spaces whose root some hart still borrows */

void space_init(void)
{
	mm_cache = slab_create("mm", sizeof(struct mm), 0);
}

static void mm_free(struct epoch_node *node)
{
	struct mm *mm = container_of(node, struct mm, free_node);

	pgtable_free_all(mm);
	slab_free(mm_cache, mm);
}

/*
 * Frees dead spaces that no satp names any more. None comes back: nobody holds a reference to
 * switch to it with. A hart that is just leaving one is in the kernel, so the grace period outlasts
 * its write of satp.
 */
static void mm_reap_zombies(void)
{
	struct mm **link, *mm;

	if (!atomic_load_relaxed(&zombies))
		return;
	spin_lock(&zombies_lock);
	link = &zombies;
	while ((mm = *link)) {
		if (tlb_mm_in_use(mm)) {
			link = &mm->zombie_next;
			continue;
		}
		*link = mm->zombie_next;
		epoch_defer(&mm->free_node, mm_free);
	}
	spin_unlock(&zombies_lock);
}

struct mm *mm_create(void)
{
	struct mm *mm = slab_alloc(mm_cache);

	mm_reap_zombies();
	if (!mm)
		return NULL;
	memset(mm, 0, sizeof(*mm));
	if (pgtable_create_root(mm)) {
		slab_free(mm_cache, mm);
		return NULL;
	}
	mm->id = mm_new_id() | MM_ID_BIT;
	mm->refs = 1;
	mutex_init(&mm->lock, &mm_layout_class);
	skiplist_init(&mm->vmas);
	mm->mmap_top = USER_TOP - MMAP_GAP - mm_random() % MMAP_RANDOM_PAGES * PAGE_SIZE;
	mm->gap_top = mm->mmap_top;
	tlb_init_mm(mm);
	leaving_init_mm(mm);
	mm->limit_pages = ~0UL;
	mm->data_limit = ~0UL;
	mm->lock_limit = ~0UL;
	mm->stack_bytes = STACK_BYTES_DEFAULT;
	return mm;
}

void mm_derandomize(struct mm *mm)
{
	mm->mmap_top = USER_TOP - MMAP_GAP;
	mm->gap_top = mm->mmap_top;
}

void mm_get(struct mm *mm)
{
	atomic_fetch_add_relaxed(&mm->refs, 1U);
}

u64 mm_id(const struct mm *mm)
{
	return mm->id;
}

/*
 * Nobody runs in the space, but idle harts may borrow it; truncations may still come through the
 * objects' lists.
 */
static void mm_teardown(struct mm *mm)
{
	struct vma *vma = vma_find_above(mm, 0), *next;

	space_lock(mm);
	zap_range(mm, 0, USER_TOP);
	for (; vma; vma = next) {
		next = vma_next(vma);
		vma_detach(vma);
		vma_retire(vma);
	}
	space_unlock(mm);
	tlb_leave(mm);
	spin_lock(&zombies_lock);
	mm->zombie_next = zombies;
	atomic_store_relaxed(&zombies, mm);
	spin_unlock(&zombies_lock);
	mm_reap_zombies();
}

void mm_put(struct mm *mm)
{
	if (atomic_fetch_add(&mm->refs, -1U) == 1)
		mm_teardown(mm);
}

u64 mm_resident_pages(struct mm *mm)
{
	return atomic_load_relaxed(&mm->resident_pages);
}

u64 mm_peak_resident_pages(struct mm *mm)
{
	return MAX(atomic_load_relaxed(&mm->peak_resident), mm_resident_pages(mm));
}

u64 mm_table_pages(struct mm *mm)
{
	return atomic_load_relaxed(&mm->nr_tables) + 1UL;
}

u64 mm_virtual_pages(struct mm *mm)
{
	return atomic_load_relaxed(&mm->virtual_pages);
}

static u64 limit_pages(u64 bytes)
{
	return bytes == ~0UL ? ~0UL : bytes >> PAGE_SHIFT;
}

void mm_set_limits(struct mm *mm, u64 as_bytes, u64 data_bytes, u64 stack_bytes)
{
	atomic_store_relaxed(&mm->limit_pages, limit_pages(as_bytes));
	atomic_store_relaxed(&mm->data_limit, limit_pages(data_bytes));
	atomic_store_relaxed(&mm->stack_bytes, stack_bytes);
}

bool space_range_valid(u64 addr, u64 len)
{
	return IS_ALIGNED(addr | len, PAGE_SIZE) && addr <= USER_TOP && len <= USER_TOP - addr;
}

/* Whole blocks of 2 MiB are placed so that they can be that. */
static u64 space_find_gap(struct mm *mm, u64 len, bool blocks)
{
	u64 gap;

	if (!blocks || !IS_ALIGNED(len, PGTABLE_SPAN(1)))
		return vma_find_gap(mm, len);
	gap = vma_find_gap(mm, len + PGTABLE_SPAN(1) - PAGE_SIZE);
	return gap ? ALIGN_UP(gap, PGTABLE_SPAN(1)) : vma_find_gap(mm, len);
}

long space_place(struct mm *mm, u64 addr, u64 len, int flags)
{
	u64 gap;

	if (flags & MAP_FIXED_NOREPLACE) {
		if (!space_range_valid(addr, len))
			return addr & (PAGE_SIZE - 1) ? -EINVAL : -ENOMEM;
		return vma_range_free(mm, addr, addr + len) ? (long)addr : -EEXIST;
	}
	if (flags & MAP_FIXED) {
		int ret = addr & (PAGE_SIZE - 1)	 ? -EINVAL
			  : space_range_valid(addr, len) ? 0
							 : -ENOMEM;

		if (!ret)
			ret = space_unmap(mm, addr, addr + len);
		return ret ? ret : (long)addr;
	}
	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	if (addr >= MMAP_MIN_ADDR && space_range_valid(addr, len) &&
	    vma_range_free(mm, addr, addr + len))
		return (long)addr;
	gap = space_find_gap(mm, len, !(flags & ~(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)));
	return gap ? (long)gap : -ENOMEM;
}

static bool space_data_fits(const struct mm *mm, u64 pages, u32 prot, u32 flags)
{
	return !vma_is_data(prot, flags) ||
	       mm->data_pages + pages <= atomic_load_relaxed(&mm->data_limit);
}

int space_may_grow(const struct mm *mm, u64 pages, const struct vma *vma)
{
	if (vma->flags & VMA_LOCKED && mm->locked_pages + pages > atomic_load_relaxed(&mm->lock_limit))
		return -EAGAIN;
	if (mm->virtual_pages + pages > atomic_load_relaxed(&mm->limit_pages))
		return -ENOMEM;
	if (!space_data_fits(mm, pages, vma->prot, vma->flags) || mm->nr_vmas >= MAX_VMAS)
		return -ENOMEM;
	return vma->flags & VMA_PROMISED ? commit_may(pages) : 0;
}

/* VMA_PROMISED, if private memory with these is one of the promises. */
static u32 map_promise(u32 prot, u32 flags)
{
	bool promise = prot & PROT_WRITE && !(flags & (VMA_SHARED | VMA_NORESERVE));

	return promise ? VMA_PROMISED : 0;
}

static u32 map_vma_flags(u32 prot, int flags)
{
	bool reserve = atomic_load_relaxed(&mm_overcommit_policy) == OVERCOMMIT_NEVER;
	u32 vma = (flags & MAP_SHARED ? VMA_SHARED : 0) |
		  (flags & MAP_GROWSDOWN ? VMA_GROWSDOWN : 0) |
		  (flags & MAP_NO_WRITE ? VMA_NO_WRITE : 0) |
		  (flags & MAP_LOCKED ? VMA_LOCKED : 0) | (flags & MAP_STACK ? VMA_NOHUGE : 0) |
		  (flags & MAP_NORESERVE && !reserve ? VMA_NORESERVE : 0);

	return vma | map_promise(prot, vma);
}

static long map_locked(struct mm *mm, u64 addr, u64 len, int flags, struct vma *like)
{
	long at;
	int ret;

	like->flags |= mm->future_flags;
	at = space_may_grow(mm, len >> PAGE_SHIFT, like);
	if (at)
		return at;
	at = space_place(mm, addr, len, flags);
	if (at < 0)
		return at;
	like->start = (u64)at;
	like->end = (u64)at + len;
	ret = vma_add(mm, like);
	return ret ? ret : at;
}

static long map_like(struct mm *mm, u64 addr, u64 len, int flags, struct vma *like)
{
	struct vm_object *anonymous = NULL;
	long ret;

	if (!len || !IS_ALIGNED(like->offset, PAGE_SIZE))
		return -EINVAL;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (!len || len > USER_TOP)
		return -ENOMEM;
	like->flags = map_vma_flags(like->prot, flags);
	if (!like->object && flags & MAP_SHARED) {
		anonymous = vm_object_create_promised(len, like->flags);
		if (!anonymous)
			return -ENOMEM;
		like->object = anonymous;
		like->offset = 0;
	}
	ret = vma_writes_object(like) ? vm_object_hold_writable(like->object) : 0;
	if (ret)
		return ret;
	space_lock(mm);
	ret = map_locked(mm, addr, len, flags, like);
	space_unlock(mm);
	if (vma_writes_object(like))
		vm_object_drop_writable(like->object);
	if (anonymous)
		vm_object_put(anonymous);
	return ret;
}

long mm_map(struct mm *mm, u64 addr, u64 len, int prot, int flags, struct vm_object *obj,
	    u64 offset, const char *name)
{
	struct vma like = {.object = obj, .offset = offset, .name = name, .prot = (u32)prot};

	return map_like(mm, addr, len, flags, &like);
}

long mm_map_backed(struct mm *mm, u64 addr, u64 len, int prot, int flags, struct vm_object *obj,
		   u64 offset, struct vm_backing *backing)
{
	struct vma like = {.object = obj, .offset = offset, .backing = backing, .prot = (u32)prot};

	return map_like(mm, addr, len, flags, &like);
}

/* One mapping's part of mprotect(). */
static int protect_vma(struct mm *mm, struct vma *vma, u64 start, u64 end, int prot)
{
	struct vma_change change = {(u32)prot, vma->flags | map_promise((u32)prot, vma->flags)};
	int ret = 0;

	start = MAX(start, vma->start);
	end = MIN(end, vma->end);
	if (vma->prot == (u32)prot)
		return 0;
	if (prot & PROT_WRITE && vma->flags & VMA_NO_WRITE)
		return -EACCES;
	if (!vma_is_data(vma->prot, vma->flags) &&
	    !space_data_fits(mm, (end - start) >> PAGE_SHIFT, change.prot, change.flags))
		return -ENOMEM;
	if (change.flags & ~vma->flags & VMA_PROMISED)
		ret = commit_may((end - start) >> PAGE_SHIFT);
	if (!ret)
		ret = vma_carve(vma, start, end, &change);
	if (ret)
		return ret;
	zap_protect(mm, vma_find(mm, start), start, end);
	vma_retire(vma);
	return 0;
}

int mm_protect(struct mm *mm, u64 addr, u64 len, int prot)
{
	u64 end = addr + ALIGN_UP(len, PAGE_SIZE), at = addr;
	int ret = 0;

	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (!space_range_valid(addr, ALIGN_UP(len, PAGE_SIZE)))
		return -ENOMEM;
	space_lock(mm);
	while (!ret && at < end) {
		struct vma *vma = vma_find(mm, at);

		if (!vma) {
			ret = -ENOMEM;
			break;
		}
		at = vma->end;
		ret = protect_vma(mm, vma, addr, end, prot);
	}
	vma_merge(mm, addr, end);
	space_unlock(mm);
	return ret;
}

void mm_set_brk(struct mm *mm, u64 start)
{
	space_lock(mm);
	mm->brk_start = start;
	mm->brk = start;
	space_unlock(mm);
}

/* Whole pages between the old and the new break come or go. lock held. */
static int brk_move(struct mm *mm, u64 old_end, u64 new_end)
{
	struct vma like = {.name = "[heap]", .prot = PROT_READ | PROT_WRITE, .flags = VMA_PROMISED};
	long at;

	if (new_end < old_end)
		return space_unmap(mm, new_end, old_end);
	if (new_end == old_end)
		return 0;
	at = map_locked(mm, old_end, new_end - old_end, MAP_PRIVATE | MAP_FIXED_NOREPLACE, &like);
	return at < 0 ? (int)at : 0;
}

u64 mm_brk(struct mm *mm, u64 addr)
{
	u64 brk;

	space_lock(mm);
	if (addr >= mm->brk_start && addr < USER_TOP &&
	    brk_move(mm, ALIGN_UP(mm->brk, PAGE_SIZE), ALIGN_UP(addr, PAGE_SIZE)) == 0)
		mm->brk = addr;
	brk = mm->brk;
	space_unlock(mm);
	return brk;
}

int mm_for_each_region(struct mm *mm, int (*fn)(const struct mm_region *r, void *arg), void *arg)
{
	int ret = 0;

	space_lock(mm);
	for (struct vma *vma = vma_find_above(mm, 0); vma && !ret; vma = vma_next(vma)) {
		struct mm_region region = {
			.start = vma->start,
			.end = vma->end,
			.offset = vma->offset,
			.object = vma->object,
			.backing = vma->backing,
			.name = vma->name,
			.prot = (int)vma->prot,
			.shared = vma->flags & VMA_SHARED,
			.grows_down = vma->flags & VMA_GROWSDOWN,
			.locked = vma->flags & VMA_LOCKED,
		};

		ret = fn(&region, arg);
	}
	space_unlock(mm);
	return ret;
}
