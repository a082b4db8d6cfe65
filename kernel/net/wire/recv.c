/*
 * recv() on a connection over the wire: from the chain of received pbufs to user memory, without the wire's mutex. Only the reader, under its own
 * mutex, takes from the front; lwIP appends under rx->lock. The reader looks no further than `bytes`, which is raised after the bytes are there.
 */
#include "abi/errno.h"
#include "kernel/net/wire/internal.h"
#include "kernel/sync/atomic.h"

/* The reader has done with the first pbuf, unless lwIP has put more behind its bytes meanwhile. */
static void rx_advance(struct wire_rx *rx)
{
	struct pbuf *p = rx->first;

	spin_lock(&rx->lock);
	if (rx->offset < p->len) {
		spin_unlock(&rx->lock);
		return;
	}
	rx->first = p->next;
	if (!rx->first) {
		rx->last = NULL;
		rx->room = 0;
	}
	spin_unlock(&rx->lock);
	rx->offset = 0;
	p->next = NULL;
	p->tot_len = p->len;
	pbuf_free(p);
}

static void rx_consume(struct wire_conn *c, u64 n)
{
	struct wire_rx *rx = &c->rx;
	u64 left = n;

	while (left) {
		u64 step = MIN(left, (u64)(atomic_load_relaxed(&rx->first->len) - rx->offset));

		rx->offset += (u32)step;
		left -= step;
		if (rx->offset >= atomic_load_relaxed(&rx->first->len))
			rx_advance(rx);
	}
	spin_lock(&rx->lock);
	atomic_store_relaxed(&rx->bytes, rx->bytes - n);
	spin_unlock(&rx->lock);
	atomic_store_relaxed(&c->consumed, c->consumed + n);
}

/* Copies up to n bytes from `skip` on. Bytes, 0 (none there) or -EFAULT. Context: the reader's. */
static long rx_copy(struct wire_rx *rx, struct iov_iter *it, u64 n, u64 skip)
{
	u64 bytes = atomic_load_acquire(&rx->bytes), at = rx->offset + skip;
	struct pbuf *p = rx->first;
	u64 done = 0;

	if (bytes <= skip)
		return 0;
	n = MIN(n, bytes - skip);
	while (done < n) {
		u64 len = atomic_load_relaxed(&p->len), chunk;
		long got;

		if (at >= len) {
			at -= len;
			p = p->next;
			continue;
		}
		chunk = MIN(n - done, len - at);
		got = iov_copy_out(it, (u8 *)p->payload + at, chunk);
		if (got < 0)
			return done ? (long)done : got;
		done += (u64)got;
		at += (u64)got;
		if ((u64)got < chunk)
			break;
	}
	return (long)done;
}

/* Tells lwIP when a quarter of the window was read, or all that there is. */
static void rx_credit(struct wire_conn *c)
{
	u64 due = c->consumed - atomic_load_relaxed(&c->credited);

	if (due >= atomic_load_relaxed(&c->window) / 4)
		wire_conn_kick(c);
}

struct recv_wait {
	struct tcp_sock *t;
	struct wire_conn *c;
	u64 skip;
};

static long recv_turn(struct recv_wait *w, struct sock_msg *m, u64 n)
{
	bool peek = m->flags & MSG_PEEK;
	long got;

	mutex_lock(&w->c->reader);
	if ((m->flags & MSG_TRUNC) && !peek)
		got = (long)MIN(n, atomic_load_acquire(&w->c->rx.bytes));
	else
		got = rx_copy(&w->c->rx, m->it, n, w->skip);
	if (got > 0 && !peek)
		rx_consume(w->c, (u64)got);
	mutex_unlock(&w->c->reader);
	if (got > 0 && !peek)
		rx_credit(w->c);
	return got;
}

static bool has_more(const struct recv_wait *w)
{
	return atomic_load_acquire(&w->c->rx.bytes) > w->skip;
}

static bool recv_ready(void *arg)
{
	struct recv_wait *w = arg;

	return has_more(w) || tcp_at_end(&w->t->s, false) != -EAGAIN;
}

/* Nothing is there: 0: look again; 1: the call ends with what it has; else -errno. */
static int recv_pause(struct recv_wait *w, struct sock_msg *m, u64 done, u64 *deadline)
{
	int err = tcp_at_end(&w->t->s, false);

	if (err != -EAGAIN) {
		/* Pairs with the barrier in who told the end after the last byte. */
		fence_acquire();
		if (has_more(w))
			return 0;
		err = done ? 0 : tcp_at_end(&w->t->s, true);
		return err ? err : 1;
	}
	if (m->nonblock)
		return -EAGAIN;
	if (!*deadline)
		*deadline = socket_deadline(atomic_load_relaxed(&w->t->s.rcvtimeo));
	return socket_wait(&w->t->s, POLL_EVENT_READ, false, recv_ready, w, *deadline);
}

long wire_recv(struct tcp_sock *t, struct sock_msg *m)
{
	struct recv_wait w = {.t = t, .c = wire_conn_of(t)};
	u64 want = m->it->count, done = 0, deadline = 0;
	u64 low = m->flags & MSG_WAITALL ? want : MIN(want, (u64)atomic_load_relaxed(&t->s.rcvlowat));

	while (done < want) {
		long got = recv_turn(&w, m, want - done);
		int pause;

		if (got < 0)
			return done ? (long)done : got;
		if (got) {
			done += (u64)got;
			if (m->flags & MSG_PEEK)
				w.skip = done;
			if (done < low || has_more(&w))
				continue;
			break;
		}
		if (done && done >= low)
			break;
		pause = recv_pause(&w, m, done, &deadline);
		if (pause > 0)
			break;
		if (pause < 0)
			return done ? (long)done : pause;
	}
	return (long)done;
}
