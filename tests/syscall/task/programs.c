/*
 * Programs started from this one: exec, exit status, wait, scripts, and the end of processes with
 * many threads. The program executes itself: `--child WHAT` makes it play a part instead of running
 * tests.
 */
#include "tests/syscall/task/task.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

static char self_path[256];

/* ---- the parts that a child plays ---- */

static void *spin(void *arg)
{
	for (;;)
		__asm__ volatile("");
	return arg;
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *exec_from_thread(void *arg)
{
	execl(self_path, self_path, "--child", "exit", "42", (char *)NULL);
	return arg;
}

static void child_play(int argc, char **argv)
{
	const char *part = argv[2];

	if (!strcmp(part, "exit"))
		_exit(atoi(argv[3]));
	if (!strcmp(part, "abort"))
		abort();
	if (!strcmp(part, "fault"))
		*(volatile char *)KERNEL_ADDRESS = 0;
	if (!strcmp(part, "hang"))
		wait_for_ever(NULL);
	if (!strcmp(part, "threads")) {
		for (int i = 0; i < 4; i++)
			thread_start(i & 1 ? spin : wait_for_ever, NULL);
		sleep_ms(1);
		exit(9);
	}
	if (!strcmp(part, "exec")) {
		thread_start(spin, NULL);
		thread_start(exec_from_thread, NULL);
		wait_for_ever(NULL);
	}
	_exit(argc);
}

__attribute__((constructor)) static void child_main(int argc, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);

	self_path[n > 0 ? n : 0] = '\0';
	if (argc > 2 && !strcmp(argv[1], "--child"))
		child_play(argc, argv);
	if (argc > 1 && !strcmp(argv[1], "--script"))
		_exit(argc == 3 && strstr(argv[2], "script") ? 43 : 44);
}

/* ---- tests ---- */

static pid_t start(const char *part, const char *arg)
{
	char *argv[] = {self_path, "--child", (char *)part, (char *)arg, NULL};
	pid_t pid = -1;

	CHECK_EQ(posix_spawn(&pid, self_path, NULL, NULL, argv, environ), 0);
	return pid;
}

