/* Routes that programs set: which are taken, which one counts, which one goes. lo alone is enough for those that refuse. */
#include "tests/syscall/netlink/nl.h"

#include <arpa/inet.h>
#include <net/route.h>
#include <netinet/in.h>

struct wanted {
	const char *dst;
	int prefix, type;
	uint32_t metric; /* 0: not given */
};

static void put_address(struct nl_req *r, int attr, int family, const char *text)
{
	char bytes[16];

	CHECK_EQ(inet_pton(family, text, bytes), 1);
	nl_attr(r, attr, bytes, family == AF_INET ? 4 : 16);
}

static struct nl_req route_request(int what, int flags, const struct wanted *w)
{
	int family = strchr(w->dst, ':') ? AF_INET6 : AF_INET;
	struct rtmsg m = {.rtm_family = (unsigned char)family,
			  .rtm_dst_len = (unsigned char)w->prefix,
			  .rtm_table = RT_TABLE_MAIN,
			  .rtm_protocol = what == RTM_NEWROUTE ? RTPROT_STATIC : 0,
			  .rtm_scope = what == RTM_NEWROUTE ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE,
			  .rtm_type = (unsigned char)w->type};
	struct nl_req r = nl_request(what, flags, &m, sizeof(m));

	put_address(&r, RTA_DST, family, w->dst);
	if (w->metric)
		nl_attr_u32(&r, RTA_PRIORITY, w->metric);
	return r;
}

static int route(int fd, int what, int flags, struct wanted w)
{
	struct nl_req r = route_request(what, flags, &w);

	return nl_ack(fd, &r);
}

#define ADD	(NLM_F_CREATE | NLM_F_EXCL)
#define REPLACE (NLM_F_CREATE | NLM_F_REPLACE)

/* The errno of connecting there. */
static int towards(const char *address, int type)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	bool v6 = strchr(address, ':');
	int fd = socket(v6 ? AF_INET6 : AF_INET, type, 0), err;

	inet_pton(v6 ? AF_INET6 : AF_INET, address, v6 ? (void *)&a6.sin6_addr : (void *)&a.sin_addr);
	err = ERRNO_OF(connect(fd, v6 ? (void *)&a6 : (void *)&a, v6 ? sizeof(a6) : sizeof(a)));
	close(fd);
	return err;
}

TEST(the_longest_prefix_counts)
{
	int fd = nl_open(0);

	CHECK_EQ(route(fd, RTM_NEWROUTE, ADD, (struct wanted){"10.99.0.0", 16, RTN_UNREACHABLE, 0}),
		 0);
	CHECK_EQ(route(fd, RTM_NEWROUTE, ADD, (struct wanted){"10.99.7.0", 24, RTN_PROHIBIT, 0}), 0);
	CHECK_EQ(route(fd, RTM_NEWROUTE, ADD, (struct wanted){"10.99.7.9", 32, RTN_BLACKHOLE, 0}), 0);
	CHECK_EQ(towards("10.99.1.1", SOCK_STREAM), EHOSTUNREACH);
	CHECK_EQ(towards("10.99.1.1", SOCK_DGRAM), EHOSTUNREACH);
	CHECK_EQ(towards("10.99.7.1", SOCK_STREAM), EACCES);
	CHECK_EQ(towards("10.99.7.1", SOCK_DGRAM), EACCES);
	CHECK_EQ(towards("10.99.7.9", SOCK_STREAM), EINVAL);
	CHECK_EQ(towards("10.98.7.9", SOCK_STREAM), ENETUNREACH);
	CHECK_EQ(route(fd, RTM_DELROUTE, 0, (struct wanted){"10.99.7.9", 32, 0, 0}), 0);
	CHECK_EQ(towards("10.99.7.9", SOCK_STREAM), EACCES);
	CHECK_EQ(route(fd, RTM_DELROUTE, 0, (struct wanted){"10.99.7.0", 24, RTN_PROHIBIT, 0}), 0);
	CHECK_EQ(towards("10.99.7.9", SOCK_STREAM), EHOSTUNREACH);
	CHECK_EQ(route(fd, RTM_DELROUTE, 0, (struct wanted){"10.99.0.0", 16, RTN_UNREACHABLE, 0}), 0);
	CHECK_EQ(towards("10.99.1.1", SOCK_STREAM), ENETUNREACH);
	close(fd);
}

