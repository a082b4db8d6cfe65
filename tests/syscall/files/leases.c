/*
 * Leases: who may have one, who is told when somebody comes, and who waits for whom.
 */
#include "tests/syscall/files/files.h"

#include <sys/wait.h>

#define BREAK_TIME_FILE "/proc/sys/fs/lease-break-time"
#define CAUGHT		(SIGRTMIN + 3)
#define BAND		(POLLIN | POLLRDNORM | 0x400)

static volatile sig_atomic_t nr_signals;
static siginfo_t last;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	last = *info;
	nr_signals++;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};

	nr_signals = 0;
	CHECK_EQ(sigaction(SIGIO, &action, NULL), 0);
	CHECK_EQ(sigaction(CAUGHT, &action, NULL), 0);
}

static int set(int fd, int type)
{
	return fcntl(fd, F_SETLEASE, type);
}

static int get(int fd)
{
	return fcntl(fd, F_GETLEASE);
}

/* A file of its own, with text, open for reading. */
static int fresh_file(void)
{
	enter_fresh_directory();
	write_file("f", "0123456789");
	catch_signals();
	return open("f", O_RDONLY);
}

static int as_another_user(void)
{
	int fd = open("f", O_RDONLY);

	if (fd < 0 || setresuid(1234, 1234, 1234))
		return 1;
	CHECK_ERRNO(set(fd, F_RDLCK), EACCES);
	CHECK_ERRNO(set(fd, F_UNLCK), EACCES);
	CHECK_ERRNO(set(fd, 77), EINVAL);
	return 0;
}

TEST(lease_errors)
{
	int fd = fresh_file(), writer = open("f", O_WRONLY), place = open("f", O_PATH), ends[2];
	int directory = open(".", O_RDONLY);

	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(get(fd), F_UNLCK);
	CHECK_EQ(get(ends[0]), F_UNLCK);
	CHECK_ERRNO(set(fd, F_UNLCK), EAGAIN);
	CHECK_ERRNO(set(fd, 3), EINVAL);
	CHECK_ERRNO(set(fd, -1), EINVAL);
	CHECK_ERRNO(set(ends[0], F_RDLCK), EINVAL);
	CHECK_ERRNO(set(directory, F_RDLCK), EINVAL);
	CHECK_ERRNO(set(directory, F_UNLCK), EINVAL);
	CHECK_ERRNO(set(place, F_RDLCK), EBADF);
	CHECK_ERRNO(get(place), EBADF);
	/* Open in another way: */
	CHECK_ERRNO(set(fd, F_RDLCK), EAGAIN);
	CHECK_ERRNO(set(fd, F_WRLCK), EAGAIN);
	CHECK_ERRNO(set(writer, F_RDLCK), EAGAIN);
	CHECK_ERRNO(set(writer, F_WRLCK), EAGAIN);
	close(fd);
	CHECK_EQ(set(writer, F_WRLCK), 0);
	CHECK_EQ(get(writer), F_WRLCK);
	CHECK_ERRNO(set(writer, F_RDLCK), EAGAIN);
	CHECK_EQ(set(writer, F_UNLCK), 0);
	close(writer);
	CHECK_EQ(child_status(as_another_user), 0);
	close(place);
	close(directory);
	close(ends[0]);
	close(ends[1]);
}

