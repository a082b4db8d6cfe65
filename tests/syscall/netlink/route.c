/* Interfaces, addresses and routes: dumps, questions, changes, events. */
#include "tests/syscall/netlink/nl.h"

#include <ifaddrs.h>
#include <net/route.h>
#include <netinet/in.h>

/* ---- dumps ---- */

static void see_lo(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);

	CHECK_EQ(h->nlmsg_type, RTM_NEWLINK);
	if (m->ifi_index != LO)
		return;
	*(int *)arg += 1;
	CHECK_EQ(m->ifi_family, AF_UNSPEC);
	CHECK_EQ(m->ifi_type, 772);
	CHECK_EQ(m->ifi_flags, IFF_UP | IFF_LOOPBACK | IFF_RUNNING | 0x10000);
	CHECK(!strcmp(RTA_DATA(nl_find(h, sizeof(*m), IFLA_IFNAME)), "lo"));
	CHECK_EQ(nl_u32(nl_find(h, sizeof(*m), IFLA_MTU)), 65536);
	CHECK_EQ(nl_u32(nl_find(h, sizeof(*m), IFLA_TXQLEN)), 1000);
	CHECK_EQ(RTA_PAYLOAD(nl_find(h, sizeof(*m), IFLA_ADDRESS)), 6);
	CHECK_EQ(RTA_PAYLOAD(nl_find(h, sizeof(*m), IFLA_STATS)), 96);
	CHECK_EQ(RTA_PAYLOAD(nl_find(h, sizeof(*m), IFLA_STATS64)), sizeof(struct rtnl_link_stats64));
}

TEST(dump_of_links)
{
	struct ifinfomsg m = {.ifi_family = AF_UNSPEC};
	struct rtgenmsg g = {.rtgen_family = AF_UNSPEC};
	struct nl_req r = nl_request(RTM_GETLINK, NLM_F_DUMP, &m, sizeof(m));
	int fd = nl_open(0), seen = 0, on = 1;

	CHECK(nl_dump(fd, &r, see_lo, &seen) >= 1);
	CHECK_EQ(seen, 1);
	r = nl_request(RTM_GETLINK, NLM_F_DUMP, &g, sizeof(g)); /* as glibc asks */
	CHECK(nl_dump(fd, &r, see_lo, &seen) >= 1);
	CHECK_EQ(seen, 2);
	/* Strict: such a short one is refused, and so is a filter by number. */
	CHECK_EQ(setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)), 0);
	CHECK_EQ(nl_ack(fd, &r), EINVAL);
	m.ifi_index = LO;
	r = nl_request(RTM_GETLINK, NLM_F_DUMP, &m, sizeof(m));
	CHECK_EQ(nl_ack(fd, &r), EINVAL);
	close(fd);
}

struct addresses {
	int v4, v6, others;
};

static void see_address(const struct nlmsghdr *h, void *arg)
{
	static const struct in6_addr one = IN6ADDR_LOOPBACK_INIT;
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	const struct rtattr *a = nl_find(h, sizeof(*m), IFA_ADDRESS);
	struct addresses *seen = arg;

	CHECK_EQ(h->nlmsg_type, RTM_NEWADDR);
	if (m->ifa_family == AF_INET && nl_u32(a) == htonl(INADDR_LOOPBACK)) {
		seen->v4++;
		CHECK_EQ(m->ifa_prefixlen, 8);
		CHECK_EQ(m->ifa_scope, RT_SCOPE_HOST);
		CHECK_EQ(nl_u32(nl_find(h, sizeof(*m), IFA_LOCAL)), htonl(INADDR_LOOPBACK));
		CHECK(!strcmp(RTA_DATA(nl_find(h, sizeof(*m), IFA_LABEL)), "lo"));
		CHECK_EQ(nl_u32(nl_find(h, sizeof(*m), IFA_FLAGS)), IFA_F_PERMANENT);
	} else if (m->ifa_family == AF_INET6 && !memcmp(RTA_DATA(a), &one, sizeof(one))) {
		seen->v6++;
		CHECK_EQ(m->ifa_prefixlen, 128);
		CHECK_EQ(m->ifa_scope, RT_SCOPE_HOST);
	} else {
		seen->others++;
	}
}

