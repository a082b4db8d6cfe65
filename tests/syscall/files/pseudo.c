/*
 * /proc and /sys files that C libraries and tools read.
 */
#include "tests/syscall/files/files.h"

#include <sched.h>
#include <sys/wait.h>

static char text[65536];

TEST(number_of_cpus)
{
	cpu_set_t set;
	char wanted[32];
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	CHECK_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	CHECK_EQ(n, CPU_COUNT(&set));
	CHECK_EQ(sysconf(_SC_NPROCESSORS_CONF), n);
	snprintf(wanted, sizeof(wanted), n > 1 ? "0-%ld\n" : "0\n", n - 1);
	CHECK(read_file("/sys/devices/system/cpu/online", text, sizeof(text)) > 0);
	CHECK(strcmp(text, wanted) == 0);
	CHECK(read_file("/sys/devices/system/cpu/possible", text, sizeof(text)) > 0);
	CHECK(read_file("/sys/devices/system/cpu/cpu0/topology/core_id", text, sizeof(text)) > 0);
}

TEST(meminfo_and_sysconf)
{
	CHECK(read_file("/proc/meminfo", text, sizeof(text)) > 0);
	CHECK(strncmp(text, "MemTotal:", 9) == 0);
	CHECK(strstr(text, "MemFree:") != NULL);
	CHECK(strtol(text + 9, NULL, 10) * 1024 == sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
}

TEST(stat_uptime_version)
{
	CHECK(read_file("/proc/stat", text, sizeof(text)) > 0);
	CHECK(strncmp(text, "cpu  ", 5) == 0);
	CHECK(strstr(text, "\ncpu0 ") != NULL);
	CHECK(strstr(text, "\nbtime ") != NULL);
	CHECK(read_file("/proc/uptime", text, sizeof(text)) > 0);
	CHECK(strtod(text, NULL) > 0);
	CHECK(read_file("/proc/version", text, sizeof(text)) > 0);
	CHECK(strncmp(text, "Linux version ", 14) == 0);
	CHECK(read_file("/proc/sys/kernel/ostype", text, sizeof(text)) > 0);
	CHECK(strcmp(text, "Linux\n") == 0);
	CHECK(read_file("/proc/sys/kernel/pid_max", text, sizeof(text)) > 0);
	CHECK(atoi(text) >= 32768);
	CHECK(read_file("/proc/cpuinfo", text, sizeof(text)) > 0);
	CHECK(strstr(text, "processor\t: 0") != NULL);
	CHECK(strstr(text, "isa\t\t: rv64") != NULL);
	CHECK(strstr(text, "\nmvendorid\t: 0x") != NULL);
	CHECK(strstr(text, "\nmarchid\t\t: 0x") != NULL);
	CHECK(strstr(text, "\nmimpid\t\t: 0x") != NULL);
	CHECK(strstr(text, "\nhart isa\t: rv64") != NULL);
	CHECK(read_file("/proc/loadavg", text, sizeof(text)) > 0);
	CHECK(read_file("/proc/mounts", text, sizeof(text)) > 0);
	CHECK(strstr(text, " /proc proc ") != NULL);
	CHECK(read_file("/proc/filesystems", text, sizeof(text)) > 0);
}

TEST(self_status)
{
	char *line;

	CHECK(read_file("/proc/self/status", text, sizeof(text)) > 0);
	CHECK(strncmp(text, "Name:\t", 6) == 0);
	line = strstr(text, "\nPid:\t");
	CHECK(line && atoi(line + 6) == getpid());
	line = strstr(text, "\nPPid:\t");
	CHECK(line && atoi(line + 7) == getppid());
	line = strstr(text, "\nThreads:\t");
	CHECK(line && atoi(line + 10) >= 1);
	line = strstr(text, "\nVmRSS:\t");
	CHECK(line && atoi(line + 8) > 0);
	CHECK(read_file("/proc/self/stat", text, sizeof(text)) > 0);
	CHECK_EQ(atoi(text), getpid());
	CHECK(strchr(text, '(') && strrchr(text, ')'));
	CHECK(read_file("/proc/thread-self/comm", text, sizeof(text)) > 0);
}

static int hold[2];

static void *held_thread(void *tid)
{
	char byte;

	__atomic_store_n((int *)tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	CHECK_EQ(read(hold[0], &byte, 1), 0);
	return NULL;
}

/* As pthread_setname_np() does: a thread's name is what another thread writes. */
TEST(names_of_threads_are_written)
{
	char path[64], name[64] = {0};
	int tid = 0, fd;
	pthread_t thread;

	CHECK_EQ(pipe(hold), 0);
	thread = thread_start(held_thread, &tid);
	WAIT_UNTIL(__atomic_load_n(&tid, __ATOMIC_ACQUIRE));
	CHECK_EQ(pthread_setname_np(thread, "renamed"), 0);
	CHECK_EQ(pthread_getname_np(thread, name, sizeof(name)), 0);
	CHECK_EQ(strcmp(name, "renamed"), 0);
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
	fd = open(path, O_RDWR);
	CHECK_EQ(write(fd, "much longer than a name", 23), 23);
	CHECK(read_file(path, name, sizeof(name)) == 16 && strcmp(name, "much longer tha\n") == 0);
	close(fd);
	/* Of another process: by its own threads only. */
	snprintf(path, sizeof(path), "/proc/%d/comm", getppid());
	fd = open(path, O_WRONLY);
	CHECK_ERRNO(write(fd, "x", 1), EINVAL);
	close(fd);
	close(hold[1]);
	thread_join(thread);
	close(hold[0]);
}

TEST(self_program)
{
	char path[PATH_MAX] = {0};
	struct stat a, b;
	long n;

	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	CHECK(n > 0 && path[0] == '/');
	CHECK_EQ(stat(path, &a), 0);
	CHECK_EQ(stat("/proc/self/exe", &b), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
	n = read_file("/proc/self/cmdline", text, sizeof(text));
	CHECK(n > 0 && text[n - 1] == '\0' && strlen(text) > 0);
	CHECK(read_file("/proc/self/maps", text, sizeof(text)) > 0);
	CHECK(strstr(text, "[stack]") != NULL);
	CHECK(strstr(text, "[vdso]") != NULL);
	CHECK(read_file("/proc/self/auxv", text, sizeof(text)) >= 16);
}

TEST(own_descriptors)
{
	char path[64], target[PATH_MAX] = {0};
	int fd = open("/dev/null", O_RDONLY);
	struct dirent *d;
	bool seen = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_EQ(readlink(path, target, sizeof(target)), 9);
	CHECK(strcmp(target, "/dev/null") == 0);
	dir = opendir("/proc/self/fd");
	CHECK(dir != NULL);
	while (dir && (d = readdir(dir)) != NULL)
		seen |= atoi(d->d_name) == fd && d->d_name[0] != '.';
	CHECK(seen);
	if (dir)
		closedir(dir);
	close(fd);
}

/* The owner's permissions of a link in /proc/<pid>/fd. */
static unsigned int link_mode(int fd)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_EQ(lstat(path, &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	return st.st_mode & 07777;
}

TEST(links_to_descriptors_tell_their_mode)
{
	const struct {
		int flags;
		unsigned int mode;
	} cases[] = {{O_RDONLY, 0500}, {O_WRONLY, 0300}, {O_RDWR, 0700}, {O_PATH, 0}};
	int pipes[2];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = open("/dev/null", cases[i].flags);

		CHECK_EQ(link_mode(fd), cases[i].mode);
		close(fd);
	}
	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(link_mode(pipes[0]), 0500);
	CHECK_EQ(link_mode(pipes[1]), 0300);
	close(pipes[0]);
	close(pipes[1]);
}

/* The owner of /proc/<pid>/name. */
static uid_t owner(pid_t pid, const char *name)
{
	char path[64];
	struct stat st = {.st_uid = 99};

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	CHECK_EQ(lstat(path, &st), 0);
	return st.st_uid;
}

TEST(a_process_owns_its_directory)
{
	int ready[2], status;
	char byte = 0;
	pid_t pid;

	CHECK_EQ(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (setresuid(4324, 4325, 4324) || write(ready[1], "1", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	/* What has changed its user is not for that user to look into. */
	CHECK_EQ(owner(pid, ""), 4325);
	CHECK_EQ(owner(pid, "stat"), 0);
	CHECK_EQ(owner(pid, "exe"), 0);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(owner(getpid(), "stat"), geteuid());
	close(ready[0]);
	close(ready[1]);
}

TEST(processes_are_listed)
{
	struct dirent *d;
	bool self = false, own = false, init = false;
	DIR *dir = opendir("/proc");

	CHECK(dir != NULL);
	while (dir && (d = readdir(dir)) != NULL) {
		self |= strcmp(d->d_name, "self") == 0;
		own |= atoi(d->d_name) == getpid();
		init |= strcmp(d->d_name, "1") == 0;
	}
	CHECK(self && own && init);
	if (dir)
		closedir(dir);
}

TEST(nothing_can_be_created)
{
	char byte;
	int fd;

	CHECK_ERRNO(open("/proc/new", O_CREAT | O_WRONLY, 0644), ENOENT);
	CHECK_ERRNO(mkdir("/proc/new", 0755), ENOENT);
	CHECK_ERRNO(open("/proc/999999999", O_RDONLY), ENOENT);
	CHECK_ERRNO(unlink("/proc/version"), EPERM);
	fd = open("/proc/version", O_RDONLY);
	CHECK_EQ(pread(fd, &byte, 1, 3), 1);
	CHECK_EQ(byte, 'u');
	CHECK_EQ(lseek(fd, 5, SEEK_SET), 5);
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK_EQ(byte, ' ');
	CHECK_EQ(lseek(fd, 1000000, SEEK_SET), 1000000);
	CHECK_EQ(read(fd, &byte, 1), 0);
	close(fd);
}
