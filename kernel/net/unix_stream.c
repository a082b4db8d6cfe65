/*
 * AF_UNIX streams: the rings of stream.h, and the marks of what came along with some bytes. A
 * receive gets one mark's descriptors and ends behind that mark's bytes; with SO_PASSCRED it does
 * not glue bytes of different senders together.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/unix.h"
#include "kernel/sync/atomic.h"

/* What one call of send or receive carries beside the bytes. */
struct unix_call {
	struct unix_scm *scm; /* send: not yet attached; receive: taken from marks */
	bool has_cred, stop;
	struct abi_ucred cred; /* receive: the writer of the bytes so far, if has_cred */
	u64 stop_at;	       /* with `stop`: the end of the mark whose files were taken */
};

static int stream_may_send(struct socket *s, const struct stream *to)
{
	struct unix_sock *p = unix_of(s)->peer;

	(void)to;
	if (unlikely(atomic_load_relaxed(&s->shutdown) & SOCK_SHUT_WR))
		return -EPIPE;
	return unlikely(atomic_load_relaxed(&p->dead) ||
			(atomic_load_relaxed(&p->s.shutdown) & SOCK_SHUT_RD))
		       ? -EPIPE
		       : 0;
}

static int stream_at_end(struct socket *s, bool take)
{
	if (atomic_load_relaxed(&s->error))
		return take ? socket_take_error(s) : -(int)atomic_load_relaxed(&s->error);
	return atomic_load_acquire(&s->shutdown) & SOCK_SHUT_RD ? 0 : -EAGAIN;
}

/* ---- marks ---- */

/* Attaches the call's scm to the next bytes of the peer's ring. Context: the writer's lock. */
static int stream_mark(struct socket *s, struct sock_msg *m, u64 from, u64 to)
{
	struct unix_sock *p = unix_of(s)->peer;
	struct unix_call *call = m->state;
	struct unix_mark *mark;

	if (!call->scm)
		return 0;
	mark = kzalloc(sizeof(*mark));
	if (!mark)
		return -ENOMEM;
	mark->begin = from;
	mark->end = to;
	mark->scm = call->scm;
	mark->has_cred = call->scm->has_cred;
	mark->cred = call->scm->cred;
	mark->had_files = call->scm->nr_files != 0;
	call->scm = NULL;
	spin_lock(&p->link);
	list_add_tail(&p->marks, &mark->link);
	atomic_store_relaxed(&p->nr_marks, p->nr_marks + 1);
	spin_unlock(&p->link);
	return 0;
}

/* The turn that was marked last got no further than `end`. Context: the writer's lock. */
static void stream_mark_end(struct socket *s, struct sock_msg *msg, u64 end)
{
	struct unix_sock *p = unix_of(s)->peer;
	struct unix_call *call = msg->state;
	struct unix_mark *m, *gone = NULL;

	spin_lock(&p->link);
	if (!list_empty(&p->marks)) {
		m = container_of(p->marks.prev, struct unix_mark, link);
		if (m->end > end) {
			m->end = end;
			if (m->begin == end)
				gone = m;
		}
	}
	if (gone) {
		list_del(&gone->link);
		atomic_store_relaxed(&p->nr_marks, p->nr_marks - 1);
	}
	spin_unlock(&p->link);
	if (gone) {
		call->scm = gone->scm;
		kfree(gone);
	}
}

/* The marks whose bytes have all been read go. Context: u->link and the reader's lock held. */
static struct unix_mark *first_mark(struct unix_sock *u, u64 at, struct list *passed)
{
	struct unix_mark *m, *next;

	list_for_each_safe(m, next, &u->marks, link) {
		if (m->end > at)
			return m;
		if (m->end <= atomic_load_relaxed(&u->rx.ring.tail)) {
			list_del(&m->link);
			list_add_tail(passed, &m->link);
			atomic_store_relaxed(&u->nr_marks, u->nr_marks - 1);
		}
	}
	return NULL;
}

static void marks_drop(struct list *passed)
{
	while (!list_empty(passed)) {
		struct unix_mark *m = list_first(passed, struct unix_mark, link);

		list_del(&m->link);
		unix_scm_free(m->scm);
		kfree(m);
	}
}

static bool same_writer(const struct unix_call *call, bool has_cred, const struct abi_ucred *cred)
{
	return call->has_cred == has_cred && (!has_cred || !memcmp(&call->cred, cred, sizeof(*cred)));
}

