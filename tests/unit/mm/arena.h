/*
 * Memory for the allocators under test: a block of the host's, described by frame structures as at
 * boot. Host addresses pass through the direct map's arithmetic unharmed.
 */
#ifndef TESTS_UNIT_MM_ARENA_H
#define TESTS_UNIT_MM_ARENA_H

#include "kernel/log/log.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/space.h"
#include "tests/unit/host_cpu.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_PAGES 8192UL

#define ARENA_HARTS 3

/*
 * Once: pretends ARENA_HARTS harts with ARENA_PAGES free frames between them, and starts the
 * allocators. The calling thread is hart 0. Tests give back what they take.
 */
static inline void arena_init(void)
{
	static char *arena;

	if (!arena) {
		arena = aligned_alloc(4UL << 20, ARENA_PAGES * PAGE_SIZE);
		host_cpus_init(ARENA_HARTS);
		host_cpu_become(0);
		page_init(va_to_pa(arena), ARENA_PAGES, calloc(ARENA_PAGES, sizeof(struct page)));
		page_add_range(va_to_pa(arena), va_to_pa(arena) + ARENA_PAGES * PAGE_SIZE);
		slab_init();
		vm_object_init();
		vma_init();
	}
	host_cpu_become(0);
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	abort();
}

#endif
