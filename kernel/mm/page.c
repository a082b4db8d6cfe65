/*
 * Page allocator: a magazine of single frames per hart in front of the buddy zone.
 *
 * A hart allocates from and frees to its own magazine without a lock or atomic; it exchanges half a
 * magazine with the zone at a time. A frame may be freed on another hart than it came from:
 * magazines own nothing for longer than they hold it.
 *
 * Programs' memory leaves a margin to the kernel's own, so that calls go on to work while a program
 * has taken all it could get; both leave a reserve to threads on their way out (oom.c).
 */
#include "kernel/mm/page.h"

#include "kernel/log/log.h"
#include "kernel/mm/buddy.h"
#include "kernel/sync/percpu.h"
#include "kernel/trace/trace.h"

#include <string.h>

#define MAGAZINE_SIZE  128U
#define MAGAZINE_BATCH (MAGAZINE_SIZE / 2)
#define POISON_FREE    0x6b

struct magazine {
	u32 count;			   /* [c] read by others as a hint: atomic */
	struct page *pages[MAGAZINE_SIZE]; /* [c] */
};

struct page *page_array;
u64 page_base;
u64 page_count;

static PERCPU(struct magazine, magazine);
static struct buddy zone;
static u64 zone_reserve; /* [I] frames kept for PAGE_RESERVE */
static u64 zone_margin;	 /* [I] frames above those that PAGE_PROGRAM leaves */
static u64 zone_total;	 /* [I] frames that can be allocated */

void mm_bounds(u64 *start, u64 *end)
{
	*start = page_base;
	*end = page_base + (page_count << PAGE_SHIFT);
}

void page_init(u64 base, u64 count, struct page *array)
{
	page_base = base;
	page_count = count;
	page_array = array;
	buddy_init(&zone, array, count);
}

void page_add_range(u64 start, u64 end)
{
	if (start >= end)
		return;
	buddy_add(&zone, (start - page_base) >> PAGE_SHIFT, (end - page_base) >> PAGE_SHIFT);
	zone_total += (end - start) >> PAGE_SHIFT;
	zone_reserve = MIN(zone_total / 128, 512UL);
	zone_margin = zone_total / 256;
}

void page_adopt_range(u64 start, u64 end)
{
	for (u64 pa = start; pa < end; pa += PAGE_SIZE)
		page_of(pa_to_va(pa))->refs = 1;
	zone_total += (end - start) >> PAGE_SHIFT;
}

u64 mm_total_pages(void)
{
	return zone_total;
}

u64 mm_free_pages(void)
{
	u64 pages = atomic_load_relaxed(&zone.nr_free);

	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		pages += atomic_load_relaxed(&cpu_ptr(magazine, cpu)->count);
	return pages;
}

bool page_plentiful(void)
{
	return atomic_load_relaxed(&zone.nr_free) > zone_total / 8;
}

void page_copy(void *dst, const void *src)
{
	u64 *d = dst;
	const u64 *s = src;

	for (u64 *end = d + PAGE_SIZE / sizeof(*d); d < end; d += 4, s += 4) {
		u64 a = s[0], b = s[1], c = s[2], e = s[3];

		d[0] = a;
		d[1] = b;
		d[2] = c;
		d[3] = e;
		__asm__ volatile("" ::: "memory");
	}
}

static void page_poison(struct page *page, u32 order)
{
#ifdef KERNEL_DEBUG
	memset(page_address(page), POISON_FREE, PAGE_SIZE << order);
#else
	(void)page;
	(void)order;
#endif
}

struct mm_oom_ops mm_oom_ops;

bool page_dying(void)
{
	return mm_oom_ops.dying && mm_oom_ops.dying();
}

bool page_program_may(void)
{
	return atomic_load_relaxed(&zone.nr_free) > zone_reserve + zone_margin;
}

/* Frames that an allocation must leave in the zone. */
static u64 page_leave(u32 flags)
{
	if (flags & PAGE_RESERVE)
		return 0;
	return zone_reserve + (flags & PAGE_PROGRAM ? zone_margin : 0);
}

