/*
 * /proc/<pid>/pagemap: what each page is, and who may look.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/syscall/harness.h"

#define PAGE	  4096L
#define FRAME	  ((1ULL << 55) - 1)
#define EXCLUSIVE (1ULL << 56)
#define OBJECT	  (1ULL << 61)
#define PRESENT	  (1ULL << 63)
#define KINDS	  (EXCLUSIVE | OBJECT | PRESENT)

static int map_open(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);

	CHECK(fd >= 0);
	return fd;
}

static uint64_t entry_of(int fd, const void *page)
{
	uint64_t entry = 0;

	CHECK_EQ(pread(fd, &entry, sizeof(entry), (long)page / PAGE * 8), sizeof(entry));
	return entry;
}

static char *pages_anonymous(long nr)
{
	return mmap(NULL, (size_t)(nr * PAGE), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
}

TEST(pagemap_tells_what_is_present)
{
	char *at = pages_anonymous(8);
	uint64_t read_only, entries[8];
	int fd = map_open();

	CHECK_EQ(entry_of(fd, at), 0);
	CHECK_EQ(((volatile char *)at)[2 * PAGE], 0);
	read_only = entry_of(fd, at + 2 * PAGE);
	CHECK_EQ(read_only & KINDS, PRESENT);
	at[3 * PAGE] = 1;
	CHECK_EQ(entry_of(fd, at + 3 * PAGE) & KINDS, PRESENT | EXCLUSIVE);
	CHECK(entry_of(fd, at + 3 * PAGE) & FRAME);
	CHECK_EQ(mprotect(at + 3 * PAGE, PAGE, PROT_NONE), 0);
	CHECK_EQ(entry_of(fd, at + 3 * PAGE) & KINDS, PRESENT | EXCLUSIVE);
	/* One read for all; a hole is zeroes. */
	munmap(at + 3 * PAGE, PAGE);
	CHECK_EQ(pread(fd, entries, sizeof(entries), (long)at / PAGE * 8), sizeof(entries));
	CHECK_EQ(entries[2], read_only);
	CHECK_EQ(entries[3], 0);
	munmap(at, 8 * PAGE);
	close(fd);
}

TEST(pagemap_tells_what_is_shared)
{
	int fd = map_open(), memfd = memfd_create("pagemap", 0);
	char *one, *two;
	uint64_t entry;

	CHECK_EQ(ftruncate(memfd, PAGE), 0);
	one = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	two = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	one[0] = 1;
	entry = entry_of(fd, one);
	CHECK_EQ(entry & KINDS, PRESENT | OBJECT | EXCLUSIVE);
	two[0] = 2;
	CHECK_EQ(entry_of(fd, one) & KINDS, PRESENT | OBJECT);
	CHECK_EQ(entry_of(fd, two) & FRAME, entry & FRAME);
	munmap(two, PAGE);
	CHECK_EQ(entry_of(fd, one), entry);
	munmap(one, PAGE);
	close(memfd);
	close(fd);
}

static int gate[2];

static int wait_for_gate(void)
{
	char c;

	close(gate[1]);
	return read(gate[0], &c, 1) == 0 ? 0 : 1;
}

static pid_t child_at_gate(void)
{
	pid_t pid;

	CHECK_EQ(pipe(gate), 0);
	pid = fork();
	if (!pid)
		_exit(wait_for_gate());
	return pid;
}

static void child_let_go(pid_t pid)
{
	int status = -1;

	close(gate[1]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	close(gate[0]);
}

TEST(pagemap_after_fork)
{
	char *at = pages_anonymous(1);
	int fd = map_open(), other;
	char path[64];
	uint64_t entry;
	pid_t pid;

	at[0] = 1;
	pid = child_at_gate();
	entry = entry_of(fd, at);
	CHECK_EQ(entry & KINDS, PRESENT);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	other = open(path, O_RDONLY);
	CHECK_EQ(entry_of(other, at), entry);
	at[0] = 2;
	CHECK_EQ(entry_of(fd, at) & KINDS, PRESENT | EXCLUSIVE);
	CHECK((entry_of(other, at) & FRAME) != (entry_of(fd, at) & FRAME));
	child_let_go(pid);
	/* What was open for a process that has ended has no more to tell. */
	CHECK_EQ(pread(other, &entry, sizeof(entry), 0), 0);
	close(other);
	close(fd);
	munmap(at, PAGE);
}

TEST(pagemap_positions)
{
	int fd = map_open();
	uint64_t entry;
	char odd[12];

	CHECK_EQ(pread(fd, odd, 12, 0), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(pread(fd, &entry, 8, 4), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(pread(fd, &entry, 0, 0), 0);
	CHECK_EQ(pread(fd, &entry, 8, 1L << 62), 0);
	CHECK_EQ(sys4(SYS_pread64, fd, KERNEL_ADDRESS, 8, 0), -EFAULT);
	CHECK_EQ(lseek(fd, 16, SEEK_SET), 16);
	CHECK_EQ(read(fd, &entry, 8), 8);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 24);
	CHECK_EQ(lseek(fd, 0, SEEK_END), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(write(fd, &entry, 8), -1);
	CHECK_EQ(errno, EBADF);
	close(fd);
}

static int look_without_rights(void)
{
	char *at = pages_anonymous(1), path[64];
	int fd;

	at[0] = 1;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", getppid());
	CHECK_EQ(setresuid(4000, 4000, 4000), 0);
	CHECK_EQ(open(path, O_RDONLY), -1);
	CHECK_EQ(errno, EACCES);
	/* Its own it may see, but not where the pages are. */
	CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
	fd = map_open();
	CHECK_EQ(entry_of(fd, at), PRESENT | EXCLUSIVE);
	close(fd);
	return 0;
}

TEST(pagemap_without_rights)
{
	CHECK_EQ(child_status(look_without_rights), 0);
}
