/* Multicast over lo: joining, leaving, who hears what. */
#include "tests/syscall/net/net.h"

#include <net/if.h>

#define GROUP "239.1.2.3"
#define LO    1

static struct ip_mreqn mreq(const char *group, const char *address, int index)
{
	struct ip_mreqn m = {.imr_ifindex = index};

	inet_pton(AF_INET, group, &m.imr_multiaddr);
	inet_pton(AF_INET, address, &m.imr_address);
	return m;
}

static int change(int fd, int name, const char *group, const char *address, int index)
{
	struct ip_mreqn m = mreq(group, address, index);

	return ERRNO_OF(setsockopt(fd, IPPROTO_IP, name, &m, sizeof(m)));
}

/* A UDP socket on every address and a port of the kernel's choice. */
static int receiver(int *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	*port = port_of(fd);
	return fd;
}

static int send_group(int fd, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	inet_pton(AF_INET, GROUP, &a.sin_addr);
	return ERRNO_OF(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)));
}

static int hears(int fd)
{
	char c;

	return ERRNO_OF(recv(fd, &c, 1, MSG_DONTWAIT));
}

/* A socket that sends to groups over lo. */
static int sender(void)
{
	struct in_addr lo = {htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof(lo)), 0);
	return fd;
}

TEST(multicast_membership_errors)
{
	int port, fd = receiver(&port), tcp = socket(AF_INET, SOCK_STREAM, 0);
	struct ip_mreqn m = mreq(GROUP, "127.0.0.1", 0);
	struct ip_mreqn large;

	CHECK_EQ(change(fd, IP_ADD_MEMBERSHIP, GROUP, "127.0.0.1", 0), 0);
	CHECK_EQ(change(fd, IP_ADD_MEMBERSHIP, GROUP, "0.0.0.0", LO), EADDRINUSE);
	CHECK_EQ(change(fd, IP_ADD_MEMBERSHIP, "10.1.1.1", "127.0.0.1", 0), EINVAL);
	CHECK_EQ(change(fd, IP_ADD_MEMBERSHIP, GROUP, "0.0.0.0", 99), ENODEV);
	CHECK_EQ(change(fd, IP_ADD_MEMBERSHIP, GROUP, "10.99.99.99", 0), ENODEV);
	CHECK_EQ(ERRNO_OF(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, 7)), EINVAL);
	CHECK_EQ(change(tcp, IP_ADD_MEMBERSHIP, GROUP, "127.0.0.1", 0), EPROTO);
	CHECK_EQ(change(fd, IP_DROP_MEMBERSHIP, GROUP, "127.0.0.1", 0), 0);
	CHECK_EQ(change(fd, IP_DROP_MEMBERSHIP, GROUP, "127.0.0.1", 0), EADDRNOTAVAIL);
	for (int i = 0; i < 20; i++) {
		large = mreq("239.9.9.0", "0.0.0.0", LO);
		large.imr_multiaddr.s_addr |= htonl((uint32_t)i);
		CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &large, sizeof(large)), 0);
	}
	CHECK_EQ(change(fd, IP_ADD_MEMBERSHIP, GROUP, "127.0.0.1", 0), ENOBUFS);
	close(tcp);
	close(fd);
}

TEST(multicast_goes_to_members)
{
	int port, other_port, fd = receiver(&port), other = receiver(&other_port), out = sender();
	int plain = socket(AF_INET, SOCK_DGRAM, 0), off = 0;

	CHECK_EQ(send_group(plain, port), ENETUNREACH); /* no interface is said */
	CHECK_EQ(send_group(out, port), 0);
	CHECK_EQ(hears(fd), EAGAIN); /* nobody has joined */
	CHECK_EQ(change(fd, IP_ADD_MEMBERSHIP, GROUP, "127.0.0.1", 0), 0);
	CHECK_EQ(send_group(out, port), 0);
	CHECK_EQ(hears(fd), 0);
	CHECK_EQ(hears(fd), EAGAIN);
	/* Another socket of the host hears it, too, unless it says no. */
	CHECK_EQ(send_group(out, other_port), 0);
	CHECK_EQ(hears(other), 0);
	CHECK_EQ(get_int(other, IPPROTO_IP, IP_MULTICAST_ALL), 1);
	CHECK_EQ(setsockopt(other, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off)), 0);
	CHECK_EQ(send_group(out, other_port), 0);
	CHECK_EQ(hears(other), EAGAIN);
	/* On lo there is no way round: these two change nothing. */
	CHECK_EQ(set_int(out, IPPROTO_IP, IP_MULTICAST_LOOP, 0), 0);
	CHECK_EQ(set_int(out, IPPROTO_IP, IP_MULTICAST_TTL, 0), 0);
	CHECK_EQ(send_group(out, port), 0);
	CHECK_EQ(hears(fd), 0);
	CHECK_EQ(change(fd, IP_DROP_MEMBERSHIP, GROUP, "127.0.0.1", 0), 0);
	CHECK_EQ(send_group(out, port), 0);
	CHECK_EQ(hears(fd), EAGAIN);
	close(plain);
	close(out);
	close(other);
	close(fd);
}

