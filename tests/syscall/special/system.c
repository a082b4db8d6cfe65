/*
 * /proc/sys and /proc/stat: facts about the machine and the kernel that programs ask for.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/syscall/harness.h"

/* The text of a file without the newline at its end; "" if it cannot be read. */
static const char *text_of(const char *name)
{
	static char texts[2][4096];
	static int turn;
	char *text = texts[turn ^= 1];
	int fd = open(name, O_RDONLY);
	long n = read(fd, text, sizeof(texts[0]) - 1);

	close(fd);
	if (n > 0 && text[n - 1] == '\n')
		n--;
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static long number_of(const char *name)
{
	const char *text = text_of(name);
	char *end;
	long value = strtol(text, &end, 10);

	CHECK(*text && !*end);
	return value;
}

static int store(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY), err = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

static bool is_uuid(const char *text)
{
	if (strlen(text) != 36)
		return false;
	for (int i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
							    : !strchr("0123456789abcdef", text[i]))
			return false;
	return text[14] == '4' && strchr("89ab", text[19]);
}

TEST(random_names_are_uuids)
{
	const char *first = text_of("/proc/sys/kernel/random/uuid");
	const char *second = text_of("/proc/sys/kernel/random/uuid");

	CHECK(is_uuid(first));
	CHECK(is_uuid(second));
	CHECK(strcmp(first, second) != 0);
	first = text_of("/proc/sys/kernel/random/boot_id");
	CHECK(is_uuid(first));
	CHECK(strcmp(first, text_of("/proc/sys/kernel/random/boot_id")) == 0);
	CHECK_EQ(number_of("/proc/sys/kernel/random/entropy_avail"), 256);
	CHECK_EQ(number_of("/proc/sys/kernel/random/poolsize"), 256);
}

TEST(limits_of_the_kernel)
{
	long last = number_of("/proc/sys/kernel/cap_last_cap");

	CHECK_EQ(prctl(PR_CAPBSET_READ, last), 1);
	CHECK_EQ(prctl(PR_CAPBSET_READ, last + 1), -1);
	CHECK_EQ(number_of("/proc/sys/kernel/ngroups_max"), sysconf(_SC_NGROUPS_MAX));
	CHECK_EQ(number_of("/proc/sys/kernel/overflowuid"), 65534);
	CHECK_EQ(number_of("/proc/sys/fs/overflowgid"), 65534);
	CHECK_EQ(number_of("/proc/sys/kernel/sysctl_writes_strict"), 1);
	CHECK_EQ(number_of("/proc/sys/kernel/sched_rr_timeslice_ms"), 100);
	CHECK_EQ(number_of("/proc/sys/fs/suid_dumpable"), 0);
	CHECK(strcmp(text_of("/proc/sys/kernel/arch"), "riscv64") == 0);
	CHECK(access("/proc/sys/kernel/core_pattern", R_OK) == 0);
}

TEST(terminals_are_counted)
{
	long before = number_of("/proc/sys/kernel/pty/nr");
	int fd = posix_openpt(O_RDWR | O_NOCTTY);

	CHECK(fd >= 0);
	CHECK_EQ(number_of("/proc/sys/kernel/pty/nr"), before + 1);
	close(fd);
	WAIT_UNTIL(number_of("/proc/sys/kernel/pty/nr") == before);
	CHECK_EQ(number_of("/proc/sys/kernel/pty/max"), 4096);
}

/* The number behind a name in a text of lines. */
static long line_number(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return CHECK(at != NULL) ? atol(at + strlen(name)) : -1;
}

static long stat_number(const char *name)
{
	return line_number(text_of("/proc/stat"), name);
}

TEST(started_processes_are_counted)
{
	long before = stat_number("\nprocesses ");

	for (int i = 0; i < 5; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		CHECK_EQ(waitpid(child, NULL, 0), child);
	}
	CHECK(stat_number("\nprocesses ") >= before + 5);
	CHECK(stat_number("\nprocs_running ") >= 1);
	CHECK(stat_number("\nprocs_blocked ") >= 0);
}

/* This program, started once more by the next function: tells where its stack is. */
__attribute__((constructor)) static void print_place(void)
{
	char here;

	if (!getenv("PRINT_PLACE"))
		return;
	printf("%p", (void *)&here);
	exit(0);
}

/* Where the stack of a new program is. */
static void place_of_new_program(char *line, size_t size)
{
	int p[2], status;
	pid_t child;
	long n = 0, got;

	CHECK_EQ(pipe(p), 0);
	child = fork();
	if (child == 0) {
		dup2(p[1], 1);
		execle("/proc/self/exe", "place", NULL, (char *[]){"PRINT_PLACE=1", NULL});
		_exit(127);
	}
	close(p[1]);
	while ((got = read(p[0], line + n, size - 1 - (size_t)n)) > 0)
		n += got;
	line[n] = '\0';
	close(p[0]);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK(n > 0);
}

TEST(places_are_random_unless_switched_off)
{
	static const char name[] = "/proc/sys/kernel/randomize_va_space";
	char first[512], second[512];
	long before = number_of(name);

	CHECK_EQ(store(name, "much\n"), EINVAL);
	CHECK_EQ(store(name, "0\n"), 0);
	place_of_new_program(first, sizeof(first));
	place_of_new_program(second, sizeof(second));
	CHECK(strcmp(first, second) == 0);
	CHECK_EQ(store(name, "2\n"), 0);
	place_of_new_program(first, sizeof(first));
	place_of_new_program(second, sizeof(second));
	CHECK(strcmp(first, second) != 0);
	CHECK_EQ(store(name, before == 1 ? "1\n" : "2\n"), 0);
}

TEST(ids_are_the_same_outside)
{
	CHECK(strcmp(text_of("/proc/self/uid_map"), "         0          0 4294967295") == 0);
	CHECK(strcmp(text_of("/proc/self/gid_map"), "         0          0 4294967295") == 0);
	CHECK(strcmp(text_of("/proc/self/setgroups"), "allow") == 0);
	CHECK_EQ(store("/proc/self/uid_map", "0 0 1\n"), EPERM);
	CHECK_EQ(store("/proc/self/setgroups", "deny\n"), EPERM);
	CHECK_EQ(access("/proc/self/cgroup", R_OK), 0);
}

TEST(timer_slack_by_name)
{
	long before = prctl(PR_GET_TIMERSLACK);

	CHECK_EQ(number_of("/proc/self/timerslack_ns"), before);
	CHECK_EQ(store("/proc/self/timerslack_ns", "70000\n"), 0);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 70000);
	CHECK_EQ(store("/proc/self/timerslack_ns", "0\n"), 0);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), before);
	CHECK_EQ(store("/proc/self/timerslack_ns", "x\n"), EINVAL);
}

