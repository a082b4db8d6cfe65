/*
 * Netlink sockets as programs see them: names, groups, options, sending and receiving. netlink.h tells
 * the rules.
 */
#include "kernel/net/netlink.h"

#include <string.h>

#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/cred.h"
#include "kernel/task/task.h"

LOCK_CLASS(netlink_dump, RANK_NETLINK_DUMP);

#define OVERHEAD 32U /* what a message must be smaller than the send buffer by */

/* Where programs talk to each other only. */
static const struct nl_protocol usersock = {.number = NETLINK_USERSOCK, .groups = 32};

static const struct nl_protocol *const protocols[] = {&nl_route, &usersock, &nl_sock_diag};

/* ---- names ---- */

/* Programs may send to programs, and to groups, on NETLINK_USERSOCK; else with CAP_NET_ADMIN only. */
static bool may_send(const struct netlink_sock *n, u32 portid, u32 group)
{
	return (!portid && !group) || n->protocol == &usersock || capable(CAP_NET_ADMIN);
}

static int name_get(const struct sock_name *name, struct abi_sockaddr_nl *out)
{
	if (name->len < sizeof(*out))
		return -EINVAL;
	memcpy(out, name->bytes, sizeof(*out));
	return out->nl_family == AF_NETLINK ? 0 : -EINVAL;
}

static u64 group_mask(const struct netlink_sock *n)
{
	return n->protocol->groups ? BIT(n->protocol->groups) - 1 : 0;
}

static int netlink_bind(struct socket *s, const struct sock_name *name)
{
	struct netlink_sock *n = netlink_of(s);
	struct abi_sockaddr_nl a;
	int err = name_get(name, &a);

	if (err)
		return err;
	if (a.nl_groups && !n->protocol->groups)
		return -EOPNOTSUPP;
	if (atomic_load_relaxed(&n->portid) && atomic_load_relaxed(&n->portid) != a.nl_pid)
		return -EINVAL;
	err = netlink_bind_port(n, a.nl_pid);
	if (!err)
		netlink_set_groups(n, a.nl_groups & group_mask(n), 0xffffffffUL & ~(u64)a.nl_groups);
	return err;
}

static int netlink_connect(struct socket *s, const struct sock_name *name, bool nonblock)
{
	struct netlink_sock *n = netlink_of(s);
	struct abi_sockaddr_nl a;
	int err;

	(void)nonblock;
	if (name->len < sizeof(u16))
		return -EINVAL;
	if (name->family == AF_UNSPEC) {
		atomic_store_relaxed(&n->peer_portid, 0);
		atomic_store_relaxed(&n->peer_group, 0);
		return 0;
	}
	err = name_get(name, &a);
	if (err)
		return err;
	if (!may_send(n, a.nl_pid, a.nl_groups))
		return -EPERM;
	err = netlink_bind_port(n, 0);
	if (err)
		return err;
	atomic_store_relaxed(&n->peer_portid, a.nl_pid);
	atomic_store_relaxed(&n->peer_group, (u32)__builtin_ffs((int)a.nl_groups));
	return 0;
}

static void name_put(struct sock_name *out, u32 portid, u32 groups)
{
	struct abi_sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_pid = portid, .nl_groups = groups};

	out->len = sizeof(a);
	memcpy(out->bytes, &a, sizeof(a));
}

/* The bit of a group in a name: only the first 32 have one. */
static u32 name_group(u32 group)
{
	return group && group <= 32 ? 1U << (group - 1) : 0;
}

static int netlink_getname(struct socket *s, struct sock_name *out, bool peer)
{
	struct netlink_sock *n = netlink_of(s);

	if (peer)
		name_put(out, atomic_load_relaxed(&n->peer_portid),
			 name_group(atomic_load_relaxed(&n->peer_group)));
	else
		name_put(out, atomic_load_relaxed(&n->portid), (u32)netlink_groups(n));
	return 0;
}

/* ---- sending ---- */

static struct abi_ucred sender_cred(void)
{
	const struct cred *c = cred_current();

	return (struct abi_ucred){task_current()->process->pid, c->uid, c->gid};
}

int netlink_deliver(struct netlink_sock *n, const void *data, u32 len, u32 portid, u32 group)
{
	struct dgram *d = dgram_alloc(len);
	int err = d ? 0 : -ENOBUFS;

	if (d) {
		memcpy(d->data, data, len);
		d->portid = portid;
		d->group = group;
		d->cred = portid ? sender_cred() : (struct abi_ucred){0};
		err = dgram_queue_add(&n->queue, d, atomic_load_relaxed(&n->s.rcvbuf));
	}
	if (!err) {
		socket_wake(&n->s, POLL_EVENT_READ);
		return 0;
	}
	if (d)
		dgram_put(d);
	if (err == -ENOBUFS && !(atomic_load_relaxed(&n->options) & NL_F_NO_ENOBUFS))
		socket_fail(&n->s, ENOBUFS);
	return err;
}

