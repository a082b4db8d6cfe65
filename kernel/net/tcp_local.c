/*
 * Fused TCP: a connection between two sockets of this host. No segments: a send copies into the
 * ring of the peer's receive half, and each event that a segment would carry (SYN, FIN, RST) is a
 * change of both ends' states under the one spin lock that they share.
 *
 * Each end holds a reference on the other, so a peer's memory outlives both files. What was sent
 * counts as received and acknowledged at once: FIN_WAIT1, CLOSING and LAST_ACK are passed through
 * inside one transition.
 *
 * Order of data and FIN: shutdown takes the writer's lock of the peer's ring, so a FIN comes behind
 * every byte of a send that began before; a receiver that sees the FIN looks at the ring once more.
 */
#include "abi/errno.h"
#include "abi/signal.h"
#include "kernel/mm/mm.h"
#include "kernel/net/iface.h"
#include "kernel/net/net.h"
#include "kernel/net/tcp.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"

/* ---- connecting ---- */

/* Bytes in flight: half of what each side asked for, as a window and a send queue would hold. */
static u32 buffer_limit(const struct tcp_sock *from, const struct tcp_sock *to)
{
	u64 bytes = (u64)atomic_load_relaxed(&from->s.sndbuf) / 2 +
		    (u64)atomic_load_relaxed(&to->s.rcvbuf) / 2;

	return (u32)MIN(bytes, (u64)RING_LIMIT_MAX);
}

void tcp_options_changed(struct socket *s)
{
	struct tcp_sock *t = tcp_of(s), *peer = atomic_load_acquire(&t->peer);

	if (t->port.bucket) {
		port_lock(&t->port);
		t->port.reuseaddr = socket_flag(s, SOCK_F_REUSEADDR);
		t->port.reuseport = socket_flag(s, SOCK_F_REUSEPORT);
		port_unlock(&t->port);
	}
	tcp_options_tell(t);
	/* Of a connection that was given up the other end may have another one. */
	if (!peer || atomic_load_relaxed(&peer->peer) != t)
		return;
	atomic_store_relaxed(&peer->rx.ring.limit, buffer_limit(t, peer));
	atomic_store_relaxed(&t->rx.ring.limit, buffer_limit(peer, t));
}

/* Both have the send buffers of connected ones already. */
static void end_open(struct tcp_sock *t, struct tcp_sock *peer)
{
	t->rx.ring.limit = buffer_limit(peer, t);
	atomic_store_relaxed(&t->path, &tcp_local_path);
	if (peer != t)
		socket_get(&peer->s);
	atomic_store_release(&t->peer, peer);
	tcp_set_state(t, ABI_TCP_ESTABLISHED);
}

/* Fuses the two ends. False: `t` has given up meanwhile. *deferred: the peer waits for data before its listener (NULL: none) gives it out. */
static bool ends_join(struct tcp_sock *t, struct tcp_sock *peer, struct tcp_sock *listener,
		      bool *deferred)
{
	bool joined;

	tcp_lock(t);
	joined = t->state == ABI_TCP_SYN_SENT;
	if (joined) {
		atomic_store_release(&peer->pair, t->pair);
		tcp_grow_sndbuf(t);
		tcp_grow_sndbuf(peer);
		end_open(peer, t);
		*deferred = listener && tcp_defer_locked(listener, peer);
		if (peer != t)
			end_open(t, peer);
	}
	tcp_unlock(t);
	return joined;
}

/* Makes the accepted end of a connection whose place is reserved. 0 or -errno. */
static int connect_to(struct tcp_sock *t, struct tcp_sock *listener)
{
	struct tcp_sock *child = tcp_child(listener, &t->remote, &t->local);
	bool deferred;

	if (!child || !ends_join(t, child, listener, &deferred)) {
		tcp_accept_unreserve(listener);
		if (child) {
			child->s.ops->close(&child->s);
			socket_put(&child->s);
		}
		return child ? -ECONNABORTED : -ENOMEM;
	}
	net_count(TCP_ACTIVE_OPENS);
	net_lo_count(3, 180);
	if (!deferred)
		tcp_accept_push(listener, child);
	return 0;
}

static bool is_self(const struct tcp_sock *t)
{
	return t->local.port == t->remote.port && inet_equal(&t->local.addr, &t->remote.addr);
}

