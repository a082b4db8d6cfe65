/*
 * Page faults on anonymous memory: map a region, write one word in each 4 KiB, unmap. An
 * operation is one such page, with its share of mmap and munmap. Threads share the address space
 * and nothing else.
 *
 * The first touch is a write: a read first would cost Linux a second fault (its shared zero page).
 * The check that each fault gave zeroed memory of its own comes after all of them: the word
 * written must be there still, the word beside it must be zero.
 */
#define _GNU_SOURCE
#include "perf/core/core.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static inline uint64_t *page_words(char *region, uint64_t page)
{
	return (uint64_t *)(region + page * FAULT_PAGE);
}

static void check_region(char *region, uint64_t pages, uint64_t mark)
{
	for (uint64_t page = 0; page < pages; page++) {
		const uint64_t *words = page_words(region, page);

		if (words[0] != mark + page || words[1] != 0)
			bench_fail("page %llu of a private region holds %#llx, %#llx",
				   (unsigned long long)page, (unsigned long long)words[0],
				   (unsigned long long)words[1]);
	}
}

static void fault_region(struct bench_worker *worker, uint64_t pages)
{
	uint64_t mark = (uint64_t)(worker->index + 1) << 32;
	size_t size = pages * FAULT_PAGE;
	char *region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (region == MAP_FAILED)
		bench_fail("mmap of %zu bytes: %s", size, strerror(errno));
	for (uint64_t page = 0; page < pages; page++)
		page_words(region, page)[0] = mark + page;
	check_region(region, pages, mark);
	if (munmap(region, size) < 0)
		bench_fail("munmap: %s", strerror(errno));
	worker->done += pages;
}

void fault_small_work(struct bench_worker *worker)
{
	while (worker->done < worker->ops)
		fault_region(worker, FAULT_SMALL_PAGES);
}

void fault_large_work(struct bench_worker *worker)
{
	while (worker->done < worker->ops)
		fault_region(worker, FAULT_LARGE_PAGES);
}
