/*
 * Stops of the whole process: as its tracer, and as its parent sees them.
 */
#include "tests/syscall/ptrace/ptrace.h"

/* Without SEIZE: the signal, then the stop by it, which has no siginfo. */
TEST(a_stop_signal_stops_a_tracee)
{
	pid_t pid = sleeping_child();
	siginfo_t info;

	WAIT_UNTIL(process_sleeps(pid));
	CHECK_EQ(trace(P_ATTACH, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGSTOP));
	CHECK_EQ(trace(P_CONT, pid, 0, SIGSTOP), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGSTOP));
	CHECK_EQ(trace(P_GETSIGINFO, pid, 0, &info), -EINVAL);
	/* It goes on though its process is stopped. */
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	WAIT_UNTIL(process_sleeps(pid));
	kill(pid, SIGUSR1);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGUSR1));
	/* Let go, it is stopped as its process is. */
	CHECK_EQ(trace(P_DETACH, pid, 0, 0), 0);
	WAIT_UNTIL(process_state(pid) == 'T');
	kill_and_reap(pid);
}

TEST(a_seized_one_listens)
{
	pid_t pid = sleeping_child();
	siginfo_t info;
	int status;

	WAIT_UNTIL(process_sleeps(pid));
	CHECK_EQ(trace(P_SEIZE, pid, 0, 0), 0);
	kill(pid, SIGTSTP);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGTSTP));
	CHECK_EQ(trace(P_LISTEN, pid, 0, 0), -EIO);
	CHECK_EQ(trace(P_CONT, pid, 0, SIGSTOP), 0);
	CHECK_EQ(next_status(pid), GROUP_STOP(SIGSTOP));
	CHECK_EQ(trace(P_GETSIGINFO, pid, 0, &info), 0);
	CHECK_EQ(info.si_signo, SIGSTOP);
	CHECK_EQ(trace(P_LISTEN, pid, 0, 0), 0);
	CHECK_EQ(trace(P_GETSIGINFO, pid, 0, &info), -ESRCH);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(trace(P_INTERRUPT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), GROUP_STOP(SIGSTOP));
	CHECK_EQ(trace(P_LISTEN, pid, 0, 0), 0);
	kill(pid, SIGCONT);
	CHECK_EQ(next_status(pid), GROUP_STOP(SIGTRAP));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGCONT));
	CHECK_EQ(trace(P_CONT, pid, 0, SIGCONT), 0);
	WAIT_UNTIL(process_sleeps(pid));
	kill_and_reap(pid);
}

/* One that has stopped already goes over to a stop of the tracer's at once. */
TEST(attach_to_a_stopped_one)
{
	int status;
	pid_t pid = sleeping_child();

	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(status, STOPPED_BY(SIGSTOP));
	CHECK_EQ(trace(P_ATTACH, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), pid);
	CHECK_EQ(status, STOPPED_BY(SIGSTOP));
	CHECK_EQ(trace(P_DETACH, pid, 0, 0), 0);
	kill_and_reap(pid);

	pid = sleeping_child();
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(trace(P_SEIZE, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), pid);
	CHECK_EQ(status, GROUP_STOP(SIGSTOP));
	CHECK_EQ(trace(P_DETACH, pid, 0, 0), 0);
	kill(pid, SIGCONT);
	WAIT_UNTIL(process_sleeps(pid));
	kill_and_reap(pid);
}

/* The parent, another process than the tracer, is told of the process's stop and of its going on. */
TEST(the_parent_sees_the_stop)
{
	int out[2], status = 0;
	pid_t parent, pid = 0;

	CHECK_EQ(pipe(out), 0);
	parent = fork();
	if (parent == 0) {
		pid = sleeping_child();
		(void)!write(out[1], &pid, sizeof(pid));
		if (waitpid(pid, &status, WUNTRACED) != pid || status != STOPPED_BY(SIGSTOP))
			_exit(1);
		(void)!write(out[1], &pid, sizeof(pid));
		if (waitpid(pid, &status, WCONTINUED) != pid || !WIFCONTINUED(status))
			_exit(2);
		(void)!write(out[1], &pid, sizeof(pid));
		_exit(waitpid(pid, &status, 0) == pid && status == SIGKILL ? 0 : 3);
	}
	CHECK_EQ(read(out[0], &pid, sizeof(pid)), sizeof(pid));
	CHECK_EQ(trace(P_SEIZE, pid, 0, 0), 0);
	kill(pid, SIGSTOP);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGSTOP));
	CHECK_EQ(waitpid(parent, &status, WNOHANG), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, SIGSTOP), 0);
	CHECK_EQ(next_status(pid), GROUP_STOP(SIGSTOP));
	CHECK_EQ(read(out[0], &pid, sizeof(pid)), sizeof(pid));
	CHECK_EQ(trace(P_LISTEN, pid, 0, 0), 0);
	kill(pid, SIGCONT);
	CHECK_EQ(next_status(pid), GROUP_STOP(SIGTRAP));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(read(out[0], &pid, sizeof(pid)), sizeof(pid));
	kill(pid, SIGKILL);
	while (WIFSTOPPED(next_status(pid)))
		trace(P_CONT, pid, 0, 0);
	CHECK_EQ(waitpid(parent, &status, 0), parent);
	CHECK_EQ(status, 0);
	close(out[0]);
	close(out[1]);
}

/* SIGCONT between the stop for the signal and the stop by it: it does not stop. */
TEST(a_stop_that_is_undone)
{
	pid_t pid = sleeping_child();
	int status;

	WAIT_UNTIL(process_sleeps(pid));
	CHECK_EQ(trace(P_ATTACH, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGSTOP));
	kill(pid, SIGCONT);
	CHECK_EQ(trace(P_CONT, pid, 0, SIGSTOP), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGCONT));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	WAIT_UNTIL(process_sleeps(pid));
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	kill_and_reap(pid);
}
