/*
 * Descriptors, pipes, poll and select.
 */
#include "tests/syscall/files/files.h"

#include <sys/resource.h>

TEST(lowest_descriptor_first)
{
	int a, b, c;

	a = open("/dev/null", O_RDONLY);
	b = dup(a);
	c = dup(a);
	CHECK_EQ(b, a + 1);
	CHECK_EQ(c, a + 2);
	CHECK_EQ(close(b), 0);
	CHECK_EQ(dup(a), b);
	CHECK_EQ(fcntl(a, F_DUPFD, 100), 100);
	CHECK_EQ(fcntl(a, F_DUPFD, 100), 101);
	CHECK_EQ(fcntl(a, F_DUPFD_CLOEXEC, 500), 500);
	CHECK_EQ(fcntl(500, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(100, F_GETFD), 0);
	CHECK_EQ(fcntl(100, F_SETFD, FD_CLOEXEC), 0);
	CHECK_EQ(fcntl(100, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(sys3(SYS_close_range, 100, 600, 0), 0);
	CHECK_ERRNO(fcntl(101, F_GETFD), EBADF);
	CHECK_EQ(sys3(SYS_close_range, 5, 4, 0), -EINVAL);
	CHECK_EQ(sys3(SYS_close_range, a, a + 3, 8), -EINVAL);
	close(a);
	close(b);
	close(c);
	CHECK_ERRNO(close(a), EBADF);
	CHECK_ERRNO(dup(a), EBADF);
}

TEST(dup3_semantics)
{
	int a = open("/dev/null", O_RDONLY), b = open("/dev/zero", O_RDONLY);
	char byte = 1;

	CHECK_EQ(dup3(a, b, O_CLOEXEC), b);
	CHECK_EQ(fcntl(b, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(b, &byte, 1), 0);
	CHECK_EQ(dup3(a, 77, 0), 77);
	CHECK_ERRNO(dup3(a, a, 0), EINVAL);
	CHECK_ERRNO(dup3(a, 78, O_NONBLOCK), EINVAL);
	CHECK_ERRNO(dup3(79, 80, 0), EBADF);
	CHECK_ERRNO(dup3(a, -1, 0), EBADF);
	close(77);
	close(a);
	close(b);
}

TEST(dup_shares_the_position)
{
	int a, b;

	enter_fresh_directory();
	write_file("f", "hello");
	a = open("f", O_RDONLY);
	b = dup(a);
	CHECK_EQ(lseek(a, 3, SEEK_SET), 3);
	CHECK_EQ(lseek(b, 0, SEEK_CUR), 3);
	CHECK_EQ(fcntl(a, F_SETFL, O_NONBLOCK), 0);
	CHECK((fcntl(b, F_GETFL) & O_NONBLOCK) != 0);
	CHECK_EQ(fcntl(a, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(a);
	close(b);
}

TEST(descriptor_limit)
{
	struct rlimit old, few;
	int fds[64], n = 0;

	CHECK_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = 20;
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
	while (n < 64 && (fds[n] = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	CHECK_EQ(errno, EMFILE);
	CHECK_EQ(fds[n - 1], 19);
	CHECK_ERRNO(dup(0), EMFILE);
	CHECK_ERRNO(fcntl(0, F_DUPFD, 20), EINVAL);
	while (n > 0)
		close(fds[--n]);
	CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
}

TEST(device_files)
{
	char buf[16] = {1};
	struct stat st;
	int fd = open("/dev/zero", O_RDWR);

	CHECK_EQ(read(fd, buf, sizeof(buf)), sizeof(buf));
	CHECK_EQ(buf[0], 0);
	CHECK_EQ(write(fd, buf, 5), 5);
	close(fd);
	fd = open("/dev/full", O_RDWR);
	CHECK_ERRNO(write(fd, buf, 5), ENOSPC);
	close(fd);
	fd = open("/dev/urandom", O_RDONLY);
	CHECK_EQ(read(fd, buf, sizeof(buf)), sizeof(buf));
	close(fd);
	fd = open("/dev/null", O_RDONLY);
	CHECK_ERRNO(ioctl(fd, TIOCGWINSZ, buf), ENOTTY);
	close(fd);
	CHECK_EQ(stat("/dev/null", &st), 0);
	CHECK_EQ(st.st_mode & S_IFMT, S_IFCHR);
	CHECK_EQ(st.st_rdev, 0x103);
}

TEST(pipe_basics)
{
	char buf[16] = {0};
	struct stat st;
	int p[2], avail;

	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	CHECK_EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(write(p[1], "hello", 5), 5);
	CHECK_EQ(ioctl(p[0], FIONREAD, &avail), 0);
	CHECK_EQ(avail, 5);
	CHECK_EQ(read(p[0], buf, 3), 3);
	CHECK_EQ(read(p[0], buf, sizeof(buf)), 2);
	CHECK_ERRNO(lseek(p[0], 0, SEEK_CUR), ESPIPE);
	CHECK_ERRNO(pread(p[0], buf, 1, 0), ESPIPE);
	CHECK_ERRNO(write(p[0], "x", 1), EBADF);
	CHECK_ERRNO(read(p[1], buf, 1), EBADF);
	CHECK_ERRNO(fsync(p[0]), EINVAL);
	CHECK_EQ(fstat(p[0], &st), 0);
	CHECK_EQ(st.st_mode, S_IFIFO | 0600);
	CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 65536);
	CHECK_EQ(fcntl(p[0], F_SETPIPE_SZ, 5000), 8192);
	CHECK_EQ(close(p[1]), 0);
	CHECK_EQ(read(p[0], buf, 1), 0);
	close(p[0]);
	CHECK_ERRNO(pipe2(p, 0x40), EINVAL);
	CHECK_EQ(sys2(SYS_pipe2, page_unmapped(), 0), -EFAULT);
}

TEST(pipe_without_readers)
{
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(pipe2(p, 0), 0);
	close(p[0]);
	CHECK_ERRNO(write(p[1], "x", 1), EPIPE);
	close(p[1]);
	signal(SIGPIPE, SIG_DFL);
}

TEST(pipe_nonblocking)
{
	static char buf[70000];
	int p[2];

	CHECK_EQ(pipe2(p, O_NONBLOCK), 0);
	CHECK_ERRNO(read(p[0], buf, 1), EAGAIN);
	CHECK_EQ(write(p[1], buf, sizeof(buf)), 65536);
	CHECK_ERRNO(write(p[1], buf, 1), EAGAIN);
	CHECK_EQ(read(p[0], buf, 4096), 4096);
	CHECK_EQ(write(p[1], buf, 4096), 4096);
	close(p[0]);
	close(p[1]);
}

static void *pipe_writer(void *arg)
{
	static char buf[200000];
	int fd = *(int *)arg;

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)(i * 7);
	CHECK_EQ(write(fd, buf, sizeof(buf)), sizeof(buf));
	close(fd);
	return NULL;
}

TEST(pipe_between_threads)
{
	char buf[1000];
	long n, total = 0, wrong = 0;
	pthread_t t;
	int p[2];

	CHECK_EQ(pipe2(p, 0), 0);
	t = thread_start(pipe_writer, &p[1]);
	while ((n = read(p[0], buf, sizeof(buf))) > 0) {
		for (long i = 0; i < n; i++)
			wrong += buf[i] != (char)((total + i) * 7);
		total += n;
	}
	CHECK_EQ(n, 0);
	CHECK_EQ(total, 200000);
	CHECK_EQ(wrong, 0);
	thread_join(t);
	close(p[0]);
}

static void *late_writer(void *arg)
{
	sleep_ms(20);
	CHECK_EQ(write(*(int *)arg, "x", 1), 1);
	return NULL;
}

TEST(poll_waits_for_a_pipe)
{
	struct pollfd fds[3];
	int64_t start;
	pthread_t t;
	int p[2];

	CHECK_EQ(pipe2(p, 0), 0);
	fds[0] = (struct pollfd){.fd = p[0], .events = POLLIN};
	fds[1] = (struct pollfd){.fd = p[1], .events = POLLOUT};
	fds[2] = (struct pollfd){.fd = -1, .events = POLLIN};
	CHECK_EQ(poll(fds, 3, 0), 1);
	CHECK_EQ(fds[0].revents, 0);
	CHECK_EQ(fds[1].revents, POLLOUT);
	CHECK_EQ(fds[2].revents, 0);
	start = now_ns(CLOCK_MONOTONIC);
	CHECK_EQ(poll(fds, 1, 20), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20 * NS_PER_MS);
	t = thread_start(late_writer, &p[1]);
	CHECK_EQ(poll(fds, 1, 5000), 1);
	CHECK_EQ(fds[0].revents, POLLIN);
	thread_join(t);
	close(p[1]);
	CHECK_EQ(poll(fds, 1, -1), 1);
	CHECK_EQ(fds[0].revents, POLLIN | POLLHUP);
	close(p[0]);
	CHECK_EQ(poll(fds, 1, 0), 1);
	CHECK_EQ(fds[0].revents, POLLNVAL);
	CHECK_EQ(sys5(SYS_ppoll, page_unmapped(), 1, NULL, NULL, 8), -EFAULT);
	CHECK_EQ(sys5(SYS_ppoll, fds, 1, NULL, fds, 7), -EINVAL);
}

TEST(select_sets)
{
	struct timeval zero = {0};
	fd_set r, w;
	int p[2];

	CHECK_EQ(pipe2(p, 0), 0);
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(p[0], &r);
	FD_SET(p[1], &w);
	CHECK_EQ(select(p[1] + 1, &r, &w, NULL, &zero), 1);
	CHECK(!FD_ISSET(p[0], &r));
	CHECK(FD_ISSET(p[1], &w));
	CHECK_EQ(write(p[1], "x", 1), 1);
	FD_SET(p[0], &r);
	CHECK_EQ(select(p[1] + 1, &r, &w, NULL, NULL), 2);
	FD_ZERO(&r);
	close(p[0]);
	FD_SET(p[0], &r);
	CHECK_ERRNO(select(p[0] + 1, &r, NULL, NULL, &zero), EBADF);
	close(p[1]);
}

/*
 * Descriptors opened and closed by one thread while others read them: every read gives the byte or
 * EBADF.
 */
enum { RACERS = 3, RACES = 2000 };
static int race_fd;
static int race_stop;

static void *racer(void *arg)
{
	char byte;

	(void)arg;
	while (!__atomic_load_n(&race_stop, __ATOMIC_RELAXED)) {
		long n = sys4(SYS_pread64, race_fd, &byte, 1, 0);

		if (n != -EBADF && !CHECK(n == 1 && byte == 'x'))
			break;
	}
	return NULL;
}

TEST(close_races_read)
{
	pthread_t threads[RACERS];

	enter_fresh_directory();
	write_file("f", "x");
	race_fd = open("f", O_RDONLY);
	close(race_fd);
	for (int i = 0; i < RACERS; i++)
		threads[i] = thread_start(racer, NULL);
	for (int i = 0; i < RACES; i++) {
		CHECK_EQ(open("f", O_RDONLY), race_fd);
		CHECK_EQ(close(race_fd), 0);
	}
	__atomic_store_n(&race_stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < RACERS; i++)
		thread_join(threads[i]);
}
