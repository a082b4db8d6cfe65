/*
 * NETLINK_SOCK_DIAG: which family answers a request.
 */
#include "kernel/net/sock_diag.h"

#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/cred.h"

void diag_put_memory(struct nl_buf *b, u16 type, const struct socket *s, u32 unread, u32 unsent,
		     u32 drops)
{
	const u32 memory[ABI_SK_MEMINFO_VARS] = {
		unread, atomic_load_relaxed(&s->rcvbuf),
		0,	atomic_load_relaxed(&s->sndbuf),
		0,	unsent,
		0,	0,
		drops,
	};

	nl_put(b, type, memory, sizeof(memory));
}

static int diag_request(struct nl_request *r)
{
	u16 type = r->head->nlmsg_type;
	int err;

	if (type == TCPDIAG_GETSOCK || type == DCCPDIAG_GETSOCK)
		return -EOPNOTSUPP; /* how it was asked before there were families */
	if (type != SOCK_DIAG_BY_FAMILY && type != SOCK_DESTROY)
		return -EINVAL;
	if (r->len < 2 || r->body[0] >= AF_MAX)
		return -EINVAL;
	if (type == SOCK_DESTROY)
		return capable(CAP_NET_ADMIN) ? -EOPNOTSUPP : -EPERM;
	switch (r->body[0]) {
	case AF_INET:
	case AF_INET6:
		err = inet_diag_request(r);
		break;
	case AF_UNIX:
		err = unix_diag_request(r);
		break;
	default:
		return -ENOENT;
	}
	if (err < 0 && err != -EBUSY && err != -EINVAL && (r->head->nlmsg_flags & NLM_F_DUMP))
		return nl_dump_fail(r, err);
	return err;
}

/* No groups: nobody is told when a socket ends. */
const struct nl_protocol nl_sock_diag = {.number = NETLINK_SOCK_DIAG, .request = diag_request};
