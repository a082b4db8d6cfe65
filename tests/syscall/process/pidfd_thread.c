/*
 * PIDFD_THREAD: descriptors of single threads.
 */
#include "tests/syscall/process/process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif
#define SIGNAL_THREAD	    1
#define SIGNAL_THREAD_GROUP 2
#define SIGNAL_GROUP	    4

static int pidfd_open_(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static pid_t tid_of_thread; /* a thread that waits to be told to go */
static int go_on;

static void *waiting_thread(void *arg)
{
	__atomic_store_n(&tid_of_thread, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&go_on, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	return arg;
}

static pthread_t start_waiting(void)
{
	pthread_t thread;

	tid_of_thread = go_on = 0;
	thread = thread_start(waiting_thread, NULL);
	WAIT_UNTIL(__atomic_load_n(&tid_of_thread, __ATOMIC_ACQUIRE));
	return thread;
}

static void let_go(pthread_t thread)
{
	__atomic_store_n(&go_on, 1, __ATOMIC_RELEASE);
	thread_join(thread);
}

TEST(a_thread_pidfd_tells_of_the_thread)
{
	pthread_t thread = start_waiting();
	int fd = pidfd_open_(tid_of_thread, PIDFD_THREAD), own = pidfd_open_(getpid(), PIDFD_THREAD);
	int ep = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN};
	siginfo_t info;

	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_EXCL);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event), 0);
	CHECK_EQ(poll_one(fd, 20), 0);
	CHECK_EQ(sys5(SYS_waitid, P_PIDFD, fd, &info, WEXITED | WNOHANG, 0), -ECHILD);
	CHECK_EQ(sys4(SYS_pidfd_send_signal, fd, 0, NULL, 0), 0);
	let_go(thread);
	CHECK_EQ(poll_one(fd, 5000) & POLLIN, POLLIN);
	WAIT_UNTIL(poll_one(fd, 0) == (POLLIN | POLLHUP));
	CHECK_EQ(epoll_wait(ep, &event, 1, 5000), 1);
	CHECK_EQ(sys4(SYS_pidfd_send_signal, fd, 0, NULL, 0), -ESRCH);
	CHECK_EQ(sys3(SYS_pidfd_getfd, fd, 0, 0), -ESRCH);
	CHECK_EQ(poll_one(own, 0), 0);
	close(ep);
	close(fd);
	close(own);
	CHECK_EQ(sys2(SYS_pidfd_open, tid_of_thread, PIDFD_THREAD), -ESRCH);
	CHECK_EQ(sys2(SYS_pidfd_open, getpid(), PIDFD_THREAD | O_RDWR), -EINVAL);
}

/* Signals that the process took, by thread. */
static pid_t taken_by;
static int taken_code;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	taken_code = info->si_code;
	__atomic_store_n(&taken_by, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
}

static void expect_taken(int fd, unsigned flags, pid_t by, int code)
{
	taken_by = 0;
	CHECK_EQ(sys4(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, flags), 0);
	WAIT_UNTIL(__atomic_load_n(&taken_by, __ATOMIC_ACQUIRE));
	if (by)
		CHECK_EQ(taken_by, by);
	CHECK_EQ(taken_code, code);
}

TEST(a_thread_pidfd_signals_the_thread)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_USER};
	pthread_t thread = start_waiting();
	int of_thread = pidfd_open_(tid_of_thread, PIDFD_THREAD),
	    of_process = pidfd_open_(getpid(), 0);

	sigaction(SIGUSR1, &action, NULL);
	expect_taken(of_thread, 0, tid_of_thread, SI_TKILL);
	expect_taken(of_thread, SIGNAL_THREAD, tid_of_thread, SI_TKILL);
	expect_taken(of_thread, SIGNAL_THREAD_GROUP, 0, SI_USER);
	expect_taken(of_process, SIGNAL_THREAD, getpid(), SI_TKILL);
	CHECK_EQ(sys4(SYS_pidfd_send_signal, of_thread, 0, NULL, SIGNAL_GROUP), -ESRCH);
	/* Only to oneself may one be anybody: another thread of the process is another one. */
	CHECK_EQ(sys4(SYS_pidfd_send_signal, of_thread, SIGUSR1, &info, 0), -EPERM);
	CHECK_EQ(sys4(SYS_pidfd_send_signal, of_process, SIGUSR1, &info, 0), 0);
	CHECK_EQ(taken_code, SI_USER);
	signal(SIGUSR1, SIG_DFL);
	let_go(thread);
	close(of_thread);
	close(of_process);
}

static void *leave_behind(void *arg)
{
	(void)!write(*(int *)arg, "", 1);
	for (;;)
		pause();
	return NULL;
}

static int state_of(const char *stat)
{
	char text[256] = "", *end;
	int fd = open(stat, O_RDONLY);

	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	end = strrchr(text, ')');
	return end ? end[2] : 0;
}

/* The leader ends while another thread runs on. */
TEST(a_leader_that_has_gone)
{
	int pipes[2], thread_fd, process_fd, status;
	char byte, stat[64];
	pid_t pid;

	CHECK_EQ(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		thread_start(leave_behind, &pipes[1]);
		(void)!read(pipes[0], &byte, 1);
		(void)!write(pipes[1], "", 1);
		syscall(SYS_exit, 0);
	}
	thread_fd = pidfd_open_(pid, PIDFD_THREAD);
	process_fd = pidfd_open_(pid, 0);
	snprintf(stat, sizeof(stat), "/proc/%d/stat", pid);
	WAIT_UNTIL(state_of(stat) == 'Z');
	CHECK_EQ(poll_one(thread_fd, 20), 0);
	CHECK_EQ(poll_one(process_fd, 0), 0);
	CHECK_EQ(sys4(SYS_pidfd_send_signal, thread_fd, 0, NULL, 0), 0);
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(poll_one(thread_fd, 0), POLLIN | POLLHUP);
	CHECK_EQ(sys2(SYS_pidfd_open, pid, PIDFD_THREAD), -ESRCH);
	close(thread_fd);
	close(process_fd);
	close(pipes[0]);
	close(pipes[1]);
}

static int thread_body(void *arg)
{
	while (!__atomic_load_n((int *)arg, __ATOMIC_ACQUIRE))
		;
	syscall(SYS_exit, 0);
	return 0;
}

TEST(clone_gives_a_pidfd_of_a_thread)
{
	static char stack[65536] __attribute__((aligned(16)));
	static int released;
	int fd = -1;
	long tid =
		clone(thread_body, stack + sizeof(stack),
		      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_PIDFD,
		      &released, &fd);

	CHECK(tid > 0);
	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_EXCL);
	CHECK_EQ(poll_one(fd, 20), 0);
	__atomic_store_n(&released, 1, __ATOMIC_RELEASE);
	CHECK_EQ(poll_one(fd, 5000) & POLLIN, POLLIN);
	close(fd);
}
