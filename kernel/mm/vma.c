/*
 * The list of mappings of a space: a skip list by start address (lib/skiplist.h), read under the
 * epoch. Invariant: published, undetached mappings do not overlap. The rules of change are in
 * space.h.
 */
#include "abi/errno.h"
#include "kernel/log/log.h"
#include "kernel/mm/space.h"

static struct slab_cache *vma_cache;

void vma_init(void)
{
	vma_cache = slab_create("vma", sizeof(struct vma), 0);
}

static struct vma *vma_of(struct skiplist_node *node)
{
	return node ? container_of(node, struct vma, node) : NULL;
}

struct vma *vma_find(struct mm *mm, u64 addr)
{
	struct vma *vma = vma_of(skiplist_floor(&mm->vmas, addr));

	return vma && addr < vma->end ? vma : NULL;
}

struct vma *vma_find_above(struct mm *mm, u64 addr)
{
	struct vma *vma = vma_find(mm, addr);

	return vma ? vma : vma_of(skiplist_above(&mm->vmas, addr));
}

struct vma *vma_find_below(struct mm *mm, u64 addr)
{
	return addr ? vma_of(skiplist_floor(&mm->vmas, addr - 1)) : NULL;
}

struct vma *vma_next(const struct vma *vma)
{
	return vma_of(skiplist_next(&vma->node));
}

struct vma *vma_alloc(struct mm *mm, const struct vma *like, u64 start, u64 end)
{
	struct vma *vma = slab_alloc(vma_cache);

	if (!vma)
		return NULL;
	*vma = *like;
	vma->node.key = start;
	vma->mm = mm;
	vma->start = start;
	vma->end = end;
	vma->detached = 0;
	if (like->object) {
		vma->offset = like->offset + (start - like->start);
		vm_object_get(vma->object);
	}
	if (like->backing)
		like->backing->ops->open(like->backing);
	return vma;
}

static void vma_free(struct epoch_node *node)
{
	slab_free(vma_cache, container_of(node, struct vma, free_node));
}

/*
 * A backing is closed after the space is unlocked: the last one may release a file, which takes
 * locks of its own.
 */
void vma_discard(struct vma *vma)
{
	struct mm *mm = vma->mm;

	if (vma->object)
		vm_object_put(vma->object);
	if (vma->backing) {
		vma->free_node.next = mm->closing;
		mm->closing = &vma->free_node;
	} else {
		epoch_defer(&vma->free_node, vma_free);
	}
}

void space_lock(struct mm *mm)
{
	mutex_lock(&mm->lock);
}

static void vma_close(struct vma *vma)
{
	vma->backing->ops->close(vma->backing);
	epoch_defer(&vma->free_node, vma_free);
}

void space_unlock(struct mm *mm)
{
	struct epoch_node *node = mm->closing;

	mm->closing = NULL;
	mutex_unlock(&mm->lock);
	while (node) {
		struct vma *vma = container_of(node, struct vma, free_node);

		node = node->next;
		vma_close(vma);
	}
}

bool vma_is_data(u32 prot, u32 flags)
{
	return prot & PROT_WRITE && !(flags & (VMA_SHARED | VMA_GROWSDOWN));
}

bool vma_writes_object(const struct vma *vma)
{
	return vma->object && (vma->flags & (VMA_SHARED | VMA_NO_WRITE)) == VMA_SHARED;
}

/* `pages` more, also modulo 2^64 fewer. */
static void vma_account(const struct vma *vma, u64 pages)
{
	struct mm *mm = vma->mm;

	atomic_store_relaxed(&mm->virtual_pages, mm->virtual_pages + pages);
	if (mm->virtual_pages > mm->peak_virtual)
		atomic_store_relaxed(&mm->peak_virtual, mm->virtual_pages);
	if (vma->flags & VMA_GROWSDOWN)
		atomic_store_relaxed(&mm->stack_pages, mm->stack_pages + pages);
	if (vma_is_data(vma->prot, vma->flags))
		atomic_store_relaxed(&mm->data_pages, mm->data_pages + pages);
	if (vma->flags & VMA_PROMISED)
		commit_add(pages);
	if (vma->flags & VMA_LOCKED)
		atomic_store_relaxed(&mm->locked_pages, mm->locked_pages + pages);
}

/* Into the object's list first: a truncation after a fault through this mapping must find it. */
void vma_publish(struct vma *vma)
{
	struct mm *mm = vma->mm;

	if (vma->object)
		vm_object_link(vma);
	skiplist_insert(&mm->vmas, &vma->node);
	mm->nr_vmas++;
	vma_account(vma, (vma->end - vma->start) >> PAGE_SHIFT);
}

void vma_detach(struct vma *vma)
{
	struct mm *mm = vma->mm;

	atomic_store_relaxed(&vma->detached, 1U);
	fence_full(); /* (D): pairs with the leaf lock in fault_install() */
	skiplist_remove(&mm->vmas, &vma->node);
	mm->nr_vmas--;
	vma_account(vma, -((vma->end - vma->start) >> PAGE_SHIFT));
}

void vma_retire(struct vma *vma)
{
	if (vma->object)
		vm_object_unlink(vma);
	vma_discard(vma);
}

