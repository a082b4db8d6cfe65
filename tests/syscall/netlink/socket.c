/* Netlink sockets themselves: names, options, malformed requests, acknowledgements. */
#include "tests/syscall/netlink/nl.h"

static int bind_to(int fd, uint32_t pid, uint32_t groups)
{
	struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_pid = pid, .nl_groups = groups};

	return ERRNO_OF(bind(fd, (struct sockaddr *)&name, sizeof(name)));
}

TEST(types_and_protocols)
{
	int fd = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE);

	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(ERRNO_OF(socket(AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE)), ESOCKTNOSUPPORT);
	CHECK_EQ(ERRNO_OF(socket(AF_NETLINK, SOCK_SEQPACKET, NETLINK_ROUTE)), ESOCKTNOSUPPORT);
	CHECK_EQ(ERRNO_OF(socket(AF_NETLINK, SOCK_RAW, 31)), EPROTONOSUPPORT);
	CHECK_EQ(ERRNO_OF(socket(AF_NETLINK, SOCK_RAW, 32)), EPROTONOSUPPORT);
	CHECK_EQ(ERRNO_OF(socket(AF_NETLINK, SOCK_RAW, -1)), EPROTONOSUPPORT);
	CHECK_EQ(ERRNO_OF(socketpair(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, (int[2]){0})), EOPNOTSUPP);
}

TEST(names)
{
	struct sockaddr_nl name = {.nl_family = AF_INET};
	int a = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
	    b = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	int c = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	CHECK_EQ(nl_port(a), 0);
	CHECK_EQ(ERRNO_OF(bind(a, (struct sockaddr *)&name, sizeof(name))), EINVAL);
	CHECK_EQ(ERRNO_OF(bind(a, (struct sockaddr *)&name, 8)), EINVAL);
	CHECK_EQ(bind_to(a, 0, 0), 0);
	CHECK_EQ(nl_port(a), getpid());
	CHECK_EQ(bind_to(a, 0, 0), EINVAL);
	CHECK_EQ(bind_to(a, (uint32_t)getpid(), 0), 0);
	CHECK_EQ(bind_to(a, (uint32_t)getpid() + 1, 0), EINVAL);
	CHECK_EQ(bind_to(b, (uint32_t)getpid(), 0), EADDRINUSE);
	CHECK_EQ(bind_to(b, 0, 0), 0);
	CHECK(nl_port(b) != nl_port(a) && nl_port(b) > 0x7fffffff);
	CHECK_EQ(bind_to(c, 4242424, 0), 0);
	CHECK_EQ(nl_port(c), 4242424);
	close(a);
	close(b);
	a = nl_open(0);
	CHECK_EQ(nl_port(a), getpid());
	close(a);
	close(c);
}

TEST(what_it_does_not_do)
{
	struct sockaddr_nl peer;
	socklen_t len = sizeof(peer);
	int fd = nl_open(0), v;

	CHECK_EQ(ERRNO_OF(listen(fd, 1)), EOPNOTSUPP);
	CHECK_EQ(ERRNO_OF(accept(fd, NULL, NULL)), EOPNOTSUPP);
	CHECK_EQ(ERRNO_OF(shutdown(fd, SHUT_RDWR)), EOPNOTSUPP);
	CHECK_EQ(ERRNO_OF(send(fd, "", 0, 0)), ENODATA);
	CHECK_EQ(ERRNO_OF(send(fd, "x", 1, MSG_OOB)), EOPNOTSUPP);
	CHECK_EQ(ERRNO_OF(recv(fd, &v, sizeof(v), MSG_DONTWAIT)), EAGAIN);
	CHECK_EQ(ERRNO_OF(recv(fd, &v, sizeof(v), MSG_DONTWAIT | MSG_OOB)), EOPNOTSUPP);
	CHECK_EQ(ERRNO_OF(ioctl(fd, FIONREAD, &v)), ENOTTY);
	CHECK_EQ(getpeername(fd, (struct sockaddr *)&peer, &len), 0);
	CHECK_EQ(peer.nl_pid, 0);
	close(fd);
}

