/*
 * Backings of mappings: open and close balance, once for each mapping that exists.
 */
#include "abi/mman.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "tests/kernel/ktest.h"

#define RW   (PROT_READ | PROT_WRITE)
#define BASE 0x10000000UL

struct counted {
	struct vm_backing backing;
	u32 mappings; /* [a] */
};

static void counted_open(struct vm_backing *b)
{
	atomic_fetch_add_relaxed(&container_of(b, struct counted, backing)->mappings, 1U);
}

static void counted_close(struct vm_backing *b)
{
	atomic_fetch_add_relaxed(&container_of(b, struct counted, backing)->mappings, -1U);
}

static const struct vm_backing_ops counted_ops = {
	.open = counted_open,
	.close = counted_close,
};

KTEST(mm, backings_are_opened_once_a_mapping)
{
	struct counted c = {.backing = {&counted_ops}};
	struct vm_object *o = vm_object_create(8 * PAGE_SIZE);
	struct mm *mm = mm_create(), *child;

	KCHECK(mm_map_backed(mm, BASE, 8 * PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, o, 0,
			     &c.backing) == (long)BASE);
	KCHECK(c.mappings == 1);
	KCHECK(mm_unmap(mm, BASE + 3 * PAGE_SIZE, PAGE_SIZE) == 0 && c.mappings == 2);
	KCHECK(mm_protect(mm, BASE, PAGE_SIZE, PROT_READ) == 0 && c.mappings == 3);
	child = mm_fork(mm);
	KCHECK(c.mappings == 6);
	KCHECK(mm_protect(mm, BASE, PAGE_SIZE, RW) == 0 && c.mappings == 5);
	mm_put(child);
	KCHECK(c.mappings == 2);
	KCHECK(mm_remap(mm, BASE, PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE, 0) > 0);
	KCHECK(c.mappings == 3);
	KCHECK(mm_map(mm, BASE, 4 * PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED, NULL, 0, NULL) ==
	       (long)BASE);
	KCHECK(c.mappings == 2);
	mm_put(mm);
	KCHECK(c.mappings == 0);
	vm_object_put(o);
}
