/*
 * Physical frames: one struct page for each 4 KiB of memory, found from its address by arithmetic.
 * What the fields mean depends on who owns the frame, told by `kind`; a frame changes kind only
 * while its owner alone knows it.
 *
 * Frames shared by mappings and objects are reference-counted and always single. An object's
 * reference is dropped only after a grace period, so a reader that found the frame in the index
 * under the epoch may count it up without a check.
 */
#ifndef KERNEL_MM_PAGE_H
#define KERNEL_MM_PAGE_H

#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/spinlock.h"
#include "lib/list.h"
#include "lib/types.h"

enum page_kind {
	PAGE_KIND_NONE,	     /* reserved, or allocated by page_alloc() without further structure */
	PAGE_KIND_BUDDY,     /* first frame of a free block of `order` */
	PAGE_KIND_LARGE,     /* first frame of a kmalloc() of 2^order pages */
	PAGE_KIND_SLAB,	     /* first frame of a slab */
	PAGE_KIND_SLAB_TAIL, /* other frame of a slab */
	PAGE_KIND_OBJECT,    /* of a vm_object, or once was; mappings may hold it too */
	PAGE_KIND_ANONYMOUS, /* of mappings alone */
};

struct page {
	u8 kind;  /* [a] enum page_kind; written by who has the frame, BUDDY [L:zone] */
	u8 order; /* of a free block, a slab or a large allocation */
	u16 cpu;  /* [I] slab: the hart that owns it */
	union {
		u32 refs; /* [a] shared frame */
		struct {
			u16 in_use;   /* [c] slab: objects handed out */
			u16 capacity; /* [I] slab */
		};
	};
	union {
		struct list link;	 /* buddy free list [L:zone]; slab list [c] */
		struct epoch_node epoch; /* frame or page table waiting for its grace period */
	};
	union {
		struct {
			void *free;  /* [c] slab: free objects, chained through their first word */
			void *owner; /* [I] slab: the cache; other frame of a slab: its first */
		};
		struct spinlock table_lock; /* page table: covers its entries */
	};
};

static_assert(sizeof(struct page) == 40, "one per frame: 1% of memory");

extern struct page *page_array; /* [I] frame of address page_base first */
extern u64 page_base;		/* [I] physical address */
extern u64 page_count;		/* [I] */

/*
 * The frame is of `kind` from now on. Whoever frees the neighbouring block looks at any moment whether this one is free: it
 * sees PAGE_KIND_BUDDY only as set under the zone's lock, which it holds, and takes no interest in the others.
 */
static inline void page_become(struct page *page, enum page_kind kind)
{
	atomic_store_relaxed(&page->kind, (u8)kind);
}

static inline struct page *page_of(const void *va)
{
	return &page_array[(va_to_pa(va) - page_base) >> PAGE_SHIFT];
}

static inline void *page_address(const struct page *page)
{
	return pa_to_va(page_base + ((u64)(page - page_array) << PAGE_SHIFT));
}

/* The memory of a device or hole is no frame. */
static inline bool page_valid(const void *va)
{
	return va_to_pa(va) - page_base < page_count << PAGE_SHIFT;
}

/*
 * 555 ns by plain stores under TCG, half of cbo.zero. The barrier keeps the compiler from making a
 * call of it.
 */
static inline void page_zero(void *va)
{
	u64 *p = va;

	for (u64 *end = p + PAGE_SIZE / sizeof(*p); p < end; p += 8) {
		p[0] = 0;
		p[1] = 0;
		p[2] = 0;
		p[3] = 0;
		p[4] = 0;
		p[5] = 0;
		p[6] = 0;
		p[7] = 0;
		__asm__ volatile("" ::: "memory");
	}
}

void page_copy(void *dst, const void *src);

/*
 * Up to `count` single zeroed frames with one reference each. Returns how many there were. For
 * fault-ahead. Context: any, no lock above RANK_ZONE.
 */
u32 page_alloc_batch(void **pages, u32 count, u32 flags);

/* A frame from page_alloc() becomes one of a mapping or an object; the last page_put() ends that. */
void page_set_kind(void *va, enum page_kind kind);

/* Is there memory above what programs leave to the kernel? */
bool page_program_may(void);
/* The running thread is on its way out (mm_oom_ops). */
bool page_dying(void);

/* True while optional uses (fault-ahead) may have memory: more than an eighth is free. */
bool page_plentiful(void);

/* Gives this hart's cached frames back to the buddy allocator. */
void page_drain_hart(void);

/* Boot: takes over `pages` zeroed frame structures, then the free ranges one by one. */
void page_init(u64 base, u64 count, struct page *array);
void page_add_range(u64 start, u64 end);
/* Boot: frames that are in use already, each with one reference for its user. */
void page_adopt_range(u64 start, u64 end);

#endif
