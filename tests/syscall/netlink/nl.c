#include "tests/syscall/netlink/nl.h"

struct nl_req nl_request(int type, int flags, const void *body, size_t len)
{
	static uint32_t seq = 100;
	struct nl_req r = {.h = {.nlmsg_len = (uint32_t)NLMSG_LENGTH(len),
				 .nlmsg_type = (uint16_t)type,
				 .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
				 .nlmsg_seq = seq++}};

	memcpy(r.body, body, len);
	return r;
}

void nl_attr(struct nl_req *r, int type, const void *data, size_t len)
{
	struct rtattr a = {(unsigned short)RTA_LENGTH(len), (unsigned short)type};
	char *at = (char *)r + NLMSG_ALIGN(r->h.nlmsg_len);

	memcpy(at, &a, sizeof(a));
	memcpy(at + RTA_LENGTH(0), data, len);
	r->h.nlmsg_len = NLMSG_ALIGN(r->h.nlmsg_len) + (uint32_t)RTA_ALIGN(a.rta_len);
}

void nl_attr_u32(struct nl_req *r, int type, uint32_t value)
{
	nl_attr(r, type, &value, sizeof(value));
}

int nl_open(unsigned groups)
{
	struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	CHECK(fd >= 0);
	CHECK_EQ(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

uint32_t nl_port(int fd)
{
	struct sockaddr_nl name = {0};
	socklen_t len = sizeof(name);

	CHECK_EQ(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	CHECK_EQ(len, sizeof(name));
	CHECK_EQ(name.nl_family, AF_NETLINK);
	return name.nl_pid;
}

void nl_send(int fd, const struct nl_req *r)
{
	CHECK_EQ(send(fd, r, r->h.nlmsg_len, 0), r->h.nlmsg_len);
}

int nl_recv(int fd, struct nl_answer *a)
{
	struct sockaddr_nl from = {.nl_pid = 77};
	socklen_t len = sizeof(from);

	a->len = (int)recvfrom(fd, a->buf, sizeof(a->buf), MSG_DONTWAIT, (struct sockaddr *)&from,
			       &len);
	if (a->len < 0)
		return -errno;
	CHECK_EQ(from.nl_pid, 0); /* the kernel */
	return a->len;
}

int nl_ack(int fd, struct nl_req *r)
{
	const struct nlmsgerr *e;
	const struct nlmsghdr *h;
	struct nl_answer a;

	r->h.nlmsg_flags |= NLM_F_ACK;
	nl_send(fd, r);
	if (!CHECK(nl_recv(fd, &a) > 0))
		return -1;
	h = (const struct nlmsghdr *)a.buf;
	CHECK_EQ(h->nlmsg_seq, r->h.nlmsg_seq);
	CHECK_EQ(h->nlmsg_pid, nl_port(fd));
	e = NLMSG_DATA(h);
	if (h->nlmsg_type == NLMSG_DONE) /* a dump tells there */
		return -e->error;
	CHECK_EQ(h->nlmsg_type, NLMSG_ERROR);
	CHECK(!memcmp(&e->msg, &r->h, sizeof(e->msg)));
	return -e->error;
}

const char *nl_why(const struct nl_answer *a)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)a->buf;
	size_t skip = sizeof(struct nlmsgerr);
	const struct rtattr *at;
	const struct nlmsgerr *e = NLMSG_DATA(h);

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return "";
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	at = nl_find(h, skip, NLMSGERR_ATTR_MSG);
	return at ? RTA_DATA(at) : "";
}

const struct rtattr *nl_find(const struct nlmsghdr *h, size_t fixed, int type)
{
	const struct rtattr *a =
		(const struct rtattr *)((const char *)NLMSG_DATA(h) + NLMSG_ALIGN(fixed));
	int left = (int)(h->nlmsg_len - NLMSG_SPACE(fixed));

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

int nl_dump(int fd, const struct nl_req *r, void (*fn)(const struct nlmsghdr *h, void *arg), void *arg)
{
	uint32_t port = nl_port(fd);
	struct nl_answer a;
	int nr = 0;

	nl_send(fd, r);
	for (;;) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)a.buf;
		int left;

		if (!CHECK(nl_recv(fd, &a) > 0))
			return -1;
		for (left = a.len; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_seq != r->h.nlmsg_seq || h->nlmsg_pid != port ||
			    !(h->nlmsg_flags & NLM_F_MULTI))
				return -1;
			if (h->nlmsg_type == NLMSG_DONE) {
				CHECK_EQ(*(int *)NLMSG_DATA(h), 0);
				return nr;
			}
			if (h->nlmsg_type == NLMSG_ERROR)
				return -1;
			nr++;
			fn(h, arg);
		}
	}
}

int lo_address(int fd, int type, int flags, const char *address, int prefix)
{
	struct ifaddrmsg m = {
		.ifa_family = AF_INET, .ifa_prefixlen = (uint8_t)prefix, .ifa_index = LO};
	struct nl_req r = nl_request(type, flags, &m, sizeof(m));
	struct in_addr a;

	inet_pton(AF_INET, address, &a);
	nl_attr(&r, IFA_LOCAL, &a, sizeof(a));
	nl_attr(&r, IFA_ADDRESS, &a, sizeof(a));
	return nl_ack(fd, &r);
}
