/*
 * What the netlink tests share: building requests, taking answers apart.
 */
#ifndef TESTS_SYSCALL_NETLINK_NL_H
#define TESTS_SYSCALL_NETLINK_NL_H

#include "tests/syscall/harness.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define LO 1

/* The errno of a call that must fail, 0 if it did not. */
#define ERRNO_OF(call) ((call) < 0 ? errno : 0)

/* A request: its header, a fixed part, attributes. */
struct nl_req {
	struct nlmsghdr h;
	char body[512];
};
struct nl_req nl_request(int type, int flags, const void *body, size_t len);
void nl_attr(struct nl_req *r, int type, const void *data, size_t len);
void nl_attr_u32(struct nl_req *r, int type, uint32_t value);

/* A socket of NETLINK_ROUTE, bound; `groups` as in its name. */
int nl_open(unsigned groups);
/* The number that the kernel gave it. */
uint32_t nl_port(int fd);
void nl_send(int fd, const struct nl_req *r);

/* A datagram of answers. */
struct nl_answer {
	_Alignas(8) char buf[32768];
	int len;
};
/* One datagram; -errno if there is none. */
int nl_recv(int fd, struct nl_answer *a);
/* Sends a request with NLM_F_ACK: the error that comes back, as a positive errno; 0: none. */
int nl_ack(int fd, struct nl_req *r);
/* The text of an extended acknowledgement in the last datagram, or "". */
const char *nl_why(const struct nl_answer *a);
/*
 * Sends a dump and calls fn for each message until NLMSG_DONE; how many there were, -1 if something is
 * wrong with the frame around them.
 */
int nl_dump(int fd, const struct nl_req *r, void (*fn)(const struct nlmsghdr *h, void *arg),
	    void *arg);
/* An attribute behind `fixed` bytes of a message's body, or NULL. */
const struct rtattr *nl_find(const struct nlmsghdr *h, size_t fixed, int type);
static inline uint32_t nl_u32(const struct rtattr *a)
{
	uint32_t v = 0;

	if (CHECK(a && RTA_PAYLOAD(a) >= sizeof(v)))
		memcpy(&v, RTA_DATA(a), sizeof(v));
	return v;
}

/* Adds or takes away an IPv4 address of lo: the errno of the answer. */
int lo_address(int fd, int type, int flags, const char *address, int prefix);

#endif
