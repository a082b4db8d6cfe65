/*
 * Raw sockets over lo.
 */
#include "tests/syscall/net/net.h"

#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

#define EXPERIMENT 253 /* a protocol that nobody speaks: RFC 3692 */

static int raw6_socket(int protocol)
{
	struct sockaddr_in6 a = lo6_addr(0);
	int fd = socket(AF_INET6, SOCK_RAW, protocol);

	CHECK(fd >= 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

TEST(where_the_checksum_is)
{
	int icmp = raw6_socket(IPPROTO_ICMPV6), other = raw6_socket(EXPERIMENT);

	CHECK_EQ(get_int(icmp, SOL_RAW, IPV6_CHECKSUM), 2);
	CHECK_EQ(get_int(icmp, IPPROTO_IPV6, IPV6_CHECKSUM), 2);
	CHECK_EQ(get_int(other, IPPROTO_IPV6, IPV6_CHECKSUM), -1);
	CHECK_EQ(set_int(icmp, IPPROTO_IPV6, IPV6_CHECKSUM, 2), -EINVAL);
	CHECK_EQ(set_int(icmp, SOL_RAW, IPV6_CHECKSUM, 2), 0);
	CHECK_EQ(set_int(other, IPPROTO_IPV6, IPV6_CHECKSUM, 3), -EINVAL);
	CHECK_EQ(set_int(other, IPPROTO_IPV6, IPV6_CHECKSUM, 4), 0);
	CHECK_EQ(get_int(other, SOL_RAW, IPV6_CHECKSUM), 4);
	CHECK_EQ(set_int(other, SOL_RAW, IPV6_CHECKSUM, -7), 0);
	CHECK_EQ(get_int(other, SOL_RAW, IPV6_CHECKSUM), -1);
	close(icmp);
	close(other);
}

TEST(checksums_are_filled_and_checked)
{
	int a = raw6_socket(EXPERIMENT), b = raw6_socket(EXPERIMENT);
	unsigned char got[16];

	CHECK_EQ(set_int(a, IPPROTO_IPV6, IPV6_CHECKSUM, 4), 0);
	CHECK_EQ(ERRNO_OF(send(a, "short", 5, 0)), EINVAL);
	CHECK_EQ(send(a, "long\377\377er", 8, 0), 8);
	CHECK_EQ(recv(b, got, sizeof(got), 0), 8);
	CHECK_EQ(memcmp(got, "long", 4), 0);
	CHECK(got[4] != 0xff || got[5] != 0xff);
	/* What `b` sends as it came is right; with another byte it is not, and `a` does not hear it. */
	CHECK_EQ(recv(a, got, sizeof(got), 0), 8);
	CHECK_EQ(send(b, got, 8, 0), 8);
	CHECK_EQ(recv(a, got, sizeof(got), 0), 8);
	CHECK_EQ(recv(b, got, sizeof(got), 0), 8);
	got[7] ^= 1;
	CHECK_EQ(send(b, got, 8, 0), 8);
	CHECK_EQ(recv(b, got, sizeof(got), 0), 8);
	CHECK_EQ(ERRNO_OF(recv(a, got, sizeof(got), MSG_DONTWAIT)), EAGAIN);
	close(a);
	close(b);
}

TEST(echo_with_a_wrong_checksum_has_no_answer)
{
	int fd = raw6_socket(IPPROTO_ICMPV6);
	struct icmp6_hdr echo = {.icmp6_type = ICMP6_ECHO_REQUEST}, got;

	CHECK_EQ(send(fd, &echo, sizeof(echo), 0), sizeof(echo));
	CHECK_EQ(recv(fd, &got, sizeof(got), 0), sizeof(got));
	CHECK_EQ(got.icmp6_type, ICMP6_ECHO_REQUEST);
	CHECK_EQ(recv(fd, &got, sizeof(got), 0), sizeof(got));
	CHECK_EQ(got.icmp6_type, ICMP6_ECHO_REPLY);
	CHECK_EQ(set_int(fd, SOL_RAW, IPV6_CHECKSUM, -1), 0);
	echo.icmp6_cksum = 1;
	CHECK_EQ(send(fd, &echo, sizeof(echo), 0), sizeof(echo));
	CHECK_EQ(recv(fd, &got, sizeof(got), 0), sizeof(got));
	CHECK_EQ(got.icmp6_type, ICMP6_ECHO_REQUEST);
	CHECK_EQ(ERRNO_OF(recv(fd, &got, sizeof(got), MSG_DONTWAIT)), EAGAIN);
	close(fd);
}

TEST(answers_have_their_own_ttl)
{
	struct sockaddr_in a = lo_addr(0);
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct icmphdr echo = {.type = ICMP_ECHO, .checksum = (uint16_t)~ICMP_ECHO};
	struct {
		struct iphdr ip;
		struct icmphdr icmp;
	} got;

	CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(set_int(fd, IPPROTO_IP, IP_TTL, 3), 0);
	CHECK_EQ(send(fd, &echo, sizeof(echo), 0), sizeof(echo));
	CHECK_EQ(recv(fd, &got, sizeof(got), 0), sizeof(got));
	CHECK_EQ(got.icmp.type, ICMP_ECHO);
	CHECK_EQ(got.ip.ttl, 3);
	CHECK_EQ(recv(fd, &got, sizeof(got), 0), sizeof(got));
	CHECK_EQ(got.icmp.type, ICMP_ECHOREPLY);
	CHECK_EQ(got.ip.ttl, 64);
	close(fd);
}
