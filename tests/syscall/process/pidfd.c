/*
 * pidfd_open, pidfd_send_signal, pidfd_getfd, CLONE_PIDFD, waitid by descriptor.
 */
#include "tests/syscall/process/process.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/epoll.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

static int pidfd_open_(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

TEST(a_pidfd_tells_of_the_end)
{
	pid_t pid = sleeping_child();
	int fd = pidfd_open_(pid, 0), status;

	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(poll_one(fd, 20), 0);
	CHECK_EQ(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0), 0);
	CHECK_EQ(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), 0);
	CHECK_EQ(poll_one(fd, 5000), POLLIN);
	/* A zombie may still be signalled. */
	CHECK_EQ(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WTERMSIG(status), SIGTERM);
	CHECK_EQ(sys4(SYS_pidfd_send_signal, fd, 0, NULL, 0), -ESRCH);
	CHECK_EQ(poll_one(fd, 0), POLLIN | POLLHUP);
	close(fd);
	CHECK_EQ(sys2(SYS_pidfd_open, pid, 0), -ESRCH);
}

TEST(waitid_takes_a_pidfd)
{
	pid_t pid = fork();
	siginfo_t info = {0};
	int fd;

	if (pid == 0)
		_exit(7);
	fd = pidfd_open_(pid, 0);
	CHECK_EQ(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED), 0);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_status, 7);
	CHECK_EQ(sys5(SYS_waitid, P_PIDFD, fd, &info, WEXITED, 0), -ECHILD);
	CHECK_EQ(sys5(SYS_waitid, P_PIDFD, 0, &info, WEXITED, 0), -EBADF);
	CHECK_EQ(sys5(SYS_waitid, P_PIDFD, 999, &info, WEXITED, 0), -EBADF);
	CHECK_EQ(sys5(SYS_waitid, P_PIDFD, -1, &info, WEXITED, 0), -EINVAL);
	close(fd);
	pid = sleeping_child();
	fd = pidfd_open_(pid, O_NONBLOCK);
	CHECK(fd >= 0);
	CHECK_EQ(sys5(SYS_waitid, P_PIDFD, fd, &info, WEXITED, 0), -EAGAIN);
	CHECK_EQ(sys5(SYS_waitid, P_PIDFD, fd, &info, WEXITED | WNOHANG, 0), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
}

static long clone_pidfd(unsigned long flags, int *fd)
{
	return syscall(SYS_clone, flags | SIGCHLD, 0, fd, 0, 0);
}

TEST(clone_gives_a_pidfd)
{
	int fd = -1, status;
	long pid = clone_pidfd(CLONE_PIDFD, &fd);

	if (pid == 0)
		_exit(3);
	CHECK(pid > 0);
	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(poll_one(fd, 5000), POLLIN);
	CHECK_EQ(waitpid((pid_t)pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), 3);
	close(fd);
	CHECK_EQ(sys5(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &fd, 0, 0), -EINVAL);
	CHECK_EQ(sys5(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, 8, 0, 0), -EFAULT);
	CHECK_EQ(waitpid(-1, NULL, 0), -1);
	CHECK_EQ(errno, ECHILD);
}

TEST(a_descriptor_of_another_process)
{
	int ready[2], fd, got;
	char c = 0;
	pid_t pid;

	CHECK_EQ(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		int pipes[2];

		if (pipe(pipes) || dup2(pipes[0], 200) != 200 || write(pipes[1], "x", 1) != 1)
			_exit(1);
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &c, 1), 1);
	fd = pidfd_open_(pid, 0);
	got = (int)syscall(SYS_pidfd_getfd, fd, 200, 0);
	CHECK(got >= 0);
	CHECK_EQ(fcntl(got, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(got, &c, 1), 1);
	CHECK_EQ(c, 'x');
	CHECK_EQ(sys3(SYS_pidfd_getfd, fd, 201, 0), -EBADF);
	CHECK_EQ(sys3(SYS_pidfd_getfd, fd, 200, 1), -EINVAL);
	CHECK_EQ(sys3(SYS_pidfd_getfd, 0, 200, 0), -EBADF);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_EQ(sys3(SYS_pidfd_getfd, fd, 200, 0), -ESRCH);
	close(got);
	close(fd);
}

TEST(epoll_hears_of_an_end)
{
	pid_t pid = sleeping_child();
	int fd = pidfd_open_(pid, 0), ep = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN};

	CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event), 0);
	CHECK_EQ(epoll_wait(ep, &event, 1, 10), 0);
	kill(pid, SIGKILL);
	CHECK_EQ(epoll_wait(ep, &event, 1, 5000), 1);
	waitpid(pid, NULL, 0);
	close(ep);
	close(fd);
}

static void *idle_thread(void *arg)
{
	*(pid_t *)arg = (pid_t)syscall(SYS_gettid);
	pause();
	return NULL;
}

/* killall signals by an open /proc/<pid>. */
TEST(a_directory_of_proc_takes_signals)
{
	pid_t pid = sleeping_child();
	char path[64];
	int fd, thread, file, place, status;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	place = open(path, O_PATH);
	snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, pid);
	thread = open(path, O_RDONLY | O_DIRECTORY);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = open(path, O_RDONLY);
	CHECK_EQ(sys4(SYS_pidfd_send_signal, thread, 0, NULL, 0), -EBADF);
	CHECK_EQ(sys4(SYS_pidfd_send_signal, file, 0, NULL, 0), -EBADF);
	CHECK_EQ(sys4(SYS_pidfd_send_signal, place, 0, NULL, 0), -EBADF);
	CHECK_EQ(sys4(SYS_pidfd_send_signal, fd, 100, NULL, 0), -EINVAL);
	CHECK_EQ(sys4(SYS_pidfd_send_signal, fd, 0, NULL, 0), 0);
	CHECK_EQ(sys4(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	CHECK_EQ(sys4(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0), -ESRCH);
	close(fd);
	close(place);
	close(thread);
	close(file);
}

TEST(pidfd_errors)
{
	static pid_t tid;
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_USER};
	int fd = pidfd_open_(getpid(), 0);
	pthread_t thread;

	pthread_create(&thread, NULL, idle_thread, &tid);
	WAIT_UNTIL(__atomic_load_n(&tid, __ATOMIC_RELAXED));
	struct errno_case cases[] = {
		{"flags", SYS_pidfd_open, {getpid(), 1}, EINVAL},
		{"zero", SYS_pidfd_open, {0, 0}, EINVAL},
		{"negative", SYS_pidfd_open, {-1, 0}, EINVAL},
		{"none", SYS_pidfd_open, {4000000, 0}, ESRCH},
		{"a thread", SYS_pidfd_open, {tid, 0}, EINVAL},
		{"signal, no pidfd", SYS_pidfd_send_signal, {0, 0, 0, 0}, EBADF},
		{"signal, closed", SYS_pidfd_send_signal, {999, 0, 0, 0}, EBADF},
		{"signal, flags", SYS_pidfd_send_signal, {fd, 0, 0, 8}, EINVAL},
		{"signal, two flags", SYS_pidfd_send_signal, {fd, 0, 0, 3}, EINVAL},
		{"signal, number", SYS_pidfd_send_signal, {fd, 65, 0, 0}, EINVAL},
		{"signal, other number", SYS_pidfd_send_signal, {fd, SIGUSR2, (long)&info, 0}, EINVAL},
		{"signal, address", SYS_pidfd_send_signal, {fd, SIGUSR1, 8, 0}, EFAULT},
	};
	check_errno_cases(cases, ARRAY_SIZE(cases));
	close(fd);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}
