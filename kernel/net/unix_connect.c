/*
 * Connections of AF_UNIX streams and seqpackets: listening, connecting, accepting, pairs.
 *
 * connect() makes the accepted end and puts it on the listener's queue; it waits while more than
 * the backlog are there. An end's `peer` is set once, before its state says CONNECTED.
 */
#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/net/unix.h"
#include "kernel/sync/atomic.h"

static u32 state_of(const struct unix_sock *u)
{
	return atomic_load_acquire(&u->state);
}

/* Each end gets the other: references, credentials, buffer size. */
static void ends_join(struct unix_sock *a, struct unix_sock *b, const struct abi_ucred *a_cred,
		      const struct abi_ucred *b_cred)
{
	socket_get(&a->s);
	socket_get(&b->s);
	a->peer_cred = *b_cred;
	b->peer_cred = *a_cred;
	a->rx.ring.limit = MIN(atomic_load_relaxed(&b->s.sndbuf), RING_LIMIT_MAX);
	b->rx.ring.limit = MIN(atomic_load_relaxed(&a->s.sndbuf), RING_LIMIT_MAX);
	atomic_store_release(&a->peer, b);
	atomic_store_release(&b->peer, a);
	atomic_store_release(&b->state, UNIX_CONNECTED);
	atomic_store_release(&a->state, UNIX_CONNECTED);
}

int unix_pair(struct socket *sa, struct socket *sb)
{
	struct unix_sock *a = unix_of(sa), *b = unix_of(sb);

	ends_join(a, b, &a->cred, &b->cred);
	return 0;
}

int unix_listen(struct socket *s, int backlog)
{
	struct unix_sock *u = unix_of(s);
	int err = 0;

	mutex_lock(&s->lock);
	if (!u->name || state_of(u) == UNIX_CONNECTED) {
		err = -EINVAL;
	} else {
		u->cred = unix_current_cred();
		atomic_store_relaxed(&u->backlog, (u32)MIN((u64)(u32)backlog,
							   atomic_load_relaxed(&net_somaxconn)));
		atomic_store_release(&u->state, UNIX_LISTEN);
		socket_set_flag(s, SOCK_F_ACCEPTCONN, true);
	}
	mutex_unlock(&s->lock);
	/* A larger backlog lets those go on who wait. */
	if (!err)
		socket_wake_all(s);
	return err;
}

static bool queue_full(const struct unix_sock *l)
{
	return atomic_load_relaxed(&l->nr_ready) > atomic_load_relaxed(&l->backlog);
}

static bool refuses(const struct unix_sock *l)
{
	return state_of(l) != UNIX_LISTEN || atomic_load_acquire(&l->dead) ||
	       (atomic_load_relaxed(&l->s.shutdown) & SOCK_SHUT_RD);
}

/* Puts `child` on the queue of `l`, which takes the reference: 0, -EAGAIN (full), -ECONNREFUSED. */
static int queue_add(struct unix_sock *l, struct unix_sock *child, struct unix_sock *client)
{
	int err = 0;

	spin_lock(&l->link);
	if (refuses(l)) {
		err = -ECONNREFUSED;
	} else if (queue_full(l)) {
		err = -EAGAIN;
	} else {
		ends_join(client, child, &client->cred, &l->cred);
		list_add_tail(&l->ready, &child->accept);
		atomic_store_relaxed(&l->nr_ready, l->nr_ready + 1);
	}
	spin_unlock(&l->link);
	return err;
}

static bool connect_may_go_on(void *arg)
{
	struct unix_sock *l = arg;

	return !queue_full(l) || refuses(l);
}

/* The accepted end, not yet anybody's. */
static struct unix_sock *child_make(struct unix_sock *l)
{
	struct unix_sock *child = unix_alloc(l->s.type);

	if (!child)
		return NULL;
	child->embryo_of = l;
	child->s.sndbuf = atomic_load_relaxed(&l->s.sndbuf);
	child->s.rcvbuf = atomic_load_relaxed(&l->s.rcvbuf);
	child->s.flags = atomic_load_relaxed(&l->s.flags) & SOCK_F_PASSCRED;
	if (l->name) {
		child->name = kmalloc(sizeof(*child->name));
		if (!child->name) {
			socket_put(&child->s);
			return NULL;
		}
		*child->name = *l->name;
	}
	return child;
}

