/*
 * Objects: pages in an index, and the list of mappings that show them.
 *
 * Pages are found without a lock, under the epoch. The object's own reference to a frame that is
 * cut off is dropped only after a grace period, so whoever found it may count it up first (page.h).
 * Truncation against a fault: the size is lowered, then every mapping is zapped under its leaf
 * locks; a fault tests the size under the same lock before it installs an entry (fault_fill.c). One of
 * them sees the other. A hole in the middle: pages leave the index, `punches` is counted up, then the
 * mappings are zapped; a fault notes `punches` before it looks for a page, and tests it under the
 * leaf lock.
 */
#include "abi/errno.h"
#include "kernel/mm/page_index.h"
#include "kernel/mm/space.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/percpu.h"

#include <string.h>

#define ID_BLOCK  1024UL
#define CUT_BATCH 256U

struct object {
	struct vm_object public; /* first */
	struct vm_object_private private;
	struct page_index index;
	struct epoch_node free_node;
};

LOCK_CLASS(vm_object, RANK_OBJECT);
LOCK_CLASS(vm_mappings, RANK_MAPPING);

static struct slab_cache *object_cache;

struct id_block {
	u64 next, end; /* [c] */
};
static PERCPU(struct id_block, id_block);
static u64 id_next = 1; /* [a] */

u64 mm_new_id(void)
{
	struct id_block *block = this_cpu_ptr(id_block);

	if (block->next == block->end) {
		block->next = atomic_fetch_add_relaxed(&id_next, ID_BLOCK);
		block->end = block->next + ID_BLOCK;
	}
	return block->next++;
}

void vm_object_init(void)
{
	page_index_init();
	object_cache = slab_create("vm_object", sizeof(struct object), 0);
}

struct vm_object *vm_object_create(u64 size)
{
	struct object *o = slab_alloc(object_cache);

	if (!o)
		return NULL;
	memset(o, 0, sizeof(*o));
	o->public.id = mm_new_id();
	o->public.size = size;
	o->public.refs = 1;
	o->public.priv = &o->private;
	o->private.index = &o->index;
	spin_init(&o->private.lock, &vm_object_class);
	mutex_init(&o->private.mappings_lock, &vm_mappings_class);
	list_init(&o->private.mappings);
	return &o->public;
}

struct vm_object *vm_object_create_promised(u64 size, u32 flags)
{
	u64 pages = flags & VMA_NORESERVE ? 0 : size >> PAGE_SHIFT;
	struct vm_object *o = commit_may(pages) ? NULL : vm_object_create(size);

	if (o) {
		o->priv->promised = pages;
		commit_add(pages);
	}
	return o;
}

void vm_object_set_budget(struct vm_object *o, struct vm_budget *b)
{
	o->priv->budget = b;
}

void vm_object_get(struct vm_object *o)
{
	atomic_fetch_add_relaxed(&o->refs, 1U);
}

static void object_uncharge(struct vm_object_private *priv)
{
	if (priv->budget)
		vm_budget_uncharge(priv->budget);
}

static void object_free_page(void *page, void *priv)
{
	object_uncharge(priv);
	page_put(page);
}

/*
 * No reader can be left: it would have come by a reference or by a mapping, and those are a grace
 * period gone.
 */
static void object_destroy(struct epoch_node *node)
{
	struct object *o = container_of(node, struct object, free_node);

	page_index_cut(&o->index, 0, ~0UL, ~0U, object_free_page, &o->private);
	slab_free(object_cache, o);
}

void vm_object_put(struct vm_object *o)
{
	if (atomic_fetch_add(&o->refs, -1U) != 1)
		return;
	commit_add(-o->priv->promised);
	epoch_defer(&container_of(o, struct object, public)->free_node, object_destroy);
}

/*
 * Takes the reference on `page` over, unless another page is there already: then that one is
 * returned, counted up.
 */
static void *object_insert(struct vm_object *o, u64 index, void *page, int *err)
{
	struct vm_object_private *priv = o->priv;
	void *present;

	page_set_kind(page, PAGE_KIND_OBJECT);
	spin_lock(&priv->lock);
	present = page_index_find(priv->index, index);
	*err = present ? -EEXIST : page_index_insert(priv->index, index, page);
	if (present)
		page_get(present);
	else if (!*err)
		atomic_store_relaxed(&priv->nr_pages, priv->nr_pages + 1);
	spin_unlock(&priv->lock);
	return present;
}

static int object_charge(struct vm_object *o)
{
	return o->priv->budget ? vm_budget_charge(o->priv->budget) : 0;
}

static void *object_find(struct vm_object *o, u64 index)
{
	void *page;

	epoch_enter();
	page = page_index_find(o->priv->index, index);
	if (page)
		page_get(page);
	epoch_exit();
	return page;
}

/* Puts a fresh page in, unless somebody was first: then *page is that one. */
static int object_make_page(struct vm_object *o, u64 index, void **page)
{
	void *fresh = page_alloc(0, PAGE_ZERO | PAGE_PROGRAM), *present;
	int err;

	if (!fresh)
		return -ENOMEM;
	page_get(fresh); /* one for the object, one for the caller */
	present = object_insert(o, index, fresh, &err);
	*page = err ? present : fresh;
	if (err) {
		page_put(fresh);
		page_put(fresh);
	}
	return err;
}

int vm_object_make_page(struct vm_object *o, u64 index, void **page)
{
	int err;

	*page = object_find(o, index);
	if (*page)
		return 0;
	err = object_charge(o);
	if (err)
		return err;
	err = object_make_page(o, index, page);
	if (err)
		object_uncharge(o->priv);
	return err == -EEXIST ? 0 : err;
}

