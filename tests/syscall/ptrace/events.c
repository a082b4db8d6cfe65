/*
 * Events: fork, vfork, clone, exec, exit; what becomes of the new ones; the tracer's death.
 */
#include "tests/syscall/ptrace/ptrace.h"

#include <sched.h>
#include <sys/prctl.h>

static unsigned long message_of(pid_t pid)
{
	unsigned long message = 0;

	CHECK_EQ(trace(P_GETEVENTMSG, pid, 0, &message), 0);
	return message;
}

static int fork_body(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(4);
	return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) + 1 : 0;
}

TEST(fork_is_told)
{
	pid_t pid = traced_child(fork_body), child;
	siginfo_t info;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_FORK), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), EVENT_STATUS(EVENT_FORK));
	CHECK_EQ(trace(P_GETSIGINFO, pid, 0, &info), 0);
	CHECK_EQ(info.si_code, EVENT_FORK << 8 | SIGTRAP);
	child = (pid_t)message_of(pid);
	CHECK_EQ(next_status(child), STOPPED_BY(SIGSTOP));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	WAIT_UNTIL(process_sleeps(pid));
	CHECK_EQ(trace(P_CONT, child, 0, 0), 0);
	/* The tracer first, then the parent. */
	CHECK_EQ(next_status(child), 4 << 8);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGCHLD));
	CHECK_EQ(trace(P_CONT, pid, 0, SIGCHLD), 0);
	CHECK_EQ(next_status(pid), 5 << 8);
}

/* A seized one's child stops by an event, with the same options. */
TEST(a_seized_one_forks)
{
	int ready[2];
	pid_t pid, child;

	CHECK_EQ(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		char c;

		(void)!read(ready[0], &c, 1);
		_exit(fork_body());
	}
	CHECK_EQ(trace(P_SEIZE, pid, 0, O_FORK | O_EXIT), 0);
	CHECK_EQ(write(ready[1], "x", 1), 1);
	CHECK_EQ(next_status(pid), EVENT_STATUS(EVENT_FORK));
	child = (pid_t)message_of(pid);
	CHECK_EQ(next_status(child), GROUP_STOP(SIGTRAP));
	CHECK_EQ(trace(P_CONT, child, 0, 0), 0);
	CHECK_EQ(next_status(child), EVENT_STATUS(EVENT_EXIT));
	CHECK_EQ(message_of(child), 4 << 8);
	CHECK_EQ(trace(P_CONT, child, 0, 0), 0);
	CHECK_EQ(next_status(child), 4 << 8);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGCHLD));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), EVENT_STATUS(EVENT_EXIT));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 5 << 8);
	close(ready[0]);
	close(ready[1]);
}

static int vfork_body(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	return pid > 0 ? 3 : 1;
}

TEST(vfork_and_its_end_are_told)
{
	pid_t pid = traced_child(vfork_body), child;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_VFORK | O_VFORKDONE), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), EVENT_STATUS(EVENT_VFORK));
	child = (pid_t)message_of(pid);
	CHECK_EQ(next_status(child), STOPPED_BY(SIGSTOP));
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(trace(P_DETACH, child, 0, 0), 0);
	CHECK_EQ(next_status(pid), EVENT_STATUS(EVENT_VFORK_DONE));
	CHECK_EQ(message_of(pid), child);
	CHECK_EQ(trace(P_DETACH, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 3 << 8);
}

static int clone_body(void)
{
	/* Tells its parent by another signal than SIGCHLD: an event of clone. */
	pid_t pid = (pid_t)sys5(SYS_clone, SIGUSR1, 0, 0, 0, 0);
	int status;

	if (pid == 0)
		_exit(6);
	return waitpid(pid, &status, __WCLONE) == pid ? WEXITSTATUS(status) : 1;
}

TEST(clone_is_told)
{
	pid_t pid, child;

	signal(SIGUSR1, SIG_IGN);
	pid = traced_child(clone_body);
	signal(SIGUSR1, SIG_DFL);
	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_CLONE | O_FORK | O_VFORK), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), EVENT_STATUS(EVENT_CLONE));
	child = (pid_t)message_of(pid);
	CHECK_EQ(next_status(child), STOPPED_BY(SIGSTOP));
	CHECK_EQ(trace(P_DETACH, child, 0, 0), 0);
	CHECK_EQ(trace(P_DETACH, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 6 << 8);
}

static int exec_body(void)
{
	char *argv[] = {"self", "nothing-of-this-name", NULL};

	execve("/proc/self/exe", argv, NULL);
	return 1;
}

TEST(exec_sends_a_sigtrap)
{
	pid_t pid = traced_child(exec_body);
	siginfo_t info;

	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), STOPPED_BY(SIGTRAP));
	CHECK_EQ(trace(P_GETSIGINFO, pid, 0, &info), 0);
	CHECK_EQ(info.si_code, SI_USER);
	CHECK_EQ(info.si_pid, pid);
	kill_and_reap(pid);
}

