/*
 * PI futexes: owners that end at any step, timeouts and signals against hand-overs, locks taken in any order, requeues.
 */
#include <signal.h>

#include "tests/syscall/futex_race/race.h"

#define THREADS 6
#define WORDS	4

static uint32_t words[WORDS];
static int holders[WORDS];

/* The word was taken: by nobody else. */
static void hold(int i, uint32_t turns)
{
	CHECK_EQ(__atomic_load_n(&words[i], __ATOMIC_SEQ_CST) & FUTEX_TID_MASK, race_tid());
	CHECK_EQ(__atomic_add_fetch(&holders[i], 1, __ATOMIC_SEQ_CST), 1);
	race_pause(turns);
	__atomic_sub_fetch(&holders[i], 1, __ATOMIC_SEQ_CST);
}

static void run_threads(int count, void *(*fn)(void *))
{
	pthread_t threads[THREADS];

	for (long i = 0; i < count; i++)
		threads[i] = thread_start(fn, (void *)i);
	for (int i = 0; i < count; i++)
		thread_join(threads[i]);
}

static void check_free(void)
{
	for (int i = 0; i < WORDS; i++)
		CHECK_EQ(words[i] & FUTEX_TID_MASK, 0);
}

/* ---- the owner ends ---- */

static int exit_step;

static void *ending_owner(void *arg)
{
	uint32_t seed = (uint32_t)(long)arg;

	CHECK_EQ(race_lock(&words[0], NULL), 0);
	__atomic_store_n(&exit_step, 1, __ATOMIC_SEQ_CST);
	race_pause(race_random(&seed) % 3000);
	return NULL; /* without unlock */
}

static void *heir(void *arg)
{
	uint32_t seed = (uint32_t)(long)arg;
	long ret;

	while (!__atomic_load_n(&exit_step, __ATOMIC_SEQ_CST))
		sched_yield();
	race_pause(race_random(&seed) % 3000);
	ret = race_lock(&words[0], NULL);
	/* Too late to be told by the kernel: the word names a thread that is gone, or that another heir is about to replace. */
	if (ret == -ESRCH || ret == -EINVAL)
		return (void *)1;
	CHECK_EQ(ret, 0);
	hold(0, 10);
	CHECK_EQ(race_unlock(&words[0]), 0);
	return NULL;
}

TEST(pi_owner_ends_at_any_step)
{
	long late = 0;

	for (long i = 0; i < test_rounds(ROUNDS); i++) {
		pthread_t owner, heirs[2];
		void *result;

		words[0] = 0;
		exit_step = 0;
		owner = thread_start(ending_owner, (void *)i);
		heirs[0] = thread_start(heir, (void *)(i * 7 + 1));
		heirs[1] = thread_start(heir, (void *)(i * 7 + 2));
		thread_join(owner);
		for (int h = 0; h < 2; h++) {
			pthread_join(heirs[h], &result);
			late += result != NULL;
		}
	}
	printf("# %ld of %ld came too late\n", late, 2 * test_rounds(ROUNDS));
}

/* ---- hand-over against timeout and signal ---- */

static void on_signal(int sig)
{
	(void)sig;
}

static pthread_t storm_threads[THREADS];
static int storm_running;

