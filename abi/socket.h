/*
 * Sockets: families, types, options and messages of Linux/riscv64, and the addresses of AF_UNIX.
 */
#ifndef ABI_SOCKET_H
#define ABI_SOCKET_H

#include "lib/types.h"

#define AF_UNSPEC  0
#define AF_UNIX	   1
#define AF_INET	   2
#define AF_INET6   10
#define AF_NETLINK 16
#define AF_PACKET  17
#define AF_MAX	   46

#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3
#define SOCK_RDM       4
#define SOCK_SEQPACKET 5
#define SOCK_PACKET    10
#define ABI_SOCK_MAX   11
#define ABI_SOCK_TYPE  0xf
#define SOCK_NONBLOCK  00004000
#define SOCK_CLOEXEC   02000000

#define SOMAXCONN 4096

#define SHUT_RD	  0
#define SHUT_WR	  1
#define SHUT_RDWR 2

#define MSG_OOB		 0x1
#define MSG_PEEK	 0x2
#define MSG_DONTROUTE	 0x4
#define MSG_CTRUNC	 0x8
#define MSG_TRUNC	 0x20
#define MSG_DONTWAIT	 0x40
#define MSG_EOR		 0x80
#define MSG_WAITALL	 0x100
#define MSG_CONFIRM	 0x800
#define MSG_ERRQUEUE	 0x2000
#define MSG_NOSIGNAL	 0x4000
#define MSG_MORE	 0x8000
#define MSG_WAITFORONE	 0x10000
#define MSG_ZEROCOPY	 0x4000000
#define MSG_FASTOPEN	 0x20000000
#define MSG_CMSG_CLOEXEC 0x40000000

#define SOL_IP	    0
#define SOL_SOCKET  1
#define SOL_TCP	    6
#define SOL_UDP	    17
#define SOL_UDPLITE 136
#define SOL_IPV6    41
#define SOL_RAW	    255
#define SOL_NETLINK 270

#define SO_DEBUG	       1
#define SO_REUSEADDR	       2
#define SO_TYPE		       3
#define SO_ERROR	       4
#define SO_DONTROUTE	       5
#define SO_BROADCAST	       6
#define SO_SNDBUF	       7
#define SO_RCVBUF	       8
#define SO_KEEPALIVE	       9
#define SO_OOBINLINE	       10
#define SO_NO_CHECK	       11
#define SO_PRIORITY	       12
#define SO_LINGER	       13
#define SO_BSDCOMPAT	       14
#define SO_REUSEPORT	       15
#define SO_PASSCRED	       16
#define SO_PEERCRED	       17
#define SO_RCVLOWAT	       18
#define SO_SNDLOWAT	       19
#define SO_BINDTODEVICE	       25
#define SO_PEERNAME	       28
#define SO_ACCEPTCONN	       30
#define SO_PEERSEC	       31
#define SO_SNDBUFFORCE	       32
#define SO_RCVBUFFORCE	       33
#define SO_PASSSEC	       34
#define SO_MARK		       36
#define SO_PROTOCOL	       38
#define SO_DOMAIN	       39
#define SO_PEEK_OFF	       42
#define SO_BUSY_POLL	       46
#define SO_INCOMING_CPU	       49
#define SO_COOKIE	       57
#define SO_PEERGROUPS	       59
#define ABI_SO_TIMESTAMP_OLD   29
#define ABI_SO_RCVTIMEO_OLD    20
#define ABI_SO_SNDTIMEO_OLD    21
#define ABI_SO_RCVTIMEO_NEW    66
#define ABI_SO_SNDTIMEO_NEW    67
#define ABI_SO_TIMESTAMPNS_OLD 35

#define SCM_RIGHTS	0x01
#define SCM_CREDENTIALS 0x02
#define ABI_SCM_MAX_FD	253

struct abi_sockaddr {
	u16 sa_family;
	u8 sa_data[14];
};

#define UNIX_PATH_MAX 108

struct abi_sockaddr_un {
	u16 sun_family;
	char sun_path[UNIX_PATH_MAX];
};
static_assert(sizeof(struct abi_sockaddr_un) == 110, "struct sockaddr_un");

/* The longest address of any family. */
#define ABI_SOCKADDR_MAX 128

struct abi_msghdr {
	u64 msg_name;
	s32 msg_namelen;
	u32 pad0;
	u64 msg_iov;
	u64 msg_iovlen;
	u64 msg_control;
	u64 msg_controllen;
	u32 msg_flags;
	u32 pad1;
};
static_assert(sizeof(struct abi_msghdr) == 56, "struct msghdr");

struct abi_mmsghdr {
	struct abi_msghdr msg_hdr;
	u32 msg_len;
	u32 pad0;
};
static_assert(sizeof(struct abi_mmsghdr) == 64, "struct mmsghdr");

struct abi_cmsghdr {
	u64 cmsg_len;
	s32 cmsg_level;
	s32 cmsg_type;
};
#define ABI_CMSG_ALIGN(n) ALIGN_UP((u64)(n), 8UL)

struct abi_linger {
	s32 l_onoff;
	s32 l_linger;
};

struct abi_ucred {
	u32 pid;
	u32 uid;
	u32 gid;
};

#endif
