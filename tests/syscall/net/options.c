/*
 * Options: what is kept, bounded and refused, and what each does that shows over lo.
 */
#include "tests/syscall/net/net.h"

#include <net/if.h>
#include <sys/time.h>

#define NO_CHECK 11 /* SO_NO_CHECK, which libc does not name */

/* What setsockopt() answers to `value`, and what getsockopt() says afterwards: a value or -errno. */
struct kept {
	int level, name, value, set, get;
};

static void check_kept(int domain, int type, const struct kept *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct kept *k = &cases[i];
		int fd = socket(domain, type, 0);

		if (!CHECK_EQ(set_int(fd, k->level, k->name, k->value), k->set) ||
		    !CHECK_EQ(get_int(fd, k->level, k->name), k->get))
			printf("# case %zu: level %d, option %d, value %d\n", i, k->level, k->name,
			       k->value);
		close(fd);
	}
}

TEST(options_of_all_sockets)
{
	static const struct kept cases[] = {
		{SOL_SOCKET, SO_BROADCAST, 3, 0, 1},
		{SOL_SOCKET, SO_BROADCAST, 0, 0, 0},
		{SOL_SOCKET, SO_DONTROUTE, 1, 0, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 7, 0, 1},
		{SOL_SOCKET, SO_OOBINLINE, 1, 0, 1},
		{SOL_SOCKET, SO_REUSEADDR, 1, 0, 1},
		{SOL_SOCKET, SO_REUSEPORT, 1, 0, 1},
		{SOL_SOCKET, NO_CHECK, 1, 0, 1},
		{SOL_SOCKET, SO_PASSCRED, 1, 0, 1},
		{SOL_SOCKET, SO_PRIORITY, 5, 0, 5},
		{SOL_SOCKET, SO_PRIORITY, 700, 0, 700},
		{SOL_SOCKET, SO_MARK, 77, 0, 77},
		{SOL_SOCKET, SO_TIMESTAMP, 1, 0, 1},
		{SOL_SOCKET, SO_TIMESTAMPNS, 1, 0, 1},
		{SOL_SOCKET, SO_RCVLOWAT, 0, 0, 1},
		{SOL_SOCKET, SO_RCVLOWAT, -1, 0, INT32_MAX},
		{SOL_SOCKET, SO_SNDLOWAT, 2, -ENOPROTOOPT, 1},
		{SOL_SOCKET, SO_SNDBUF, 1, 0, 4608},
		{SOL_SOCKET, SO_RCVBUF, 1, 0, 2304},
		{SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24, 0, -ENOPROTOOPT},
		{SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24, 0, -ENOPROTOOPT},
		{SOL_SOCKET, SO_ERROR, 1, -ENOPROTOOPT, 0},
		{SOL_SOCKET, SO_DOMAIN, 1, -ENOPROTOOPT, AF_INET},
		{SOL_SOCKET, SO_PROTOCOL, 1, -ENOPROTOOPT, IPPROTO_UDP},
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	check_kept(AF_INET, SOCK_DGRAM, cases, ARRAY_SIZE(cases));
	CHECK_EQ(get_int(fd, SOL_SOCKET, SO_INCOMING_CPU), -1);
	/* Beyond what everybody may have. */
	CHECK_EQ(set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24), 0);
	CHECK_EQ(get_int(fd, SOL_SOCKET, SO_SNDBUF), 1 << 25);
	CHECK_EQ(set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24), 0);
	CHECK_EQ(get_int(fd, SOL_SOCKET, SO_RCVBUF), 1 << 25);
	/* One kind of time stamps at a time. */
	CHECK_EQ(set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1), 0);
	CHECK_EQ(get_int(fd, SOL_SOCKET, SO_TIMESTAMP), 0);
	CHECK_EQ(set_int(fd, SOL_SOCKET, SO_TIMESTAMP, 1), 0);
	CHECK_EQ(get_int(fd, SOL_SOCKET, SO_TIMESTAMPNS), 0);
	close(fd);
}

