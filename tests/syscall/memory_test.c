/*
 * Address spaces: mappings, protection, the heap, and advice.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "tests/syscall/harness.h"

#define PAGE 4096UL

static sigjmp_buf fault_jump;
static volatile int fault_code;
static void *volatile fault_address;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	fault_code = info->si_code;
	fault_address = info->si_addr;
	siglongjmp(fault_jump, sig);
}

/* The signal that touching `p` raises, 0 if none. */
static int touch(volatile char *p, bool write)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, segv, bus;
	int sig;

	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	sig = sigsetjmp(fault_jump, 1);
	if (sig == 0) {
		if (write)
			*p = 1;
		else
			(void)*p;
	}
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	return sig;
}

static char *map(size_t size, int prot)
{
	char *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

TEST(fresh_memory_is_zero)
{
	char *p = map(64 * PAGE, PROT_READ | PROT_WRITE);
	long set = 0;

	for (size_t i = 0; i < 64 * PAGE; i++)
		set += p[i] != 0;
	CHECK_EQ(set, 0);
	memset(p, 1, 64 * PAGE);
	CHECK_EQ(munmap(p, 64 * PAGE), 0);
}

TEST(unmapped_memory_faults)
{
	char *p = map(3 * PAGE, PROT_READ | PROT_WRITE);

	memset(p, 1, 3 * PAGE);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_EQ(touch(p + PAGE + 8, false), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_MAPERR);
	CHECK_EQ(fault_address, p + PAGE + 8);
	CHECK_EQ(touch(p, true), 0);
	CHECK_EQ(touch(p + 2 * PAGE, true), 0);
	/* A second time, and over a hole: nothing to do is no error. */
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_EQ(munmap(p, 3 * PAGE), 0);
	CHECK_EQ(touch(p, false), SIGSEGV);
}

TEST(protection_is_enforced)
{
	char *p = map(3 * PAGE, PROT_READ | PROT_WRITE);

	p[PAGE] = 5;
	CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(touch(p + PAGE, true), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_ACCERR);
	CHECK_EQ(touch(p + PAGE, false), 0);
	CHECK_EQ(p[PAGE], 5);
	CHECK_EQ(mprotect(p + PAGE, PAGE, PROT_NONE), 0);
	CHECK_EQ(touch(p + PAGE, false), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_ACCERR);
	CHECK_EQ(touch(p, true), 0);
	CHECK_EQ(mprotect(p, 3 * PAGE, PROT_READ | PROT_WRITE), 0);
	CHECK_EQ(touch(p + PAGE, true), 0);
	CHECK_EQ(munmap(p, 3 * PAGE), 0);
}

TEST(code_runs_where_allowed)
{
	static const uint32_t add_one[] = {0x00150513, 0x00008067}; /* addi a0, a0, 1; ret */
	char *p = map(PAGE, PROT_READ | PROT_WRITE);
	long (*fn)(long) = (long (*)(long))p;

	memcpy(p, add_one, sizeof(add_one));
	CHECK_EQ(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
	__builtin___clear_cache(p, p + PAGE);
	CHECK_EQ(fn(41), 42);
	CHECK_EQ(munmap(p, PAGE), 0);
}

TEST(fixed_mapping_replaces)
{
	char *p = map(4 * PAGE, PROT_READ | PROT_WRITE), *q;

	memset(p, 7, 4 * PAGE);
	q = mmap(p + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK_EQ(q, p + PAGE);
	CHECK_EQ(p[0], 7);
	CHECK_EQ(p[PAGE], 0);
	CHECK_EQ(p[3 * PAGE], 7);
	q = mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(q == MAP_FAILED && errno == EEXIST);
	CHECK_EQ(munmap(p, 4 * PAGE), 0);
}

TEST(hint_is_taken_where_free)
{
	char *p = map(4 * PAGE, PROT_NONE), *q;

	CHECK_EQ(munmap(p, 4 * PAGE), 0);
	q = mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(q, p + PAGE);
	p = mmap(q, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED && p != q);
	munmap(p, PAGE);
	munmap(q, PAGE);
}

TEST(dontneed_drops_contents)
{
	char *p = map(8 * PAGE, PROT_READ | PROT_WRITE);

	memset(p, 3, 8 * PAGE);
	CHECK_EQ(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(p[0], 3);
	CHECK_EQ(p[PAGE], 0);
	CHECK_EQ(p[2 * PAGE + 1], 0);
	CHECK_EQ(p[3 * PAGE], 3);
	CHECK_EQ(sys3(SYS_madvise, p + 1, PAGE, MADV_DONTNEED), -EINVAL);
	CHECK_EQ(sys3(SYS_madvise, p, PAGE, 12345), -EINVAL);
	CHECK_EQ(munmap(p + PAGE, PAGE), 0);
	CHECK_EQ(sys3(SYS_madvise, p, 8 * PAGE, MADV_DONTNEED), -ENOMEM);
	CHECK_EQ(munmap(p, 8 * PAGE), 0);
}

TEST(heap_grows_and_shrinks)
{
	char *start = (char *)sys1(SYS_brk, 0);
	char *end = (char *)sys1(SYS_brk, start + 3 * PAGE);

	CHECK_EQ(end, start + 3 * PAGE);
	memset(start, 9, 3 * PAGE);
	CHECK_EQ(sys1(SYS_brk, start + PAGE), start + PAGE);
	CHECK_EQ(sys1(SYS_brk, start + 3 * PAGE), end);
	CHECK_EQ(start[0], 9);
	CHECK_EQ(start[(PAGE - ((uintptr_t)start & (PAGE - 1))) + PAGE], 0);
	/* What cannot be had leaves it as it is. */
	CHECK_EQ(sys1(SYS_brk, 1), end);
	CHECK_EQ(sys1(SYS_brk, -4096L), end);
	CHECK_EQ(sys1(SYS_brk, start), start);
}

static int file_of(const char *text)
{
	int fd = open("/memory_file", O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

TEST(private_file_mapping_copies)
{
	int fd = file_of("hello");
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	char text[6] = "";

	if (!CHECK(p != MAP_FAILED))
		return;
	CHECK_EQ(memcmp(p, "hello\0", 6), 0);
	p[0] = 'j';
	CHECK_EQ(pread(fd, text, 5, 0), 5);
	CHECK_EQ(strcmp(text, "hello"), 0);
	CHECK_EQ(munmap(p, PAGE), 0);
	close(fd);
}

TEST(shared_file_mapping_is_the_file)
{
	int fd = file_of("hello");
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char text[6] = "";

	if (!CHECK(p != MAP_FAILED))
		return;
	p[0] = 'j';
	CHECK_EQ(pread(fd, text, 5, 0), 5);
	CHECK_EQ(strcmp(text, "jello"), 0);
	CHECK_EQ(pwrite(fd, "w", 1, 4), 1);
	CHECK_EQ(p[4], 'w');
	close(fd);
	CHECK_EQ(p[1], 'e'); /* the mapping keeps the file */
	CHECK_EQ(munmap(p, PAGE), 0);
}

TEST(access_past_the_file_is_sigbus)
{
	int fd = file_of("hello");
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (!CHECK(p != MAP_FAILED))
		return;
	CHECK_EQ(touch(p + PAGE - 1, true), 0);
	CHECK_EQ(touch(p + PAGE, false), SIGBUS);
	CHECK_EQ(fault_code, BUS_ADRERR);
	CHECK_EQ(ftruncate(fd, 2 * PAGE), 0);
	CHECK_EQ(touch(p + PAGE, true), 0);
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(touch(p, false), SIGBUS);
	CHECK_EQ(munmap(p, 2 * PAGE), 0);
	close(fd);
	unlink("/memory_file");
}

TEST(refused_mappings)
{
	int fd = open("/", O_RDONLY);
	int anon = MAP_PRIVATE | MAP_ANONYMOUS;
	char *p = map(PAGE, PROT_READ);
	const struct errno_case cases[] = {
		{"no size", SYS_mmap, {0, 0, PROT_READ, anon, -1, 0}, EINVAL},
		{"no type", SYS_mmap, {0, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0}, EINVAL},
		{"odd offset", SYS_mmap, {0, PAGE, PROT_READ, anon, -1, 5}, EINVAL},
		{"odd address", SYS_mmap, {(long)p + 8, PAGE, 0, anon | MAP_FIXED, -1, 0}, EINVAL},
		{"too large", SYS_mmap, {0, 1L << 60, PROT_READ, anon, -1, 0}, ENOMEM},
		{"all", SYS_mmap, {0, -1L, PROT_READ, anon, -1, 0}, ENOMEM},
		{"kernel", SYS_mmap, {-8192L, PAGE, 0, anon | MAP_FIXED, -1, 0}, ENOMEM},
		{"no file", SYS_mmap, {0, PAGE, PROT_READ, MAP_PRIVATE, 999, 0}, EBADF},
		{"folder", SYS_mmap, {0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0}, ENODEV},
		{"munmap odd", SYS_munmap, {(long)p + 1, PAGE}, EINVAL},
		{"munmap nothing", SYS_munmap, {(long)p, 0}, EINVAL},
		{"munmap kernel", SYS_munmap, {-8192L, PAGE}, EINVAL},
		{"mprotect odd", SYS_mprotect, {(long)p + 1, PAGE, PROT_READ}, EINVAL},
		{"mprotect nothing", SYS_mprotect, {(long)p, 0, PROT_READ}, 0},
		{"mprotect hole", SYS_mprotect, {(long)page_unmapped(), PAGE, PROT_READ}, ENOMEM},
		{"mprotect bits", SYS_mprotect, {(long)p, PAGE, 0x100}, EINVAL},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	munmap(p, PAGE);
	close(fd);
}

TEST(read_only_file_stays_so)
{
	int fd = file_of("hello"), read_only = open("/memory_file", O_RDONLY);
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, read_only, 0);

	CHECK(p == MAP_FAILED && errno == EACCES);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, read_only, 0);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(sys3(SYS_mprotect, p, PAGE, PROT_READ | PROT_WRITE), -EACCES);
	munmap(p, PAGE);
	close(fd);
	close(read_only);
	unlink("/memory_file");
}

TEST(stack_grows)
{
	volatile char deep[1 << 20];

	for (size_t i = 0; i < sizeof(deep); i += PAGE)
		deep[sizeof(deep) - 1 - i] = (char)i;
	CHECK_EQ(deep[sizeof(deep) - 1], 0);
}
