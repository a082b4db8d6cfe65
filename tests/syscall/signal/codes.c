/*
 * si_code, si_pid and si_status: what a handler is told of a signal's origin; and what becomes of children whose parent wants no
 * zombies.
 */
#include "tests/syscall/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

static siginfo_t taken;
static int taken_count;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	taken = *info;
	__atomic_fetch_add(&taken_count, 1, __ATOMIC_RELEASE);
}

static void expect(int sig, int flags)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags};

	taken = (siginfo_t){0};
	taken_count = 0;
	CHECK_EQ(sigaction(sig, &action, NULL), 0);
}

static void check_taken(int sig, int code, pid_t pid)
{
	WAIT_UNTIL(__atomic_load_n(&taken_count, __ATOMIC_ACQUIRE) == 1);
	CHECK_EQ(taken.si_signo, sig);
	CHECK_EQ(taken.si_code, code);
	CHECK_EQ(taken.si_errno, 0);
	if (pid)
		CHECK_EQ(taken.si_pid, pid);
	signal(sig, SIG_DFL);
}

TEST(codes_of_programs)
{
	expect(SIGUSR1, 0);
	kill(getpid(), SIGUSR1);
	check_taken(SIGUSR1, SI_USER, getpid());
	expect(SIGUSR1, 0);
	raise(SIGUSR1);
	check_taken(SIGUSR1, SI_TKILL, getpid());
	expect(SIGUSR1, 0);
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 7});
	check_taken(SIGUSR1, SI_QUEUE, getpid());
	CHECK_EQ(taken.si_value.sival_int, 7);
	CHECK_EQ(taken.si_uid, getuid());
}

TEST(codes_of_timers)
{
	struct itimerval once = {.it_value.tv_usec = 1000};
	struct itimerspec soon = {.it_value.tv_nsec = 1000000};
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 3};
	timer_t timer;

	expect(SIGALRM, 0);
	CHECK_EQ(setitimer(ITIMER_REAL, &once, NULL), 0);
	check_taken(SIGALRM, SI_KERNEL, 0);
	CHECK_EQ(taken.si_pid, 0);
	expect(SIGUSR2, 0);
	CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	CHECK_EQ(timer_settime(timer, 0, &soon, NULL), 0);
	check_taken(SIGUSR2, SI_TIMER, 0);
	CHECK_EQ(taken.si_value.sival_int, 3);
	CHECK_EQ(timer_delete(timer), 0);
}

TEST(codes_of_broken_pipes_and_limits)
{
	struct rlimit old, limit;
	int pipes[2], fd;

	CHECK_EQ(pipe(pipes), 0);
	close(pipes[0]);
	expect(SIGPIPE, 0);
	CHECK_EQ(write(pipes[1], "x", 1), -1);
	check_taken(SIGPIPE, SI_USER, getpid());
	close(pipes[1]);

	fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	CHECK_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = (struct rlimit){100, old.rlim_max};
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	expect(SIGXFSZ, 0);
	CHECK_EQ(pwrite(fd, "x", 1, 200), -1);
	check_taken(SIGXFSZ, SI_USER, getpid());
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
	close(fd);
}

static void check_child(int code, int status, pid_t pid)
{
	check_taken(SIGCHLD, code, pid);
	CHECK_EQ(taken.si_status, status);
	CHECK_EQ(taken.si_uid, getuid());
}

static pid_t fork_waiting(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

TEST(codes_of_children)
{
	pid_t pid;

	expect(SIGCHLD, 0);
	pid = fork();
	if (pid == 0)
		_exit(0x1ff);
	check_child(CLD_EXITED, 0xff, pid);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);

	pid = fork_waiting();
	expect(SIGCHLD, 0);
	kill(pid, SIGSTOP);
	check_child(CLD_STOPPED, SIGSTOP, pid);
	expect(SIGCHLD, 0);
	kill(pid, SIGCONT);
	check_child(CLD_CONTINUED, SIGCONT, pid);
	expect(SIGCHLD, 0);
	kill(pid, SIGTERM);
	check_child(CLD_KILLED, SIGTERM, pid);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

/* A wait ends with ECHILD when the last child has gone, and no sooner. */
static void check_no_zombies(void)
{
	pid_t pids[4];

	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			sleep_ms(i * 5);
			_exit(i);
		}
	}
	CHECK_EQ(waitpid(-1, NULL, 0), -1);
	CHECK_EQ(errno, ECHILD);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(kill(pids[i], 0), -1);
		CHECK_EQ(errno, ESRCH);
	}
}

TEST(children_without_zombies)
{
	struct sigaction action;

	/* With SA_NOCLDWAIT Linux still sends the signal. */
	expect(SIGCHLD, SA_NOCLDWAIT | SA_RESTART);
	check_no_zombies();
	WAIT_UNTIL(__atomic_load_n(&taken_count, __ATOMIC_ACQUIRE) > 0);
	CHECK_EQ(taken.si_code, CLD_EXITED);
	CHECK_EQ(sigaction(SIGCHLD, NULL, &action), 0);
	CHECK_EQ(action.sa_flags & SA_NOCLDWAIT, SA_NOCLDWAIT);

	taken_count = 0;
	signal(SIGCHLD, SIG_IGN);
	check_no_zombies();
	CHECK_EQ(taken_count, 0);
	signal(SIGCHLD, SIG_DFL);
}

/* Though it may not have left its hart yet. */
TEST(reaped_children_have_no_number)
{
	for (int i = 0; i < test_rounds(100); i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		CHECK_EQ(waitpid(pid, NULL, 0), pid);
		if (!CHECK_EQ(kill(pid, 0), -1))
			break;
		CHECK_EQ(errno, ESRCH);
	}
}

/* A zombie that is there already stays when its parent changes its mind. */
TEST(zombies_stay_until_they_are_waited_for)
{
	siginfo_t info;
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(4);
	CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	signal(SIGCHLD, SIG_IGN);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), 4);
	signal(SIGCHLD, SIG_DFL);
}
