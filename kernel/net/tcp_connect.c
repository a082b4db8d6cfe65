/*
 * bind() and connect() of TCP: local address and port, the 4-tuple, and waiting for the answer.
 */
#include "abi/errno.h"
#include "kernel/net/iface.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp.h"
#include "kernel/sync/atomic.h"

static void owner_fill(struct tcp_sock *t, const struct inet_addr *addr)
{
	t->port.addr = *addr;
	t->port.v6only = tcp_flag(t, TCP_F_V6ONLY);
	t->port.reuseaddr = socket_flag(&t->s, SOCK_F_REUSEADDR);
	t->port.reuseport = socket_flag(&t->s, SOCK_F_REUSEPORT);
	t->port.uid = t->s.uid;
	t->port.bound_if = atomic_load_relaxed(&t->s.bound_if);
}

int tcp_bind_port(struct tcp_sock *t, const struct inet_end *e)
{
	int port;

	owner_fill(t, &e->addr);
	port = port_bind(PORT_TCP, &t->port, e->port);
	if (port < 0)
		return port;
	t->local = *e;
	t->local.port = (u16)port;
	atomic_fetch_or(&t->tcp_flags, TCP_F_BOUND);
	return 0;
}

/* IP_BIND_ADDRESS_NO_PORT: as connections differ in their 4-tuple, they can share the port. */
static void bind_address(struct tcp_sock *t, const struct inet_end *e)
{
	owner_fill(t, &e->addr);
	t->local = *e;
	atomic_fetch_or(&t->tcp_flags, TCP_F_BOUND_ADDR);
}

int tcp_bind(struct socket *s, const struct sock_name *name)
{
	struct tcp_sock *t = tcp_of(s);
	u32 flags = atomic_load_relaxed(&t->inet.flags);
	struct inet_end e;
	int err;

	err = inet_bind_check(s->family, name, tcp_flag(t, TCP_F_V6ONLY), flags & INET_F_FREEBIND,
			      false, &e);
	if (err)
		return err;
	mutex_lock(&s->lock);
	if (tcp_state(t) != ABI_TCP_CLOSE || t->local.port)
		err = -EINVAL;
	else if (!e.port && (flags & INET_F_BIND_NO_PORT))
		bind_address(t, &e);
	else
		err = tcp_bind_port(t, &e);
	mutex_unlock(&s->lock);
	return err;
}

/* ---- the 4-tuple ---- */

static int tuple_take(struct tcp_sock *t)
{
	t->tuple = (struct tuple_node){.tuple = {t->local, t->remote}, .sock = t};
	return tuple_insert(&t->tuple, false);
}

/* One port of the ephemeral search. */
static int connect_try(u16 port, void *arg)
{
	struct tcp_sock *t = arg;

	if (!port_hold(PORT_TCP, port))
		return -EADDRINUSE;
	t->local.port = port;
	if (!tuple_take(t)) {
		t->port_held = true;
		return 0;
	}
	t->local.port = 0;
	port_drop(PORT_TCP, port);
	return -EADDRINUSE;
}

static int connect_port(struct tcp_sock *t)
{
	int port;

	if (t->port.bucket)
		return tuple_take(t);
	port = port_search(true, connect_try, t);
	return port < 0 ? port : 0;
}

/* Checks the destination and chooses route and source. */
static int connect_route(struct tcp_sock *t, struct inet_end *to, struct net_route *route)
{
	int err;

	if (inet_is_any(&to->addr))
		to->addr = inet_is_v4(&to->addr) ? inet_loopback_v4 : inet_loopback_v6;
	if (inet_is_multicast(&to->addr) || net_is_broadcast(&to->addr))
		return -ENETUNREACH;
	if (inet_is_v4(&to->addr) && t->s.family == AF_INET6 && tcp_flag(t, TCP_F_V6ONLY))
		return -ENETUNREACH;
	err = net_iface_for(&to->addr, atomic_load_relaxed(&t->s.bound_if), route);
	if (err)
		return err;
	if (route->local && !net_lo_is_up())
		return -ETIMEDOUT; /* Linux needs two minutes to say so */
	if (!inet_is_any(&t->local.addr) && inet_is_v4(&t->local.addr) != inet_is_v4(&to->addr))
		return -EINVAL;
	return 0;
}

/* What connect() changed, undone: the socket may bind (if it had not) and connect again. */
static void connect_undo(struct tcp_sock *t)
{
	tcp_lock(t);
	tcp_set_state(t, ABI_TCP_CLOSE);
	tcp_forget(t);
	if (!tcp_flag(t, TCP_F_BOUND))
		t->local.port = 0;
	if (tcp_flag(t, TCP_F_BOUND | TCP_F_BOUND_ADDR))
		t->local.addr = t->port.addr;
	else
		t->local.addr = t->s.family == AF_INET ? inet_any_v4 : inet_any_v6;
	t->remote.port = 0;
	atomic_fetch_and(&t->tcp_flags, ~(TCP_F_CONNECTING | TCP_F_CONNECTED | TCP_F_FIN_SEEN |
					  TCP_F_FIN_SENT | TCP_F_DEFERRED));
	atomic_store_relaxed(&t->s.shutdown, 0);
	tcp_unlock(t);
}