/* To another program. */
static int send_to_port(struct netlink_sock *n, const struct nl_buf *b, u32 portid)
{
	struct netlink_sock *to = netlink_find(n->s.protocol, portid);
	u32 from = atomic_load_relaxed(&n->portid);
	int err = -ECONNREFUSED;

	if (!to)
		return err;
	/* A connected one hears its peer only. */
	if (!atomic_load_relaxed(&to->peer_portid) || atomic_load_relaxed(&to->peer_portid) == from)
		err = netlink_deliver(to, b->data, b->len, from, 0);
	socket_put(&to->s);
	return err == -ENOBUFS ? -EAGAIN : err;
}

static int destination(struct netlink_sock *n, struct sock_msg *m, u32 *portid, u32 *group)
{
	struct abi_sockaddr_nl a;
	int err;

	*portid = atomic_load_relaxed(&n->peer_portid);
	*group = atomic_load_relaxed(&n->peer_group);
	if (!m->name || !m->name->len)
		return 0;
	err = name_get(m->name, &a);
	if (err)
		return err;
	*portid = a.nl_pid;
	*group = (u32)__builtin_ffs((int)a.nl_groups);
	return may_send(n, *portid, *group) ? 0 : -EPERM;
}

/* The only message that says something is the sender's credentials, and those are known. */
static int control_check(struct sock_msg *m)
{
	struct abi_cmsghdr head;
	const void *data;
	u64 pos = 0;
	int err = 0;

	if (!m->control)
		return 0;
	while (cmsg_next(m->control, &pos, &head, &data, &err)) {
		struct abi_ucred cred, own = sender_cred();

		if (head.cmsg_level != SOL_SOCKET)
			continue;
		if (head.cmsg_type != SCM_CREDENTIALS || head.cmsg_len != sizeof(cred))
			return -EINVAL;
		memcpy(&cred, data, sizeof(cred));
		if (memcmp(&cred, &own, sizeof(own)))
			return -EPERM;
	}
	return err;
}

static long netlink_send(struct socket *s, struct sock_msg *m)
{
	struct netlink_sock *n = netlink_of(s);
	u32 portid, group, len = (u32)m->it->count;
	struct nl_buf b;
	int err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (!m->it->count)
		return -ENODATA;
	err = control_check(m);
	if (!err)
		err = destination(n, m, &portid, &group);
	if (!err)
		err = netlink_bind_port(n, 0);
	if (!err && m->it->count > atomic_load_relaxed(&s->sndbuf) - OVERHEAD)
		err = -EMSGSIZE;
	if (!err)
		err = nl_buf_alloc(&b, len);
	if (err)
		return err;
	b.len = len;
	if (iov_copy_in(b.data, m->it, len) != (long)len)
		err = -EFAULT;
	if (!err && group)
		netlink_broadcast(s->protocol, group, &b, n->portid, n->portid);
	if (!err && (portid || n->protocol == &usersock))
		err = send_to_port(n, &b, portid);
	else if (!err)
		netlink_requests(n, b.data, len);
	nl_buf_free(&b);
	return err ? err : (long)len;
}

/* ---- receiving ---- */

static int put_control(struct netlink_sock *n, struct sock_msg *m, const struct dgram *d)
{
	u32 group = d->group;
	int err = 0;

	if (!m->sink)
		return 0;
	if (socket_flag(&n->s, SOCK_F_PASSCRED))
		err = cmsg_put(m, SOL_SOCKET, SCM_CREDENTIALS, &d->cred, sizeof(d->cred));
	if (!err && (atomic_load_relaxed(&n->options) & NL_F_PKTINFO))
		err = cmsg_put(m, SOL_NETLINK, NETLINK_PKTINFO, &group, sizeof(group));
	return err;
}

/* What was taken made room for the next piece of a dump. */
static void dump_go_on(struct netlink_sock *n)
{
	mutex_lock(&n->dump_lock);
	if (n->dumping &&
	    atomic_load_relaxed(&n->queue.bytes) <= atomic_load_relaxed(&n->s.rcvbuf) / 2)
		netlink_dump_step(n);
	mutex_unlock(&n->dump_lock);
}