TEST(dump_of_addresses)
{
	struct ifaddrmsg m = {.ifa_family = AF_UNSPEC};
	struct nl_req r = nl_request(RTM_GETADDR, NLM_F_DUMP, &m, sizeof(m));
	struct addresses seen = {0};
	int fd = nl_open(0), on = 1;

	CHECK(nl_dump(fd, &r, see_address, &seen) >= 2);
	CHECK(seen.v4 == 1 && seen.v6 == 1);
	m.ifa_family = AF_INET6;
	r = nl_request(RTM_GETADDR, NLM_F_DUMP, &m, sizeof(m));
	CHECK(nl_dump(fd, &r, see_address, &seen) >= 1);
	CHECK(seen.v4 == 1 && seen.v6 == 2);
	CHECK_EQ(setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)), 0);
	m = (struct ifaddrmsg){.ifa_family = AF_INET, .ifa_index = LO};
	r = nl_request(RTM_GETADDR, NLM_F_DUMP, &m, sizeof(m));
	CHECK_EQ(nl_dump(fd, &r, see_address, &seen), 1);
	CHECK(seen.v4 == 2);
	m.ifa_index = 999;
	r = nl_request(RTM_GETADDR, NLM_F_DUMP, &m, sizeof(m));
	CHECK_EQ(nl_ack(fd, &r), ENODEV);
	m = (struct ifaddrmsg){.ifa_family = AF_INET, .ifa_prefixlen = 8};
	r = nl_request(RTM_GETADDR, NLM_F_DUMP, &m, sizeof(m));
	CHECK_EQ(nl_ack(fd, &r), EINVAL);
	close(fd);
}

static void see_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	const struct rtattr *dst = nl_find(h, sizeof(*m), RTA_DST);

	if (m->rtm_family != AF_INET || m->rtm_table != RT_TABLE_LOCAL || m->rtm_dst_len != 8)
		return;
	CHECK_EQ(nl_u32(dst), htonl(0x7f000000));
	CHECK_EQ(m->rtm_type, RTN_LOCAL);
	CHECK_EQ(m->rtm_scope, RT_SCOPE_HOST);
	CHECK_EQ(m->rtm_protocol, RTPROT_KERNEL);
	CHECK_EQ(nl_u32(nl_find(h, sizeof(*m), RTA_OIF)), LO);
	CHECK_EQ(nl_u32(nl_find(h, sizeof(*m), RTA_PREFSRC)), htonl(INADDR_LOOPBACK));
	*(int *)arg += 1;
}

TEST(dump_of_routes)
{
	struct rtmsg m = {.rtm_family = AF_INET};
	struct nl_req r = nl_request(RTM_GETROUTE, NLM_F_DUMP, &m, sizeof(m));
	int fd = nl_open(0), seen = 0, on = 1;

	CHECK(nl_dump(fd, &r, see_route, &seen) >= 3);
	CHECK_EQ(seen, 1);
	CHECK_EQ(setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)), 0);
	r = nl_request(RTM_GETROUTE, NLM_F_DUMP, &m, sizeof(m));
	nl_attr_u32(&r, RTA_TABLE, RT_TABLE_LOCAL);
	CHECK(nl_dump(fd, &r, see_route, &seen) >= 3);
	CHECK_EQ(seen, 2);
	r = nl_request(RTM_GETROUTE, NLM_F_DUMP, &m, sizeof(m));
	nl_attr_u32(&r, RTA_TABLE, 77);
	CHECK_EQ(nl_ack(fd, &r), ENOENT);
	close(fd);
}

static void count_message(const struct nlmsghdr *h, void *arg)
{
	(void)h;
	*(int *)arg += 1;
}