TEST(options_of_tcp)
{
	static const struct kept cases[] = {
		{IPPROTO_TCP, TCP_NODELAY, 7, 0, 1},
		{IPPROTO_TCP, TCP_CORK, 1, 0, 1},
		{IPPROTO_TCP, TCP_QUICKACK, 0, 0, 0},
		{IPPROTO_TCP, TCP_QUICKACK, 1, 0, 1},
		{IPPROTO_TCP, TCP_INQ, 1, 0, 1},
		{IPPROTO_TCP, TCP_INQ, 2, -EINVAL, 0},
		{IPPROTO_TCP, TCP_MAXSEG, 87, -EINVAL, 536},
		{IPPROTO_TCP, TCP_MAXSEG, 88, 0, 88},
		{IPPROTO_TCP, TCP_MAXSEG, 32768, -EINVAL, 536},
		{IPPROTO_TCP, TCP_SYNCNT, 3, 0, 3},
		{IPPROTO_TCP, TCP_SYNCNT, 0, -EINVAL, 6},
		{IPPROTO_TCP, TCP_SYNCNT, 128, -EINVAL, 6},
		{IPPROTO_TCP, TCP_KEEPIDLE, 32768, -EINVAL, 7200},
		{IPPROTO_TCP, TCP_KEEPINTVL, 11, 0, 11},
		{IPPROTO_TCP, TCP_KEEPINTVL, 0, -EINVAL, 75},
		{IPPROTO_TCP, TCP_KEEPCNT, 127, 0, 127},
		{IPPROTO_TCP, TCP_KEEPCNT, 128, -EINVAL, 9},
		{IPPROTO_TCP, TCP_LINGER2, 5, 0, 5},
		{IPPROTO_TCP, TCP_LINGER2, 0, 0, 60},
		{IPPROTO_TCP, TCP_LINGER2, -7, 0, -1},
		{IPPROTO_TCP, TCP_LINGER2, 500, 0, 120},
		{IPPROTO_TCP, TCP_WINDOW_CLAMP, 100000, 0, 100000},
		{IPPROTO_TCP, TCP_WINDOW_CLAMP, 1, 0, 1152},
		{IPPROTO_TCP, TCP_WINDOW_CLAMP, 0, 0, 0},
		{IPPROTO_TCP, TCP_NOTSENT_LOWAT, 16384, 0, 16384},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, 5000, 0, 5000},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, -1, -EINVAL, 0},
		/* The bits of congestion are TCP's own. */
		{IPPROTO_IP, IP_TOS, 0x13, 0, 0x10},
		{IPPROTO_IP, IP_MULTICAST_TTL, 5, -EINVAL, 1},
	};
	static const struct kept v6[] = {
		{IPPROTO_IPV6, IPV6_TCLASS, 0x13, 0, 0x10},
		{IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 3, -ENOPROTOOPT, 1},
	};
	char name[16] = "";
	socklen_t len = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM, 0), e[2];

	check_kept(AF_INET, SOCK_STREAM, cases, ARRAY_SIZE(cases));
	check_kept(AF_INET6, SOCK_STREAM, v6, ARRAY_SIZE(v6));
	CHECK_EQ(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
	CHECK_EQ(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	CHECK_EQ(strcmp(name, "reno"), 0);
	CHECK_EQ(len, 16);
	CHECK_EQ(ERRNO_OF(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "none such", 9)), ENOENT);
	close(fd);
	tcp_pair(e);
	CHECK_EQ(set_int(e[0], IPPROTO_TCP, TCP_WINDOW_CLAMP, 0), -EINVAL);
	close(e[0]);
	close(e[1]);
}

