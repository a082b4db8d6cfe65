/* NETLINK_SOCK_DIAG: the sockets of a host as `ss` asks for them. Where Linux's modules are missing it is skipped. */
#include "tests/syscall/netlink/nl.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#define ALL_STATES 0xfff

static int diag_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct sockaddr_nl name = {.nl_family = AF_NETLINK};

	CHECK(fd >= 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

static struct nl_req inet_request(int flags, int family, int protocol, unsigned states)
{
	struct inet_diag_req_v2 q = {.sdiag_family = (uint8_t)family,
				     .sdiag_protocol = (uint8_t)protocol,
				     .idiag_states = states,
				     .idiag_ext = (1 << (INET_DIAG_INFO - 1)) |
						  (1 << (INET_DIAG_SKMEMINFO - 1))};

	return nl_request(SOCK_DIAG_BY_FAMILY, flags, &q, sizeof(q));
}

/* True if this kernel answers for such sockets. */
static bool answers(int fd, struct nl_req r)
{
	r.h.nlmsg_flags |= NLM_F_DUMP;
	return nl_ack(fd, &r) == 0;
}

static bool available(int family, int protocol)
{
	int fd = diag_open();
	struct unix_diag_req u = {.sdiag_family = AF_UNIX};
	bool is = family == AF_UNIX ? answers(fd, nl_request(SOCK_DIAG_BY_FAMILY, 0, &u, sizeof(u)))
				    : answers(fd, inet_request(0, family, protocol, 0));

	close(fd);
	if (!is)
		test_skip("no sock_diag for it");
	return is;
}

/* The message of the socket with that local port, and how many there are. */
struct port_search {
	int port, found;
	struct inet_diag_msg m;
	struct tcp_info info;
	uint32_t memory[SK_MEMINFO_VARS];
};

static void see_port(const struct nlmsghdr *h, void *arg)
{
	struct port_search *s = arg;
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	const struct rtattr *a;

	CHECK_EQ(h->nlmsg_type, SOCK_DIAG_BY_FAMILY);
	if (ntohs(m->id.idiag_sport) != s->port)
		return;
	s->found++;
	s->m = *m;
	a = nl_find(h, sizeof(*m), INET_DIAG_INFO);
	if (a && RTA_PAYLOAD(a) >= sizeof(s->info))
		memcpy(&s->info, RTA_DATA(a), sizeof(s->info));
	a = nl_find(h, sizeof(*m), INET_DIAG_SKMEMINFO);
	if (a)
		memcpy(s->memory, RTA_DATA(a), sizeof(s->memory));
}

static struct port_search search(int family, int protocol, unsigned states, int port)
{
	struct nl_req r = inet_request(NLM_F_DUMP, family, protocol, states);
	struct port_search s = {.port = port};
	int fd = diag_open();

	CHECK(nl_dump(fd, &r, see_port, &s) >= 0);
	close(fd);
	return s;
}

static int bound(int family, int type, int *port)
{
	struct sockaddr_in6 a = {.sin6_family = (sa_family_t)family};
	socklen_t len = sizeof(a);
	int fd = socket(family, type, 0);

	CHECK_EQ(bind(fd, (struct sockaddr *)&a,
		      family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(a)),
		 0);
	CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin6_port);
	return fd;
}

static uint32_t inode_of(int fd)
{
	struct stat_path {
		char text[64];
	} path, link = {{0}};

	snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
	CHECK(readlink(path.text, link.text, sizeof(link.text) - 1) > 0);
	return (uint32_t)strtoul(link.text + strlen("socket:["), NULL, 10);
}