TEST(dump_of_rules_and_neighbours)
{
	struct rtmsg m = {.rtm_family = AF_INET};
	struct ndmsg n = {.ndm_family = AF_UNSPEC};
	struct nl_req r = nl_request(RTM_GETRULE, NLM_F_DUMP, &m, sizeof(m));
	int fd = nl_open(0), nr = 0;

	CHECK_EQ(nl_dump(fd, &r, count_message, &nr), 3);
	m.rtm_family = AF_INET6;
	r = nl_request(RTM_GETRULE, NLM_F_DUMP, &m, sizeof(m));
	CHECK_EQ(nl_dump(fd, &r, count_message, &nr), 2);
	m.rtm_family = AF_UNIX;
	r = nl_request(RTM_GETRULE, NLM_F_DUMP, &m, sizeof(m));
	CHECK_EQ(nl_ack(fd, &r), EAFNOSUPPORT);
	r = nl_request(RTM_GETNEIGH, NLM_F_DUMP, &n, sizeof(n));
	CHECK(nl_dump(fd, &r, count_message, &nr) >= 0);
	close(fd);
}

TEST(library_functions)
{
	struct if_nameindex *names = if_nameindex();
	struct ifaddrs *all, *a;
	int v4 = 0, v6 = 0, packet = 0;

	if (CHECK(names)) {
		CHECK_EQ(names[0].if_index, LO);
		CHECK(!strcmp(names[0].if_name, "lo"));
		if_freenameindex(names);
	}
	if (!CHECK(getifaddrs(&all) == 0))
		return;
	for (a = all; a; a = a->ifa_next) {
		if (!a->ifa_addr || strcmp(a->ifa_name, "lo"))
			continue;
		v4 += a->ifa_addr->sa_family == AF_INET;
		v6 += a->ifa_addr->sa_family == AF_INET6;
		packet += a->ifa_addr->sa_family == AF_PACKET;
	}
	CHECK(v4 == 1 && v6 == 1 && packet == 1);
	freeifaddrs(all);
}

/* ---- questions ---- */