/* The listener's queue is full: as if SYNs were lost until accept() makes room. */
static void connect_queue(struct tcp_sock *t, struct tcp_sock *listener)
{
	u64 seconds = (2UL << atomic_load_relaxed(&t->syncnt)) - 1;

	t->waits_for = listener;
	timer_arm(&t->syn_timer, time_now() + seconds * time_freq);
}

int tcp_local_connect(struct tcp_sock *t)
{
	struct tcp_sock *listener = tcp_find_listener(&t->remote, &t->local);
	bool deferred;
	int err;

	if (!listener)
		return is_self(t) && ends_join(t, t, NULL, &deferred) ? 0 : -ECONNREFUSED;
	err = tcp_accept_reserve(listener, t);
	if (!err)
		err = connect_to(t, listener);
	if (err == -EAGAIN) {
		connect_queue(t, listener);
		return 0;
	}
	socket_put(&listener->s);
	return err;
}

void tcp_local_admit(struct tcp_sock *listener)
{
	while (!list_empty(&listener->listener->waiting)) {
		struct tcp_sock *t;

		if (tcp_accept_reserve(listener, NULL))
			return;
		t = tcp_accept_waiter(listener);
		if (!t) {
			tcp_accept_unreserve(listener);
			return;
		}
		timer_cancel(&t->syn_timer);
		if (connect_to(t, listener))
			tcp_reset(t, ENOBUFS);
		socket_wake_all(&t->s);
		socket_put(&t->s);
	}
}

/* ---- data ---- */

static u64 ring_tail(const struct ring *r)
{
	return atomic_load_relaxed(&r->tail);
}

/* Receives stop before the urgent byte, and skip it unless it is in line. */
static size_t local_clip(struct socket *s, struct sock_msg *m, u64 done, size_t n)
{
	struct tcp_sock *t = tcp_of(s);
	u64 at, mark;

	if (likely(atomic_load_acquire(&t->urgent_state) == TCP_URGENT_NONE))
		return n;
	at = ring_tail(&t->rx.ring) + (m->flags & MSG_PEEK ? done : 0);
	mark = atomic_load_relaxed(&t->urgent_at);
	if (at < mark)
		return (size_t)MIN((u64)n, mark - at);
	if (at > mark) {
		atomic_store_relaxed(&t->urgent_state, TCP_URGENT_NONE);
		return n;
	}
	if (done)
		return 0;
	if (!(m->flags & MSG_PEEK) && !socket_flag(s, SOCK_F_OOBINLINE)) {
		ring_drop(&t->rx.ring, 1);
		atomic_store_relaxed(&t->urgent_state, TCP_URGENT_NONE);
	}
	return n;
}

/* A call that slept may find that its connection was given up, and `to` no longer the peer's ring. */
static int local_may_send(struct socket *s, const struct stream *to)
{
	if (unlikely(&atomic_load_relaxed(&tcp_of(s)->peer)->rx != to))
		return -EPIPE;
	return tcp_may_send(s);
}

static const struct stream_kind local_kind = {
	.may_send = local_may_send, .at_end = tcp_at_end, .clip = local_clip};

/* The peer's file is gone: its host answers data with a reset, which the next call hears of. */
static long send_to_dead(struct tcp_sock *t, struct sock_msg *m)
{
	int err = tcp_may_send(&t->s);

	if (err)
		return err;
	net_count(TCP_OUT_RSTS);
	tcp_reset(t, ECONNRESET);
	return (long)m->it->count;
}

/* All but the last byte, then the mark, then the last byte. */
static long local_send_urgent(struct tcp_sock *t, struct tcp_sock *peer, struct sock_msg *m)
{
	struct iov_iter *it = m->it, one;
	struct iov_segment seg;
	u64 last = it->count - 1;
	long done = 0, ret;
	u8 byte;

	if (last) {
		it->count = last;
		done = stream_send(&t->s, &peer->s, &peer->rx, m, &local_kind);
		it->count += 1;
		if (done < (long)last)
			return done;
	}
	if (iov_copy_in(&byte, it, 1) != 1)
		return done ? done : -EFAULT;
	iov_iter_kernel(&one, &seg, &byte, 1);
	mutex_lock(&peer->rx.writer);
	atomic_store_relaxed(&peer->urgent_byte, byte);
	atomic_store_relaxed(&peer->urgent_at, peer->rx.ring.head);
	atomic_store_release(&peer->urgent_state, TCP_URGENT_VALID);
	mutex_unlock(&peer->rx.writer);
	m->it = &one;
	ret = stream_send(&t->s, &peer->s, &peer->rx, m, &local_kind);
	m->it = it;
	socket_wake(&peer->s, POLL_EVENT_PRI);
	socket_signal_owner(&peer->s, SIGURG);
	return ret < 0 ? (done ? done : ret) : done + ret;
}

