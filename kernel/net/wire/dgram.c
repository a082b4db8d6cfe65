/*
 * UDP, raw sockets and ICMP over the wire. lwIP reassembles and checks the IP header, then asks its raw PCBs, of which there is one a protocol: there
 * the packet is taken over. UDP ends here (but for DHCP's); TCP and ICMP go on to lwIP after raw sockets have had their copies, and the connection has
 * been shown (show.c).
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/raw.h"
#include "kernel/net/udp.h"
#include "kernel/net/wire/icmp.h"
#include "kernel/net/wire/internal.h"
#include "kernel/sync/atomic.h"
#include "lwip/icmp.h"
#include "lwip/icmp6.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip.h"
#include "lwip/prot/udp.h"
#include "lwip/raw.h"

#define DHCP_SERVER 67
#define DHCP_CLIENT 68

/* ---- receiving ---- */

static u32 input_index(const struct netif *n)
{
	const struct wire_card *c = n->state;

	return c->eth->iface.index;
}

/* The current packet's `len` bytes from `from` on, as a datagram. */
static struct dgram *packet_dgram(const struct pbuf *p, u32 from, u32 len)
{
	struct dgram *d = dgram_alloc(len);

	if (!d)
		return NULL;
	pbuf_copy_partial(p, d->data, (u16_t)len, (u16_t)from);
	d->local.addr = wire_from_ip(ip_current_dest_addr());
	d->remote.addr = wire_from_ip(ip_current_src_addr());
	d->iface = input_index(ip_current_input_netif());
	if (ip_current_is_v6()) {
		d->ttl = IP6H_HOPLIM(ip6_current_header());
		d->tos = (u8)IP6H_TC(ip6_current_header());
	} else {
		d->ttl = IPH_TTL(ip4_current_header());
		d->tos = IPH_TOS(ip4_current_header());
	}
	return d;
}

/* Copies for raw sockets: of IPv4 the whole packet, of IPv6 what follows the headers. */
static bool raw_copies(const struct pbuf *p, int protocol)
{
	u32 from = ip_current_is_v6() ? ip_current_header_tot_len() : 0;
	struct dgram *d;
	bool wanted;

	if (!raw_any())
		return false;
	d = packet_dgram(p, from, p->tot_len - from);
	if (!d)
		return false;
	wanted = raw_input(d, protocol);
	dgram_put(d);
	return wanted;
}

/* The length that the header tells, or 0 if the datagram is malformed. */
static u32 udp_length(struct pbuf *p, const struct udp_hdr *h, u32 from)
{
	u32 len = net16(h->len), sum = 0;

	if (len < sizeof(*h) || len > p->tot_len - from)
		return 0;
	if (wire_checksum_good() || (!h->chksum && !ip_current_is_v6()))
		return len;
	if (pbuf_remove_header(p, from))
		return 0;
	sum = ip_chksum_pseudo(p, IP_PROTO_UDP, (u16_t)len, ip_current_src_addr(),
			       ip_current_dest_addr());
	pbuf_add_header_force(p, from);
	return sum ? 0 : len;
}

static void udp_nobody(struct pbuf *p)
{
	net_count(ICMP_OUT_DEST_UNREACHS);
	if (ip_current_is_v6())
		icmp6_dest_unreach(p, ICMP6_DUR_PORT);
	else
		icmp_dest_unreach(p, ICMP_DUR_PORT);
}

static void udp_deliver(struct pbuf *p, const struct udp_hdr *h, u32 from, u32 len)
{
	struct dgram *d = packet_dgram(p, from + sizeof(*h), len - sizeof(*h));

	if (!d)
		return;
	d->local.port = net16(h->dest);
	d->remote.port = net16(h->src);
	if (!udp_input(d) && !ip_addr_ismulticast(ip_current_dest_addr()) &&
	    !ip_addr_isbroadcast(ip_current_dest_addr(), ip_current_netif()))
		udp_nobody(p);
}

static u8_t udp_packet(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from_addr)
{
	u32 from = ip_current_header_tot_len(), len;
	struct udp_hdr h;

	(void)arg;
	(void)pcb;
	(void)from_addr;
	raw_copies(p, IPPROTO_UDP);
	if (pbuf_copy_partial(p, &h, sizeof(h), (u16_t)from) != sizeof(h))
		return 0;
	if (h.src == PP_HTONS(DHCP_SERVER) && h.dest == PP_HTONS(DHCP_CLIENT))
		return 0;
	len = udp_length(p, &h, from);
	if (len)
		udp_deliver(p, &h, from, len);
	else
		net_count(UDP_IN_ERRORS);
	pbuf_free(p);
	return 1;
}

