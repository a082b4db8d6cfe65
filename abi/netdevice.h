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

struct abi_ifconf {
	s32 ifc_len;
	u32 pad0;
	u64 ifc_buf;
};

#endif
