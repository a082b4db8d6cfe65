/*
 * AF_UNIX datagrams and seqpackets: a queue of messages at the receiver. A sender that finds it
 * full puts itself on the receiver's list of those who wait, and hears of it on its own wait queue
 * when something was taken; poll of a connected sender does the same.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/unix.h"
#include "kernel/sync/atomic.h"

#define QUEUE_MAX 10U /* net.unix.max_dgram_qlen */

/* ---- room ---- */

/* Two that are connected to each other are bound by bytes only, as on Linux. */
static bool full_now(const struct unix_sock *from, struct unix_sock *to)
{
	if (atomic_load_relaxed(&to->queue.bytes) >= atomic_load_relaxed(&from->s.sndbuf))
		return true;
	return atomic_load_relaxed(&to->peer) != from &&
	       atomic_load_relaxed(&to->queue.nr) > QUEUE_MAX;
}

void unix_dgram_unwait(struct unix_sock *from)
{
	struct unix_sock *on;

	spin_lock(&from->link);
	on = from->waits_on;
	from->waits_on = NULL;
	spin_unlock(&from->link);
	if (!on)
		return;
	spin_lock(&on->link);
	list_del(&from->wait);
	spin_unlock(&on->link);
	socket_put(&on->s);
}

/* Puts `from` on the list of `to`, off any other. */
static void start_waiting(struct unix_sock *from, struct unix_sock *to)
{
	if (atomic_load_relaxed(&from->waits_on) != to) {
		unix_dgram_unwait(from);
		socket_get(&to->s);
		spin_lock(&from->link);
		if (from->waits_on) {
			spin_unlock(&from->link);
			socket_put(&to->s);
			return;
		}
		from->waits_on = to;
		spin_unlock(&from->link);
	}
	spin_lock(&to->link);
	if (list_empty(&from->wait))
		list_add_tail(&to->waiters, &from->wait);
	spin_unlock(&to->link);
}

bool unix_dgram_full(struct unix_sock *from, struct unix_sock *to)
{
	if (likely(!full_now(from, to)))
		return false;
	start_waiting(from, to);
	fence_full(); /* Pairs with the one in unix_dgram_took(): it sees us, or we see the room. */
	return full_now(from, to) && !atomic_load_relaxed(&to->dead);
}

void unix_dgram_took(struct unix_sock *u)
{
	fence_full(); /* Pairs with the one in unix_dgram_full(). */
	while (unlikely(!list_empty(&u->waiters))) {
		struct unix_sock *w = NULL;

		spin_lock(&u->link);
		if (!list_empty(&u->waiters)) {
			w = list_first(&u->waiters, struct unix_sock, wait);
			list_del(&w->wait);
			/* Unlinking under our lock keeps it from being freed: unwait takes it. */
			waitq_wake(&w->s.queue, POLL_EVENT_WRITE, WAITQ_ALL);
		}
		spin_unlock(&u->link);
	}
}

/* ---- sending ---- */

/* The receiver of a send, with a reference. */
static struct unix_sock *destination(struct unix_sock *u, struct sock_msg *m)
{
	struct unix_sock *to;
	int err;

	/* Linux ignores the name that is given for a seqpacket. */
	if (!m->name || !m->name->len || u->s.type == SOCK_SEQPACKET) {
		to = unix_peer_get(u);
		return to ? to : err_ptr(-ENOTCONN);
	}
	err = unix_name_check(m->name);
	return err ? err_ptr(err) : unix_find(m->name, SOCK_DGRAM);
}

/* May `u` send to `to`? A datagram socket that is connected hears only its peer. */
static int may_send(struct unix_sock *u, struct unix_sock *to)
{
	struct unix_sock *listens_to = atomic_load_relaxed(&to->peer);

	if (atomic_load_relaxed(&u->s.shutdown) & SOCK_SHUT_WR)
		return -EPIPE;
	if (u->s.type == SOCK_DGRAM && listens_to && listens_to != u)
		return -EPERM;
	if (atomic_load_relaxed(&to->dead))
		return u->s.type == SOCK_SEQPACKET ? -EPIPE : -ECONNREFUSED;
	return atomic_load_relaxed(&to->s.shutdown) & SOCK_SHUT_RD ? -EPIPE : 0;
}

struct send_wait {
	struct unix_sock *from, *to;
};

static bool send_ready(void *arg)
{
	struct send_wait *w = arg;

	return may_send(w->from, w->to) || !unix_dgram_full(w->from, w->to);
}

/* Waits for room and queues `d`. */
static int send_to(struct unix_sock *u, struct unix_sock *to, struct sock_msg *m, struct dgram *d)
{
	struct send_wait w = {u, to};
	u64 deadline = 0;

	for (;;) {
		int err = may_send(u, to);

		if (!err && unix_dgram_full(u, to))
			err = -EAGAIN;
		if (!err)
			err = dgram_queue_add(&to->queue, d, ~0UL);
		if (err != -EAGAIN || m->nonblock)
			return err;
		if (!deadline)
			deadline = socket_deadline(atomic_load_relaxed(&u->s.sndtimeo));
		err = socket_wait(&u->s, POLL_EVENT_WRITE, true, send_ready, &w, deadline);
		if (err)
			return err;
	}
}