TEST(options_of_ip)
{
	static const struct kept v4[] = {
		{IPPROTO_IP, IP_TOS, 0x1ff, 0, 0xff},
		{IPPROTO_IP, IP_TTL, 0, -EINVAL, 64},
		{IPPROTO_IP, IP_TTL, 256, -EINVAL, 64},
		{IPPROTO_IP, IP_TTL, 7, 0, 7},
		{IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO, 0, IP_PMTUDISC_DO},
		{IPPROTO_IP, IP_MTU_DISCOVER, 6, -EINVAL, IP_PMTUDISC_WANT},
		{IPPROTO_IP, IP_RECVTOS, 3, 0, 1},
		{IPPROTO_IP, IP_RECVTTL, 1, 0, 1},
		{IPPROTO_IP, IP_PKTINFO, 1, 0, 1},
		{IPPROTO_IP, IP_RECVERR, 1, 0, 1},
		{IPPROTO_IP, IP_FREEBIND, 1, 0, 1},
		{IPPROTO_IP, IP_MULTICAST_TTL, -1, 0, 1},
		{IPPROTO_IP, IP_MULTICAST_TTL, 256, -EINVAL, 1},
		{IPPROTO_IP, IP_MULTICAST_LOOP, 2, 0, 1},
		{IPPROTO_IP, IP_MULTICAST_ALL, 0, 0, 0},
	};
	static const struct kept v6[] = {
		{IPPROTO_IPV6, IPV6_V6ONLY, 1, 0, 1},
		{IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256, -EINVAL, 64},
		{IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9, 0, 9},
		{IPPROTO_IPV6, IPV6_UNICAST_HOPS, -1, 0, 64},
		{IPPROTO_IPV6, IPV6_TCLASS, 0x20, 0, 0x20},
		{IPPROTO_IPV6, IPV6_TCLASS, 256, -EINVAL, 0},
		{IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT, 0, IPV6_PMTUDISC_DONT},
		{IPPROTO_IPV6, IPV6_MTU_DISCOVER, 6, -EINVAL, IPV6_PMTUDISC_WANT},
		{IPPROTO_IPV6, IPV6_RECVTCLASS, 1, 0, 1},
		{IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, 0, 1},
		{IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, 0, 1},
		{IPPROTO_IPV6, IPV6_RECVERR, 1, 0, 1},
		{IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 256, -EINVAL, 1},
		{IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 3, 0, 3},
		{IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, 0, 0},
		{IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 2, -EINVAL, 1},
		{IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0, 0, 0},
		{IPPROTO_IP, IP_TTL, 8, 0, 8},
	};

	check_kept(AF_INET, SOCK_DGRAM, v4, ARRAY_SIZE(v4));
	check_kept(AF_INET6, SOCK_DGRAM, v6, ARRAY_SIZE(v6));
}

/* ---- what they do ---- */

/* Two bound datagram sockets, the first connected to the second. */
static void udp_pair(int domain, int e[2])
{
	struct sockaddr_in6 a6 = lo6_addr(0);
	struct sockaddr_in a4 = lo_addr(0);
	struct sockaddr *a = domain == AF_INET ? (struct sockaddr *)&a4 : (struct sockaddr *)&a6;
	socklen_t len = domain == AF_INET ? sizeof(a4) : sizeof(a6);

	for (int i = 0; i < 2; i++) {
		e[i] = socket(domain, SOCK_DGRAM, 0);
		CHECK_EQ(bind(e[i], a, len), 0);
	}
	CHECK_EQ(getsockname(e[1], a, &len), 0);
	CHECK_EQ(connect(e[0], a, len), 0);
}

/* Receives a datagram and copies the one control message that came with it; its size. */
static size_t recv_control(int fd, int level, int type, void *value, size_t size)
{
	char byte, control[256];
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	size_t len;

	CHECK_EQ(recvmsg(fd, &m, 0), 1);
	c = CMSG_FIRSTHDR(&m);
	if (!CHECK(c != NULL))
		return 0;
	CHECK_EQ(c->cmsg_level, level);
	CHECK_EQ(c->cmsg_type, type);
	len = c->cmsg_len - CMSG_LEN(0);
	memcpy(value, CMSG_DATA(c), len < size ? len : size);
	CHECK(CMSG_NXTHDR(&m, c) == NULL);
	return len;
}

TEST(class_of_service_arrives)
{
	unsigned char tos = 0;
	int e[2], class = 0;

	udp_pair(AF_INET, e);
	CHECK_EQ(set_int(e[0], IPPROTO_IP, IP_TOS, 0x28), 0);
	CHECK_EQ(set_int(e[1], IPPROTO_IP, IP_RECVTOS, 1), 0);
	CHECK_EQ(send(e[0], "x", 1, 0), 1);
	CHECK_EQ(recv_control(e[1], IPPROTO_IP, IP_TOS, &tos, sizeof(tos)), 1);
	CHECK_EQ(tos, 0x28);
	close(e[0]);
	close(e[1]);
	udp_pair(AF_INET6, e);
	CHECK_EQ(set_int(e[0], IPPROTO_IPV6, IPV6_TCLASS, 0x48), 0);
	CHECK_EQ(set_int(e[1], IPPROTO_IPV6, IPV6_RECVTCLASS, 1), 0);
	CHECK_EQ(send(e[0], "x", 1, 0), 1);
	CHECK_EQ(recv_control(e[1], IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class)), sizeof(int));
	CHECK_EQ(class, 0x48);
	close(e[0]);
	close(e[1]);
}