TEST(multicast_membership_ends_with_the_socket)
{
	int port, other_port, fd = receiver(&port), other = receiver(&other_port), out = sender();

	CHECK_EQ(change(other, IP_ADD_MEMBERSHIP, GROUP, "127.0.0.1", 0), 0);
	CHECK_EQ(send_group(out, port), 0);
	CHECK_EQ(hears(fd), 0);
	close(other);
	CHECK_EQ(send_group(out, port), 0);
	CHECK_EQ(hears(fd), EAGAIN);
	close(out);
	close(fd);
}

TEST(multicast_to_several)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int on = 1, out = sender(), fds[3];

	for (int i = 0; i < 3; i++) {
		fds[i] = socket(AF_INET, SOCK_DGRAM, 0);
		CHECK_EQ(setsockopt(fds[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
		CHECK_EQ(bind(fds[i], (struct sockaddr *)&a, sizeof(a)), 0);
		a.sin_port = htons((uint16_t)port_of(fds[i]));
		CHECK_EQ(change(fds[i], IP_ADD_MEMBERSHIP, GROUP, "127.0.0.1", 0), 0);
	}
	CHECK_EQ(send_group(out, ntohs(a.sin_port)), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(hears(fds[i]), 0);
		close(fds[i]);
	}
	close(out);
}

TEST(multicast_interface)
{
	struct in_addr got = {0};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(9)}, own;
	struct ip_mreqn m = mreq("0.0.0.0", "0.0.0.0", LO);
	struct in_addr foreign = {htonl(0x0a636363)};
	socklen_t len = sizeof(got);
	int fd = socket(AF_INET, SOCK_DGRAM, 0), out = sender();

	CHECK_EQ(getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &got, &len), 0);
	CHECK_EQ(got.s_addr, 0);
	CHECK_EQ(getsockopt(out, IPPROTO_IP, IP_MULTICAST_IF, &got, &len), 0);
	CHECK_EQ(got.s_addr, htonl(INADDR_LOOPBACK));
	CHECK_EQ(ERRNO_OF(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &foreign, 4)), EADDRNOTAVAIL);
	CHECK_EQ(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)), 0);
	m.imr_ifindex = 99;
	CHECK_EQ(ERRNO_OF(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m))), EADDRNOTAVAIL);
	inet_pton(AF_INET, GROUP, &a.sin_addr);
	CHECK_EQ(connect(out, (struct sockaddr *)&a, sizeof(a)), 0);
	len = sizeof(own);
	CHECK_EQ(getsockname(out, (struct sockaddr *)&own, &len), 0);
	CHECK_EQ(own.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	close(out);
	close(fd);
}

TEST(multicast_group_requests)
{
	struct group_req g = {.gr_interface = LO};
	struct sockaddr_in a = {.sin_family = AF_INET};
	int port, fd = receiver(&port), out = sender();

	inet_pton(AF_INET, GROUP, &a.sin_addr);
	memcpy(&g.gr_group, &a, sizeof(a));
	CHECK_EQ(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof(g)), 0);
	CHECK_EQ(ERRNO_OF(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof(g))), EADDRINUSE);
	CHECK_EQ(ERRNO_OF(setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &g, 100)), EINVAL);
	CHECK_EQ(send_group(out, port), 0);
	CHECK_EQ(hears(fd), 0);
	CHECK_EQ(setsockopt(fd, IPPROTO_IP, MCAST_LEAVE_GROUP, &g, sizeof(g)), 0);
	CHECK_EQ(ERRNO_OF(setsockopt(fd, IPPROTO_IP, MCAST_LEAVE_GROUP, &g, sizeof(g))),
		 EADDRNOTAVAIL);
	close(out);
	close(fd);
}

static int change6(int fd, int name, const char *group, unsigned index)
{
	struct ipv6_mreq m = {.ipv6mr_interface = index};

	inet_pton(AF_INET6, group, &m.ipv6mr_multiaddr);
	return ERRNO_OF(setsockopt(fd, IPPROTO_IPV6, name, &m, sizeof(m)));
}

TEST(multicast_of_ipv6)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_scope_id = LO};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	CHECK_EQ(change6(fd, IPV6_ADD_MEMBERSHIP, "ff02::1234", LO), 0);
	CHECK_EQ(change6(fd, IPV6_ADD_MEMBERSHIP, "ff02::1234", LO), EADDRINUSE);
	CHECK_EQ(change6(fd, IPV6_ADD_MEMBERSHIP, "::1", LO), EINVAL);
	CHECK_EQ(change6(fd, IPV6_ADD_MEMBERSHIP, "ff02::1234", 99), ENODEV);
	CHECK_EQ(change6(fd, IPV6_ADD_MEMBERSHIP, "ff05::5", 0), ENODEV);
	CHECK_EQ(ERRNO_OF(setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, "123", 3)), EINVAL);
	CHECK_EQ(set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, LO), 0);
	CHECK_EQ(get_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF), LO);
	CHECK_EQ(set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, 99), -ENODEV);
	/* lo has no route for groups of IPv6. */
	inet_pton(AF_INET6, "ff02::1234", &a.sin6_addr);
	CHECK_EQ(ERRNO_OF(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof(a))), ENETUNREACH);
	CHECK_EQ(change6(fd, IPV6_DROP_MEMBERSHIP, "ff02::1234", LO), 0);
	CHECK_EQ(change6(fd, IPV6_DROP_MEMBERSHIP, "ff02::1234", LO), EADDRNOTAVAIL);
	CHECK_EQ(change6(fd, IPV6_DROP_MEMBERSHIP, "::1", LO), EINVAL);
	close(fd);
}
