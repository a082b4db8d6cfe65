/*
 * A one-shot event with one waiter: "it is done". The word goes NULL -> waiter -> DONE, or NULL ->
 * DONE, each step one atomic operation, and the signaller does not touch the completion after its
 * exchange: it may live on the waiter's stack.
 */
#ifndef KERNEL_SYNC_COMPLETION_H
#define KERNEL_SYNC_COMPLETION_H

#include "arch/riscv64/cpu.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/park.h"
#include "lib/types.h"

#define COMPLETION_DONE ((struct thread *)1)

struct completion {
	struct thread *word; /* [a] NULL, the waiter, or COMPLETION_DONE */
};

static inline void completion_init(struct completion *c)
{
	atomic_store_relaxed(&c->word, NULL);
}

/* Context: any; the waiter may go on, and free `c`, before this returns. */
static inline void completion_signal(struct completion *c)
{
	struct thread *waiter = atomic_xchg(&c->word, COMPLETION_DONE);

	/*
	 * The waiter may be gone by now; its struct thread is not: this hart is in the kernel, an
	 * epoch reader.
	 */
	if (waiter && waiter != COMPLETION_DONE)
		unpark(waiter);
}

static inline bool completion_done(const struct completion *c)
{
	/*
	 * Pairs with the exchange in completion_signal(): what the signaller did before is visible.
	 */
	return atomic_load_acquire(&c->word) == COMPLETION_DONE;
}

/* Context: may sleep; by one thread only. */
static inline void completion_wait(struct completion *c)
{
	/*
	 * A failed CAS means that it is done already, but orders nothing: the acquiring load below
	 * does.
	 */
	atomic_cas(&c->word, NULL, thread_current());
	while (!completion_done(c))
		park(PARK_FOREVER, 0);
}

#endif