static long local_send(struct tcp_sock *t, struct sock_msg *m)
{
	struct tcp_sock *peer = t->peer;
	long ret;

	if (unlikely(tcp_flag(peer, TCP_F_DEAD)) && m->it->count)
		return send_to_dead(t, m);
	if (unlikely(!m->it->count))
		return tcp_may_send(&t->s);
	if (unlikely(m->flags & MSG_OOB))
		ret = local_send_urgent(t, peer, m);
	else
		ret = stream_send(&t->s, &peer->s, &peer->rx, m, &local_kind);
	if (unlikely(tcp_flag(peer, TCP_F_DEFERRED)))
		tcp_undefer(peer);
	if (ret > 0) {
		net_lo_count(2, (u64)ret + 104);
		net_count(TCP_OUT_SEGS);
		net_count(TCP_IN_SEGS);
	}
	return ret;
}

static long local_recv(struct tcp_sock *t, struct sock_msg *m)
{
	return stream_recv(&t->s, &t->peer->s, &t->rx, m, &local_kind);
}

static bool local_readable(struct tcp_sock *t)
{
	u64 used = ring_used(&t->rx.ring);
	u32 low = atomic_load_relaxed(&t->s.rcvlowat);

	/* The urgent byte alone is nothing that read() would return. */
	if (unlikely(atomic_load_relaxed(&t->urgent_state)) && used &&
	    !socket_flag(&t->s, SOCK_F_OOBINLINE) &&
	    atomic_load_relaxed(&t->urgent_at) == ring_tail(&t->rx.ring))
		used--;
	return used >= MIN(low, atomic_load_relaxed(&t->rx.ring.limit)) && used;
}

static bool local_writable(struct tcp_sock *t)
{
	return ring_writable(&t->peer->rx.ring);
}

/* ---- FIN and RST ---- */

/*
 * Context: pair locked. `t` sends its FIN: both ends' next states. The end that closed first
 * becomes a TIME_WAIT record, if its file is open still; else it is one already.
 */
static void fin_locked(struct tcp_sock *t, struct tcp_sock *peer)
{
	atomic_fetch_or(&t->tcp_flags, TCP_F_FIN_SENT);
	atomic_fetch_or(&peer->tcp_flags, TCP_F_FIN_SEEN);
	atomic_fetch_or(&peer->s.shutdown, SOCK_SHUT_RD);
	if (t->state == ABI_TCP_ESTABLISHED) {
		tcp_set_state(t, ABI_TCP_FIN_WAIT2);
		if (peer == t) {
			tcp_set_state(t, ABI_TCP_CLOSE);
			time_wait_start(t, true);
		} else if (peer->state == ABI_TCP_ESTABLISHED) {
			tcp_set_state(peer, ABI_TCP_CLOSE_WAIT);
		}
		return;
	}
	/* CLOSE_WAIT: the peer was first. */
	atomic_fetch_or(&t->s.shutdown, SOCK_SHUT_ALL);
	tcp_set_state(t, ABI_TCP_CLOSE);
	tcp_forget(t);
	if (tcp_flag(peer, TCP_F_DEAD)) {
		time_wait_fin(&peer->tuple.tuple);
	} else if (peer->state == ABI_TCP_FIN_WAIT2) {
		atomic_fetch_or(&peer->s.shutdown, SOCK_SHUT_ALL);
		tcp_set_state(peer, ABI_TCP_CLOSE);
		time_wait_start(peer, true);
	}
}

static bool may_send_fin(const struct tcp_sock *t)
{
	return t->state == ABI_TCP_ESTABLISHED || t->state == ABI_TCP_CLOSE_WAIT;
}

static void local_shutdown(struct tcp_sock *t)
{
	struct tcp_sock *peer = t->peer;

	if (tcp_flag(peer, TCP_F_DEFERRED))
		tcp_undefer(peer);
	mutex_lock(&peer->rx.writer);
	tcp_lock(t);
	if (may_send_fin(t))
		fin_locked(t, peer);
	tcp_unlock(t);
	mutex_unlock(&peer->rx.writer);
	net_lo_count(2, 104);
	socket_wake_all(&peer->s);
}

