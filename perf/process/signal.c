/*
 * Signals: install a handler; send one to oneself, whose handler has run when the call returns;
 * two processes that take turns, each waiting in sigwaitinfo() for the other's.
 */
#define _GNU_SOURCE
#include "perf/process/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile uint64_t handled;

static void handler(int signal)
{
	(void)signal;
	handled++;
}

static void install(void)
{
	const struct sigaction action = {.sa_handler = handler};

	if (sigaction(SIGUSR1, &action, NULL) < 0)
		bench_fail("sigaction: %s", strerror(errno));
}

/* The workers inherit the blocked SIGUSR2, for which signal_pair_work() waits. */
const char *signal_setup(struct bench_team *team)
{
	sigset_t set;

	(void)team;
	install();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return NULL;
}

void signal_install_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++)
		install();
}

void signal_self_work(struct bench_worker *worker)
{
	pid_t pid = getpid(), tid = syscall(SYS_gettid);

	handled = 0;
	for (; worker->done < worker->ops; worker->done++) {
		if (syscall(SYS_tgkill, pid, tid, SIGUSR1) < 0)
			bench_fail("tgkill: %s", strerror(errno));
		if (handled != worker->done + 1)
			bench_fail("a signal to oneself was not handled at once");
	}
}

void signal_pair_work(struct bench_worker *worker)
{
	pid_t other = worker->team->workers[1 - worker->index].pid;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	for (; worker->done < worker->ops; worker->done++) {
		siginfo_t info;

		if (worker->index == 0 && kill(other, SIGUSR2) < 0)
			bench_fail("kill: %s", strerror(errno));
		while (sigwaitinfo(&set, &info) < 0)
			if (errno != EINTR)
				bench_fail("sigwaitinfo: %s", strerror(errno));
		if (info.si_pid != other)
			bench_fail("a signal came from %d, not from %d", info.si_pid, other);
		if (worker->index == 1 && kill(other, SIGUSR2) < 0)
			bench_fail("kill: %s", strerror(errno));
	}
}
