/*
 * Faults on a file's pages, changes of the address space. Threads share the space and nothing
 * else. fault-file reads each page of a shared mapping, fault-cow writes each page of a private
 * one: an operation is one page, with its share of mmap and munmap. mmap makes and removes a
 * mapping of .arg pages, untouched; mmap-populate one whose pages are all there, so that munmap
 * must free them. mprotect takes the right to write from .arg pages that are there, and gives it
 * back: one operation each.
 */
#define _GNU_SOURCE
#include "perf/process/process.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int file = -1;

static uint64_t *map(size_t pages, int flags, int fd)
{
	uint64_t *words = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (words == MAP_FAILED)
		bench_fail("mmap of %zu pages: %s", pages, strerror(errno));
	return words;
}

static void unmap(uint64_t *words, size_t pages)
{
	if (munmap(words, pages * PAGE) < 0)
		bench_fail("munmap of %zu pages: %s", pages, strerror(errno));
}

static uint64_t *page_word(uint64_t *words, size_t page)
{
	return words + page * (PAGE / sizeof(*words));
}

/* The file's page i holds i. */
const char *file_setup(struct bench_team *team)
{
	size_t pages = team->bench->arg;
	uint64_t *words;

	file = memfd_create("bench", MFD_CLOEXEC);
	if (file < 0)
		return bench_unsupported("memfd_create");
	if (ftruncate(file, pages * PAGE) < 0)
		return bench_unsupported("ftruncate");
	words = map(pages, MAP_SHARED, file);
	for (size_t i = 0; i < pages; i++)
		*page_word(words, i) = i;
	unmap(words, pages);
	return NULL;
}

void file_teardown(struct bench_team *team)
{
	(void)team;
	close(file);
}

static void fault_pages(struct bench_worker *worker, int flags, bool write)
{
	size_t pages = worker->team->bench->arg;
	uint64_t *words = map(pages, flags, file);

	for (size_t i = 0; i < pages; i++) {
		uint64_t *word = page_word(words, i);

		if (write)
			word[1] = worker->index + 1;
		if (word[0] != i || (write && word[1] != (uint64_t)worker->index + 1))
			bench_fail("page %zu of a file holds %llu", i, (unsigned long long)word[0]);
	}
	unmap(words, pages);
	worker->done += pages;
}

void fault_file_work(struct bench_worker *worker)
{
	while (worker->done < worker->ops)
		fault_pages(worker, MAP_SHARED, false);
}

void fault_cow_work(struct bench_worker *worker)
{
	while (worker->done < worker->ops)
		fault_pages(worker, MAP_PRIVATE, true);
}

void mmap_work(struct bench_worker *worker)
{
	size_t pages = worker->team->bench->arg;

	for (; worker->done < worker->ops; worker->done++)
		unmap(map(pages, MAP_PRIVATE | MAP_ANONYMOUS, -1), pages);
}

void mmap_populate_work(struct bench_worker *worker)
{
	size_t pages = worker->team->bench->arg;

	for (; worker->done < worker->ops; worker->done++)
		unmap(map(pages, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1), pages);
}

void mprotect_work(struct bench_worker *worker)
{
	size_t pages = worker->team->bench->arg;
	uint64_t *words = map(pages, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1);

	for (; worker->done < worker->ops; worker->done++) {
		bool writable = worker->done % 2;

		if (mprotect(words, pages * PAGE, PROT_READ | (writable ? PROT_WRITE : 0)) < 0)
			bench_fail("mprotect of %zu pages: %s", pages, strerror(errno));
		if (writable)
			*words = worker->done;
	}
	unmap(words, pages);
}
