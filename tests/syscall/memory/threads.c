/*
 * Page faults and changes of the layout by many threads of one process.
 */
#include <setjmp.h>
#include <signal.h>

#include "tests/syscall/memory/memory.h"

#define THREADS 8
#define PAGES	256

static char *arena;

static void *fault_all(void *arg)
{
	long id = (long)arg;

	for (size_t i = 0; i < PAGES; i++)
		__atomic_add_fetch((long *)(arena + i * PAGE + (size_t)id * 8), id + 1,
				   __ATOMIC_SEQ_CST);
	return NULL;
}

/* All fault on the same pages at once: one page each wins. */
TEST(faults_on_shared_pages)
{
	pthread_t threads[THREADS];

	for (int round = 0; round < 5; round++) {
		long wrong = 0;

		arena = map_pages(PAGES);
		for (long i = 0; i < THREADS; i++)
			threads[i] = thread_start(fault_all, (void *)i);
		for (int i = 0; i < THREADS; i++)
			thread_join(threads[i]);
		for (size_t i = 0; i < PAGES; i++)
			for (size_t id = 0; id < THREADS; id++)
				wrong += *(long *)(arena + i * PAGE + id * 8) != (long)id + 1;
		CHECK_EQ(wrong, 0);
		CHECK_EQ(munmap(arena, PAGES * PAGE), 0);
	}
}

static void *map_and_unmap(void *arg)
{
	long wrong = 0;

	for (int i = 0; i < 200; i++) {
		size_t size = (size_t)(1 + i % 7) * PAGE;
		char *p =
			mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED) {
			wrong++;
			continue;
		}
		for (size_t at = 0; at < size; at += PAGE) {
			wrong += p[at] != 0;
			p[at] = (char)(long)arg;
		}
		for (size_t at = 0; at < size; at += PAGE)
			wrong += p[at] != (char)(long)arg;
		wrong += i % 2 && mprotect(p, PAGE, PROT_READ) != 0;
		wrong += munmap(p, size) != 0;
	}
	CHECK_EQ(wrong, 0);
	return NULL;
}

TEST(mappings_in_parallel)
{
	pthread_t threads[THREADS];

	for (long i = 0; i < THREADS; i++)
		threads[i] = thread_start(map_and_unmap, (void *)(i + 1));
	for (int i = 0; i < THREADS; i++)
		thread_join(threads[i]);
}

/* One thread takes memory away while others read it: they see zeros or the old value, no stale page after the call. */
static volatile bool discard_stop;

static void *read_arena(void *arg)
{
	long odd = 0;

	(void)arg;
	while (!discard_stop)
		for (size_t i = 0; i < 16; i++) {
			char c = *(volatile char *)(arena + i * PAGE);

			odd += c != 0 && c != 5;
		}
	CHECK_EQ(odd, 0);
	return NULL;
}

TEST(discarding_while_others_read)
{
	pthread_t threads[3];
	long stale = 0;

	arena = map_pages(16);
	discard_stop = false;
	for (int i = 0; i < 3; i++)
		threads[i] = thread_start(read_arena, NULL);
	for (int i = 0; i < 200; i++) {
		for (size_t at = 0; at < 16; at++)
			arena[at * PAGE] = 5;
		madvise(arena, 16 * PAGE, MADV_DONTNEED);
		for (size_t at = 0; at < 16; at++)
			stale += arena[at * PAGE] != 0;
	}
	discard_stop = true;
	for (int i = 0; i < 3; i++)
		thread_join(threads[i]);
	CHECK_EQ(stale, 0);
	CHECK_EQ(munmap(arena, 16 * PAGE), 0);
}

/* Once mprotect has returned, no other hart writes any more. */
static volatile long written;
static sigjmp_buf fault_jump;

static void on_fault(int sig)
{
	siglongjmp(fault_jump, sig);
}

static void *write_arena(void *arg)
{
	(void)arg;
	if (sigsetjmp(fault_jump, 1))
		return NULL;
	for (;;) {
		*(volatile long *)arena = written + 1;
		written++;
	}
}

TEST(protection_reaches_other_harts)
{
	struct sigaction action = {.sa_handler = on_fault}, old;

	sigaction(SIGSEGV, &action, &old);
	for (int i = 0; i < 50; i++) {
		pthread_t thread;
		long seen;

		arena = map_pages(1);
		written = 0;
		thread = thread_start(write_arena, NULL);
		/* Asleep, so that the writer gets a hart, and its hart a core of the host. */
		WAIT_UNTIL(written >= 10);
		CHECK_EQ(mprotect(arena, PAGE, PROT_READ), 0);
		seen = *(volatile long *)arena;
		thread_join(thread);
		CHECK_EQ(*(volatile long *)arena, seen);
		munmap(arena, PAGE);
	}
	sigaction(SIGSEGV, &old, NULL);
}
