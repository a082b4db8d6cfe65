/*
 * F_SETOWN, F_SETSIG, O_ASYNC: files that tell of their events by signals.
 */
#include "tests/syscall/process/process.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

static siginfo_t taken;
static int taken_count;
static pid_t taken_by;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	taken = *info;
	taken_by = (pid_t)syscall(SYS_gettid);
	__atomic_fetch_add(&taken_count, 1, __ATOMIC_RELEASE);
}

static void expect(int sig)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};

	taken_count = 0;
	CHECK_EQ(sigaction(sig, &action, NULL), 0);
}

static void wait_taken(int sig)
{
	WAIT_UNTIL(__atomic_load_n(&taken_count, __ATOMIC_ACQUIRE) > 0);
	CHECK_EQ(taken.si_signo, sig);
}

static void make_async(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	CHECK_EQ(fcntl(fd, F_SETFL, on ? flags | O_ASYNC : flags & ~O_ASYNC), 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ASYNC, on ? O_ASYNC : 0);
}

static void put(int fd)
{
	CHECK_EQ(write(fd, "x", 1), 1);
}

static void get(int fd)
{
	char byte;

	CHECK_EQ(read(fd, &byte, 1), 1);
}

/* One end says that it is readable when something is put into the other. */
static void check_readable(int to, int from)
{
	expect(SIGIO);
	CHECK_EQ(fcntl(from, F_SETOWN, getpid()), 0);
	CHECK_EQ(fcntl(from, F_GETOWN), getpid());
	make_async(from, true);
	put(to);
	wait_taken(SIGIO);
	CHECK_EQ(taken.si_code, SI_KERNEL);
	get(from);

	expect(SIGRTMIN + 2);
	CHECK_EQ(fcntl(from, F_SETSIG, SIGRTMIN + 2), 0);
	CHECK_EQ(fcntl(from, F_GETSIG), SIGRTMIN + 2);
	put(to);
	wait_taken(SIGRTMIN + 2);
	CHECK_EQ(taken.si_code, POLL_IN);
	CHECK_EQ(taken.si_fd, from);
	CHECK_EQ(taken.si_band & POLLIN, POLLIN);
	get(from);

	make_async(from, false);
	taken_count = 0;
	put(to);
	sleep_ms(20);
	CHECK_EQ(taken_count, 0);
	get(from);
	CHECK_EQ(fcntl(from, F_SETSIG, 0), 0);
}

TEST(pipes_signal_input)
{
	int pipes[2];

	CHECK_EQ(pipe(pipes), 0);
	check_readable(pipes[1], pipes[0]);
	close(pipes[0]);
	close(pipes[1]);
}

TEST(sockets_signal_input)
{
	int pair[2];

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	check_readable(pair[0], pair[1]);
	close(pair[0]);
	close(pair[1]);
}

TEST(terminals_signal_input)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), slave;
	struct termios t;
	char name[64];

	CHECK_EQ(unlockpt(master), 0);
	CHECK_EQ(ptsname_r(master, name, sizeof(name)), 0);
	slave = open(name, O_RDWR | O_NOCTTY);
	if (slave < 0) {
		test_skip("no /dev/pts");
		close(master);
		return;
	}
	CHECK_EQ(tcgetattr(slave, &t), 0);
	cfmakeraw(&t);
	CHECK_EQ(tcsetattr(slave, TCSANOW, &t), 0);
	check_readable(master, slave);
	close(slave);
	close(master);
}

TEST(a_full_pipe_signals_room)
{
	static char page[65536];
	int pipes[2];

	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(fcntl(pipes[1], F_SETOWN, getpid()), 0);
	CHECK_EQ(fcntl(pipes[1], F_SETSIG, SIGRTMIN + 2), 0);
	CHECK_EQ(write(pipes[1], page, sizeof(page)), sizeof(page));
	make_async(pipes[1], true);
	expect(SIGRTMIN + 2);
	CHECK_EQ(read(pipes[0], page, sizeof(page)), sizeof(page));
	wait_taken(SIGRTMIN + 2);
	CHECK_EQ(taken.si_code, POLL_OUT);
	close(pipes[0]);
	close(pipes[1]);
}

static pid_t tid_of_owner;
static int go_on;

