/*
 * SIGKILL against owners of robust locks and against waiters: no lock is lost, none is held twice, and nothing stays queued.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/syscall/futex_race/race.h"

#define CHILDREN     3
#define KILL_SECONDS 10 /* for each round of the set */

struct arena {
	pthread_mutex_t mutex;
	pid_t holder;
	uint32_t holders;
	uint32_t takes, deaths; /* of an owner, as seen by the next */
	uint32_t twice;
	uint32_t word, word2;
};

static struct arena *arena_create(int protocol)
{
	struct arena *a =
		mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setprotocol(&attr, protocol);
	CHECK_EQ(pthread_mutex_init(&a->mutex, &attr), 0);
	return a;
}

static void arena_take(struct arena *a)
{
	int ret = pthread_mutex_lock(&a->mutex);

	if (ret == EOWNERDEAD) {
		a->holders = 0;
		a->deaths++;
		pthread_mutex_consistent(&a->mutex);
	} else if (ret) {
		_exit(2);
	}
	if (++a->holders != 1)
		a->twice++;
	a->takes++;
	__atomic_store_n(&a->holder, getpid(), __ATOMIC_SEQ_CST);
	race_pause(300);
	__atomic_store_n(&a->holder, 0, __ATOMIC_SEQ_CST);
	a->holders--;
	pthread_mutex_unlock(&a->mutex);
}

static pid_t arena_child(struct arena *a)
{
	pid_t child = fork();

	if (child == 0) {
		for (;;)
			arena_take(a);
	}
	return child;
}

/*
 * Kills owners until `kills` deaths were seen, or, since a victim may have let go meanwhile and a busy host makes forking
 * slow, for some seconds; a few deaths there must be.
 */
static void kill_owners(struct arena *a, uint32_t kills)
{
	int64_t enough = now_ns(CLOCK_MONOTONIC) + test_rounds(KILL_SECONDS) * NS_PER_SEC;
	pid_t children[CHILDREN];
	uint32_t seen = 0;
	int status;

	for (int i = 0; i < CHILDREN; i++)
		children[i] = arena_child(a);
	while (__atomic_load_n(&a->deaths, __ATOMIC_SEQ_CST) < kills &&
	       (now_ns(CLOCK_MONOTONIC) < enough || !__atomic_load_n(&a->deaths, __ATOMIC_SEQ_CST))) {
		int64_t end = now_ns(CLOCK_MONOTONIC) + 20 * NS_PER_SEC;
		pid_t victim;

		/* Somebody takes the lock: it was not lost with the last owner. */
		while (__atomic_load_n(&a->takes, __ATOMIC_SEQ_CST) == seen) {
			if (now_ns(CLOCK_MONOTONIC) > end) {
				test_fail(__FILE__, __LINE__, "nobody gets the lock any more");
				goto out;
			}
			sched_yield();
		}
		seen = __atomic_load_n(&a->takes, __ATOMIC_SEQ_CST);
		victim = __atomic_load_n(&a->holder, __ATOMIC_SEQ_CST);
		for (int i = 0; i < CHILDREN; i++) {
			if (children[i] != victim)
				continue;
			kill(victim, SIGKILL);
			CHECK_EQ(waitpid(victim, &status, 0), victim);
			CHECK(WIFSIGNALED(status));
			children[i] = arena_child(a);
		}
	}
out:
	for (int i = 0; i < CHILDREN; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], &status, 0);
	}
	CHECK_EQ(a->twice, 0);
	CHECK(a->deaths > 0);
	printf("# %u owners killed, lock taken %u times\n", a->deaths, a->takes);
}

TEST(robust_lock_against_kill)
{
	struct arena *a = arena_create(PTHREAD_PRIO_NONE);

	kill_owners(a, (uint32_t)test_rounds(ROUNDS));
	munmap(a, sizeof(*a));
}

TEST(robust_pi_lock_against_kill)
{
	struct arena *a = arena_create(PTHREAD_PRIO_INHERIT);

	kill_owners(a, (uint32_t)test_rounds(ROUNDS));
	munmap(a, sizeof(*a));
}

/* Two processes wait; they are killed while they are woken and moved. */
TEST(requeue_against_kill)
{
	struct arena *a = arena_create(PTHREAD_PRIO_NONE);
	uint32_t seed = 1;

	for (long i = 0; i < test_rounds(ROUNDS); i++) {
		pid_t children[2];
		int status;

		for (int c = 0; c < 2; c++) {
			children[c] = fork();
			if (children[c] == 0) {
				for (;;)
					futex_wait(c ? &a->word2 : &a->word, 0, 0);
			}
		}
		WAIT_UNTIL(futex_waiters(&a->word, 0) + futex_waiters(&a->word2, 0) == 2);
		for (int n = 0; n < 30; n++) {
			if (n == (int)(race_random(&seed) % 30))
				kill(children[n & 1], SIGKILL);
			futex_requeue(&a->word, &a->word2, 0, 0, 2);
			if (n % 4 == 0)
				futex_wake(&a->word2, 0, 1);
			futex_requeue(&a->word2, &a->word, 0, 0, 1);
		}
		for (int c = 0; c < 2; c++) {
			kill(children[c], SIGKILL);
			CHECK_EQ(waitpid(children[c], &status, 0), children[c]);
		}
		CHECK_EQ(futex_waiters(&a->word, 0), 0);
		CHECK_EQ(futex_waiters(&a->word2, 0), 0);
	}
	munmap(a, sizeof(*a));
}
