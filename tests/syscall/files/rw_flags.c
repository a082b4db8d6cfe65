/*
 * The flags of one transfer: preadv2 and pwritev2.
 */
#include "tests/syscall/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#define HIPRI	 0x01
#define DSYNC	 0x02
#define SYNC	 0x04
#define NOWAIT	 0x08
#define APPEND	 0x10
#define NOAPPEND 0x20
#define ATOMIC	 0x40
#define UNKNOWN	 0x8000

/* At `pos`; -1: at the file's own position. */
static long read_with(int fd, void *buf, size_t n, long pos, int flags)
{
	struct iovec v = {buf, n};

	return sys6(SYS_preadv2, fd, &v, 1, pos, 0, flags);
}

static long write_with(int fd, const void *buf, size_t n, long pos, int flags)
{
	struct iovec v = {(void *)buf, n};

	return sys6(SYS_pwritev2, fd, &v, 1, pos, 0, flags);
}

TEST(flags_of_a_memory_file)
{
	int fd = memfd_create("flags", 0);
	char buf[16];

	CHECK_EQ(write_with(fd, "abcdef", 6, 0, HIPRI | DSYNC | SYNC), 6);
	CHECK_EQ(read_with(fd, buf, 4, 1, HIPRI | DSYNC | SYNC | APPEND), 4);
	CHECK_EQ(memcmp(buf, "bcde", 4), 0);
	CHECK_EQ(read_with(fd, buf, 4, 0, NOWAIT), -EOPNOTSUPP);
	CHECK_EQ(write_with(fd, buf, 4, 0, NOWAIT), -EOPNOTSUPP);
	CHECK_EQ(read_with(fd, buf, 4, 0, UNKNOWN), -EOPNOTSUPP);
	CHECK_EQ(write_with(fd, buf, 4, 0, ATOMIC), -EOPNOTSUPP);
	CHECK_EQ(read_with(fd, buf, 4, 0, ATOMIC), -EOPNOTSUPP);
	CHECK_EQ(write_with(fd, buf, 4, 0, APPEND | NOAPPEND), -EINVAL);
	/* Nothing to do is nothing wrong; a bad position is. */
	CHECK_EQ(read_with(fd, buf, 0, 0, UNKNOWN), 0);
	CHECK_EQ(read_with(fd, buf, 4, -2, 0), -EINVAL);
	close(fd);
}

TEST(appending_once)
{
	int fd = memfd_create("append", 0);
	char buf[16];

	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_EQ(write_with(fd, "de", 2, 0, APPEND), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
	CHECK_EQ(lseek(fd, 1, SEEK_SET), 1);
	CHECK_EQ(write_with(fd, "fg", 2, -1, APPEND), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 7);
	CHECK_EQ(pread(fd, buf, 16, 0), 7);
	CHECK_EQ(memcmp(buf, "abcdefg", 7), 0);
	/* And, for a file that always appends, not this time. */
	CHECK_EQ(fcntl(fd, F_SETFL, O_APPEND), 0);
	CHECK_EQ(write_with(fd, "X", 1, 1, NOAPPEND), 1);
	CHECK_EQ(write_with(fd, "Y", 1, 1, 0), 1);
	CHECK_EQ(pread(fd, buf, 16, 0), 8);
	CHECK_EQ(memcmp(buf, "aXcdefgY", 8), 0);
	close(fd);
}

TEST(not_waiting_once)
{
	int pipes[2], sockets[2], event = eventfd(0, 0);
	char buf[16];

	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	CHECK_EQ(read_with(pipes[0], buf, 4, -1, NOWAIT), -EAGAIN);
	CHECK_EQ(write_with(pipes[1], "abcd", 4, -1, NOWAIT), 4);
	CHECK_EQ(read_with(pipes[0], buf, 4, -1, NOWAIT | HIPRI), 4);
	CHECK_EQ(read_with(pipes[0], buf, 4, 0, NOWAIT), -ESPIPE);
	CHECK_EQ(read_with(sockets[0], buf, 4, -1, NOWAIT), -EAGAIN);
	CHECK_EQ(write_with(sockets[1], "abcd", 4, -1, NOWAIT | DSYNC), 4);
	CHECK_EQ(read_with(sockets[0], buf, 4, -1, NOWAIT), 4);
	CHECK_EQ(read_with(event, buf, 8, -1, NOWAIT), -EAGAIN);
	for (int i = 0; i < 2; i++) {
		close(pipes[i]);
		close(sockets[i]);
	}
	close(event);
}

struct kind {
	const char *name;
	int fd;
	long error; /* of a read that is not to wait, or 0 */
};

/* Which kinds of files know what it is not to wait. */
TEST(kinds_that_need_not_wait)
{
	sigset_t none;
	char buf[256];

	sigemptyset(&none);
	mkdir("/tmp", 0777);
	mkfifo("/tmp/flags-fifo", 0600);
	struct kind kinds[] = {
		{"null", open("/dev/null", O_RDWR), 0},
		{"zero", open("/dev/zero", O_RDWR), 0},
		{"full", open("/dev/full", O_RDWR), -EOPNOTSUPP},
		{"random", open("/dev/random", O_RDWR), 0},
		{"urandom", open("/dev/urandom", O_RDWR), 0},
		{"timerfd", timerfd_create(CLOCK_MONOTONIC, 0), -EAGAIN},
		{"signalfd", signalfd(-1, &none, 0), -EAGAIN},
		{"fifo", open("/tmp/flags-fifo", O_RDWR), -EOPNOTSUPP},
		{"proc", open("/proc/self/status", O_RDONLY), -EOPNOTSUPP},
		{"file", open("/proc/self/exe", O_RDONLY), -EOPNOTSUPP},
		{"pty", posix_openpt(O_RDWR | O_NOCTTY), -EOPNOTSUPP},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		long n = read_with(kinds[i].fd, buf, 128, -1, NOWAIT);

		if (!CHECK_EQ(n < 0 ? n : 0, kinds[i].error))
			printf("# %s\n", kinds[i].name);
		close(kinds[i].fd);
	}
	unlink("/tmp/flags-fifo");
}

/* Files of the kernel's older kind take no flags but HIPRI. */
TEST(flags_of_other_files)
{
	int watch = inotify_init1(IN_NONBLOCK), zero = open("/dev/zero", O_RDWR);
	char buf[64];

	CHECK_EQ(read_with(watch, buf, 64, -1, HIPRI), -EAGAIN);
	CHECK_EQ(read_with(watch, buf, 64, -1, NOWAIT), -EOPNOTSUPP);
	CHECK_EQ(read_with(watch, buf, 64, -1, SYNC), -EOPNOTSUPP);
	CHECK_EQ(read_with(zero, buf, 16, 0, NOWAIT), 16);
	CHECK_EQ(write_with(zero, buf, 16, 0, SYNC), 16);
	close(watch);
	close(zero);
}