static struct page *magazine_pop(u32 flags)
{
	struct magazine *m = this_cpu_ptr(magazine);

	if (unlikely(!m->count))
		m->count = buddy_alloc_batch(&zone, m->pages, MAGAZINE_BATCH, page_leave(flags));
	if (unlikely(!m->count && page_dying()))
		m->count = buddy_alloc_batch(&zone, m->pages, 1, 0);
	if (unlikely(!m->count))
		return NULL;
	atomic_store_relaxed(&m->count, m->count - 1);
	return m->pages[m->count];
}

static void magazine_push(struct page *page)
{
	struct magazine *m = this_cpu_ptr(magazine);

	if (unlikely(m->count == MAGAZINE_SIZE)) {
		m->count -= MAGAZINE_BATCH;
		buddy_free_batch(&zone, &m->pages[m->count], MAGAZINE_BATCH);
	}
	m->pages[m->count] = page;
	atomic_store_relaxed(&m->count, m->count + 1);
}

void page_drain_hart(void)
{
	struct magazine *m = this_cpu_ptr(magazine);

	buddy_free_batch(&zone, m->pages, m->count);
	atomic_store_relaxed(&m->count, 0);
}

static struct page *page_take(u32 order, u32 flags)
{
	struct page *page;

	if (order == 0)
		return magazine_pop(flags);
	if (order > BUDDY_MAX_ORDER)
		return NULL;
	page = buddy_alloc(&zone, order, page_leave(flags));
	if (page)
		return page;
	/* Frames in this hart's magazine may be what keeps a block from merging. */
	page_drain_hart();
	return buddy_alloc(&zone, order, page_dying() ? 0 : page_leave(flags));
}

void *page_alloc(u32 order, u32 flags)
{
	struct page *page = page_take(order, flags);
	char *va;

	if (unlikely(!page)) {
		trace_page_short((u16)order, mm_free_pages());
		return NULL;
	}
	page_become(page, PAGE_KIND_NONE);
	page->refs = 1;
	va = page_address(page);
	if (flags & PAGE_ZERO) {
		for (u64 i = 0; i < 1UL << order; i++)
			page_zero(va + i * PAGE_SIZE);
	}
	return va;
}

u32 page_alloc_batch(void **pages, u32 count, u32 flags)
{
	for (u32 i = 0; i < count; i++) {
		pages[i] = page_alloc(0, flags);
		if (!pages[i])
			return i;
	}
	return count;
}

void page_free(void *va, u32 order)
{
	struct page *page = page_of(va);

	ASSERT(page_valid(va) && page->kind == PAGE_KIND_NONE);
	page_poison(page, order);
	if (order == 0)
		magazine_push(page);
	else
		buddy_free(&zone, page, order);
}

static void page_count_kind(u8 kind, u64 delta)
{
	if (kind == PAGE_KIND_ANONYMOUS)
		mm_count(MM_ANONYMOUS, delta);
	else if (kind == PAGE_KIND_OBJECT)
		mm_count(MM_OBJECT, delta);
}

void page_set_kind(void *va, enum page_kind kind)
{
	struct page *page = page_of(va);

	if (page->kind == kind)
		return;
	page_count_kind(page->kind, -1UL);
	page_become(page, kind);
	page_count_kind((u8)kind, 1);
}

void page_get(void *va)
{
	atomic_fetch_add_relaxed(&page_of(va)->refs, 1U);
}

/*
 * The subtraction is a full barrier: every use of the frame by other holders is over before it is
 * freed.
 */
void page_put(void *va)
{
	struct page *page = page_of(va);

	/* The only holder needs no atomic operation: nobody else can count it up. */
	if (atomic_load_acquire(&page->refs) == 1 || atomic_fetch_add(&page->refs, -1U) == 1) {
		page_count_kind(page->kind, -1UL);
		page_become(page, PAGE_KIND_NONE);
		page_free(va, 0);
	}
}