/* A connected socket whose peer is gone is not connected any more. */
static void forget_peer(struct unix_sock *u, struct unix_sock *to)
{
	bool was;

	spin_lock(&u->link);
	was = u->peer == to;
	if (was)
		u->peer = NULL;
	spin_unlock(&u->link);
	if (was)
		socket_put(&to->s);
}

static long send_msg(struct unix_sock *u, struct unix_sock *to, struct sock_msg *m)
{
	u64 len = m->it->count;
	struct unix_scm *scm;
	struct dgram *d;
	int err = unix_scm_from(u, to, m, &scm);

	if (err)
		return err;
	d = dgram_from(m->it, len);
	if (is_err(d)) {
		unix_scm_free(scm);
		return ptr_err(d);
	}
	d->scm = scm;
	socket_get(&u->s);
	d->sender = &u->s;
	err = send_to(u, to, m, d);
	if (err) {
		dgram_put(d);
		if (err == -ECONNREFUSED && u->s.type == SOCK_DGRAM)
			forget_peer(u, to);
		return err;
	}
	socket_wake(&to->s, POLL_EVENT_READ);
	return (long)len;
}

static long unix_dgram_send(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s), *to;
	long ret;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->type == SOCK_SEQPACKET) {
		ret = socket_take_error(s);
		if (ret)
			return ret;
	}
	if (socket_flag(s, SOCK_F_PASSCRED) && !atomic_load_relaxed(&u->name)) {
		ret = unix_autobind(u);
		if (ret)
			return ret;
	}
	if (m->it->count > atomic_load_relaxed(&s->sndbuf) - 32)
		return -EMSGSIZE;
	to = destination(u, m);
	if (is_err(to))
		return ptr_err(to);
	ret = send_msg(u, to, m);
	socket_put(&to->s);
	return ret;
}

/* ---- receiving ---- */

static long unix_dgram_recv(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s);
	struct unix_name *n;
	struct unix_scm *scm = NULL;
	struct dgram *d;
	long ret;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->type == SOCK_SEQPACKET && atomic_load_relaxed(&u->state) != UNIX_CONNECTED)
		return -ENOTCONN;
	if (m->name)
		m->name->len = 0;
	ret = dgram_recv(s, &u->queue, m, &d);
	if (!d)
		return ret;
	unix_dgram_took(u);
	n = d->sender ? atomic_load_acquire(&unix_of(d->sender)->name) : NULL;
	if (m->name && n)
		*m->name = n->name;
	if (m->flags & MSG_PEEK) {
		scm = unix_scm_copy(d->scm);
	} else {
		scm = d->scm;
		d->scm = NULL;
	}
	if (unix_scm_deliver(s, m, scm, scm && scm->has_cred ? &scm->cred : NULL))
		ret = -EFAULT;
	dgram_put(d);
	return ret;
}

/* ---- connecting datagram sockets ---- */

static int unix_dgram_connect(struct socket *s, const struct sock_name *name, bool nonblock)
{
	struct unix_sock *u = unix_of(s), *to = NULL, *old;
	int err = 0;

	(void)nonblock;
	if (name->len < sizeof(u16))
		return -EINVAL;
	if (name->family != AF_UNSPEC) {
		err = unix_name_check(name);
		if (!err && socket_flag(s, SOCK_F_PASSCRED))
			err = unix_autobind(u);
		if (err)
			return err;
		to = unix_find(name, SOCK_DGRAM);
		if (is_err(to))
			return (int)ptr_err(to);
		old = atomic_load_relaxed(&to->peer);
		if (old && old != u) {
			socket_put(&to->s);
			return -EPERM;
		}
	}
	unix_dgram_unwait(u);
	spin_lock(&u->link);
	old = u->peer;
	u->peer = to;
	atomic_store_relaxed(&u->state, to ? UNIX_CONNECTED : UNIX_CLOSE);
	spin_unlock(&u->link);
	if (old)
		socket_put(&old->s);
	return 0;
}

const struct socket_ops unix_dgram_ops = {
	.name = "UNIX-DGRAM",
	.bind = unix_bind,
	.connect = unix_dgram_connect,
	.pair = unix_pair,
	.shutdown = unix_shutdown,
	.getname = unix_getname,
	.send = unix_dgram_send,
	.recv = unix_dgram_recv,
	.poll = unix_poll,
	.getsockopt = unix_getsockopt,
	.ioctl = unix_ioctl,
	.close = unix_close,
	.free = unix_free,
};

const struct socket_ops unix_seqpacket_ops = {
	.name = "UNIX-SEQPACKET",
	.bind = unix_bind,
	.connect = unix_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.pair = unix_pair,
	.shutdown = unix_shutdown,
	.getname = unix_getname,
	.send = unix_dgram_send,
	.recv = unix_dgram_recv,
	.poll = unix_poll,
	.getsockopt = unix_getsockopt,
	.ioctl = unix_ioctl,
	.close = unix_close,
	.free = unix_free,
};