TEST(v6_routes_refuse)
{
	int fd = nl_open(0);

	CHECK_EQ(route(fd, RTM_NEWROUTE, ADD, (struct wanted){"fd99::", 32, RTN_UNREACHABLE, 0}), 0);
	CHECK_EQ(route(fd, RTM_NEWROUTE, ADD, (struct wanted){"fd99:0:7::", 48, RTN_PROHIBIT, 0}), 0);
	CHECK_EQ(towards("fd99::1", SOCK_STREAM), EHOSTUNREACH);
	CHECK_EQ(towards("fd99:0:7::1", SOCK_STREAM), EACCES);
	CHECK_EQ(route(fd, RTM_DELROUTE, 0, (struct wanted){"fd99:0:7::", 48, 0, 0}), 0);
	CHECK_EQ(towards("fd99:0:7::1", SOCK_DGRAM), EHOSTUNREACH);
	CHECK_EQ(route(fd, RTM_DELROUTE, 0, (struct wanted){"fd99::", 32, 0, 0}), 0);
	CHECK_EQ(route(fd, RTM_DELROUTE, 0, (struct wanted){"fd99::", 32, 0, 0}), ESRCH);
	close(fd);
}

TEST(one_route_a_metric)
{
	const struct wanted w = {"10.96.0.0", 16, RTN_UNREACHABLE, 0},
			    dear = {"10.96.0.0", 16, RTN_PROHIBIT, 50},
			    cheap = {"10.96.0.0", 16, RTN_BLACKHOLE, 20};
	int fd = nl_open(0);

	CHECK_EQ(route(fd, RTM_NEWROUTE, NLM_F_REPLACE, w), ENOENT);
	CHECK_EQ(route(fd, RTM_NEWROUTE, 0, w), ENOENT);
	CHECK_EQ(route(fd, RTM_NEWROUTE, ADD, dear), 0);
	CHECK_EQ(towards("10.96.0.1", SOCK_STREAM), EACCES);
	CHECK_EQ(route(fd, RTM_NEWROUTE, ADD, cheap), 0);
	CHECK_EQ(towards("10.96.0.1", SOCK_STREAM), EINVAL);
	CHECK_EQ(route(fd, RTM_NEWROUTE, ADD, w), 0);
	CHECK_EQ(towards("10.96.0.1", SOCK_STREAM), EHOSTUNREACH);
	CHECK_EQ(route(fd, RTM_NEWROUTE, ADD, w), EEXIST);
	CHECK_EQ(route(fd, RTM_NEWROUTE, NLM_F_CREATE, w), EEXIST);
	CHECK_EQ(route(fd, RTM_NEWROUTE, REPLACE, (struct wanted){"10.96.0.0", 16, RTN_PROHIBIT, 0}),
		 0);
	CHECK_EQ(towards("10.96.0.1", SOCK_STREAM), EACCES);
	CHECK_EQ(route(fd, RTM_DELROUTE, 0, (struct wanted){"10.96.0.0", 16, 0, 50}), 0);
	CHECK_EQ(route(fd, RTM_DELROUTE, 0, (struct wanted){"10.96.0.0", 16, 0, 50}), ESRCH);
	/* Without a metric the first one goes. */
	CHECK_EQ(route(fd, RTM_DELROUTE, 0, (struct wanted){"10.96.0.0", 16, 0, 0}), 0);
	CHECK_EQ(towards("10.96.0.1", SOCK_STREAM), EINVAL);
	CHECK_EQ(route(fd, RTM_DELROUTE, 0, (struct wanted){"10.96.0.0", 16, RTN_BLACKHOLE, 0}), 0);
	CHECK_EQ(route(fd, RTM_DELROUTE, 0, w), ESRCH);
	close(fd);
}

TEST(wrong_routes)
{
	struct wanted w = {"10.95.1.0", 16, RTN_UNREACHABLE, 0};
	int fd = nl_open(0);
	struct nl_req r;

	CHECK_EQ(route(fd, RTM_NEWROUTE, ADD, w), EINVAL); /* bits behind the prefix */
	w = (struct wanted){"10.95.0.0", 33, RTN_UNREACHABLE, 0};
	CHECK_EQ(route(fd, RTM_NEWROUTE, ADD, w), EINVAL);
	w = (struct wanted){"10.95.0.0", 16, RTN_UNICAST, 0};
	CHECK_EQ(route(fd, RTM_NEWROUTE, ADD, w), ENODEV); /* no way */
	r = route_request(RTM_NEWROUTE, ADD, &w);
	nl_attr_u32(&r, RTA_OIF, 4711);
	CHECK_EQ(nl_ack(fd, &r), ENODEV);
	r = route_request(RTM_NEWROUTE, ADD, &w);
	put_address(&r, RTA_GATEWAY, AF_INET, "10.77.3.1");
	CHECK_EQ(nl_ack(fd, &r), ENETUNREACH);
	w.type = RTN_BLACKHOLE;
	r = route_request(RTM_NEWROUTE, ADD, &w);
	nl_attr_u32(&r, RTA_OIF, LO);
	CHECK_EQ(nl_ack(fd, &r), EINVAL);
	close(fd);
}

