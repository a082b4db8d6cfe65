/*
 * Waiting on several words at once: one waiter a word, all of the same thread. Each is an ordinary waiter, claimed by its own
 * compare-and-swap; the call ends when one is, or by timeout or signal, and then takes the others out one by one. What is claimed until
 * then counts as woken too: as on Linux each of those wakers has woken one, and the last word's index is returned.
 */
#include "kernel/futex/futex_internal.h"

#include "kernel/trace/trace.h"

/* The thread is done with all of `v`: the last one that was woken, or -1. */
static int waitv_end(struct futex_wait_entry *v, u32 nr)
{
	int woken = -1;

	for (u32 i = 0; i < nr; i++) {
		if (atomic_cas(&v[i].w.state, FUTEX_QUEUED, FUTEX_SIGNALLED))
			futex_leave(&v[i].w);
		else
			woken = (int)i;
	}
	fence_acquire(); /* pairs with the full barrier of the wakers' claims: a failed CAS orders nothing */
	return woken;
}

static bool waitv_woken(struct futex_wait_entry *v, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		if (atomic_load_relaxed(&v[i].w.state) == FUTEX_WOKEN)
			return true;
	}
	return false;
}

static int waitv_keys(struct futex_wait_entry *v, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		int ret = futex_key(v[i].uaddr, v[i].flags, false, &v[i].w.key);

		if (ret)
			return ret;
		v[i].w.thread = thread_current();
		v[i].w.state = FUTEX_QUEUED;
		v[i].w.bitset = ~0U;
		v[i].w.rt_prio = thread_current()->base_prio;
	}
	return 0;
}

/* Queues all. 0, or the error of the one that is not queued, with the number of those before it in *queued. */
static int waitv_queue(struct futex_wait_entry *v, u32 nr, u32 *queued)
{
	for (*queued = 0; *queued < nr; (*queued)++) {
		struct futex_wait_entry *e = &v[*queued];
		int ret = futex_queue_if_equal(e->uaddr, e->value, &e->w);

		if (ret)
			return ret;
	}
	return 0;
}

int futex_wait_multiple(struct futex_wait_entry *v, u32 nr, u64 deadline, u32 flags)
{
	u32 queued;
	int ret = waitv_keys(v, nr), woken;

	if (ret)
		return ret;
	trace_futex_wait(v[0].uaddr, v[0].value);
	ret = waitv_queue(v, nr, &queued);
	while (ret == 0 && !waitv_woken(v, nr))
		ret = futex_park(deadline, flags);
	woken = waitv_end(v, queued);
	if (woken >= 0)
		ret = woken;
	trace_futex_wait_done((u64)ret);
	return ret;
}
