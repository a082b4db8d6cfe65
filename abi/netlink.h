/*
 * Netlink sockets: the messages, their attributes, and the route protocol.
 */
#ifndef ABI_NETLINK_H
#define ABI_NETLINK_H

#include "lib/types.h"

#define NETLINK_ROUTE	  0
#define NETLINK_USERSOCK  2
#define NETLINK_SOCK_DIAG 4
#define ABI_NETLINK_MAX	  32

struct abi_sockaddr_nl {
	u16 nl_family;
	u16 nl_pad;
	u32 nl_pid;
	u32 nl_groups;
};
static_assert(sizeof(struct abi_sockaddr_nl) == 12, "struct sockaddr_nl");

struct abi_nlmsghdr {
	u32 nlmsg_len; /* with this header */
	u16 nlmsg_type;
	u16 nlmsg_flags;
	u32 nlmsg_seq;
	u32 nlmsg_pid;
};
static_assert(sizeof(struct abi_nlmsghdr) == 16, "struct nlmsghdr");

struct abi_nlattr {
	u16 nla_len; /* with this header */
	u16 nla_type;
};

#define ABI_NL_ALIGN(n)	  ALIGN_UP((u32)(n), 4U)
#define ABI_NLA_TYPE_MASK 0x3fff

#define NLM_F_REQUEST	    0x1
#define NLM_F_MULTI	    0x2
#define NLM_F_ACK	    0x4
#define NLM_F_ECHO	    0x8
#define NLM_F_DUMP_FILTERED 0x20
#define NLM_F_ROOT	    0x100
#define NLM_F_MATCH	    0x200
#define NLM_F_DUMP	    0x300
#define NLM_F_REPLACE	    0x100
#define NLM_F_EXCL	    0x200
#define NLM_F_CREATE	    0x400
#define NLM_F_APPEND	    0x800
#define NLM_F_CAPPED	    0x100
#define NLM_F_ACK_TLVS	    0x200

#define NLMSG_NOOP     1
#define NLMSG_ERROR    2
#define NLMSG_DONE     3
#define NLMSG_MIN_TYPE 16

#define NLMSGERR_ATTR_MSG  1
#define NLMSGERR_ATTR_OFFS 2

#define NETLINK_ADD_MEMBERSHIP	 1
#define NETLINK_DROP_MEMBERSHIP	 2
#define NETLINK_PKTINFO		 3
#define NETLINK_BROADCAST_ERROR	 4
#define NETLINK_NO_ENOBUFS	 5
#define NETLINK_LIST_MEMBERSHIPS 9
#define NETLINK_CAP_ACK		 10
#define NETLINK_EXT_ACK		 11
#define NETLINK_GET_STRICT_CHK	 12

/* ---- NETLINK_ROUTE ---- */

#define RTM_BASE     16
#define RTM_NEWLINK  16
#define RTM_DELLINK  17
#define RTM_GETLINK  18
#define RTM_SETLINK  19
#define RTM_NEWADDR  20
#define RTM_DELADDR  21
#define RTM_GETADDR  22
#define RTM_NEWROUTE 24
#define RTM_DELROUTE 25
#define RTM_GETROUTE 26
#define RTM_NEWNEIGH 28
#define RTM_GETNEIGH 30
#define RTM_NEWRULE  32
#define RTM_GETRULE  34
#define ABI_RTM_MAX  123

#define RTNLGRP_LINK	    1
#define RTNLGRP_NEIGH	    3
#define RTNLGRP_IPV4_IFADDR 5
#define RTNLGRP_IPV4_ROUTE  7
#define RTNLGRP_IPV6_IFADDR 9
#define RTNLGRP_IPV6_ROUTE  11
#define ABI_RTNLGRP_MAX	    36

struct abi_ifinfomsg {
	u8 ifi_family;
	u8 ifi_pad;
	u16 ifi_type;
	s32 ifi_index;
	u32 ifi_flags;
	u32 ifi_change;
};

#define IFLA_ADDRESS		1
#define IFLA_BROADCAST		2
#define IFLA_IFNAME		3
#define IFLA_MTU		4
#define IFLA_QDISC		6
#define IFLA_STATS		7
#define IFLA_MASTER		10
#define IFLA_PROTINFO		12
#define IFLA_TXQLEN		13
#define IFLA_MAP		14
#define IFLA_OPERSTATE		16
#define IFLA_LINKMODE		17
#define IFLA_LINKINFO		18
#define IFLA_STATS64		23
#define IFLA_AF_SPEC		26
#define IFLA_GROUP		27
#define IFLA_EXT_MASK		29
#define IFLA_PROMISCUITY	30
#define IFLA_NUM_TX_QUEUES	31
#define IFLA_NUM_RX_QUEUES	32
#define IFLA_CARRIER		33
#define IFLA_CARRIER_CHANGES	35
#define IFLA_PROTO_DOWN		39
#define IFLA_GSO_MAX_SEGS	40
#define IFLA_GSO_MAX_SIZE	41
#define IFLA_CARRIER_UP_COUNT	47
#define IFLA_CARRIER_DOWN_COUNT 48
#define IFLA_MIN_MTU		50
#define IFLA_MAX_MTU		51
#define IFLA_PROP_LIST		52
#define IFLA_ALT_IFNAME		53
#define IFLA_GRO_MAX_SIZE	58
#define IFLA_TSO_MAX_SIZE	59
#define IFLA_TSO_MAX_SEGS	60
#define IFLA_ALLMULTI		61
#define IFLA_GSO_IPV4_MAX_SIZE	63
#define IFLA_GRO_IPV4_MAX_SIZE	64

