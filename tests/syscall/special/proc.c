/*
 * /proc of another process: command line, places, files, limits; and who may look.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/syscall/harness.h"

static pid_t child;
static char path[64];

static const char *proc(const char *name)
{
	snprintf(path, sizeof(path), "/proc/%d/%s", child, name);
	return path;
}

/* The whole text of a file, with spaces for NULs. */
static char *text_of(const char *name)
{
	static char text[8192];
	int fd = open(name, O_RDONLY);
	long n = read(fd, text, sizeof(text) - 1);

	close(fd);
	for (long i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static char *link_of(const char *name)
{
	static char text[256];
	long n = readlink(name, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void child_start(void)
{
	int p[2];
	char byte;

	CHECK_EQ(pipe(p), 0);
	child = fork();
	if (child == 0) {
		int fd = open("/etc/passwd", O_RDONLY);

		dup2(fd, 40);
		if (chdir("/tmp"))
			_exit(1);
		if (write(p[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	CHECK_EQ(read(p[0], &byte, 1), 1);
	close(p[0]);
	close(p[1]);
}

static void child_end(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

TEST(proc_of_another_process)
{
	char self[256];

	child_start();
	strcpy(self, text_of("/proc/self/cmdline"));
	CHECK(*self);
	CHECK_EQ(strcmp(text_of(proc("cmdline")), self), 0);
	CHECK_EQ(strcmp(link_of(proc("cwd")), "/tmp"), 0);
	CHECK_EQ(strcmp(link_of(proc("root")), "/"), 0);
	strcpy(self, link_of("/proc/self/exe"));
	CHECK_EQ(strcmp(link_of(proc("exe")), self), 0);
	CHECK_EQ(strcmp(link_of(proc("fd/40")), "/etc/passwd"), 0);
	CHECK_EQ(strncmp(text_of(proc("fd/40")), "root:", 5), 0);
	CHECK(strstr(text_of(proc("fdinfo/40")), "flags:\t0100000\n"));
	CHECK_EQ(access(proc("fd/41"), F_OK), -1);
	CHECK(strstr(text_of(proc("environ")), "PATH="));
	CHECK(strstr(text_of(proc("limits")), "Max open files"));
	/* It may still be on its way to its sleep. */
	WAIT_UNTIL(strstr(text_of(proc("status")), "State:\tS (sleeping)\n"));
	CHECK(strstr(text_of(proc("status")), "VmRSS:"));
	CHECK(strstr(text_of(proc("maps")), "[stack]"));
	CHECK(atol(text_of(proc("statm"))) > 0);
	CHECK(strstr(text_of(proc("stat")), ") S "));
	child_end();
}

TEST(proc_of_a_zombie)
{
	child = fork();
	if (child == 0)
		_exit(3);
	WAIT_UNTIL(strstr(text_of(proc("stat")), ") Z "));
	CHECK_EQ(strlen(text_of(proc("cmdline"))), 0);
	CHECK(strstr(text_of(proc("status")), "State:\tZ (zombie)\n"));
	waitpid(child, NULL, 0);
	CHECK_EQ(access(proc("stat"), F_OK), -1);
}

static void *look(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++) {
		link_of(proc("cwd"));
		link_of(proc("fd/0"));
		close(open(proc("fd/0"), O_RDONLY | O_NONBLOCK));
		close(open(proc("stat"), O_RDONLY));
	}
	return NULL;
}

TEST(proc_races_with_exit)
{
	for (int i = 0; i < 10; i++) {
		pthread_t thread;

		child_start();
		thread = thread_start(look, NULL);
		sleep_ms(2);
		child_end();
		thread_join(thread);
	}
}

static unsigned long number_after(const char *text, const char *label)
{
	const char *at = strstr(text, label);

	return CHECK(at != NULL) ? strtoul(at + strlen(label), NULL, 10) : 0;
}

TEST(io_is_accounted)
{
	static char page[4096];
	int null = open("/dev/null", O_WRONLY), zero = open("/dev/zero", O_RDONLY);
	unsigned long before[4], after[4];
	static const char *const labels[] = {"rchar: ", "wchar: ", "syscr: ", "syscw: "};

	for (int turn = 0; turn < 2; turn++) {
		const char *text = text_of("/proc/self/io");

		for (int i = 0; i < 4; i++)
			(turn ? after : before)[i] = number_after(text, labels[i]);
		CHECK(strstr(text, "\nread_bytes: 0\n") != NULL);
		if (turn)
			break;
		CHECK_EQ(write(null, page, 3000), 3000);
		CHECK_EQ(pread(zero, page, 4000, 0), 4000);
		CHECK_EQ(write(-1, page, 1), -1);
	}
	/* The second look at the file itself reads the text of the first. */
	CHECK(after[0] - before[0] >= 4000 && after[0] - before[0] < 4600);
	CHECK_EQ(after[1] - before[1], 3000);
	CHECK_EQ(after[2] - before[2], 2);
	CHECK_EQ(after[3] - before[3], 1);
	close(null);
	close(zero);
}

TEST(tables_of_the_machine)
{
	CHECK(strncmp(text_of("/proc/interrupts"), "           CPU0", 15) == 0);
	CHECK(strstr(text_of("/proc/softirqs"), "CPU0") != NULL);
	CHECK(strstr(text_of("/proc/softirqs"), " TASKLET:") != NULL);
	CHECK(access("/proc/diskstats", R_OK) == 0);
	CHECK(number_after(text_of("/proc/stat"), "intr ") > 0);
	CHECK_EQ(strcmp(text_of("/proc/self/wchan"), "0"), 0);
	CHECK_EQ(strcmp(text_of("/proc/self/personality"), "00000000\n"), 0);
	CHECK(strstr(text_of("/proc/self/status"), "\nSigQ:\t0/") != NULL);
}
