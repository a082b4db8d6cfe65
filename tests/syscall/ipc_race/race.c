#include "tests/syscall/ipc_race/race.h"

struct arena *arena;
static pid_t workers[WORKERS];

int rounds_wanted(const char *name, int otherwise)
{
	const char *text = getenv(name);

	return text ? atoi(text) : otherwise;
}

unsigned race_random(unsigned *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

void race_pause(unsigned *seed)
{
	for (volatile unsigned n = race_random(seed) % 4096; n > 0; n--)
		;
}

static void wait_for(int *word, int old)
{
	for (int i = 0; __atomic_load_n(word, __ATOMIC_ACQUIRE) == old; i++)
		if (i > 100)
			sched_yield();
}

static void worker_loop(int worker, void (*work)(int worker))
{
	/* Counted here: by the time that the last is done, the next round may have begun. */
	for (int round = 0;; round++) {
		wait_for(&arena->round, round);
		if (__atomic_load_n(&arena->round, __ATOMIC_ACQUIRE) < 0)
			_exit(0);
		work(worker);
		__atomic_fetch_add(&arena->done, 1, __ATOMIC_ACQ_REL);
	}
}

void race_start(void (*work)(int worker))
{
	if (!arena)
		arena = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(arena, 0, sizeof(*arena));
	fflush(stdout);
	for (int i = 0; i < WORKERS; i++) {
		arena->seed[i] = (unsigned)i * 7919 + 1;
		workers[i] = fork();
		if (workers[i] == 0)
			worker_loop(i, work);
	}
}

void race_round(void (*act)(void))
{
	arena->done = 0;
	__atomic_store_n(&arena->round, arena->round + 1, __ATOMIC_RELEASE);
	act();
	for (int i = 0; __atomic_load_n(&arena->done, __ATOMIC_ACQUIRE) < WORKERS; i++)
		if (i > 100)
			sched_yield();
}

void race_end(void)
{
	__atomic_store_n(&arena->round, -1, __ATOMIC_RELEASE);
	for (int i = 0; i < WORKERS; i++)
		CHECK_EQ(child_wait(workers[i]), 0);
	if (!CHECK_EQ(arena->failures, 0))
		printf("# the last one: %ld\n", arena->last_failure);
}

void race_unexpected(long result)
{
	arena->last_failure = result;
	__atomic_fetch_add(&arena->failures, 1, __ATOMIC_RELAXED);
}