TEST(exec_is_told)
{
	pid_t pid = traced_child(exec_body);
	struct syscall_info info;
	struct regs regs;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_EXEC | O_SYSGOOD), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), EVENT_STATUS(EVENT_EXEC));
	CHECK_EQ(message_of(pid), pid);
	CHECK_EQ(get_regs(pid, &regs), 0);
	CHECK(regs.pc != 0 && regs.sp != 0);
	CHECK_EQ(trace(P_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), SYSCALL_STOP);
	CHECK_EQ(trace(P_GET_SYSCALL_INFO, pid, sizeof(info), &info), 33);
	CHECK_EQ(info.exit.rval, 0);
	CHECK_EQ(trace(P_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), SYSCALL_STOP);
	CHECK_EQ(trace(P_GET_SYSCALL_INFO, pid, sizeof(info), &info), 80);
	kill_and_reap(pid);
}

static int failing_exec(void)
{
	char *argv[] = {"none", NULL};

	return execve("/nothing/here", argv, NULL) == -1 ? 2 : 0;
}

TEST(an_exec_that_fails_is_not_told)
{
	pid_t pid = traced_child(failing_exec);

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_EXEC), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 2 << 8);
}

static int exit_body(void)
{
	return 12;
}

TEST(exit_is_told)
{
	pid_t pid = traced_child(exit_body);
	struct regs regs;

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_EXIT), 0);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), EVENT_STATUS(EVENT_EXIT));
	CHECK_EQ(message_of(pid), 12 << 8);
	CHECK_EQ(get_regs(pid, &regs), 0);
	CHECK_EQ(regs.a7, SYS_exit_group);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), 12 << 8);
}

/* Who is killed is told of too; a second SIGKILL does not end that stop. */
TEST(the_end_by_a_signal_is_told)
{
	pid_t pid = traced_child(exit_body);

	CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_EXIT), 0);
	kill(pid, SIGKILL);
	CHECK_EQ(next_status(pid), EVENT_STATUS(EVENT_EXIT));
	CHECK_EQ(message_of(pid), SIGKILL);
	kill(pid, SIGKILL);
	CHECK_EQ(message_of(pid), SIGKILL);
	CHECK_EQ(trace(P_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_status(pid), SIGKILL);
}

/* A tracer with two tracees: one dies with it, the other lives on. The pids come by `out`. */
static void tracer_that_dies(int out, long options, bool stopped)
{
	pid_t pid = sleeping_child();

	if (trace(P_SEIZE, pid, 0, options))
		_exit(1);
	if (stopped) {
		int status;

		if (trace(P_INTERRUPT, pid, 0, 0) || waitpid(pid, &status, 0) != pid)
			_exit(2);
	}
	(void)!write(out, &pid, sizeof(pid));
	_exit(0);
}

static int tracer_death(long options, bool stopped)
{
	int fds[2], status;
	pid_t tracer, pid = 0;

	if (pipe(fds) || prctl(PR_SET_CHILD_SUBREAPER, 1))
		return 1;
	tracer = fork();
	if (tracer == 0)
		tracer_that_dies(fds[1], options, stopped);
	if (read(fds[0], &pid, sizeof(pid)) != sizeof(pid) || waitpid(tracer, &status, 0) != tracer)
		return 2;
	if (options & O_EXITKILL)
		return waitpid(pid, &status, 0) == pid && status == SIGKILL ? 0 : 3;
	WAIT_UNTIL(process_sleeps(pid));
	kill(pid, SIGTERM);
	return waitpid(pid, &status, 0) == pid && status == SIGTERM ? 0 : 4;
}

static int tracer_death_frees(void)
{
	return tracer_death(0, false);
}

static int tracer_death_frees_stopped(void)
{
	return tracer_death(0, true);
}

static int tracer_death_kills(void)
{
	return tracer_death(O_EXITKILL, false);
}

static int tracer_death_kills_stopped(void)
{
	return tracer_death(O_EXITKILL, true);
}

TEST(the_tracers_death)
{
	CHECK_EQ(child_status(tracer_death_frees), 0);
	CHECK_EQ(child_status(tracer_death_frees_stopped), 0);
	CHECK_EQ(child_status(tracer_death_kills), 0);
	CHECK_EQ(child_status(tracer_death_kills_stopped), 0);
}

/* The parent of a tracee, another process than the tracer, sees its end when the tracer has. */
TEST(the_parent_hears_after_the_tracer)
{
	int fds[2], status;
	pid_t parent, pid = 0;

	CHECK_EQ(pipe(fds), 0);
	parent = fork();
	if (parent == 0) {
		pid = sleeping_child();
		(void)!write(fds[1], &pid, sizeof(pid));
		_exit(waitpid(pid, &status, 0) == pid && status == SIGKILL ? 0 : 1);
	}
	CHECK_EQ(read(fds[0], &pid, sizeof(pid)), sizeof(pid));
	WAIT_UNTIL(process_sleeps(parent));
	CHECK_EQ(trace(P_SEIZE, pid, 0, 0), 0);
	kill(pid, SIGKILL);
	{
		siginfo_t info = {0};

		CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
		CHECK_EQ(info.si_code, CLD_KILLED);
	}
	CHECK_EQ(waitpid(parent, &status, WNOHANG), 0);
	CHECK(process_sleeps(parent));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, SIGKILL);
	CHECK_EQ(waitpid(parent, &status, 0), parent);
	CHECK_EQ(status, 0);
	close(fds[0]);
	close(fds[1]);
}