static void *waiting_owner(void *arg)
{
	__atomic_store_n(&tid_of_owner, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&go_on, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	return arg;
}

TEST(owners_may_be_threads_and_groups)
{
	struct f_owner_ex ex;
	pthread_t thread;
	int pipes[2];

	CHECK_EQ(pipe(pipes), 0);
	thread = thread_start(waiting_owner, NULL);
	WAIT_UNTIL(__atomic_load_n(&tid_of_owner, __ATOMIC_ACQUIRE));
	ex = (struct f_owner_ex){F_OWNER_TID, tid_of_owner};
	CHECK_EQ(fcntl(pipes[0], F_SETOWN_EX, &ex), 0);
	ex = (struct f_owner_ex){0};
	CHECK_EQ(fcntl(pipes[0], F_GETOWN_EX, &ex), 0);
	CHECK_EQ(ex.type, F_OWNER_TID);
	CHECK_EQ(ex.pid, tid_of_owner);
	make_async(pipes[0], true);
	expect(SIGIO);
	put(pipes[1]);
	wait_taken(SIGIO);
	CHECK_EQ(taken_by, tid_of_owner);
	ex = (struct f_owner_ex){F_OWNER_PGRP, getpgrp()};
	CHECK_EQ(fcntl(pipes[0], F_SETOWN_EX, &ex), 0);
	ex = (struct f_owner_ex){0};
	CHECK_EQ(fcntl(pipes[0], F_GETOWN_EX, &ex), 0);
	CHECK_EQ(ex.type, F_OWNER_PGRP);
	CHECK_EQ(ex.pid, getpgrp());
	__atomic_store_n(&go_on, 1, __ATOMIC_RELEASE);
	thread_join(thread);
	signal(SIGIO, SIG_IGN);
	close(pipes[0]);
	close(pipes[1]);
	signal(SIGIO, SIG_DFL);
}

/* Who may not signal the owner does so by no file either. */
static int stranger(void)
{
	int pipes[2];

	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(setresuid(4000, 4000, 4000), 0);
	CHECK_EQ(fcntl(pipes[0], F_SETOWN, getppid()), 0);
	make_async(pipes[0], true);
	put(pipes[1]);
	return 0;
}

TEST(owners_are_protected_from_strangers)
{
	expect(SIGIO);
	CHECK_EQ(child_status(stranger), 0);
	sleep_ms(20);
	CHECK_EQ(taken_count, 0);
	signal(SIGIO, SIG_DFL);
}

static int reading_end, writing_end;

static void *put_many(void *arg)
{
	for (int i = 0; i < 100; i++)
		put(writing_end);
	return arg;
}

/* The mode goes off, and the last descriptor goes, while signals are on their way. */
TEST(events_race_with_the_end)
{
	long rounds = test_rounds(30);

	expect(SIGIO);
	for (long i = 0; i < rounds; i++) {
		pthread_t thread;
		int pair[2];

		CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		reading_end = pair[0];
		writing_end = pair[1];
		CHECK_EQ(fcntl(reading_end, F_SETOWN, getpid()), 0);
		make_async(reading_end, true);
		thread = thread_start(put_many, NULL);
		if (i & 1)
			make_async(reading_end, false);
		thread_join(thread);
		close(reading_end);
		close(writing_end);
	}
	signal(SIGIO, SIG_IGN);
	sleep_ms(5);
	signal(SIGIO, SIG_DFL);
}

TEST(sigio_errors)
{
	int pipes[2], fd = open("/dev/zero", O_RDONLY), on = 1;
	struct f_owner_ex bad = {7, 0}, nobody = {F_OWNER_PID, 0x3fffff};

	CHECK_EQ(pipe(pipes), 0);
	struct errno_case cases[] = {
		{"signal", SYS_fcntl, {pipes[0], F_SETSIG, 65}, EINVAL},
		{"owner", SYS_fcntl, {pipes[0], F_SETOWN, 0x3fffff}, ESRCH},
		{"owner type", SYS_fcntl, {pipes[0], F_SETOWN_EX, (long)&bad}, EINVAL},
		{"owner ex", SYS_fcntl, {pipes[0], F_SETOWN_EX, (long)&nobody}, ESRCH},
		{"owner address", SYS_fcntl, {pipes[0], F_SETOWN_EX, 8}, EFAULT},
		{"owner address to get", SYS_fcntl, {pipes[0], F_GETOWN_EX, 8}, EFAULT},
		{"ioctl address", SYS_ioctl, {pipes[0], FIOASYNC, 8}, EFAULT},
		{"ioctl", SYS_ioctl, {pipes[0], FIOASYNC, (long)&on}, 0},
		{"ioctl of a file that cannot", SYS_ioctl, {fd, FIOASYNC, (long)&on}, ENOTTY},
	};
	check_errno_cases(cases, ARRAY_SIZE(cases));
	CHECK_EQ(fcntl(pipes[0], F_GETFL) & O_ASYNC, O_ASYNC);
	/* A file that cannot stays as it is, without an error. */
	CHECK_EQ(fcntl(fd, F_SETFL, O_ASYNC), 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ASYNC, 0);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}
