/*
 * Keys, the bucket table and its queues.
 *
 * A key names a word for as long as somebody waits on it: (object id, page index, offset) where two address spaces may
 * share the word, (address space, address) elsewhere. Object ids are never reused, and an address space outlives the
 * threads that wait in it, so keys hold no reference. The table has 256 buckets a hart, rounded up to a power of two.
 */
#include "kernel/futex/futex.h"
#include "kernel/futex/futex_internal.h"

#include "arch/riscv64/cpu.h"
#include "kernel/log/log.h"
#include "kernel/sync/lock_class.h"
#include "kernel/task/task.h"

#define BUCKETS_PER_HART 256

/* In the offset of a shared key of unshared memory: on Linux such a key does not meet a private one of the same word. */
#define KEY_SHARED_CALL 1U
#define KEY_SPACE_MM	BIT(63)

LOCK_CLASS(futex, RANK_FUTEX);

struct futex_bucket *futex_table;
u32 futex_mask;

static u32 table_order(u32 buckets)
{
	u32 order = 0;

	while ((PAGE_SIZE << order) < buckets * sizeof(struct futex_bucket))
		order++;
	return order;
}

void futex_init(void)
{
	u32 buckets = BUCKETS_PER_HART;

	while (buckets < BUCKETS_PER_HART * nr_cpus)
		buckets *= 2;
	futex_table = page_alloc(table_order(buckets), PAGE_ZERO);
	if (!futex_table)
		panic("no memory for %u futex buckets", buckets);
	for (u32 i = 0; i < buckets; i++) {
		spin_init(&futex_table[i].lock, &futex_class);
		list_init(&futex_table[i].queue);
	}
	futex_mask = buckets - 1;
	task_exit_ops.exit = futex_task_exit;
}

int futex_shared_key(u64 uaddr, bool write, struct mm_key *key)
{
	int ret = mm_futex_key(thread_current()->mm, uaddr, write, key);

	if (ret == 0 && (key->space & KEY_SPACE_MM))
		key->offset |= KEY_SHARED_CALL;
	return ret;
}

void futex_enqueue(struct futex_bucket *b, struct futex_waiter *w)
{
	struct list *after = b->queue.prev;

	/* Nearly always at the tail; a real-time waiter goes before lower priorities. */
	while (after != &b->queue &&
	       list_entry(after, struct futex_waiter, link)->rt_prio < w->rt_prio)
		after = after->prev;
	list_add(after, &w->link);
	atomic_store_relaxed(&w->bucket, b);
}

void futex_unlink(struct futex_waiter *w)
{
	struct futex_bucket *b = atomic_load_relaxed(&w->bucket);

	list_del(&w->link);
	atomic_fetch_add(&b->waiters, (u32)-1);
}

/*
 * The order matters: the waiter's memory is its stack, and it leaves as soon as it sees that nobody will touch it.
 *
 *	waker					waiter that timed out
 *	unlink; bucket = NULL			state = TIMED_OUT
 *						bucket is NULL: return, stack reused
 *	CAS(state): writes into the new frame
 *
 * So the CAS comes before `bucket` is cleared, and `bucket` is cleared only where the CAS has lost.
 */
bool futex_claim(struct futex_waiter *w, struct unpark_batch *batch)
{
	/* Alive until this hart's next quiescent point: threads are freed after a grace period. */
	struct thread *t = w->thread;

	futex_unlink(w);
	if (atomic_cas(&w->state, FUTEX_QUEUED, FUTEX_WOKEN)) {
		unpark_batch_add(batch, t);
		return true;
	}
	atomic_store_release(&w->bucket, NULL); /* pairs with the acquire in futex_leave() */
	return false;
}