static void *storm_thread(void *arg)
{
	uint32_t seed = (uint32_t)(long)arg;

	for (long i = 0; i < test_rounds(ROUNDS); i++) {
		struct timespec end =
			timespec_of(now_ns(CLOCK_MONOTONIC) + race_random(&seed) % 200000);
		long ret = race_lock(&words[0], &end);

		if (ret == -ETIMEDOUT)
			continue;
		if (!CHECK_EQ(ret, 0))
			break;
		hold(0, race_random(&seed) % 2000);
		CHECK_EQ(race_unlock(&words[0]), 0);
	}
	__atomic_sub_fetch(&storm_running, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST(pi_hand_over_against_timeout_and_signal)
{
	struct sigaction sa = {.sa_handler = on_signal};

	sigaction(SIGUSR1, &sa, NULL);
	memset(words, 0, sizeof(words));
	storm_running = THREADS;
	for (long i = 0; i < THREADS; i++)
		storm_threads[i] = thread_start(storm_thread, (void *)i);
	for (int i = 0; __atomic_load_n(&storm_running, __ATOMIC_SEQ_CST); i = (i + 1) % THREADS) {
		pthread_kill(storm_threads[i], SIGUSR1);
		sleep_ms(1);
	}
	for (int i = 0; i < THREADS; i++)
		thread_join(storm_threads[i]);
	CHECK_EQ(words[0] & FUTEX_TID_MASK, 0);
}

/* ---- two locks in any order: deadlocks are found, and nobody sleeps on ---- */

static long deadlocks;

static void *crossing_thread(void *arg)
{
	uint32_t seed = (uint32_t)(long)arg;

	for (long i = 0; i < test_rounds(ROUNDS); i++) {
		int a = (int)(race_random(&seed) % WORDS), b = (int)(race_random(&seed) % WORDS);
		long ret;

		if (a == b)
			continue;
		ret = race_lock(&words[a], NULL);
		/* Others have just closed a cycle, and have not left it yet. */
		if (ret == -EDEADLK)
			continue;
		if (!CHECK_EQ(ret, 0))
			break;
		race_pause(race_random(&seed) % 500);
		ret = race_lock(&words[b], NULL);
		if (ret == 0) {
			hold(b, 20);
			CHECK_EQ(race_unlock(&words[b]), 0);
		} else {
			CHECK_EQ(ret, -EDEADLK);
			__atomic_add_fetch(&deadlocks, 1, __ATOMIC_SEQ_CST);
		}
		hold(a, 20);
		CHECK_EQ(race_unlock(&words[a]), 0);
	}
	return NULL;
}

TEST(pi_locks_in_any_order)
{
	memset(words, 0, sizeof(words));
	deadlocks = 0;
	run_threads(THREADS, crossing_thread);
	check_free();
	printf("# %ld deadlocks\n", deadlocks);
}

/* Priorities change while chains form and dissolve. */
static void *priority_thread(void *arg)
{
	struct sched_param param = {.sched_priority = (int)(long)arg % 4 + 1};

	if ((long)arg % 2)
		CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &param), 0);
	return crossing_thread(arg);
}

TEST(pi_locks_in_any_order_and_priority)
{
	memset(words, 0, sizeof(words));
	run_threads(THREADS, priority_thread);
	check_free();
}

/* ---- requeue ---- */

static uint32_t cond;
static bool requeue_over;
static long requeue_got;

static void *requeue_waiter(void *arg)
{
	uint32_t seed = (uint32_t)(long)arg;

	for (long i = 0; i < test_rounds(ROUNDS); i++) {
		struct timespec end =
			timespec_of(now_ns(CLOCK_MONOTONIC) + race_random(&seed) % 300000);
		uint32_t value = __atomic_load_n(&cond, __ATOMIC_SEQ_CST);
		long ret = futex(&cond, FUTEX_WAIT_REQUEUE_PI | PRIVATE, value, &end, &words[0], 0);

		if (ret == 0) {
			hold(0, 50);
			CHECK_EQ(race_unlock(&words[0]), 0);
			__atomic_add_fetch(&requeue_got, 1, __ATOMIC_SEQ_CST);
		} else {
			CHECK(ret == -ETIMEDOUT || ret == -EAGAIN);
		}
	}
	return NULL;
}

static void *requeue_signaller(void *arg)
{
	uint32_t seed = (uint32_t)(long)arg;

	while (!__atomic_load_n(&requeue_over, __ATOMIC_ACQUIRE)) {
		uint32_t value = __atomic_add_fetch(&cond, 1, __ATOMIC_SEQ_CST);
		bool own = race_random(&seed) & 1;
		long ret;

		if (own)
			CHECK_EQ(race_lock(&words[0], NULL), 0);
		ret = futex(&cond, FUTEX_CMP_REQUEUE_PI | PRIVATE, 1,
			    (void *)(long)(race_random(&seed) % 4), &words[0], value);
		CHECK(ret >= 0 || ret == -EAGAIN);
		if (own)
			CHECK_EQ(race_unlock(&words[0]), 0);
		sched_yield();
	}
	return NULL;
}

TEST(pi_requeue_against_timeout)
{
	pthread_t signallers[2];

	memset(words, 0, sizeof(words));
	requeue_over = false;
	requeue_got = 0;
	for (long i = 0; i < 2; i++)
		signallers[i] = thread_start(requeue_signaller, (void *)(i + 50));
	run_threads(4, requeue_waiter);
	__atomic_store_n(&requeue_over, true, __ATOMIC_RELEASE);
	for (int i = 0; i < 2; i++)
		thread_join(signallers[i]);
	check_free();
	printf("# %ld of %ld were moved\n", requeue_got, 4 * test_rounds(ROUNDS));
}
