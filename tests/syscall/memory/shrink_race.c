/*
 * Files shrink under the mappings of another process while this one changes its own: the harts that wait for the other space's flush must not
 * miss the flush of their own.
 */
#include <fcntl.h>
#include <sys/wait.h>

#include "tests/syscall/memory/memory.h"

#define SHRINKERS 2
#define PAGES	  4
#define ROUNDS	  8000

struct shared {
	long stop;
	long ready;
};

static int files[SHRINKERS];
static long *changing;	/* one page, replaced again and again, that holds how often */
static long generation; /* published after the page has it */
static long running;
static long stale;

static char *map_file(int fd)
{
	char *p = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/* The other process: it keeps the files mapped, and runs, so that it has to be told. */
static void look_at_files(struct shared *s)
{
	char *maps[SHRINKERS];

	for (int i = 0; i < SHRINKERS; i++)
		maps[i] = map_file(files[i]);
	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		/* Without a signal where the file has ended. */
		for (int i = 0; i < SHRINKERS; i++)
			madvise(maps[i], PAGES * PAGE, MADV_POPULATE_READ);
		__atomic_fetch_add(&s->ready, 1, __ATOMIC_RELEASE);
	}
	_exit(0);
}

static void look_at_page(void)
{
	long published = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
	long found = __atomic_load_n(changing, __ATOMIC_ACQUIRE);

	/* Zero: the next page is there and not written yet. */
	if (found && found < published)
		__atomic_fetch_add(&stale, 1, __ATOMIC_RELAXED);
}

static void *shrinker_thread(void *arg)
{
	int fd = files[(long)arg];

	for (long i = 0; i < test_rounds(ROUNDS); i++) {
		CHECK_EQ(ftruncate(fd, PAGES * PAGE), 0);
		look_at_page();
		CHECK_EQ(ftruncate(fd, 0), 0);
		look_at_page();
	}
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void replace_page(long number)
{
	CHECK_EQ(mmap(changing, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), changing);
	__atomic_store_n(changing, number, __ATOMIC_RELEASE);
	__atomic_store_n(&generation, number, __ATOMIC_RELEASE);
}

TEST(shrinking_others_files_misses_no_flush)
{
	struct shared *s = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_t shrinkers[SHRINKERS];
	pid_t pid;

	CHECK(s != MAP_FAILED);
	for (int i = 0; i < SHRINKERS; i++) {
		files[i] = memfd_create("shrinks", 0);
		CHECK(files[i] >= 0);
	}
	pid = fork();
	if (pid == 0)
		look_at_files(s);
	CHECK(WAIT_UNTIL(__atomic_load_n(&s->ready, __ATOMIC_ACQUIRE) > 0));
	changing = (long *)map_pages(1);
	stale = generation = 0;
	running = SHRINKERS;
	for (long i = 0; i < SHRINKERS; i++)
		shrinkers[i] = thread_start(shrinker_thread, (void *)i);
	for (long i = 1; __atomic_load_n(&running, __ATOMIC_ACQUIRE); i++)
		replace_page(i);
	for (int i = 0; i < SHRINKERS; i++)
		thread_join(shrinkers[i]);
	__atomic_store_n(&s->stop, 1, __ATOMIC_RELEASE);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_EQ(stale, 0);
	for (int i = 0; i < SHRINKERS; i++)
		close(files[i]);
	munmap(changing, PAGE);
	munmap(s, PAGE);
}
