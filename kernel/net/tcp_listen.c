/*
 * Listening: the accept queue, which lo and the wire feed alike.
 *
 * A place is reserved before a connection is made, so that a full queue makes nothing. nr_places
 * counts reserved and filled ones; Linux lets in one more than the backlog, and so does this.
 */
#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/iface.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp.h"
#include "kernel/sync/atomic.h"

LOCK_CLASS(tcp_accept, RANK_ACCEPT);

u64 net_somaxconn = SOMAXCONN;

static int listener_make(struct tcp_sock *t)
{
	struct tcp_listener *l = t->listener;

	if (!l) {
		l = kzalloc(sizeof(*l));
		if (!l)
			return -ENOMEM;
		spin_init(&l->lock, &tcp_accept_class);
		list_init(&l->ready);
		list_init(&l->waiting);
		list_init(&l->deferred);
		atomic_store_release(&t->listener, l);
	}
	l->closed = false;
	return 0;
}

/* Binds to a port of the kernel's choice if it is not bound. */
static int listen_start(struct tcp_sock *t)
{
	int err = listener_make(t);

	if (!err && !t->port.bucket) {
		struct inet_end any = {.addr = t->local.addr};

		err = tcp_bind_port(t, &any);
	}
	if (!err)
		err = port_activate(PORT_TCP, &t->port, true);
	return err;
}

int tcp_listen(struct socket *s, int backlog)
{
	struct tcp_sock *t = tcp_of(s);
	u32 limit = (u32)MIN((u64)(u32)backlog, atomic_load_relaxed(&net_somaxconn));
	int err = 0;

	mutex_lock(&s->lock);
	if (tcp_state(t) == ABI_TCP_CLOSE && !t->path)
		err = listen_start(t);
	else if (tcp_state(t) != ABI_TCP_LISTEN)
		err = -EINVAL;
	if (!err) {
		atomic_store_relaxed(&t->listener->backlog, limit);
		tcp_set_state(t, ABI_TCP_LISTEN);
		socket_set_flag(s, SOCK_F_ACCEPTCONN, true);
	}
	mutex_unlock(&s->lock);
	return err;
}

/* ---- the queue ---- */

static bool queue_full(const struct tcp_listener *l)
{
	return l->nr_places > atomic_load_relaxed(&l->backlog);
}

int tcp_accept_reserve(struct tcp_sock *listener, struct tcp_sock *waiter)
{
	struct tcp_listener *l = listener->listener;
	int err = 0;

	spin_lock(&l->lock);
	if (l->closed) {
		err = -ECONNREFUSED;
	} else if (queue_full(l)) {
		err = -EAGAIN;
		net_count(TCP_LISTEN_OVERFLOWS);
		if (waiter) {
			socket_get(&waiter->s);
			list_add_tail(&l->waiting, &waiter->accept_link);
		}
	} else {
		l->nr_places++;
	}
	spin_unlock(&l->lock);
	return err;
}

void tcp_accept_unreserve(struct tcp_sock *listener)
{
	struct tcp_listener *l = listener->listener;

	spin_lock(&l->lock);
	l->nr_places--;
	spin_unlock(&l->lock);
}

void tcp_child_discard(struct tcp_sock *child)
{
	socket_set_flag(&child->s, SOCK_F_LINGER, true);
	child->s.linger_seconds = 0;
	child->s.ops->close(&child->s);
	socket_put(&child->s);
}

void tcp_accept_push(struct tcp_sock *listener, struct tcp_sock *child)
{
	struct tcp_listener *l = listener->listener;
	bool closed;

	spin_lock(&l->lock);
	closed = l->closed;
	if (closed) {
		l->nr_places--;
	} else {
		list_add_tail(&l->ready, &child->accept_link);
		atomic_store_relaxed(&l->nr_ready, l->nr_ready + 1);
	}
	spin_unlock(&l->lock);
	net_count(TCP_PASSIVE_OPENS);
	if (closed)
		tcp_child_discard(child);
	else
		socket_wake(&listener->s, POLL_EVENT_READ);
}

static struct tcp_sock *accept_take(struct tcp_listener *l)
{
	struct tcp_sock *child = NULL;

	spin_lock(&l->lock);
	if (!list_empty(&l->ready)) {
		child = list_first(&l->ready, struct tcp_sock, accept_link);
		list_del(&child->accept_link);
		atomic_store_relaxed(&l->nr_ready, l->nr_ready - 1);
		l->nr_places--;
	}
	spin_unlock(&l->lock);
	return child;
}

static bool accept_ready(void *arg)
{
	struct tcp_sock *t = arg;

	return atomic_load_relaxed(&t->listener->nr_ready) != 0 || tcp_state(t) != ABI_TCP_LISTEN;
}

int tcp_accept(struct socket *s, struct socket **out, bool nonblock)
{
	struct tcp_sock *t = tcp_of(s), *child;
	u64 deadline = 0;
	int err;

	for (;;) {
		if (atomic_load_acquire(&t->state) != ABI_TCP_LISTEN)
			return -EINVAL;
		child = accept_take(t->listener);
		if (child)
			break;
		if (nonblock)
			return -EAGAIN;
		if (!deadline)
			deadline = socket_deadline(atomic_load_relaxed(&s->rcvtimeo));
		err = socket_wait(s, POLL_EVENT_READ, true, accept_ready, t, deadline);
		if (err)
			return err;
	}
	tcp_local_admit(t);
	if (unlikely(child->waits_for))
		tcp_connect_abandon(child);
	atomic_fetch_or(&child->tcp_flags, TCP_F_CONNECTED);
	*out = &child->s;
	return 0;
}

