/*
 * Sleeping mutexes: see mutex.h for the word and its transitions.
 */
#include "kernel/sync/mutex.h"

#include "kernel/sync/epoch.h"
#include "kernel/sync/sync_ops.h"

struct lock_class mutex_wait_class __attribute__((section("lock_classes"), used)) = {
	.name = "mutex_wait",
	.rank = RANK_MUTEX_WAIT,
};

#define MUTEX_SPIN_TURNS 500 /* about 15 us under TCG */

/* On the waiter's stack; the waiter itself takes it off the queue. */
struct mutex_waiter {
	struct list link;      /* [L:wait] */
	struct thread *thread; /* [I] */
};

#ifdef KERNEL_DEBUG

/*
 * Before locking: right order, no spin lock held, not held already. `nested`: a mutex of the same
 * class may be held.
 */
static void mutex_check_order(const struct mutex *m, bool nested)
{
	const struct mutex *held = park_ops.held_mutexes ? *park_ops.held_mutexes() : NULL;

	SYNC_BUG_ON(spin_held_count() != 0);
	SYNC_BUG_ON(epoch_depth() != 0);
	SYNC_BUG_ON(mutex_held(m));
	for (; held; held = held->held_next) {
		if (held->class->rank < m->class->rank || (nested && held->class == m->class))
			continue;
		if (sync_ops.panic)
			sync_ops.panic(
				"lock order: mutex %s (rank %u) wanted while holding %s (rank %u)",
				m->class->name, m->class->rank, held->class->name, held->class->rank);
		__builtin_trap();
	}
}

static void mutex_note_locked(struct mutex *m)
{
	struct mutex **chain;

	if (!park_ops.held_mutexes)
		return;
	chain = park_ops.held_mutexes();
	m->held_next = *chain;
	*chain = m;
}

static void mutex_note_unlocking(struct mutex *m)
{
	struct mutex **link;

	SYNC_BUG_ON(!mutex_held(m));
	if (!park_ops.held_mutexes)
		return;
	for (link = park_ops.held_mutexes(); *link != m; link = &(*link)->held_next)
		SYNC_BUG_ON(!*link);
	*link = m->held_next;
}

#else

static void mutex_check_order(const struct mutex *m, bool nested)
{
	(void)m;
	(void)nested;
}

static void mutex_note_locked(struct mutex *m)
{
	(void)m;
}

static void mutex_note_unlocking(struct mutex *m)
{
	(void)m;
}

#endif

/* Where it was taken, and since when, for the statistics. */
static void mutex_count_taken(struct mutex *m, const void *site)
{
	if (unlikely(static_key_on(&lock_stat_key))) {
		m->site = site;
		m->since = sync_ops.lock_held();
	}
}

static __noinline void mutex_count_release(struct mutex *m)
{
	if (m->since)
		sync_ops.lock_released(m->class, m->site, m->since);
	m->since = 0;
}

void mutex_init(struct mutex *m, struct lock_class *class)
{
	atomic_store_relaxed(&m->word, 0);
	spin_init(&m->wait, &mutex_wait_class);
	list_init(&m->queue);
	m->class = class;
	m->since = 0;
	m->held_next = NULL;
}

bool mutex_trylock(struct mutex *m)
{
	if (!atomic_cas(&m->word, 0, (u64)thread_current()))
		return false;
	mutex_note_locked(m);
	mutex_count_taken(m, __builtin_return_address(0));
	return true;
}

/*
 * Takes a free mutex (off the queue then), or makes sure that its owner's unlock sees the queue.
 * True if taken. Context: m->wait held, `w` queued.
 */
static bool mutex_take_or_mark(struct mutex *m, struct mutex_waiter *w)
{
	bool alone = m->queue.next == &w->link && m->queue.prev == &w->link;

	for (;;) {
		u64 word = atomic_load_relaxed(&m->word);

		if (word & ~MUTEX_WAITERS) {
			if ((word & MUTEX_WAITERS) ||
			    atomic_cas(&m->word, word, word | MUTEX_WAITERS))
				return false;
		} else if (atomic_cas(&m->word, word, (u64)w->thread | (alone ? 0 : MUTEX_WAITERS))) {
			list_del(&w->link);
			return true;
		}
	}
}

/*
 * Spins while the owner runs, `turns` times at most: true as soon as the mutex is free, false if it will not be soon. The
 * owner had the mutex when we read the word, in this epoch: its struct thread is still there.
 */
