/*
 * Many words at once, in few buckets, and words whose memory goes away: every wake-up that is counted reaches the thread that waits for
 * that word, and nothing else happens to anybody.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/syscall/futex2/futex2.h"
#include "tests/syscall/futex_race/race.h"

#define MAX 128
#define WAITERS                                                                                    \
	4 /* with 128 words each: more than half as many waiters as there are buckets, so many share one */
#define WAKERS 3

static uint32_t words[WAITERS][MAX], away;
static uint32_t woken[WAITERS][MAX]; /* how often WAKE has said so */
static uint32_t ended[WAITERS][MAX]; /* how often waitv has */
static long strays;
static bool over;

static void *waitv_thread(void *arg)
{
	long me = (long)arg;
	struct futex_waitv v[MAX];

	for (int i = 0; i < MAX; i++)
		v[i] = waitv_entry(&words[me][i], 0, SIZE_U32 | PRIVATE2);
	for (long i = 0; i < test_rounds(ROUNDS); i++) {
		long ret = waitv(v, MAX, NULL, 0);

		if (!CHECK(ret >= 0 && ret < MAX))
			break;
		__atomic_add_fetch(&ended[me][ret], 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void *waker_thread(void *arg)
{
	uint32_t seed = (uint32_t)(long)arg;

	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		uint32_t who = race_random(&seed) % WAITERS, which = race_random(&seed) % MAX;
		uint32_t *word = &words[who][which];

		if (race_random(&seed) % 8 == 0) {
			/* To another bucket and back: the thread may have left meanwhile. */
			futex_requeue(word, &away, PRIVATE, 0, 1);
			__atomic_add_fetch(&strays, futex_wake(&away, PRIVATE, MAX),
					   __ATOMIC_SEQ_CST);
		} else if (futex_wake(word, PRIVATE, 1) == 1) {
			__atomic_add_fetch(&woken[who][which], 1, __ATOMIC_SEQ_CST);
		}
	}
	return NULL;
}

TEST(waitv_of_128_words)
{
	pthread_t waiters[WAITERS], wakers[WAKERS];
	long sum_woken = 0, sum_ended = 0;

	over = false;
	for (long i = 0; i < WAITERS; i++)
		waiters[i] = thread_start(waitv_thread, (void *)i);
	for (long i = 0; i < WAKERS; i++)
		wakers[i] = thread_start(waker_thread, (void *)(i + 9));
	for (int i = 0; i < WAITERS; i++)
		thread_join(waiters[i]);
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	for (int i = 0; i < WAKERS; i++)
		thread_join(wakers[i]);
	for (int i = 0; i < WAITERS; i++) {
		for (int j = 0; j < MAX; j++) {
			CHECK_EQ(futex_waiters(&words[i][j], PRIVATE), 0);
			sum_woken += woken[i][j];
			sum_ended += ended[i][j];
		}
	}
	CHECK_EQ(futex_waiters(&away, PRIVATE), 0);
	/* Each end was somebody's wake-up; two wakers may have met in one call. */
	CHECK_EQ(sum_ended, WAITERS * test_rounds(ROUNDS));
	CHECK(sum_woken + strays >= sum_ended);
}

/* ---- memory that goes away ---- */

static int shared_fd;
static uint32_t *volatile shared_word;

static bool harmless(long ret)
{
	return ret >= 0 || ret == -EAGAIN || ret == -ETIMEDOUT || ret == -EFAULT;
}

static void *shared_waiter(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE))
		CHECK(harmless(futex_wait_for(shared_word, 0, 0, 200000)));
	return NULL;
}

static void *shared_waker(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		CHECK(harmless(futex_wake(shared_word, 0, 2)));
		CHECK(harmless(futex_requeue(shared_word, shared_word + 1, 0, 1, 1)));
		CHECK(harmless(futex_wake(shared_word + 1, 0, 9)));
	}
	return NULL;
}

static void change_mapping(long i, uint32_t *at)
{
	int status;
	pid_t child;

	switch (i % 4) {
	case 0:
		CHECK_EQ(ftruncate(shared_fd, 0), 0);
		CHECK_EQ(ftruncate(shared_fd, 4096), 0);
		break;
	case 1:
		munmap(at, 4096);
		CHECK(mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, shared_fd, 0) ==
		      at);
		break;
	case 2:
		CHECK(mmap(at, 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
		CHECK(mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, shared_fd, 0) ==
		      at);
		break;
	default:
		child = fork();
		if (child == 0)
			_exit(!harmless(futex_wake(at, 0, 1)));
		CHECK_EQ(waitpid(child, &status, 0), child);
		CHECK_EQ(status, 0);
	}
}

TEST(shared_word_against_munmap_truncate_and_fork)
{
	pthread_t threads[4];
	uint32_t *at;

	shared_fd = (int)syscall(SYS_memfd_create, "race", 0);
	CHECK_EQ(ftruncate(shared_fd, 4096), 0);
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0);
	shared_word = at;
	over = false;
	for (int i = 0; i < 4; i++)
		threads[i] = thread_start(i < 2 ? shared_waiter : shared_waker, NULL);
	for (long i = 0; i < test_rounds(ROUNDS); i++)
		change_mapping(i, at);
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	for (int i = 0; i < 4; i++)
		thread_join(threads[i]);
	munmap(at, 4096);
	close(shared_fd);
}
