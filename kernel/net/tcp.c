/*
 * TCP sockets: creation, poll, sending and receiving as far as the state decides, shutdown, close.
 */
#include "kernel/net/tcp.h"

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/iface.h"
#include "kernel/net/net.h"
#include "kernel/sync/atomic.h"

LOCK_CLASS(tcp_pair, RANK_TCP);

/* Context: pair locked. The connection, or the attempt, is over. */
static void reset_locked(struct tcp_sock *t, int error)
{
	atomic_store_relaxed(&t->s.error, (u32)error);
	atomic_fetch_or(&t->s.shutdown, SOCK_SHUT_ALL);
	tcp_set_state(t, ABI_TCP_CLOSE);
	tcp_forget(t);
}

/* It may be armed after the answer has come: accept() on another hart is that quick. */
static void syn_timer_fired(struct timer *timer)
{
	struct tcp_sock *t = container_of(timer, struct tcp_sock, syn_timer);

	if (tcp_flag(t, TCP_F_DEFERRED)) {
		tcp_undefer(t);
		return;
	}
	tcp_lock(t);
	if (t->state == ABI_TCP_SYN_SENT)
		reset_locked(t, ETIMEDOUT);
	tcp_unlock(t);
	socket_wake_all(&t->s);
}

struct tcp_sock *tcp_alloc(int family)
{
	struct tcp_sock *t = kzalloc(sizeof(*t));

	if (!t)
		return NULL;
	socket_init(&t->s, &tcp_ops, family, SOCK_STREAM, IPPROTO_TCP);
	t->s.sndbuf = TCP_SNDBUF_DEFAULT;
	t->s.rcvbuf = TCP_RCVBUF_DEFAULT;
	t->state = ABI_TCP_CLOSE;
	spin_init(&t->own_pair, &tcp_pair_class);
	t->pair = &t->own_pair;
	stream_init(&t->rx, RING_LIMIT_MAX);
	list_init(&t->accept_link);
	list_init(&t->port.link);
	list_init(&t->port.active);
	timer_init(&t->syn_timer, syn_timer_fired);
	t->local.addr = family == AF_INET ? inet_any_v4 : inet_any_v6;
	t->remote.addr = t->local.addr;
	t->keepidle = 7200;
	t->keepintvl = 75;
	t->keepcnt = 9;
	t->syncnt = 6;
	inet_options_init(&t->inet);
	t->inet.stream = true;
	t->linger2 = 60;
	t->port.socket = &t->s;
	return t;
}

static void listener_free(struct epoch_node *node)
{
	kfree(container_of(node, struct tcp_listener, free_node));
}

static void tcp_free(struct socket *s)
{
	struct tcp_sock *t = tcp_of(s);

	stream_destroy(&t->rx);
	if (t->wire)
		net_wire_free(t);
	if (t->listener)
		epoch_defer(&t->listener->free_node, listener_free);
}

void tcp_forget(struct tcp_sock *t)
{
	tuple_remove(&t->tuple);
	if (t->port_held)
		port_drop(PORT_TCP, t->local.port);
	else if (!tcp_flag(t, TCP_F_BOUND) || tcp_flag(t, TCP_F_DEAD))
		port_unbind(PORT_TCP, &t->port);
	t->port_held = false;
}

/* ---- changes of state that paths report ---- */

void tcp_established(struct tcp_sock *t)
{
	tcp_set_state(t, ABI_TCP_ESTABLISHED);
	net_count(TCP_ACTIVE_OPENS);
}

void tcp_reset(struct tcp_sock *t, int error)
{
	u32 state;

	tcp_lock(t);
	state = t->state;
	if (state != ABI_TCP_CLOSE && state != ABI_TCP_LISTEN) {
		if (state == ABI_TCP_CLOSE_WAIT && error == ECONNRESET)
			error = EPIPE;
		reset_locked(t, error);
	}
	tcp_unlock(t);
	socket_wake_all(&t->s);
}

/* ---- poll ---- */

