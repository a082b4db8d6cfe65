/*
 * Process groups, sessions, stops and continuations, and what a parent hears of them.
 */
#include "tests/syscall/task/task.h"

#include <sys/wait.h>

static pid_t fork_waiting(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	CHECK(pid > 0);
	return pid;
}

static void end(pid_t pid)
{
	int status;

	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, SIGKILL);
}

TEST(parent_hears_of_stop_and_continuation)
{
	pid_t pid = fork_waiting();
	siginfo_t info;
	int status;

	CHECK_EQ(waitpid(pid, &status, WNOHANG | WUNTRACED | WCONTINUED), 0);
	CHECK_EQ(kill(pid, SIGSTOP), 0);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(status, SIGSTOP << 8 | 0x7f);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
	CHECK_EQ(kill(pid, SIGCONT), 0);
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status));
	CHECK_EQ(waitpid(pid, &status, WCONTINUED | WNOHANG), 0);

	CHECK_EQ(kill(pid, SIGSTOP), 0);
	CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
	CHECK_EQ(info.si_code, CLD_STOPPED);
	CHECK_EQ(info.si_status, SIGSTOP);
	CHECK_EQ(waitid(P_ALL, 0, &info, WSTOPPED), 0);
	CHECK_EQ(info.si_pid, pid);
	end(pid);
}

TEST(waitid_tells_how_a_child_ended)
{
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		_exit(3);
	CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
	CHECK_EQ(info.si_signo, SIGCHLD);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_status, 3);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(sys5(SYS_waitid, P_ALL, 0, 0, WEXITED, 0), -ECHILD);
	CHECK_EQ(sys5(SYS_waitid, P_ALL, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(sys5(SYS_waitid, 9, 0, 0, WEXITED, 0), -EINVAL);
	CHECK_EQ(sys5(SYS_waitid, P_PID, 0, 0, WEXITED, 0), -EINVAL);

	pid = fork_waiting();
	info.si_pid = 1;
	CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG), 0);
	CHECK_EQ(info.si_pid, 0);
	kill(pid, SIGTERM);
	CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
	CHECK_EQ(info.si_code, CLD_KILLED);
	CHECK_EQ(info.si_status, SIGTERM);
}

static volatile int stops, continuations;

static void on_child(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	stops += info->si_code == CLD_STOPPED;
	continuations += info->si_code == CLD_CONTINUED;
}

TEST(sigchld_tells_of_stops_unless_not_wanted)
{
	pid_t pid = fork_waiting();
	int status;

	set_handler(SIGCHLD, on_child, SA_RESTART);
	kill(pid, SIGSTOP);
	WAIT_UNTIL(stops == 1);
	kill(pid, SIGCONT);
	WAIT_UNTIL(continuations == 1);
	set_handler(SIGCHLD, on_child, SA_RESTART | SA_NOCLDSTOP);
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(stops, 1);
	signal(SIGCHLD, SIG_DFL);
	end(pid);
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *spin(void *arg)
{
	for (;;)
		__asm__ volatile("");
	return arg;
}

TEST(every_thread_stops)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		for (int i = 0; i < 3; i++)
			thread_start(i ? wait_for_ever : spin, NULL);
		wait_for_ever(NULL);
	}
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(kill(pid, SIGSTOP), 0);
		CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
		CHECK(WIFSTOPPED(status));
		CHECK_EQ(kill(pid, SIGCONT), 0);
		CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	}
	end(pid);
}

TEST(groups_and_sessions)
{
	pid_t a = fork_waiting(), b = fork_waiting();
	int status;

	CHECK_EQ(getpgid(a), getpgrp());
	CHECK_EQ(setpgid(a, 0), 0);
	CHECK_EQ(getpgid(a), a);
	CHECK_EQ(setpgid(b, a), 0);
	CHECK_EQ(getpgid(b), a);
	CHECK_EQ(getsid(b), getsid(0));
	CHECK_EQ(kill(-a, SIGTERM), 0);
	CHECK_EQ(waitpid(-a, &status, 0) > 0 && WTERMSIG(status) == SIGTERM, 1);
	CHECK_EQ(waitpid(-a, &status, 0) > 0 && WTERMSIG(status) == SIGTERM, 1);
	CHECK_EQ(waitpid(-a, &status, 0), -1);
	CHECK_EQ(errno, ECHILD);
	CHECK_EQ(kill(-a, 0), -1);
	CHECK_EQ(errno, ESRCH);
}

TEST(group_errors)
{
	pid_t pid = fork_waiting();

	CHECK_EQ(sys2(SYS_setpgid, 0, -1), -EINVAL);
	CHECK_EQ(sys2(SYS_setpgid, 0x3fffff, 0), -ESRCH);
	CHECK_EQ(sys2(SYS_setpgid, 1, 0), -ESRCH);
	CHECK_EQ(sys2(SYS_setpgid, pid, 0x3fffff), -EPERM);
	CHECK_EQ(sys1(SYS_getpgid, 0x3fffff), -ESRCH);
	CHECK_EQ(sys1(SYS_getsid, 0x3fffff), -ESRCH);
	end(pid);
}

TEST(new_session)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		bool made = setsid() == getpid() && getpgrp() == getpid() && getsid(0) == getpid();

		_exit(made && setsid() == -1 && errno == EPERM && setpgid(0, 0) == -1 &&
		      errno == EPERM);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 1 << 8);
}

TEST(terminal_stop_needs_a_group_that_is_not_orphaned)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		/*
		 * A session leader's group has no parent inside the session: SIGTSTP does nothing.
		 */
		setsid();
		raise(SIGTSTP);
		_exit(6);
	}
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(status, 6 << 8);
}
