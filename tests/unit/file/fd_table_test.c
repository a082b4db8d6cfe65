/*
 * Descriptor tables, iterators and wait queues; the races run under ThreadSanitizer, too.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "kernel/file/file.h"
#include "kernel/file/waitq.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "tests/unit/file/fakes.h"
#include "tests/unit/host_cpu.h"
#include "tests/unit/unit.h"

#define LIMIT 1024U

static u32 released; /* [a] */

static void count_release(struct file *f)
{
	(void)f;
	atomic_fetch_add(&released, 1);
}

static const struct file_ops test_ops = {.name = "test", .release = count_release};

static struct file *new_file(void)
{
	return file_alloc(&test_ops, NULL, O_RDWR);
}

static u32 wakes; /* [a] */

static bool wake_at_once(struct unpark_batch *batch, struct thread *t)
{
	(void)batch;
	atomic_fetch_add(&wakes, 1);
	unpark(t);
	return true;
}

static void start(u32 harts)
{
	host_cpus_init(harts);
	park_ops.batch_add = wake_at_once;
	wakes = 0;
	host_cpu_become(0);
	released = 0;
}

TEST(lowest_free_descriptor)
{
	struct fd_table *t;

	start(1);
	t = fd_table_create();
	for (int i = 0; i < 200; i++)
		CHECK(fd_install(t, new_file(), 0, false, LIMIT) == i);
	CHECK(fd_close(t, 7) == 0 && fd_close(t, 100) == 0);
	CHECK(fd_close(t, 7) == -EBADF && fd_close(t, -1) == -EBADF && fd_close(t, 100000) == -EBADF);
	CHECK(fd_install(t, new_file(), 50, false, LIMIT) == 100);
	CHECK(fd_install(t, new_file(), 0, false, LIMIT) == 7);
	CHECK(fd_install(t, new_file(), 0, false, LIMIT) == 200);
	CHECK(fd_install(t, new_file(), 900, true, LIMIT) == 900);
	CHECK(fd_get_cloexec(t, 900) == 1 && fd_get_cloexec(t, 7) == 0 &&
	      fd_get_cloexec(t, 901) == -EBADF);
	CHECK(released == 2);
	fd_close_on_exec(t);
	CHECK(released == 3 && fd_next(t, 201) == -1 && fd_next(t, 150) == 150);
	fd_table_put(t);
	CHECK(released == 204);
}

TEST(limits)
{
	struct fd_table *t;
	struct file *f;

	start(1);
	t = fd_table_create();
	for (u32 i = 0; i < 10; i++)
		CHECK(fd_reserve(t, 0, false, 10) == (int)i);
	CHECK(fd_reserve(t, 0, false, 10) == -EMFILE);
	CHECK(fd_get(t, 3) == NULL);
	CHECK(fd_close(t, 3) == -EBADF);
	f = new_file();
	CHECK(fd_replace(t, 3, f, false, 10) == -EBUSY);
	CHECK(fd_replace(t, 10, f, false, 10) == -EBADF);
	CHECK(fd_reserve(t, FD_TABLE_MAX - 1, false, ~0U) == (int)FD_TABLE_MAX - 1);
	CHECK(fd_reserve(t, FD_TABLE_MAX, false, ~0U) == -EMFILE);
	fd_unreserve(t, 3);
	CHECK(fd_replace(t, 3, f, false, 10) == 3);
	CHECK(fd_replace(t, 3, new_file(), false, 10) == 3);
	CHECK(released == 1);
	fd_table_put(t);
	CHECK(released == 2);
}

TEST(copies_share_files)
{
	struct fd_table *t, *copy;

	start(1);
	t = fd_table_create();
	for (int i = 0; i < 70; i++)
		fd_install(t, new_file(), 0, i == 69, LIMIT);
	copy = fd_table_copy(t);
	fd_close_range(t, 10, 20, false);
	CHECK(released == 0 && fd_next(t, 10) == 21 && fd_next(copy, 10) == 10);
	CHECK(fd_get_cloexec(copy, 69) == 1);
	fd_close_range(copy, 0, 5, true);
	CHECK(fd_get_cloexec(copy, 5) == 1 && fd_get_cloexec(copy, 6) == 0);
	fd_table_put(t);
	CHECK(released == 0);
	fd_table_put(copy);
	CHECK(released == 70);
}

TEST(borrowing_depends_on_sharing)
{
	struct fd_table *t;
	struct fd_ref r;

	start(1);
	t = fd_table_create();
	fd_install(t, new_file(), 0, false, LIMIT);
	r = fd_borrow(t, 0);
	CHECK(r.file && !r.counted && r.file->refs == 1 && !fd_shared(&r));
	fd_return(&r);
	fd_table_get(t);
	r = fd_borrow(t, 0);
	CHECK(r.counted && r.file->refs == 2 && fd_shared(&r));
	fd_return(&r);
	r = fd_borrow(t, 1);
	CHECK(!r.file && !r.counted);
	fd_table_put(t);
	fd_table_put(t);
}

/* ---- races ---- */

#define ROUNDS 20000

static struct fd_table *shared;
static u32 lookups, misses;

/*
 * Hart 0 and 1 open and close, the others look up: whatever they find is alive while they hold it.
 */
