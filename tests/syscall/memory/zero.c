/*
 * Memory that is only read costs nothing; whoever writes gets a page of his own, and all threads see what he wrote.
 */
#include <sched.h>
#include <sys/wait.h>

#include "tests/syscall/memory/memory.h"

#define BLOCK (512 * PAGE) /* 2 MiB */

/* Pages that this process has, by /proc/self/statm. */
static long resident(void)
{
	long size = 0, pages = -1;
	FILE *f = fopen("/proc/self/statm", "r");

	if (CHECK(f)) {
		CHECK_EQ(fscanf(f, "%ld %ld", &size, &pages), 2);
		fclose(f);
	}
	return pages;
}

static long sum_of_pages(const volatile char *p, size_t pages)
{
	long sum = 0;

	for (size_t i = 0; i < pages; i++)
		sum += p[i * PAGE];
	return sum;
}

/* Linux tells of its counters with a delay of up to 64 pages a thread. */
#define SLACK 256

static void check_reads_cost_nothing(char *p, size_t pages)
{
	long before = resident();

	CHECK_EQ(sum_of_pages(p, pages), 0);
	CHECK(resident() - before < SLACK);
	for (size_t i = 0; i < pages; i += 2)
		p[i * PAGE] = 1;
	CHECK(resident() - before >= (long)pages / 2 - SLACK);
	CHECK_EQ(sum_of_pages(p, pages), (long)(pages + 1) / 2);
	CHECK_EQ(p[PAGE], 0);
	CHECK_EQ(madvise(p, pages * PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(sum_of_pages(p, pages), 0);
	CHECK(resident() - before < SLACK);
}

TEST(memory_that_is_only_read_is_not_there)
{
	char *p = map_pages(2048);

	CHECK_EQ(madvise(p, 2048 * PAGE, MADV_NOHUGEPAGE), 0);
	check_reads_cost_nothing(p, 2048);
	munmap(p, 2048 * PAGE);
}

TEST(blocks_that_are_only_read_are_not_there)
{
	char *p = map_pages(5 * BLOCK / PAGE);
	char *block = (char *)(((uintptr_t)p + BLOCK - 1) & ~(BLOCK - 1));
	long before = proc_value("/proc/meminfo", "AnonHugePages:");

	CHECK_EQ(madvise(p, 5 * BLOCK, MADV_HUGEPAGE), 0);
	check_reads_cost_nothing(block, 4 * BLOCK / PAGE);
	munmap(p, 5 * BLOCK);
	/* Blocks of zeroes are not counted, neither when they come nor when they go. */
	CHECK(labs(proc_value("/proc/meminfo", "AnonHugePages:") - before) < 4 * 2048);
}

/* Zeroes that were read are protected, moved, forked and cut like other memory. */
static void check_changes(char *p, size_t bytes)
{
	size_t pages = bytes / PAGE;
	int status;
	pid_t pid;
	char *moved;

	CHECK_EQ(sum_of_pages(p, pages), 0);
	CHECK_EQ(mprotect(p, bytes, PROT_READ), 0);
	CHECK_EQ(mprotect(p, bytes, RW), 0);
	p[0] = 1;
	pid = fork();
	if (pid == 0) {
		p[PAGE] = 2;
		_exit(p[0] == 1 && sum_of_pages(p, pages) == 3 ? 0 : 1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(p[PAGE], 0);
	CHECK_EQ(mprotect(p + 2 * PAGE, PAGE, PROT_NONE), 0);
	CHECK_EQ(mprotect(p + 2 * PAGE, PAGE, RW), 0);
	CHECK_EQ(p[2 * PAGE], 0);
	p[2 * PAGE] = 4;
	moved = mremap(p, bytes, 2 * bytes, MREMAP_MAYMOVE);
	if (!CHECK(moved != MAP_FAILED))
		return;
	CHECK_EQ(sum_of_pages(moved, 2 * pages), 5);
	moved[3 * PAGE] = 8;
	CHECK_EQ(sum_of_pages(moved, 2 * pages), 13);
	munmap(moved, 2 * bytes);
}

TEST(zeroes_are_changed_like_other_memory)
{
	char *p = map_pages(64);

	check_changes(p, 64 * PAGE);
}

TEST(blocks_of_zeroes_are_changed_like_other_memory)
{
	char *p = map_pages(2 * BLOCK / PAGE);
	char *block = (char *)(((uintptr_t)p + BLOCK - 1) & ~(BLOCK - 1));

	if (block > p)
		munmap(p, (size_t)(block - p));
	if (block + BLOCK < p + 2 * BLOCK)
		munmap(block + BLOCK, (size_t)(p + BLOCK - block));
	check_changes(block, BLOCK);
}

TEST(the_kernel_reads_and_writes_zeroes)
{
	char *p = map_pages(4);
	int pipes[2];

	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(sum_of_pages(p, 4), 0);
	CHECK_EQ(write(pipes[1], p, 2 * PAGE), 2 * PAGE);
	p[3 * PAGE] = 1;
	CHECK_EQ(read(pipes[0], p + 2 * PAGE + 1, PAGE), PAGE);
	CHECK_EQ(read(pipes[0], p, PAGE), PAGE);
	CHECK_EQ(p[3 * PAGE], 0);
	CHECK_EQ(sum_of_pages(p, 4), 0);
	close(pipes[0]);
	close(pipes[1]);
	munmap(p, 4 * PAGE);
}