static int ask_link(int fd, int index, const char *name)
{
	struct ifinfomsg m = {.ifi_index = index};
	struct nl_req r = nl_request(RTM_GETLINK, 0, &m, sizeof(m));
	const struct nlmsghdr *h;
	struct nl_answer a;

	if (name)
		nl_attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
	nl_send(fd, &r);
	if (!CHECK(nl_recv(fd, &a) > 0))
		return -1;
	h = (const struct nlmsghdr *)a.buf;
	if (h->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
	CHECK_EQ(h->nlmsg_type, RTM_NEWLINK);
	CHECK_EQ(h->nlmsg_flags, 0);
	return ((const struct ifinfomsg *)NLMSG_DATA(h))->ifi_index;
}

TEST(one_link)
{
	int fd = nl_open(0);

	CHECK_EQ(ask_link(fd, LO, NULL), LO);
	CHECK_EQ(ask_link(fd, 0, "lo"), LO);
	CHECK_EQ(ask_link(fd, 999, NULL), -ENODEV);
	CHECK_EQ(ask_link(fd, 0, "nosuch"), -ENODEV);
	CHECK_EQ(ask_link(fd, 0, NULL), -EINVAL);
	close(fd);
}

/* The type of the route to an address, or -errno; `source` if it has one. */
static int ask_route(int fd, const char *to, char source[INET_ADDRSTRLEN])
{
	struct rtmsg m = {.rtm_family = AF_INET, .rtm_dst_len = 32};
	struct nl_req r = nl_request(RTM_GETROUTE, 0, &m, sizeof(m));
	const struct nlmsghdr *h;
	const struct rtattr *at;
	struct nl_answer a;
	struct in_addr dst;

	inet_pton(AF_INET, to, &dst);
	nl_attr(&r, RTA_DST, &dst, sizeof(dst));
	nl_send(fd, &r);
	if (!CHECK(nl_recv(fd, &a) > 0))
		return -1;
	h = (const struct nlmsghdr *)a.buf;
	if (h->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
	CHECK_EQ(nl_u32(nl_find(h, sizeof(m), RTA_DST)), dst.s_addr);
	at = nl_find(h, sizeof(m), RTA_PREFSRC);
	if (CHECK(at))
		inet_ntop(AF_INET, RTA_DATA(at), source, INET_ADDRSTRLEN);
	return ((const struct rtmsg *)NLMSG_DATA(h))->rtm_type;
}

TEST(route_to_a_destination)
{
	char source[INET_ADDRSTRLEN] = "";
	int fd = nl_open(0);

	CHECK_EQ(ask_route(fd, "127.0.0.1", source), RTN_LOCAL);
	CHECK(!strcmp(source, "127.0.0.1"));
	CHECK_EQ(ask_route(fd, "127.3.4.5", source), RTN_LOCAL);
	CHECK_EQ(lo_address(fd, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "10.77.1.1", 24), 0);
	CHECK_EQ(ask_route(fd, "10.77.1.1", source), RTN_LOCAL);
	CHECK_EQ(ask_route(fd, "10.77.1.200", source), RTN_LOCAL);
	CHECK(!strcmp(source, "10.77.1.1"));
	CHECK_EQ(ask_route(fd, "10.77.1.255", source), RTN_BROADCAST);
	CHECK_EQ(lo_address(fd, RTM_DELADDR, 0, "10.77.1.1", 24), 0);
	close(fd);
}

/* ---- changes ---- */

static int bind_udp(const char *address)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), err;

	inet_pton(AF_INET, address, &a.sin_addr);
	err = ERRNO_OF(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	close(fd);
	return err;
}

TEST(addresses_come_and_go)
{
	int fd = nl_open(0);

	CHECK_EQ(bind_udp("10.77.2.1"), EADDRNOTAVAIL);
	CHECK_EQ(lo_address(fd, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "10.77.2.1", 24), 0);
	CHECK_EQ(lo_address(fd, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "10.77.2.1", 24), EEXIST);
	CHECK_EQ(lo_address(fd, RTM_NEWADDR, NLM_F_CREATE, "10.77.2.1", 24), EEXIST);
	CHECK_EQ(lo_address(fd, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, "10.77.2.1", 24), 0);
	CHECK_EQ(bind_udp("10.77.2.1"), 0);
	CHECK_EQ(bind_udp("10.77.2.9"), 0); /* lo's networks are local as a whole */
	CHECK_EQ(lo_address(fd, RTM_NEWADDR, NLM_F_CREATE, "10.77.2.2", 24), 0);
	CHECK_EQ(lo_address(fd, RTM_DELADDR, 0, "10.77.2.2", 16), EADDRNOTAVAIL);
	CHECK_EQ(lo_address(fd, RTM_DELADDR, 0, "10.77.2.1", 24), 0);
	CHECK_EQ(lo_address(fd, RTM_DELADDR, 0, "10.77.2.2", 24), EADDRNOTAVAIL); /* it went along */
	CHECK_EQ(bind_udp("10.77.2.1"), EADDRNOTAVAIL);
	CHECK_EQ(lo_address(fd, RTM_NEWADDR, NLM_F_CREATE, "10.77.2.1", 33), EINVAL);
	close(fd);
}

/* Adds or takes 2001:db8::77/64. */
static int v6_address(int fd, int type, int flags, int attr)
{
	struct ifaddrmsg m = {.ifa_family = AF_INET6, .ifa_prefixlen = 64, .ifa_index = LO};
	struct nl_req r = nl_request(type, flags, &m, sizeof(m));
	struct in6_addr a;

	inet_pton(AF_INET6, "2001:db8::77", &a);
	nl_attr(&r, attr, &a, sizeof(a));
	return nl_ack(fd, &r);
}

TEST(v6_addresses_come_and_go)
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6};
	int fd = nl_open(0), udp = socket(AF_INET6, SOCK_DGRAM, 0);
	bool bound = false;

	inet_pton(AF_INET6, "2001:db8::77", &name.sin6_addr);
	CHECK_EQ(ERRNO_OF(bind(udp, (struct sockaddr *)&name, sizeof(name))), EADDRNOTAVAIL);
	CHECK_EQ(v6_address(fd, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, IFA_LOCAL), 0);
	CHECK_EQ(v6_address(fd, RTM_NEWADDR, NLM_F_CREATE, IFA_ADDRESS), EEXIST);
	WAIT_UNTIL(bound || (bound = !bind(udp, (struct sockaddr *)&name,
					   sizeof(name)))); /* Linux looks for others first */
	CHECK_EQ(v6_address(fd, RTM_DELADDR, 0, IFA_ADDRESS), 0);
	CHECK_EQ(v6_address(fd, RTM_DELADDR, 0, IFA_ADDRESS), EADDRNOTAVAIL);
	close(udp);
	close(fd);
}

