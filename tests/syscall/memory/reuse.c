/*
 * Addresses that are used again at once, by threads on several harts: a translation that outlives munmap would show in what they read
 * and write there.
 */
#include <sched.h>
#include <semaphore.h>

#include "tests/syscall/memory/memory.h"

#define OWNERS	  4
#define MAX_PAGES 48 /* more than what a kernel may take away in one go */
#define ROUNDS	  40

/* A mapping that its owner lends to the toucher, which has seen its addresses before. */
struct loan {
	char *pages;
	size_t count;
	long tag;
	bool lent;
	sem_t back;
} __attribute__((aligned(64)));

static struct loan loans[OWNERS];
static sem_t offers; /* how many loans are lent and not yet taken up */
static long wrong;

static long *word(char *pages, size_t i)
{
	return (long *)(pages + i * PAGE);
}

/* Each page holds `old`, and gets `new`. */
static void exchange(char *pages, size_t count, long old, long new)
{
	for (size_t i = 0; i < count; i++) {
		if (*word(pages, i) != old)
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
		*word(pages, i) = new;
	}
}

static void *owner_thread(void *arg)
{
	struct loan *loan = arg;

	for (long i = 1; i <= test_rounds(ROUNDS); i++) {
		loan->count = (size_t)(i * 7 + (loan - loans)) % MAX_PAGES + 1;
		loan->tag = i * OWNERS + (loan - loans);
		loan->pages = map_pages(loan->count);
		exchange(loan->pages, loan->count, 0, loan->tag);
		__atomic_store_n(&loan->lent, true, __ATOMIC_RELEASE);
		sem_post(&offers);
		sem_wait(&loan->back);
		exchange(loan->pages, loan->count, -loan->tag, 0);
		CHECK_EQ(munmap(loan->pages, loan->count * PAGE), 0);
	}
	return NULL;
}

/* `nr` loans, whose ever they are. */
static void touch_loans(long nr)
{
	while (nr--) {
		struct loan *loan = loans;

		sem_wait(&offers);
		while (!__atomic_load_n(&loan->lent, __ATOMIC_ACQUIRE))
			loan = loan + 1 < loans + OWNERS ? loan + 1 : loans;
		loan->lent = false;
		exchange(loan->pages, loan->count, loan->tag, -loan->tag);
		sem_post(&loan->back);
	}
}

TEST(reused_addresses_are_fresh_for_all)
{
	pthread_t owners[OWNERS];

	wrong = 0;
	CHECK_EQ(sem_init(&offers, 0, 0), 0);
	for (int i = 0; i < OWNERS; i++) {
		CHECK_EQ(sem_init(&loans[i].back, 0, 0), 0);
		owners[i] = thread_start(owner_thread, &loans[i]);
	}
	touch_loans(OWNERS * test_rounds(ROUNDS));
	for (int i = 0; i < OWNERS; i++)
		thread_join(owners[i]);
	CHECK_EQ(wrong, 0);
}

static char *wanted;
static long taken[OWNERS];

/* NOREPLACE makes the mapping a lock: whoever gets it is alone there until he unmaps it. */
static void *taker_thread(void *arg)
{
	long me = (long)arg;

	while (taken[me] < test_rounds(ROUNDS) / 4) {
		char *p = mmap(wanted, 8 * PAGE, RW,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (p == MAP_FAILED) {
			CHECK_EQ(errno, EEXIST);
			sleep_ms(1);
			continue;
		}
		CHECK_EQ(p, wanted);
		exchange(p, 8, 0, me + 1);
		sched_yield();
		exchange(p, 8, me + 1, 0);
		CHECK_EQ(munmap(p, 8 * PAGE), 0);
		taken[me]++;
	}
	return NULL;
}

TEST(one_address_for_one_at_a_time)
{
	pthread_t takers[OWNERS];

	wrong = 0;
	for (long i = 0; i < OWNERS; i++)
		taken[i] = 0;
	/* Below a mapping that stays, where no thread's stack will be. */
	wanted = map_pages(64) + 32 * PAGE;
	munmap(wanted, 32 * PAGE);
	for (long i = 0; i < OWNERS; i++)
		takers[i] = thread_start(taker_thread, (void *)i);
	for (int i = 0; i < OWNERS; i++)
		thread_join(takers[i]);
	CHECK_EQ(wrong, 0);
	munmap(wanted - 32 * PAGE, 32 * PAGE);
}
