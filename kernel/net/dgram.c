/*
 * Datagrams and their queues; dgram.h tells the rules.
 */
#include "kernel/net/dgram.h"

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"

LOCK_CLASS(dgram_queue, RANK_SOCKQ);

void (*dgram_scm_free)(struct unix_scm *scm);

struct dgram *dgram_alloc(size_t len)
{
	struct dgram *d = kmalloc(sizeof(*d) + len);

	if (!d)
		return NULL;
	*d = (struct dgram){.refs = 1, .len = (u32)len};
	return d;
}

struct dgram *dgram_from(struct iov_iter *it, size_t len)
{
	struct dgram *d = dgram_alloc(len);

	if (!d)
		return err_ptr(-ENOMEM);
	if (len && iov_copy_in(d->data, it, len) != (long)len) {
		dgram_put(d);
		return err_ptr(-EFAULT);
	}
	return d;
}

void dgram_put(struct dgram *d)
{
	if (!refcount_put(&d->refs))
		return;
	if (d->scm)
		dgram_scm_free(d->scm);
	if (d->sender)
		socket_put(d->sender);
	kfree(d);
}

void dgram_queue_init(struct dgram_queue *q)
{
	spin_init(&q->lock, &dgram_queue_class);
	list_init(&q->list);
	q->nr = 0;
	q->bytes = 0;
	q->drops = 0;
	q->closed = false;
}

static u64 dgram_cost(const struct dgram *d)
{
	return d->len + DGRAM_OVERHEAD;
}

int dgram_queue_add(struct dgram_queue *q, struct dgram *d, u64 limit)
{
	int err = 0;

	spin_lock(&q->lock);
	if (q->closed) {
		err = -ECONNREFUSED;
	} else if (q->bytes >= limit) {
		atomic_store_relaxed(&q->drops, q->drops + 1);
		err = -ENOBUFS;
	} else {
		list_add_tail(&q->list, &d->link);
		atomic_store_relaxed(&q->bytes, q->bytes + dgram_cost(d));
		atomic_store_relaxed(&q->nr, q->nr + 1);
	}
	spin_unlock(&q->lock);
	return err;
}

/* Context: q->lock held. */
static struct dgram *dgram_unlink_first(struct dgram_queue *q)
{
	struct dgram *d = list_first(&q->list, struct dgram, link);

	list_del(&d->link);
	atomic_store_relaxed(&q->bytes, q->bytes - dgram_cost(d));
	atomic_store_relaxed(&q->nr, q->nr - 1);
	return d;
}

struct dgram *dgram_queue_get(struct dgram_queue *q, bool take)
{
	struct dgram *d = NULL;

	if (dgram_queue_empty(q))
		return NULL;
	spin_lock(&q->lock);
	if (!list_empty(&q->list)) {
		d = take ? dgram_unlink_first(q) : list_first(&q->list, struct dgram, link);
		if (!take)
			refcount_get(&d->refs);
	}
	spin_unlock(&q->lock);
	return d;
}

void dgram_queue_close(struct dgram_queue *q)
{
	struct dgram *d;

	spin_lock(&q->lock);
	q->closed = true;
	spin_unlock(&q->lock);
	while ((d = dgram_queue_get(q, true)))
		dgram_put(d);
}

struct dgram_wait {
	struct socket *s;
	struct dgram_queue *q;
};

/* What an empty queue answers: -EAGAIN: it may be waited for; 0: the end of file; else the socket's error, consumed if `take`. */
static int dgram_at_end(struct socket *s, bool take)
{
	if (atomic_load_relaxed(&s->error))
		return take ? socket_take_error(s) : -(int)atomic_load_relaxed(&s->error);
	/* A datagram socket that was shut down just has nothing. */
	return atomic_load_relaxed(&s->shutdown) & SOCK_SHUT_RD ? 0 : -EAGAIN;
}

static bool dgram_ready(void *arg)
{
	struct dgram_wait *w = arg;

	return !dgram_queue_empty(w->q) || dgram_at_end(w->s, false) != -EAGAIN;
}

/* The next datagram; NULL with *err = 0 at the end of the stream, or -errno. */
static struct dgram *dgram_await(struct dgram_wait *w, struct sock_msg *m, int *err)
{
	bool take = !(m->flags & MSG_PEEK), waited = false;
	u64 deadline = 0;

	for (;;) {
		struct dgram *d = dgram_queue_get(w->q, take);

		if (d)
			return d;
		*err = dgram_at_end(w->s, true);
		/* Who does not wait is not told of the end of a queue without connection. */
		if (*err == 0 && m->nonblock && w->s->type == SOCK_DGRAM)
			*err = -EAGAIN;
		if (*err != -EAGAIN || m->nonblock)
			return NULL;
		if (!waited)
			deadline = socket_deadline(atomic_load_relaxed(&w->s->rcvtimeo));
		waited = true;
		*err = socket_wait(w->s, POLL_EVENT_READ, true, dgram_ready, w, deadline);
		if (*err)
			return NULL;
	}
}

long dgram_recv(struct socket *s, struct dgram_queue *q, struct sock_msg *m, struct dgram **out)
{
	struct dgram_wait w = {s, q};
	int err = 0;
	struct dgram *d = dgram_await(&w, m, &err);
	u64 copy;

	*out = NULL;
	if (!d)
		return err;
	copy = MIN((u64)d->len, m->it->count);
	if (copy < d->len)
		m->out_flags |= MSG_TRUNC;
	if (copy && iov_copy_out(m->it, d->data, copy) != (long)copy) {
		dgram_put(d);
		return -EFAULT;
	}
	*out = d;
	return m->flags & MSG_TRUNC ? (long)d->len : (long)copy;
}
