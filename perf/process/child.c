/*
 * Processes that end at once. An operation makes one, waits for it and looks at its status, so a
 * child that did not run shows. Programs are this program itself, which ends before it does
 * anything when it is called with --child.
 */
#define _GNU_SOURCE
#include "perf/process/process.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *child_program;

static char *const child_argv[] = {"process", "--child", NULL};
static char *const child_env[] = {NULL};

static void check_child(pid_t pid)
{
	int status;

	if (pid < 0)
		bench_fail("no child: %s", strerror(errno));
	if (waitpid(pid, &status, 0) != pid)
		bench_fail("waitpid: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != CHILD_STATUS)
		bench_fail("a child ended with %#x", status);
}

void fork_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(CHILD_STATUS);
		check_child(pid);
	}
}

void fork_exec_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++) {
		pid_t pid = fork();

		if (pid == 0) {
			execve(child_program, child_argv, child_env);
			_exit(1);
		}
		check_child(pid);
	}
}

void vfork_exec_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++) {
		pid_t pid = vfork();

		if (pid == 0) {
			execve(child_program, child_argv, child_env);
			_exit(1);
		}
		check_child(pid);
	}
}

void spawn_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++) {
		pid_t pid;

		errno = posix_spawn(&pid, child_program, NULL, NULL, child_argv, child_env);
		check_child(errno ? -1 : pid);
	}
}
