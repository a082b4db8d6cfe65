/*
 * Where vector registers keep their contents, and where not.
 */
#include "tests/syscall/vector/vector.h"

#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

static struct vectors want, got;

static void *look(void *unused)
{
	(void)unused;
	vectors_get(&got);
	return NULL;
}

TEST(first_use_finds_zeros)
{
	memset(&got, 0x55, sizeof(got));
	thread_join(thread_start(look, NULL));
	CHECK(vectors_zero(&got));
}

/* Both units off: the instruction needs both. */
static void *first_float(void *out)
{
	float f = 0;

	__asm__ volatile(".option push; .option arch, +v\n"
			 "vsetivli zero, 2, e32, m1, ta, ma; vmv.v.i v1, 3\n"
			 "vfcvt.f.x.v v1, v1; vfadd.vv v1, v1, v1; vfmv.f.s %0, v1\n"
			 ".option pop"
			 : "=f"(f));
	*(float *)out = f;
	return NULL;
}

TEST(floating_point_in_vectors)
{
	float sum = 0;

	thread_join(thread_start(first_float, &sum));
	CHECK(sum == 6);
}

static inline __attribute__((always_inline)) long bare_call(long nr)
{
	register long a0 __asm__("a0") = 0;
	register long a7 __asm__("a7") = nr;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
	return a0;
}

TEST(system_call_takes_them)
{
	vectors_make(&want, 5);
	vectors_put(&want);
	bare_call(SYS_getppid);
	vectors_get(&got);
	CHECK(vectors_taken(&got));
	CHECK_EQ(got.vcsr, want.vcsr);
}

TEST(waiting_call_takes_them)
{
	struct timespec ms = {0, 1000000};

	vectors_make(&want, 6);
	vectors_put(&want);
	nanosleep(&ms, NULL);
	vectors_get(&got);
	CHECK(vectors_taken(&got));
	CHECK_EQ(got.vcsr, want.vcsr);
}

/* A thread that has not used them for a while may pay for the next use; it finds the same. */
TEST(many_calls_take_them)
{
	for (int round = 0; round < 3; round++) {
		vectors_make(&want, 7 + (unsigned)round);
		vectors_put(&want);
		for (int i = 0; i < 100 + 100 * round; i++)
			bare_call(SYS_getppid);
		vectors_get(&got);
		CHECK(vectors_taken(&got));
		CHECK_EQ(got.vcsr, want.vcsr);
		vectors_put(&want);
		vectors_get(&got);
		CHECK(vectors_equal(&got, &want));
	}
}

TEST(page_faults_leave_them)
{
	char *pages =
		mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vectors *there =
		(struct vectors *)(pages + 4096 - offsetof(struct vectors, bytes) - 40);

	CHECK(pages != MAP_FAILED);
	vectors_make(&want, 9);
	vectors_put(&want);
	for (int i = 8; i < 64; i++)
		pages[i * 4096] = 1;
	vectors_get(&got);
	CHECK(vectors_equal(&got, &want));
	/* The instruction itself faults half way, and goes on there. */
	vectors_put(&want);
	vectors_get(there);
	CHECK(vectors_equal(there, &want));
	munmap(pages, 64 * 4096);
}

/* ---- threads ---- */

#define SPINNERS 3
#define TURNS	 20 /* of another thread, as seen by one */

static atomic_uint started;
static unsigned turns_wanted;
static volatile unsigned long rounds[SPINNERS];
static volatile bool spin_end;

static uint64_t ticks(void)
{
	uint64_t t;

	__asm__ volatile("rdtime %0" : "=r"(t));
	return t;
}

/* Without a system call, until another one has had the turns wanted, or somebody ends it; at most half a minute of QEMU's 10 MHz. */
static void *spin(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg, next = (me + 1) % SPINNERS, turns = 0;
	uint64_t end;
	struct vectors mine, now;
	unsigned long other;
	bool good = true;

	vectors_make(&mine, 20 + me);
	started++;
	while (started < SPINNERS)
		sched_yield();
	end = ticks() + 300000000;
	vectors_put(&mine);
	other = rounds[next];
	while (!spin_end && good && ticks() < end) {
		vectors_get(&now);
		good = vectors_equal(&now, &mine);
		rounds[me]++;
		if (rounds[next] != other) {
			other = rounds[next];
			if (++turns == turns_wanted)
				spin_end = true;
		}
	}
	return (void *)(uintptr_t)(good && spin_end);
}

static void start_spinners(pthread_t threads[SPINNERS], unsigned turns)
{
	started = 0;
	spin_end = false;
	turns_wanted = turns;
	for (uintptr_t i = 0; i < SPINNERS; i++)
		threads[i] = thread_start(spin, (void *)i);
}

static void join_spinners(pthread_t threads[SPINNERS])
{
	void *good;

	for (int i = 0; i < SPINNERS; i++) {
		CHECK_EQ(pthread_join(threads[i], &good), 0);
		CHECK(good);
	}
}

TEST(preempted_threads_keep_theirs)
{
	pthread_t threads[SPINNERS];
	cpu_set_t all, one;

	CHECK_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET(1, &one);
	CHECK_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	start_spinners(threads, TURNS);
	join_spinners(threads);
	CHECK_EQ(sched_setaffinity(0, sizeof(all), &all), 0);
}

TEST(moved_threads_keep_theirs)
{
	pthread_t threads[SPINNERS];
	cpu_set_t one;

	start_spinners(threads, 0);
	for (int i = 0; i < 60; i++) {
		CPU_ZERO(&one);
		CPU_SET(i / SPINNERS % 2, &one);
		CHECK_EQ(pthread_setaffinity_np(threads[i % SPINNERS], sizeof(one), &one), 0);
		sleep_ms(1);
	}
	spin_end = true;
	join_spinners(threads);
}

/* ---- processes ---- */

static int child_is_new(void)
{
	vectors_get(&got);
	return vectors_zero(&got) ? 0 : 1;
}

TEST(fork_gives_new_ones)
{
	vectors_make(&want, 11);
	vectors_put(&want);
	CHECK_EQ(child_status(child_is_new), 0);
}

static int exec_after_use(void)
{
	vectors_put(&want);
	execl("/proc/self/exe", CHILD_NAME, "zero", (char *)NULL);
	return CHILD_FAILED;
}

TEST(exec_gives_new_ones)
{
	vectors_make(&want, 12);
	CHECK_EQ(child_status(exec_after_use), 0);
}

/* Those that end while they have them. */
static void *use_and_end(void *unused)
{
	static struct vectors v;

	(void)unused;
	vectors_put(&v);
	return NULL;
}

TEST(many_threads_end_with_them)
{
	for (int i = 0; i < 300; i++)
		thread_join(thread_start(use_and_end, NULL));
}
