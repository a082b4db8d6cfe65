/*
 * Pipes of packets (O_DIRECT): each write is one, and one read takes it.
 */
#include "tests/syscall/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define PAGE 4096

static int packet_pipe(int fds[2], int flags)
{
	return pipe2(fds, O_DIRECT | flags);
}

static void close_pipe(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

/* Reads up to `n` bytes, which must be `text`. */
static void expect(int fd, size_t n, const char *text)
{
	char buf[64] = "";

	CHECK_EQ(read(fd, buf, n), strlen(text));
	if (!CHECK_EQ(strcmp(buf, text), 0))
		printf("# '%s' instead of '%s'\n", buf, text);
}

TEST(a_read_takes_one_packet)
{
	int fds[2], left;

	CHECK_EQ(packet_pipe(fds, O_NONBLOCK), 0);
	CHECK(fcntl(fds[1], F_GETFL) & O_DIRECT);
	CHECK_EQ(fcntl(fds[0], F_GETFL) & O_DIRECT, 0);
	CHECK_EQ(write(fds[1], "first", 5), 5);
	CHECK_EQ(write(fds[1], "", 0), 0);
	CHECK_EQ(write(fds[1], "second", 6), 6);
	CHECK_EQ(write(fds[1], "3", 1), 1);
	CHECK_EQ(ioctl(fds[0], FIONREAD, &left), 0);
	CHECK_EQ(left, 12);
	expect(fds[0], 60, "first");
	/* What does not fit is lost. */
	expect(fds[0], 3, "sec");
	expect(fds[0], 60, "3");
	CHECK_EQ(read(fds[0], &left, 4), -1);
	CHECK_EQ(errno, EAGAIN);
	close_pipe(fds);
}

TEST(large_writes_are_cut_into_packets)
{
	static char out[2 * PAGE + 100], in[4 * PAGE];
	int fds[2];

	memset(out, 'x', sizeof(out));
	CHECK_EQ(packet_pipe(fds, O_NONBLOCK), 0);
	CHECK_EQ(write(fds[1], out, sizeof(out)), sizeof(out));
	CHECK_EQ(read(fds[0], in, sizeof(in)), PAGE);
	CHECK_EQ(read(fds[0], in, sizeof(in)), PAGE);
	CHECK_EQ(read(fds[0], in, sizeof(in)), 100);
	close_pipe(fds);
}

/* Each packet takes a page's place, however small it is. */
TEST(a_pipe_full_of_packets)
{
	struct pollfd writable;
	int fds[2], n = 0;

	CHECK_EQ(packet_pipe(fds, O_NONBLOCK), 0);
	writable = (struct pollfd){.fd = fds[1], .events = POLLOUT};
	CHECK_EQ(poll(&writable, 1, 0), 1);
	while (write(fds[1], "abc", 3) == 3)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(n, 16);
	CHECK_EQ(poll(&writable, 1, 0), 0);
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 8 * PAGE), -1);
	CHECK_EQ(errno, EBUSY);
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 32 * PAGE), 32 * PAGE);
	CHECK_EQ(poll(&writable, 1, 0), 1);
	while (write(fds[1], "def", 3) == 3)
		n++;
	CHECK_EQ(n, 32);
	for (int i = 0; i < 16; i++)
		expect(fds[0], 60, "abc");
	for (int i = 0; i < 16; i++)
		expect(fds[0], 60, "def");
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, PAGE), PAGE);
	CHECK_EQ(write(fds[1], "last", 4), 4);
	expect(fds[0], 60, "last");
	close_pipe(fds);
}

/* The flag may change at any time. A packet behind bytes becomes part of them, as long as their last page has room. */
TEST(packets_between_bytes)
{
	static char page[PAGE], in[2 * PAGE];
	int fds[2];

	CHECK_EQ(pipe2(fds, O_NONBLOCK), 0);
	CHECK_EQ(write(fds[1], "ab", 2), 2);
	CHECK_EQ(fcntl(fds[1], F_SETFL, O_NONBLOCK | O_DIRECT), 0);
	CHECK_EQ(write(fds[1], "CD", 2), 2);
	CHECK_EQ(write(fds[1], "EF", 2), 2);
	expect(fds[0], 60, "abCDEF");
	CHECK_EQ(write(fds[1], "GH", 2), 2);
	CHECK_EQ(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	CHECK_EQ(write(fds[1], "ij", 2), 2);
	CHECK_EQ(write(fds[1], "kl", 2), 2);
	expect(fds[0], 60, "GH");
	expect(fds[0], 60, "ijkl");
	/* The bytes, and as much of the packet as there is room for. */
	CHECK_EQ(write(fds[1], page, PAGE), PAGE);
	CHECK_EQ(fcntl(fds[1], F_SETFL, O_NONBLOCK | O_DIRECT), 0);
	CHECK_EQ(write(fds[1], "MNO", 3), 3);
	CHECK_EQ(write(fds[1], "PQ", 2), 2);
	CHECK_EQ(read(fds[0], in, PAGE + 2), PAGE + 2);
	CHECK_EQ(memcmp(in + PAGE, "MN", 2), 0);
	expect(fds[0], 60, "PQ");
	close_pipe(fds);
}

static void *write_two(void *fd)
{
	CHECK_EQ(write((int)(long)fd, "one", 3), 3);
	CHECK_EQ(write((int)(long)fd, "two", 3), 3);
	return NULL;
}

/* Writers that wait for a place, and readers that wait for a packet. */
TEST(waiting_for_packets)
{
	pthread_t thread;
	int fds[2];

	CHECK_EQ(packet_pipe(fds, 0), 0);
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, PAGE), PAGE);
	thread = thread_start(write_two, (void *)(long)fds[1]);
	expect(fds[0], 60, "one");
	expect(fds[0], 60, "two");
	thread_join(thread);
	close_pipe(fds);
}

/* A splice moves a packet too, and leaves what it was not asked for. */
TEST(splice_of_packets)
{
	int fds[2], out[2];

	CHECK_EQ(packet_pipe(fds, O_NONBLOCK), 0);
	CHECK_EQ(pipe2(out, O_NONBLOCK), 0);
	CHECK_EQ(write(fds[1], "abcdef", 6), 6);
	CHECK_EQ(write(fds[1], "ghi", 3), 3);
	CHECK_EQ(splice(fds[0], NULL, out[1], NULL, 4, 0), 4);
	expect(out[0], 4, "abcd");
	expect(fds[0], 60, "ef");
	expect(fds[0], 60, "ghi");
	close_pipe(fds);
	close_pipe(out);
}

TEST(a_fifo_of_packets)
{
	const char *name = "/tmp/packet-fifo";
	int fd;

	mkdir("/tmp", 0777);
	unlink(name);
	CHECK_EQ(mkfifo(name, 0600), 0);
	CHECK_EQ(open(name, O_RDWR | O_DIRECT), -1);
	CHECK_EQ(errno, EINVAL);
	fd = open(name, O_RDWR | O_NONBLOCK);
	CHECK_EQ(fcntl(fd, F_SETFL, O_DIRECT | O_NONBLOCK), 0);
	CHECK_EQ(write(fd, "ab", 2), 2);
	CHECK_EQ(write(fd, "cd", 2), 2);
	expect(fd, 60, "ab");
	expect(fd, 60, "cd");
	close(fd);
	CHECK_EQ(unlink(name), 0);
}
