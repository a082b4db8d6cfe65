/*
 * Races of futex calls with each other and with all that may happen to the threads and the memory. Few rounds by default; the program's
 * second argument multiplies them: `futex_race_test robust_lock 100` kills ten thousand owners.
 */
#ifndef TESTS_SYSCALL_FUTEX_RACE_RACE_H
#define TESTS_SYSCALL_FUTEX_RACE_RACE_H

#include <sched.h>

#include "tests/syscall/futex/futex.h"

#define ROUNDS 100

static inline uint32_t race_tid(void)
{
	return (uint32_t)sys0(SYS_gettid);
}

/* A cheap source of different orders. */
static inline uint32_t race_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static inline void race_pause(uint32_t turns)
{
	for (uint32_t i = 0; i < turns; i++)
		__asm__ volatile("nop");
}

/* A PI lock as a program takes it: the word first. 0 or -errno. */
static inline long race_lock(uint32_t *word, const struct timespec *end)
{
	uint32_t free = 0;

	if (__atomic_compare_exchange_n(word, &free, race_tid(), false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		return 0;
	return futex(word, FUTEX_LOCK_PI2 | PRIVATE, 0, end, NULL, 0);
}

static inline long race_unlock(uint32_t *word)
{
	uint32_t mine = race_tid();

	if (__atomic_compare_exchange_n(word, &mine, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return 0;
	return futex(word, FUTEX_UNLOCK_PI | PRIVATE, 0, NULL, NULL, 0);
}

#endif
