/*
 * Races: SIGKILL with stops and with requests, the tracer's death with the tracee's, attaching with exiting. Each ends in the same way
 * whoever wins: nobody hangs, and everybody can be reaped.
 */
#include "tests/syscall/ptrace/ptrace.h"

#include <sys/prctl.h>

static int busy(void)
{
	for (;;)
		syscall(SYS_getppid);
	return 0;
}

/* Reaps `pid`, letting it go on wherever it stops. */
static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
		trace(P_SYSCALL, pid, 0, 0);
	return status;
}

static void *kill_it(void *arg)
{
	pid_t *pid = arg;

	kill(*pid, SIGKILL);
	return NULL;
}

/* The tracer looks and steps while somebody kills. */
TEST(kill_while_requests_are_made)
{
	for (long i = test_rounds(20); i--;) {
		pid_t pid = traced_child(busy);
		pthread_t killer;
		struct regs regs;
		long out;

		trace(P_SETOPTIONS, pid, 0, i & 1 ? O_SYSGOOD | O_EXITKILL : O_SYSGOOD);
		killer = thread_start(kill_it, &pid);
		for (int j = 0; j < 1000; j++) {
			if (get_regs(pid, &regs) || set_regs(pid, &regs) ||
			    trace(P_PEEKDATA, pid, regs.sp, &out) || trace(P_SYSCALL, pid, 0, 0))
				break;
			if (waitpid(pid, NULL, __WALL | WNOWAIT | WNOHANG) < 0)
				break;
		}
		CHECK_EQ(reap(pid), SIGKILL);
		thread_join(killer);
	}
}

/* Stops that are demanded while it dies. */
TEST(interrupt_while_it_dies)
{
	for (long i = test_rounds(20); i--;) {
		pid_t pid = sleeping_child();
		pthread_t killer;

		CHECK_EQ(trace(P_SEIZE, pid, 0, i & 1 ? O_EXIT : 0), 0);
		killer = thread_start(kill_it, &pid);
		for (int j = 0; j < 20; j++)
			if (trace(P_INTERRUPT, pid, 0, 0))
				break;
		CHECK_EQ(reap(pid), SIGKILL);
		thread_join(killer);
	}
}

/* The tracer dies while its tracees stop, run, die. */
static int tracer_body(void)
{
	pid_t pids[3];

	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			busy();
		trace(P_SEIZE, pids[i], 0, O_SYSGOOD | O_EXITKILL);
		trace(P_INTERRUPT, pids[i], 0, 0);
	}
	kill(pids[0], SIGKILL);
	kill(pids[1], SIGSTOP);
	return 0;
}

TEST(the_tracer_dies_in_between)
{
	int status;

	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	for (long i = test_rounds(20); i--;) {
		pid_t tracer = fork();

		if (tracer == 0)
			_exit(tracer_body());
		CHECK_EQ(waitpid(tracer, &status, 0), tracer);
		for (int j = 0; j < 3; j++) {
			CHECK(waitpid(-1, &status, 0) > 0);
			CHECK_EQ(status, SIGKILL);
		}
	}
	CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

static void *exit_soon(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++)
		syscall(SYS_getppid);
	return NULL;
}

static int many_threads(void)
{
	pthread_t threads[4];

	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 4; i++)
			pthread_create(&threads[i], NULL, exit_soon, NULL);
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
	}
	return 5;
}

/* Every thread of a process that makes and joins them is followed to its end, at every call. */
TEST(threads_are_followed)
{
	for (long i = test_rounds(2); i--;) {
		pid_t pid = traced_child(many_threads), who = 0;
		int status = 0, born = 0, ended = 0;

		CHECK_EQ(trace(P_SETOPTIONS, pid, 0, O_SYSGOOD | O_CLONE | O_EXIT), 0);
		CHECK_EQ(trace(P_SYSCALL, pid, 0, 0), 0);
		for (;;) {
			who = waitpid(-1, &status, __WALL);
			if (!CHECK(who > 0))
				break;
			if (WIFSTOPPED(status)) {
				born += status == EVENT_STATUS(EVENT_CLONE);
				trace(P_SYSCALL, who, 0, 0);
				continue;
			}
			ended++;
			if (who == pid)
				break;
		}
		CHECK_EQ(status, 5 << 8);
		CHECK_EQ(born, 20);
		CHECK_EQ(ended, 21);
	}
}

static int exits_at_once(void)
{
	return 0;
}

/* Attaching to one that exits succeeds or not; it is reaped once in either case. */
TEST(attach_while_it_exits)
{
	for (long i = test_rounds(30); i--;) {
		pid_t pid = fork();
		long err;

		if (pid == 0)
			_exit(exits_at_once());
		err = trace(i & 1 ? P_SEIZE : P_ATTACH, pid, 0, 0);
		CHECK(err == 0 || err == -EPERM || err == -ESRCH);
		CHECK_EQ(reap(pid), 0);
		CHECK(waitpid(pid, NULL, __WALL) == -1 && errno == ECHILD);
	}
}
