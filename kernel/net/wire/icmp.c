/*
 * ICMP errors: the message carries the head of the packet that it is about; its ends name the socket. lwIP knows none of this.
 *
 * A connection attempt fails with the error; an established one does not, as a forged message could end it (RFC 5927): its timers decide.
 */
#include "kernel/net/wire/icmp.h"

#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/udp.h"
#include "lwip/ip.h"

#define ICMP_TIME_EXCEEDED   11
#define ICMPV6_TIME_EXCEEDED 3
#define HEAD_MAX	     64U /* of the packet that the error is about */

/* The errors of Linux's icmp_err_convert and icmpv6_err_convert; 0: nothing that a socket hears of. */
static int icmp_errno(u32 type, u32 code)
{
	static const u8 unreach[] = {ENETUNREACH,  EHOSTUNREACH, ENOPROTOOPT,  ECONNREFUSED,
				     EMSGSIZE,	   EOPNOTSUPP,	 ENETUNREACH,  EHOSTDOWN,
				     ENONET,	   ENETUNREACH,	 EHOSTUNREACH, ENETUNREACH,
				     EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH};

	if (type == ICMP_TIME_EXCEEDED)
		return EHOSTUNREACH;
	return type == ICMP_DEST_UNREACH && code < sizeof(unreach) ? unreach[code] : 0;
}

static int icmp6_errno(u32 type, u32 code)
{
	static const u8 unreach[] = {ENETUNREACH,  EACCES, EHOSTUNREACH, EHOSTUNREACH,
				     ECONNREFUSED, EACCES, EACCES};

	if (type == ICMPV6_TIME_EXCEEDED)
		return EHOSTUNREACH;
	return type == ICMPV6_DEST_UNREACH && code < sizeof(unreach) ? unreach[code] : 0;
}

/* What the head of the packet says. */
struct icmp_about {
	struct inet_end local, remote;
	u8 protocol;
	const u8 *payload;
	u32 length;
};

static bool about_parse(const u8 *head, u32 length, bool v6, struct icmp_about *a)
{
	u32 skip = v6 ? 40 : (head[0] & 15U) * 4;

	if (length < skip + 8 || skip < 20 || head[0] >> 4 != (v6 ? 6 : 4))
		return false;
	if (v6) {
		memcpy(a->local.addr.b, head + 8, 16);
		memcpy(a->remote.addr.b, head + 24, 16);
		a->protocol = head[6];
	} else {
		u32 w[2];

		memcpy(w, head + 12, sizeof(w));
		a->local.addr = inet_addr_v4(w[0]);
		a->remote.addr = inet_addr_v4(w[1]);
		a->protocol = head[9];
	}
	a->local.port = (u16)(head[skip] << 8 | head[skip + 1]);
	a->remote.port = (u16)(head[skip + 2] << 8 | head[skip + 3]);
	a->payload = head + skip + 8;
	a->length = length - skip - 8;
	return true;
}

static void udp_error(const struct icmp_about *a, int error)
{
	struct inet_sock *i = udp_find_sender(&a->local, &a->remote);
	struct dgram *sent;

	if (!i)
		return;
	sent = dgram_alloc(a->length);
	if (sent) {
		memcpy(sent->data, a->payload, a->length);
		inet_sock_icmp_error(i, &a->remote, sent, error);
		dgram_put(sent);
	}
	socket_put(&i->s);
}

static void tcp_error(const struct icmp_about *a, int error)
{
	struct tuple t = {a->local, a->remote};
	struct tcp_sock *sock = tuple_find(&t);
	struct wire_conn *c;

	if (!sock)
		return;
	c = wire_conn_of(sock);
	if (c && c->pcb && c->pcb->state == SYN_SENT)
		wire_conn_abort(c, false, error);
	socket_put(&sock->s);
}

void wire_icmp_error(const struct pbuf *p, u32 skip, bool v6)
{
	u8 icmp[8], head[HEAD_MAX];
	struct icmp_about about = {0};
	u32 length;
	int error;

	if (p->tot_len <= skip + sizeof(icmp) ||
	    pbuf_copy_partial(p, icmp, sizeof(icmp), (u16_t)skip) != sizeof(icmp))
		return;
	error = v6 ? icmp6_errno(icmp[0], icmp[1]) : icmp_errno(icmp[0], icmp[1]);
	if (!error)
		return;
	length = pbuf_copy_partial(p, head, sizeof(head), (u16_t)(skip + sizeof(icmp)));
	if (!about_parse(head, length, v6, &about))
		return;
	if (about.protocol == IPPROTO_UDP)
		udp_error(&about, error);
	else if (about.protocol == IPPROTO_TCP)
		tcp_error(&about, error);
}