static PollEvent tcp_poll(struct socket *s)
{
	struct tcp_sock *t = tcp_of(s);
	u32 state = atomic_load_acquire(&t->state);
	const struct tcp_path *path = atomic_load_acquire(&t->path);
	u32 shut = atomic_load_relaxed(&s->shutdown);
	PollEvent events = 0;

	if (state == ABI_TCP_LISTEN)
		return tcp_listen_poll(t);
	if (shut == SOCK_SHUT_ALL || state == ABI_TCP_CLOSE)
		events |= POLL_EVENT_HUP;
	if (shut & SOCK_SHUT_RD)
		events |= POLL_EVENT_READ | POLL_EVENT_RDHUP;
	if (state != ABI_TCP_SYN_SENT && state != ABI_TCP_SYN_RECV) {
		if (path && path->readable(t))
			events |= POLL_EVENT_READ;
		if ((shut & SOCK_SHUT_WR) || !path || path->writable(t))
			events |= POLL_EVENT_WRITE;
		if (atomic_load_relaxed(&t->urgent_state) == TCP_URGENT_VALID)
			events |= POLL_EVENT_PRI;
	}
	if (atomic_load_relaxed(&s->error))
		events |= POLL_EVENT_ERR;
	return events;
}

/* ---- data ---- */

int tcp_at_end(struct socket *s, bool take)
{
	struct tcp_sock *t = tcp_of(s);
	u32 state = atomic_load_acquire(&t->state);

	if (tcp_flag(t, TCP_F_FIN_SEEN))
		return 0;
	if (atomic_load_relaxed(&s->error))
		return take ? socket_take_error(s) : -(int)atomic_load_relaxed(&s->error);
	if (atomic_load_relaxed(&s->shutdown) & SOCK_SHUT_RD)
		return 0;
	return state == ABI_TCP_CLOSE || state == ABI_TCP_LISTEN ? -ENOTCONN : -EAGAIN;
}

int tcp_may_send(struct socket *s)
{
	if (unlikely(atomic_load_relaxed(&s->shutdown) & SOCK_SHUT_WR))
		return -EPIPE;
	if (unlikely(tcp_state(tcp_of(s)) == ABI_TCP_CLOSE))
		return -EPIPE;
	return unlikely(atomic_load_relaxed(&s->error)) ? -EPIPE : 0;
}

static const struct stream_kind no_path_kind = {.at_end = tcp_at_end};

/* MSG_OOB: the urgent byte. */
static long recv_urgent(struct tcp_sock *t, struct sock_msg *m)
{
	u32 state = atomic_load_acquire(&t->urgent_state);
	u8 byte = (u8)atomic_load_relaxed(&t->urgent_byte);

	if (socket_flag(&t->s, SOCK_F_OOBINLINE) || state != TCP_URGENT_VALID)
		return -EINVAL;
	if (tcp_state(t) == ABI_TCP_CLOSE && !tcp_flag(t, TCP_F_FIN_SEEN))
		return -ENOTCONN;
	if (!(m->flags & MSG_PEEK))
		atomic_store_relaxed(&t->urgent_state, TCP_URGENT_READ);
	m->out_flags |= MSG_OOB;
	if (m->it->count == 0) {
		m->out_flags |= MSG_TRUNC;
		return 0;
	}
	return m->flags & MSG_TRUNC ? 1 : iov_copy_out(m->it, &byte, 1);
}

/* TCP_INQ: how much is left to read, 1 if only the end is. */
static void put_left(struct tcp_sock *t, const struct tcp_path *path, struct sock_msg *m)
{
	int left = (int)path->unread(t);

	if (!left && tcp_flag(t, TCP_F_FIN_SEEN))
		left = 1;
	/* The bytes were taken: a bad buffer does not fail the call, as on Linux. */
	cmsg_put(m, SOL_TCP, TCP_CM_INQ, &left, sizeof(left));
}

static long tcp_recv(struct socket *s, struct sock_msg *m)
{
	struct tcp_sock *t = tcp_of(s);
	const struct tcp_path *path;
	long ret;

	if (m->flags & (MSG_OOB | MSG_ERRQUEUE))
		return m->flags & MSG_OOB ? recv_urgent(t, m) : -EAGAIN;
	if (tcp_state(t) == ABI_TCP_LISTEN)
		return -ENOTCONN;
	if (m->name)
		m->name->len = 0;
	path = atomic_load_acquire(&t->path);
	if (!path)
		return stream_recv(s, NULL, &t->rx, m, &no_path_kind);
	ret = path->recv(t, m);
	if (unlikely(tcp_flag(t, TCP_F_INQ)) && ret >= 0)
		put_left(t, path, m);
	return ret;
}

