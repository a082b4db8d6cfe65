/*
 * cases CASE: four ways to be slow, for tools/trace/summary to find.
 *
 *   convoy      six threads take one lock for so long that the others always sleep for it
 *   ping-pong   a thread is sent to another hart before each of its runs
 *   inversion   a real-time thread waits for a lock of a low one, which a third keeps from running
 *   collision   two pairs of threads hand over through futexes of their own that share a bucket
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void futex_wait(uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void spin_us(int64_t us)
{
	int64_t end = now_us() + us;

	while (now_us() < end)
		;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

static void fifo(int priority)
{
	struct sched_param param = {.sched_priority = priority};

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		fail("sched_setscheduler");
}

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	errno = pthread_create(&t, NULL, fn, arg);
	if (errno)
		fail("pthread_create");
	return t;
}

/* ---- convoy ---- */

static uint32_t ticket_next,
	ticket_now; /* a fair lock: whoever releases it wakes the next, and queues again */

static void *convoy_worker(void *unused)
{
	for (int i = 0; i < 100; i++) {
		uint32_t mine = __atomic_fetch_add(&ticket_next, 1, __ATOMIC_ACQ_REL), seen;

		while ((seen = __atomic_load_n(&ticket_now, __ATOMIC_ACQUIRE)) != mine)
			futex_wait(&ticket_now, seen);
		spin_us(200);
		__atomic_fetch_add(&ticket_now, 1, __ATOMIC_ACQ_REL);
		syscall(SYS_futex, &ticket_now, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
	}
	return unused;
}

static void convoy(void)
{
	pthread_t t[6];

	for (int i = 0; i < 6; i++)
		t[i] = start(convoy_worker, NULL);
	for (int i = 0; i < 6; i++)
		pthread_join(t[i], NULL);
}

/* ---- ping-pong ---- */

static void *ping_pong_worker(void *unused)
{
	for (int i = 0; i < 400; i++) {
		pin(i % 2);
		spin_us(50);
	}
	return unused;
}

static void ping_pong(void)
{
	pthread_join(start(ping_pong_worker, NULL), NULL);
}

/* ---- inversion ---- */

static uint32_t lock_word; /* 0 free, 1 held, 2 held and waited for */
static uint32_t low_has_it, high_waits;

static void word_lock(uint32_t *word)
{
	uint32_t zero = 0;

	if (__atomic_compare_exchange_n(word, &zero, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE))
		futex_wait(word, 2);
}

static void word_unlock(uint32_t *word)
{
	if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
		futex_wake(word);
}

static void *low(void *unused)
{
	pin(0);
	word_lock(&lock_word);
	__atomic_store_n(&low_has_it, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&high_waits, __ATOMIC_ACQUIRE))
		sched_yield();
	spin_us(60000);
	word_unlock(&lock_word);
	return unused;
}

static void *middle(void *unused)
{
	pin(0);
	fifo(10);
	spin_us(200000);
	return unused;
}

static void *high(void *unused)
{
	pin(1);
	fifo(50);
	__atomic_store_n(&high_waits, 1, __ATOMIC_RELEASE);
	word_lock(&lock_word);
	word_unlock(&lock_word);
	return unused;
}

static void inversion(void)
{
	pthread_t t[3];

	t[0] = start(low, NULL);
	while (!__atomic_load_n(&low_has_it, __ATOMIC_ACQUIRE))
		usleep(1000);
	t[1] = start(high, NULL);
	usleep(10000);
	t[2] = start(middle, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
}

/* ---- collision ---- */

#define WORDS 3000

static uint32_t words[WORDS];

static void *sleep_on(void *word)
{
	futex_wait(word, 0);
	return NULL;
}

/* The bucket in which a wait for `word` sleeps: the kernel's own trace tells. */
static int bucket_of(FILE *pipe, uint32_t *word)
{
	char line[512], wanted[40];
	int bucket = -1;
	bool ours = false;
	pthread_t t = start(sleep_on, word);

	snprintf(wanted, sizeof(wanted), "futex_wait: uaddr=0x%lx ", (unsigned long)word);
	while (bucket < 0 && fgets(line, sizeof(line), pipe)) {
		const char *at = strstr(line, "futex_queued: bucket=");

		ours |= strstr(line, wanted) != NULL;
		if (ours && at)
			bucket = atoi(strchr(at, '=') + 1);
	}
	__atomic_store_n(word, 1, __ATOMIC_RELEASE);
	futex_wake(word);
	pthread_join(t, NULL);
	*word = 0;
	return bucket;
}

/* Two words in one bucket, by trying: with 1024 buckets about 40 words are enough. */
static void find_collision(uint32_t *pair[2])
{
	static uint32_t *seen[1 << 20];
	FILE *pipe = fopen("/sys/kernel/tracing/trace_pipe", "r");
	int on = open("/sys/kernel/tracing/events/futex/enable", O_WRONLY);

	if (!pipe || on < 0 || write(on, "1", 1) != 1)
		fail("tracefs");
	for (int i = 0; i < WORDS; i += 5) {
		int bucket = bucket_of(pipe, &words[i]);

		if (bucket < 0)
			fail("trace_pipe");
		if (seen[bucket]) {
			pair[0] = seen[bucket];
			pair[1] = &words[i];
			return;
		}
		seen[bucket] = &words[i];
	}
	fail("no collision");
}

static void *wait_200(void *arg)
{
	uint32_t *word = arg;

	for (int i = 0; i < 200; i++) {
		futex_wait(word, 0);
		__atomic_store_n(word, 0, __ATOMIC_RELEASE);
	}
	__atomic_store_n(word, 2, __ATOMIC_RELEASE);
	return NULL;
}

static void *wake_until_done(void *arg)
{
	uint32_t *word = arg;

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != 2) {
		uint32_t zero = 0;

		__atomic_compare_exchange_n(word, &zero, 1, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_RELAXED);
		futex_wake(word);
		usleep(100);
	}
	return NULL;
}

static void collision(void)
{
	uint32_t *pair[2];
	pthread_t t[4];

	find_collision(pair);
	for (int i = 0; i < 4; i++)
		t[i] = start(i % 2 ? wake_until_done : wait_200, pair[i / 2]);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	printf("%p %p\n", (void *)pair[0], (void *)pair[1]);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {{"convoy", convoy},
		     {"ping-pong", ping_pong},
		     {"inversion", inversion},
		     {"collision", collision}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (argc == 2 && !strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	}
	fprintf(stderr, "usage: cases convoy | ping-pong | inversion | collision\n");
	return 2;
}
