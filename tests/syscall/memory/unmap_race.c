/*
 * Memory that goes while others use it: threads that want the same addresses at once, and the kernel itself, which reads memory for a
 * system call that began before.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>

#include "tests/syscall/memory/memory.h"

#define PAGES  16
#define ROUNDS 400

static char *range;
static pthread_barrier_t start, end;
static __thread sigjmp_buf fault_jump;
static __thread volatile sig_atomic_t fault_expected;

static void on_fault(int sig)
{
	if (!fault_expected)
		_exit(1);
	siglongjmp(fault_jump, sig);
}

static void catch_faults(struct sigaction *old)
{
	struct sigaction action = {.sa_handler = on_fault};

	CHECK_EQ(sigaction(SIGSEGV, &action, old), 0);
}

/* The first byte, or -1 where nothing is mapped. */
static int peek(const char *p)
{
	volatile int found = -1;

	fault_expected = 1;
	if (!sigsetjmp(fault_jump, 1))
		found = *(volatile const unsigned char *)p;
	fault_expected = 0;
	return found;
}

static void fill(char *p, int value)
{
	for (size_t i = 0; i < PAGES; i++)
		p[i * PAGE] = (char)value;
}

/* How many pages are not as wanted. */
static long others_than(const char *p, int wanted)
{
	long wrong = 0;

	for (size_t i = 0; i < PAGES; i++)
		wrong += peek(p + i * PAGE) != wanted;
	return wrong;
}

static void *unmapper_thread(void *arg)
{
	long *wrong = arg;

	for (long i = 0; i < test_rounds(ROUNDS); i++) {
		pthread_barrier_wait(&start);
		*wrong += munmap(range, PAGES * PAGE) != 0;
		*wrong += others_than(range, -1);
		pthread_barrier_wait(&end);
	}
	return NULL;
}

/* Whoever returns first: the memory is gone for all. */
TEST(two_unmap_the_same)
{
	struct sigaction old;
	long wrong[3] = {0};
	pthread_t threads[2];

	catch_faults(&old);
	pthread_barrier_init(&start, NULL, 3);
	pthread_barrier_init(&end, NULL, 3);
	for (int i = 0; i < 2; i++)
		threads[i] = thread_start(unmapper_thread, &wrong[i]);
	for (long i = 0; i < test_rounds(ROUNDS); i++) {
		range = map_pages(PAGES);
		fill(range, 7);
		pthread_barrier_wait(&start);
		pthread_barrier_wait(&end);
		wrong[2] += others_than(range, -1);
	}
	for (int i = 0; i < 2; i++) {
		thread_join(threads[i]);
		CHECK_EQ(wrong[i], 0);
	}
	CHECK_EQ(wrong[2], 0);
	sigaction(SIGSEGV, &old, NULL);
}

static void *replacer_thread(void *arg)
{
	long *wrong = arg;

	for (long i = 0; i < test_rounds(ROUNDS); i++) {
		pthread_barrier_wait(&start);
		*wrong += mmap(range, PAGES * PAGE, RW,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1,
			       0) != range;
		pthread_barrier_wait(&end);
	}
	return NULL;
}

/* One unmaps, the other maps anew: nothing is left, or what is new. Never the old, never a part. */
TEST(one_unmaps_what_another_replaces)
{
	struct sigaction old;
	long wrong[2] = {0}, mixed = 0;
	pthread_t replacer;

	catch_faults(&old);
	pthread_barrier_init(&start, NULL, 2);
	pthread_barrier_init(&end, NULL, 2);
	range = map_pages(PAGES + 2) + PAGE;
	replacer = thread_start(replacer_thread, &wrong[0]);
	for (long i = 0; i < test_rounds(ROUNDS); i++) {
		int left;

		fill(range, 7);
		pthread_barrier_wait(&start);
		wrong[1] += munmap(range, PAGES * PAGE) != 0;
		pthread_barrier_wait(&end);
		left = peek(range);
		mixed += (left != 0 && left != -1) || others_than(range, left) != 0;
		CHECK(mmap(range, PAGES * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			   0) == range);
	}
	thread_join(replacer);
	CHECK_EQ(wrong[0], 0);
	CHECK_EQ(wrong[1], 0);
	CHECK_EQ(mixed, 0);
	munmap(range - PAGE, (PAGES + 2) * PAGE);
	sigaction(SIGSEGV, &old, NULL);
}

static int ends[2];

static void *writer_thread(void *arg)
{
	(void)arg;
	for (long i = 0; i < test_rounds(ROUNDS); i++) {
		pthread_barrier_wait(&start);
		/* This hart knows the addresses. */
		fill(range, 7);
		CHECK_EQ(write(ends[1], range, PAGES * PAGE), PAGES * PAGE);
		pthread_barrier_wait(&end);
	}
	return NULL;
}

static void read_page(char *page)
{
	size_t done = 0;

	while (done < PAGE) {
		ssize_t n = read(ends[0], page + done, PAGE - done);

		CHECK(n > 0);
		done += (size_t)n;
	}
}

/*
 * A pipe of one page: while page i is read, page i + 1 at most has been copied into it. Pages beyond that are discarded, some of them while
 * the kernel is between two of them: what it copies then are zeroes.
 */
TEST(discarded_in_the_middle_of_a_write)
{
	static char page[PAGE];
	long wrong = 0;
	pthread_t writer;

	pthread_barrier_init(&start, NULL, 2);
	pthread_barrier_init(&end, NULL, 2);
	CHECK_EQ(pipe(ends), 0);
	CHECK_EQ(fcntl(ends[1], F_SETPIPE_SZ, PAGE), PAGE);
	range = map_pages(PAGES);
	writer = thread_start(writer_thread, NULL);
	for (long i = 0; i < test_rounds(ROUNDS); i++) {
		pthread_barrier_wait(&start);
		for (size_t at = 0; at < PAGES; at++) {
			read_page(page);
			wrong += page[0] != (at < 2 ? 7 : 0);
			if (at + 2 < PAGES)
				CHECK_EQ(madvise(range + (at + 2) * PAGE, PAGE, MADV_DONTNEED), 0);
		}
		pthread_barrier_wait(&end);
	}
	thread_join(writer);
	CHECK_EQ(wrong, 0);
	munmap(range, PAGES * PAGE);
	close(ends[0]);
	close(ends[1]);
}
