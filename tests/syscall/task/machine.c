/*
 * Calls on the machine as a whole: its names, its end (as far as it is refused), what disks would have; and comparing tasks.
 */
#include "tests/syscall/harness.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define PAGE	      4096L
#define USER	      1000
#define SYS_cachestat 451

static void read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "r");

	line[0] = '\0';
	if (CHECK(f != NULL)) {
		CHECK(fgets(line, (int)size, f) != NULL);
		fclose(f);
	}
}

TEST(the_host_has_a_name)
{
	struct utsname before, now;
	char line[128], longest[65];
	int fd;

	CHECK_EQ(uname(&before), 0);
	CHECK_EQ(sethostname("alpha", 5), 0);
	CHECK_EQ(setdomainname("beta.example", 12), 0);
	CHECK_EQ(uname(&now), 0);
	CHECK_EQ(strcmp(now.nodename, "alpha"), 0);
	CHECK_EQ(strcmp(now.domainname, "beta.example"), 0);
	CHECK_EQ(strcmp(now.release, before.release), 0);
	read_line("/proc/sys/kernel/hostname", line, sizeof(line));
	CHECK_EQ(strcmp(line, "alpha\n"), 0);
	fd = open("/proc/sys/kernel/hostname", O_WRONLY);
	CHECK_EQ(write(fd, "gamma\nrest", 10), 10);
	close(fd);
	CHECK_EQ(uname(&now), 0);
	CHECK_EQ(strcmp(now.nodename, "gamma"), 0);
	memset(longest, 'n', sizeof(longest));
	CHECK_EQ(sys2(SYS_sethostname, longest, 64), 0);
	CHECK_EQ(uname(&now), 0);
	CHECK_EQ(strlen(now.nodename), 64);
	CHECK_EQ(sys2(SYS_sethostname, longest, 65), -EINVAL);
	CHECK_EQ(sys2(SYS_sethostname, longest, -1), -EINVAL);
	CHECK_EQ(sethostname(before.nodename, strlen(before.nodename)), 0);
	CHECK_EQ(setdomainname(before.domainname, strlen(before.domainname)), 0);
}

static int as_user(void)
{
	CHECK_EQ(sys3(SYS_setresuid, USER, USER, USER), 0);
	CHECK_EQ(sys2(SYS_sethostname, "x", -1), -EPERM);
	CHECK_EQ(sys2(SYS_setdomainname, "x", 1), -EPERM);
	CHECK_EQ(sys4(SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc, 0), -EPERM);
	CHECK_EQ(sys2(SYS_swapon, "/", 0), -EPERM);
	CHECK_EQ(sys1(SYS_swapoff, "/"), -EPERM);
	CHECK_EQ(open("/proc/sys/kernel/hostname", O_WRONLY), -1);
	CHECK_EQ(errno, EACCES);
	return 0;
}

TEST(only_root_rules_the_machine)
{
	CHECK_EQ(child_status(as_user), 0);
}

TEST(reboot_wants_its_words)
{
	CHECK_EQ(sys4(SYS_reboot, 1, 672274793, 0x4321fedc, 0), -EINVAL);
	CHECK_EQ(sys4(SYS_reboot, 0xfee1dead, 1, 0x4321fedc, 0), -EINVAL);
	CHECK_EQ(sys4(SYS_reboot, 0xfee1dead, 537993216, 77, 0), -EINVAL);
	CHECK_EQ(sys4(SYS_reboot, 0xfee1dead, 85072278, 0, 0), 0);
	CHECK_EQ(sys4(SYS_reboot, 0xfee1dead, 369367448, 0xa1b2c3d4, 8), -EFAULT);
}

TEST(nothing_to_swap_to)
{
	int fd;

	mkdir("/tmp", 0777);
	fd = open("/tmp/swap", O_RDWR | O_CREAT, 0600);
	CHECK_EQ(ftruncate(fd, 1 << 20), 0);
	close(fd);
	CHECK_EQ(sys2(SYS_swapon, "/tmp/swap", 0), -EINVAL);
	CHECK_EQ(sys2(SYS_swapon, "/tmp", 0), -EISDIR);
	CHECK_EQ(sys2(SYS_swapon, "/tmp/swap-missing", 0), -ENOENT);
	CHECK_EQ(sys1(SYS_swapoff, "/tmp/swap"), -EINVAL);
	unlink("/tmp/swap");
}

