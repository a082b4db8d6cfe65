/*
 * TCP_DEFER_ACCEPT: accept() gives a connection out when its first bytes are there, or its FIN, or when the time is over. This is the local path's side;
 * the wire does the same with segments (wire/open.c).
 *
 * The accepted end is joined to the connecting one as ever, but stays in SYN_RECV, with its place on the accept queue, on the listener's list of deferred
 * ones. Whoever writes to it, or closes, looks at TCP_F_DEFERRED, a bit of a word that it reads anyway.
 *
 * The flag is set under *pair before the connecting end is ESTABLISHED, so no byte comes before it. It is on the list under the listener's lock; who takes it
 * off owns the list's reference: tcp_undefer() passes it on to the ready ones, tcp_defer_drop() and tcp_listen_close() discard it. The listener is reached
 * by waits_for under the epoch, as accept() may give that reference back meanwhile.
 */
#include "kernel/net/tcp.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/epoch.h"

#define SYN_TIMEOUT	1U   /* seconds before SYN and ACK would be sent again for the first time */
#define SYN_TIMEOUT_MAX 120U /* and the longest such time, after doublings */
#define RETRANS_MAX	255U

u32 tcp_defer_seconds(int v)
{
	u32 period = SYN_TIMEOUT, step = SYN_TIMEOUT;

	if (v <= 0)
		return 0;
	for (u32 retrans = 1; period < (u32)v && retrans < RETRANS_MAX; retrans++) {
		step = MIN(step * 2, SYN_TIMEOUT_MAX);
		period += step;
	}
	return period;
}

u64 tcp_defer_deadline(const struct tcp_sock *listener)
{
	u32 seconds = atomic_load_relaxed(&listener->defer_accept);

	return seconds ? time_now() + seconds * time_freq : 0;
}

bool tcp_defer_locked(struct tcp_sock *listener, struct tcp_sock *child)
{
	struct tcp_listener *l = listener->listener;
	u64 deadline = tcp_defer_deadline(listener);
	bool deferred;

	if (likely(!deadline))
		return false;
	spin_lock(&l->lock);
	deferred = !l->closed;
	if (deferred) {
		socket_get(&listener->s);
		atomic_store_release(&child->waits_for, listener);
		atomic_fetch_or(&child->tcp_flags, TCP_F_DEFERRED);
		tcp_set_state(child, ABI_TCP_SYN_RECV);
		list_add_tail(&l->deferred, &child->accept_link);
		timer_arm(&child->syn_timer, deadline);
	}
	spin_unlock(&l->lock);
	return deferred;
}

/* Takes `child` off the list, if it is there: true. With `ready` it is to be accepted, else its place is free. Context: listener's memory held by the epoch. */
static bool deferred_take(struct tcp_sock *listener, struct tcp_sock *child, bool ready)
{
	struct tcp_listener *l = listener->listener;
	bool taken;

	spin_lock(&l->lock);
	taken = !list_empty(&child->accept_link);
	if (taken) {
		list_del(&child->accept_link);
		if (ready) {
			list_add_tail(&l->ready, &child->accept_link);
			atomic_store_relaxed(&l->nr_ready, l->nr_ready + 1);
		} else {
			l->nr_places--;
		}
	}
	spin_unlock(&l->lock);
	return taken;
}

void tcp_undefer(struct tcp_sock *child)
{
	struct tcp_sock *listener = NULL;

	epoch_enter();
	tcp_lock(child);
	/* In another state it is being closed with its listener. */
	if (tcp_flag(child, TCP_F_DEFERRED) && child->state == ABI_TCP_SYN_RECV) {
		atomic_fetch_and(&child->tcp_flags, ~TCP_F_DEFERRED);
		tcp_set_state(child, ABI_TCP_ESTABLISHED);
		listener = atomic_load_acquire(&child->waits_for);
		/* Off the list: the listener is being closed, and `child` with it. */
		if (listener && !deferred_take(listener, child, true))
			listener = NULL;
	}
	tcp_unlock(child);
	if (listener)
		socket_wake(&listener->s, POLL_EVENT_READ);
	epoch_exit();
}

bool tcp_defer_drop(struct tcp_sock *child)
{
	struct tcp_sock *listener;
	bool taken = false;

	epoch_enter();
	listener = atomic_load_acquire(&child->waits_for);
	if (listener && tcp_flag(child, TCP_F_DEFERRED))
		taken = deferred_take(listener, child, false);
	epoch_exit();
	if (taken)
		tcp_child_discard(child);
	return taken;
}