static int link_change(int fd, int index, unsigned flags, unsigned change, int mtu)
{
	struct ifinfomsg m = {.ifi_index = index, .ifi_flags = flags, .ifi_change = change};
	struct nl_req r = nl_request(RTM_NEWLINK, 0, &m, sizeof(m));

	if (mtu)
		nl_attr_u32(&r, IFLA_MTU, (uint32_t)mtu);
	return nl_ack(fd, &r);
}

static int lo_ioctl(int cmd, struct ifreq *req)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), err;

	strcpy(req->ifr_name, "lo");
	err = ERRNO_OF(ioctl(fd, (unsigned long)cmd, req));
	close(fd);
	return err;
}

static int so_error(int fd)
{
	int error = -1;
	socklen_t len = sizeof(error);

	CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	return error;
}

TEST(links_change)
{
	struct ifreq req;
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = 1, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = nl_open(0), udp = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_EQ(link_change(fd, LO, 0, 0, 9000), 0);
	CHECK_EQ(lo_ioctl(SIOCGIFMTU, &req), 0);
	CHECK_EQ(req.ifr_mtu, 9000);
	CHECK_EQ(link_change(fd, LO, 0, 0, 65536), 0);
	CHECK_EQ(link_change(fd, LO, 0, 0, -1), EINVAL);
	CHECK_EQ(link_change(fd, 999, 0, 0, 1000), ENODEV);
	CHECK_EQ(link_change(fd, LO, 0, IFF_UP, 0), 0);
	CHECK_EQ(lo_ioctl(SIOCGIFFLAGS, &req), 0);
	CHECK_EQ(req.ifr_flags, IFF_LOOPBACK);
	/* Its addresses are still local, but what is sent is lost. */
	CHECK_EQ(ERRNO_OF(connect(udp, (struct sockaddr *)&a, sizeof(a))), 0);
	CHECK_EQ(send(udp, "x", 1, 0), 1);
	CHECK_EQ(bind_udp("127.0.0.1"), 0);
	CHECK_EQ(so_error(udp), 0);
	CHECK_EQ(link_change(fd, LO, IFF_UP, IFF_UP, 0), 0);
	CHECK_EQ(lo_ioctl(SIOCGIFFLAGS, &req), 0);
	CHECK_EQ(req.ifr_flags, IFF_UP | IFF_LOOPBACK | IFF_RUNNING);
	CHECK_EQ(send(udp, "x", 1, 0), 1);
	CHECK_EQ(so_error(udp), ECONNREFUSED);
	close(udp);
	close(fd);
}

TEST(links_are_not_made_or_removed)
{
	struct ifinfomsg m = {.ifi_index = LO};
	struct nl_req r = nl_request(RTM_DELLINK, 0, &m, sizeof(m));
	int fd = nl_open(0);

	CHECK_EQ(nl_ack(fd, &r), EOPNOTSUPP);
	m.ifi_index = 999;
	r = nl_request(RTM_DELLINK, 0, &m, sizeof(m));
	CHECK_EQ(nl_ack(fd, &r), ENODEV);
	m.ifi_index = 0;
	r = nl_request(RTM_NEWLINK, 0, &m, sizeof(m));
	CHECK_EQ(nl_ack(fd, &r), ENODEV);
	r = nl_request(RTM_SETLINK, 0, &m, sizeof(m));
	CHECK_EQ(nl_ack(fd, &r), EINVAL);
	m.ifi_index = LO;
	r = nl_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &m, sizeof(m));
	CHECK_EQ(nl_ack(fd, &r), EEXIST);
	close(fd);
}

