/*
 * Wait queues: how a task sleeps until a file (pipe, console, socket) changes, and how poll and
 * epoll hear of it.
 *
 * An entry sits on one queue. A sleeper's entry is claimed by the first wake that fits it:
 * unlinked under the queue's lock, then marked WOKEN, after which the waker does not touch it
 * again (it lives on the sleeper's stack). A watcher's entry (poll) has a callback and stays
 * linked. Callbacks run under the source's lock, so they only mark something ready and add to the
 * batch.
 *
 * No wake-up is lost:
 *	sleeper				waker
 *	link entry			change the state
 *	fence (B)			fence (A)
 *	state not ready: park		nr_entries > 0: claim, unpark
 * One of the two sees the other's store (store buffering; A pairs with B).
 */
#ifndef KERNEL_FILE_WAITQ_H
#define KERNEL_FILE_WAITQ_H

#include "kernel/file/file.h"
#include "kernel/sync/park.h"
#include "kernel/sync/spinlock.h"
#include "lib/list.h"

struct wait_queue {
	struct spinlock lock; /* RANK_WAITQ */
	struct list entries;  /* [L] in order of arrival */
	u32 nr_entries;	      /* [a] changes under lock */
};

enum wait_state { WAIT_QUEUED, WAIT_WOKEN };

struct wait_entry {
	struct list link; /* [L:queue] */
	struct thread *thread; /* [I] who is woken; alive while the entry is linked, its memory a grace period longer */
	PollEvent events; /* [I] which events concern it */
	bool exclusive;	  /* [I] one such entry is enough per wake */
	u32 state;	  /* [a] enum wait_state */
	/*
	 * [I] watcher: called at each fitting wake, under the queue's lock; NULL: a sleeper,
	 * claimed once
	 */
	void (*fn)(struct wait_entry *e, PollEvent events, struct unpark_batch *batch);
};

void waitq_init(struct wait_queue *q);
/* Link `e`, filled by the caller; full fence after it (B). Context: no lock above RANK_WAITQ. */
void waitq_add(struct wait_queue *q, struct wait_entry *e);
/* Unlink `e`. True if a waker had claimed it. */
bool waitq_remove(struct wait_queue *q, struct wait_entry *e);
/*
 * Tells all entries that wait for any of `events`, but at most nr_exclusive exclusive ones. The
 * caller has changed the state before. Context: any, no lock above RANK_WAITQ; one load when
 * nobody waits.
 */
void waitq_wake(struct wait_queue *q, PollEvent events, u32 nr_exclusive);
#define WAITQ_ALL (~0U)
/*
 * The same under the queue's lock, for owners of a queue whose lock covers more; they flush the
 * batch.
 */
void waitq_wake_locked(struct wait_queue *q, PollEvent events, u32 nr_exclusive,
		       struct unpark_batch *batch);

/*
 * Sleeps until ready(arg) is true: 0; -ETIMEDOUT at `deadline` (ticks, PARK_FOREVER); -EINTR as
 * `park_flags` allow. `ready` reads without locks. `exclusive`: a wake may choose another one
 * instead; a wake that this caller cannot use is passed on. Context: may sleep, no lock held.
 */
int waitq_wait(struct wait_queue *q, PollEvent events, bool exclusive, bool (*ready)(void *),
	       void *arg, u64 deadline, u32 park_flags);

#endif
