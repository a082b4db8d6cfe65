/*
 * signalfd: reading, polling, masks, whose signals.
 */
#include "tests/syscall/process/process.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static sigset_t signals(int a, int b)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, a);
	if (b)
		sigaddset(&set, b);
	return set;
}

TEST(signals_are_read)
{
	sigset_t set = signals(SIGUSR1, SIGRTMIN);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	struct signalfd_siginfo info[3];
	union sigval value = {.sival_int = 42};

	block(SIGUSR1);
	block(SIGRTMIN);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(sys3(SYS_read, fd, info, sizeof(info[0])), -EAGAIN);
	CHECK_EQ(poll_one(fd, 0), 0);
	CHECK_EQ(sigqueue(getpid(), SIGRTMIN, value), 0);
	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	CHECK_EQ(poll_one(fd, 0), POLLIN);
	CHECK_EQ(sys3(SYS_read, fd, info, sizeof(info[0]) - 1), -EINVAL);
	CHECK_EQ(read(fd, info, sizeof(info)), 2 * sizeof(info[0]));
	CHECK_EQ(info[0].ssi_signo, SIGUSR1);
	CHECK_EQ(info[0].ssi_code, SI_USER);
	CHECK_EQ(info[0].ssi_pid, getpid());
	CHECK_EQ(info[1].ssi_signo, SIGRTMIN);
	CHECK_EQ(info[1].ssi_code, SI_QUEUE);
	CHECK_EQ(info[1].ssi_int, 42);
	CHECK_EQ(poll_one(fd, 0), 0);
	close(fd);
}

static void *send_later(void *arg)
{
	sleep_ms(20);
	kill(getpid(), *(int *)arg);
	return NULL;
}

TEST(readers_and_pollers_wait)
{
	sigset_t set = signals(SIGUSR1, 0);
	int fd = signalfd(-1, &set, 0), sig = SIGUSR1;
	struct epoll_event event = {.events = EPOLLIN};
	int ep = epoll_create1(0);
	struct signalfd_siginfo info;
	pthread_t thread;

	thread = thread_start(send_later, &sig);
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	CHECK_EQ(info.ssi_signo, SIGUSR1);
	thread_join(thread);
	thread = thread_start(send_later, &sig);
	CHECK_EQ(poll_one(fd, 5000), POLLIN);
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	thread_join(thread);
	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event), 0);
	thread = thread_start(send_later, &sig);
	CHECK_EQ(epoll_wait(ep, &event, 1, 5000), 1);
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	thread_join(thread);
	close(ep);
	close(fd);
}

TEST(children_are_reported)
{
	sigset_t set = signals(SIGCHLD, 0);
	int fd = signalfd(-1, &set, 0);
	struct signalfd_siginfo info;
	pid_t pid;

	block(SIGCHLD);
	pid = fork();
	if (pid == 0)
		_exit(9);
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	CHECK_EQ(info.ssi_signo, SIGCHLD);
	CHECK_EQ(info.ssi_pid, pid);
	CHECK_EQ(info.ssi_status, 9);
	CHECK_EQ(info.ssi_code, CLD_EXITED);
	waitpid(pid, NULL, 0);
	close(fd);
}

TEST(the_mask_changes)
{
	sigset_t set = signals(SIGUSR1, 0), other = signals(SIGUSR2, 0);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	struct signalfd_siginfo info;

	block(SIGUSR2);
	CHECK_EQ(kill(getpid(), SIGUSR2), 0);
	CHECK_EQ(poll_one(fd, 0), 0);
	CHECK_EQ(signalfd(fd, &other, 0), fd);
	CHECK_EQ(poll_one(fd, 0), POLLIN);
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	CHECK_EQ(info.ssi_signo, SIGUSR2);
	close(fd);
}

TEST(a_child_reads_its_own_signals)
{
	sigset_t set = signals(SIGUSR1, 0);
	int fd = signalfd(-1, &set, SFD_NONBLOCK), status;
	struct signalfd_siginfo info;

	CHECK_EQ(kill(getpid(), SIGUSR1), 0);
	if (fork() == 0) {
		if (poll_one(fd, 0) || read(fd, &info, sizeof(info)) != -1)
			_exit(1);
		raise(SIGUSR1);
		_exit(poll_one(fd, 100) == POLLIN && read(fd, &info, sizeof(info)) == sizeof(info)
			      ? 0
			      : 2);
	}
	wait(&status);
	CHECK_EQ(status, 0);
	CHECK_EQ(read(fd, &info, sizeof(info)), sizeof(info));
	close(fd);
}

TEST(signalfd_errors)
{
	sigset_t set = signals(SIGUSR1, 0);
	struct errno_case cases[] = {
		{"size", SYS_signalfd4, {-1, (long)&set, 4, 0}, EINVAL},
		{"address", SYS_signalfd4, {-1, 8, 8, 0}, EFAULT},
		{"flags", SYS_signalfd4, {-1, (long)&set, 8, 1}, EINVAL},
		{"closed", SYS_signalfd4, {999, (long)&set, 8, 0}, EBADF},
		{"no signalfd", SYS_signalfd4, {0, (long)&set, 8, 0}, EINVAL},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
}