static int default_route(int fd, int type, int flags, const char *gateway)
{
	struct rtmsg m = {.rtm_family = AF_INET,
			  .rtm_table = RT_TABLE_MAIN,
			  .rtm_protocol = RTPROT_BOOT,
			  .rtm_type = RTN_UNICAST};
	struct nl_req r = nl_request(type, flags, &m, sizeof(m));
	struct in_addr a;

	inet_pton(AF_INET, gateway, &a);
	nl_attr(&r, RTA_GATEWAY, &a, sizeof(a));
	return nl_ack(fd, &r);
}

TEST(default_routes_want_a_link)
{
	int fd = nl_open(0);

	CHECK_EQ(default_route(fd, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, "10.77.3.1"),
		 ENETUNREACH);
	CHECK_EQ(default_route(fd, RTM_DELROUTE, 0, "10.77.3.1"), ESRCH);
	close(fd);
}

/* ---- ioctls that change ---- */

static void set_in(struct ifreq *req, const char *address)
{
	struct sockaddr_in a = {.sin_family = AF_INET};

	inet_pton(AF_INET, address, &a.sin_addr);
	memcpy(&req->ifr_addr, &a, sizeof(a));
}

static int is_in(const struct ifreq *req, const char *address)
{
	struct in_addr a;

	inet_pton(AF_INET, address, &a);
	return ((const struct sockaddr_in *)&req->ifr_addr)->sin_addr.s_addr == a.s_addr;
}

TEST(ioctls_change_addresses)
{
	struct ifreq req = {.ifr_mtu = 0};

	set_in(&req, "127.0.0.9");
	CHECK_EQ(lo_ioctl(SIOCSIFADDR, &req), 0);
	CHECK_EQ(lo_ioctl(SIOCGIFADDR, &req), 0);
	CHECK(is_in(&req, "127.0.0.9"));
	CHECK_EQ(lo_ioctl(SIOCGIFNETMASK, &req), 0);
	CHECK(is_in(&req, "255.0.0.0"));
	set_in(&req, "255.0.255.0");
	CHECK_EQ(lo_ioctl(SIOCSIFNETMASK, &req), EINVAL);
	set_in(&req, "255.255.0.0");
	CHECK_EQ(lo_ioctl(SIOCSIFNETMASK, &req), 0);
	CHECK_EQ(lo_ioctl(SIOCGIFNETMASK, &req), 0);
	CHECK(is_in(&req, "255.255.0.0"));
	set_in(&req, "127.0.0.1");
	CHECK_EQ(lo_ioctl(SIOCSIFADDR, &req), 0);
	CHECK_EQ(lo_ioctl(SIOCGIFNETMASK, &req), 0);
	CHECK(is_in(&req, "255.0.0.0"));
	req.ifr_mtu = 4000;
	CHECK_EQ(lo_ioctl(SIOCSIFMTU, &req), 0);
	req.ifr_mtu = 0;
	CHECK_EQ(lo_ioctl(SIOCGIFMTU, &req), 0);
	CHECK_EQ(req.ifr_mtu, 4000);
	req.ifr_mtu = -1;
	CHECK_EQ(lo_ioctl(SIOCSIFMTU, &req), EINVAL);
	req.ifr_mtu = 65536;
	CHECK_EQ(lo_ioctl(SIOCSIFMTU, &req), 0);
	CHECK_EQ(ERRNO_OF(ioctl(0, SIOCSIFMTU, &req)), ENOTTY); /* not a socket */
}