void vma_retire_unlocked(struct vma *vma)
{
	if (vma->object) {
		vm_object_unlink(vma);
		vm_object_put(vma->object);
	}
	if (vma->backing)
		vma_close(vma);
	else
		epoch_defer(&vma->free_node, vma_free);
}

int vma_carve(struct vma *vma, u64 start, u64 end, const struct vma_change *inside)
{
	struct vma *part[3];
	u32 count = 0;

	start = MAX(start, vma->start);
	end = MIN(end, vma->end);
	if (vma->start < start && !(part[count++] = vma_alloc(vma->mm, vma, vma->start, start)))
		goto no_memory;
	if (inside) {
		if (!(part[count++] = vma_alloc(vma->mm, vma, start, end)))
			goto no_memory;
		part[count - 1]->prot = inside->prot;
		part[count - 1]->flags = inside->flags;
	}
	if (end < vma->end && !(part[count++] = vma_alloc(vma->mm, vma, end, vma->end)))
		goto no_memory;
	vma_detach(vma);
	for (u32 i = 0; i < count; i++)
		vma_publish(part[i]);
	return 0;

no_memory:
	for (u32 i = 0; i + 1 < count; i++)
		vma_discard(part[i]);
	return -ENOMEM;
}

static bool vma_joins(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && a->prot == b->prot && a->flags == b->flags &&
	       a->object == b->object && a->backing == b->backing && a->name == b->name &&
	       !(a->flags & VMA_GROWSDOWN) &&
	       (!a->object || a->offset + (a->end - a->start) == b->offset);
}

/* Out of memory only leaves the neighbours apart. */
static struct vma *vma_join(struct vma *a, struct vma *b)
{
	struct vma *joined = vma_alloc(a->mm, a, a->start, b->end);

	if (!joined)
		return b;
	vma_detach(a);
	vma_detach(b);
	vma_publish(joined);
	vma_retire(a);
	vma_retire(b);
	return joined;
}

int vma_add(struct mm *mm, const struct vma *like)
{
	struct vma *below = vma_find_below(mm, like->start), *above = vma_find(mm, like->end);
	struct vma *added;

	if (below && !vma_joins(below, like))
		below = NULL;
	if (above && !vma_joins(like, above))
		above = NULL;
	added = vma_alloc(mm, below ? below : like, below ? below->start : like->start,
			  above ? above->end : like->end);
	if (!added)
		return -ENOMEM;
	if (below)
		vma_detach(below);
	if (above)
		vma_detach(above);
	vma_publish(added);
	if (below)
		vma_retire(below);
	if (above)
		vma_retire(above);
	return 0;
}

void vma_merge(struct mm *mm, u64 start, u64 end)
{
	struct vma *vma = vma_find_above(mm, start ? start - 1 : 0);

	while (vma && vma->start <= end) {
		struct vma *next = vma_next(vma);

		if (!next)
			break;
		vma = vma_joins(vma, next) ? vma_join(vma, next) : next;
	}
}

int vma_change_flags(struct mm *mm, u64 start, u64 end, u32 set, u32 clear)
{
	u64 at = start;
	int ret = 0, hole = 0;

	while (at < end && !ret) {
		struct vma *vma = vma_find_above(mm, at);
		struct vma_change change;

		if (!vma || vma->start > at)
			hole = -ENOMEM;
		if (!vma || vma->start >= end)
			break;
		at = vma->end;
		change = (struct vma_change){vma->prot, (vma->flags | set) & ~clear};
		if (change.flags == vma->flags)
			continue;
		ret = vma_carve(vma, start, end, &change);
		if (!ret)
			vma_retire(vma);
	}
	vma_merge(mm, start, end);
	return ret ? ret : hole;
}

bool vma_range_free(struct mm *mm, u64 start, u64 end)
{
	struct vma *vma = vma_find_above(mm, start);

	return (!vma || vma->start >= end) && !leaving_overlap(mm, start, end);
}

/*
 * Goes down from the lowest address known to be reached, or from the top if a gap left behind may
 * fit. gap_known is the size of the greatest gap that a search went past above gap_top; a range that leaves counts as part of its
 * gap.
 */
u64 vma_find_gap(struct mm *mm, u64 len)
{
	bool from_top = len <= mm->gap_known;
	u64 top = from_top ? mm->mmap_top : mm->gap_top;
	u64 passed = from_top ? 0 : mm->gap_known;

	while (top >= MMAP_MIN_ADDR + len) {
		struct vma *below = vma_find_below(mm, top);
		u64 floor = below ? below->end : MMAP_MIN_ADDR;
		u64 place = top, leaving;

		while (floor + len <= place) {
			leaving = leaving_overlap(mm, place - len, place);
			if (!leaving) {
				mm->gap_top = top;
				mm->gap_known = passed;
				return place - len;
			}
			place = leaving;
		}
		if (top > floor)
			passed = MAX(passed, top - floor);
		if (!below || below->start < MMAP_MIN_ADDR)
			break;
		top = below->start;
		if (below->flags & VMA_GROWSDOWN)
			top -= MIN(top, STACK_GUARD_BYTES);
	}
	return 0;
}

/* The gap that ends here may now be larger than what is on record. */
void vma_gap_freed(struct mm *mm, u64 end)
{
	if (end > mm->gap_top) {
		mm->gap_top = mm->mmap_top;
		mm->gap_known = 0;
	}
}