static u8_t tcp_packet(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
	(void)arg;
	(void)pcb;
	(void)from;
	raw_copies(p, IPPROTO_TCP);
	net_count(TCP_IN_SEGS);
	if (wire_show_segment(p))
		return 0;
	pbuf_free(p);
	return 1;
}

static bool icmp_whole(struct pbuf *p, u32 skip, bool v6)
{
	u32 sum;

	if (pbuf_remove_header(p, skip))
		return false;
	sum = v6 ? ip6_chksum_pseudo(p, IP6_NEXTH_ICMP6, p->tot_len, ip6_current_src_addr(),
				     ip6_current_dest_addr())
		 : inet_chksum_pbuf(p);
	pbuf_add_header_force(p, skip);
	return sum == 0;
}

static u8_t icmp_packet(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
	bool v6 = ip_current_is_v6();
	u32 skip = ip_current_header_tot_len();

	(void)arg;
	(void)pcb;
	(void)from;
	net_count(ICMP_IN_MSGS);
	raw_copies(p, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (icmp_whole(p, skip, v6))
		wire_icmp_error(p, skip, v6);
	return 0;
}

/* Nobody on a wire may send as one of our own addresses, a group or nobody: its answer would go round over lo. */
static bool martian(const struct inet_addr *from)
{
	return inet_is_any(from) || inet_is_multicast(from) || net_is_broadcast(from) ||
	       net_is_local(from);
}

static int drop(struct pbuf *p)
{
	pbuf_free(p);
	return 1;
}

/* Neighbour discovery has its own rules for who may say what; it hears of an address that two have. */
int wire_ip6_input(struct pbuf *p)
{
	const u8 *ip = p->payload;
	struct inet_addr from;

	net_count(IP_IN_RECEIVES);
	if (p->len < IP6_HLEN || ip[6] == IP6_NEXTH_ICMP6)
		return 0;
	memcpy(from.b, ip + 8, sizeof(from.b));
	return martian(&from) ? drop(p) : 0;
}

/* Other protocols: raw sockets', or nobody's. Before lwIP has looked at the header. */
static bool raw_only(struct pbuf *p, struct netif *inp)
{
	const struct abi_iphdr *ip = p->payload;
	u32 length, header;
	struct dgram *d;
	bool wanted;

	if (!raw_any())
		return false;
	length = net16(ip->tot_len);
	header = (ip->version_ihl & 15U) * 4;
	if (ip->protocol == IPPROTO_ICMP || ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP)
		return false;
	if ((ip->frag_off & PP_HTONS(0x3fff)) || header < sizeof(*ip) || header > p->len ||
	    length < header || length > p->tot_len || inet_sum_fold(inet_sum(0, ip, header)))
		return false;
	if (ip->daddr != netif_ip4_addr(inp)->addr)
		return false;
	d = dgram_alloc(length);
	if (!d)
		return false;
	pbuf_copy_partial(p, d->data, (u16_t)length, 0);
	d->local.addr = inet_addr_v4(ip->daddr);
	d->remote.addr = inet_addr_v4(ip->saddr);
	d->ttl = ip->ttl;
	d->tos = ip->tos;
	d->iface = input_index(inp);
	wanted = raw_input(d, ip->protocol);
	dgram_put(d);
	return wanted;
}

int wire_ip4_input(struct pbuf *p, struct netif *inp)
{
	const struct abi_iphdr *ip = p->payload;
	struct inet_addr from;

	net_count(IP_IN_RECEIVES);
	if (p->len < sizeof(*ip))
		return 0;
	from = inet_addr_v4(ip->saddr);
	/* RFC 4541: a switch that asks for groups may have no address. */
	if (inet_is_any(&from) && ip->protocol == IP_PROTO_IGMP)
		return 0;
	return martian(&from) || raw_only(p, inp) ? drop(p) : 0;
}

/* ---- sending ---- */

struct send_call {
	struct dgram *d;
	int protocol;
	bool header;
	int err;
};

struct dgram_pbuf {
	struct pbuf_custom pbuf;
	struct dgram *d;
};

static void dgram_pbuf_free(struct pbuf *p)
{
	struct dgram_pbuf *b = container_of((struct pbuf_custom *)p, struct dgram_pbuf, pbuf);

	dgram_put(b->d);
	kfree(b);
}

/* The payload as a pbuf that holds the datagram, behind one with room for headers. */
static struct pbuf *dgram_to_pbuf(struct dgram *d, u32 room)
{
	struct pbuf *head = pbuf_alloc(PBUF_IP, (u16_t)room, PBUF_RAM);
	struct dgram_pbuf *b;

	if (!head || !d->len)
		return head;
	b = kmalloc(sizeof(*b));
	if (!b) {
		pbuf_free(head);
		return NULL;
	}
	refcount_get(&d->refs);
	b->d = d;
	b->pbuf.custom_free_function = dgram_pbuf_free;
	pbuf_cat(head, pbuf_alloced_custom(PBUF_RAW, (u16_t)d->len, PBUF_ROM, &b->pbuf, d->data,
					   (u16_t)d->len));
	return head;
}

static int ip_send(struct pbuf *p, const struct dgram *d, int protocol)
{
	ip_addr_t from, to;
	struct netif *n;

	wire_to_ip(&d->local.addr, &from);
	wire_to_ip(&d->remote.addr, &to);
	n = wire_cards ? ip_route(&from, &to) : NULL;
	/* Broadcasts and groups are in no network of their own. */
	if (!n)
		n = netif_default;
	if (!n || !netif_is_up(n))
		return -ENETUNREACH;
	net_count(IP_OUT_REQUESTS);
	return wire_errno(ip_output_if(p, &from, &to, d->ttl, d->tos, (u8_t)protocol, n));
}

static void udp_header(struct pbuf *p, const struct dgram *d)
{
	struct udp_hdr *h = p->payload;
	ip_addr_t from, to;

	wire_to_ip(&d->local.addr, &from);
	wire_to_ip(&d->remote.addr, &to);
	h->src = net16(d->local.port);
	h->dest = net16(d->remote.port);
	h->len = net16((u16)p->tot_len);
	h->chksum = 0;
	h->chksum = ip_chksum_pseudo(p, IP_PROTO_UDP, p->tot_len, &from, &to);
	if (!h->chksum)
		h->chksum = 0xffff;
}

static void run_udp_send(void *arg)
{
	struct send_call *call = arg;
	struct pbuf *p = dgram_to_pbuf(call->d, sizeof(struct udp_hdr));

	call->err = -ENOBUFS;
	if (!p)
		return;
	udp_header(p, call->d);
	call->err = ip_send(p, call->d, IPPROTO_UDP);
	pbuf_free(p);
}

int wire_udp_send(struct dgram *d)
{
	struct send_call call = {.d = d};

	if (d->len + sizeof(struct udp_hdr) + sizeof(struct abi_iphdr) > 65535)
		return -EMSGSIZE;
	wire_call(run_udp_send, &call);
	return call.err;
}

/* What Linux fills in for IP_HDRINCL: length, checksum, and source and identification if they are 0. */
static void complete_header(struct dgram *d)
{
	struct abi_iphdr *ip = (struct abi_iphdr *)d->data;

	ip->tot_len = net16((u16)d->len);
	if (!ip->saddr)
		ip->saddr = d->local.addr.w[3];
	if (!ip->id)
		ip->id = (u16)wire_random();
	ip->check = 0;
	ip->check = inet_sum_fold(inet_sum(0, ip, MIN((ip->version_ihl & 15U) * 4, d->len)));
}

static err_t send_whole(struct dgram *d)
{
	struct pbuf *p = pbuf_alloc(PBUF_LINK, (u16_t)d->len, PBUF_RAM);
	ip_addr_t to;
	struct netif *n;
	err_t err;

	if (!p)
		return ERR_MEM;
	wire_to_ip(&d->remote.addr, &to);
	pbuf_take(p, d->data, (u16_t)d->len);
	n = ip4_route(ip_2_ip4(&to));
	err = n ? ip4_output_if(p, NULL, LWIP_IP_HDRINCL, 0, 0, 0, n) : ERR_RTE;
	pbuf_free(p);
	return err;
}

static void run_raw_send(void *arg)
{
	struct send_call *call = arg;
	struct pbuf *p;

	if (call->header) {
		call->err = wire_errno(send_whole(call->d));
		return;
	}
	p = dgram_to_pbuf(call->d, 0);
	call->err = p ? ip_send(p, call->d, call->protocol) : -ENOBUFS;
	if (p)
		pbuf_free(p);
}

int wire_raw_send(struct dgram *d, int protocol, bool header)
{
	struct send_call call = {.d = d, .protocol = protocol, .header = header};

	if (header && d->len < sizeof(struct abi_iphdr))
		return -EINVAL;
	if (header)
		complete_header(d);
	wire_call(run_raw_send, &call);
	return call.err;
}

/* ---- start ---- */

static void take_protocol(u8 protocol, raw_recv_fn fn)
{
	struct raw_pcb *pcb = raw_new_ip_type(IPADDR_TYPE_ANY, protocol);

	LWIP_ASSERT("no memory for the wire", pcb != NULL);
	raw_recv(pcb, fn, NULL);
}

void wire_dgram_start(void)
{
	take_protocol(IPPROTO_ICMPV6, icmp_packet);
	take_protocol(IPPROTO_ICMP, icmp_packet);
	take_protocol(IPPROTO_UDP, udp_packet);
	/* The last one is asked first. */
	take_protocol(IPPROTO_TCP, tcp_packet);
}
