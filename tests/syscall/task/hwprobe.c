/*
 * riscv_hwprobe: values for sets of harts, and the harts that have them.
 */
#include "tests/syscall/harness.h"

#include <sched.h>

#define WHICH_CPUS     1
#define KEY_BASE       3
#define KEY_EXT	       4
#define KEY_PERF       5
#define KEY_ZICBOZ     6
#define KEY_FREQ       8
#define KEY_MISALIGNED 9
#define KEY_UNKNOWN    100000
#define BASE_IMA       1
#define EXT_FD	       1
#define EXT_C	       2
#define EXT_ZICBOZ     (1 << 6)
#define FAST	       3

struct pair {
	int64_t key;
	uint64_t value;
};

static long probe(struct pair *pairs, long n, cpu_set_t *cpus, size_t size, long flags)
{
	return sys5(258, pairs, n, size, cpus, flags);
}

static void online(cpu_set_t *cpus)
{
	CPU_ZERO(cpus);
	for (long i = 0; i < sysconf(_SC_NPROCESSORS_ONLN); i++)
		CPU_SET(i, cpus);
}

TEST(hwprobe_values)
{
	struct pair p[] = {
		{KEY_BASE, 7}, {KEY_EXT, 7}, {KEY_PERF, 7}, {KEY_MISALIGNED, 7}, {KEY_UNKNOWN, 7}};

	CHECK_EQ(probe(p, ARRAY_SIZE(p), NULL, 0, 0), 0);
	CHECK_EQ(p[0].value, BASE_IMA);
	CHECK_EQ(p[1].value & (EXT_FD | EXT_C), EXT_FD | EXT_C);
	/* QEMU does them as well as others. */
	CHECK_EQ(p[2].value, FAST);
	CHECK_EQ(p[3].value, FAST);
	CHECK_EQ(p[4].key, -1);
	CHECK_EQ(p[4].value, 0);
}

/* QEMU's rv64 has it; where it is told of, it works. */
TEST(hwprobe_blocks_of_zeroes)
{
	struct pair p[] = {{KEY_EXT, 0}, {KEY_ZICBOZ, 0}};
	static char bytes[512] __attribute__((aligned(256)));

	CHECK_EQ(probe(p, ARRAY_SIZE(p), NULL, 0, 0), 0);
	CHECK_EQ(!!(p[0].value & EXT_ZICBOZ), 1);
	CHECK_EQ(p[1].value, 64);
	memset(bytes, 7, sizeof(bytes));
	__asm__ volatile(".option push\n"
			 ".option arch, +zicboz\n"
			 "cbo.zero (%0)\n"
			 ".option pop" ::"r"(bytes + 128)
			 : "memory");
	for (size_t i = 0; i < sizeof(bytes); i++)
		CHECK_EQ(bytes[i], i / 64 == 2 ? 0 : 7);
}

TEST(hwprobe_sets)
{
	struct pair p = {KEY_BASE, 0};
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CHECK_EQ(probe(&p, 1, &cpus, sizeof(cpus), 0), -EINVAL);
	CPU_SET(0, &cpus);
	CHECK_EQ(probe(&p, 1, &cpus, sizeof(cpus), 0), 0);
	CHECK_EQ(p.value, BASE_IMA);
	CHECK_EQ(probe(&p, 1, &cpus, sizeof(cpus), 2), -EINVAL);
	CHECK_EQ(probe(&p, 1, NULL, sizeof(cpus), 0), -EFAULT);
	CHECK_EQ(probe((struct pair *)8, 1, NULL, 0, 0), -EFAULT);
	CHECK_EQ(probe(&p, 1, NULL, 0, WHICH_CPUS), -EINVAL);
	CHECK_EQ(probe(&p, 1, &cpus, sizeof(cpus), WHICH_CPUS | 2), -EINVAL);
}

/* Which of `asked` have the pairs; NULL: ask of all. */
static cpu_set_t which(struct pair *p, long n, const cpu_set_t *asked)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	if (asked)
		cpus = *asked;
	CHECK_EQ(probe(p, n, &cpus, sizeof(cpus), WHICH_CPUS), 0);
	return cpus;
}

TEST(hwprobe_which_harts)
{
	struct pair has[] = {{KEY_BASE, BASE_IMA}, {KEY_EXT, EXT_C}},
		    lacks = {KEY_EXT, EXT_C | 1UL << 62};
	struct pair frequency = {KEY_FREQ, 12345},
		    unknown[] = {{KEY_UNKNOWN, 7}, {KEY_BASE, BASE_IMA}};
	cpu_set_t all, one, cpus;

	online(&all);
	CPU_ZERO(&one);
	CPU_SET(1, &one);
	cpus = which(has, 2, NULL);
	CHECK(CPU_EQUAL(&cpus, &all));
	CHECK_EQ(has[1].value, EXT_C);
	cpus = which(has, 2, &one);
	CHECK(CPU_EQUAL(&cpus, &one));
	cpus = which(has, 0, &one);
	CHECK(CPU_EQUAL(&cpus, &one));
	CPU_SET(63, &one);
	cpus = which(has, 2, &one);
	CHECK_EQ(CPU_COUNT(&cpus), 1);
	cpus = which(&lacks, 1, NULL);
	CHECK_EQ(CPU_COUNT(&cpus), 0);
	cpus = which(&frequency, 1, NULL);
	CHECK_EQ(CPU_COUNT(&cpus), 0);
	cpus = which(unknown, 2, NULL);
	CHECK_EQ(CPU_COUNT(&cpus), 0);
	CHECK_EQ(unknown[0].key, -1);
	CHECK_EQ(unknown[0].value, 0);
	CHECK_EQ(unknown[1].value, BASE_IMA);
}