TEST(time_stamps)
{
	struct timeval tv = {0};
	struct timespec ts = {0};
	int64_t before;
	int e[2];

	udp_pair(AF_INET, e);
	before = now_ns(CLOCK_REALTIME);
	CHECK_EQ(set_int(e[1], SOL_SOCKET, SO_TIMESTAMP, 1), 0);
	CHECK_EQ(send(e[0], "x", 1, 0), 1);
	CHECK_EQ(recv_control(e[1], SOL_SOCKET, SO_TIMESTAMP, &tv, sizeof(tv)), sizeof(tv));
	CHECK(tv.tv_sec * NS_PER_SEC + tv.tv_usec * 1000 >= before - 1000);
	CHECK(tv.tv_sec * NS_PER_SEC + tv.tv_usec * 1000 <= now_ns(CLOCK_REALTIME));
	CHECK_EQ(set_int(e[1], SOL_SOCKET, SO_TIMESTAMPNS, 1), 0);
	CHECK_EQ(send(e[0], "x", 1, 0), 1);
	CHECK_EQ(recv_control(e[1], SOL_SOCKET, SO_TIMESTAMPNS, &ts, sizeof(ts)), sizeof(ts));
	CHECK(ts.tv_sec * NS_PER_SEC + ts.tv_nsec >= before);
	CHECK(ts.tv_sec * NS_PER_SEC + ts.tv_nsec <= now_ns(CLOCK_REALTIME));
	close(e[0]);
	close(e[1]);
}

TEST(broadcasts_are_asked_for)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in a = lo_addr(9);

	a.sin_addr.s_addr = htonl(0x7fffffff);
	CHECK_EQ(ERRNO_OF(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof(a))), EACCES);
	CHECK_EQ(ERRNO_OF(connect(fd, (struct sockaddr *)&a, sizeof(a))), EACCES);
	CHECK_EQ(set_int(fd, SOL_SOCKET, SO_BROADCAST, 1), 0);
	CHECK_EQ(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)), 1);
	close(fd);
}

TEST(a_socket_of_one_interface)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char name[IFNAMSIZ] = "";
	socklen_t len = sizeof(name);

	CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
	CHECK_EQ(len, 0);
	CHECK_EQ(ERRNO_OF(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "none", 5)), ENODEV);
	CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
	len = 4;
	CHECK_EQ(ERRNO_OF(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len)), EINVAL);
	len = sizeof(name);
	CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
	CHECK_EQ(len, 3);
	CHECK_EQ(strcmp(name, "lo"), 0);
	CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0), 0);
	len = sizeof(name);
	CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len), 0);
	CHECK_EQ(len, 0);
	close(fd);
}