TEST(read_lease_tells_of_writers)
{
	int fd = fresh_file(), other;

	CHECK_EQ(set(fd, F_RDLCK), 0);
	CHECK_EQ(get(fd), F_RDLCK);
	CHECK_EQ(fcntl(fd, F_GETOWN), getpid());
	other = open("f", O_RDONLY);
	CHECK(other >= 0);
	CHECK_EQ(set(other, F_RDLCK), 0);
	CHECK_EQ(set(other, F_UNLCK), 0);
	CHECK_ERRNO(set(fd, F_WRLCK), EAGAIN);
	close(other);
	CHECK_EQ(nr_signals, 0);
	CHECK_ERRNO(open("f", O_WRONLY | O_NONBLOCK), EWOULDBLOCK);
	CHECK_EQ(nr_signals, 1);
	CHECK_EQ(last.si_signo, SIGIO);
	CHECK_EQ(last.si_code, SI_KERNEL);
	CHECK_EQ(get(fd), F_UNLCK);
	/* Told once. */
	CHECK_ERRNO(open("f", O_RDWR | O_NONBLOCK), EWOULDBLOCK);
	CHECK_EQ(nr_signals, 1);
	CHECK_EQ(set(fd, F_UNLCK), 0);
	CHECK_EQ(fcntl(fd, F_GETOWN), 0);
	other = open("f", O_WRONLY | O_NONBLOCK);
	CHECK(other >= 0);
	close(other);
	close(fd);
}

TEST(write_lease_becomes_a_read_lease)
{
	int fd = fresh_file(), other;

	CHECK_EQ(fcntl(fd, F_SETSIG, CAUGHT), 0);
	CHECK_EQ(set(fd, F_WRLCK), 0);
	CHECK_EQ(get(fd), F_WRLCK);
	CHECK_ERRNO(open("f", O_RDONLY | O_NONBLOCK), EWOULDBLOCK);
	CHECK_EQ(nr_signals, 1);
	CHECK_EQ(last.si_signo, CAUGHT);
	CHECK_EQ(last.si_code, POLL_MSG);
	CHECK_EQ(last.si_band, BAND);
	CHECK_EQ(last.si_fd, fd);
	CHECK_EQ(get(fd), F_RDLCK);
	CHECK_EQ(set(fd, F_RDLCK), 0);
	CHECK_EQ(get(fd), F_RDLCK);
	other = open("f", O_RDONLY | O_NONBLOCK);
	CHECK(other >= 0);
	/* Asked to end it, it is not asked again to weaken it, and no other gets one. */
	CHECK_ERRNO(open("f", O_WRONLY | O_NONBLOCK), EWOULDBLOCK);
	CHECK_EQ(nr_signals, 2);
	CHECK_ERRNO(set(other, F_RDLCK), EAGAIN);
	close(other);
	CHECK_EQ(set(fd, F_UNLCK), 0);
	CHECK_EQ(fcntl(fd, F_GETSIG), 0);
	close(fd);
}

static int open_for_writing(void)
{
	return open("f", O_WRONLY | O_TRUNC) < 0;
}

static int open_for_reading(void)
{
	return open("f", O_RDONLY) < 0;
}

static int truncate_path(void)
{
	return truncate("f", 3) != 0;
}

/* In a child that must not hold the file open itself. */
static pid_t start(int (*body)(void), int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		close(fd);
		_exit(body());
	}
	return pid;
}

static long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

TEST(who_opens_waits)
{
	int (*const bodies[])(void) = {open_for_writing, truncate_path};
	const long sizes[] = {0, 3};

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		int fd = fresh_file(), status;
		pid_t pid;

		CHECK_EQ(set(fd, F_RDLCK), 0);
		pid = start(bodies[i], fd);
		WAIT_UNTIL(nr_signals == 1);
		WAIT_UNTIL(process_sleeps(pid));
		CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
		CHECK_EQ(size_of("f"), 10);
		CHECK_EQ(set(fd, F_UNLCK), 0);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(status, 0);
		CHECK_EQ(size_of("f"), sizes[i]);
		close(fd);
	}
}

