/*
 * UDP-Lite over lo (RFC 3828, udplite(7)).
 */
#include "tests/syscall/net/net.h"

#define SOL_LITE   136
#define SEND_CSCOV 10
#define RECV_CSCOV 11

static int lite_socket(struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);

	*a = lo_addr(0);
	CHECK_EQ(bind(fd, (struct sockaddr *)a, sizeof(*a)), 0);
	*a = lo_addr(port_of(fd));
	return fd;
}

TEST(udplite_has_ports_of_its_own)
{
	struct sockaddr_in to, from;
	socklen_t len = sizeof(from);
	int fd = lite_socket(&to), client = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
	int udp = socket(AF_INET, SOCK_DGRAM, 0), other = socket(AF_INET, SOCK_DGRAM, 0);
	char buf[8];

	CHECK_EQ(get_int(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDPLITE);
	CHECK_EQ(get_int(udp, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
	/* UDP does not hear it, nor finds anybody there. */
	CHECK_EQ(connect(other, (struct sockaddr *)&to, sizeof(to)), 0);
	CHECK_EQ(send(other, "udp", 3, 0), 3);
	CHECK_EQ(ERRNO_OF(recv(other, buf, sizeof(buf), 0)), ECONNREFUSED);
	CHECK_EQ(bind(udp, (struct sockaddr *)&to, sizeof(to)), 0);
	CHECK_EQ(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	CHECK_EQ(send(client, "lite", 4, 0), 4);
	CHECK_EQ(recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 4);
	CHECK_EQ(ntohs(from.sin_port), port_of(client));
	CHECK_EQ(ERRNO_OF(recv(udp, buf, 1, MSG_DONTWAIT)), EAGAIN);
	close(fd);
	CHECK_EQ(send(client, "lost", 4, 0), 4);
	CHECK_EQ(ERRNO_OF(send(client, "told", 4, 0)), ECONNREFUSED);
	close(client);
	close(udp);
	close(other);
}

TEST(udplite_coverage)
{
	struct sockaddr_in to;
	int fd = lite_socket(&to), client = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	char buf[32] = "";

	CHECK_EQ(get_int(client, SOL_LITE, SEND_CSCOV), 0);
	CHECK_EQ(set_int(client, SOL_LITE, SEND_CSCOV, 3), 0);
	CHECK_EQ(get_int(client, SOL_LITE, SEND_CSCOV), 8);
	CHECK_EQ(set_int(client, SOL_LITE, SEND_CSCOV, 100000), 0);
	CHECK_EQ(get_int(client, SOL_LITE, SEND_CSCOV), 65535);
	CHECK_EQ(ERRNO_OF(set_int(udp, SOL_LITE, SEND_CSCOV, 8)), ENOPROTOOPT);
	CHECK_EQ(ERRNO_OF(set_int(client, SOL_LITE, 99, 8)), ENOPROTOOPT);
	CHECK_EQ(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	/* 20 bytes and a header of 8: all, more than enough, enough, too little of it are covered. */
	CHECK_EQ(set_int(fd, SOL_LITE, RECV_CSCOV, 20), 0);
	for (int cover = 28; cover >= 12; cover -= 8) {
		CHECK_EQ(set_int(client, SOL_LITE, SEND_CSCOV, cover), 0);
		buf[0] = (char)cover;
		CHECK_EQ(send(client, buf, 20, 0), 20);
	}
	CHECK_EQ(recv(fd, buf, sizeof(buf), 0), 20);
	CHECK_EQ(buf[0], 28);
	CHECK_EQ(recv(fd, buf, sizeof(buf), 0), 20);
	CHECK_EQ(buf[0], 20);
	CHECK_EQ(ERRNO_OF(recv(fd, buf, sizeof(buf), MSG_DONTWAIT)), EAGAIN);
	/* Who asks for all of it takes nothing else. */
	CHECK_EQ(set_int(fd, SOL_LITE, RECV_CSCOV, 0), 0);
	CHECK_EQ(set_int(client, SOL_LITE, SEND_CSCOV, 27), 0);
	CHECK_EQ(send(client, buf, 20, 0), 20);
	CHECK_EQ(ERRNO_OF(recv(fd, buf, sizeof(buf), MSG_DONTWAIT)), EAGAIN);
	CHECK_EQ(set_int(client, SOL_LITE, SEND_CSCOV, 0), 0);
	CHECK_EQ(send(client, buf, 20, 0), 20);
	CHECK_EQ(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), 20);
	close(fd);
	close(client);
	close(udp);
}
