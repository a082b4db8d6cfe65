/*
 * Slab allocator: equal objects cut from blocks of pages, each block (slab) owned for life by the
 * hart that made it.
 *
 * The owner allocates and frees with plain loads and stores. Another hart's free is one push on the
 * owner's inbox (kernel/sync/inbox.h: whole batches are taken, no single pop, so no ABA); the owner
 * sorts the inbox into its slabs when its current slab is used up, before it asks for pages.
 * Nothing is locked but the page allocator's zone, now and then.
 *
 * A slab is in one of three places: `current`, the list `partial` (some objects free), or nowhere
 * (full: found again from the address of the first object that is freed). An empty slab is given
 * back unless it is `current`.
 *
 * Memory freed from afar stays with a hart that does not allocate until mm_drain_all() reaches it.
 */
#include "kernel/mm/slab.h"

#include "kernel/log/log.h"
#include "kernel/mm/page.h"
#include "kernel/sync/lock_class.h"
#include "kernel/sync/percpu.h"
#include "kernel/trace/trace.h"

#include <string.h>

#define SLAB_ALIGN     16UL
#define SLAB_MIN_COUNT 8 /* objects that a slab holds at least */
#define SLAB_MAX_ORDER 3
#define SLAB_POISON    0x5a

LOCK_CLASS(slab_list_lock, RANK_SLAB);
static struct spinlock slab_list_lock = SPINLOCK_INIT(slab_list_lock_class);
static struct slab_cache *slab_caches; /* [L:slab_list_lock] to add; read without */

/* kmalloc() sizes; from PAGE_SIZE / 2 on whole pages. */
static const struct {
	u16 size;
	const char *name;
} kmalloc_classes[] = {
	{16, "kmalloc-16"},	{32, "kmalloc-32"},	{48, "kmalloc-48"},
	{64, "kmalloc-64"},	{96, "kmalloc-96"},	{128, "kmalloc-128"},
	{192, "kmalloc-192"},	{256, "kmalloc-256"},	{384, "kmalloc-384"},
	{512, "kmalloc-512"},	{768, "kmalloc-768"},	{1024, "kmalloc-1024"},
	{1536, "kmalloc-1536"}, {2048, "kmalloc-2048"},
};
#define KMALLOC_MAX_SLAB 2048UL
static struct slab_cache kmalloc_caches[ARRAY_SIZE(kmalloc_classes)];
static u8 kmalloc_index[KMALLOC_MAX_SLAB / SLAB_ALIGN + 1]; /* [I] by size in units of 16 bytes */

static struct slab_hart *slab_hart_self(struct slab_cache *c)
{
	return &c->harts[cpu_id()];
}

static int slab_setup(struct slab_cache *c, const char *name, size_t size, size_t align)
{
	u32 harts_order = 0;

	align = MAX(align, SLAB_ALIGN);
	*c = (struct slab_cache){.name = name, .size = (u32)ALIGN_UP(size, align)};
	while ((PAGE_SIZE << c->order) / c->size < SLAB_MIN_COUNT && c->order < SLAB_MAX_ORDER)
		c->order++;
	while (PAGE_SIZE << harts_order < MAX_CPUS * sizeof(struct slab_hart))
		harts_order++;
	c->harts = page_alloc(harts_order, PAGE_ZERO);
	if (!c->harts)
		return -1;
	for (u32 cpu = 0; cpu < MAX_CPUS; cpu++)
		list_init(&c->harts[cpu].partial);
	spin_lock(&slab_list_lock);
	c->next = slab_caches;
	atomic_store_release(&slab_caches,
			     c); /* Pairs with the acquire loads in slab_for_each, slab_drain_hart */
	spin_unlock(&slab_list_lock);
	return 0;
}

void slab_init(void)
{
	u32 index = 0;

	for (u32 i = 0; i < ARRAY_SIZE(kmalloc_classes); i++) {
		u32 size = kmalloc_classes[i].size;

		BUG_ON(slab_setup(&kmalloc_caches[i], kmalloc_classes[i].name, size, SLAB_ALIGN));
		for (; index <= size / SLAB_ALIGN; index++)
			kmalloc_index[index] = (u8)i;
	}
}

struct slab_cache *slab_create(const char *name, size_t size, size_t align)
{
	struct slab_cache *c;

	BUG_ON(size == 0 || ALIGN_UP(size, MAX(align, SLAB_ALIGN)) > PAGE_SIZE);
	c = kmalloc(sizeof(*c));
	if (!c)
		return NULL;
	if (slab_setup(c, name, size, align)) {
		kfree(c);
		return NULL;
	}
	return c;
}

/* A new slab of this hart, all objects free; in no list. */
static struct page *slab_grow(struct slab_cache *c, struct slab_hart *h)
{
	char *va = page_alloc(c->order, 0);
	struct page *first;

	if (!va)
		return NULL;
	first = page_of(va);
	first->capacity = (u16)((PAGE_SIZE << c->order) / c->size);
	first->in_use = 0;
	first->order = (u8)c->order;
	first->cpu = (u16)cpu_id();
	first->free = NULL;
	first->owner = c;
	page_become(first, PAGE_KIND_SLAB);
	list_init(&first->link);
	for (u32 i = 1; i < 1U << c->order; i++) {
		first[i].owner = first;
		page_become(&first[i], PAGE_KIND_SLAB_TAIL);
	}
	for (u32 i = first->capacity; i-- > 0;) {
		void **object = (void **)(va + (u64)i * c->size);

#ifdef KERNEL_DEBUG
		memset(object, SLAB_POISON, c->size);
#endif
		*object = first->free;
		first->free = object;
	}
	h->nr_slabs++;
	trace_slab_grow((u16)c->order, c->name);
	return first;
}

