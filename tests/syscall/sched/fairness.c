/*
 * Who gets the processor: real-time threads before the others but not for ever, nice values by weight, the idle policy last, and
 * waiting threads on whatever hart is free for them.
 */
#include "tests/syscall/harness.h"

#include <sched.h>
#include <sys/eventfd.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* A thread that counts as fast as it may, on the harts of `cpus`, until told to stop. */
struct spinner {
	pthread_t thread;
	int policy, prio, nice;
	cpu_set_t cpus;
	bool stop;
	uint64_t count;
	int hart; /* where it ran last */
};

static void *spin(void *arg)
{
	struct spinner *s = arg;
	struct sched_param param = {.sched_priority = s->prio};

	if (sched_setaffinity(0, sizeof(s->cpus), &s->cpus) ||
	    setpriority(PRIO_PROCESS, 0, s->nice) || sched_setscheduler(0, s->policy, &param))
		return (void *)1;
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		__atomic_store_n(&s->count, s->count + 1, __ATOMIC_RELAXED);
		__atomic_store_n(&s->hart, sched_getcpu(), __ATOMIC_RELAXED);
	}
	return NULL;
}

static uint64_t spinner_count(struct spinner *s)
{
	return __atomic_load_n(&s->count, __ATOMIC_RELAXED);
}

static int spinner_hart(struct spinner *s)
{
	return __atomic_load_n(&s->hart, __ATOMIC_RELAXED);
}

static void spinners_start(struct spinner *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK_EQ(pthread_create(&s[i].thread, NULL, spin, &s[i]), 0);
}

static void spinners_stop(struct spinner *s, size_t n)
{
	void *result;

	for (size_t i = 0; i < n; i++)
		__atomic_store_n(&s[i].stop, true, __ATOMIC_RELAXED);
	for (size_t i = 0; i < n; i++) {
		pthread_join(s[i].thread, &result);
		CHECK(result == NULL);
	}
}

static cpu_set_t one_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return set;
}

static cpu_set_t all_cpus(void)
{
	cpu_set_t set;

	CHECK_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	return set;
}

