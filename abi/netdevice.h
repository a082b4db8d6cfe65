/*
 * Network interfaces: flags, struct ifreq and the ioctl requests of sockets.
 */
#ifndef ABI_NETDEVICE_H
#define ABI_NETDEVICE_H

#include "abi/inet.h"
#include "abi/socket.h"
#include "lib/types.h"

#define IFNAMSIZ 16

#define IFF_UP		0x1
#define IFF_BROADCAST	0x2
#define IFF_LOOPBACK	0x8
#define IFF_POINTOPOINT 0x10
#define IFF_RUNNING	0x40
#define IFF_NOARP	0x80
#define IFF_PROMISC	0x100
#define IFF_MULTICAST	0x1000
#define IFF_LOWER_UP	0x10000

#define ARPHRD_ETHER	1
#define ARPHRD_LOOPBACK 772

#define SIOCINQ	    0x541b
#define SIOCOUTQ    0x5411
#define FIOSETOWN   0x8901
#define SIOCSPGRP   0x8902
#define FIOGETOWN   0x8903
#define SIOCGPGRP   0x8904
#define SIOCATMARK  0x8905
#define SIOCGIFNAME 0x8910
#define SIOCGIFCONF 0x8912

#define SIOCGIFFLAGS   0x8913
#define SIOCGIFADDR    0x8915
#define SIOCGIFDSTADDR 0x8917
#define SIOCGIFBRDADDR 0x8919
#define SIOCGIFNETMASK 0x891b
#define SIOCGIFMETRIC  0x891d
#define SIOCGIFMTU     0x8921
#define SIOCGIFHWADDR  0x8927
#define SIOCGIFINDEX   0x8933
#define SIOCGIFTXQLEN  0x8942
#define SIOCGIFMAP     0x8970
#define SIOCSIFFLAGS   0x8914
#define SIOCSIFADDR    0x8916
#define SIOCSIFBRDADDR 0x891a
#define SIOCSIFNETMASK 0x891c
#define SIOCSIFMTU     0x8922
#define SIOCDIFADDR    0x8936
#define SIOCADDRT      0x890b
#define SIOCDELRT      0x890c

struct abi_ifreq {
	char ifr_name[IFNAMSIZ];
	union {
		struct abi_sockaddr ifr_addr;
		struct abi_sockaddr_in ifr_inet;
		s16 ifr_flags;
		s32 ifr_ivalue;
		u8 pad[24];
	};
};
static_assert(sizeof(struct abi_ifreq) == 40, "struct ifreq");

/* SIOCADDRT, SIOCDELRT for IPv4. */
struct abi_rtentry {
	u64 rt_pad1;
	struct abi_sockaddr_in rt_dst, rt_gateway, rt_genmask;
	u16 rt_flags;
	s16 rt_pad2;
	u64 rt_pad3;
	u64 rt_pad4;
	s16 rt_metric; /* plus one */
	u64 rt_dev;    /* a name in user memory, or NULL */
	u64 rt_mtu, rt_window;
	u16 rt_irtt;
};
static_assert(sizeof(struct abi_rtentry) == 120, "struct rtentry");

#define RTF_UP	    0x1
#define RTF_GATEWAY 0x2
#define RTF_HOST    0x4
#define RTF_REJECT  0x200

/* And for IPv6, on an AF_INET6 socket. */
struct abi_in6_rtmsg {
	u8 rtmsg_dst[16], rtmsg_src[16], rtmsg_gateway[16];
	u32 rtmsg_type;
	u16 rtmsg_dst_len, rtmsg_src_len;
	u32 rtmsg_metric;
	u64 rtmsg_info;
	u32 rtmsg_flags;
	s32 rtmsg_ifindex;
};
static_assert(sizeof(struct abi_in6_rtmsg) == 80, "struct in6_rtmsg");

/* SIOCSIFADDR, SIOCDIFADDR on an AF_INET6 socket. */
struct abi_in6_ifreq {
	u8 ifr6_addr[16];
	u32 ifr6_prefixlen;
	s32 ifr6_ifindex;
};

struct abi_ifconf {
	s32 ifc_len;
	u32 pad0;
	u64 ifc_buf;
};

#endif
