/*
 * The nodes of /dev, /proc and /sys that programs read.
 */
#include <fcntl.h>

#include "tests/syscall/harness.h"

static long slurp(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	long total = 0, n;

	if (!CHECK(fd >= 0)) {
		printf("# %s: %m\n", path);
		return -1;
	}
	while ((n = read(fd, text + total, size - 1 - (size_t)total)) > 0)
		total += n;
	text[total] = 0;
	close(fd);
	return total;
}

TEST(device_nodes)
{
	char text[64];
	int fd = open("/dev/null", O_RDWR);

	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(read(fd, text, 1), 0);
	close(fd);
	fd = open("/dev/zero", O_RDWR);
	memset(text, 1, sizeof(text));
	CHECK_EQ(read(fd, text, sizeof(text)), sizeof(text));
	CHECK_EQ(text[0] | text[63], 0);
	close(fd);
	fd = open("/dev/full", O_RDWR);
	CHECK(write(fd, "x", 1) == -1 && errno == ENOSPC);
	close(fd);
	fd = open("/dev/urandom", O_RDONLY);
	CHECK_EQ(read(fd, text, sizeof(text)), sizeof(text));
	CHECK(memcmp(text, text + 32, 32) != 0);
	close(fd);
}

TEST(number_of_harts_is_told)
{
	long harts = sysconf(_SC_NPROCESSORS_ONLN), n;
	char text[16384], wanted[32];

	snprintf(wanted, sizeof(wanted), harts > 1 ? "0-%ld\n" : "0\n", harts - 1);
	CHECK(slurp("/sys/devices/system/cpu/online", text, sizeof(text)) > 0);
	CHECK_EQ(strcmp(text, wanted), 0);
	CHECK(slurp("/proc/stat", text, sizeof(text)) > 0);
	snprintf(wanted, sizeof(wanted), "\ncpu%ld ", harts - 1);
	CHECK(strstr(text, wanted) != NULL);
	CHECK(slurp("/proc/cpuinfo", text, sizeof(text)) > 0);
	n = 0;
	for (char *p = text; (p = strstr(p, "processor\t")) != NULL; p++)
		n++;
	CHECK_EQ(n, harts);
}

TEST(proc_describes_the_process)
{
	char text[16384], *p;
	int pid = 0;

	CHECK(slurp("/proc/self/stat", text, sizeof(text)) > 0);
	CHECK_EQ(sscanf(text, "%d (", &pid), 1);
	CHECK_EQ(pid, getpid());
	CHECK(slurp("/proc/self/status", text, sizeof(text)) > 0);
	p = strstr(text, "\nThreads:");
	CHECK(p && atoi(p + 9) == 2); /* this one and the watchdog */
	CHECK(slurp("/proc/self/cmdline", text, sizeof(text)) > 0);
	CHECK(slurp("/proc/self/maps", text, sizeof(text)) > 0);
	CHECK(strstr(text, "[stack]") && strstr(text, "[vdso]"));
	CHECK(slurp("/proc/meminfo", text, sizeof(text)) > 0);
	CHECK(strstr(text, "MemTotal:") && strstr(text, "MemFree:"));
	CHECK(slurp("/proc/uptime", text, sizeof(text)) > 0);
	CHECK(slurp("/proc/sys/kernel/pid_max", text, sizeof(text)) > 0);
	CHECK(atoi(text) >= 32768);
	CHECK(readlink("/proc/self/exe", text, sizeof(text)) > 0);
	CHECK(open("/proc/4000000/stat", O_RDONLY) == -1 && errno == ENOENT);
}