/* Begins: 0 (the state tells how it goes) or -errno with nothing changed. */
static int connect_start(struct tcp_sock *t, struct inet_end *to)
{
	struct net_route route;
	int err = connect_route(t, to, &route);

	if (err)
		return err;
	if (inet_is_any(&t->local.addr))
		t->local.addr = route.source;
	t->remote = *to;
	err = connect_port(t);
	if (!err) {
		atomic_store_relaxed(&t->s.shutdown, 0);
		tcp_set_state(t, ABI_TCP_SYN_SENT);
		if (route.local)
			err = tcp_local_connect(t);
		else
			err = route.iface->ops->tcp_connect(t);
	}
	if (err == -ECONNREFUSED) {
		net_count(TCP_ATTEMPT_FAILS);
		tcp_reset(t, ECONNREFUSED);
		return 0;
	}
	if (err)
		connect_undo(t);
	/* Other threads may have begun to send, and wait since. */
	if (tcp_state(t) != ABI_TCP_SYN_SENT)
		socket_wake_all(&t->s);
	return err;
}

/* ---- the call ---- */

static bool connect_answered(void *arg)
{
	return tcp_state(arg) != ABI_TCP_SYN_SENT;
}

/* Waits as long as there is no answer; s->lock is dropped meanwhile. */
static int connect_wait(struct tcp_sock *t)
{
	u64 timeo = atomic_load_relaxed(&t->s.sndtimeo);
	int err;

	mutex_unlock(&t->s.lock);
	err = socket_wait(&t->s, POLL_EVENT_WRITE, false, connect_answered, t,
			  socket_deadline(timeo));
	mutex_lock(&t->s.lock);
	return err == -EAGAIN ? -EINPROGRESS : err;
}

static int connect_end(struct tcp_sock *t)
{
	int err;

	if (atomic_load_acquire(&t->state) != ABI_TCP_CLOSE) {
		atomic_fetch_and(&t->tcp_flags, ~TCP_F_CONNECTING);
		atomic_fetch_or(&t->tcp_flags, TCP_F_CONNECTED);
		return 0;
	}
	err = socket_take_error(&t->s);
	if (!t->path)
		connect_undo(t);
	return err ? err : -ECONNABORTED;
}

static int connect_locked(struct tcp_sock *t, const struct sock_name *name, bool nonblock)
{
	struct inet_end to;
	int err = -EALREADY;

	if (name->len < sizeof(u16))
		return -EINVAL;
	if (name->family == AF_UNSPEC)
		return tcp_disconnect(t);
	if (tcp_flag(t, TCP_F_CONNECTED))
		return -EISCONN;
	if (!tcp_flag(t, TCP_F_CONNECTING)) {
		if (tcp_state(t) != ABI_TCP_CLOSE || t->path)
			return -EISCONN;
		err = inet_end_from_name(t->s.family, name, false, &to);
		if (!err)
			err = connect_start(t, &to);
		if (err)
			return err;
		atomic_fetch_or(&t->tcp_flags, TCP_F_CONNECTING);
		err = -EINPROGRESS;
		if (nonblock)
			return err;
	}
	if (tcp_state(t) == ABI_TCP_SYN_SENT) {
		if (nonblock)
			return err;
		err = connect_wait(t);
		if (err)
			return err;
	}
	return connect_end(t);
}

int tcp_connect(struct socket *s, const struct sock_name *name, bool nonblock)
{
	int err;

	mutex_lock(&s->lock);
	err = connect_locked(tcp_of(s), name, nonblock);
	mutex_unlock(&s->lock);
	return err;
}

void tcp_connect_abandon(struct tcp_sock *t)
{
	struct tcp_sock *from = t->waits_for;
	bool waits;

	if (t->wire)
		net_wire_cancel(t);
	if (!from)
		return;
	spin_lock(&from->listener->lock);
	waits = !list_empty(&t->accept_link);
	list_del(&t->accept_link);
	spin_unlock(&from->listener->lock);
	timer_cancel(&t->syn_timer);
	t->waits_for = NULL;
	socket_put(&from->s);
	if (waits)
		socket_put(&t->s);
}

/* Back to a fresh socket. Who waits in a call on the connection hears of a reset. */
static int disconnect_path(struct tcp_sock *t)
{
	bool over = tcp_state(t) == ABI_TCP_CLOSE;
	int err = t->path->disconnect(t);

	if (err)
		return err;
	atomic_store_release(&t->path, NULL);
	connect_undo(t);
	if (!over)
		atomic_store_relaxed(&t->s.error, ECONNRESET);
	socket_wake_all(&t->s);
	return 0;
}

int tcp_disconnect(struct tcp_sock *t)
{
	if (t->path && tcp_state(t) != ABI_TCP_SYN_SENT)
		return disconnect_path(t);
	if (tcp_state(t) == ABI_TCP_LISTEN) {
		tcp_listen_close(t);
		tcp_lock(t);
		tcp_set_state(t, ABI_TCP_CLOSE);
		tcp_unlock(t);
	} else {
		tcp_connect_abandon(t);
		connect_undo(t);
		atomic_store_relaxed(&t->s.error, 0);
	}
	socket_wake_all(&t->s);
	return 0;
}
