/*
 * Private to kernel/futex: keys, buckets and waiters.
 */
#ifndef KERNEL_FUTEX_FUTEX_INTERNAL_H
#define KERNEL_FUTEX_FUTEX_INTERNAL_H

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/bucket_lock.h"
#include "kernel/sync/park.h"
#include "kernel/sync/spinlock.h"
#include "lib/list.h"

/* The scheduler's part of a wait and of a wake is written out here: three calls less on the way of a hand-off. Models bring their own. */
#ifdef __riscv
#include "kernel/sched/switch.h"
#include "kernel/sched/wake.h"
#else
#define sched_park_inline	 park
#define sched_batch_add_ordered	 unpark_batch_add
#define sched_batch_flush_inline unpark_batch_flush
#endif

#define FUTEX_SHARED   BIT(0) /* the word may be reached through another address space */
#define FUTEX_REALTIME BIT(1) /* a deadline is CLOCK_REALTIME in nanoseconds, not ticks */

/* One cache line: the lock, the count that lets an empty wake pass without it, and the waiters in order of waking. */
struct futex_bucket {
	struct bucket_lock lock;
	u32 waiters;	   /* [a] queued, or about to be; written under the lock */
	struct list queue; /* [L:lock] real-time priority first, then arrival */
} __cacheline_aligned;

static_assert(sizeof(struct futex_bucket) == CACHE_LINE, "one line a bucket");

/* What a waiter waits for: a wake-up, to own a PI futex, or first to be moved to one. */
enum futex_kind { FUTEX_PLAIN, FUTEX_PI, FUTEX_TO_PI };
enum futex_state { FUTEX_QUEUED, FUTEX_WOKEN, FUTEX_TIMED_OUT, FUTEX_SIGNALLED };

/*
 * A waiting thread, in its wait_room or, if the call needs more than one or another kind, on its stack. `state` leaves QUEUED by one
 * compare-and-swap, which decides between waker, timeout and signal. Lifetime, for either place is used again by the thread's next call: a
 * waker's last access is the one that sets WOKEN, or where it has lost, the one that sets `bucket` to NULL; both come after it
 * has unlinked the waiter. A waiter that won itself stays until it is unlinked. What wakers and requeues look at is one cache line.
 */
struct futex_waiter {
	struct list link;	     /* [L:bucket lock] */
	struct futex_bucket *bucket; /* [a] written under the lock of the old and the new bucket */
	struct mm_key key;	     /* [L:bucket lock] */
	struct thread *thread;	     /* [I] */
	u32 state;		     /* [a] enum futex_state */
	u16 rt_prio; /* [I] 0 for the fair classes; [L:bucket lock] of kind FUTEX_PI */
	u16 kind;    /* [L:bucket lock] enum futex_kind; always FUTEX_PLAIN, or never */
	u32 bitset;  /* [I] */
};

static_assert(offsetof(struct futex_waiter, bitset) == CACHE_LINE, "one line but for the bitset");
static_assert(sizeof(struct futex_waiter) <= THREAD_WAIT_ROOM, "it lies there");

/* ---- core.c ---- */

extern struct futex_bucket *futex_table; /* [I] after boot */
extern u32 futex_mask;			 /* [I] number of buckets - 1 */

static inline u32 futex_rotate(u32 x, u32 bits)
{
	return x << bits | x >> (32 - bits);
}

/* Source: Bob Jenkins, lookup3.c, final(). */
static inline struct futex_bucket *futex_bucket(const struct mm_key *key)
{
	u32 a = (u32)key->space ^ (u32)(key->space >> 32);
	u32 b = (u32)key->page ^ (u32)(key->page >> 32);
	u32 c = key->offset;

	c = (c ^ b) - futex_rotate(b, 14);
	a = (a ^ c) - futex_rotate(c, 11);
	b = (b ^ a) - futex_rotate(a, 25);
	c = (c ^ b) - futex_rotate(b, 16);
	a = (a ^ c) - futex_rotate(c, 4);
	b = (b ^ a) - futex_rotate(a, 14);
	c = (c ^ b) - futex_rotate(b, 24);
	return &futex_table[c & futex_mask];
}

/* The key of a word that other spaces may share. 0, -EFAULT. May sleep. */
int futex_shared_key(u64 uaddr, bool write, struct mm_key *key);

/* 0, -EINVAL (unaligned), -EFAULT. */
static inline int futex_check_address(u64 uaddr)
{
	if (uaddr & 3)
		return -EINVAL;
	return user_range_ok((const void __user *)uaddr, sizeof(u32)) ? 0 : -EFAULT;
}

/*
 * A private key needs no look-up: the space itself names it, for as long as a thread of it waits or wakes, and a key that
 * nobody waits on is never compared.
 */
static inline struct mm_key futex_private_key(u64 uaddr)
{
	return (struct mm_key){
		.space = (u64)thread_current()->mm,
		.page = uaddr >> PAGE_SHIFT,
		.offset = (u32)uaddr & (PAGE_SIZE - 1),
	};
}