static int option(int fd, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	if (getsockopt(fd, SOL_NETLINK, name, &v, &len))
		return -errno;
	CHECK_EQ(len, 4);
	return v;
}

static int option_set(int fd, int name, int v)
{
	return ERRNO_OF(setsockopt(fd, SOL_NETLINK, name, &v, sizeof(v)));
}

TEST(options)
{
	static const int names[] = {NETLINK_PKTINFO,	NETLINK_BROADCAST_ERROR,
				    NETLINK_NO_ENOBUFS, NETLINK_CAP_ACK,
				    NETLINK_EXT_ACK,	NETLINK_GET_STRICT_CHK};
	uint32_t groups[2] = {0, 0xabcdef};
	socklen_t len = sizeof(groups);
	int fd = nl_open(0);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CHECK_EQ(option(fd, names[i]), 0);
		CHECK_EQ(option_set(fd, names[i], 5), 0);
		CHECK_EQ(option(fd, names[i]), 1);
		CHECK_EQ(option_set(fd, names[i], 0), 0);
	}
	CHECK_EQ(option_set(fd, 99, 1), ENOPROTOOPT);
	CHECK_EQ(option(fd, 99), -ENOPROTOOPT);
	CHECK_EQ(option_set(fd, NETLINK_ADD_MEMBERSHIP, 0), EINVAL);
	CHECK_EQ(option_set(fd, NETLINK_ADD_MEMBERSHIP, 1000), EINVAL);
	CHECK_EQ(option_set(fd, NETLINK_ADD_MEMBERSHIP, RTNLGRP_IPV4_IFADDR), 0);
	CHECK_EQ(option_set(fd, NETLINK_ADD_MEMBERSHIP, 33), 0);
	CHECK_EQ(getsockopt(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, groups, &len), 0);
	CHECK_EQ(len, 8);
	CHECK_EQ(groups[0], 1U << (RTNLGRP_IPV4_IFADDR - 1));
	CHECK_EQ(groups[1], 1);
	groups[1] = 7;
	len = 4;
	CHECK_EQ(getsockopt(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, groups, &len), 0);
	CHECK_EQ(len, 8);
	CHECK_EQ(groups[1], 7);
	CHECK_EQ(option_set(fd, NETLINK_DROP_MEMBERSHIP, 33), 0);
	close(fd);
}

/* ---- acknowledgements ---- */

TEST(acknowledgement_holds_the_request)
{
	struct ifinfomsg m = {.ifi_index = 999};
	struct nl_req r = nl_request(RTM_GETLINK, 0, &m, sizeof(m));
	const struct nlmsghdr *h;
	struct nl_answer a;
	int fd = nl_open(0);

	nl_send(fd, &r);
	CHECK_EQ(nl_recv(fd, &a), 36 + (int)sizeof(m));
	h = (const struct nlmsghdr *)a.buf;
	CHECK_EQ(h->nlmsg_len, 36 + sizeof(m));
	CHECK_EQ(h->nlmsg_flags, 0);
	CHECK_EQ(((const struct nlmsgerr *)NLMSG_DATA(h))->error, -ENODEV);
	CHECK(!memcmp(&((const struct nlmsgerr *)NLMSG_DATA(h))->msg, &r, r.h.nlmsg_len));

	option_set(fd, NETLINK_CAP_ACK, 1);
	nl_send(fd, &r);
	CHECK_EQ(nl_recv(fd, &a), 36);
	CHECK_EQ(h->nlmsg_flags, NLM_F_CAPPED);
	close(fd);
}

TEST(extended_acknowledgement)
{
	struct ifaddrmsg m = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = LO};
	struct nl_req r = nl_request(RTM_NEWADDR, NLM_F_CREATE, &m, sizeof(m));
	struct nl_answer a;
	int fd = nl_open(0);

	nl_send(fd, &r);
	CHECK(nl_recv(fd, &a) > 0);
	CHECK(!strcmp(nl_why(&a), ""));
	option_set(fd, NETLINK_EXT_ACK, 1);
	nl_send(fd, &r);
	CHECK(nl_recv(fd, &a) > 0);
	CHECK(!strcmp(nl_why(&a), "ipv4: Local address is not supplied"));
	option_set(fd, NETLINK_CAP_ACK, 1);
	nl_send(fd, &r);
	CHECK(nl_recv(fd, &a) > 0);
	CHECK(!strcmp(nl_why(&a), "ipv4: Local address is not supplied"));
	close(fd);
}