static void count_set(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *m = (const void *)(h + 1);
	const struct rtattr *metric;
	int *found = arg;

	if (m->rtm_type != RTN_UNREACHABLE || m->rtm_protocol != RTPROT_STATIC)
		return;
	CHECK_EQ(m->rtm_dst_len, 16);
	CHECK_EQ(m->rtm_table, RT_TABLE_MAIN);
	metric = nl_find(h, sizeof(*m), RTA_PRIORITY);
	CHECK_EQ(metric ? nl_u32(metric) : 0, found[1]);
	found[0]++;
}

TEST(dumps_show_what_was_set)
{
	struct rtmsg m = {.rtm_family = AF_INET};
	struct nl_req dump = nl_request(RTM_GETROUTE, NLM_F_DUMP, &m, sizeof(m)), r;
	struct wanted w = {"10.94.0.0", 16, RTN_UNREACHABLE, 30};
	int fd = nl_open(0), found[2] = {0, 30};

	CHECK_EQ(route(fd, RTM_NEWROUTE, ADD, w), 0);
	CHECK(nl_dump(fd, &dump, count_set, found) > 0);
	CHECK_EQ(found[0], 1);
	m.rtm_dst_len = 32;
	r = nl_request(RTM_GETROUTE, 0, &m, sizeof(m));
	put_address(&r, RTA_DST, AF_INET, "10.94.3.3");
	CHECK_EQ(nl_ack(fd, &r), EHOSTUNREACH);
	CHECK_EQ(route(fd, RTM_DELROUTE, 0, w), 0);
	found[0] = 0;
	CHECK(nl_dump(fd, &dump, count_set, found) > 0);
	CHECK_EQ(found[0], 0);
	close(fd);
}

TEST(ioctls_set_routes_that_refuse)
{
	struct rtentry rt = {.rt_flags = RTF_UP | RTF_REJECT | RTF_HOST};
	struct sockaddr_in dst = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, "10.93.1.1", &dst.sin_addr);
	memcpy(&rt.rt_dst, &dst, sizeof(dst));
	CHECK_EQ(ERRNO_OF(ioctl(fd, SIOCADDRT, &rt)), 0);
	CHECK_EQ(ERRNO_OF(ioctl(fd, SIOCADDRT, &rt)), EEXIST);
	CHECK_EQ(towards("10.93.1.1", SOCK_STREAM), EHOSTUNREACH);
	CHECK_EQ(towards("10.93.1.2", SOCK_STREAM), ENETUNREACH);
	CHECK_EQ(ERRNO_OF(ioctl(fd, SIOCDELRT, &rt)), 0);
	CHECK_EQ(ERRNO_OF(ioctl(fd, SIOCDELRT, &rt)), ESRCH);
	close(fd);
}

/* NLM_F_ECHO: who asks hears of the change as if it had subscribed, before the acknowledgement. */
static void expect_echo(int fd, struct nl_req *r, int type)
{
	struct nl_answer a;
	const struct nlmsghdr *h = (const void *)a.buf;

	r->h.nlmsg_flags |= NLM_F_ECHO | NLM_F_ACK;
	nl_send(fd, r);
	CHECK(nl_recv(fd, &a) > 0);
	CHECK_EQ(h->nlmsg_type, type);
	CHECK_EQ(h->nlmsg_seq, r->h.nlmsg_seq);
	CHECK_EQ(h->nlmsg_pid, nl_port(fd));
	CHECK(nl_recv(fd, &a) > 0);
	CHECK_EQ(h->nlmsg_type, NLMSG_ERROR);
	CHECK_EQ(*(const int *)(h + 1), 0);
}

TEST(changes_are_echoed)
{
	struct ifaddrmsg m = {.ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = LO};
	struct wanted w = {"10.92.0.0", 16, RTN_UNREACHABLE, 0};
	int fd = nl_open(0), events = nl_open(RTMGRP_IPV4_ROUTE);
	struct nl_answer a;
	struct nl_req r = route_request(RTM_NEWROUTE, ADD, &w);

	expect_echo(fd, &r, RTM_NEWROUTE);
	r = route_request(RTM_DELROUTE, 0, &w);
	expect_echo(fd, &r, RTM_DELROUTE);
	CHECK(nl_recv(events, &a) > 0);
	CHECK_EQ(((struct nlmsghdr *)a.buf)->nlmsg_type, RTM_NEWROUTE);
	r = nl_request(RTM_NEWADDR, ADD, &m, sizeof(m));
	put_address(&r, IFA_LOCAL, AF_INET, "10.77.6.1");
	expect_echo(fd, &r, RTM_NEWADDR);
	r = nl_request(RTM_DELADDR, 0, &m, sizeof(m));
	put_address(&r, IFA_LOCAL, AF_INET, "10.77.6.1");
	expect_echo(fd, &r, RTM_DELADDR);
	close(events);
	close(fd);
}
