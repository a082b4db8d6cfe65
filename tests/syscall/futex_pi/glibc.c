/*
 * The same through glibc: PI mutexes of each kind, with timeouts, robust, and with a condition variable.
 */
#include <sys/wait.h>

#include "tests/syscall/futex_pi/actor.h"

static pthread_mutex_t mutex;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long counter;
static bool ready;

static void mutex_create(int type, int robust)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	CHECK_EQ(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT), 0);
	CHECK_EQ(pthread_mutexattr_settype(&attr, type), 0);
	CHECK_EQ(pthread_mutexattr_setrobust(&attr, robust), 0);
	CHECK_EQ(pthread_mutex_init(&mutex, &attr), 0);
	counter = 0;
}

static void *counting_thread(void *arg)
{
	(void)arg;
	for (int i = 0; i < 500; i++) {
		CHECK_EQ(pthread_mutex_lock(&mutex), 0);
		counter++;
		CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	}
	return NULL;
}

TEST(pi_mutex_counts)
{
	static const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ERRORCHECK,
				    PTHREAD_MUTEX_RECURSIVE};

	for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
		pthread_t threads[4];

		mutex_create(types[t], PTHREAD_MUTEX_STALLED);
		for (int i = 0; i < 4; i++)
			threads[i] = thread_start(counting_thread, NULL);
		for (int i = 0; i < 4; i++)
			thread_join(threads[i]);
		CHECK_EQ(counter, 2000);
		CHECK_EQ(pthread_mutex_destroy(&mutex), 0);
	}
}

static void *holding_thread(void *arg)
{
	CHECK_EQ(pthread_mutex_lock(&mutex), 0);
	__atomic_store_n(&ready, true, __ATOMIC_RELEASE);
	sleep_ms((long)arg);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	return NULL;
}

TEST(pi_mutex_with_a_time)
{
	struct timespec end;
	pthread_t holder;

	mutex_create(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
	ready = false;
	holder = thread_start(holding_thread, (void *)100L);
	WAIT_UNTIL(__atomic_load_n(&ready, __ATOMIC_ACQUIRE));
	CHECK_EQ(pthread_mutex_trylock(&mutex), EBUSY);
	end = timespec_of(now_ns(CLOCK_REALTIME) + 10 * NS_PER_MS);
	CHECK_EQ(pthread_mutex_timedlock(&mutex, &end), ETIMEDOUT);
	end = timespec_of(now_ns(CLOCK_MONOTONIC) + 10 * NS_PER_MS);
	CHECK_EQ(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &end), ETIMEDOUT);
	end = timespec_of(now_ns(CLOCK_MONOTONIC) + 5 * NS_PER_SEC);
	CHECK_EQ(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &end), 0);
	CHECK_EQ(pthread_mutex_lock(&mutex), EDEADLK);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(&mutex), EPERM);
	thread_join(holder);
	CHECK_EQ(pthread_mutex_destroy(&mutex), 0);
}

static void *leaving_thread(void *arg)
{
	(void)arg;
	CHECK_EQ(pthread_mutex_lock(&mutex), 0);
	__atomic_store_n(&ready, true, __ATOMIC_RELEASE);
	sleep_ms(30);
	return NULL; /* still its owner */
}

TEST(robust_pi_mutex)
{
	pthread_t owner;

	mutex_create(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
	ready = false;
	owner = thread_start(leaving_thread, NULL);
	WAIT_UNTIL(__atomic_load_n(&ready, __ATOMIC_ACQUIRE));
	CHECK_EQ(pthread_mutex_lock(&mutex), EOWNERDEAD); /* waits for the end of the owner */
	CHECK_EQ(pthread_mutex_consistent(&mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	thread_join(owner);
	thread_join(thread_start(leaving_thread, NULL));
	CHECK_EQ(pthread_mutex_lock(&mutex), EOWNERDEAD); /* it has ended */
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	CHECK_EQ(pthread_mutex_lock(&mutex), ENOTRECOVERABLE);
	CHECK_EQ(pthread_mutex_destroy(&mutex), 0);
}

static void *consuming_thread(void *arg)
{
	(void)arg;
	CHECK_EQ(pthread_mutex_lock(&mutex), 0);
	while (!ready)
		CHECK_EQ(pthread_cond_wait(&changed, &mutex), 0);
	counter++;
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	return NULL;
}

TEST(condition_variable_with_pi_mutex)
{
	pthread_t threads[4];

	mutex_create(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED);
	ready = false;
	for (int i = 0; i < 4; i++)
		threads[i] = thread_start(consuming_thread, NULL);
	sleep_ms(20);
	CHECK_EQ(pthread_mutex_lock(&mutex), 0);
	ready = true;
	CHECK_EQ(pthread_cond_broadcast(&changed), 0);
	CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
	for (int i = 0; i < 4; i++)
		thread_join(threads[i]);
	CHECK_EQ(counter, 4);
	CHECK_EQ(pthread_mutex_destroy(&mutex), 0);
}
