/*
 * The internet families: addresses, protocols, options and packet headers.
 */
#ifndef ABI_INET_H
#define ABI_INET_H

#include "lib/types.h"

#define IPPROTO_IP	0
#define IPPROTO_ICMP	1
#define IPPROTO_TCP	6
#define IPPROTO_UDP	17
#define IPPROTO_IPV6	41
#define IPPROTO_ICMPV6	58
#define IPPROTO_RAW	255
#define IPPROTO_UDPLITE 136
#define IPPROTO_MAX	263

/* SOL_UDPLITE */
#define UDPLITE_SEND_CSCOV 10
#define UDPLITE_RECV_CSCOV 11

struct abi_in_addr {
	u32 s_addr; /* network byte order */
};

struct abi_sockaddr_in {
	u16 sin_family;
	u16 sin_port; /* network byte order */
	struct abi_in_addr sin_addr;
	u8 sin_zero[8];
};
static_assert(sizeof(struct abi_sockaddr_in) == 16, "struct sockaddr_in");

struct abi_sockaddr_in6 {
	u16 sin6_family;
	u16 sin6_port;
	u32 sin6_flowinfo;
	u8 sin6_addr[16];
	u32 sin6_scope_id;
};
static_assert(sizeof(struct abi_sockaddr_in6) == 28, "struct sockaddr_in6");
#define ABI_SOCKADDR_IN6_MIN 24 /* older programs leave the scope out */

/* IP_ADD_MEMBERSHIP and its like; struct ip_mreq is the first eight bytes. */
struct abi_ip_mreqn {
	u32 imr_multiaddr; /* network byte order, as the next */
	u32 imr_address;
	s32 imr_ifindex;
};
#define ABI_IP_MREQ 8

struct abi_ipv6_mreq {
	u8 ipv6mr_multiaddr[16];
	s32 ipv6mr_ifindex;
};

/* struct group_req: the interface's index, then an address of any family. */
#define ABI_GROUP_REQ	   136
#define ABI_GROUP_REQ_ADDR 8

#define IP_TOS			1
#define IP_TTL			2
#define IP_HDRINCL		3
#define IP_OPTIONS		4
#define IP_RECVOPTS		6
#define IP_RETOPTS		7
#define IP_PKTINFO		8
#define IP_MTU_DISCOVER		10
#define IP_RECVERR		11
#define IP_RECVTTL		12
#define IP_RECVTOS		13
#define IP_MTU			14
#define IP_FREEBIND		15
#define IP_TRANSPARENT		19
#define IP_BIND_ADDRESS_NO_PORT 24
#define IP_MULTICAST_IF		32
#define IP_MULTICAST_TTL	33
#define IP_MULTICAST_LOOP	34
#define IP_ADD_MEMBERSHIP	35
#define IP_DROP_MEMBERSHIP	36
#define IP_MULTICAST_ALL	49
#define MCAST_JOIN_GROUP	42
#define MCAST_LEAVE_GROUP	45
#define IP_LOCAL_PORT_RANGE	51

#define IP_PMTUDISC_DONT 0
#define IP_PMTUDISC_WANT 1
#define IP_PMTUDISC_DO	 2
#define IP_PMTUDISC_OMIT 5

#define IPV6_2292PKTINFO     2 /* as RFC 2292 had them; the later ones have other numbers */
#define IPV6_CHECKSUM	     7
#define IPV6_2292HOPLIMIT    8
#define IPV6_UNICAST_HOPS    16
#define IPV6_MULTICAST_IF    17
#define IPV6_MULTICAST_HOPS  18
#define IPV6_MULTICAST_LOOP  19
#define IPV6_ADD_MEMBERSHIP  20
#define IPV6_DROP_MEMBERSHIP 21
#define IPV6_MULTICAST_ALL   29
#define IPV6_MTU_DISCOVER    23
#define IPV6_MTU	     24
#define IPV6_RECVERR	     25
#define IPV6_V6ONLY	     26
#define IPV6_RECVPKTINFO     49
#define IPV6_PKTINFO	     50
#define IPV6_RECVHOPLIMIT    51
#define IPV6_HOPLIMIT	     52
#define IPV6_RECVTCLASS	     66
#define IPV6_TCLASS	     67

#define ICMPV6_FILTER 1
#define ICMP_FILTER   1

struct abi_in_pktinfo {
	s32 ipi_ifindex;
	struct abi_in_addr ipi_spec_dst;
	struct abi_in_addr ipi_addr;
};

struct abi_in6_pktinfo {
	u8 ipi6_addr[16];
	s32 ipi6_ifindex;
};

#define SO_EE_ORIGIN_ICMP  2
#define SO_EE_ORIGIN_ICMP6 3

struct abi_sock_extended_err {
	u32 ee_errno;
	u8 ee_origin;
	u8 ee_type;
	u8 ee_code;
	u8 ee_pad;
	u32 ee_info;
	u32 ee_data;
};

/* Packet headers; multi-byte fields in network byte order. */
struct abi_iphdr {
	u8 version_ihl;
	u8 tos;
	u16 tot_len;
	u16 id;
	u16 frag_off;
	u8 ttl;
	u8 protocol;
	u16 check;
	u32 saddr;
	u32 daddr;
};
static_assert(sizeof(struct abi_iphdr) == 20, "struct iphdr");

struct abi_icmphdr {
	u8 type;
	u8 code;
	u16 checksum;
	u16 id;
	u16 sequence;
};
static_assert(sizeof(struct abi_icmphdr) == 8, "struct icmphdr");

#define ICMP_ECHOREPLY	    0
#define ICMP_DEST_UNREACH   3
#define ICMP_ECHO	    8
#define ICMP_PORT_UNREACH   3
#define ICMPV6_DEST_UNREACH 1
#define ICMPV6_PORT_UNREACH 4
#define ICMPV6_ECHO_REQUEST 128
#define ICMPV6_ECHO_REPLY   129

#endif
