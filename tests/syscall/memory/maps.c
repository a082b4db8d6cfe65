/*
 * What /proc tells of a space: maps, smaps_rollup, status, statm.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/syscall/memory/memory.h"

/* The line of maps that holds `p` into line; the part behind the address range. */
static const char *maps_line(const char *file, const void *p, char *line, size_t size)
{
	FILE *f = fopen(file, "r");
	const char *found = NULL;

	while (f && !found && fgets(line, (int)size, f)) {
		unsigned long start, end;
		int at;

		if (sscanf(line, "%lx-%lx %n", &start, &end, &at) == 2 &&
		    (unsigned long)p >= start && (unsigned long)p < end)
			found = line + at;
	}
	if (f)
		fclose(f);
	return found ? found : "";
}

/* The number in the line of `file` that begins with `name`; -1: no such line. */
static long number(const char *file, const char *name)
{
	char line[512];
	long value = -1;
	FILE *f = fopen(file, "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, strlen(name)))
			value = atol(line + strlen(name));
	}
	if (f)
		fclose(f);
	return value;
}

TEST(maps_name_files_and_rights)
{
	int fd = open("/tmp-maps", O_RDWR | O_CREAT, 0600);
	char line[512], *p, *q = map_pages(2);
	const char *rest;
	int on_stack = 0;

	CHECK_EQ(ftruncate(fd, 8 * PAGE), 0);
	p = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE);
	rest = maps_line("/proc/self/maps", p, line, sizeof(line));
	CHECK(!strncmp(rest, "r--s 00002000 ", 14));
	CHECK(strstr(rest, " /tmp-maps\n"));
	close(fd);
	CHECK(strstr(maps_line("/proc/self/maps", p, line, sizeof(line)), " /tmp-maps\n"));
	unlink("/tmp-maps");
	CHECK(strstr(maps_line("/proc/self/maps", p, line, sizeof(line)), " /tmp-maps (deleted)\n"));
	munmap(p, 4 * PAGE);
	CHECK(!strncmp(maps_line("/proc/self/maps", q, line, sizeof(line)), "rw-p 00000000 00:00 0",
		       21));
	mprotect(q, PAGE, PROT_NONE);
	CHECK(!strncmp(maps_line("/proc/self/maps", q, line, sizeof(line)), "---p ", 5));
	munmap(q, 2 * PAGE);
	CHECK(strstr(maps_line("/proc/self/maps", &on_stack, line, sizeof(line)), "[stack]"));
	CHECK(strstr(maps_line("/proc/self/maps", (char *)sbrk(0) - 1, line, sizeof(line)), "[heap]"));
	rest = maps_line("/proc/self/maps", (void *)maps_name_files_and_rights, line, sizeof(line));
	CHECK(!strncmp(rest, "r-xp ", 5) && strstr(rest, "memory_test\n"));
	q = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(strstr(maps_line("/proc/self/maps", q, line, sizeof(line)), "/dev/zero (deleted)"));
	munmap(q, PAGE);
}

TEST(maps_of_another_process)
{
	char line[512], file[64], *p = map_pages(1);
	int status;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	snprintf(file, sizeof(file), "/proc/%d/maps", pid);
	CHECK(!strncmp(maps_line(file, p, line, sizeof(line)), "rw-p ", 5));
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	munmap(p, PAGE);
}

TEST(resident_memory_is_told)
{
	long rss = number("/proc/self/status", "VmRSS:"),
	     anon = number("/proc/self/status", "RssAnon:");
	long rollup = number("/proc/self/smaps_rollup", "Rss:"),
	     size = number("/proc/self/status", "VmSize:");
	char *p = map_pages(1024);
	long pages, resident;
	FILE *f;

	memset(p, 1, 1024 * PAGE);
	CHECK(number("/proc/self/status", "VmRSS:") >= rss + 4000);
	CHECK(number("/proc/self/status", "RssAnon:") >= anon + 4000);
	CHECK(number("/proc/self/smaps_rollup", "Rss:") >= rollup + 4000);
	CHECK(number("/proc/self/smaps_rollup", "Private_Dirty:") >= 4000);
	CHECK(number("/proc/self/status", "VmSize:") >= size + 4096);
	CHECK(number("/proc/self/status", "VmData:") >= 4096);
	f = fopen("/proc/self/statm", "r");
	CHECK(f && fscanf(f, "%ld %ld", &pages, &resident) == 2);
	CHECK(pages >= 1024 && resident >= 1000);
	if (f)
		fclose(f);
	munmap(p, 1024 * PAGE);
	CHECK(number("/proc/self/status", "VmHWM:") >= rss + 4000);
	CHECK(number("/proc/self/status", "VmPeak:") >= size + 4096);
	CHECK(number("/proc/self/status", "VmRSS:") < rss + 2000);
	CHECK(number("/proc/self/status", "VmPTE:") > 0);
}