static long netlink_recv(struct socket *s, struct sock_msg *m)
{
	struct netlink_sock *n = netlink_of(s);
	struct dgram *d;
	long ret;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->it->count > atomic_load_relaxed(&n->max_recv))
		atomic_store_relaxed(&n->max_recv, (u32)MIN(m->it->count, 1UL << 20));
	ret = dgram_recv(s, &n->queue, m, &d);
	if (!d)
		return ret;
	if (m->name)
		name_put(m->name, d->portid, name_group(d->group));
	if (put_control(n, m, d))
		ret = -EFAULT;
	dgram_put(d);
	socket_wake(s, POLL_EVENT_WRITE); /* netlink_letter_write() */
	if (atomic_load_relaxed(&n->dumping))
		dump_go_on(n);
	return ret;
}

static PollEvent netlink_poll(struct socket *s)
{
	PollEvent events = POLL_EVENT_WRITE;

	if (atomic_load_relaxed(&s->error))
		events |= POLL_EVENT_ERR;
	if (!dgram_queue_empty(&netlink_of(s)->queue))
		events |= POLL_EVENT_READ;
	return events;
}

/* ---- options ---- */

static u32 option_bit(int name)
{
	switch (name) {
	case NETLINK_PKTINFO:
		return NL_F_PKTINFO;
	case NETLINK_BROADCAST_ERROR:
		return NL_F_BROADCAST_ERROR;
	case NETLINK_NO_ENOBUFS:
		return NL_F_NO_ENOBUFS;
	case NETLINK_CAP_ACK:
		return NL_F_CAP_ACK;
	case NETLINK_EXT_ACK:
		return NL_F_EXT_ACK;
	case NETLINK_GET_STRICT_CHK:
		return NL_F_STRICT;
	default:
		return 0;
	}
}

static int netlink_setsockopt(struct socket *s, int level, int name, const void *val, u32 len)
{
	struct netlink_sock *n = netlink_of(s);
	u32 v = 0;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (len >= sizeof(v))
		memcpy(&v, val, sizeof(v));
	if (name == NETLINK_ADD_MEMBERSHIP || name == NETLINK_DROP_MEMBERSHIP) {
		if (!v || v > n->protocol->groups)
			return -EINVAL;
		if (name == NETLINK_ADD_MEMBERSHIP)
			netlink_set_groups(n, BIT(v - 1), 0);
		else
			netlink_set_groups(n, 0, BIT(v - 1));
		return 0;
	}
	if (!option_bit(name))
		return -ENOPROTOOPT;
	if (v)
		atomic_fetch_or(&n->options, option_bit(name));
	else
		atomic_fetch_and(&n->options, ~option_bit(name));
	return 0;
}

static int netlink_getsockopt(struct socket *s, int level, int name, void *val, u32 *len)
{
	struct netlink_sock *n = netlink_of(s);
	u32 words = (n->protocol->groups + 31) / 32;
	u64 groups;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (name == NETLINK_LIST_MEMBERSHIPS) {
		/* As many words as fit; the length is that of all. */
		groups = netlink_groups(n);
		memcpy(val, &groups, MIN(*len / 4, words) * 4);
		*len = words * 4;
		return 0;
	}
	if (!option_bit(name))
		return -ENOPROTOOPT;
	if (*len < sizeof(int))
		return -EINVAL;
	return sockopt_put_int(val, len, (atomic_load_relaxed(&n->options) & option_bit(name)) != 0);
}

/* ---- life ---- */

static void netlink_close(struct socket *s)
{
	struct netlink_sock *n = netlink_of(s);

	netlink_leave(n);
	dgram_queue_close(&n->queue);
}

static void netlink_free(struct socket *s)
{
	(void)s; /* a closed queue takes nothing more */
}

static const struct socket_ops netlink_ops = {
	.name = "NETLINK",
	.bind = netlink_bind,
	.connect = netlink_connect,
	.getname = netlink_getname,
	.send = netlink_send,
	.recv = netlink_recv,
	.poll = netlink_poll,
	.setsockopt = netlink_setsockopt,
	.getsockopt = netlink_getsockopt,
	.close = netlink_close,
	.free = netlink_free,
};

static int netlink_create(int type, int protocol, struct socket **out)
{
	const struct nl_protocol *p = NULL;
	struct netlink_sock *n;

	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	for (u32 i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i]->number == (u32)protocol)
			p = protocols[i];
	if (!p)
		return -EPROTONOSUPPORT;
	n = kzalloc(sizeof(*n));
	if (!n)
		return -ENOMEM;
	socket_init(&n->s, &netlink_ops, AF_NETLINK, type, protocol);
	n->protocol = p;
	list_init(&n->by_port);
	list_init(&n->subscriber);
	dgram_queue_init(&n->queue);
	mutex_init(&n->dump_lock, &netlink_dump_class);
	*out = &n->s;
	return 0;
}

void netlink_init(void)
{
	static struct socket_family family = {.family = AF_NETLINK, .create = netlink_create};

	netlink_tables_init();
	socket_register(&family);
}
