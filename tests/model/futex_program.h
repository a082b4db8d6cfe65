/*
 * What a program that explores kernel/futex stands on: a table of two buckets, the user's memory as an array of words (atomics; they never
 * fault), no trace. Included once by each test, before the code of kernel/futex.
 */
#ifndef TESTS_MODEL_FUTEX_PROGRAM_H
#define TESTS_MODEL_FUTEX_PROGRAM_H

#include "abi/errno.h"
#include "kernel/futex/futex_internal.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/spinlock.c" /* over the model's atomics, whichever library is linked first */

/* Instead of kernel/trace/trace.h: nothing to see. */
#define KERNEL_TRACE_TRACE_H
#define trace_futex_wait(uaddr, value) ((void)(uaddr))
#define trace_futex_queued(bucket)
#define trace_futex_wait_done(ret)
#define trace_futex_wake(uaddr, nr) ((void)(uaddr))
#define trace_futex_wake_done(nr)
#define trace_futex_requeue(from, to) ((void)(from), (void)(to))
#define trace_futex_requeue_done(woken, moved)
#define trace_futex_pi_wait(uaddr, owner)
#define trace_futex_pi_give(uaddr, next)

#define BUCKETS 2
#define WORDS	64

static struct futex_bucket buckets[BUCKETS];
struct futex_bucket *futex_table = buckets;
u32 futex_mask = BUCKETS - 1;

static struct lock_class futex_class = {.name = "futex", .rank = RANK_FUTEX};

/* User memory: an array at a user address. */
#define WORDS_AT 0x10000UL
static u32 words[WORDS];

static u32 *word_at(u64 uaddr)
{
	return &words[(uaddr - WORDS_AT) / sizeof(u32)];
}

int user_load_u32_nofault(const u32 __user *p, u32 *value)
{
	*value = atomic_load_relaxed(word_at((u64)p));
	return 0;
}

int user_load_u32_nofault_ok(const u32 __user *p, u32 *value)
{
	return user_load_u32_nofault(p, value);
}

int user_load_u32(const u32 __user *p, u32 *value)
{
	return user_load_u32_nofault(p, value);
}

int user_fault_in(const void __user *p, bool write)
{
	(void)p;
	(void)write;
	return 0;
}

int futex_shared_key(u64 uaddr, bool write, struct mm_key *key)
{
	(void)uaddr;
	(void)write;
	(void)key;
	return -EFAULT;
}

int task_park_realtime(u64 ns, u32 park_flags)
{
	return park(ns, park_flags);
}

#endif
