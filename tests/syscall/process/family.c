/*
 * Relations between processes: who adopts orphans, how many a user may have, priorities of groups and
 * users, programs that are executed by descriptor.
 */
#include "tests/syscall/process/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static int subreaper_body(void)
{
	int ready[2], on = 0, status;
	pid_t orphan = 0;

	if (pipe(ready) || prctl(PR_SET_CHILD_SUBREAPER, 1) || prctl(PR_GET_CHILD_SUBREAPER, &on) ||
	    on != 1)
		return 1;
	if (fork() == 0) {
		pid_t parent = getpid(), grandchild = fork();

		if (grandchild == 0) {
			while (getppid() == parent)
				sleep_ms(1);
			_exit(5);
		}
		(void)!write(ready[1], &grandchild, sizeof(grandchild));
		_exit(0);
	}
	if (read(ready[0], &orphan, sizeof(orphan)) != sizeof(orphan) || wait(&status) < 0)
		return 2;
	if (waitpid(orphan, &status, 0) != orphan || WEXITSTATUS(status) != 5)
		return 3;
	return 0;
}

TEST(a_subreaper_adopts)
{
	int on = 7;

	CHECK_EQ(child_status(subreaper_body), 0);
	CHECK_EQ(prctl(PR_GET_CHILD_SUBREAPER, &on), 0);
	CHECK_EQ(on, 0);
}

#define LIMIT 10

static int limit_body(void)
{
	struct rlimit limit = {LIMIT, LIMIT};
	int n = 0, status;

	if (setrlimit(RLIMIT_NPROC, &limit) || setresuid(4321, 4321, 4321))
		return 100;
	while (n < 2 * LIMIT) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				pause();
		if (pid < 0)
			break;
		n++;
	}
	if (errno != EAGAIN)
		return 101;
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	kill(-1, SIGKILL);
	while (wait(&status) > 0)
		;
	/* And again: those that were reaped count no more. */
	if (fork() == 0)
		_exit(0);
	if (wait(&status) < 0)
		return 102;
	return n;
}

TEST(processes_of_a_user_are_limited)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setpgid(0, 0);
		_exit(limit_body());
	}
	waitpid(pid, &status, 0);
	/* Itself counts too. */
	CHECK_EQ(WEXITSTATUS(status), LIMIT - 1);
}

static void *nothing(void *arg)
{
	return arg;
}

static int thread_limit_body(void)
{
	struct rlimit limit = {2, 2};
	pthread_t thread;
	int err;

	if (setrlimit(RLIMIT_NPROC, &limit) || setresuid(4322, 4322, 4322))
		return 1;
	for (int i = 0; i < 20; i++) {
		err = pthread_create(&thread, NULL, nothing, NULL);
		/* One that has been joined may not have been counted out yet. */
		while (err == EAGAIN) {
			sleep_ms(1);
			err = pthread_create(&thread, NULL, nothing, NULL);
		}
		if (err || pthread_join(thread, NULL))
			return 2;
	}
	return 0;
}

TEST(threads_count_while_they_live)
{
	CHECK_EQ(child_status(thread_limit_body), 0);
}

static int priority_body(void)
{
	pid_t a, b;

	setpgid(0, 0);
	a = sleeping_child();
	b = sleeping_child();
	if (setpriority(PRIO_PGRP, 0, 5))
		return 1;
	if (getpriority(PRIO_PROCESS, (id_t)a) != 5 || getpriority(PRIO_PROCESS, (id_t)b) != 5)
		return 2;
	if (setpriority(PRIO_PROCESS, (id_t)a, 3) || getpriority(PRIO_PGRP, (id_t)getpid()) != 3)
		return 3;
	errno = 0;
	if (getpriority(PRIO_PGRP, 4000000) != -1 || errno != ESRCH)
		return 4;
	if (setpriority(PRIO_USER, 55555, 3) != -1 || errno != ESRCH)
		return 5;
	kill(a, SIGKILL);
	kill(b, SIGKILL);
	return 0;
}

TEST(priorities_of_groups)
{
	CHECK_EQ(child_status(priority_body), 0);
	CHECK_EQ(sys2(SYS_getpriority, 3, 0), -EINVAL);
	CHECK_EQ(sys3(SYS_setpriority, 3, 0, 0), -EINVAL);
}

/* This program, executed again with one argument, tells the name that it was executed by. */
__attribute__((constructor)) static void tell(int argc, char **argv)
{
	char name[64] = "";
	int fd = argc == 2 && strcmp(argv[0], "tell-name") == 0 ? atoi(argv[1]) : -1;

	if (fd < 0)
		return;
	prctl(PR_GET_NAME, name);
	(void)!write(fd, name, strlen(name));
	_exit(0);
}

static long execveat_(int fd, const char *path, char **argv, int flags)
{
	char *env[] = {NULL};

	return sys5(SYS_execveat, fd, path, argv, env, flags);
}

TEST(programs_by_descriptor)
{
	int exe = open("/proc/self/exe", O_RDONLY), bin = open("/bin", O_RDONLY | O_DIRECTORY);
	char number[16], got[64] = "";
	char *argv[] = {(char *)"tell-name", number, NULL};
	int pipes[2];

	CHECK(exe >= 0);
	CHECK_EQ(pipe(pipes), 0);
	snprintf(number, sizeof(number), "%d", pipes[1]);
	if (fork() == 0)
		_exit((int)-execveat_(exe, "", argv, AT_EMPTY_PATH));
	CHECK(read(pipes[0], got, sizeof(got) - 1) > 0);
	wait(NULL);
	CHECK(strncmp(got, "process_test", 12) == 0);
	CHECK_EQ(execveat_(exe, "", argv, 0), -ENOENT);
	CHECK_EQ(execveat_(exe, "x", argv, 1), -EINVAL);
	CHECK_EQ(execveat_(999, "x", argv, 0), -EBADF);
	CHECK_EQ(execveat_(exe, "x", argv, 0), -ENOTDIR);
	CHECK_EQ(execveat_(bin, "no-such-program", argv, 0), -ENOENT);
	CHECK_EQ(execveat_(bin, "", argv, AT_EMPTY_PATH), -EACCES);
	unlink("/tmp/link-to-program");
	CHECK_EQ(symlink("/bin/sh", "/tmp/link-to-program"), 0);
	CHECK_EQ(execveat_(AT_FDCWD, "/tmp/link-to-program", argv, AT_SYMLINK_NOFOLLOW), -ELOOP);
	unlink("/tmp/link-to-program");
	close(exe);
	close(bin);
}