/* Each gets what comes over its interface. */
TEST(a_bound_interface_counts)
{
	int e[2], any, port;
	struct sockaddr_in a = lo_addr(0);
	char byte;

	udp_pair(AF_INET, e);
	port = port_of(e[1]);
	close(e[1]);
	a.sin_port = htons((uint16_t)port);
	any = socket(AF_INET, SOCK_DGRAM, 0);
	e[1] = socket(AF_INET, SOCK_DGRAM, 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(set_int(i ? e[1] : any, SOL_SOCKET, SO_REUSEADDR, 1), 0);
		if (i)
			CHECK_EQ(setsockopt(e[1], SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
		CHECK_EQ(bind(i ? e[1] : any, (struct sockaddr *)&a, sizeof(a)), 0);
	}
	CHECK_EQ(send(e[0], "x", 1, 0), 1);
	CHECK_EQ(recv(e[1], &byte, 1, 0), 1);
	CHECK_EQ(ERRNO_OF(recv(any, &byte, 1, MSG_DONTWAIT)), EAGAIN);
	close(any);
	close(e[0]);
	close(e[1]);
}

TEST(an_address_of_nobody)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = lo_addr(0);

	a.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 */
	CHECK_EQ(ERRNO_OF(bind(fd, (struct sockaddr *)&a, sizeof(a))), EADDRNOTAVAIL);
	CHECK_EQ(set_int(fd, IPPROTO_IP, IP_FREEBIND, 1), 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(listen(fd, 1), 0);
	close(fd);
}

TEST(one_port_for_each_family)
{
	int v6 = socket(AF_INET6, SOCK_STREAM, 0), v4 = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6};
	struct sockaddr_in a4 = {.sin_family = AF_INET};

	CHECK_EQ(set_int(v6, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
	CHECK_EQ(bind(v6, (struct sockaddr *)&a6, sizeof(a6)), 0);
	CHECK_EQ(set_int(v6, IPPROTO_IPV6, IPV6_V6ONLY, 0), -EINVAL);
	a4.sin_port = htons((uint16_t)port_of(v6));
	CHECK_EQ(bind(v4, (struct sockaddr *)&a4, sizeof(a4)), 0);
	CHECK_EQ(listen(v6, 1), 0);
	CHECK_EQ(listen(v4, 1), 0);
	close(v4);
	close(v6);
}

TEST(name_of_the_peer)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int e[2], fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK_EQ(ERRNO_OF(getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &a, &len)), ENOTCONN);
	close(fd);
	tcp_pair(e);
	CHECK_EQ(getsockopt(e[0], SOL_SOCKET, SO_PEERNAME, &a, &len), 0);
	CHECK_EQ(len, sizeof(a));
	CHECK_EQ(ntohs(a.sin_port), port_of(e[1]));
	len = sizeof(a) + 1;
	CHECK_EQ(ERRNO_OF(getsockopt(e[0], SOL_SOCKET, SO_PEERNAME, &(struct sockaddr_in6){0}, &len)),
		 EINVAL);
	close(e[0]);
	close(e[1]);
}

TEST(send_timeout)
{
	struct timeval tv = {0, 20000}, got = {0};
	socklen_t len = sizeof(got);
	static char much[65536];
	int64_t begin;
	ssize_t n;
	int e[2];

	tcp_pair(e);
	CHECK_EQ(setsockopt(e[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
	CHECK_EQ(getsockopt(e[0], SOL_SOCKET, SO_SNDTIMEO, &got, &len), 0);
	CHECK_EQ(got.tv_sec, 0);
	CHECK_EQ(got.tv_usec, 20000);
	do {
		begin = now_ns(CLOCK_MONOTONIC);
		n = send(e[0], much, sizeof(much), 0);
	} while (n > 0);
	CHECK_EQ(errno, EAGAIN);
	CHECK(now_ns(CLOCK_MONOTONIC) - begin >= 19 * NS_PER_MS);
	close(e[0]);
	close(e[1]);
}

/* TCP_INQ: each receive tells what is left. */
TEST(what_is_left_is_told)
{
	int e[2], left = -1;

	tcp_pair(e);
	CHECK_EQ(set_int(e[1], IPPROTO_TCP, TCP_INQ, 1), 0);
	CHECK_EQ(send(e[0], "four", 4, 0), 4);
	CHECK_EQ(recv_control(e[1], IPPROTO_TCP, TCP_CM_INQ, &left, sizeof(left)), sizeof(left));
	CHECK_EQ(left, 3);
	CHECK_EQ(recv(e[1], (char[2]){0}, 2, 0), 2);
	CHECK_EQ(recv_control(e[1], IPPROTO_TCP, TCP_CM_INQ, &left, sizeof(left)), sizeof(left));
	CHECK_EQ(left, 0);
	close(e[0]);
	close(e[1]);
}

TEST(state_in_tcp_info)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	int e[2], fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK_EQ(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CHECK_EQ(info.tcpi_state, TCP_CLOSE);
	close(fd);
	tcp_pair(e);
	CHECK_EQ(getsockopt(e[0], IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CHECK_EQ(info.tcpi_state, TCP_ESTABLISHED);
	CHECK(info.tcpi_options & TCPI_OPT_SACK);
	CHECK(info.tcpi_options & TCPI_OPT_WSCALE);
	close(e[1]);
	CHECK_EQ(getsockopt(e[0], IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CHECK_EQ(info.tcpi_state, TCP_CLOSE_WAIT);
	/* A short buffer gets the beginning. */
	len = 4;
	CHECK_EQ(getsockopt(e[0], IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	CHECK_EQ(len, 4);
	close(e[0]);
}