static int wait_status(pid_t pid)
{
	int status = -1;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

TEST(exit_status_is_the_low_byte)
{
	CHECK_EQ(wait_status(start("exit", "0")), 0);
	CHECK_EQ(wait_status(start("exit", "7")), 7 << 8);
	CHECK_EQ(wait_status(start("exit", "256")), 0);
	CHECK_EQ(wait_status(start("exit", "-1")), 255 << 8);
}

TEST(killed_by_a_signal)
{
	pid_t pid;

	CHECK_EQ(WTERMSIG(wait_status(start("abort", NULL))), SIGABRT);
	CHECK_EQ(WTERMSIG(wait_status(start("fault", NULL))), SIGSEGV);
	pid = start("hang", NULL);
	CHECK_EQ(kill(pid, SIGTERM), 0);
	CHECK_EQ(wait_status(pid), SIGTERM);
}

TEST(stopped_process_continues)
{
	pid_t pid = start("hang", NULL);
	int status;

	sleep_ms(5);
	CHECK_EQ(kill(pid, SIGSTOP), 0);
	sleep_ms(5);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(kill(pid, SIGCONT), 0);
	sleep_ms(2);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(wait_status(pid), SIGKILL);
}

TEST(killing_a_stopped_process)
{
	pid_t pid = start("hang", NULL);

	kill(pid, SIGSTOP);
	sleep_ms(2);
	kill(pid, SIGKILL);
	CHECK_EQ(wait_status(pid), SIGKILL);
}

TEST(exit_group_ends_every_thread)
{
	for (int i = 0; i < 20; i++)
		CHECK_EQ(wait_status(start("threads", NULL)), 9 << 8);
}

TEST(exec_in_a_thread_ends_the_others)
{
	for (int i = 0; i < 20; i++)
		CHECK_EQ(wait_status(start("exec", NULL)), 42 << 8);
}

TEST(script_runs_by_its_interpreter)
{
	char path[] = "/tmp/script.XXXXXX", line[512];
	char *argv[] = {path, NULL};
	int fd = mkstemp(path);
	pid_t pid;

	if (!CHECK(fd >= 0))
		return;
	snprintf(line, sizeof(line), "#! %s --script \n", self_path);
	CHECK_EQ(write(fd, line, strlen(line)), strlen(line));
	fchmod(fd, 0755);
	close(fd);
	CHECK_EQ(posix_spawn(&pid, path, NULL, NULL, argv, environ), 0);
	CHECK_EQ(wait_status(pid), 43 << 8);
	unlink(path);
}

static int spawn_error(const char *path)
{
	char *argv[] = {(char *)path, NULL};
	pid_t pid;

	return posix_spawn(&pid, path, NULL, NULL, argv, environ);
}

/* A file with `text` and `mode`, tried as a program. */
static int spawn_file_error(const char *text, size_t len, mode_t mode)
{
	char path[] = "/tmp/program.XXXXXX";
	int fd = mkstemp(path), error;

	CHECK_EQ(write(fd, text, len), len);
	fchmod(fd, mode);
	close(fd);
	error = spawn_error(path);
	unlink(path);
	return error;
}

TEST(exec_errors)
{
	CHECK_EQ(spawn_error("/no/such/file"), ENOENT);
	CHECK_EQ(spawn_error("/tmp"), EACCES);
	CHECK_EQ(spawn_file_error("not a program", 13, 0755), ENOEXEC);
	CHECK_EQ(spawn_file_error("\177ELF", 4, 0755), ENOEXEC);
	CHECK_EQ(spawn_file_error("#!/no/such/interpreter\n", 23, 0755), ENOENT);
	CHECK_EQ(spawn_file_error("", 0, 0755), ENOEXEC);
	CHECK_EQ(spawn_file_error("#!/bin/sh\n", 10, 0644), EACCES);
}

TEST(wait_errors)
{
	int status;

	CHECK_EQ(waitpid(-1, &status, 0), -1);
	CHECK_EQ(errno, ECHILD);
	CHECK_EQ(waitpid(getpid(), &status, 0), -1);
	CHECK_EQ(errno, ECHILD);
	CHECK_EQ(sys4(SYS_wait4, -1, 0, 0x1000, 0), -EINVAL);
}

static volatile int children_seen;

static void on_child(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (sig == SIGCHLD && info->si_code == CLD_EXITED && info->si_status == 5)
		children_seen++;
}

TEST(sigchld_tells_of_the_child)
{
	struct rusage usage;
	pid_t pid;

	set_handler(SIGCHLD, on_child, SA_RESTART);
	pid = start("exit", "5");
	WAIT_UNTIL(children_seen == 1);
	CHECK_EQ(wait_status(pid), 5 << 8);
	signal(SIGCHLD, SIG_IGN);
	pid = start("exit", "5");
	CHECK_EQ(waitpid(pid, NULL, 0), -1);
	CHECK_EQ(errno, ECHILD);
	signal(SIGCHLD, SIG_DFL);
	CHECK_EQ(getrusage(RUSAGE_CHILDREN, &usage), 0);
}

static int shared_before;

TEST(fork_copies_memory)
{
	int status, fds[2], value = 0;
	pid_t pid;

	shared_before = 1;
	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		shared_before = 2;
		value = getppid();
		_exit(write(fds[1], &value, sizeof(value)) == sizeof(value) ? 11 : 12);
	}
	CHECK(pid > 0);
	CHECK_EQ(read(fds[0], &value, sizeof(value)), sizeof(value));
	CHECK_EQ(value, getpid());
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 11 << 8);
	CHECK_EQ(shared_before, 1);
	close(fds[0]);
	close(fds[1]);
}

TEST(many_forks)
{
	for (int round = 0; round < 10; round++) {
		pid_t pids[8];

		for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
			pids[i] = fork();
			if (pids[i] == 0)
				_exit((int)i);
		}
		for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
			CHECK_EQ(wait_status(pids[i]), (int)i << 8);
	}
}

TEST(orphan_goes_to_init)
{
	int fds[2];
	pid_t pid, parent = 0;

	CHECK_EQ(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (fork() == 0) {
			while (getppid() != 1)
				sleep_ms(1);
			parent = getppid();
			_exit(write(fds[1], &parent, sizeof(parent)) != sizeof(parent));
		}
		_exit(0);
	}
	CHECK_EQ(wait_status(pid), 0);
	CHECK_EQ(read(fds[0], &parent, sizeof(parent)), sizeof(parent));
	CHECK_EQ(parent, 1);
	close(fds[0]);
	close(fds[1]);
}
