/*
 * Spin locks: the waiting, the counting and, in debug builds, the lock order.
 *
 * A waiter spins on a plain load, so the line stays shared until the holder stores. After
 * SPIN_FAST_TURNS turns (about 20 us under TCG: a pause is 18 ns) the holder's virtual CPU has
 * probably lost its host core: the waiter then lends its own through spin_wait_slow before each
 * further round.
 */
#include "kernel/sync/spinlock.h"

#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/sync_ops.h"

#define SPIN_FAST_TURNS 1000
#define MAX_HELD	16 /* spin locks that one hart holds at a time */

struct sync_ops sync_ops;
u8 lock_stat_key;

static void spin_wait(struct spinlock *l, const void *site)
{
	u64 turns = 0, began = sync_lock_wait(l->class, l, NULL, atomic_load_relaxed(&l->owner));

	do {
		while (spin_word_locked(&l->lock)) {
			cpu_relax();
			if (++turns % SPIN_FAST_TURNS == 0 && sync_ops.spin_wait_slow)
				sync_ops.spin_wait_slow();
		}
	} while (!spin_word_trylock(&l->lock));
	sync_lock_taken(l->class, l, began, turns, site);
}

void __noinline spin_lock_slow(struct spinlock *l)
{
	spin_wait(l, NULL);
}

/*
 * What this hart holds and counts. An entry outlives its hold if counting is switched off meanwhile; it is overwritten by the next
 * hold of the lock, or with the whole table when that is full.
 */
struct spin_counted {
	u32 count;
	struct spin_hold {
		const struct spinlock *lock;
		const void *site;
		u64 since;
	} hold[MAX_HELD];
};

static PERCPU(struct spin_counted, spin_counted); /* [c] */

static struct spin_hold *spin_find_hold(struct spin_counted *c, const struct spinlock *l)
{
	for (u32 i = c->count; i > 0; i--)
		if (c->hold[i - 1].lock == l)
			return &c->hold[i - 1];
	return NULL;
}

static void spin_note_hold(struct spinlock *l, const void *site)
{
	struct spin_counted *c = this_cpu_ptr(spin_counted);
	struct spin_hold *hold;
	u64 since = sync_ops.lock_held();

	atomic_store_relaxed(&l->owner, cpu_id() + 1);
	if (!since)
		return;
	hold = spin_find_hold(c, l);
	if (!hold) {
		if (c->count == MAX_HELD)
			c->count = 0;
		hold = &c->hold[c->count++];
	}
	*hold = (struct spin_hold){l, site, since};
}

void __noinline spin_lock_counted(struct spinlock *l)
{
	const void *site = __builtin_return_address(0);

	if (!spin_word_trylock(&l->lock))
		spin_wait(l, site);
	spin_note_hold(l, site);
}

void __noinline spin_count_taken(struct spinlock *l)
{
	spin_note_hold(l, __builtin_return_address(0));
}

void __noinline spin_count_release(struct spinlock *l)
{
	struct spin_counted *c = this_cpu_ptr(spin_counted);
	struct spin_hold *hold = spin_find_hold(c, l);

	atomic_store_relaxed(&l->owner, 0);
	if (!hold)
		return;
	sync_ops.lock_released(l->class, hold->site, hold->since);
	*hold = c->hold[--c->count];
}

#ifdef KERNEL_DEBUG

/* The spin locks that a hart holds, in the order of taking. */
struct lock_held {
	u32 count;
	const struct spinlock *lock[MAX_HELD];
};

static PERCPU(struct lock_held, lock_held); /* [c] */

static void lock_order_panic(const struct spinlock *held, const struct spinlock *wanted)
{
	if (sync_ops.panic)
		sync_ops.panic("lock order: %s (rank %u, %p) wanted while holding %s (rank %u, %p)",
			       wanted->class->name, wanted->class->rank, (const void *)wanted,
			       held->class->name, held->class->rank, (const void *)held);
	__builtin_trap();
}

void spin_check_order(const struct spinlock *l, bool nested)
{
	const struct lock_held *h = this_cpu_ptr(lock_held);

	SYNC_BUG_ON(!l->class); /* never initialised */
	SYNC_BUG_ON(l->class->rank < RANK_SPIN);
	for (u32 i = 0; i < h->count; i++) {
		const struct spinlock *held = h->lock[i];

		if (held->class->rank < l->class->rank)
			continue;
		if (nested && held->class == l->class && held < l)
			continue;
		lock_order_panic(held, l);
	}
}

void spin_note_locked(struct spinlock *l)
{
	struct lock_held *h = this_cpu_ptr(lock_held);

	SYNC_BUG_ON(h->count == MAX_HELD);
	h->lock[h->count++] = l;
	atomic_store_relaxed(&l->owner, cpu_id() + 1);
}

void spin_note_unlocking(struct spinlock *l)
{
	struct lock_held *h = this_cpu_ptr(lock_held);
	u32 i = h->count;

	spin_assert_held(l);
	while (i > 0 && h->lock[i - 1] != l)
		i--;
	SYNC_BUG_ON(i == 0);
	for (; i < h->count; i++)
		h->lock[i - 1] = h->lock[i];
	h->count--;
	atomic_store_relaxed(&l->owner, 0);
}

void spin_assert_held(const struct spinlock *l)
{
	SYNC_BUG_ON(atomic_load_relaxed(&l->owner) != cpu_id() + 1);
}

u32 spin_held_count(void)
{
	return this_cpu(lock_held).count;
}

const struct spinlock *spin_held(u32 cpu, u32 i)
{
	const struct lock_held *h = cpu_ptr(lock_held, cpu);

	return i < h->count && i < MAX_HELD ? h->lock[i] : NULL;
}

#endif
