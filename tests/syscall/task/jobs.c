/*
 * Process groups, sessions, stops and continuations, and what a parent hears of them.
 */
#include "tests/syscall/task/task.h"

#include <poll.h>
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

/* A member of an orphaned group exits while another is stopped. */
static int orphaned_body(void)
{
	pid_t stopped, other;
	int status;

	setsid();
	stopped = fork();
	if (stopped == 0)
		for (;;)
			pause();
	kill(stopped, SIGSTOP);
	if (waitpid(stopped, &status, WUNTRACED) != stopped || !WIFSTOPPED(status))
		return 1;
	other = fork();
	if (other == 0)
		_exit(0);
	waitpid(other, &status, 0);
	if (waitpid(stopped, &status, WNOHANG | WCONTINUED) != 0)
		return 2;
	kill(stopped, SIGKILL);
	waitpid(stopped, &status, 0);
	return WTERMSIG(status) == SIGKILL ? 5 : 3;
}

TEST(a_group_that_was_orphaned_before_is_not_hung_up)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(orphaned_body());
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 5 << 8);
}

TEST(a_stopped_process_dies_of_a_signal_when_it_goes_on)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		for (;;)
			pause();
	CHECK_EQ(kill(pid, SIGSTOP), 0);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(kill(pid, SIGTERM), 0);
	sleep_ms(50);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(kill(pid, SIGCONT), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static int news; /* a pipe's end for writing */

static void tell_of_hang_up(int sig)
{
	(void)sig;
	(void)!write(news, "h", 1);
}

/* Leads a group with a stopped member; tells "r" when it is, "h" of SIGHUP, and what became of the member. */
static void group_leader_body(void)
{
	pid_t stopped;
	int status = 0;

	setpgid(0, 0);
	stopped = fork();
	if (stopped == 0)
		for (;;)
			pause();
	signal(SIGHUP, tell_of_hang_up);
	kill(stopped, SIGSTOP);
	waitpid(stopped, &status, WUNTRACED);
	(void)!write(news, "r", 1);
	while (waitpid(stopped, &status, 0) != stopped)
		;
	(void)!write(news, WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP ? "y" : "n", 1);
	_exit(0);
}

/* The next byte that comes within ten seconds. */
static int next_news(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte = 0;

	return poll(&p, 1, 10000) == 1 && read(fd, &byte, 1) == 1 ? byte : -1;
}

TEST(a_group_that_becomes_orphaned_is_hung_up)
{
	int pipes[2], status;
	pid_t leader;

	CHECK_EQ(pipe(pipes), 0);
	news = pipes[1];
	leader = fork();
	if (leader == 0) {
		setsid();
		if (fork() == 0)
			group_leader_body();
		for (;;)
			pause();
	}
	CHECK_EQ(next_news(pipes[0]), 'r');
	kill(leader, SIGKILL);
	CHECK_EQ(waitpid(leader, &status, 0), leader);
	CHECK_EQ(next_news(pipes[0]), 'h');
	CHECK_EQ(next_news(pipes[0]), 'y');
	close(pipes[0]);
	close(pipes[1]);
}

/* The leader's two children lead a group each, both with a stopped member: both are hung up when it dies. */
TEST(every_group_that_becomes_orphaned_is_hung_up)
{
	int pipes[2][2], status;
	pid_t leader;

	for (int i = 0; i < 2; i++)
		CHECK_EQ(pipe(pipes[i]), 0);
	leader = fork();
	if (leader == 0) {
		setsid();
		for (int i = 0; i < 2; i++) {
			news = pipes[i][1];
			if (fork() == 0)
				group_leader_body();
		}
		for (;;)
			pause();
	}
	for (int i = 0; i < 2; i++)
		CHECK_EQ(next_news(pipes[i][0]), 'r');
	kill(leader, SIGKILL);
	CHECK_EQ(waitpid(leader, &status, 0), leader);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(next_news(pipes[i][0]), 'h');
		CHECK_EQ(next_news(pipes[i][0]), 'y');
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}
