/*
 * Limits and promises of memory: RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK, overcommit, MAP_FIXED_NOREPLACE.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/syscall/memory/memory.h"

#define MIB (1UL << 20)

/* fn in a child: its exit status, or minus the signal that ended it. */
static int in_child(int (*fn)(void))
{
	int status = child_status(fn);

	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int set_limit(int resource, size_t bytes)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return -1;
	limit.rlim_cur = bytes;
	return setrlimit(resource, &limit);
}

static long map(size_t bytes, int prot, int flags)
{
	return sys6(SYS_mmap, 0, bytes, prot, MAP_ANONYMOUS | flags, -1, 0);
}

static int address_space_is_limited(void)
{
	if (set_limit(RLIMIT_AS, 64 * MIB))
		return 1;
	if (map(128 * MIB, PROT_NONE, MAP_PRIVATE) != -ENOMEM)
		return 2;
	return map(MIB, RW, MAP_PRIVATE) > 0 ? 0 : 3;
}

static int data_is_limited(void)
{
	long at;

	if (set_limit(RLIMIT_DATA, 128 * MIB))
		return 1;
	if (map(256 * MIB, RW, MAP_PRIVATE) != -ENOMEM)
		return 2;
	if (map(256 * MIB, RW, MAP_SHARED) < 0 || map(256 * MIB, PROT_READ, MAP_PRIVATE) < 0)
		return 3;
	at = map(256 * MIB, PROT_READ, MAP_PRIVATE);
	if (at < 0 || sys3(SYS_mprotect, at, 256 * MIB, RW) != -ENOMEM)
		return 4;
	if (sys3(SYS_mprotect, at, MIB, RW))
		return 5;
	if (sbrk(256 * MIB) != (void *)-1)
		return 6;
	return sbrk((long)PAGE) == (void *)-1 ? 7 : 0;
}

TEST(limits_of_memory_are_kept)
{
	CHECK_EQ(in_child(address_space_is_limited), 0);
	CHECK_EQ(in_child(data_is_limited), 0);
}

static __attribute__((noinline)) int use_stack(size_t pages)
{
	volatile char buffer[PAGE];

	buffer[0] = 1;
	return pages ? use_stack(pages - 1) + buffer[0] : 0;
}

static int stack_grows(void)
{
	return use_stack(512) == 512 ? 0 : 1;
}

static int stack_ends(void)
{
	set_limit(RLIMIT_STACK, MIB);
	return use_stack(512) ? 0 : 1;
}

TEST(stack_grows_to_its_limit)
{
	CHECK_EQ(in_child(stack_grows), 0);
	CHECK_EQ(in_child(stack_ends), -SIGSEGV);
}

static int stack_is_guarded(void)
{
	char here, *below = (char *)((uintptr_t)&here & ~(PAGE - 1)) - 4 * MIB;
	long at = sys6(SYS_mmap, below, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		       -1, 0);

	if (at != (long)below)
		return 1;
	return use_stack(2 * MIB / PAGE) ? use_stack(4 * MIB / PAGE - 128) : 2;
}

TEST(stack_keeps_a_gap_to_what_lies_below)
{
	CHECK_EQ(in_child(stack_is_guarded), -SIGSEGV);
}

static long meminfo(const char *name)
{
	return proc_value("/proc/meminfo", name);
}

TEST(promises_are_counted)
{
	long before = meminfo("Committed_AS:"), total = meminfo("MemTotal:");
	long at = map(256 * MIB, RW, MAP_PRIVATE), shared, quiet;

	CHECK(meminfo("CommitLimit:") > 0);
	CHECK(meminfo("Committed_AS:") >= before + 250 * 1024);
	CHECK_EQ(sys2(SYS_munmap, at, 256 * MIB), 0);
	CHECK(meminfo("Committed_AS:") < before + 16 * 1024);
	shared = map(256 * MIB, RW, MAP_SHARED);
	CHECK(meminfo("Committed_AS:") >= before + 250 * 1024);
	sys2(SYS_munmap, shared, 256 * MIB);
	quiet = map(256 * MIB, RW, MAP_PRIVATE | MAP_NORESERVE);
	CHECK(meminfo("Committed_AS:") < before + 16 * 1024);
	sys2(SYS_munmap, quiet, 256 * MIB);
	CHECK_EQ(map((size_t)total * 1024 * 2, RW, MAP_PRIVATE), -ENOMEM);
}

static int write_setting(const char *path, const char *value)
{
	FILE *f = fopen(path, "w");
	bool ok = f && fputs(value, f) >= 0;

	return f && fclose(f) == 0 && ok ? 0 : -1;
}

TEST(strict_promises_are_refused)
{
	long total = meminfo("MemTotal:"), at;

	if (!CHECK_EQ(write_setting("/proc/sys/vm/overcommit_memory", "2"), 0))
		return;
	CHECK_EQ(map((size_t)total * 1024 * 3 / 4, RW, MAP_PRIVATE), -ENOMEM);
	CHECK_EQ(map((size_t)total * 1024 * 3 / 4, RW, MAP_PRIVATE | MAP_NORESERVE), -ENOMEM);
	at = map((size_t)total * 1024 * 3 / 4, PROT_READ, MAP_PRIVATE);
	CHECK(at > 0);
	CHECK_EQ(sys3(SYS_mprotect, at, (size_t)total * 1024 * 3 / 4, RW), -ENOMEM);
	sys2(SYS_munmap, at, (size_t)total * 1024 * 3 / 4);
	CHECK_EQ(write_setting("/proc/sys/vm/overcommit_memory", "1"), 0);
	at = map((size_t)total * 1024 * 4, RW, MAP_PRIVATE);
	CHECK(at > 0);
	sys2(SYS_munmap, at, (size_t)total * 1024 * 4);
	CHECK_EQ(write_setting("/proc/sys/vm/overcommit_memory", "0"), 0);
	CHECK_EQ(write_setting("/proc/sys/vm/overcommit_memory", "3"), -1);
}

TEST(caches_are_dropped)
{
	CHECK_EQ(write_setting("/proc/sys/vm/drop_caches", "3"), 0);
	CHECK_EQ(write_setting("/proc/sys/vm/drop_caches", "1"), 0);
	CHECK_EQ(write_setting("/proc/sys/vm/drop_caches", "0"), -1);
	CHECK_EQ(write_setting("/proc/sys/vm/drop_caches", "5"), -1);
}

TEST(fixed_mappings_that_replace_nothing)
{
	char *p = map_pages(3);
	const struct errno_case cases[] = {
		{"over",
		 SYS_mmap,
		 {(long)p, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0},
		 EEXIST},
		{"in part",
		 SYS_mmap,
		 {(long)p - (long)PAGE, 2 * PAGE, RW,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0},
		 EEXIST},
		{"unaligned",
		 SYS_mmap,
		 {(long)p + 1, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0},
		 EINVAL},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	munmap(p + PAGE, PAGE);
	CHECK_EQ(sys6(SYS_mmap, p + PAGE, PAGE, RW,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
		 p + PAGE);
	munmap(p, 3 * PAGE);
}
