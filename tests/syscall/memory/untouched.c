/*
 * Memory that was populated ahead of any access is taken away just when others touch it for the first time. A kernel that saves itself the
 * flush of translations because nobody has any must not be wrong about that: the frames serve somebody else at once, and what he writes would
 * show.
 */
#include <sched.h>

#include "tests/syscall/memory/memory.h"

#define READERS	   3
#define PAGES	   64
#define BLOCK	   (512 * PAGE) /* 2 MiB */
#define ROUNDS	   100
#define ROUNDS_BIG 6
#define MARK	   0x5a5a5a5aL
#define SECONDS	   20 /* of a test's rounds at most */

/* A round is a chance to find something; a slow host gets fewer. */
static bool another_round(long done, long rounds, int64_t began)
{
	if (done == 0)
		return true;
	return done < rounds && now_ns(CLOCK_MONOTONIC) - began < test_rounds(SECONDS) * NS_PER_SEC;
}

static volatile long *watched; /* nobody writes there */
static size_t watched_pages;
static bool stop;
static long odd, sweeps;

static void *reader_thread(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		for (size_t i = 0; i < watched_pages; i++) {
			if (watched[i * PAGE / sizeof(long)])
				__atomic_fetch_add(&odd, 1, __ATOMIC_RELAXED);
		}
		__atomic_fetch_add(&sweeps, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Frames that were free just now are somebody's who writes to them. */
static void use_frames(char *other, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		*(volatile long *)(other + i * PAGE) = MARK;
	CHECK_EQ(madvise(other, pages * PAGE, MADV_DONTNEED), 0);
}

static void take_away_while_others_read(char *memory, size_t pages, long rounds)
{
	char *other = map_pages(pages);
	pthread_t readers[READERS];
	int64_t began;

	watched = (volatile long *)memory;
	watched_pages = pages;
	odd = sweeps = 0;
	stop = false;
	for (int i = 0; i < READERS; i++)
		readers[i] = thread_start(reader_thread, NULL);
	WAIT_UNTIL(__atomic_load_n(&sweeps, __ATOMIC_RELAXED) > 0);
	began = now_ns(CLOCK_MONOTONIC);
	for (long i = 0; another_round(i, rounds, began); i++) {
		CHECK_EQ(madvise(memory, pages * PAGE, MADV_DONTNEED), 0);
		CHECK_EQ(madvise(memory, pages * PAGE, MADV_POPULATE_WRITE), 0);
		CHECK_EQ(madvise(memory, pages * PAGE, MADV_DONTNEED), 0);
		use_frames(other, pages);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < READERS; i++)
		thread_join(readers[i]);
	CHECK_EQ(odd, 0);
	munmap(other, pages * PAGE);
}

TEST(populated_pages_go_while_others_touch_them)
{
	char *memory = map_pages(PAGES);

	take_away_while_others_read(memory, PAGES, test_rounds(ROUNDS));
	munmap(memory, PAGES * PAGE);
}

TEST(populated_blocks_go_while_others_touch_them)
{
	char *memory = map_pages(2 * BLOCK / PAGE);
	char *block = (char *)(((uintptr_t)memory + BLOCK - 1) & ~(BLOCK - 1));

	take_away_while_others_read(block, BLOCK / PAGE, test_rounds(ROUNDS_BIG));
	munmap(memory, 2 * BLOCK);
}

/*
 * One writes where all have read zeroes, and says so: nobody who has heard of it may read a zero there still.
 */
#define WORDS 8

static volatile long *numbers; /* one a page */
static long published;	       /* the round, and how many are written in it */
static long late;

#define ROUND(n) ((n) << 8)

static void look_at_numbers(void)
{
	long told = __atomic_load_n(&published, __ATOMIC_ACQUIRE);

	for (long i = 0; i < told % ROUND(1); i++) {
		if (numbers[i * PAGE / sizeof(long)])
			continue;
		/* If the round has ended meanwhile, the zero may be that of the next one. */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&published, __ATOMIC_RELAXED) / ROUND(1) == told / ROUND(1))
			__atomic_fetch_add(&late, 1, __ATOMIC_RELAXED);
	}
}

static void *listener_thread(void *unused)
{
	long sum = 0;

	(void)unused;
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		for (long i = 0; i < WORDS; i++)
			sum += numbers[i * PAGE / sizeof(long)];
		for (int i = 0; i < 8; i++)
			look_at_numbers();
		__atomic_fetch_add(&sweeps, 1, __ATOMIC_RELAXED);
	}
	return (void *)sum;
}

static void write_where_others_read(long *memory, size_t size, long rounds)
{
	int64_t began = now_ns(CLOCK_MONOTONIC);
	pthread_t listeners[READERS];

	numbers = memory;
	published = late = sweeps = 0;
	stop = false;
	for (int i = 0; i < READERS; i++)
		listeners[i] = thread_start(listener_thread, NULL);
	for (long i = 0; another_round(i, rounds, began); i++) {
		long seen = __atomic_load_n(&sweeps, __ATOMIC_RELAXED);

		WAIT_UNTIL(__atomic_load_n(&sweeps, __ATOMIC_RELAXED) > seen);
		for (long n = 0; n < WORDS; n++) {
			numbers[n * PAGE / sizeof(long)] = 1;
			__atomic_store_n(&published, ROUND(i) + n + 1, __ATOMIC_RELEASE);
		}
		__atomic_store_n(&published, ROUND(i + 1), __ATOMIC_SEQ_CST);
		CHECK_EQ(madvise(memory, size, MADV_DONTNEED), 0);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (int i = 0; i < READERS; i++)
		thread_join(listeners[i]);
	CHECK_EQ(late, 0);
}

TEST(a_first_write_reaches_all_who_read_zeroes)
{
	char *memory = map_pages(WORDS);

	write_where_others_read((long *)memory, WORDS * PAGE, test_rounds(ROUNDS) / 2);
	munmap(memory, WORDS * PAGE);
}

TEST(a_first_write_to_a_block_reaches_all_who_read_zeroes)
{
	char *memory = map_pages(2 * BLOCK / PAGE);
	char *block = (char *)(((uintptr_t)memory + BLOCK - 1) & ~(BLOCK - 1));

	write_where_others_read((long *)block, BLOCK, test_rounds(ROUNDS_BIG));
	munmap(memory, 2 * BLOCK);
}
