/*
 * Locked memory: what is allowed, what is counted. Root may lock all it likes, so the limits are
 * tested in a child that is somebody else.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/syscall/memory/memory.h"

#define NO_USERS 99

TEST(locked_memory_is_resident)
{
	char *p = map_pages(4);
	unsigned char vec[4];

	CHECK_EQ(sys2(SYS_mlock, p + PAGE + 100, PAGE), 0);
	CHECK_EQ(sys3(SYS_mincore, p, 4 * PAGE, vec), 0);
	CHECK_EQ(vec[1] & vec[2] & 1, 1);
	CHECK_EQ(sys3(SYS_madvise, p, 4 * PAGE, MADV_DONTNEED), -EINVAL);
	CHECK_EQ(sys3(SYS_madvise, p + PAGE, PAGE, 24), 0); /* MADV_DONTNEED_LOCKED */
	CHECK_EQ(sys3(SYS_msync, p, 4 * PAGE, MS_INVALIDATE), -EBUSY);
	CHECK_EQ(sys2(SYS_munlock, p, 4 * PAGE), 0);
	CHECK_EQ(sys3(SYS_madvise, p, 4 * PAGE, MADV_DONTNEED), 0);
	munmap(p, 4 * PAGE);
	p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(sys3(SYS_mincore, p, 2 * PAGE, vec), 0);
	CHECK_EQ(vec[0] & vec[1] & 1, 1);
	munmap(p, 2 * PAGE);
}

TEST(later_mappings_are_locked)
{
	unsigned char vec[2];
	char *p;

	CHECK_EQ(sys1(SYS_mlockall, MCL_FUTURE), 0);
	p = map_pages(2);
	CHECK_EQ(sys3(SYS_mincore, p, 2 * PAGE, vec), 0);
	CHECK_EQ(vec[0] & vec[1] & 1, 1);
	CHECK_EQ(sys0(SYS_munlockall), 0);
	CHECK_EQ(sys3(SYS_madvise, p, 2 * PAGE, MADV_DONTNEED), 0);
	munmap(p, 2 * PAGE);
	CHECK_EQ(sys1(SYS_mlockall, MCL_CURRENT), 0);
	CHECK_EQ(sys0(SYS_munlockall), 0);
}

TEST(locking_refusals)
{
	char *p = map_pages(4), *hole = page_unmapped();
	const struct errno_case cases[] = {
		{"hole", SYS_mlock, {(long)hole, PAGE}, ENOMEM},
		{"wrap", SYS_mlock, {(long)p, -(long)PAGE * 2 - (long)p}, ENOMEM},
		{"nothing", SYS_mlock, {(long)hole, 0}, 0},
		{"unlock hole", SYS_munlock, {(long)hole, PAGE}, ENOMEM},
		{"flags", SYS_mlock2, {(long)p, PAGE, 2}, EINVAL},
		{"on fault", SYS_mlock2, {(long)p, PAGE, 1}, 0},
		{"all: no flags", SYS_mlockall, {0}, EINVAL},
		{"all: flags", SYS_mlockall, {8}, EINVAL},
		{"all: on fault alone", SYS_mlockall, {4}, EINVAL},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	mprotect(p, PAGE, PROT_NONE);
	CHECK_EQ(sys2(SYS_mlock, p, PAGE), -ENOMEM);
	munmap(p, 4 * PAGE);
}

/* The steps below, as user 1000 with a limit of eight pages; returns the one that failed. */
static int lock_as_user(void)
{
	struct rlimit limit = {8 * PAGE, 8 * PAGE};
	char *p = map_pages(16), *q;

	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		return 1;
	if (sys3(SYS_setresuid, 1000, 1000, 1000))
		return NO_USERS;
	if (sys2(SYS_mlock, p, 8 * PAGE) || sys2(SYS_mlock, p, 4 * PAGE))
		return 2;
	if (sys2(SYS_mlock, p, 9 * PAGE) != -ENOMEM || sys2(SYS_mlock, p + 8 * PAGE, 1) != -ENOMEM)
		return 3;
	q = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	if (q != MAP_FAILED || errno != EAGAIN)
		return 4;
	if (sys5(SYS_mremap, p, 8 * PAGE, 9 * PAGE, MREMAP_MAYMOVE, 0) != -EAGAIN)
		return 5;
	munmap(p, 4 * PAGE);
	if (sys2(SYS_mlock, p + 8 * PAGE, 4 * PAGE))
		return 6;
	if (sys1(SYS_mlockall, MCL_CURRENT) != -ENOMEM)
		return 7;
	limit = (struct rlimit){0, 0};
	if (setrlimit(RLIMIT_MEMLOCK, &limit) || sys2(SYS_mlock, p + 12 * PAGE, 1) != -EPERM)
		return 8;
	return sys2(SYS_munlock, p + 4 * PAGE, 12 * PAGE) ? 9 : 0;
}

TEST(locked_memory_is_limited)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(lock_as_user());
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_USERS) {
		test_skip("setresuid is missing");
		return;
	}
	CHECK_EQ(WEXITSTATUS(status), 0);
}

TEST(locked_memory_is_not_to_go)
{
	static const int advices[] = {MADV_DONTNEED, MADV_FREE, MADV_COLD, MADV_PAGEOUT};
	char *p = map_pages(2);

	memset(p, 5, 2 * PAGE);
	CHECK_EQ(mlock(p + PAGE, PAGE), 0);
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		CHECK_EQ(sys3(SYS_madvise, p + PAGE, PAGE, advices[i]), -EINVAL);
	CHECK_EQ(p[PAGE], 5);
	CHECK_EQ(sys3(SYS_madvise, p, PAGE, MADV_COLD), 0);
	munmap(p, 2 * PAGE);
}
