/*
 * madvise, mincore, msync: what they do, and what they refuse.
 */
#include <sys/wait.h>

#include "tests/syscall/memory/memory.h"

static long advise(const void *p, size_t pages, int advice)
{
	return sys3(SYS_madvise, p, pages * PAGE, advice);
}

/* The byte at p as a child of fork sees it; -1: it died of the access. */
static int child_sees(volatile char *p)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(*p);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(memory_is_wiped_on_fork)
{
	char *p = map_pages(3);

	memset(p, 5, 3 * PAGE);
	CHECK_EQ(advise(p + PAGE, 1, MADV_WIPEONFORK), 0);
	CHECK_EQ(child_sees(p), 5);
	CHECK_EQ(child_sees(p + PAGE), 0);
	CHECK_EQ(child_sees(p + 2 * PAGE), 5);
	CHECK_EQ(p[PAGE], 5);
	CHECK_EQ(advise(p, 3, MADV_KEEPONFORK), 0);
	CHECK_EQ(child_sees(p + PAGE), 5);
	munmap(p, 3 * PAGE);
}

TEST(memory_is_left_out_of_a_fork)
{
	char *p = map_pages(3);

	memset(p, 5, 3 * PAGE);
	CHECK_EQ(advise(p + PAGE, 1, MADV_DONTFORK), 0);
	CHECK_EQ(child_sees(p), 5);
	CHECK_EQ(child_sees(p + PAGE), -1);
	CHECK_EQ(advise(p + PAGE, 1, MADV_DOFORK), 0);
	CHECK_EQ(child_sees(p + PAGE), 5);
	munmap(p, 3 * PAGE);
}

TEST(freed_memory_keeps_what_is_written_later)
{
	char *p = map_pages(4);

	memset(p, 5, 4 * PAGE);
	CHECK_EQ(advise(p, 4, MADV_FREE), 0);
	p[PAGE] = 6;
	CHECK_EQ(p[PAGE], 6);
	CHECK(p[0] == 0 || p[0] == 5);
	munmap(p, 4 * PAGE);
}

TEST(hints_are_taken)
{
	static const int hints[] = {
		MADV_NORMAL,   MADV_RANDOM,	MADV_SEQUENTIAL, MADV_WILLNEED, MADV_HUGEPAGE,
		MADV_DONTDUMP, MADV_NOHUGEPAGE, MADV_DODUMP,	 MADV_COLD,	MADV_PAGEOUT,
	};
	char *p = map_pages(3);

	memset(p, 5, 3 * PAGE);
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		CHECK_EQ(advise(p, 3, hints[i]), 0);
	CHECK_EQ(p[PAGE], 5);
	munmap(p + PAGE, PAGE);
	CHECK_EQ(advise(p, 3, MADV_NORMAL), -ENOMEM);
	CHECK_EQ(advise(p, 3, MADV_DONTFORK), -ENOMEM);
	munmap(p, 3 * PAGE);
}

TEST(memory_is_populated)
{
	char *p = map_pages(8);
	unsigned char vec[8];

	CHECK_EQ(advise(p + PAGE, 2, MADV_POPULATE_WRITE), 0);
	CHECK_EQ(sys3(SYS_mincore, p + PAGE, 2 * PAGE, vec), 0);
	CHECK_EQ(vec[0] & vec[1] & 1, 1);
	CHECK_EQ(advise(p, 8, MADV_POPULATE_READ), 0);
	mprotect(p, PAGE, PROT_READ);
	CHECK_EQ(advise(p, 2, MADV_POPULATE_WRITE), -EINVAL);
	mprotect(p, PAGE, PROT_NONE);
	CHECK_EQ(advise(p, 2, MADV_POPULATE_READ), -EINVAL);
	munmap(p, PAGE);
	CHECK_EQ(advise(p, 2, MADV_POPULATE_READ), -ENOMEM);
	munmap(p, 8 * PAGE);
	p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	CHECK_EQ(sys3(SYS_mincore, p, 4 * PAGE, vec), 0);
	CHECK_EQ(vec[0] & vec[1] & vec[2] & vec[3] & 1, 1);
	munmap(p, 4 * PAGE);
}

TEST(residence_is_told)
{
	char *p = map_pages(4);
	unsigned char vec[4];

	CHECK_EQ(sys3(SYS_mincore, p, 4 * PAGE, vec), 0);
	CHECK_EQ(vec[0] | vec[3], 0);
	p[0] = 1;
	CHECK_EQ(sys3(SYS_mincore, p, PAGE, vec), 0);
	CHECK_EQ(vec[0] & 1, 1);
	CHECK_EQ(advise(p, 4, MADV_DONTNEED), 0);
	CHECK_EQ(sys3(SYS_mincore, p, 4 * PAGE, vec), 0);
	CHECK_EQ(vec[0], 0);
	munmap(p, 4 * PAGE);
}

TEST(advice_refusals)
{
	char *p = map_pages(4), *end = p + 4 * PAGE;
	char *shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *hole = page_unmapped();
	const struct errno_case cases[] = {
		{"advice", SYS_madvise, {(long)p, PAGE, 77}, EINVAL},
		{"odd", SYS_madvise, {(long)p + 1, PAGE, MADV_NORMAL}, EINVAL},
		{"nothing", SYS_madvise, {(long)hole, 0, MADV_DONTNEED}, 0},
		{"wrap", SYS_madvise, {(long)p, -1L, MADV_DONTNEED}, EINVAL},
		{"hole", SYS_madvise, {(long)hole, PAGE, MADV_WILLNEED}, ENOMEM},
		{"hole discard", SYS_madvise, {(long)hole, PAGE, MADV_DONTNEED}, ENOMEM},
		{"free shared", SYS_madvise, {(long)shared, PAGE, MADV_FREE}, EINVAL},
		{"wipe shared", SYS_madvise, {(long)shared, PAGE, MADV_WIPEONFORK}, EINVAL},
		{"mincore odd", SYS_mincore, {(long)p + 1, PAGE, (long)p}, EINVAL},
		{"mincore hole", SYS_mincore, {(long)hole, PAGE, (long)p}, ENOMEM},
		{"mincore kernel", SYS_mincore, {-8192L, PAGE, (long)p}, ENOMEM},
		{"mincore answer", SYS_mincore, {(long)p, PAGE, (long)hole}, EFAULT},
		{"mincore nothing", SYS_mincore, {(long)p, 0, (long)p}, 0},
		{"msync flags", SYS_msync, {(long)p, PAGE, 8}, EINVAL},
		{"msync both", SYS_msync, {(long)p, PAGE, MS_SYNC | MS_ASYNC}, EINVAL},
		{"msync odd", SYS_msync, {(long)p + 1, PAGE, MS_SYNC}, EINVAL},
		{"msync hole", SYS_msync, {(long)hole, PAGE, MS_SYNC}, ENOMEM},
		{"msync wrap", SYS_msync, {(long)p, -1L, MS_SYNC}, 0},
		{"msync nothing", SYS_msync, {(long)p, 0, MS_SYNC}, 0},
		{"msync", SYS_msync, {(long)p, PAGE, MS_SYNC | MS_INVALIDATE}, 0},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	munmap(p, (size_t)(end - p));
	munmap(shared, PAGE);
}