TEST(who_reads_waits_for_less)
{
	int fd = fresh_file(), status;
	pid_t pid;

	CHECK_EQ(set(fd, F_WRLCK), 0);
	pid = start(open_for_reading, fd);
	WAIT_UNTIL(nr_signals == 1);
	CHECK_EQ(set(fd, F_RDLCK), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(get(fd), F_RDLCK);
	close(fd);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static int interrupted(void)
{
	struct sigaction action = {.sa_handler = on_alarm};

	sigaction(SIGUSR1, &action, NULL);
	return open("f", O_WRONLY) == -1 && errno == EINTR ? 0 : 1;
}

TEST(signal_ends_the_wait)
{
	int fd = fresh_file(), status;
	pid_t pid;

	CHECK_EQ(set(fd, F_RDLCK), 0);
	pid = start(interrupted, fd);
	WAIT_UNTIL(nr_signals == 1);
	WAIT_UNTIL(process_sleeps(pid));
	CHECK_EQ(kill(pid, SIGUSR1), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(get(fd), F_UNLCK);
	close(fd);
}

static long break_time(void)
{
	char text[32];

	return read_file(BREAK_TIME_FILE, text, sizeof(text)) > 0 ? atol(text) : -1;
}

TEST(lease_ends_when_its_time_is_over)
{
	int fd = fresh_file(), status;
	pid_t pid;

	CHECK_EQ(break_time(), 45);
	write_file(BREAK_TIME_FILE, "1\n");
	CHECK_EQ(break_time(), 1);
	CHECK_EQ(set(fd, F_WRLCK), 0);
	pid = start(open_for_reading, fd);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(nr_signals, 1);
	CHECK_EQ(get(fd), F_RDLCK);
	CHECK_EQ(set(fd, F_RDLCK), 0);
	pid = start(open_for_writing, fd);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(get(fd), F_UNLCK);
	CHECK_ERRNO(set(fd, F_UNLCK), EAGAIN);
	write_file(BREAK_TIME_FILE, "45\n");
	close(fd);
}

TEST(lease_goes_with_the_last_descriptor)
{
	int fd = fresh_file(), copy = dup(fd), other;

	CHECK_EQ(set(fd, F_RDLCK), 0);
	CHECK_EQ(get(copy), F_RDLCK);
	close(fd);
	CHECK_ERRNO(open("f", O_WRONLY | O_NONBLOCK), EWOULDBLOCK);
	close(copy);
	other = open("f", O_WRONLY | O_NONBLOCK);
	CHECK(other >= 0);
	close(other);
}

TEST(mapping_keeps_a_file_open)
{
	int fd = fresh_file(), other = open("f", O_RDWR);
	char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, other, 0);

	CHECK(map != MAP_FAILED);
	close(other);
	CHECK_ERRNO(set(fd, F_RDLCK), EAGAIN);
	munmap(map, 4096);
	CHECK_EQ(set(fd, F_RDLCK), 0);
	/* The file is open: no news. */
	close(fd);
}

TEST(leases_may_be_switched_off)
{
	int fd = fresh_file();

	write_file("/proc/sys/fs/leases-enable", "0\n");
	CHECK_ERRNO(set(fd, F_RDLCK), EINVAL);
	write_file("/proc/sys/fs/leases-enable", "1\n");
	CHECK_EQ(set(fd, F_RDLCK), 0);
	close(fd);
}

/* ---- both at once ---- */

static volatile bool inside, race_end;

/* Opens as often as it may. */
static void *open_and_close(void *unused)
{
	(void)unused;
	while (!race_end) {
		int fd = open("f", O_WRONLY | O_NONBLOCK);

		if (fd < 0)
			continue;
		inside = true;
		inside = false;
		close(fd);
	}
	return NULL;
}

TEST(nobody_comes_behind_the_back_of_a_lease)
{
	int fd = fresh_file();
	pthread_t thread;
	long held = 0;

	race_end = inside = false;
	thread = thread_start(open_and_close, NULL);
	for (long i = 0; i < test_rounds(3000) || held < 20; i++) {
		if (set(fd, F_RDLCK) != 0)
			continue;
		held++;
		for (int look = 0; look < 50; look++)
			if (!CHECK(!inside))
				look = 50;
		CHECK_EQ(set(fd, F_UNLCK), 0);
	}
	race_end = true;
	thread_join(thread);
	close(fd);
}