TEST(memory_is_in_blocks)
{
	unsigned long block =
		strtoul(text_of("/sys/devices/system/memory/block_size_bytes"), NULL, 16);
	unsigned long first = 0x80000000UL / (block ? block : 1);
	char path[128];

	CHECK_EQ(block, 128UL << 20);
	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%lu/online", first);
	CHECK_EQ(number_of(path), 1);
	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%lu/state", first);
	CHECK(strcmp(text_of(path), "online") == 0);
	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%lu/phys_index", first);
	CHECK_EQ(strtoul(text_of(path), NULL, 16), first);
	snprintf(path, sizeof(path), "/sys/devices/system/memory/memory%lu", first - 1);
	CHECK_EQ(access(path, F_OK), -1);
}

TEST(one_node_has_all_memory)
{
	long total = line_number(text_of("/proc/meminfo"), "MemTotal:");
	const char *node = text_of("/sys/devices/system/node/node0/meminfo");

	CHECK_EQ(line_number(node, "Node 0 MemTotal:"), total);
	CHECK(line_number(node, "Node 0 MemFree:") + line_number(node, "Node 0 MemUsed:") == total);
	CHECK_EQ(number_of("/sys/devices/system/node/node0/distance"), 10);
	CHECK_EQ(access("/sys/dev/block", X_OK), 0);
	CHECK_EQ(access("/sys/class/block", X_OK), 0);
	CHECK(strcmp(text_of("/sys/kernel/cpu_byteorder"), "little") == 0);
}

TEST(shares_of_dirty_pages)
{
	const char *text = text_of("/proc/self/smaps_rollup");
	long all = line_number(text, "\nPss:"), dirty = line_number(text, "\nPss_Dirty:");
	long anon = line_number(text, "\nPss_Anon:"), shmem = line_number(text, "\nPss_Shmem:");

	CHECK(dirty > 0 && dirty <= all);
	CHECK(anon > 0 && anon <= dirty);
	CHECK(anon + shmem + line_number(text, "\nPss_File:") <= all);
	CHECK(anon + shmem + line_number(text, "\nPss_File:") >= all - 3);
	CHECK_EQ(line_number(text, "\nShared_Hugetlb:"), 0);
}
