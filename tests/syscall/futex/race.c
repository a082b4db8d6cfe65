/*
 * Races between a wake-up, the end of a timeout and a signal. Whoever wins, the two sides agree: as many calls of WAKE say
 * "one" as calls of WAIT say "woken", and nobody sleeps on.
 */
#include <sched.h>
#include <signal.h>

#include "tests/syscall/futex/futex.h"

#define ROUNDS 1000

/* One waiter and one who ends its waits, in step: `round` says which wait may begin, `ended` which has ended. */
struct duel {
	uint32_t word, word2;
	int round, ended;
	int64_t timeout_ns; /* 0: none */
	long woken, timed_out, interrupted, differed, wrong;
};

static struct duel duel;

static void *duel_waiter(void *arg)
{
	(void)arg;
	for (int i = 1; i <= ROUNDS; i++) {
		long ret;

		while (__atomic_load_n(&duel.round, __ATOMIC_ACQUIRE) != i)
			sched_yield();
		if (duel.timeout_ns)
			ret = futex_wait_for(&duel.word, PRIVATE, (uint32_t)i,
					     duel.timeout_ns * (1 + i % 7));
		else
			ret = futex_wait(&duel.word, PRIVATE, (uint32_t)i);
		duel.woken += ret == 0;
		duel.timed_out += ret == -ETIMEDOUT;
		duel.interrupted += ret == -EINTR;
		duel.differed += ret == -EAGAIN;
		duel.wrong += ret != 0 && ret != -ETIMEDOUT && ret != -EINTR && ret != -EAGAIN;
		__atomic_store_n(&duel.ended, i, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void pause_a_little(int i)
{
	for (int n = 0; n < i % 5 * 40; n++)
		__asm__ volatile("nop");
}

/* Each round: `act` until the wait has ended; returns how many it woke in all. */
static long duel_run(int64_t timeout_ns, long (*act)(pthread_t waiter, int round))
{
	pthread_t thread;
	long woken = 0;

	memset(&duel, 0, sizeof(duel));
	duel.timeout_ns = timeout_ns;
	thread = thread_start(duel_waiter, NULL);
	for (int i = 1; i <= ROUNDS; i++) {
		__atomic_store_n(&duel.word, (uint32_t)i, __ATOMIC_SEQ_CST);
		__atomic_store_n(&duel.round, i, __ATOMIC_RELEASE);
		pause_a_little(i);
		while (__atomic_load_n(&duel.ended, __ATOMIC_ACQUIRE) != i) {
			woken += act(thread, i);
			sched_yield();
		}
	}
	thread_join(thread);
	CHECK_EQ(duel.wrong, 0);
	CHECK_EQ(duel.woken + duel.timed_out + duel.interrupted + duel.differed, ROUNDS);
	printf("# woken %ld, timed out %ld, interrupted %ld\n", duel.woken, duel.timed_out,
	       duel.interrupted);
	return woken;
}

static long act_wake(pthread_t waiter, int round)
{
	(void)waiter;
	(void)round;
	return futex_wake(&duel.word, PRIVATE, 1);
}

TEST(wake_against_timeout)
{
	CHECK_EQ(duel_run(30000, act_wake), duel.woken);
}

static long sent, handled;

static void on_signal(int sig)
{
	(void)sig;
	__atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static void set_handler(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGUSR1, &action, NULL);
	sent = handled = 0;
}

/* One at a time: a thread that gets signals as fast as it handles them goes nowhere. */
static void send_signal(pthread_t waiter)
{
	if (__atomic_load_n(&handled, __ATOMIC_SEQ_CST) == sent) {
		sent++;
		pthread_kill(waiter, SIGUSR1);
		sched_yield();
	}
}

static long act_signal(pthread_t waiter, int round)
{
	send_signal(waiter);
	pause_a_little(round);
	return futex_wake(&duel.word, PRIVATE, 1);
}

TEST(wake_against_signal)
{
	set_handler();
	CHECK_EQ(duel_run(0, act_signal), duel.woken);
}

static long act_all(pthread_t waiter, int round)
{
	if (round % 3 == 0)
		send_signal(waiter);
	if (round % 2 == 0)
		futex_requeue(&duel.word, &duel.word2, PRIVATE, 0, 1);
	return futex_wake(&duel.word2, PRIVATE, 1) + futex_wake(&duel.word, PRIVATE, 1);
}

TEST(wake_against_timeout_signal_and_requeue)
{
	set_handler();
	CHECK_EQ(duel_run(30000, act_all), duel.woken);
}

/* Many waiters with short timeouts on one word, several wakers: the sums agree. */
#define WAITERS 6
#define WAKERS	2

static uint32_t crowd_word;
static long crowd_waits, crowd_wakes;
static bool crowd_stop;

static void *crowd_waiter(void *arg)
{
	long n = (long)arg, woken = 0;

	for (int i = 0; i < ROUNDS; i++)
		woken += futex_wait_for(&crowd_word, PRIVATE, 0, 1000 + (i + n) % 9 * 20000) == 0;
	__atomic_add_fetch(&crowd_waits, woken, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *crowd_waker(void *arg)
{
	long n = (long)arg, woken = 0;

	while (!__atomic_load_n(&crowd_stop, __ATOMIC_ACQUIRE)) {
		woken += futex_wake(&crowd_word, PRIVATE, (int)(1 + n++ % 3));
		sched_yield();
	}
	__atomic_add_fetch(&crowd_wakes, woken, __ATOMIC_SEQ_CST);
	return NULL;
}

TEST(crowd_of_waiters_and_wakers)
{
	pthread_t waiters[WAITERS], wakers[WAKERS];

	for (long i = 0; i < WAITERS; i++)
		waiters[i] = thread_start(crowd_waiter, (void *)i);
	for (long i = 0; i < WAKERS; i++)
		wakers[i] = thread_start(crowd_waker, (void *)i);
	for (int i = 0; i < WAITERS; i++)
		thread_join(waiters[i]);
	__atomic_store_n(&crowd_stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < WAKERS; i++)
		thread_join(wakers[i]);
	CHECK_EQ(crowd_waits, crowd_wakes);
	CHECK_EQ(futex_waiters(&crowd_word, PRIVATE), 0);
}

/* The lock of the futex(2) papers: 0 free, 1 held, 2 held and somebody may wait. Lost wake-ups hang it. */
static uint32_t lock_word;
static long counter;

static void lock(void)
{
	uint32_t old = 0;

	if (__atomic_compare_exchange_n(&lock_word, &old, 1, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		return;
	while (__atomic_exchange_n(&lock_word, 2, __ATOMIC_SEQ_CST) != 0)
		futex_wait(&lock_word, PRIVATE, 2);
}

static void unlock(void)
{
	if (__atomic_exchange_n(&lock_word, 0, __ATOMIC_SEQ_CST) == 2)
		futex_wake(&lock_word, PRIVATE, 1);
}

static void *lock_main(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		lock();
		counter++;
		if (i % 8 == 0)
			sched_yield(); /* with the lock held, so that others must sleep */
		unlock();
	}
	return NULL;
}

TEST(lock_loses_no_wakeup)
{
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		threads[i] = thread_start(lock_main, NULL);
	for (int i = 0; i < 8; i++)
		thread_join(threads[i]);
	CHECK_EQ(counter, 8 * ROUNDS);
}

/* glibc's own: producers and consumers through a condition variable with broadcast. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int queue_length;
static long taken;

static void *consumer_main(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		while (queue_length == 0)
			pthread_cond_wait(&changed, &mutex);
		queue_length--;
		taken++;
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

TEST(condition_variable)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		threads[i] = thread_start(consumer_main, NULL);
	for (int i = 0; i < 4 * ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		queue_length++;
		if (i % 2)
			pthread_cond_signal(&changed);
		else
			pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&mutex);
	}
	for (int i = 0; i < 4; i++)
		thread_join(threads[i]);
	CHECK_EQ(taken, 4 * ROUNDS);
}