TEST(ioctls_change_routes)
{
	struct rtentry rt = {.rt_flags = RTF_UP | RTF_GATEWAY};
	struct sockaddr_in any = {.sin_family = AF_INET}, gateway = any;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, "10.77.4.1", &gateway.sin_addr);
	memcpy(&rt.rt_dst, &any, sizeof(any));
	memcpy(&rt.rt_genmask, &any, sizeof(any));
	memcpy(&rt.rt_gateway, &gateway, sizeof(gateway));
	CHECK_EQ(ERRNO_OF(ioctl(fd, SIOCADDRT, &rt)), ENETUNREACH);
	CHECK_EQ(ERRNO_OF(ioctl(fd, SIOCDELRT, &rt)), ESRCH);
	rt.rt_dev = "nosuch";
	CHECK_EQ(ERRNO_OF(ioctl(fd, SIOCADDRT, &rt)), ENODEV);
	CHECK_EQ(ERRNO_OF(ioctl(fd, SIOCADDRT, KERNEL_ADDRESS)), EFAULT);
	close(fd);
}

/* ---- events ---- */

static int next_event(int fd)
{
	struct nl_answer a;

	if (nl_recv(fd, &a) <= 0)
		return 0;
	return ((struct nlmsghdr *)a.buf)->nlmsg_type;
}

TEST(events_of_addresses)
{
	int fd = nl_open(0), events = nl_open(RTMGRP_IPV4_IFADDR),
	    all = nl_open(RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE);

	CHECK_EQ(lo_address(fd, RTM_NEWADDR, NLM_F_CREATE, "10.77.5.1", 24), 0);
	CHECK_EQ(next_event(events), RTM_NEWADDR);
	CHECK_EQ(next_event(events), 0);
	CHECK_EQ(next_event(all), RTM_NEWADDR);
	for (int i = 0; i < 3; i++) /* the address, the broadcast address, the network */
		CHECK_EQ(next_event(all), RTM_NEWROUTE);
	CHECK_EQ(next_event(all), 0);
	CHECK_EQ(lo_address(fd, RTM_DELADDR, 0, "10.77.5.1", 24), 0);
	CHECK_EQ(next_event(events), RTM_DELADDR);
	close(all);
	close(events);
	close(fd);
}

TEST(events_of_links)
{
	struct ifreq req = {.ifr_mtu = 3000};
	struct sockaddr_nl from;
	socklen_t len = sizeof(from);
	struct nl_answer a;
	int events = nl_open(RTMGRP_LINK);

	CHECK_EQ(lo_ioctl(SIOCSIFMTU, &req), 0);
	CHECK(recvfrom(events, a.buf, sizeof(a.buf), MSG_DONTWAIT, (struct sockaddr *)&from, &len) >
	      0);
	CHECK_EQ(from.nl_pid, 0);
	CHECK_EQ(from.nl_groups, RTMGRP_LINK);
	CHECK_EQ(((struct nlmsghdr *)a.buf)->nlmsg_type, RTM_NEWLINK);
	CHECK_EQ(nl_u32(nl_find((struct nlmsghdr *)a.buf, sizeof(struct ifinfomsg), IFLA_MTU)), 3000);
	req.ifr_mtu = 65536;
	CHECK_EQ(lo_ioctl(SIOCSIFMTU, &req), 0);
	close(events);
}

TEST(too_many_events)
{
	struct ifreq req;
	int events = nl_open(RTMGRP_LINK), quiet = nl_open(RTMGRP_LINK), small = 1, on = 1,
	    lost = 0, err;
	struct nl_answer a;

	CHECK_EQ(setsockopt(events, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	CHECK_EQ(setsockopt(quiet, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	CHECK_EQ(setsockopt(quiet, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on)), 0);
	for (int i = 1; i <= 20; i++) {
		req.ifr_mtu = 65536 - i % 20;
		CHECK_EQ(lo_ioctl(SIOCSIFMTU, &req), 0);
	}
	while ((err = nl_recv(events, &a)) != -EAGAIN)
		lost += err == -ENOBUFS;
	CHECK_EQ(lost, 1);
	while ((err = nl_recv(quiet, &a)) > 0)
		;
	CHECK_EQ(err, -EAGAIN);
	close(quiet);
	close(events);
}
