/*
 * NETLINK_SOCK_DIAG: what `ss` asks. sock_diag.c takes the requests, inet_diag.c and unix_diag.c know
 * the sockets.
 */
#ifndef KERNEL_NET_SOCK_DIAG_H
#define KERNEL_NET_SOCK_DIAG_H

#include "abi/sock_diag.h"
#include "kernel/net/netlink.h"

int inet_diag_request(struct nl_request *r);
int unix_diag_request(struct nl_request *r);

/* A socket's cookie is its inode number. False: the request names another one. */
static inline bool diag_cookie_fits(const u32 cookie[2], const struct socket *s)
{
	if (cookie[0] == INET_DIAG_NOCOOKIE && cookie[1] == INET_DIAG_NOCOOKIE)
		return true;
	return cookie[0] == (u32)s->ino && cookie[1] == (u32)(s->ino >> 32);
}
/* SK_MEMINFO_*: what a socket's queues hold and may hold. */
void diag_put_memory(struct nl_buf *b, u16 type, const struct socket *s, u32 unread, u32 unsent,
		     u32 drops);

#endif