/* s->lock of `u` held. */
static int connect_to(struct unix_sock *u, struct unix_sock *l, bool nonblock)
{
	u64 deadline = 0;
	struct unix_sock *child;
	int err;

	if (refuses(l))
		return -ECONNREFUSED;
	child = child_make(l);
	if (!child)
		return -ENOMEM;
	for (;;) {
		/* The credentials that the other side sees are of the time of connect(). */
		u->cred = unix_current_cred();
		err = queue_add(l, child, u);
		if (err != -EAGAIN || nonblock)
			break;
		if (!deadline)
			deadline = socket_deadline(atomic_load_relaxed(&u->s.sndtimeo));
		err = socket_wait(&l->s, POLL_EVENT_WRITE, true, connect_may_go_on, l, deadline);
		if (err)
			break;
	}
	if (err)
		socket_put(&child->s);
	else
		socket_wake(&l->s, POLL_EVENT_READ);
	return err;
}

int unix_connect(struct socket *s, const struct sock_name *name, bool nonblock)
{
	struct unix_sock *u = unix_of(s), *l;
	int err = unix_name_check(name);

	if (!err && socket_flag(s, SOCK_F_PASSCRED))
		err = unix_autobind(u);
	if (err)
		return err;
	l = unix_find(name, s->type);
	if (is_err(l))
		return (int)ptr_err(l);
	mutex_lock(&s->lock);
	if (refuses(l))
		err = -ECONNREFUSED;
	else if (state_of(u) != UNIX_CLOSE || u->peer)
		err = state_of(u) == UNIX_CONNECTED ? -EISCONN : -EINVAL;
	else
		err = connect_to(u, l, nonblock);
	mutex_unlock(&s->lock);
	socket_put(&l->s);
	return err;
}

static struct unix_sock *queue_take(struct unix_sock *l)
{
	struct unix_sock *child = NULL;

	spin_lock(&l->link);
	if (!list_empty(&l->ready)) {
		child = list_first(&l->ready, struct unix_sock, accept);
		list_del(&child->accept);
		atomic_store_relaxed(&l->nr_ready, l->nr_ready - 1);
	}
	spin_unlock(&l->link);
	return child;
}

static bool accept_ready(void *arg)
{
	struct unix_sock *l = arg;

	return atomic_load_relaxed(&l->nr_ready) != 0 || refuses(l);
}

int unix_accept(struct socket *s, struct socket **out, bool nonblock)
{
	struct unix_sock *l = unix_of(s), *child;
	u64 deadline = 0;
	int err;

	for (;;) {
		if (state_of(l) != UNIX_LISTEN)
			return -EINVAL;
		child = queue_take(l);
		if (child)
			break;
		if (atomic_load_relaxed(&s->shutdown) & SOCK_SHUT_RD)
			return -EINVAL;
		if (nonblock)
			return -EAGAIN;
		if (!deadline)
			deadline = socket_deadline(atomic_load_relaxed(&s->rcvtimeo));
		err = socket_wait(s, POLL_EVENT_READ, true, accept_ready, l, deadline);
		if (err)
			return err;
	}
	/* Its own file keeps it from now on, and what waits in its queue. */
	unix_scm_adopt(l, child);
	waitq_wake(&s->queue, POLL_EVENT_WRITE, 1);
	*out = &child->s;
	return 0;
}

void unix_listen_close(struct unix_sock *l)
{
	struct unix_sock *child;

	spin_lock(&l->link);
	atomic_store_release(&l->dead, 1);
	spin_unlock(&l->link);
	while ((child = queue_take(l))) {
		/* The peer hears of a reset. */
		unix_scm_adopt(l, child);
		if (child->peer)
			socket_fail(&child->peer->s, ECONNRESET);
		child->s.ops->close(&child->s);
		socket_put(&child->s);
	}
	socket_wake_all(&l->s);
}

int unix_shutdown(struct socket *s, int how)
{
	struct unix_sock *u = unix_of(s), *p = s->type == SOCK_DGRAM ? NULL : unix_peer_get(u);
	u32 bits = (u32)how + 1;
	u32 mirrored =
		(bits & SOCK_SHUT_RD ? SOCK_SHUT_WR : 0) | (bits & SOCK_SHUT_WR ? SOCK_SHUT_RD : 0);

	if (p) {
		/* Behind every byte of a send that has begun. */
		mutex_lock(&p->rx.writer);
		atomic_fetch_or(&s->shutdown, bits);
		atomic_fetch_or(&p->s.shutdown, mirrored);
		mutex_unlock(&p->rx.writer);
		socket_wake_all(&p->s);
		socket_put(&p->s);
	} else {
		atomic_fetch_or(&s->shutdown, bits);
	}
	socket_wake_all(s);
	return 0;
}
