/*
 * Waits that end by time or by a signal.
 */
#include <signal.h>

#include "tests/syscall/futex/futex.h"

/* How late a wait may end on a busy host. */
#define LATE_NS (2 * NS_PER_SEC)

static uint32_t word;

static void check_wait_bitset(int op, clockid_t clock, int64_t ns)
{
	struct timespec ts = timespec_of(now_ns(clock) + ns);
	int64_t begin = now_ns(CLOCK_MONOTONIC), took;

	CHECK_EQ(futex(&word, op | PRIVATE, 0, &ts, NULL, FUTEX_BITSET_MATCH_ANY), -ETIMEDOUT);
	took = now_ns(CLOCK_MONOTONIC) - begin;
	CHECK(took >= ns - NS_PER_MS);
	CHECK(took < ns + LATE_NS);
}

TEST(relative_timeout)
{
	static const int64_t times[] = {1000, NS_PER_MS, 30 * NS_PER_MS};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		int64_t begin = now_ns(CLOCK_MONOTONIC), took;

		CHECK_EQ(futex_wait_for(&word, PRIVATE, 0, times[i]), -ETIMEDOUT);
		took = now_ns(CLOCK_MONOTONIC) - begin;
		CHECK(took >= times[i]);
		CHECK(took < times[i] + LATE_NS);
	}
}

TEST(absolute_timeout)
{
	check_wait_bitset(FUTEX_WAIT_BITSET, CLOCK_MONOTONIC, 30 * NS_PER_MS);
	check_wait_bitset(FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, CLOCK_REALTIME, 30 * NS_PER_MS);
}

TEST(timeout_in_the_past)
{
	struct timespec ts = timespec_of(now_ns(CLOCK_MONOTONIC) - NS_PER_MS);

	CHECK_EQ(futex(&word, FUTEX_WAIT_BITSET | PRIVATE, 0, &ts, NULL, 1), -ETIMEDOUT);
}

/* The largest times that the interface takes mean: for ever. */
TEST(timeout_beyond_the_clock)
{
	static const struct timespec largest = {INT64_MAX, NS_PER_SEC - 1};
	struct waiter relative = {.timeout = &largest};
	struct waiter absolute = {.timeout = &largest, .bitset = 1};

	waiter_queue(&relative, &word, FUTEX_WAIT | PRIVATE);
	waiter_queue(&absolute, &word, FUTEX_WAIT_BITSET | PRIVATE);
	sleep_ms(20);
	CHECK_EQ(futex_wake(&word, PRIVATE, 2), 2);
	waiter_join(&relative, 0);
	waiter_join(&absolute, 0);
}

static int handled;

static void on_signal(int sig)
{
	(void)sig;
	__atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static void set_handler(int flags)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};

	sigaction(SIGUSR1, &action, NULL);
	handled = 0;
}

TEST(signal_ends_a_wait)
{
	struct waiter w = {0};

	set_handler(0);
	waiter_queue(&w, &word, FUTEX_WAIT | PRIVATE);
	pthread_kill(w.thread, SIGUSR1);
	waiter_join(&w, -EINTR);
	CHECK_EQ(handled, 1);
	CHECK_EQ(futex_waiters(&word, PRIVATE), 0);
}

TEST(restart_goes_on_waiting)
{
	struct waiter w = {0};

	set_handler(SA_RESTART);
	waiter_queue(&w, &word, FUTEX_WAIT | PRIVATE);
	pthread_kill(w.thread, SIGUSR1);
	WAIT_UNTIL(__atomic_load_n(&handled, __ATOMIC_SEQ_CST) == 1);
	WAIT_UNTIL(futex_waiters(&word, PRIVATE) == 1);
	CHECK(!waiter_done(&w));
	CHECK_EQ(futex_wake(&word, PRIVATE, 1), 1);
	waiter_join(&w, 0);
}

/* The word has changed while the handler ran. */
TEST(restart_looks_again)
{
	struct waiter w = {0};

	set_handler(SA_RESTART);
	waiter_queue(&w, &word, FUTEX_WAIT | PRIVATE);
	__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
	pthread_kill(w.thread, SIGUSR1);
	waiter_join(&w, -EAGAIN);
	word = 0;
}

/* A wait with a timeout ends by a handler, SA_RESTART or not. */
TEST(timed_wait_is_not_restarted)
{
	struct timespec ts = timespec_of(10 * NS_PER_SEC);
	struct waiter w = {.timeout = &ts};

	set_handler(SA_RESTART);
	waiter_queue(&w, &word, FUTEX_WAIT | PRIVATE);
	pthread_kill(w.thread, SIGUSR1);
	waiter_join(&w, -EINTR);
	CHECK_EQ(handled, 1);
}

TEST(ignored_signal_does_not_end_a_wait)
{
	struct waiter w = {0};

	signal(SIGUSR1, SIG_IGN);
	waiter_queue(&w, &word, FUTEX_WAIT | PRIVATE);
	pthread_kill(w.thread, SIGUSR1);
	sleep_ms(20);
	CHECK(!waiter_done(&w));
	CHECK_EQ(futex_wake(&word, PRIVATE, 1), 1);
	waiter_join(&w, 0);
	signal(SIGUSR1, SIG_DFL);
}

TEST(blocked_signal_does_not_end_a_wait)
{
	sigset_t set, old;
	struct waiter w = {0};

	set_handler(0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	waiter_queue(&w, &word, FUTEX_WAIT | PRIVATE);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_kill(w.thread, SIGUSR1);
	sleep_ms(20);
	CHECK(!waiter_done(&w));
	CHECK_EQ(futex_wake(&word, PRIVATE, 1), 1);
	waiter_join(&w, 0);
	CHECK_EQ(handled, 0);
}