/* FIN, and the record that is all the end needs without its file. */
static void close_orderly(struct tcp_sock *t, struct tcp_sock *peer)
{
	if (tcp_flag(peer, TCP_F_DEFERRED))
		tcp_undefer(peer);
	mutex_lock(&peer->rx.writer);
	tcp_lock(t);
	if (may_send_fin(t))
		fin_locked(t, peer);
	if (t->state == ABI_TCP_FIN_WAIT2)
		time_wait_start(t, false);
	tcp_unlock(t);
	mutex_unlock(&peer->rx.writer);
	net_lo_count(2, 104);
	socket_wake_all(&peer->s);
}

static void close_abort(struct tcp_sock *t, struct tcp_sock *peer)
{
	net_count(TCP_OUT_RSTS);
	tcp_lock(t);
	tcp_set_state(t, ABI_TCP_CLOSE);
	tcp_unlock(t);
	if (!tcp_defer_drop(peer))
		tcp_reset(peer, ECONNRESET);
}

static bool local_close(struct tcp_sock *t)
{
	bool abort = ring_used(&t->rx.ring) != 0 ||
		     (socket_flag(&t->s, SOCK_F_LINGER) && t->s.linger_seconds == 0);

	if (!abort)
		close_orderly(t, t->peer);
	else if (tcp_state(t) != ABI_TCP_CLOSE)
		close_abort(t, t->peer);
	return false;
}

/* From now on nothing that `t` does touches its peer; the peer may still touch `t`. */
static void local_detach(struct tcp_sock *t)
{
	if (t->peer != t)
		socket_put(&t->peer->s);
}

/* ---- giving a connection up ---- */

/*
 * connect(AF_UNSPEC) leaves the peer behind, but a call of another thread may still be in the middle of writing into it, asleep perhaps. Such a call holds
 * the file, not the peer. So the reference stays until the file goes, or until nobody else can be in a call: one descriptor holds the file and, if other tasks
 * are on its table, this very call does. Who calls later sees the next peer. PAST_MAX bounds what a program can pile up.
 */
#define PAST_MAX 64U

struct tcp_past {
	struct tcp_past *next;
	struct tcp_sock *peer; /* a reference */
	u32 nr;		       /* with those behind it */
};

void tcp_local_forget_past(struct tcp_sock *t)
{
	struct tcp_past *p, *next;

	for (p = t->past; p; p = next) {
		next = p->next;
		socket_put(&p->peer->s);
		kfree(p);
	}
	t->past = NULL;
}

/* Context: s.lock held. Nobody but the caller can be in a call on `t`. */
static bool alone(const struct tcp_sock *t)
{
	const struct file *f = atomic_load_relaxed(&t->s.file);
	u32 table = 1, call = fd_table_shared(task_current()->files) ? 1 : 0;

	return f && atomic_load_relaxed(&f->refs) == table + call;
}

/* Whoever was in the middle of a send to `t` has seen the end; what came is dropped. */
static void drop_received(struct tcp_sock *t)
{
	mutex_lock(&t->rx.writer);
	mutex_unlock(&t->rx.writer);
	mutex_lock(&t->rx.reader);
	ring_drop(&t->rx.ring, ring_used(&t->rx.ring));
	atomic_store_relaxed(&t->urgent_state, TCP_URGENT_NONE);
	mutex_unlock(&t->rx.reader);
}

/* The lock was the connecting end's, perhaps the peer's. */
static void leave_pair(struct tcp_sock *t)
{
	struct spinlock *pair;

	tcp_lock(t);
	pair = t->pair;
	atomic_store_release(&t->pair, &t->own_pair);
	spin_unlock(pair);
}

static int local_disconnect(struct tcp_sock *t)
{
	struct tcp_sock *peer = t->peer;
	struct tcp_past *past;

	if (alone(t))
		tcp_local_forget_past(t);
	if (t->past && t->past->nr >= PAST_MAX)
		return -ENOBUFS;
	past = kmalloc(sizeof(*past));
	if (!past)
		return -ENOBUFS;
	if (tcp_state(t) != ABI_TCP_CLOSE)
		close_abort(t, peer);
	drop_received(t);
	if (peer != t) {
		*past = (struct tcp_past){t->past, peer, t->past ? t->past->nr + 1 : 1};
		t->past = past;
		leave_pair(t);
	} else {
		kfree(past);
	}
	return 0;
}

/* ---- what programs ask ---- */

