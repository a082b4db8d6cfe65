/*
 * Flags of sends and receives.
 */
#include "tests/syscall/net/net.h"

#include <sys/un.h>

/* They change when or how Linux sends, not what arrives. */
TEST(flags_of_a_stream)
{
	static const int flags[] = {MSG_MORE, MSG_EOR, MSG_CONFIRM, MSG_DONTROUTE, MSG_NOSIGNAL};
	char buf[2];
	int e[2];

	tcp_pair(e);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		CHECK_EQ(send(e[0], "a", 1, flags[i]), 1);
		CHECK_EQ(send(e[0], "b", 1, 0), 1);
		CHECK_EQ(recv(e[1], buf, 2, MSG_WAITALL), 2);
		CHECK_EQ(buf[0], 'a');
		CHECK_EQ(buf[1], 'b');
	}
	close(e[0]);
	close(e[1]);
}

static void udp_pair(int e[2])
{
	struct sockaddr_in a = lo_addr(0);

	for (int i = 0; i < 2; i++) {
		e[i] = socket(AF_INET, SOCK_DGRAM, 0);
		CHECK_EQ(bind(e[i], (struct sockaddr *)&a, sizeof(a)), 0);
	}
	a = lo_addr(port_of(e[1]));
	CHECK_EQ(connect(e[0], (struct sockaddr *)&a, sizeof(a)), 0);
}

TEST(flags_of_a_datagram)
{
	static const int flags[] = {MSG_EOR, MSG_CONFIRM, MSG_DONTROUTE, MSG_CONFIRM | MSG_DONTROUTE};
	char buf[4];
	int e[2];

	udp_pair(e);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		CHECK_EQ(send(e[0], "abc", 3, flags[i]), 3);
		CHECK_EQ(recv(e[1], buf, sizeof(buf), 0), 3);
	}
	CHECK_EQ(ERRNO_OF(send(e[0], "abc", 3, MSG_OOB)), EOPNOTSUPP);
	close(e[0]);
	close(e[1]);
}

/* MSG_WAITFORONE: the first datagram is waited for, the others are not. */
TEST(several_messages_wait_for_one)
{
	struct iovec v[4];
	struct mmsghdr m[4] = {0};
	char bufs[4][8];
	int e[2];

	udp_pair(e);
	for (int i = 0; i < 4; i++) {
		v[i] = (struct iovec){bufs[i], sizeof(bufs[i])};
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	CHECK_EQ(send(e[0], "one", 3, 0), 3);
	CHECK_EQ(send(e[0], "three", 5, 0), 5);
	CHECK_EQ(recvmmsg(e[1], m, 4, MSG_WAITFORONE, NULL), 2);
	CHECK_EQ(m[0].msg_len, 3);
	CHECK_EQ(m[1].msg_len, 5);
	close(e[0]);
	close(e[1]);
}

static void send_fd(int s, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec v = {"x", 1};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	CHECK_EQ(sendmsg(s, &m, 0), 1);
}

/* The descriptor that came, and the flags of the message. */
static int recv_fd(int s, int flags, int *told)
{
	char byte, control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	int fd = -1;

	CHECK_EQ(recvmsg(s, &m, flags), 1);
	if (CHECK(CMSG_FIRSTHDR(&m) != NULL))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	*told = m.msg_flags;
	return fd;
}

TEST(descriptors_that_exec_closes)
{
	int e[2], fd, told;

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, e), 0);
	for (int i = 0; i < 2; i++) {
		send_fd(e[0], 0);
		fd = recv_fd(e[1], i ? MSG_CMSG_CLOEXEC : 0, &told);
		CHECK_EQ(fcntl(fd, F_GETFD), i ? FD_CLOEXEC : 0);
		CHECK_EQ(told, i ? MSG_CMSG_CLOEXEC : 0);
		close(fd);
	}
	close(e[0]);
	close(e[1]);
}

/* The end of a record is taken and means nothing, also where records are kept. */
TEST(records_of_af_unix)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
	char buf[8];
	int e[2];

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct iovec v = {buf, sizeof(buf)};
		struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

		CHECK_EQ(socketpair(AF_UNIX, types[i], 0, e), 0);
		CHECK_EQ(send(e[0], "abc", 3, MSG_EOR | MSG_MORE), 3);
		CHECK_EQ(recvmsg(e[1], &m, 0), 3);
		CHECK_EQ(m.msg_flags, 0);
		close(e[0]);
		close(e[1]);
	}
}
