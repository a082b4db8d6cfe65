/*
 * What the tests of memory share.
 */
#ifndef TESTS_SYSCALL_MEMORY_H
#define TESTS_SYSCALL_MEMORY_H

#include <sys/mman.h>

#include "tests/syscall/harness.h"

#define PAGE 4096UL
#define RW   (PROT_READ | PROT_WRITE)

static inline char *map_pages(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* msync tells of each page whether it is mapped. */
static inline bool is_mapped(const char *p)
{
	return sys3(SYS_msync, p, PAGE, MS_ASYNC) == 0;
}

#endif