/* At a mark: 0 if the call may not go into it, else its bytes. Context: u->link held. */
static u64 enter_mark(struct unix_sock *u, struct unix_call *call, struct unix_mark *m, u64 at,
		      bool begun, bool peek)
{
	if (begun && socket_flag(&u->s, SOCK_F_PASSCRED) && !same_writer(call, m->has_cred, &m->cred))
		return 0;
	if (m->has_cred) {
		call->has_cred = true;
		call->cred = m->cred;
	}
	if (m->had_files) {
		/* Only the first byte brings them. */
		if (m->scm && !call->scm) {
			call->scm = peek ? unix_scm_copy(m->scm) : m->scm;
			if (!peek)
				m->scm = NULL;
		}
		call->stop = true;
		call->stop_at = m->end;
	}
	return m->end - at;
}

static size_t stream_clip(struct socket *s, struct sock_msg *m, u64 done, size_t n)
{
	struct unix_sock *u = unix_of(s);
	struct unix_call *call = m->state;
	bool peek = m->flags & MSG_PEEK;
	u64 at = atomic_load_relaxed(&u->rx.ring.tail) + (peek ? done : 0), allowed = n;
	struct unix_mark *mark;
	struct list passed;

	if (likely(!atomic_load_acquire(&u->nr_marks) && !call->stop)) {
		if (call->has_cred && socket_flag(s, SOCK_F_PASSCRED) && done)
			return 0;
		return n;
	}
	if (call->stop && at >= call->stop_at)
		return 0;
	list_init(&passed);
	spin_lock(&u->link);
	mark = first_mark(u, at, &passed);
	if (mark && at < mark->begin)
		allowed = mark->begin - at;
	else if (mark)
		allowed = enter_mark(u, call, mark, at, done != 0, peek);
	if (done && call->has_cred && (!mark || at < mark->begin) && socket_flag(s, SOCK_F_PASSCRED))
		allowed = 0;
	spin_unlock(&u->link);
	marks_drop(&passed);
	return (size_t)MIN(allowed, (u64)n);
}

static const struct stream_kind unix_kind = {
	.may_send = stream_may_send,
	.at_end = stream_at_end,
	.clip = stream_clip,
	.mark = stream_mark,
	.mark_end = stream_mark_end,
};

/* ---- the calls ---- */

static long unix_stream_send(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s), *p = atomic_load_acquire(&u->peer);
	struct unix_call call = {0};
	long ret;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->name && m->name->len)
		return p ? -EISCONN : -EOPNOTSUPP;
	if (!p)
		return -ENOTCONN;
	ret = unix_scm_from(u, p, m, &call.scm);
	if (ret)
		return ret;
	m->state = call.scm ? &call : NULL;
	ret = m->it->count ? stream_send(s, &p->s, &p->rx, m, &unix_kind)
			   : stream_may_send(s, &p->rx);
	unix_scm_free(call.scm);
	return ret;
}

static long unix_stream_recv(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s);
	struct unix_call call = {0};
	long ret;
	int err;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (unlikely(atomic_load_acquire(&u->state) != UNIX_CONNECTED))
		return -EINVAL;
	if (m->name)
		unix_getname(s, m->name, true);
	if (m->name && m->name->len == sizeof(u16))
		m->name->len = 0;
	m->state = &call;
	m->flags &= ~(u32)MSG_TRUNC;
	ret = stream_recv(s, &u->peer->s, &u->rx, m, &unix_kind);
	if (ret <= 0) {
		unix_scm_free(call.scm);
		return ret;
	}
	err = unix_scm_deliver(s, m, call.scm, call.has_cred ? &call.cred : NULL);
	return err ? err : ret;
}

static void unix_stream_options(struct socket *s)
{
	struct unix_sock *p = atomic_load_acquire(&unix_of(s)->peer);

	if (p)
		atomic_store_relaxed(&p->rx.ring.limit,
				     MIN(atomic_load_relaxed(&s->sndbuf), RING_LIMIT_MAX));
}

const struct socket_ops unix_stream_ops = {
	.name = "UNIX-STREAM",
	.bind = unix_bind,
	.connect = unix_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.pair = unix_pair,
	.shutdown = unix_shutdown,
	.getname = unix_getname,
	.send = unix_stream_send,
	.recv = unix_stream_recv,
	.poll = unix_poll,
	.getsockopt = unix_getsockopt,
	.options_changed = unix_stream_options,
	.ioctl = unix_ioctl,
	.close = unix_close,
	.free = unix_free,
	.raises_sigpipe = true,
};
