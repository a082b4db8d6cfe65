/*
 * UDP over lo.
 */
#include "tests/syscall/net/net.h"

static int udp_socket(int *port)
{
	struct sockaddr_in a = lo_addr(0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	*port = port_of(fd);
	return fd;
}

TEST(datagrams_keep_their_bounds)
{
	int pa, pb, a = udp_socket(&pa), b = udp_socket(&pb);
	struct sockaddr_in to = lo_addr(pb), from;
	socklen_t len = sizeof(from);
	char buf[64];

	CHECK_EQ(poll_now(b), POLLOUT);
	CHECK_EQ(sendto(a, "one", 3, 0, (struct sockaddr *)&to, sizeof(to)), 3);
	CHECK_EQ(sendto(a, "", 0, 0, (struct sockaddr *)&to, sizeof(to)), 0);
	CHECK_EQ(sendto(a, "three", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	CHECK_EQ(poll_now(b), POLLIN | POLLOUT);
	CHECK_EQ(recvfrom(b, buf, sizeof(buf), MSG_PEEK, NULL, NULL), 3);
	CHECK_EQ(recvfrom(b, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 3);
	CHECK_EQ(ntohs(from.sin_port), pa);
	CHECK_EQ(len, sizeof(from));
	CHECK_EQ(recv(b, buf, sizeof(buf), 0), 0);
	CHECK_EQ(recv(b, buf, 2, MSG_TRUNC), 5);
	CHECK_EQ(ERRNO_OF(recv(b, buf, 1, MSG_DONTWAIT)), EAGAIN);
	close(a);
	close(b);
}

TEST(unconnected_and_bad_destinations)
{
	int port, a = udp_socket(&port);
	struct sockaddr_in to = lo_addr(port);
	static char big[65600];

	CHECK_EQ(ERRNO_OF(send(a, "x", 1, 0)), EDESTADDRREQ);
	CHECK_EQ(ERRNO_OF(sendto(a, big, 65508, 0, (struct sockaddr *)&to, sizeof(to))), EMSGSIZE);
	CHECK_EQ(sendto(a, big, 65507, 0, (struct sockaddr *)&to, sizeof(to)), 65507);
	to.sin_port = 0;
	CHECK_EQ(ERRNO_OF(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof(to))), EINVAL);
	CHECK_EQ(ERRNO_OF(sendto(a, "x", 1, 0, (struct sockaddr *)&to, 3)), EINVAL);
	CHECK_EQ(ERRNO_OF(listen(a, 1)), EOPNOTSUPP);
	CHECK_EQ(ERRNO_OF(accept(a, NULL, NULL)), EOPNOTSUPP);
	CHECK_EQ(ERRNO_OF(shutdown(a, SHUT_WR)), ENOTCONN);
	close(a);
}

TEST(nobody_listens)
{
	int port, a = udp_socket(&port), gone;
	struct sockaddr_in to;

	gone = udp_socket(&port);
	close(gone);
	to = lo_addr(port);
	/* Only a connected socket hears of it. */
	CHECK_EQ(sendto(a, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	CHECK_EQ(so_error(a), 0);
	CHECK_EQ(connect(a, (struct sockaddr *)&to, sizeof(to)), 0);
	CHECK_EQ(send(a, "x", 1, 0), 1);
	CHECK_EQ(poll_now(a), POLLOUT | POLLERR);
	CHECK_EQ(ERRNO_OF(send(a, "x", 1, 0)), ECONNREFUSED);
	CHECK_EQ(send(a, "x", 1, 0), 1);
	CHECK_EQ(so_error(a), ECONNREFUSED);
	close(a);
}

TEST(connected_socket_filters)
{
	int pa, pb, pc, a = udp_socket(&pa), b = udp_socket(&pb), c = udp_socket(&pc);
	struct sockaddr_in to = lo_addr(pa), from_b = lo_addr(pb), none = {.sin_family = AF_UNSPEC};
	char buf[8];

	CHECK_EQ(connect(a, (struct sockaddr *)&from_b, sizeof(from_b)), 0);
	CHECK_EQ(sendto(c, "no", 2, 0, (struct sockaddr *)&to, sizeof(to)), 2);
	CHECK_EQ(sendto(b, "yes", 3, 0, (struct sockaddr *)&to, sizeof(to)), 3);
	CHECK_EQ(recv(a, buf, sizeof(buf), 0), 3);
	CHECK_EQ(ERRNO_OF(recv(a, buf, sizeof(buf), MSG_DONTWAIT)), EAGAIN);
	CHECK_EQ(connect(a, (struct sockaddr *)&none, sizeof(none)), 0);
	/* The kernel chose the port, so it goes with the connection. */
	CHECK_EQ(port_of(a), 0);
	close(a);
	close(b);
	close(c);
}

TEST(reuseport_spreads)
{
	struct sockaddr_in a = lo_addr(0);
	int fd[4], got[4] = {0}, used = 0;

	for (int i = 0; i < 4; i++) {
		fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		CHECK_EQ(set_int(fd[i], SOL_SOCKET, SO_REUSEPORT, 1), 0);
		CHECK_EQ(bind(fd[i], (struct sockaddr *)&a, sizeof(a)), 0);
		a = lo_addr(port_of(fd[0]));
	}
	for (int i = 0; i < 200; i++) {
		int c = socket(AF_INET, SOCK_DGRAM, 0);

		CHECK_EQ(sendto(c, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)), 1);
		close(c);
	}
	for (int i = 0; i < 4; i++) {
		char c;

		while (recv(fd[i], &c, 1, 0) == 1)
			got[i]++;
		used += got[i] > 0;
		close(fd[i]);
	}
	CHECK_EQ(got[0] + got[1] + got[2] + got[3], 200);
	CHECK_EQ(used, 4);
}

TEST(packet_information)
{
	int port, a = udp_socket(&port);
	struct sockaddr_in to = lo_addr(port);
	char data[8], control[256];
	struct iovec v = {data, sizeof(data)};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	int seen = 0;

	CHECK_EQ(set_int(a, IPPROTO_IP, IP_PKTINFO, 1), 0);
	CHECK_EQ(set_int(a, IPPROTO_IP, IP_RECVTTL, 1), 0);
	CHECK_EQ(sendto(a, "info", 4, 0, (struct sockaddr *)&to, sizeof(to)), 4);
	CHECK_EQ(recvmsg(a, &m, 0), 4);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo *p = (struct in_pktinfo *)CMSG_DATA(c);

			CHECK_EQ(p->ipi_ifindex, 1);
			CHECK_EQ(ntohl(p->ipi_addr.s_addr), INADDR_LOOPBACK);
			seen |= 1;
		} else if (c->cmsg_type == IP_TTL) {
			CHECK_EQ(*(int *)CMSG_DATA(c), 64);
			seen |= 2;
		}
	}
	CHECK_EQ(seen, 3);
	close(a);
}

TEST(several_messages)
{
	int port, a = udp_socket(&port);
	struct sockaddr_in to = lo_addr(port);
	char data[3][8];
	struct iovec v[3] = {{"aa", 2}, {"bbb", 3}, {"c", 1}}, w[3];
	struct mmsghdr m[3] = {0};

	for (int i = 0; i < 3; i++) {
		m[i].msg_hdr = (struct msghdr){&to, sizeof(to), &v[i], 1, NULL, 0, 0};
		w[i] = (struct iovec){data[i], 8};
	}
	CHECK_EQ(sendmmsg(a, m, 3, 0), 3);
	CHECK_EQ(m[1].msg_len, 3);
	for (int i = 0; i < 3; i++)
		m[i].msg_hdr = (struct msghdr){NULL, 0, &w[i], 1, NULL, 0, 0};
	CHECK_EQ(recvmmsg(a, m, 3, MSG_DONTWAIT, NULL), 3);
	CHECK_EQ(m[0].msg_len, 2);
	CHECK_EQ(m[2].msg_len, 1);
	CHECK_EQ(data[1][2], 'b');
	CHECK_EQ(ERRNO_OF(recvmmsg(a, m, 3, MSG_DONTWAIT, NULL)), EAGAIN);
	close(a);
}

TEST(address_without_a_port_yet)
{
	struct sockaddr_in a = lo_addr(0), to, name;
	socklen_t len = sizeof(name);
	int port, fd = socket(AF_INET, SOCK_DGRAM, 0), other = udp_socket(&port);
	char buf[8];

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 5);
	to = lo_addr(port);
	CHECK_EQ(set_int(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1), 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(port_of(fd), 0);
	CHECK_EQ(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	CHECK(port_of(fd) != 0);
	CHECK_EQ(recvfrom(other, buf, sizeof(buf), 0, (struct sockaddr *)&name, &len), 1);
	CHECK_EQ(name.sin_addr.s_addr, a.sin_addr.s_addr);
	CHECK_EQ(ntohs(name.sin_port), port_of(fd));
	close(fd);
	close(other);
}

TEST(hop_limit_by_both_names)
{
	struct sockaddr_in6 a = lo6_addr(0);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), seen = 0;
	char byte, control[256];
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};

	CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	a.sin6_port = htons((uint16_t)port_of(fd));
	CHECK_EQ(set_int(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1), 0);
	CHECK_EQ(set_int(fd, IPPROTO_IPV6, IPV6_2292HOPLIMIT, 1), 0);
	CHECK_EQ(get_int(fd, IPPROTO_IPV6, IPV6_2292HOPLIMIT), 1);
	CHECK_EQ(set_int(fd, IPPROTO_IPV6, IPV6_2292PKTINFO, 1), 0);
	CHECK_EQ(set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 33), 0);
	CHECK_EQ(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)), 1);
	CHECK_EQ(recvmsg(fd, &m, 0), 1);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		CHECK_EQ(c->cmsg_level, IPPROTO_IPV6);
		seen += c->cmsg_type;
		if (c->cmsg_type != IPV6_2292PKTINFO)
			CHECK_EQ(*(int *)CMSG_DATA(c), 33);
		else
			CHECK_EQ(memcmp(CMSG_DATA(c), &in6addr_loopback, 16), 0);
	}
	CHECK_EQ(seen, IPV6_HOPLIMIT + IPV6_2292HOPLIMIT + IPV6_2292PKTINFO);
	close(fd);
}