PollEvent tcp_listen_poll(struct tcp_sock *t)
{
	return atomic_load_relaxed(&t->listener->nr_ready) ? POLL_EVENT_READ : 0;
}

/* The first of those who wait, off the list with the list's reference; NULL: none. */
struct tcp_sock *tcp_accept_waiter(struct tcp_sock *listener)
{
	struct tcp_listener *l = listener->listener;
	struct tcp_sock *t = NULL;

	spin_lock(&l->lock);
	if (!list_empty(&l->waiting)) {
		t = list_first(&l->waiting, struct tcp_sock, accept_link);
		list_del(&t->accept_link);
	}
	spin_unlock(&l->lock);
	return t;
}

static struct tcp_sock *deferred_take(struct tcp_listener *l)
{
	struct tcp_sock *child = NULL;

	spin_lock(&l->lock);
	if (!list_empty(&l->deferred)) {
		child = list_first(&l->deferred, struct tcp_sock, accept_link);
		list_del(&child->accept_link);
		l->nr_places--;
	}
	spin_unlock(&l->lock);
	return child;
}

void tcp_listen_close(struct tcp_sock *t)
{
	struct tcp_listener *l = t->listener;
	struct tcp_sock *c;

	port_deactivate(&t->port);
	net_wire_unlisten(t);
	socket_set_flag(&t->s, SOCK_F_ACCEPTCONN, false);
	spin_lock(&l->lock);
	l->closed = true;
	spin_unlock(&l->lock);
	while ((c = accept_take(l)))
		tcp_child_discard(c);
	while ((c = deferred_take(l)))
		tcp_child_discard(c);
	while ((c = tcp_accept_waiter(t))) {
		tcp_reset(c, ECONNREFUSED);
		socket_put(&c->s);
	}
}

/* ---- who comes ---- */

struct listener_wanted {
	const struct inet_end *local;
};

/* Linux's scores: an exact address beats a wildcard, an own family beats a dual-stack one. */
static int listener_fits(const struct port_owner *o, void *arg)
{
	const struct listener_wanted *w = arg;

	if (!o->listening || !port_addr_matches(o, &w->local->addr))
		return -1;
	return (inet_equal(&o->addr, &w->local->addr) ? 4 : 0) +
	       (inet_is_v4(&o->addr) == inet_is_v4(&w->local->addr) ? 1 : 0);
}

struct tcp_sock *tcp_find_listener(const struct inet_end *local, const struct inet_end *remote)
{
	struct listener_wanted w = {local};
	struct socket *s =
		port_find(PORT_TCP, local->port, inet_hash(local, remote), listener_fits, &w);

	return s ? tcp_of(s) : NULL;
}

static void inherit_options(struct tcp_sock *child, const struct tcp_sock *from)
{
	struct socket *c = &child->s;
	const struct socket *s = &from->s;

	c->flags = atomic_load_relaxed(&s->flags) & ~SOCK_F_ACCEPTCONN;
	c->sndbuf = atomic_load_relaxed(&s->sndbuf);
	c->rcvbuf = atomic_load_relaxed(&s->rcvbuf);
	c->rcvlowat = atomic_load_relaxed(&s->rcvlowat);
	c->rcvtimeo = atomic_load_relaxed(&s->rcvtimeo);
	c->sndtimeo = atomic_load_relaxed(&s->sndtimeo);
	c->linger_seconds = s->linger_seconds;
	c->priority = s->priority;
	c->mark = s->mark;
	c->bound_if = s->bound_if;
	c->uid = s->uid;
	child->tcp_flags = atomic_load_relaxed(&from->tcp_flags) &
			   (TCP_F_NODELAY | TCP_F_CORK | TCP_F_INQ | TCP_F_V6ONLY);
	child->keepidle = from->keepidle;
	child->keepintvl = from->keepintvl;
	child->keepcnt = from->keepcnt;
	child->user_timeout = from->user_timeout;
	child->notsent_lowat = from->notsent_lowat;
	child->maxseg = from->maxseg;
	child->linger2 = from->linger2;
	child->inet = from->inet;
}

struct tcp_sock *tcp_child(struct tcp_sock *listener, const struct inet_end *local,
			   const struct inet_end *remote)
{
	struct tcp_sock *c = tcp_alloc(listener->s.family);

	if (!c)
		return NULL;
	inherit_options(c, listener);
	c->local = *local;
	c->remote = *remote;
	tcp_set_state(c, ABI_TCP_SYN_RECV);
	c->tuple = (struct tuple_node){.tuple = {*local, *remote}, .sock = c};
	c->port.addr = local->addr;
	c->port.reuseaddr = socket_flag(&c->s, SOCK_F_REUSEADDR);
	c->port.reuseport = socket_flag(&c->s, SOCK_F_REUSEPORT);
	c->port.uid = c->s.uid;
	if (port_join(&c->port, &listener->port)) {
		if (!tuple_insert(&c->tuple, true))
			return c;
		port_unbind(PORT_TCP, &c->port);
	}
	socket_put(&c->s);
	return NULL;
}
