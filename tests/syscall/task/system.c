/*
 * The address space, limits, random numbers, barriers, and what exec tells a program.
 */
#include "tests/syscall/task/task.h"

#include <linux/membarrier.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define PAGE 4096L

static char *map(void *address, long length, int protection, int flags)
{
	return mmap(address, (size_t)length, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

TEST(mapping_changes_take_effect)
{
	char *p = map(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, 0);

	p[0] = 1;
	p[2 * PAGE] = 2;
	CHECK_EQ(madvise(p, PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(p[0], 0);
	CHECK_EQ(p[2 * PAGE], 2);
	CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_NONE), 0);
	CHECK_EQ(munmap(p, PAGE), 0);
	CHECK(map(p, PAGE, PROT_READ, MAP_FIXED_NOREPLACE) == p);
	CHECK(map(p, PAGE, PROT_READ, MAP_FIXED_NOREPLACE) == MAP_FAILED);
	CHECK_EQ(errno, EEXIST);
	CHECK(map(p, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_FIXED) == p);
	CHECK_EQ(p[2 * PAGE], 0);
	CHECK_EQ(munmap(p, 3 * PAGE), 0);
	CHECK_EQ(munmap(p, 3 * PAGE), 0);
}

TEST(mapping_errors)
{
	char *p = map(NULL, PAGE, PROT_READ, 0);
	const int private = MAP_PRIVATE | MAP_ANONYMOUS;
	struct errno_case cases[] = {
		{"no length", SYS_mmap, {0, 0, PROT_READ, private, -1, 0}, EINVAL},
		{"no type", SYS_mmap, {0, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0}, EINVAL},
		{"no file", SYS_mmap, {0, PAGE, PROT_READ, MAP_PRIVATE, -1, 0}, EBADF},
		{"odd offset", SYS_mmap, {0, PAGE, PROT_READ, private, -1, 100}, EINVAL},
		{"odd place", SYS_mmap, {100, PAGE, PROT_READ, private | MAP_FIXED, -1, 0}, EINVAL},
		{"far too long", SYS_mmap, {0, -PAGE, PROT_READ, private, -1, 0}, ENOMEM},
		{"munmap, odd", SYS_munmap, {1, PAGE}, EINVAL},
		{"munmap, no length", SYS_munmap, {(long)p, 0}, EINVAL},
		{"munmap, kernel", SYS_munmap, {(long)KERNEL_ADDRESS & -PAGE, PAGE}, EINVAL},
		{"mprotect, nothing there", SYS_mprotect, {PAGE, PAGE, PROT_READ}, ENOMEM},
		{"mprotect, odd", SYS_mprotect, {1, PAGE, PROT_READ}, EINVAL},
		{"mprotect, no length", SYS_mprotect, {(long)p, 0, PROT_READ}, 0},
		{"madvise, unknown", SYS_madvise, {(long)p, PAGE, 77}, EINVAL},
		{"madvise, odd", SYS_madvise, {(long)p + 1, PAGE, MADV_NORMAL}, EINVAL},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	munmap(p, PAGE);
}

TEST(break_moves_both_ways)
{
	char *start = sbrk(0);

	CHECK(sbrk(100000) == start);
	memset(start, 1, 100000);
	CHECK(sbrk(-100000) == start + 100000);
	CHECK(sbrk(0) == start);
}

/* 4 MiB of stack, a page at a time. */
static __attribute__((noinline)) int deep(int levels)
{
	volatile char page[PAGE];

	page[0] = (char)levels;
	return levels ? deep(levels - 1) + page[0] * 0 : 1;
}

TEST(stack_grows)
{
	CHECK_EQ(deep(1000), 1);
}

TEST(limits)
{
	struct rlimit limit, old;

	CHECK_EQ(getrlimit(RLIMIT_STACK, &limit), 0);
	CHECK_EQ(limit.rlim_cur, 8 << 20);
	CHECK_EQ(getrlimit(RLIMIT_CORE, &old), 0);
	limit = (struct rlimit){2, 1};
	CHECK_EQ(setrlimit(RLIMIT_CORE, &limit), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(sys4(SYS_prlimit64, 0, 99, 0, &limit), -EINVAL);
	CHECK_EQ(sys4(SYS_prlimit64, 0, RLIMIT_CORE, 0, 8), -EFAULT);
	CHECK_EQ(sys4(SYS_prlimit64, 0x3fffff, RLIMIT_CORE, 0, &limit), -ESRCH);
}

TEST(random_numbers_differ)
{
	unsigned char a[1000] = {0}, b[1000] = {0};
	int zeros = 0;

	CHECK_EQ(getrandom(a, sizeof(a), 0), sizeof(a));
	CHECK_EQ(getrandom(b, sizeof(b), GRND_NONBLOCK), sizeof(b));
	for (size_t i = 0; i < sizeof(a); i++)
		zeros += a[i] == 0;
	CHECK(zeros < 30);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	CHECK_EQ(sys3(SYS_getrandom, a, 1, 0x100), -EINVAL);
	CHECK_EQ(sys3(SYS_getrandom, 8, 8, 0), -EFAULT);
}

TEST(barriers)
{
	CHECK(sys3(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) > 0);
	CHECK_EQ(sys3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), -EPERM);
	CHECK_EQ(sys3(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
	CHECK_EQ(sys3(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
	CHECK_EQ(sys3(SYS_membarrier, MEMBARRIER_CMD_QUERY, 1, 0), -EINVAL);
	CHECK_EQ(sys3(SYS_riscv_flush_icache, 0, 0, 0), 0);
}

TEST(exec_tells_the_program_about_its_world)
{
	CHECK_EQ(getauxval(AT_PAGESZ), PAGE);
	CHECK_EQ(getauxval(AT_CLKTCK), 100);
	CHECK_EQ(getauxval(AT_HWCAP) & 0x112d, 0x112d);
	CHECK(getauxval(AT_SYSINFO_EHDR) != 0);
	CHECK(getauxval(AT_RANDOM) != 0);
	CHECK(getauxval(AT_PHDR) != 0);
	CHECK_EQ(getauxval(AT_SECURE), 0);
	CHECK(getauxval(AT_EXECFN) != 0);
}

TEST(system_information)
{
	struct utsname name;
	struct sysinfo info;

	CHECK_EQ(uname(&name), 0);
	CHECK(!strcmp(name.sysname, "Linux") && !strcmp(name.machine, "riscv64"));
	CHECK_EQ(sysinfo(&info), 0);
	CHECK(info.totalram * info.mem_unit > 64 << 20 && info.freeram <= info.totalram);
	CHECK_EQ(sys1(SYS_uname, 8), -EFAULT);
	CHECK_EQ(sys0(9999), -ENOSYS);
}

static int personality_body(void)
{
	struct utsname name;

	CHECK_EQ(personality(0xffffffff), 0);
	CHECK_EQ(personality(ADDR_NO_RANDOMIZE | 3), 0);
	CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE | 3);
	/* It belongs to the thread and goes to its children. */
	CHECK_EQ(personality(UNAME26), ADDR_NO_RANDOMIZE | 3);
	CHECK_EQ(uname(&name), 0);
	CHECK_EQ(strncmp(name.release, "2.6.7", 5), 0);
	if (fork() == 0)
		_exit(personality(0xffffffff) == UNAME26 ? 5 : 6);
	int status;
	CHECK(wait(&status) > 0);
	CHECK_EQ(WEXITSTATUS(status), 5);
	CHECK_EQ(personality(PER_LINUX), UNAME26);
	CHECK_EQ(uname(&name), 0);
	CHECK(strncmp(name.release, "2.6.", 4) != 0);
	return 0;
}

TEST(personalities)
{
	CHECK_EQ(child_status(personality_body), 0);
	CHECK_EQ(personality(0xffffffff), 0);
}
