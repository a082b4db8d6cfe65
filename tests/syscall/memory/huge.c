/*
 * Memory that may be in blocks of 2 MiB: whatever is done to a part of one, contents and rights are
 * those of pages.
 */
#include <sys/wait.h>

#include "tests/syscall/memory/memory.h"

#define MIB	    (1UL << 20)
#define BLOCK	    (2 * MIB)
#define BLOCK_PAGES (BLOCK / PAGE)

/* `blocks` aligned blocks, each page marked; the mapping that holds them begins a block earlier. */
static char *map_blocks(size_t blocks)
{
	char *p = mmap(NULL, (blocks + 2) * BLOCK, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	p = (char *)(((uintptr_t)p + 2 * BLOCK - 1) & ~(BLOCK - 1));
	for (size_t i = 0; i < blocks * BLOCK_PAGES; i++)
		*(size_t *)(p + i * PAGE) = i + 1;
	return p;
}

static void unmap_blocks(char *p, size_t blocks)
{
	munmap(p - BLOCK, (blocks + 2) * BLOCK);
}

/* Pages from first on, up to end, whose mark is not theirs. */
static size_t wrong(const char *p, size_t first, size_t end)
{
	size_t n = 0;

	for (size_t i = first; i < end; i++)
		n += *(const size_t *)(p + i * PAGE) != i + 1;
	return n;
}

static long huge_kib(void)
{
	return proc_value("/proc/meminfo", "AnonHugePages:");
}

TEST(blocks_are_used_and_given_back)
{
	long before = huge_kib();
	char *p = map_blocks(4);

	CHECK_EQ(wrong(p, 0, 4 * BLOCK_PAGES), 0);
	for (size_t i = 8; i < 4 * BLOCK; i += PAGE)
		CHECK_EQ(*(size_t *)(p + i), 0);
	if (before >= 0)
		CHECK(huge_kib() >= before + 4 * 2048);
	unmap_blocks(p, 4);
	if (before >= 0)
		CHECK(huge_kib() < before + 4 * 2048);
}

TEST(advice_against_blocks)
{
	long before = huge_kib();
	char *p = mmap(NULL, 3 * BLOCK, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_EQ(sys3(SYS_madvise, p, 3 * BLOCK, MADV_NOHUGEPAGE), 0);
	memset(p, 1, 3 * BLOCK);
	CHECK(huge_kib() <= before);
	munmap(p, 3 * BLOCK);
}

TEST(part_of_a_block_is_unmapped)
{
	char *p = map_blocks(2);

	munmap(p + 3 * PAGE, 2 * PAGE);
	CHECK(!is_mapped(p + 3 * PAGE) && is_mapped(p + 5 * PAGE));
	CHECK_EQ(wrong(p, 0, 3) + wrong(p, 5, 2 * BLOCK_PAGES), 0);
	munmap(p + BLOCK - PAGE, 2 * PAGE);
	CHECK_EQ(wrong(p, 5, BLOCK_PAGES - 1) + wrong(p, BLOCK_PAGES + 1, 2 * BLOCK_PAGES), 0);
	unmap_blocks(p, 2);
}

TEST(part_of_a_block_is_protected)
{
	char *p = map_blocks(2);
	int pipes[2];

	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(mprotect(p + 7 * PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(wrong(p, 0, 2 * BLOCK_PAGES), 0);
	CHECK_EQ(write(pipes[1], "x", 1), 1);
	CHECK_EQ(sys3(SYS_read, pipes[0], p + 7 * PAGE, 1), -EFAULT);
	CHECK_EQ(sys3(SYS_read, pipes[0], p + 8 * PAGE + 16, 1), 1);
	CHECK_EQ(mprotect(p, 2 * BLOCK, PROT_NONE), 0);
	CHECK_EQ(sys3(SYS_write, pipes[1], p + BLOCK, 1), -EFAULT);
	CHECK_EQ(mprotect(p, 2 * BLOCK, PROT_READ), 0);
	CHECK_EQ(wrong(p, 0, 2 * BLOCK_PAGES), 0);
	CHECK_EQ(write(pipes[1], "x", 1), 1);
	CHECK_EQ(sys3(SYS_read, pipes[0], p + BLOCK, 1), -EFAULT);
	CHECK_EQ(mprotect(p, 2 * BLOCK, RW), 0);
	CHECK_EQ(sys3(SYS_read, pipes[0], p + BLOCK + 16, 1), 1);
	close(pipes[0]);
	close(pipes[1]);
	unmap_blocks(p, 2);
}

TEST(part_of_a_block_is_discarded)
{
	char *p = map_blocks(2);

	CHECK_EQ(sys3(SYS_madvise, p + 9 * PAGE, PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(*(size_t *)(p + 9 * PAGE), 0);
	CHECK_EQ(wrong(p, 0, 9) + wrong(p, 10, 2 * BLOCK_PAGES), 0);
	CHECK_EQ(sys3(SYS_madvise, p, 2 * BLOCK, MADV_DONTNEED), 0);
	CHECK_EQ(*(size_t *)p + *(size_t *)(p + BLOCK), 0);
	unmap_blocks(p, 2);
}

TEST(blocks_are_copied_on_write_after_a_fork)
{
	char *p = map_blocks(2);
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		size_t bad = wrong(p, 0, 2 * BLOCK_PAGES);

		memset(p, 9, 2 * BLOCK);
		_exit(bad ? 1 : 0);
	}
	*(size_t *)(p + 11 * PAGE) = 0;
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	*(size_t *)(p + 11 * PAGE) = 12;
	CHECK_EQ(wrong(p, 0, 2 * BLOCK_PAGES), 0);
	unmap_blocks(p, 2);
}

TEST(part_of_a_block_moves)
{
	char *p = map_blocks(2);
	char *to = mmap(NULL, BLOCK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_EQ(sys5(SYS_mremap, p + 5 * PAGE, BLOCK, BLOCK, 3, to), to);
	for (size_t i = 0; i < BLOCK_PAGES; i++)
		CHECK_EQ(*(size_t *)(to + i * PAGE), i + 6);
	CHECK(!is_mapped(p + 5 * PAGE));
	CHECK_EQ(wrong(p, 0, 5) + wrong(p, BLOCK_PAGES + 5, 2 * BLOCK_PAGES), 0);
	munmap(to, BLOCK);
	unmap_blocks(p, 2);
}

TEST(blocks_are_resident)
{
	unsigned char vec[BLOCK_PAGES];
	char *p = map_blocks(1);
	size_t resident = 0;

	CHECK_EQ(sys3(SYS_mincore, p, BLOCK, vec), 0);
	for (size_t i = 0; i < BLOCK_PAGES; i++)
		resident += vec[i] & 1;
	CHECK_EQ(resident, BLOCK_PAGES);
	unmap_blocks(p, 1);
}

#define THREADS 4
static char *shared;

static void *touch_and_cut(void *index)
{
	size_t self = (size_t)index;

	for (size_t i = self; i < BLOCK_PAGES; i += THREADS)
		*(size_t *)(shared + i * PAGE) = i + 1;
	if (self == 0)
		mprotect(shared + BLOCK / 2, PAGE, PROT_READ);
	for (size_t i = self; i < BLOCK_PAGES / 2; i += THREADS)
		*(size_t *)(shared + i * PAGE + 8) = i + 1;
	return NULL;
}

TEST(threads_share_a_block_that_is_split)
{
	for (int round = 0; round < 20; round++) {
		pthread_t threads[THREADS];
		size_t bad = 0;
		char *p = mmap(NULL, 3 * BLOCK, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		shared = (char *)(((uintptr_t)p + BLOCK - 1) & ~(BLOCK - 1));
		/* The page that becomes read-only is written first. */
		*(size_t *)(shared + BLOCK / 2) = BLOCK_PAGES / 2 + 1;
		for (size_t i = 1; i < THREADS; i++)
			threads[i] = thread_start(touch_and_cut, (void *)i);
		touch_and_cut(NULL);
		for (size_t i = 1; i < THREADS; i++)
			thread_join(threads[i]);
		for (size_t i = 0; i < BLOCK_PAGES / 2; i++)
			bad += ((size_t *)(shared + i * PAGE))[1] != i + 1;
		CHECK_EQ(bad + wrong(shared, 0, BLOCK_PAGES), 0);
		munmap(p, 3 * BLOCK);
	}
}