TEST(several_requests_in_one_send)
{
	struct ifinfomsg m = {.ifi_index = LO};
	struct nl_req r = nl_request(RTM_GETLINK, 0, &m, sizeof(m));
	struct nl_req noop = nl_request(NLMSG_NOOP, NLM_F_ACK, "", 0);
	char both[256];
	struct nl_answer a;
	int fd = nl_open(0);

	memcpy(both, &r, r.h.nlmsg_len);
	memcpy(both + r.h.nlmsg_len, &noop, noop.h.nlmsg_len);
	memcpy(both + r.h.nlmsg_len + noop.h.nlmsg_len, &r, r.h.nlmsg_len);
	CHECK(send(fd, both, 2 * r.h.nlmsg_len + noop.h.nlmsg_len, 0) > 0);
	CHECK(nl_recv(fd, &a) > 0);
	CHECK_EQ(((struct nlmsghdr *)a.buf)->nlmsg_type, RTM_NEWLINK);
	CHECK(nl_recv(fd, &a) > 0);
	CHECK_EQ(((struct nlmsghdr *)a.buf)->nlmsg_type, NLMSG_ERROR);
	CHECK(nl_recv(fd, &a) > 0);
	CHECK_EQ(((struct nlmsghdr *)a.buf)->nlmsg_type, RTM_NEWLINK);
	CHECK_EQ(nl_recv(fd, &a), -EAGAIN);
	close(fd);
}

TEST(malformed_requests_are_dropped)
{
	struct ifinfomsg m = {.ifi_index = LO};
	struct nl_req r = nl_request(RTM_GETLINK, 0, &m, sizeof(m));
	struct nl_answer a;
	int fd = nl_open(0);

	r.h.nlmsg_len = 15;
	CHECK_EQ(send(fd, &r, 32, 0), 32);
	r.h.nlmsg_len = 33;
	CHECK_EQ(send(fd, &r, 32, 0), 32);
	r.h.nlmsg_len = 32;
	CHECK_EQ(send(fd, &r, 15, 0), 15);
	r.h.nlmsg_flags = 0; /* not a request */
	CHECK_EQ(send(fd, &r, 32, 0), 32);
	CHECK_EQ(nl_recv(fd, &a), -EAGAIN);
	/* An attribute longer than the message: what is before it counts. */
	r = nl_request(RTM_GETLINK, 0, &m, sizeof(m));
	nl_attr_u32(&r, IFLA_EXT_MASK, 0);
	r.body[sizeof(m)] = 100;
	nl_send(fd, &r);
	CHECK(nl_recv(fd, &a) > 0);
	CHECK_EQ(((struct nlmsghdr *)a.buf)->nlmsg_type, RTM_NEWLINK);
	close(fd);
}

TEST(unknown_requests)
{
	struct rtgenmsg g = {.rtgen_family = AF_UNSPEC};
	struct nl_req r = nl_request(RTM_BASE + 4000, 0, &g, sizeof(g));
	int fd = nl_open(0);

	CHECK_EQ(nl_ack(fd, &r), EOPNOTSUPP);
	r = nl_request(RTM_GETLINK, 0, &g, sizeof(g)); /* too short */
	CHECK_EQ(nl_ack(fd, &r), EINVAL);
	close(fd);
}

/* ---- receiving ---- */

