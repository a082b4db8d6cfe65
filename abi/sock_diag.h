/*
 * NETLINK_SOCK_DIAG: the sockets of a host as messages.
 */
#ifndef ABI_SOCK_DIAG_H
#define ABI_SOCK_DIAG_H

#include "lib/types.h"

#define TCPDIAG_GETSOCK	    18
#define DCCPDIAG_GETSOCK    19
#define SOCK_DIAG_BY_FAMILY 20
#define SOCK_DESTROY	    21

struct abi_inet_diag_sockid {
	u16 idiag_sport, idiag_dport; /* network byte order */
	u8 idiag_src[16], idiag_dst[16];
	u32 idiag_if;
	u32 idiag_cookie[2];
};
static_assert(sizeof(struct abi_inet_diag_sockid) == 48, "struct inet_diag_sockid");

#define INET_DIAG_NOCOOKIE (~0U)

struct abi_inet_diag_req {
	u8 sdiag_family, sdiag_protocol;
	u8 idiag_ext; /* bit n - 1: attribute n */
	u8 pad;
	u32 idiag_states; /* bit n: ABI_TCP_* n */
	struct abi_inet_diag_sockid id;
};
static_assert(sizeof(struct abi_inet_diag_req) == 56, "struct inet_diag_req_v2");

#define INET_DIAG_REQ_BYTECODE 1

struct abi_inet_diag_msg {
	u8 idiag_family, idiag_state, idiag_timer, idiag_retrans;
	struct abi_inet_diag_sockid id;
	u32 idiag_expires, idiag_rqueue, idiag_wqueue, idiag_uid, idiag_inode;
};
static_assert(sizeof(struct abi_inet_diag_msg) == 72, "struct inet_diag_msg");

#define INET_DIAG_MEMINFO   1
#define INET_DIAG_INFO	    2
#define INET_DIAG_CONG	    4
#define INET_DIAG_TOS	    5
#define INET_DIAG_TCLASS    6
#define INET_DIAG_SKMEMINFO 7
#define INET_DIAG_SHUTDOWN  8
#define INET_DIAG_SKV6ONLY  11
#define INET_DIAG_MARK	    15

#define ABI_SK_MEMINFO_VARS 9

struct abi_unix_diag_req {
	u8 sdiag_family, sdiag_protocol;
	u16 pad;
	u32 udiag_states;
	u32 udiag_ino;
	u32 udiag_show;
	u32 udiag_cookie[2];
};
static_assert(sizeof(struct abi_unix_diag_req) == 24, "struct unix_diag_req");

#define UDIAG_SHOW_NAME	   0x01
#define UDIAG_SHOW_PEER	   0x04
#define UDIAG_SHOW_RQLEN   0x10
#define UDIAG_SHOW_MEMINFO 0x20
#define UDIAG_SHOW_UID	   0x40

struct abi_unix_diag_msg {
	u8 udiag_family, udiag_type, udiag_state, pad;
	u32 udiag_ino;
	u32 udiag_cookie[2];
};

#define UNIX_DIAG_NAME	   0
#define UNIX_DIAG_PEER	   2
#define UNIX_DIAG_RQLEN	   4
#define UNIX_DIAG_MEMINFO  5
#define UNIX_DIAG_SHUTDOWN 6
#define UNIX_DIAG_UID	   7

#endif