static bool mutex_spin(const struct mutex *m, u32 *turns)
{
	bool free = false;

	epoch_enter();
	for (; park_ops.running && *turns; --*turns) {
		const struct thread *owner =
			(const struct thread *)(atomic_load_relaxed(&m->word) & ~MUTEX_WAITERS);

		free = !owner;
		if (free || !park_ops.running(owner))
			break;
		cpu_relax();
	}
	epoch_exit();
	return free;
}

/* Takes it while it is free; bit 0 stays as it is, so the wait lock is not needed. */
static bool mutex_take_free(struct mutex *m)
{
	u64 waiters = atomic_load_relaxed(&m->word);

	return !(waiters & ~MUTEX_WAITERS) &&
	       atomic_cas(&m->word, waiters, (u64)thread_current() | waiters);
}

/* A waiter gives up: the last one to go takes bit 0 along. Context: m->wait held. */
static void mutex_leave_queue(struct mutex *m, struct mutex_waiter *w)
{
	list_del(&w->link);
	if (list_empty(&m->queue))
		atomic_fetch_and(&m->word, ~MUTEX_WAITERS);
}

static int mutex_wait(struct mutex *m, u32 flags)
{
	struct mutex_waiter w = {.thread = thread_current()};
	u32 turns;
	int err = 0;

	spin_lock(&m->wait);
	list_add_tail(&m->queue, &w.link);
	while (!mutex_take_or_mark(m, &w)) {
		/* Not free even now: whoever owns it will wake the first of the others. */
		if (err) {
			mutex_leave_queue(m, &w);
			spin_unlock(&m->wait);
			return err;
		}
		spin_unlock(&m->wait);
		err = park(PARK_FOREVER, flags);
		turns = err ? 0 : MUTEX_SPIN_TURNS;
		mutex_spin(m, &turns);
		spin_lock(&m->wait);
	}
	spin_unlock(&m->wait);
	return 0;
}

static int mutex_lock_slow(struct mutex *m, u32 flags, const void *site)
{
	u64 word = atomic_load_relaxed(&m->word);
	u64 began = sync_lock_wait(m->class, m, (const struct thread *)(word & ~MUTEX_WAITERS), 0);
	u32 turns = MUTEX_SPIN_TURNS;
	bool taken = false;
	int err = 0;

	while (!taken && mutex_spin(m, &turns)) {
		taken = mutex_take_free(m);
		turns -= turns != 0;
	}
	if (!taken)
		err = mutex_wait(m, flags);
	sync_lock_taken(m->class, m, began, MUTEX_SPIN_TURNS - turns, site);
	return err;
}

static int mutex_lock_flags(struct mutex *m, u32 flags, bool nested, const void *site)
{
	int err;

	mutex_check_order(m, nested);
	if (likely(atomic_cas(&m->word, 0, (u64)thread_current()))) {
		mutex_note_locked(m);
		mutex_count_taken(m, site);
		return 0;
	}
	err = mutex_lock_slow(m, flags, site);
	if (!err) {
		mutex_note_locked(m);
		mutex_count_taken(m, site);
	}
	return err;
}

void mutex_lock(struct mutex *m)
{
	mutex_lock_flags(m, 0, false, __builtin_return_address(0));
}

void mutex_lock_nested(struct mutex *m)
{
	mutex_lock_flags(m, 0, true, __builtin_return_address(0));
}

int mutex_lock_killable(struct mutex *m)
{
	return mutex_lock_flags(m, PARK_KILLABLE, false, __builtin_return_address(0));
}

int mutex_lock_interruptible(struct mutex *m)
{
	return mutex_lock_flags(m, PARK_INTERRUPTIBLE, false, __builtin_return_address(0));
}

void mutex_unlock(struct mutex *m)
{
	struct thread *next = NULL;

	mutex_note_unlocking(m);
	if (unlikely(static_key_on(&lock_stat_key)))
		mutex_count_release(m);
	if (likely(atomic_cas(&m->word, (u64)thread_current(), 0)))
		return;
	spin_lock(&m->wait);
	if (!list_empty(&m->queue))
		next = list_first(&m->queue, struct mutex_waiter, link)->thread;
	atomic_store_release(&m->word, next ? MUTEX_WAITERS : 0);
	spin_unlock(&m->wait);
	/*
	 * `next` may have left the queue by now: its struct thread lives on under the epoch, and a
	 * spurious wake-up is allowed.
	 */
	if (next)
		unpark(next);
}