/* The largest segment that lo's link carries. */
static u32 local_link_mss(const struct tcp_sock *t)
{
	return inet_is_v4(&t->remote.addr) ? TCP_LOCAL_MSS : TCP_LOCAL_MSS_V6;
}

/*
 * What Linux would send at once after `sent` bytes: at most half of the largest window that the peer
 * has offered, which begins with 64 KiB and grows with what arrives, and what TCP_MAXSEG of either
 * end says. Programs choose sizes by it: iperf3 that of its datagrams.
 */
static u32 local_mss(const struct tcp_sock *t, u64 sent)
{
	u32 mss = sent < 2 * TCP_LOCAL_MSS ? TCP_LOCAL_MSS_HALF : local_link_mss(t);
	u32 mine = atomic_load_relaxed(&t->maxseg), other = atomic_load_relaxed(&t->peer->maxseg);

	if (mine)
		mss = MIN(mss, mine - TCP_TIMESTAMP_ROOM);
	return other ? MIN(mss, other - TCP_TIMESTAMP_ROOM) : mss;
}

static u32 local_segs(u64 bytes, u32 mss)
{
	return (u32)((bytes + mss - 1) / mss);
}

static void local_info(struct tcp_sock *t, struct abi_tcp_info *out)
{
	struct tcp_sock *peer = t->peer;
	u64 sent = atomic_load_relaxed(&peer->rx.ring.head);
	u64 got = atomic_load_relaxed(&t->rx.ring.head);
	u32 mss = local_mss(t, sent), peer_mss = local_mss(peer, got);

	*out = (struct abi_tcp_info){
		.tcpi_options = TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE,
		.tcpi_wscale = 0x77,
		.tcpi_rto = 204000,
		.tcpi_ato = 40000,
		.tcpi_snd_mss = mss,
		.tcpi_rcv_mss = (u32)MIN(MAX(got, TCP_MSS_DEFAULT), peer_mss),
		.tcpi_pmtu = inet_is_v4(&t->remote.addr) ? 65535 : 65536,
		.tcpi_rcv_ssthresh = atomic_load_relaxed(&t->rx.ring.limit),
		.tcpi_rtt = 20,
		.tcpi_rttvar = 10,
		.tcpi_snd_ssthresh = INT32_MAX,
		.tcpi_snd_cwnd = 10,
		.tcpi_advmss = local_link_mss(t),
		.tcpi_reordering = 3,
		.tcpi_rcv_space = atomic_load_relaxed(&t->rx.ring.limit),
		.tcpi_pacing_rate = ~0UL,
		.tcpi_max_pacing_rate = ~0UL,
		.tcpi_bytes_acked = sent,
		.tcpi_bytes_received = got,
		.tcpi_bytes_sent = sent,
		.tcpi_segs_out = local_segs(sent, mss) + 2,
		.tcpi_segs_in = local_segs(got, peer_mss) + 2,
		.tcpi_data_segs_out = local_segs(sent, mss),
		.tcpi_data_segs_in = local_segs(got, peer_mss),
		.tcpi_min_rtt = 20,
		.tcpi_delivered = local_segs(sent, mss),
		.tcpi_snd_wnd = (u32)ring_room(&peer->rx.ring),
		.tcpi_rcv_wnd = (u32)ring_room(&t->rx.ring),
	};
}

static u32 local_unread(struct tcp_sock *t)
{
	u64 used = ring_used(&t->rx.ring);

	/* Bytes before the urgent one, as Linux counts. */
	if (unlikely(atomic_load_relaxed(&t->urgent_state)) && !socket_flag(&t->s, SOCK_F_OOBINLINE) &&
	    atomic_load_relaxed(&t->urgent_at) >= ring_tail(&t->rx.ring))
		used = MIN(used, atomic_load_relaxed(&t->urgent_at) - ring_tail(&t->rx.ring));
	return (u32)used;
}

/* What the peer has not read is still in our send queue as far as programs can tell. */
static u32 local_unsent(struct tcp_sock *t)
{
	return tcp_flag(t->peer, TCP_F_DEAD) ? 0 : (u32)ring_used(&t->peer->rx.ring);
}

const struct tcp_path tcp_local_path = {
	.send = local_send,
	.recv = local_recv,
	.readable = local_readable,
	.writable = local_writable,
	.shutdown = local_shutdown,
	.close = local_close,
	.detach = local_detach,
	.disconnect = local_disconnect,
	.info = local_info,
	.unread = local_unread,
	.unsent = local_unsent,
};