void *vm_object_page(struct vm_object *o, u64 index, bool create)
{
	void *page;

	if (!create)
		return object_find(o, index);
	return vm_object_make_page(o, index, &page) ? NULL : page;
}

int vm_object_adopt(struct vm_object *o, u64 index, void *page)
{
	void *present;
	int err = object_charge(o);

	if (err)
		return err;
	present = object_insert(o, index, page, &err);
	if (present)
		page_put(present);
	if (err)
		object_uncharge(o->priv);
	return err;
}

u64 vm_object_pages(struct vm_object *o)
{
	return atomic_load_relaxed(&o->priv->nr_pages);
}

static void object_page_expired(struct epoch_node *node)
{
	page_put(page_address(container_of(node, struct page, epoch)));
}

/*
 * Mappings and readers may still hold the frame; the object's reference goes after the readers are
 * gone.
 */
static void object_cut_page(void *page, void *arg)
{
	struct vm_object_private *priv = arg;

	atomic_store_relaxed(&priv->nr_pages, priv->nr_pages - 1);
	object_uncharge(priv);
	epoch_defer(&page_of(page)->epoch, object_page_expired);
}

/* Bytes behind the end of a file read as zero when it grows again. */
static void object_zero_tail(struct vm_object *o, u64 size)
{
	u64 used = size & (PAGE_SIZE - 1);
	char *page = used ? vm_object_page(o, size >> PAGE_SHIFT, false) : NULL;

	if (!page)
		return;
	memset(page + used, 0, PAGE_SIZE - used);
	page_put(page);
}

/* Pages first..last from all mappings; private copies stay if they are to. */
static void object_unmap(struct vm_object *o, u64 first, u64 last, bool keep_copies)
{
	struct vm_object_private *priv = o->priv;
	struct vma *vma;

	mutex_lock(&priv->mappings_lock);
	list_for_each(vma, &priv->mappings, mapping) {
		u64 vma_first = vma->offset >> PAGE_SHIFT;
		u64 vma_last = vma_first + ((vma->end - vma->start) >> PAGE_SHIFT) - 1;
		u64 from = MAX(first, vma_first), to = MIN(last, vma_last);

		if (from <= to)
			zap_object_range(vma->mm, vma->start + ((from - vma_first) << PAGE_SHIFT),
					 vma->start + ((to + 1 - vma_first) << PAGE_SHIFT),
					 keep_copies);
	}
	mutex_unlock(&priv->mappings_lock);
}

static void object_cut(struct vm_object *o, u64 first, u64 last)
{
	struct vm_object_private *priv = o->priv;
	bool done = false;

	while (!done) {
		spin_lock(&priv->lock);
		done = page_index_cut(priv->index, first, last, CUT_BATCH, object_cut_page, priv);
		spin_unlock(&priv->lock);
		hart_relax();
	}
}

void vm_object_punch(struct vm_object *o, u64 first, u64 nr)
{
	if (!nr)
		return;
	object_cut(o, first, first + nr - 1);
	atomic_fetch_add(&o->priv->punches, 1UL); /* (P): a full barrier, see fault_may_install() */
	object_unmap(o, first, first + nr - 1, true);
}

/* One stretch of pages under one epoch; true when the answer is in *index. */
static bool object_next_hole(struct vm_object *o, u64 *index)
{
	bool hole = false;

	epoch_enter();
	for (u32 i = 0; i < CUT_BATCH && !hole; i++) {
		hole = !page_index_find(o->priv->index, *index);
		*index += !hole;
	}
	epoch_exit();
	return hole;
}

u64 vm_object_next(struct vm_object *o, u64 index, bool data)
{
	if (data) {
		epoch_enter();
		index = page_index_next(o->priv->index, index);
		epoch_exit();
		return index;
	}
	while (!object_next_hole(o, &index))
		hart_relax();
	return index;
}

int vm_object_resize(struct vm_object *o, u64 size)
{
	u64 first = ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT;
	u64 old = atomic_load_relaxed(&o->size);

	atomic_store_relaxed(&o->size, size);
	if (size >= old)
		return 0;
	fence_full(); /* (S): pairs with the leaf lock in fault_install() */
	object_unmap(o, first, ~0UL, false);
	object_cut(o, first, ~0UL);
	object_zero_tail(o, size);
	return 0;
}

int vm_object_hold_writable(struct vm_object *o)
{
	s64 count = atomic_load_relaxed(&o->priv->writable);

	while (count >= 0 && !atomic_cas(&o->priv->writable, count, count + 1))
		count = atomic_load_relaxed(&o->priv->writable);
	return count < 0 ? -EPERM : 0;
}

void vm_object_drop_writable(struct vm_object *o)
{
	atomic_fetch_add(&o->priv->writable, -1L);
}

int vm_object_deny_writable(struct vm_object *o)
{
	s64 count = atomic_load_relaxed(&o->priv->writable);

	return count < 0 || atomic_cas(&o->priv->writable, 0L, -1L) ? 0 : -EBUSY;
}

/* A copy, part or move of a mapping that may write, or the one for which the caller holds. */
void vm_object_link(struct vma *vma)
{
	struct vm_object_private *priv = vma->object->priv;

	if (vma_writes_object(vma))
		atomic_fetch_add(&priv->writable, 1L);

	mutex_lock(&priv->mappings_lock);
	list_add_tail(&priv->mappings, &vma->mapping);
	mutex_unlock(&priv->mappings_lock);
}

void vm_object_unlink(struct vma *vma)
{
	struct vm_object_private *priv = vma->object->priv;

	if (vma_writes_object(vma))
		atomic_fetch_add(&priv->writable, -1L);
	mutex_lock(&priv->mappings_lock);
	list_del(&vma->mapping);
	mutex_unlock(&priv->mappings_lock);
}
