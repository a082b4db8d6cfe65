/*
 * Sending into and receiving from local byte streams; stream.h tells the rules.
 */
#include "kernel/net/stream.h"

#include "abi/errno.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/trace/trace.h"

/* Bytes that one turn copies: the peer may begin with them, or with their room, while the rest is copied. */
#define STREAM_TURN 32768U
/* Copying so many takes longer than waking another hart for the peer. */
#define STREAM_LONG 65536U

LOCK_CLASS(stream, RANK_STREAM);

void stream_init(struct stream *st, u32 limit)
{
	ring_init(&st->ring, limit);
	mutex_init(&st->reader, &stream_class);
	mutex_init(&st->writer, &stream_class);
}

void stream_destroy(struct stream *st)
{
	ring_destroy(&st->ring);
}

void stream_took(struct stream *from, struct socket *peer)
{
	if (!ring_made_room(&from->ring))
		return;
	if (ring_used(&from->ring) >= STREAM_LONG)
		sched_waker_will_run_on();
	socket_wake(peer, POLL_EVENT_WRITE);
}

struct stream_wait {
	struct socket *s;
	struct stream *st;
	const struct stream_kind *kind;
	u64 skip; /* bytes that a peeking receive has seen */
};

static bool send_ready(void *arg)
{
	struct stream_wait *w = arg;

	return ring_writable(&w->st->ring) || w->kind->may_send(w->s, w->st) != 0;
}

static bool recv_ready(void *arg)
{
	struct stream_wait *w = arg;

	return ring_used(&w->st->ring) > w->skip || w->kind->at_end(w->s, false) != -EAGAIN;
}

/* A turn whose bytes bring something along. */
static long send_marked(struct stream_wait *w, struct sock_msg *m)
{
	struct ring *r = &w->st->ring;
	u64 want = MIN(MIN(ring_room(r), (u64)STREAM_TURN), m->it->count), head = r->head;
	long got;

	if (!want)
		return 0;
	got = w->kind->mark(w->s, m, head, head + want);
	if (got)
		return got;
	got = ring_write(r, m->it, want);
	if (got != (long)want)
		w->kind->mark_end(w->s, m, r->head);
	return got;
}

/* One turn: bytes, 0 (full) or -errno. */
static long send_turn(struct stream_wait *w, struct sock_msg *m)
{
	long got;

	mutex_lock(&w->st->writer);
	got = w->kind->may_send(w->s, w->st);
	if (!got && unlikely(m->state))
		got = send_marked(w, m);
	else if (!got)
		got = ring_write(&w->st->ring, m->it, w->kind->turn ? w->kind->turn : STREAM_TURN);
	mutex_unlock(&w->st->writer);
	return got;
}

static void send_wake(const struct stream_wait *w, struct socket *peer, size_t left)
{
	if (left >= STREAM_LONG && ring_room(&w->st->ring) >= STREAM_LONG)
		sched_waker_will_run_on();
	socket_wake(peer, POLL_EVENT_READ);
}

long stream_send(struct socket *s, struct socket *peer, struct stream *to, struct sock_msg *m,
		 const struct stream_kind *kind)
{
	struct stream_wait w = {.s = s, .st = to, .kind = kind};
	u64 deadline = 0;
	long done = 0;
	int err;

	while (m->it->count) {
		long got = send_turn(&w, m);

		if (got < 0)
			return done ? done : got;
		if (got) {
			done += got;
			trace_stream_write(s->ino, peer->ino, (u32)got);
			if (kind->wrote)
				kind->wrote(s);
			else
				send_wake(&w, peer, m->it->count);
			continue;
		}
		if (m->nonblock) {
			ring_writable(&to->ring); /* asks to be told of room */
			return done ? done : -EAGAIN;
		}
		if (!deadline)
			deadline = socket_deadline(atomic_load_relaxed(&s->sndtimeo));
		err = socket_wait(s, POLL_EVENT_WRITE, false, send_ready, &w, deadline);
		if (err)
			return done ? done : err;
	}
	return done;
}

/*
 * One turn: bytes, 0 (empty, or *stop: a mark that this call may not pass) or -errno. `done`: bytes
 * that the call has, of `want`.
 */
static long recv_turn(struct stream_wait *w, struct sock_msg *m, u64 done, u64 want, bool *stop)
{
	bool peek = m->flags & MSG_PEEK;
	u64 n = MIN(want - done, (u64)STREAM_TURN);
	long got;

	mutex_lock(&w->st->reader);
	if (w->kind->clip)
		n = w->kind->clip(w->s, m, done, n);
	*stop = n == 0;
	if ((m->flags & MSG_TRUNC) && !peek) {
		got = (long)MIN(n, ring_used(&w->st->ring));
		ring_drop(&w->st->ring, (size_t)got);
	} else {
		got = ring_read(&w->st->ring, m->it, n, w->skip, !peek);
	}
	mutex_unlock(&w->st->reader);
	return got;
}

/* The ring looked empty and there is an end: true if bytes came before it. */
static bool recv_overtaken(const struct stream_wait *w)
{
	/* Pairs with the release in whoever told the end after the last byte. */
	fence_acquire();
	return ring_used(&w->st->ring) > w->skip;
}

/*
 * A turn found nothing: 0: take another one; 1: the call ends with what it has; else -errno (the
 * same if it has something).
 */
static int recv_pause(struct stream_wait *w, struct sock_msg *m, u64 done, u64 *deadline)
{
	int err = w->kind->at_end(w->s, false);

	if (err != -EAGAIN) {
		if (recv_overtaken(w))
			return 0;
		err = done ? 0 : w->kind->at_end(w->s, true);
		return err ? err : 1;
	}
	ring_trim(&w->st->ring);
	if (m->nonblock)
		return -EAGAIN;
	if (!*deadline)
		*deadline = socket_deadline(atomic_load_relaxed(&w->s->rcvtimeo));
	return socket_wait(w->s, POLL_EVENT_READ, false, recv_ready, w, *deadline);
}

long stream_recv(struct socket *s, struct socket *peer, struct stream *from, struct sock_msg *m,
		 const struct stream_kind *kind)
{
	struct stream_wait w = {.s = s, .st = from, .kind = kind};
	u64 want = m->it->count, done = 0, deadline = 0;
	u64 low = m->flags & MSG_WAITALL ? want : MIN(want, (u64)atomic_load_relaxed(&s->rcvlowat));

	while (done < want) {
		bool stop;
		long got = recv_turn(&w, m, done, want, &stop);
		int pause;

		if (got < 0)
			return done ? (long)done : got;
		if (got) {
			done += (u64)got;
			if (m->flags & MSG_PEEK)
				w.skip = done;
			else if (peer)
				stream_took(from, peer);
			if (done < low || ring_used(&from->ring) > w.skip)
				continue;
			break;
		}
		if (stop || (done && done >= low))
			break;
		pause = recv_pause(&w, m, done, &deadline);
		if (pause > 0)
			break;
		if (pause < 0)
			return done ? (long)done : pause;
	}
	return (long)done;
}
