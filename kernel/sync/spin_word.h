/*
 * The word under a spin lock: Concurrency Kit's fas lock in the kernel; on the host the same
 * protocol in our own atomics, which ThreadSanitizer and the model checker can see through.
 */
#ifndef KERNEL_SYNC_SPIN_WORD_H
#define KERNEL_SYNC_SPIN_WORD_H

#include "lib/types.h"

#ifdef __riscv

#include <ck_spinlock.h>

struct spin_word {
	ck_spinlock_fas_t fas;
};

static inline bool spin_word_trylock(struct spin_word *w)
{
	return ck_spinlock_fas_trylock(&w->fas);
}

static inline bool spin_word_locked(const struct spin_word *w)
{
	return ck_pr_load_uint(&w->fas.value) != 0;
}

static inline void spin_word_unlock(struct spin_word *w)
{
	ck_spinlock_fas_unlock(&w->fas);
}

#else

#include "kernel/sync/atomic.h"

struct spin_word {
	u32 value;
};

static inline bool spin_word_trylock(struct spin_word *w)
{
	return atomic_xchg(&w->value, 1) == 0;
}

static inline bool spin_word_locked(const struct spin_word *w)
{
	return atomic_load_relaxed(&w->value) != 0;
}

static inline void spin_word_unlock(struct spin_word *w)
{
	atomic_store_release(&w->value, 0);
}

#endif

static_assert(sizeof(struct spin_word) == sizeof(u32), "a spin lock is one word");

#endif
