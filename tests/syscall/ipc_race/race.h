/*
 * Races of System V IPC: workers, which are processes, start each round together with the test. The environment
 * variable IPC_ROUNDS says how many rounds (1000 for a soak), IPC_KILLS how many processes kill.c kills.
 */
#ifndef TESTS_SYSCALL_IPC_RACE_RACE_H
#define TESTS_SYSCALL_IPC_RACE_RACE_H

#include "tests/syscall/ipc/ipc.h"

#define WORKERS 4

/* Memory that test and workers share. */
struct arena {
	int round;	   /* workers wait for it to grow; -1: the end */
	int done;	   /* workers that have finished the round */
	int id;		   /* the object of this round */
	int key;	   /* or its key */
	long count[8];	   /* what a test adds up */
	int failures;	   /* unexpected results */
	long last_failure; /* one of them */
	unsigned seed[WORKERS];
};
extern struct arena *arena;

int rounds_wanted(const char *name, int otherwise);
unsigned race_random(unsigned *seed);
/* About 0 to 50 microseconds. */
void race_pause(unsigned *seed);

/* Starts WORKERS processes that run `work(worker)` once a round. */
void race_start(void (*work)(int worker));
/* A round: workers run, and meanwhile `act()`; returns when all have finished. */
void race_round(void (*act)(void));
void race_end(void);

/* Notes a result that is none of those allowed. */
void race_unexpected(long result);
static inline void race_add(long *sum, long n)
{
	__atomic_fetch_add(sum, n, __ATOMIC_RELAXED);
}

#endif