static long compare(pid_t one, pid_t other, int type, int fd1, int fd2)
{
	return sys5(SYS_kcmp, one, other, type, fd1, fd2);
}

TEST(comparing_processes)
{
	pid_t self = getpid(), child;
	int fds[2], copy;

	CHECK_EQ(pipe(fds), 0);
	copy = dup(fds[0]);
	child = fork();
	if (child == 0)
		for (;;)
			pause();
	CHECK_EQ(compare(self, self, KCMP_FILE, fds[0], copy), 0);
	CHECK_EQ(compare(self, child, KCMP_FILE, fds[0], copy), 0);
	CHECK(compare(self, self, KCMP_FILE, fds[0], fds[1]) > 0);
	/* An order: one is less, the other greater. */
	CHECK_EQ(compare(self, self, KCMP_FILE, fds[0], fds[1]) +
			 compare(self, self, KCMP_FILE, fds[1], fds[0]),
		 3);
	CHECK_EQ(compare(self, self, KCMP_FILE, fds[0], 999), -EBADF);
	CHECK_EQ(compare(self, self, KCMP_VM, 0, 0), 0);
	CHECK(compare(self, child, KCMP_VM, 0, 0) > 0);
	CHECK(compare(self, child, KCMP_FILES, 0, 0) > 0);
	CHECK(compare(self, child, KCMP_FS, 0, 0) > 0);
	CHECK(compare(self, child, KCMP_SIGHAND, 0, 0) > 0);
	CHECK_EQ(compare(self, child, KCMP_IO, 0, 0), 0);
	CHECK_EQ(compare(self, child, 99, 0, 0), -EINVAL);
	CHECK_EQ(compare(self, 0x3fffff, KCMP_VM, 0, 0), -ESRCH);
	kill(child, SIGKILL);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	close(fds[0]);
	close(fds[1]);
	close(copy);
}

static void *compare_thread(void *leader)
{
	pid_t self = (pid_t)syscall(SYS_gettid), other = (pid_t)(long)leader;

	CHECK_EQ(compare(self, other, KCMP_VM, 0, 0), 0);
	CHECK_EQ(compare(self, other, KCMP_FILES, 0, 0), 0);
	CHECK_EQ(compare(self, other, KCMP_FS, 0, 0), 0);
	CHECK_EQ(compare(self, other, KCMP_SIGHAND, 0, 0), 0);
	return NULL;
}

TEST(comparing_threads)
{
	thread_join(thread_start(compare_thread, (void *)(long)getpid()));
}

struct cache {
	uint64_t pages, dirty, writeback, evicted, recently;
};

static struct cache cached(int fd, uint64_t off, uint64_t len)
{
	struct cache cache = {77, 77, 77, 77, 77};
	uint64_t range[2] = {off, len};

	CHECK_EQ(sys4(SYS_cachestat, fd, range, &cache, 0), 0);
	return cache;
}

TEST(pages_in_memory)
{
	int fd = memfd_create("cached", 0);
	char byte = 1;

	CHECK_EQ(ftruncate(fd, 100 * PAGE), 0);
	CHECK_EQ(cached(fd, 0, 0).pages, 0);
	CHECK_EQ(pwrite(fd, &byte, 1, 10 * PAGE), 1);
	CHECK_EQ(pwrite(fd, &byte, 1, 11 * PAGE), 1);
	CHECK_EQ(pwrite(fd, &byte, 1, 50 * PAGE), 1);
	CHECK_EQ(cached(fd, 0, 0).pages, 3);
	CHECK_EQ(cached(fd, 11 * PAGE, PAGE).pages, 1);
	CHECK_EQ(cached(fd, 10 * PAGE + 1, PAGE).pages, 2);
	CHECK_EQ(cached(fd, 11 * PAGE, 0).pages, 2);
	CHECK_EQ(cached(fd, 60 * PAGE, 0).pages, 0);
	CHECK_EQ(cached(fd, 0, 0).dirty, 0);
	CHECK_EQ(cached(fd, 0, 0).evicted, 0);
	close(fd);
}