static int last_cpu(void)
{
	return (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
}

/* The measuring thread stays out of the way of what it measures, and above it where there is but one hart. */
static void watch(bool begin)
{
	struct sched_param high = {.sched_priority = 90}, none = {0};

	CHECK_EQ(sched_setscheduler(0, begin ? SCHED_FIFO : SCHED_OTHER, begin ? &high : &none), 0);
}

/* Of the time that both run, how much more the first gets: the median of three spans of `ms`, as a loaded host may take a hart away. */
static double spinners_share(struct spinner s[2], int ms)
{
	clockid_t clock[2];
	double share[3];

	for (int i = 0; i < 2; i++) {
		WAIT_UNTIL(spinner_count(&s[i]) > 0);
		CHECK_EQ(pthread_getcpuclockid(s[i].thread, &clock[i]), 0);
	}
	for (int i = 0; i < 3; i++) {
		int64_t before[2] = {now_ns(clock[0]), now_ns(clock[1])};

		sleep_ms(ms);
		share[i] = (double)(now_ns(clock[0]) - before[0]) /
			   (double)(now_ns(clock[1]) - before[1] + 1);
	}
	return MAX(MIN(share[0], share[1]), MIN(MAX(share[0], share[1]), share[2]));
}

TEST(nice_values_share_by_weight)
{
	cpu_set_t cpu = one_cpu(last_cpu());
	struct spinner s[] = {
		{.policy = SCHED_OTHER, .nice = 0, .cpus = cpu},
		{.policy = SCHED_OTHER, .nice = 5, .cpus = cpu},
	};
	double ratio;

	watch(true);
	spinners_start(s, 2);
	ratio = spinners_share(s, 600);
	spinners_stop(s, 2);
	watch(false);
	/* 1024 to 335: 3.06. Slices are 4 ms. */
	if (!CHECK(ratio > 2.2 && ratio < 4.2))
		printf("# ratio %.2f\n", ratio);
}

TEST(far_apart_nice_values_share_by_weight_too)
{
	cpu_set_t cpu = one_cpu(last_cpu());
	struct spinner s[] = {
		{.policy = SCHED_OTHER, .nice = 0, .cpus = cpu},
		{.policy = SCHED_OTHER, .nice = 19, .cpus = cpu},
	};
	double ratio;

	watch(true);
	spinners_start(s, 2);
	ratio = spinners_share(s, 800);
	spinners_stop(s, 2);
	watch(false);
	/* 1024 to 15: 68, of which a slice more or less makes much. */
	if (!CHECK(ratio > 20))
		printf("# ratio %.2f\n", ratio);
}

TEST(the_idle_policy_gets_little_but_something)
{
	cpu_set_t cpu = one_cpu(last_cpu());
	struct spinner s[] = {
		{.policy = SCHED_OTHER, .cpus = cpu},
		{.policy = SCHED_IDLE, .cpus = cpu},
	};

	watch(true);
	spinners_start(s, 2);
	sleep_ms(3000);
	CHECK(spinner_count(&s[0]) > 20 * spinner_count(&s[1]));
	CHECK(spinner_count(&s[1]) > 0);
	spinners_stop(s, 2);
	watch(false);
}

TEST(fifo_leaves_something_to_a_pinned_fair_thread)
{
	cpu_set_t cpu = one_cpu(last_cpu());
	struct spinner s[] = {
		{.policy = SCHED_FIFO, .prio = 10, .cpus = cpu},
		{.policy = SCHED_OTHER, .cpus = cpu},
	};
	uint64_t before, fair, fifo;

	watch(true);
	spinners_start(s, 2);
	sleep_ms(100);
	before = spinner_count(&s[1]);
	sleep_ms(2500);
	fair = spinner_count(&s[1]) - before;
	fifo = spinner_count(&s[0]);
	/* 5% each second, unless just then the host takes the hart away. */
	CHECK(fifo > 5 * fair);
	WAIT_UNTIL(spinner_count(&s[1]) > before);
	spinners_stop(s, 2);
	watch(false);
}

TEST(a_fair_thread_leaves_a_hart_that_fifo_took)
{
	struct spinner s[] = {
		{.policy = SCHED_OTHER, .cpus = all_cpus()},
		{.policy = SCHED_FIFO, .prio = 10},
	};
	cpu_set_t set = one_cpu(last_cpu());
	uint64_t before;

	if (last_cpu() == 0) {
		test_skip("one hart");
		return;
	}
	watch(true);
	/* First pinned, so that it is known to be where the FIFO thread will be. */
	s[1].cpus = set;
	spinners_start(&s[0], 1);
	sleep_ms(20);
	CHECK_EQ(pthread_setaffinity_np(s[0].thread, sizeof(set), &set), 0);
	sleep_ms(20);
	spinners_start(&s[1], 1);
	sleep_ms(50);
	CHECK_EQ(pthread_setaffinity_np(s[0].thread, sizeof(s[0].cpus), &s[0].cpus), 0);
	/* Within less than a period of real-time throttling, which would let it run where it is. */
	before = spinner_count(&s[0]);
	for (int i = 0; i < 35 && spinner_count(&s[0]) == before; i++)
		sleep_ms(20);
	CHECK(spinner_count(&s[0]) > before);
	spinners_stop(s, 2);
	watch(false);
}

TEST(waiting_threads_spread_over_allowed_harts)
{
	struct spinner s[4] = {{0}};
	cpu_set_t all = all_cpus();
	uint64_t before[4];

	if (last_cpu() < 3) {
		test_skip("fewer than four harts");
		return;
	}
	/* Two may use the last two harts, two sit on hart 0: nobody need wait for long but the pinned ones, who share. */
	for (int i = 0; i < 4; i++) {
		s[i].policy = SCHED_OTHER;
		s[i].cpus = all;
		if (i < 2)
			s[i].cpus = one_cpu(0);
		else
			CPU_CLR(0, &s[i].cpus);
	}
	watch(true);
	spinners_start(s, 4);
	sleep_ms(50);
	for (int i = 0; i < 4; i++)
		before[i] = spinner_count(&s[i]);
	for (int i = 0; i < 4; i++)
		WAIT_UNTIL(spinner_count(&s[i]) > before[i]);
	WAIT_UNTIL(spinner_hart(&s[2]) != spinner_hart(&s[3]));
	spinners_stop(s, 4);
	watch(false);
}

#define WAKEUPS 100

struct answerer {
	int asked; /* an eventfd */
	int answers;
	char status[64]; /* its file in /proc, once it runs */
	long slept;	 /* how often it had slept when it was looked at last */
};

static void *answer(void *arg)
{
	struct answerer *a = arg;
	uint64_t value;

	snprintf(a->status, sizeof(a->status), "/proc/self/task/%d/status", gettid());
	for (int i = 1; i <= WAKEUPS; i++) {
		__atomic_store_n(&a->answers, i, __ATOMIC_RELEASE);
		if (read(a->asked, &value, sizeof(value)) != sizeof(value))
			return (void *)1;
	}
	return NULL;
}

/* Waits, without ever blocking, for the `n`th answer and until the thread sleeps. */
static void await_answer(struct answerer *a, int n)
{
	long slept;

	while (__atomic_load_n(&a->answers, __ATOMIC_ACQUIRE) < n)
		;
	do
		slept = proc_value(a->status, "voluntary_ctxt_switches:");
	while (slept == a->slept);
	a->slept = slept;
}

/*
 * A waker that never blocks gets its answer from another hart: if the woken thread waited behind it each answer would cost it a switch at a
 * tick. Where a thread belongs a kernel may have to learn.
 */
TEST(nobody_waits_behind_a_busy_waker)
{
	struct answerer a = {.asked = eventfd(0, 0)};
	struct rusage before, after;
	pthread_t thread;
	uint64_t one = 1;
	void *result;

	if (last_cpu() == 0) {
		test_skip("one hart");
		return;
	}
	CHECK(a.asked >= 0);
	CHECK_EQ(pthread_create(&thread, NULL, answer, &a), 0);
	CHECK_EQ(getrusage(RUSAGE_THREAD, &before), 0);
	for (int i = 1; i <= WAKEUPS; i++) {
		await_answer(&a, i);
		CHECK_EQ(write(a.asked, &one, sizeof(one)), sizeof(one));
	}
	CHECK_EQ(getrusage(RUSAGE_THREAD, &after), 0);
	if (!CHECK(after.ru_nivcsw - before.ru_nivcsw < WAKEUPS / 2))
		printf("# %ld switches\n", after.ru_nivcsw - before.ru_nivcsw);
	pthread_join(thread, &result);
	CHECK(result == NULL);
	close(a.asked);
}

/* The second thread begins as the first one's better, as its creator is, and lowers itself: before its equals, so it goes on. */
TEST(a_fifo_thread_that_lowers_itself_stays_first)
{
	cpu_set_t cpu = one_cpu(last_cpu());
	struct spinner s[] = {
		{.policy = SCHED_FIFO, .prio = 10, .cpus = cpu},
		{.policy = SCHED_FIFO, .prio = 10, .cpus = cpu},
	};
	uint64_t before;

	watch(true);
	spinners_start(&s[0], 1);
	sleep_ms(50);
	spinners_start(&s[1], 1);
	sleep_ms(50);
	before = spinner_count(&s[0]);
	CHECK(before > 0);
	sleep_ms(200);
	CHECK_EQ(spinner_count(&s[0]), before);
	CHECK(spinner_count(&s[1]) > 0);
	spinners_stop(s, 2);
	watch(false);
}

TEST(round_robin_threads_take_turns)
{
	cpu_set_t cpu = one_cpu(last_cpu());
	struct spinner s[] = {
		{.policy = SCHED_RR, .prio = 10, .cpus = cpu},
		{.policy = SCHED_RR, .prio = 10, .cpus = cpu},
	};

	watch(true);
	spinners_start(s, 2);
	sleep_ms(700);
	CHECK(spinner_count(&s[0]) > 0);
	CHECK(spinner_count(&s[1]) > 0);
	spinners_stop(s, 2);
	watch(false);
}
