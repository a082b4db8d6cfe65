/*
 * Threads that make one system call after the other on demand, so that a test can put several of them into known places.
 */
#ifndef TESTS_SYSCALL_FUTEX_PI_ACTOR_H
#define TESTS_SYSCALL_FUTEX_PI_ACTOR_H

#include "tests/syscall/futex/futex.h"

struct actor {
	pthread_t thread;
	uint32_t tid;
	int rt_prio;   /* FIFO if not 0, set before actor_start() */
	uint32_t step; /* one more for each call, and for the end */
	bool end;
	long call[7]; /* number and arguments */
	bool in_call, done;
	long result;
};

void actor_start(struct actor *a);
/* Begins a futex call. */
void actor_futex(struct actor *a, volatile void *word, int op, long value, const void *timeout,
		 volatile void *word2, long value3);
static inline bool actor_done(struct actor *a)
{
	return __atomic_load_n(&a->done, __ATOMIC_ACQUIRE);
}
/* Returns when it sleeps in its call. */
void actor_sleeps(struct actor *a);
/* The result of its call, which must come. */
long actor_result(struct actor *a);
void actor_stop(struct actor *a);

/* Begins LOCK_PI and waits until it sleeps there; LOCK_PI, or UNLOCK_PI, that does not wait. */
void actor_lock_sleeps(struct actor *a, volatile uint32_t *word);
long actor_lock(struct actor *a, volatile uint32_t *word);
long actor_unlock(struct actor *a, volatile uint32_t *word);

static inline uint32_t my_tid(void)
{
	return (uint32_t)sys0(SYS_gettid);
}

static inline long lock_pi(volatile uint32_t *word)
{
	return futex(word, FUTEX_LOCK_PI | PRIVATE, 0, NULL, NULL, 0);
}

static inline long unlock_pi(volatile uint32_t *word)
{
	return futex(word, FUTEX_UNLOCK_PI | PRIVATE, 0, NULL, NULL, 0);
}

/* The real-time priority that a thread of this process runs at, 0 for the fair classes: what /proc shows. */
int running_priority(uint32_t tid);

#endif