TEST(peek_tells_the_length)
{
	struct ifinfomsg m = {.ifi_index = LO};
	struct nl_req r = nl_request(RTM_GETLINK, 0, &m, sizeof(m));
	struct sockaddr_nl from;
	struct iovec iov = {NULL, 0};
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	struct pollfd p = {.events = POLLIN | POLLOUT};
	struct nl_answer a;
	int fd = nl_open(0), len;

	p.fd = fd;
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLOUT);
	nl_send(fd, &r);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLOUT);
	len = (int)recvmsg(fd, &msg, MSG_PEEK | MSG_TRUNC);
	CHECK(len > 100);
	CHECK_EQ(msg.msg_flags, MSG_TRUNC);
	CHECK_EQ(msg.msg_namelen, sizeof(from));
	CHECK_EQ(nl_recv(fd, &a), len);
	CHECK_EQ(((struct nlmsghdr *)a.buf)->nlmsg_len, len);
	/* Without MSG_TRUNC: the length that was copied; the rest is lost. */
	nl_send(fd, &r);
	iov = (struct iovec){a.buf, 20};
	CHECK_EQ(recvmsg(fd, &msg, 0), 20);
	CHECK_EQ(msg.msg_flags, MSG_TRUNC);
	CHECK_EQ(nl_recv(fd, &a), -EAGAIN);
	close(fd);
}

TEST(programs_among_themselves)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK}, from;
	socklen_t len = sizeof(from);
	int a = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK),
	    b = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
	char buf[16];

	CHECK_EQ(bind_to(a, 5555551, 0), 0);
	CHECK_EQ(bind_to(b, 5555552, 2), 0);
	to.nl_pid = 5555552;
	CHECK_EQ(sendto(a, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	CHECK_EQ(recvfrom(b, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 5);
	CHECK_EQ(from.nl_pid, 5555551);
	CHECK_EQ(from.nl_groups, 0);
	to.nl_pid = 5555553;
	CHECK_EQ(ERRNO_OF(sendto(a, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to))),
		 ECONNREFUSED);
	/* To a group: those who listen hear it, though the call fails for want of a kernel socket. */
	to.nl_pid = 0;
	to.nl_groups = 2;
	CHECK_EQ(ERRNO_OF(sendto(a, "group", 5, 0, (struct sockaddr *)&to, sizeof(to))),
		 ECONNREFUSED);
	CHECK_EQ(recvfrom(b, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &len), 5);
	CHECK_EQ(from.nl_groups, 2);
	close(a);
	close(b);
}

static int as_nobody(void)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = 4242424};
	struct ifinfomsg m = {.ifi_index = LO, .ifi_change = IFF_UP};
	struct nl_req r = nl_request(RTM_NEWLINK, 0, &m, sizeof(m));
	struct ifreq req = {.ifr_name = "lo", .ifr_mtu = 1000};
	int fd, inet;

	CHECK_EQ(setuid(1000), 0);
	fd = nl_open(RTMGRP_LINK);
	inet = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_EQ(nl_ack(fd, &r), EPERM);
	CHECK_EQ(lo_address(fd, RTM_NEWADDR, NLM_F_CREATE, "10.1.1.1", 24), EPERM);
	CHECK_EQ(lo_address(fd, RTM_DELADDR, 0, "127.0.0.1", 8), EPERM);
	CHECK_EQ(ERRNO_OF(sendto(fd, &r, r.h.nlmsg_len, 0, (struct sockaddr *)&to, sizeof(to))),
		 EPERM);
	CHECK_EQ(ERRNO_OF(connect(fd, (struct sockaddr *)&to, sizeof(to))), EPERM);
	CHECK_EQ(ERRNO_OF(ioctl(inet, SIOCSIFMTU, &req)), EPERM);
	CHECK_EQ(ERRNO_OF(ioctl(inet, SIOCSIFFLAGS, &req)), EPERM);
	r = nl_request(RTM_GETLINK, 0, &m, sizeof(m));
	nl_send(fd, &r);
	CHECK_EQ(recv(fd, &r, sizeof(r.h), 0), sizeof(r.h));
	CHECK_EQ(r.h.nlmsg_type, RTM_NEWLINK);
	return 0;
}

TEST(unprivileged_may_only_look)
{
	CHECK_EQ(child_status(as_nobody), 0);
}