#define IFLA_INFO_KIND		 1
#define IFLA_INET6_FLAGS	 1
#define IFLA_INET6_ADDR_GEN_MODE 8

#define RTEXT_FILTER_SKIP_STATS 8

/* RFC 2863's states of an interface. */
#define ABI_IF_OPER_UNKNOWN 0
#define ABI_IF_OPER_DOWN    2
#define ABI_IF_OPER_UP	    6

struct abi_link_stats64 {
	u64 rx_packets, tx_packets, rx_bytes, tx_bytes;
	u64 rx_errors, tx_errors, rx_dropped, tx_dropped;
	u64 multicast, collisions;
	u64 rx_detail[6]; /* length, over, crc, frame, fifo, missed */
	u64 tx_detail[5]; /* aborted, carrier, fifo, heartbeat, window */
	u64 rx_compressed, tx_compressed, rx_nohandler, rx_otherhost_dropped;
};
static_assert(sizeof(struct abi_link_stats64) == 200, "struct rtnl_link_stats64");
#define ABI_LINK_STATS32 24 /* struct rtnl_link_stats: the same as u32, without the last one */

struct abi_ifaddrmsg {
	u8 ifa_family;
	u8 ifa_prefixlen;
	u8 ifa_flags;
	u8 ifa_scope;
	u32 ifa_index;
};

#define IFA_ADDRESS   1
#define IFA_LOCAL     2
#define IFA_LABEL     3
#define IFA_BROADCAST 4
#define IFA_ANYCAST   5
#define IFA_CACHEINFO 6
#define IFA_FLAGS     8
#define IFA_PROTO     11

#define IFAPROT_KERNEL_LO 1

#define IFA_F_SECONDARY 0x01
#define IFA_F_NODAD	0x02
#define IFA_F_PERMANENT 0x80

struct abi_ifa_cacheinfo {
	u32 ifa_prefered, ifa_valid; /* seconds; ~0: for ever */
	u32 cstamp, tstamp;	     /* hundredths of seconds since boot */
};

struct abi_rtmsg {
	u8 rtm_family;
	u8 rtm_dst_len;
	u8 rtm_src_len;
	u8 rtm_tos;
	u8 rtm_table;
	u8 rtm_protocol;
	u8 rtm_scope;
	u8 rtm_type;
	u32 rtm_flags;
};

#define RTA_DST	      1
#define RTA_SRC	      2
#define RTA_IIF	      3
#define RTA_OIF	      4
#define RTA_GATEWAY   5
#define RTA_PRIORITY  6
#define RTA_PREFSRC   7
#define RTA_CACHEINFO 12
#define RTA_TABLE     15
#define RTA_MARK      16
#define RTA_PREF      20
#define RTA_UID	      25
#define RTA_IP_PROTO  27
#define RTA_SPORT     28
#define RTA_DPORT     29

#define RT_TABLE_UNSPEC	 0
#define RT_TABLE_DEFAULT 253
#define RT_TABLE_MAIN	 254
#define RT_TABLE_LOCAL	 255

#define RTPROT_UNSPEC 0
#define RTPROT_KERNEL 2
#define RTPROT_BOOT   3

#define RT_SCOPE_UNIVERSE 0
#define RT_SCOPE_LINK	  253
#define RT_SCOPE_HOST	  254
#define RT_SCOPE_NOWHERE  255

#define RTN_UNSPEC	0
#define RTN_UNICAST	1
#define RTN_LOCAL	2
#define RTN_BROADCAST	3
#define RTN_MULTICAST	5
#define RTN_BLACKHOLE	6
#define RTN_UNREACHABLE 7
#define RTN_PROHIBIT	8

#define RTM_F_CLONED	   0x200
#define RTM_F_LOOKUP_TABLE 0x1000
#define ABI_RTCF_LOCAL	   0x80000000U
#define ABI_RTCF_BROADCAST 0x10000000U
#define ABI_RTCF_MULTICAST 0x20000000U

struct abi_rta_cacheinfo {
	u32 rta_clntref, rta_lastuse, rta_expires, rta_error, rta_used, rta_id, rta_ts, rta_tsage;
};

/* Rules: the header has the shape of a route's. */
#define FRA_PRIORITY	       6
#define FRA_SUPPRESS_PREFIXLEN 14
#define FRA_TABLE	       15
#define FRA_PROTOCOL	       21
#define FR_ACT_TO_TBL	       1

struct abi_ndmsg {
	u8 ndm_family;
	u8 ndm_pad1;
	u16 ndm_pad2;
	s32 ndm_ifindex;
	u16 ndm_state;
	u8 ndm_flags;
	u8 ndm_type;
};

#define NDA_DST	      1
#define NDA_LLADDR    2
#define NDA_CACHEINFO 3
#define NDA_PROBES    4
#define NDA_IFINDEX   8

#define NTF_PROXY 0x08

#define NUD_INCOMPLETE 0x01
#define NUD_REACHABLE  0x02
#define NUD_STALE      0x04
#define NUD_PERMANENT  0x80

struct abi_nda_cacheinfo {
	u32 ndm_confirmed, ndm_used, ndm_updated, ndm_refcnt;
};

#endif