/* A socket connected to `port` of this host, and its own port. */
static int connected(int port, int *client_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int client = socket(AF_INET, SOCK_STREAM, 0);

	CHECK_EQ(connect(client, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(getsockname(client, (struct sockaddr *)&a, &len), 0);
	*client_port = ntohs(a.sin_port);
	return client;
}

TEST(tcp_sockets)
{
	struct port_search s;
	int port, listener, client, client_port;

	if (!available(AF_INET, IPPROTO_TCP))
		return;
	listener = bound(AF_INET, SOCK_STREAM, &port);
	CHECK_EQ(listen(listener, 7), 0);
	client = connected(port, &client_port);

	s = search(AF_INET, IPPROTO_TCP, 1 << TCP_LISTEN, port);
	CHECK_EQ(s.found, 1);
	CHECK_EQ(s.m.idiag_state, TCP_LISTEN);
	CHECK_EQ(s.m.idiag_family, AF_INET);
	CHECK_EQ(s.m.idiag_rqueue, 1); /* waits to be accepted */
	CHECK_EQ(s.m.idiag_wqueue, 7);
	CHECK_EQ(s.m.idiag_inode, inode_of(listener));
	CHECK_EQ(search(AF_INET6, IPPROTO_TCP, ALL_STATES, port).found, 0);
	CHECK_EQ(search(AF_INET, IPPROTO_TCP, 1 << TCP_ESTABLISHED, client_port).found, 1);
	CHECK_EQ(search(AF_INET, IPPROTO_TCP, 1 << TCP_LISTEN, client_port).found, 0);

	CHECK_EQ(send(client, "hello", 5, 0), 5);
	/* The listener's port: the listener and the accepted end. */
	CHECK_EQ(search(AF_INET, IPPROTO_TCP, ALL_STATES, port).found, 2);
	s = search(AF_INET, IPPROTO_TCP, 1 << TCP_ESTABLISHED, port);
	CHECK_EQ(s.found, 1);
	CHECK_EQ(s.m.idiag_rqueue, 5);
	CHECK_EQ(ntohs(s.m.id.idiag_dport), client_port);
	CHECK_EQ(s.m.id.idiag_dst[0], htonl(INADDR_LOOPBACK));
	CHECK_EQ(s.info.tcpi_state, TCP_ESTABLISHED);
	s = search(AF_INET, IPPROTO_TCP, ALL_STATES, client_port);
	CHECK(s.memory[SK_MEMINFO_RCVBUF] > 0 && s.memory[SK_MEMINFO_SNDBUF] > 0);
	close(listener);
	close(client);
}

TEST(time_wait)
{
	struct port_search s;
	int port, listener, client, client_port, accepted;

	if (!available(AF_INET, IPPROTO_TCP))
		return;
	listener = bound(AF_INET, SOCK_STREAM, &port);
	CHECK_EQ(listen(listener, 7), 0);
	client = connected(port, &client_port);
	accepted = accept(listener, NULL, NULL);
	close(client);
	close(accepted);
	WAIT_UNTIL((s = search(AF_INET, IPPROTO_TCP, 1 << TCP_TIME_WAIT, client_port)).found == 1);
	CHECK_EQ(s.m.idiag_timer, 3);
	CHECK(s.m.idiag_expires > 30000 && s.m.idiag_expires <= 60000);
	CHECK_EQ(s.m.idiag_inode, 0);
	close(listener);
}

TEST(udp_sockets)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct port_search s;
	int port, port6, udp, udp6;

	if (!available(AF_INET, IPPROTO_UDP))
		return;
	udp = bound(AF_INET, SOCK_DGRAM, &port);
	udp6 = bound(AF_INET6, SOCK_DGRAM, &port6);
	s = search(AF_INET, IPPROTO_UDP, ALL_STATES, port);
	CHECK_EQ(s.found, 1);
	CHECK_EQ(s.m.idiag_state, TCP_CLOSE);
	CHECK_EQ(s.m.idiag_rqueue, 0);
	CHECK_EQ(s.m.idiag_inode, inode_of(udp));
	a.sin_port = htons((uint16_t)port);
	CHECK_EQ(sendto(udp, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)), 1);
	CHECK(search(AF_INET, IPPROTO_UDP, ALL_STATES, port).m.idiag_rqueue > 0);
	CHECK_EQ(connect(udp, (struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(search(AF_INET, IPPROTO_UDP, 1 << TCP_ESTABLISHED, port).found, 1);
	CHECK_EQ(search(AF_INET6, IPPROTO_UDP, 1 << TCP_CLOSE, port6).found, 1);
	CHECK_EQ(search(AF_INET, IPPROTO_UDP, ALL_STATES, port6).found, 0);
	close(udp);
	close(udp6);
}

/* More sockets than fit into one piece of the dump. */
TEST(a_long_dump)
{
	enum { NR = 300 };
	struct nl_req r = inet_request(NLM_F_DUMP, AF_INET, IPPROTO_UDP, 1 << TCP_CLOSE);
	int fds[NR], port, fd;
	struct port_search s = {.port = 0};
	struct nl_answer a;

	if (!available(AF_INET, IPPROTO_UDP))
		return;
	for (int i = 0; i < NR; i++)
		fds[i] = bound(AF_INET, SOCK_DGRAM, &port);
	s.port = port;
	fd = diag_open();
	CHECK(nl_dump(fd, &r, see_port, &s) >= NR);
	CHECK_EQ(s.found, 1);
	/* One dump at a time. Half read and closed: nothing is left behind. */
	nl_send(fd, &r);
	nl_send(fd, &r);
	CHECK(nl_recv(fd, &a) > 0);
	CHECK_EQ(((struct nlmsghdr *)a.buf)->nlmsg_type, SOCK_DIAG_BY_FAMILY);
	CHECK(nl_recv(fd, &a) > 0);
	CHECK_EQ(((struct nlmsghdr *)a.buf)->nlmsg_type, NLMSG_ERROR);
	CHECK_EQ(((struct nlmsgerr *)NLMSG_DATA((struct nlmsghdr *)a.buf))->error, -EBUSY);
	close(fd);
	for (int i = 0; i < NR; i++)
		close(fds[i]);
}

struct inode_search {
	uint32_t inode;
	int found;
	struct unix_diag_msg m;
	uint32_t peer, unread;
	char name[64];
};

static void see_unix(const struct nlmsghdr *h, void *arg)
{
	struct inode_search *s = arg;
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	const struct rtattr *a;

	if (m->udiag_ino != s->inode)
		return;
	s->found++;
	s->m = *m;
	a = nl_find(h, sizeof(*m), UNIX_DIAG_PEER);
	s->peer = a ? nl_u32(a) : 0;
	a = nl_find(h, sizeof(*m), UNIX_DIAG_RQLEN);
	s->unread = a ? nl_u32(a) : 0;
	a = nl_find(h, sizeof(*m), UNIX_DIAG_NAME);
	if (a)
		memcpy(s->name, RTA_DATA(a), RTA_PAYLOAD(a) < 64 ? RTA_PAYLOAD(a) : 63);
}

static struct inode_search search_unix(int of, unsigned states)
{
	struct unix_diag_req q = {.sdiag_family = AF_UNIX,
				  .udiag_states = states,
				  .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN};
	struct nl_req r = nl_request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &q, sizeof(q));
	struct inode_search s = {.inode = inode_of(of)};
	int fd = diag_open();

	CHECK(nl_dump(fd, &r, see_unix, &s) >= 0);
	close(fd);
	return s;
}

TEST(unix_sockets)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0diag test"};
	int pair[2], listener = socket(AF_UNIX, SOCK_STREAM, 0);
	struct inode_search s;

	if (!available(AF_UNIX, 0))
		return;
	CHECK_EQ(bind(listener, (struct sockaddr *)&name, 12), 0);
	CHECK_EQ(listen(listener, 3), 0);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	CHECK_EQ(write(pair[0], "four", 4), 4);
	s = search_unix(listener, 1 << TCP_LISTEN);
	CHECK_EQ(s.found, 1);
	CHECK(!memcmp(s.name, "\0diag test", 10));
	CHECK_EQ(s.m.udiag_type, SOCK_STREAM);
	s = search_unix(pair[1], ALL_STATES);
	CHECK_EQ(s.found, 1);
	CHECK_EQ(s.m.udiag_state, TCP_ESTABLISHED);
	CHECK_EQ(s.peer, inode_of(pair[0]));
	CHECK_EQ(s.unread, 4);
	CHECK_EQ(search_unix(pair[1], 1 << TCP_LISTEN).found, 0);
	close(pair[0]);
	close(pair[1]);
	close(listener);
}

TEST(wrong_questions)
{
	struct unix_diag_req q = {.sdiag_family = AF_UNIX};
	struct nl_req r = nl_request(SOCK_DIAG_BY_FAMILY, 0, &q, sizeof(q));
	int fd = diag_open();

	if (!available(AF_UNIX, 0)) {
		close(fd);
		return;
	}
	CHECK_EQ(nl_ack(fd, &r), EINVAL); /* neither a dump nor a number */
	q.udiag_ino = 0x7ffffff0;
	r = nl_request(SOCK_DIAG_BY_FAMILY, 0, &q, sizeof(q));
	CHECK_EQ(nl_ack(fd, &r), ENOENT);
	r = nl_request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &q, 4);
	CHECK_EQ(nl_ack(fd, &r), EINVAL);
	r = nl_request(77, 0, &q, sizeof(q));
	CHECK_EQ(nl_ack(fd, &r), EINVAL);
	q.sdiag_family = 200;
	r = nl_request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &q, sizeof(q));
	CHECK_EQ(nl_ack(fd, &r), EINVAL);
	close(fd);
}