/* True if futex_key() would succeed for both words of a private call. */
static inline bool futex_private_pair_ok(u64 uaddr1, u64 uaddr2)
{
	static_assert((USER_TOP & (USER_TOP - 1)) == 0, "an address above has one of the upper bits");
	return !((uaddr1 | uaddr2) & (~(USER_TOP - 1) | 3));
}

/* 0, -EINVAL (unaligned), -EFAULT. write: the call will change the word. */
static inline int futex_key(u64 uaddr, u32 flags, bool write, struct mm_key *key)
{
	int ret = futex_check_address(uaddr);

	if (ret)
		return ret;
	if (flags & FUTEX_SHARED)
		return futex_shared_key(uaddr, write, key);
	*key = futex_private_key(uaddr);
	return 0;
}

static inline bool futex_key_equal(const struct mm_key *a, const struct mm_key *b)
{
	/* One branch, for QEMU translates a block a branch. */
	return !((a->page ^ b->page) | (a->offset ^ b->offset) | (a->space ^ b->space));
}

/* ---- waitwake.c ---- */

/* The key of `uaddr`, and a first look at it. 0, -EAGAIN (it is not `value`), -EFAULT, -EINVAL. May sleep. */
static inline int futex_look(u64 uaddr, u32 flags, u32 value, struct mm_key *key)
{
	u32 current_value;
	int ret = futex_key(uaddr, flags, false, key);

	if (ret)
		return ret;
	if (user_load_u32((const u32 __user *)uaddr, &current_value))
		return -EFAULT;
	return current_value == value ? 0 : -EAGAIN;
}
/* Queues `w`, whose key is set, if *uaddr == value. 0, -EAGAIN, -EFAULT. May sleep. */
int futex_queue_if_equal(u64 uaddr, u32 value, struct futex_waiter *w);
/* `w` has won its own state: it is nobody else's to wake. Out of whichever bucket it is in. */
void futex_leave(struct futex_waiter *w);
/* As park(), interruptibly; with FUTEX_REALTIME the deadline follows that clock. */
int futex_park(u64 deadline, u32 flags);
/* `deadline` by `flags`, or PARK_FOREVER. 0, -EAGAIN, -ETIMEDOUT, -EINTR, -EFAULT. May sleep. */
int futex_wait(u64 uaddr, u32 flags, const struct mm_key *key, u32 value, u64 deadline, u32 bitset);
/* Private, without a time, any bits; the caller has looked at the word. -ERESTARTSYS after a signal. */
long futex_wait_private(u64 uaddr, u32 value);
/* Private, any bits. */
long futex_wake_private(u64 uaddr, int nr_wake);
/* Number woken, -EFAULT, -EINVAL. As on Linux an nr_wake below 1 counts as 1. */
int futex_wake(u64 uaddr, u32 flags, int nr_wake, u32 bitset);
/* Claims up to nr_wake waiters of `key` in the locked bucket; how many, or -EINVAL where it meets one of another kind. */
int futex_wake_locked(struct futex_bucket *b, const struct mm_key *key, int nr_wake, u32 bitset,
		      struct unpark_batch *batch);

/* ---- waitv.c ---- */

/* One of several words that are waited for. */
struct futex_wait_entry {
	struct futex_waiter w;
	u64 uaddr; /* [I] */
	u32 value; /* [I] */
	u32 flags; /* [I] */
};

/* The index of a woken one of nr >= 1 zeroed entries with uaddr, value and flags set, or as futex_wait(). May sleep. */
int futex_wait_multiple(struct futex_wait_entry *v, u32 nr, u64 deadline, u32 flags);

/* ---- syscalls.c: 0 with the nanoseconds, PARK_FOREVER if they are beyond reach; -EFAULT, -EINVAL. ---- */
int futex_read_time(u64 uaddr, u64 *ns);

/* ---- wake_op.c: number woken, -EFAULT, -EINVAL, -ENOSYS. May sleep. ---- */
int futex_wake_op(u64 uaddr1, u32 flags, u64 uaddr2, int nr_wake, int nr_wake2, u32 op);

/* ---- requeue.c: number woken and moved, -EAGAIN if *uaddr1 != *expect, -EFAULT, -EINVAL. May sleep. ---- */
int futex_requeue(u64 uaddr1, u32 flags, u64 uaddr2, int nr_wake, int nr_requeue, const u32 *expect);

/* Locks both buckets and checks the word. 0, -EAGAIN, -EFAULT; locked only on 0. */
int futex_lock_both(struct futex_bucket *b1, struct futex_bucket *b2, u64 uaddr1, const u32 *expect);

/* ---- robust.c: the exit hook. Context: the exiting task, its address space live. May sleep. ---- */
struct task;
void futex_task_exit(struct task *t);

#endif
