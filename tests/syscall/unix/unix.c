/*
 * AF_UNIX: names, connections, ends, descriptors and credentials in messages.
 */
#include "tests/syscall/unix/unix.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define ERRNO_OF(call) ((call) < 0 ? errno : 0)
#define POLL_ALL       (POLLIN | POLLPRI | POLLOUT | POLLRDHUP)

static int poll_now(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLL_ALL};

	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static int so_error(int fd)
{
	int value = -1;
	socklen_t len = sizeof(value);

	CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &len), 0);
	return value;
}

/* An abstract name, and its length as bind wants it. */
static socklen_t abstract(struct sockaddr_un *a, const char *text)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(a->sun_path + 1, text, strlen(text));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(text));
}

TEST(stream_pair)
{
	char buf[16];
	int e[2], n;

	pair(SOCK_STREAM, e);
	CHECK_EQ(poll_now(e[0]), POLLOUT);
	CHECK_EQ(write(e[0], "hello", 5), 5);
	CHECK_EQ(ioctl(e[1], FIONREAD, &n), 0);
	CHECK_EQ(n, 5);
	CHECK_EQ(poll_now(e[1]), POLLIN | POLLOUT);
	CHECK_EQ(recv(e[1], buf, 2, MSG_PEEK), 2);
	CHECK_EQ(read(e[1], buf, sizeof(buf)), 5);
	CHECK_EQ(ERRNO_OF(recv(e[1], buf, 1, MSG_DONTWAIT)), EAGAIN);
	close(e[0]);
	CHECK_EQ(poll_now(e[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	CHECK_EQ(read(e[1], buf, 1), 0);
	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(ERRNO_OF(write(e[1], "x", 1)), EPIPE);
	close(e[1]);
}

TEST(stream_ends)
{
	char buf[16];
	int e[2];

	signal(SIGPIPE, SIG_IGN);
	pair(SOCK_STREAM, e);
	CHECK_EQ(write(e[0], "unread", 6), 6);
	CHECK_EQ(write(e[1], "queued", 6), 6);
	close(e[0]);
	CHECK_EQ(poll_now(e[1]), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
	CHECK_EQ(read(e[1], buf, 16), 6);
	CHECK_EQ(ERRNO_OF(read(e[1], buf, 16)), ECONNRESET);
	CHECK_EQ(read(e[1], buf, 16), 0);
	close(e[1]);
	pair(SOCK_STREAM, e);
	CHECK_EQ(write(e[1], "unread", 6), 6);
	close(e[0]);
	CHECK_EQ(so_error(e[1]), ECONNRESET);
	CHECK_EQ(read(e[1], buf, 16), 0);
	close(e[1]);
	pair(SOCK_STREAM, e);
	CHECK_EQ(shutdown(e[0], SHUT_WR), 0);
	CHECK_EQ(ERRNO_OF(write(e[0], "x", 1)), EPIPE);
	CHECK_EQ(poll_now(e[1]), POLLIN | POLLOUT | POLLRDHUP);
	CHECK_EQ(read(e[1], buf, 16), 0);
	CHECK_EQ(write(e[1], "back", 4), 4);
	CHECK_EQ(read(e[0], buf, 16), 4);
	both_close(e);
	pair(SOCK_STREAM, e);
	CHECK_EQ(shutdown(e[0], SHUT_RD), 0);
	CHECK_EQ(ERRNO_OF(write(e[1], "x", 1)), EPIPE);
	CHECK_EQ(read(e[0], buf, 1), 0);
	both_close(e);
}

TEST(names_in_the_file_system)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/tmp/unix-test"}, got;
	socklen_t len = sizeof(got);
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), s, d;
	struct stat st;

	mkdir("/tmp", 0777);
	unlink(a.sun_path);
	CHECK_EQ(poll_now(l), POLLOUT | POLLHUP);
	CHECK_EQ(ERRNO_OF(connect(c, (struct sockaddr *)&a, sizeof(a))), ENOENT);
	CHECK_EQ(ERRNO_OF(listen(l, 1)), EINVAL);
	CHECK_EQ(bind(l, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(stat(a.sun_path, &st), 0);
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_EQ(ERRNO_OF(open(a.sun_path, O_RDWR)), ENXIO);
	CHECK_EQ(ERRNO_OF(bind(c, (struct sockaddr *)&a, sizeof(a))), EADDRINUSE);
	CHECK_EQ(ERRNO_OF(connect(c, (struct sockaddr *)&a, sizeof(a))), ECONNREFUSED);
	CHECK_EQ(listen(l, 1), 0);
	CHECK_EQ(poll_now(l), 0);
	d = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_EQ(ERRNO_OF(connect(d, (struct sockaddr *)&a, sizeof(a))), EPROTOTYPE);
	CHECK_EQ(connect(c, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(ERRNO_OF(connect(c, (struct sockaddr *)&a, sizeof(a))), EISCONN);
	CHECK_EQ(poll_now(l), POLLIN);
	s = accept(l, (struct sockaddr *)&got, &len);
	CHECK(s >= 0);
	CHECK_EQ(len, sizeof(sa_family_t));
	len = sizeof(got);
	CHECK_EQ(getsockname(s, (struct sockaddr *)&got, &len), 0);
	CHECK_EQ(len, offsetof(struct sockaddr_un, sun_path) + strlen(a.sun_path) + 1);
	CHECK_EQ(strcmp(got.sun_path, a.sun_path), 0);
	len = sizeof(got);
	CHECK_EQ(getpeername(c, (struct sockaddr *)&got, &len), 0);
	CHECK_EQ(strcmp(got.sun_path, a.sun_path), 0);
	CHECK_EQ(ERRNO_OF(getpeername(l, (struct sockaddr *)&got, &len)), ENOTCONN);
	close(l);
	CHECK_EQ(stat(a.sun_path, &st), 0);
	CHECK_EQ(ERRNO_OF(connect(d, (struct sockaddr *)&a, sizeof(a))), ECONNREFUSED);
	CHECK_EQ(write(c, "alive", 5), 5);
	close(c);
	close(s);
	close(d);
	unlink(a.sun_path);
}

TEST(abstract_names)
{
	struct sockaddr_un a, got;
	socklen_t len = abstract(&a, "name"), got_len = sizeof(got);
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK_EQ(ERRNO_OF(connect(c, (struct sockaddr *)&a, len)), ECONNREFUSED);
	CHECK_EQ(bind(l, (struct sockaddr *)&a, len), 0);
	CHECK_EQ(ERRNO_OF(bind(c, (struct sockaddr *)&a, len)), EADDRINUSE);
	CHECK_EQ(listen(l, 0), 0);
	CHECK_EQ(connect(c, (struct sockaddr *)&a, len), 0);
	close(c);
	close(l);
	/* The name is free again. */
	l = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(bind(l, (struct sockaddr *)&a, len), 0);
	close(l);
	/* Autobind: five hexadecimal digits. */
	l = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(bind(l, (struct sockaddr *)&a, sizeof(sa_family_t)), 0);
	CHECK_EQ(getsockname(l, (struct sockaddr *)&got, &got_len), 0);
	CHECK_EQ(got_len, offsetof(struct sockaddr_un, sun_path) + 6);
	CHECK_EQ(got.sun_path[0], 0);
	close(l);
	CHECK_EQ(ERRNO_OF(bind(-1, (struct sockaddr *)&a, len)), EBADF);
	CHECK_EQ(ERRNO_OF(bind(0, (struct sockaddr *)&a, len)), ENOTSOCK);
}

TEST(backlog)
{
	struct sockaddr_un a;
	socklen_t len = abstract(&a, "backlog");
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c[3], s;

	CHECK_EQ(bind(l, (struct sockaddr *)&a, len), 0);
	CHECK_EQ(listen(l, 1), 0);
	for (int i = 0; i < 3; i++)
		c[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_EQ(connect(c[0], (struct sockaddr *)&a, len), 0);
	CHECK_EQ(connect(c[1], (struct sockaddr *)&a, len), 0);
	CHECK_EQ(ERRNO_OF(connect(c[2], (struct sockaddr *)&a, len)), EAGAIN);
	s = accept(l, NULL, NULL);
	CHECK_EQ(connect(c[2], (struct sockaddr *)&a, len), 0);
	close(l);
	CHECK_EQ(poll_now(c[1]), POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
	CHECK_EQ(so_error(c[1]), ECONNRESET);
	for (int i = 0; i < 3; i++)
		close(c[i]);
	close(s);
}

TEST(datagrams)
{
	struct sockaddr_un a, b, got;
	socklen_t la = abstract(&a, "dgram-a"), lb = abstract(&b, "dgram-b"), len = sizeof(got);
	int x = socket(AF_UNIX, SOCK_DGRAM, 0), y = socket(AF_UNIX, SOCK_DGRAM, 0);
	char buf[16];

	CHECK_EQ(poll_now(x), POLLOUT);
	CHECK_EQ(ERRNO_OF(send(x, "x", 1, 0)), ENOTCONN);
	CHECK_EQ(bind(x, (struct sockaddr *)&a, la), 0);
	CHECK_EQ(bind(y, (struct sockaddr *)&b, lb), 0);
	CHECK_EQ(sendto(x, "one", 3, 0, (struct sockaddr *)&b, lb), 3);
	CHECK_EQ(sendto(x, "", 0, 0, (struct sockaddr *)&b, lb), 0);
	CHECK_EQ(recvfrom(y, buf, 2, MSG_TRUNC, (struct sockaddr *)&got, &len), 3);
	CHECK_EQ(len, la);
	CHECK_EQ(memcmp(&got, &a, la), 0);
	CHECK_EQ(recv(y, buf, sizeof(buf), 0), 0);
	CHECK_EQ(connect(y, (struct sockaddr *)&a, la), 0);
	CHECK_EQ(send(y, "back", 4, 0), 4);
	CHECK_EQ(recv(x, buf, sizeof(buf), 0), 4);
	/* y hears its peer only. */
	close(x);
	CHECK_EQ(ERRNO_OF(send(y, "gone", 4, 0)), ECONNREFUSED);
	CHECK_EQ(ERRNO_OF(send(y, "gone", 4, 0)), ENOTCONN);
	close(y);
}

TEST(full_datagram_queue)
{
	struct sockaddr_un a;
	socklen_t la = abstract(&a, "dgram-full");
	int r = socket(AF_UNIX, SOCK_DGRAM, 0), s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int n = 0;
	char c;

	CHECK_EQ(bind(r, (struct sockaddr *)&a, la), 0);
	CHECK_EQ(connect(s, (struct sockaddr *)&a, la), 0);
	while (n < 1000 && send(s, "x", 1, 0) == 1)
		n++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(n, 11);
	CHECK_EQ(poll_now(s), 0);
	CHECK_EQ(recv(r, &c, 1, 0), 1);
	CHECK_EQ(poll_now(s), POLLOUT);
	CHECK_EQ(send(s, "x", 1, 0), 1);
	close(s);
	close(r);
}

static void *drain_later(void *arg)
{
	char c;

	sleep_ms(30);
	CHECK_EQ(recv(*(int *)arg, &c, 1, 0), 1);
	return NULL;
}

TEST(full_datagram_queue_blocks)
{
	struct sockaddr_un a;
	socklen_t la = abstract(&a, "dgram-block");
	int r = socket(AF_UNIX, SOCK_DGRAM, 0), s = socket(AF_UNIX, SOCK_DGRAM, 0);
	pthread_t thread;

	CHECK_EQ(bind(r, (struct sockaddr *)&a, la), 0);
	CHECK_EQ(connect(s, (struct sockaddr *)&a, la), 0);
	for (int i = 0; i < 11; i++)
		CHECK_EQ(send(s, "x", 1, 0), 1);
	thread = thread_start(drain_later, &r);
	CHECK_EQ(send(s, "y", 1, 0), 1);
	thread_join(thread);
	close(s);
	close(r);
}

TEST(seqpackets)
{
	char buf[16];
	int e[2];

	signal(SIGPIPE, SIG_DFL);
	pair(SOCK_SEQPACKET, e);
	CHECK_EQ(send(e[0], "one", 3, 0), 3);
	CHECK_EQ(send(e[0], "three", 5, 0), 5);
	CHECK_EQ(recv(e[1], buf, sizeof(buf), 0), 3);
	CHECK_EQ(recv(e[1], buf, 2, 0), 2);
	CHECK_EQ(ERRNO_OF(recv(e[1], buf, 2, MSG_DONTWAIT)), EAGAIN);
	close(e[0]);
	CHECK_EQ(recv(e[1], buf, 2, 0), 0);
	CHECK_EQ(poll_now(e[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
	/* No signal: the default action would end the test. */
	CHECK_EQ(ERRNO_OF(send(e[1], "x", 1, 0)), EPIPE);
	close(e[1]);
}

TEST(descriptors_in_a_stream)
{
	char buf[16];
	int e[2], p[2], fd, flags;

	pair(SOCK_STREAM, e);
	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(write(e[0], "ab", 2), 2);
	CHECK_EQ(send_fds(e[0], "cd", 2, &p[1], 1), 2);
	CHECK_EQ(write(e[0], "ef", 2), 2);
	/* Bytes before come along, bytes behind do not. */
	CHECK_EQ(recv_fd(e[1], buf, sizeof(buf), &fd, &flags), 4);
	CHECK_EQ(flags, 0);
	if (CHECK(fd >= 0)) {
		CHECK_EQ(write(fd, "x", 1), 1);
		CHECK_EQ(read(p[0], buf, 1), 1);
		close(fd);
	}
	CHECK_EQ(recv_fd(e[1], buf, sizeof(buf), &fd, &flags), 2);
	CHECK_EQ(fd, -1);
	both_close(p);
	both_close(e);
}

TEST(descriptors_in_datagrams)
{
	char buf[16];
	int e[2], p[2], fd, flags, two[2];

	pair(SOCK_DGRAM, e);
	CHECK_EQ(pipe(p), 0);
	two[0] = p[0];
	two[1] = p[1];
	CHECK_EQ(send_fds(e[0], "x", 1, two, 2), 1);
	/* Room for one only. */
	CHECK_EQ(recv_fd(e[1], buf, sizeof(buf), &fd, &flags), 1);
	CHECK_EQ(flags & MSG_CTRUNC, MSG_CTRUNC);
	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(send_fds(e[0], "x", 1, p, 1), 1);
	CHECK_EQ(read(e[1], buf, 1), 1);
	fd = 9999;
	CHECK_EQ(ERRNO_OF(send_fds(e[0], "x", 1, &fd, 1)), EBADF);
	both_close(p);
	both_close(e);
}

TEST(a_descriptor_lives_in_the_queue)
{
	char buf[16];
	int e[2], p[2], fd, flags;

	pair(SOCK_STREAM, e);
	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(send_fds(e[0], "x", 1, &p[1], 1), 1);
	close(p[1]);
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	CHECK_EQ(ERRNO_OF(read(p[0], buf, 1)), EAGAIN);
	CHECK_EQ(recv_fd(e[1], buf, sizeof(buf), &fd, &flags), 1);
	close(fd);
	CHECK_EQ(read(p[0], buf, 1), 0);
	close(p[0]);
	/* And goes with it. */
	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(send_fds(e[0], "x", 1, &p[1], 1), 1);
	close(p[1]);
	both_close(e);
	CHECK_EQ(read(p[0], buf, 1), 0);
	close(p[0]);
}

TEST(sockets_over_sockets)
{
	char buf[16];
	int e[2], f[2], fd, flags;

	pair(SOCK_STREAM, e);
	pair(SOCK_STREAM, f);
	CHECK_EQ(send_fds(e[0], "x", 1, &f[0], 1), 1);
	close(f[0]);
	CHECK_EQ(recv_fd(e[1], buf, sizeof(buf), &fd, &flags), 1);
	CHECK_EQ(write(fd, "via", 3), 3);
	CHECK_EQ(read(f[1], buf, sizeof(buf)), 3);
	close(fd);
	close(f[1]);
	both_close(e);
}

TEST(credentials)
{
	char data[8], control[128];
	struct iovec v = {data, sizeof(data)};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct cmsghdr *c;
	int e[2], on = 1;

	pair(SOCK_STREAM, e);
	CHECK_EQ(getsockopt(e[0], SOL_SOCKET, SO_PEERCRED, &peer, &len), 0);
	CHECK_EQ(peer.pid, getpid());
	CHECK_EQ(peer.uid, getuid());
	CHECK_EQ(setsockopt(e[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	CHECK_EQ(write(e[0], "hi", 2), 2);
	CHECK_EQ(recvmsg(e[1], &m, 0), 2);
	c = CMSG_FIRSTHDR(&m);
	if (CHECK(c && c->cmsg_type == SCM_CREDENTIALS)) {
		memcpy(&peer, CMSG_DATA(c), sizeof(peer));
		CHECK_EQ(peer.pid, getpid());
	}
	both_close(e);
	e[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(getsockopt(e[0], SOL_SOCKET, SO_PEERCRED, &peer, &len), 0);
	CHECK_EQ(peer.pid, 0);
	CHECK(peer.uid == (uid_t)-1);
	close(e[0]);
}

static void *send_much(void *arg)
{
	int fd = *(int *)arg;
	static char buf[50001];

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)(i * 11);
	for (int i = 0; i < 60; i++)
		CHECK_EQ(write(fd, buf, sizeof(buf)), sizeof(buf));
	shutdown(fd, SHUT_WR);
	return NULL;
}

TEST(much_data_in_order)
{
	static char buf[7777];
	size_t got = 0, bad = 0;
	pthread_t thread;
	ssize_t n;
	int e[2];

	pair(SOCK_STREAM, e);
	thread = thread_start(send_much, &e[0]);
	while ((n = read(e[1], buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			bad += buf[i] != (char)((got + (size_t)i) % 50001 * 11);
		got += (size_t)n;
	}
	thread_join(thread);
	CHECK_EQ(got, 60 * 50001);
	CHECK_EQ(bad, 0);
	both_close(e);
}

TEST(epoll_edges)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET | EPOLLRDHUP};
	int e[2], set = epoll_create1(0);
	char c;

	pair(SOCK_STREAM, e);
	CHECK_EQ(epoll_ctl(set, EPOLL_CTL_ADD, e[1], &ev), 0);
	CHECK_EQ(epoll_wait(set, &ev, 1, 0), 0);
	CHECK_EQ(write(e[0], "a", 1), 1);
	CHECK_EQ(epoll_wait(set, &ev, 1, 0), 1);
	CHECK_EQ(epoll_wait(set, &ev, 1, 0), 0);
	CHECK_EQ(write(e[0], "b", 1), 1);
	CHECK_EQ(epoll_wait(set, &ev, 1, 0), 1);
	CHECK_EQ(read(e[1], &c, 1), 1);
	close(e[0]);
	CHECK_EQ(epoll_wait(set, &ev, 1, 0), 1);
	CHECK_EQ(ev.events, EPOLLIN | EPOLLRDHUP | EPOLLHUP);
	close(e[1]);
	close(set);
}

TEST(wrong_use)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un a = {.sun_family = AF_INET};
	char c;

	CHECK_EQ(ERRNO_OF(socket(AF_UNIX, SOCK_STREAM, 5)), EPROTONOSUPPORT);
	CHECK_EQ(ERRNO_OF(socket(AF_UNIX, SOCK_RDM, 0)), ESOCKTNOSUPPORT);
	CHECK_EQ(ERRNO_OF(bind(fd, (struct sockaddr *)&a, sizeof(a))), EINVAL);
	CHECK_EQ(ERRNO_OF(connect(fd, (struct sockaddr *)&a, sizeof(a))), EINVAL);
	CHECK_EQ(ERRNO_OF(bind(fd, (struct sockaddr *)&a, 200)), EINVAL);
	CHECK_EQ(ERRNO_OF(accept(fd, NULL, NULL)), EINVAL);
	CHECK_EQ(ERRNO_OF(recv(fd, &c, 1, 0)), EINVAL);
	CHECK_EQ(ERRNO_OF(send(fd, "x", 1, MSG_NOSIGNAL)), ENOTCONN);
	CHECK_EQ(shutdown(fd, SHUT_WR), 0);
	close(fd);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_EQ(ERRNO_OF(listen(fd, 1)), EOPNOTSUPP);
	CHECK_EQ(ERRNO_OF(accept(fd, NULL, NULL)), EOPNOTSUPP);
	close(fd);
}

TEST(a_name_is_given_once)
{
	char dir[] = "/tmp/onceXXXXXX";
	struct sockaddr_un a = {.sun_family = AF_UNIX}, b = a, abstract = {AF_UNIX, "\0once"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(mkdtemp(dir));
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/a", dir);
	snprintf(b.sun_path, sizeof(b.sun_path), "%s/b", dir);
	CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	/* A path that is taken is seen first. */
	CHECK_EQ(ERRNO_OF(bind(fd, (struct sockaddr *)&a, sizeof(a))), EADDRINUSE);
	CHECK_EQ(ERRNO_OF(bind(fd, (struct sockaddr *)&b, sizeof(b))), EINVAL);
	CHECK_EQ(ERRNO_OF(access(b.sun_path, F_OK)), ENOENT);
	CHECK_EQ(ERRNO_OF(bind(fd, (struct sockaddr *)&abstract, 7)), EINVAL);
	CHECK_EQ(bind(fd, (struct sockaddr *)&abstract, sizeof(sa_family_t)), 0); /* has one */
	close(fd);
	unlink(a.sun_path);
	rmdir(dir);
}