static void race_tables(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		if (cpu_id() < 2) {
			int fd = fd_install(shared, new_file(), 0, false, LIMIT);

			CHECK(fd >= 0 && fd_close(shared, fd) == 0);
		} else {
			struct file *f = fd_get(shared, i & 1);

			atomic_fetch_add_relaxed(f ? &lookups : &misses, 1);
			if (f) {
				CHECK(f->ops == &test_ops);
				file_put(f);
			}
		}
		host_user_mode();
	}
}

TEST(lookup_races_close)
{
	start(4);
	shared = fd_table_create();
	fd_table_get(shared);
	lookups = 0;
	misses = 0;
	host_cpus_run(race_tables, NULL);
	CHECK(lookups + misses == 2 * ROUNDS);
	CHECK(released == 2 * ROUNDS);
	host_cpu_become(0);
	CHECK(fd_next(shared, 0) == -1);
}

/* Growing under readers. */
static void race_growth(void *arg)
{
	(void)arg;
	if (cpu_id() == 0) {
		for (u32 fd = 0; fd < 4096; fd++) {
			CHECK(fd_install(shared, new_file(), fd, false, 8192) == (int)fd);
			host_user_mode();
		}
		return;
	}
	for (int i = 0; i < ROUNDS; i++) {
		struct file *f = fd_get(shared, i % 4096);

		if (f)
			file_put(f);
		host_user_mode();
	}
}

TEST(lookup_races_growth)
{
	start(3);
	shared = fd_table_create();
	fd_table_get(shared);
	host_cpus_run(race_growth, NULL);
	host_cpu_become(0);
	for (int fd = 0; fd < 4096; fd++)
		CHECK(fd_next(shared, fd) == fd);
	CHECK(released == 0);
}

/* ---- wait queues ---- */

#define TOKENS 3000U

static struct wait_queue queue;
static u32 made, taken; /* [a] */

static bool token_there(void *arg)
{
	(void)arg;
	return atomic_load_relaxed(&taken) < atomic_load_relaxed(&made) ||
	       atomic_load_relaxed(&taken) == TOKENS;
}

/*
 * Hart 0 makes tokens one by one, the others sleep for them: none is lost, and none sleeps for
 * ever.
 */
static void race_waiters(void *arg)
{
	(void)arg;
	if (cpu_id() == 0) {
		for (u32 i = 0; i < TOKENS; i++) {
			atomic_fetch_add(&made, 1);
			waitq_wake(&queue, POLL_EVENT_READ, 1);
			/* Let them run out of tokens often, so that they sleep. */
			while (i % 4 == 0 && atomic_load_relaxed(&taken) <= i)
				host_user_mode();
		}
		return;
	}
	while (atomic_load_relaxed(&taken) < TOKENS) {
		u32 now = atomic_load_relaxed(&taken);

		if (now < atomic_load_relaxed(&made) && atomic_cas(&taken, now, now + 1)) {
			/* More may be there than sleepers were woken. */
			waitq_wake(&queue, POLL_EVENT_READ, now + 1 == TOKENS ? WAITQ_ALL : 1);
			continue;
		}
		waitq_wait(&queue, POLL_EVENT_READ, true, token_there, NULL, PARK_FOREVER, 0);
	}
}

TEST(no_wakeup_is_lost)
{
	start(4);
	waitq_init(&queue);
	made = 0;
	taken = 0;
	host_cpus_run(race_waiters, NULL);
	CHECK(taken == TOKENS);
	CHECK(wakes > 0);
	CHECK(list_empty(&queue.entries));
}

/* ---- iterators ---- */

TEST(iterator_over_segments)
{
	char a[4] = "abc", b[8] = "defgh", out[16] = {0};
	struct iov_segment segs[4] = {{(u64)(uintptr_t)a, 3}, {0, 0}, {(u64)(uintptr_t)b, 5}, {0, 0}};
	struct iov_iter it;

	iov_iter_user_vector(&it, segs, 4);
	CHECK(it.count == 8);
	CHECK(iov_copy_in(out, &it, 4) == 4);
	CHECK(iov_copy_in(out + 4, &it, 100) == 4);
	CHECK(strcmp(out, "abcdefgh") == 0 && it.count == 0);
	CHECK(iov_copy_in(out, &it, 1) == 0);
	iov_iter_user_vector(&it, segs, 4);
	CHECK(iov_zero(&it, 4) == 4);
	CHECK(a[2] == 0 && b[0] == 0 && b[1] == 'e');
}

TEST(iterator_stops_at_a_fault)
{
	static char page[3 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
	static char out[3 * PAGE_SIZE];
	struct iov_segment seg;
	struct iov_iter it;

	fake_user_limit = (u64)(uintptr_t)page + 2 * PAGE_SIZE;
	iov_iter_user(&it, &seg, (u64)(uintptr_t)page + 100, sizeof(page) - 100);
	CHECK(iov_copy_in(out, &it, sizeof(out)) == 2 * PAGE_SIZE - 100);
	CHECK(it.count == PAGE_SIZE);
	CHECK(iov_copy_in(out, &it, 1) == -EFAULT);
	CHECK(iov_copy_out(&it, out, 10) == -EFAULT);
	CHECK(iov_zero(&it, 10) == -EFAULT);
	fake_user_limit = ~0UL;
}