static void slab_shrink(struct slab_cache *c, struct slab_hart *h, struct page *slab)
{
	void *va = page_address(slab);

	list_del(&slab->link);
	for (u32 i = 0; i < 1U << c->order; i++)
		page_become(&slab[i], PAGE_KIND_NONE);
	h->nr_slabs--;
	trace_slab_shrink((u16)c->order, c->name);
	page_free(va, c->order);
}

/* The first frame of the slab that `object` lies in. */
static struct page *slab_of(const void *object)
{
	struct page *page = page_of(object);

	return likely(page->kind == PAGE_KIND_SLAB) ? page : page->owner;
}

/* Returns an object to a slab of this hart. */
static void slab_put_back(struct slab_cache *c, struct slab_hart *h, struct page *slab, void *object)
{
	bool was_full = !slab->free;

	ASSERT(slab->in_use > 0);
	*(void **)object = slab->free;
	slab->free = object;
	slab->in_use--;
	if (slab == h->current)
		return;
	if (slab->in_use == 0)
		slab_shrink(c, h, slab);
	else if (was_full)
		list_add(&h->partial, &slab->link);
}

static void slab_take_remote(struct slab_cache *c, struct slab_hart *h)
{
	struct inbox_node *node = inbox_empty(&h->remote) ? NULL : inbox_take_all(&h->remote);

	while (node) {
		struct inbox_node *next = node->next;

		slab_put_back(c, h, slab_of(node), node);
		node = next;
	}
}

static __noinline struct page *slab_refill(struct slab_cache *c, struct slab_hart *h)
{
	struct page *slab;

	slab_take_remote(c, h);
	if (h->current && h->current->free)
		return h->current;
	if (list_empty(&h->partial)) {
		slab = slab_grow(c, h);
		if (!slab)
			return NULL;
	} else {
		slab = list_first(&h->partial, struct page, link);
		list_del(&slab->link);
	}
	h->current = slab;
	return slab;
}

static void slab_poison_check(struct slab_cache *c, const void *object)
{
#ifdef KERNEL_DEBUG
	const u8 *bytes = object;

	for (u32 i = sizeof(void *); i < c->size; i++) {
		if (bytes[i] != SLAB_POISON)
			panic("slab %s: %p written at offset %u after it was freed", c->name,
			      object, i);
	}
#else
	(void)c;
	(void)object;
#endif
}

void *slab_alloc(struct slab_cache *c)
{
	struct slab_hart *h = slab_hart_self(c);
	struct page *slab = h->current;
	void *object;

	if (unlikely(!slab || !slab->free)) {
		slab = slab_refill(c, h);
		if (!slab)
			return NULL;
	}
	object = slab->free;
	slab->free = *(void **)object;
	slab->in_use++;
	slab_poison_check(c, object);
	return object;
}

void slab_free(struct slab_cache *c, void *object)
{
	struct slab_hart *h = slab_hart_self(c);
	struct page *slab = slab_of(object);

	ASSERT(slab->kind == PAGE_KIND_SLAB && slab->owner == c);
#ifdef KERNEL_DEBUG
	memset(object, SLAB_POISON, c->size);
#endif
	if (likely(slab->cpu == cpu_id()))
		slab_put_back(c, h, slab, object);
	else
		inbox_push(&c->harts[slab->cpu].remote, object);
}

void slab_drain_hart(void)
{
	for (struct slab_cache *c = atomic_load_acquire(&slab_caches); c; c = c->next) {
		struct slab_hart *h = slab_hart_self(c);
		struct page *slab = h->current;

		slab_take_remote(c, h);
		if (!slab)
			continue;
		h->current = NULL;
		if (slab->in_use == 0)
			slab_shrink(c, h, slab);
		else if (slab->free)
			list_add(&h->partial, &slab->link);
	}
}

void slab_for_each(void (*fn)(const struct slab_cache *c, u64 nr_slabs, void *arg), void *arg)
{
	for (struct slab_cache *c = atomic_load_acquire(&slab_caches); c; c = c->next) {
		u64 nr_slabs = 0;

		for (u32 cpu = 0; cpu < MAX_CPUS; cpu++)
			nr_slabs += atomic_load_relaxed(&c->harts[cpu].nr_slabs);
		fn(c, nr_slabs, arg);
	}
}

static u32 pages_order(size_t size)
{
	u32 order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

void *kmalloc(size_t size)
{
	u32 order;
	void *va;

	if (likely(size <= KMALLOC_MAX_SLAB))
		return slab_alloc(
			&kmalloc_caches[kmalloc_index[(size + SLAB_ALIGN - 1) / SLAB_ALIGN]]);
	order = pages_order(size);
	va = page_alloc(order, 0);
	if (va) {
		page_of(va)->order = (u8)order;
		page_become(page_of(va), PAGE_KIND_LARGE);
	}
	return va;
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	if (p)
		memset(p, 0, size);
	return p;
}

void kfree(void *p)
{
	struct page *page;

	if (!p)
		return;
	page = page_of(p);
	if (page->kind == PAGE_KIND_LARGE) {
		page_become(page, PAGE_KIND_NONE);
		page_free(p, page->order);
		return;
	}
	BUG_ON(page->kind != PAGE_KIND_SLAB && page->kind != PAGE_KIND_SLAB_TAIL);
	slab_free(slab_of(p)->owner, p);
}