static bool connect_over(void *arg)
{
	u32 state = tcp_state(arg);

	return state != ABI_TCP_SYN_SENT && state != ABI_TCP_SYN_RECV;
}

static long tcp_send(struct socket *s, struct sock_msg *m)
{
	struct tcp_sock *t = tcp_of(s);
	const struct tcp_path *path;
	long ret;

	if (m->flags & (MSG_FASTOPEN | MSG_ZEROCOPY))
		return m->flags & MSG_FASTOPEN ? -EOPNOTSUPP : -EINVAL;
	if (unlikely(!connect_over(t))) {
		if (m->nonblock)
			return -EAGAIN;
		ret = socket_wait(s, POLL_EVENT_WRITE, false, connect_over, t,
				  socket_deadline(atomic_load_relaxed(&s->sndtimeo)));
		if (ret)
			return ret;
	}
	path = atomic_load_acquire(&t->path);
	ret = path ? path->send(t, m) : -EPIPE;
	if (ret == -EPIPE) {
		int err = socket_take_error(s);

		return err ? err : -EPIPE;
	}
	return ret;
}

/* ---- ends ---- */

static int tcp_shutdown(struct socket *s, int how)
{
	struct tcp_sock *t = tcp_of(s);
	u32 bits = (u32)how + 1;
	int err = 0;

	mutex_lock(&s->lock);
	switch (tcp_state(t)) {
	case ABI_TCP_LISTEN:
		if (bits & SOCK_SHUT_RD)
			err = tcp_disconnect(t);
		break;
	case ABI_TCP_SYN_SENT:
		err = tcp_disconnect(t);
		break;
	case ABI_TCP_CLOSE:
		atomic_fetch_or(&s->shutdown, bits);
		err = -ENOTCONN;
		break;
	default:
		atomic_fetch_or(&s->shutdown, bits);
		if (bits & SOCK_SHUT_WR)
			t->path->shutdown(t);
	}
	mutex_unlock(&s->lock);
	socket_wake_all(s);
	return err;
}

static void tcp_close(struct socket *s)
{
	struct tcp_sock *t = tcp_of(s);
	bool lives = false;

	/* A listener closes the connections that nobody accepted under its own lock. */
	mutex_lock_nested(&s->lock);
	if (tcp_state(t) == ABI_TCP_LISTEN)
		tcp_listen_close(t);
	tcp_connect_abandon(t);
	atomic_fetch_or(&s->shutdown, SOCK_SHUT_ALL);
	atomic_fetch_or(&t->tcp_flags, TCP_F_DEAD);
	if (t->path && tcp_state(t) != ABI_TCP_SYN_SENT)
		lives = t->path->close(t);
	if (!lives) {
		tcp_lock(t);
		/* A record of TIME_WAIT may have taken tuple and port over. */
		tcp_set_state(t, ABI_TCP_CLOSE);
		tcp_forget(t);
		tcp_unlock(t);
	}
	mutex_unlock(&s->lock);
	if (t->path)
		t->path->detach(t);
	tcp_local_forget_past(t);
}

static int tcp_getname(struct socket *s, struct sock_name *out, bool peer)
{
	struct tcp_sock *t = tcp_of(s);
	u32 state = tcp_state(t);

	if (peer && (!t->remote.port || state == ABI_TCP_CLOSE || state == ABI_TCP_SYN_SENT))
		return -ENOTCONN;
	inet_end_to_name(s->family, peer ? &t->remote : &t->local, out);
	return 0;
}

const struct socket_ops tcp_ops = {
	.name = "TCP",
	.bind = tcp_bind,
	.connect = tcp_connect,
	.listen = tcp_listen,
	.accept = tcp_accept,
	.shutdown = tcp_shutdown,
	.getname = tcp_getname,
	.send = tcp_send,
	.recv = tcp_recv,
	.poll = tcp_poll,
	.setsockopt = tcp_setsockopt,
	.getsockopt = tcp_getsockopt,
	.options_changed = tcp_options_changed,
	.ioctl = tcp_ioctl,
	.close = tcp_close,
	.free = tcp_free,
	.raises_sigpipe = true,
};
