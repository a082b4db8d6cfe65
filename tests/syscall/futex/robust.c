/*
 * What the kernel does with the futexes of a thread that ends: robust lists, good and hostile, and clear_child_tid.
 */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/syscall/futex/futex.h"

#define LIST_LIMIT 2048

struct lock {
	struct robust_list link; /* first: glibc's offset is of no interest here */
	uint32_t word;
	uint32_t user; /* to tell offsets apart */
};

/* A thread that installs a list, lets `prepare` lay it out, and ends by a bare exit, so that glibc's own list is not used. */
struct dying {
	struct robust_list_head *head;
	void (*prepare)(struct dying *d, uint32_t tid);
	struct lock *locks;
	size_t nr_locks;
	uint32_t tid;
	uint32_t may_die;
	bool ready;
};

static void *dying_main(void *arg)
{
	struct dying *d = arg;

	d->tid = (uint32_t)sys0(SYS_gettid);
	d->prepare(d, d->tid);
	CHECK_EQ(sys2(SYS_set_robust_list, d->head, sizeof(*d->head)), 0);
	__atomic_store_n(&d->ready, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&d->may_die, __ATOMIC_ACQUIRE))
		futex_wait(&d->may_die, PRIVATE, 0);
	return NULL;
}

static void dying_let_die(struct dying *d, pthread_t thread)
{
	__atomic_store_n(&d->may_die, 1, __ATOMIC_RELEASE);
	futex_wake(&d->may_die, PRIVATE, 1);
	thread_join(thread);
}

static pthread_t dying_start(struct dying *d)
{
	pthread_t thread;

	d->may_die = 0;
	d->ready = false;
	thread = thread_start(dying_main, d);
	WAIT_UNTIL(__atomic_load_n(&d->ready, __ATOMIC_ACQUIRE));
	return thread;
}

static void dying_run(struct dying *d)
{
	dying_let_die(d, dying_start(d));
}

/* All locks in one ring, each held by the thread. */
static void prepare_ring(struct dying *d, uint32_t tid)
{
	struct robust_list *last = &d->head->list;

	d->head->futex_offset = offsetof(struct lock, word);
	d->head->list_op_pending = NULL;
	for (size_t i = 0; i < d->nr_locks; i++) {
		last->next = &d->locks[i].link;
		last = &d->locks[i].link;
		d->locks[i].word = tid;
	}
	last->next = &d->head->list;
}

TEST(owner_died_is_set)
{
	struct robust_list_head head;
	struct lock locks[3];
	struct dying d = {&head, prepare_ring, locks, 3, 0, 0, false};
	pthread_t thread = dying_start(&d);

	locks[1].word |= FUTEX_WAITERS;
	locks[2].word = d.tid + 1; /* somebody else's */
	dying_let_die(&d, thread);
	CHECK_EQ(locks[0].word, FUTEX_OWNER_DIED);
	CHECK_EQ(locks[1].word, FUTEX_OWNER_DIED | FUTEX_WAITERS);
	CHECK_EQ(locks[2].word, d.tid + 1);
}

TEST(owner_died_wakes_one)
{
	struct robust_list_head head;
	struct lock lock;
	struct dying d = {&head, prepare_ring, &lock, 1, 0, 0, false};
	pthread_t thread = dying_start(&d);
	struct waiter w[2] = {0};

	lock.word |= FUTEX_WAITERS;
	w[0].value = w[1].value = lock.word;
	waiter_queue(&w[0], &lock.word, FUTEX_WAIT);
	waiter_queue(&w[1], &lock.word, FUTEX_WAIT);
	dying_let_die(&d, thread);
	waiter_join(&w[0], 0);
	CHECK(!waiter_done(&w[1]));
	CHECK_EQ(futex_wake(&lock.word, 0, 9), 1);
	waiter_join(&w[1], 0);
}

/* Without the WAITERS bit nobody is woken. */
TEST(owner_died_without_waiters_bit)
{
	struct robust_list_head head;
	struct lock lock;
	struct dying d = {&head, prepare_ring, &lock, 1, 0, 0, false};
	pthread_t thread = dying_start(&d);
	struct waiter w = {.value = lock.word};

	waiter_queue(&w, &lock.word, FUTEX_WAIT);
	dying_let_die(&d, thread);
	CHECK_EQ(lock.word, FUTEX_OWNER_DIED);
	CHECK(!waiter_done(&w));
	CHECK_EQ(futex_wake(&lock.word, 0, 9), 1);
	waiter_join(&w, 0);
}

static void prepare_pending(struct dying *d, uint32_t tid)
{
	prepare_ring(d, tid);
	d->head->list.next = &d->head->list;
	d->head->list_op_pending = &d->locks[0].link;
}

TEST(pending_lock_is_marked)
{
	struct robust_list_head head;
	struct lock lock;
	struct dying d = {&head, prepare_pending, &lock, 1, 0, 0, false};

	dying_run(&d);
	CHECK_EQ(lock.word, FUTEX_OWNER_DIED);
}

/*
 * It died between the release of the word and the wake-up, or was woken and died before it took the word: somebody else must
 * be woken, unless an owner knows that there are waiters.
 */
static void check_pending_wakes(uint32_t value, bool wakes)
{
	struct robust_list_head head;
	struct lock lock;
	struct dying d = {&head, prepare_pending, &lock, 1, 0, 0, false};
	pthread_t thread = dying_start(&d);
	struct waiter w = {.value = value};

	lock.word = value;
	waiter_queue(&w, &lock.word, FUTEX_WAIT);
	dying_let_die(&d, thread);
	CHECK_EQ(lock.word, value);
	CHECK_EQ(futex_wake(&lock.word, 0, 1), !wakes);
	waiter_join(&w, 0);
}

TEST(pending_release_wakes)
{
	check_pending_wakes(0, true);
	check_pending_wakes(FUTEX_WAITERS, true);
	check_pending_wakes(FUTEX_OWNER_DIED, true);
	check_pending_wakes(12345, true);
	check_pending_wakes(12345 | FUTEX_OWNER_DIED, true);
	check_pending_wakes(12345 | FUTEX_WAITERS, false);
}

/* Bit 0 of a link says that the lock inherits priorities: marked, but woken by other means. */
static void prepare_pi(struct dying *d, uint32_t tid)
{
	prepare_ring(d, tid);
	d->head->list.next = (struct robust_list *)((char *)&d->locks[0].link + 1);
	d->locks[0].word = tid;
}

TEST(pi_entry_is_marked)
{
	struct robust_list_head head;
	struct lock lock;
	struct dying d = {&head, prepare_pi, &lock, 1, 0, 0, false};

	dying_run(&d);
	CHECK_EQ(lock.word, FUTEX_OWNER_DIED);
}

TEST(list_is_bounded)
{
	struct lock *locks = calloc(LIST_LIMIT + 2, sizeof(*locks));
	struct robust_list_head head;
	struct dying d = {&head, prepare_ring, locks, LIST_LIMIT + 2, 0, 0, false};

	dying_run(&d);
	CHECK_EQ(locks[0].word, FUTEX_OWNER_DIED);
	CHECK_EQ(locks[LIST_LIMIT - 1].word, FUTEX_OWNER_DIED);
	CHECK_EQ(locks[LIST_LIMIT].word, d.tid);
	free(locks);
}

static void prepare_cycle(struct dying *d, uint32_t tid)
{
	prepare_ring(d, tid);
	d->locks[1].link.next = &d->locks[0].link;
}

TEST(cyclic_list_ends)
{
	struct robust_list_head head;
	struct lock locks[2];
	struct dying d = {&head, prepare_cycle, locks, 2, 0, 0, false};

	dying_run(&d);
	CHECK_EQ(locks[0].word, FUTEX_OWNER_DIED);
	CHECK_EQ(locks[1].word, FUTEX_OWNER_DIED);
}

static void *bad_link;

static void prepare_bad_link(struct dying *d, uint32_t tid)
{
	prepare_ring(d, tid);
	d->locks[1].link.next = bad_link;
	d->head->list_op_pending = &d->locks[2].link;
}

/* The walk stops there, and the pending entry is not looked at. */
TEST(bad_link_ends_the_walk)
{
	char *bad[] = {page_unmapped(), page_no_access(), KERNEL_ADDRESS, (char *)~7UL, NULL};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct robust_list_head head;
		struct lock locks[3];
		struct dying d = {&head, prepare_bad_link, locks, 3, 0, 0, false};

		bad_link = bad[i];
		dying_run(&d);
		CHECK_EQ(locks[0].word, FUTEX_OWNER_DIED);
		CHECK_EQ(locks[1].word, FUTEX_OWNER_DIED);
		CHECK_EQ(locks[2].word, d.tid);
	}
}

static long bad_offset;

static void prepare_offset(struct dying *d, uint32_t tid)
{
	prepare_ring(d, tid);
	d->head->futex_offset = bad_offset;
}

TEST(bad_offset_ends_the_walk)
{
	long offsets[] = {1, INT64_MAX, INT64_MIN, -(1L << 40)};

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct robust_list_head head;
		struct lock locks[2];
		struct dying d = {&head, prepare_offset, locks, 2, 0, 0, false};

		bad_offset = offsets[i];
		dying_run(&d);
		CHECK_EQ(locks[0].word, d.tid);
	}
}

/* The word lies in memory that may only be read: not marked, no harm. */
TEST(read_only_word_ends_the_walk)
{
	struct lock *locks =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct robust_list_head head;
	struct dying d = {&head, prepare_ring, locks, 2, 0, 0, false};
	pthread_t thread = dying_start(&d);

	CHECK_EQ(mprotect(locks, 4096, PROT_READ), 0);
	dying_let_die(&d, thread);
	CHECK_EQ(locks[0].word, d.tid);
	munmap(locks, 4096);
}

static void prepare_nothing(struct dying *d, uint32_t tid)
{
	(void)d;
	(void)tid;
}

TEST(bad_head_is_harmless)
{
	char *bad[] = {page_unmapped(), KERNEL_ADDRESS, (char *)1, (char *)~0UL};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct dying d = {(void *)bad[i], prepare_nothing, NULL, 0, 0, 0, false};

		dying_run(&d);
	}
}

/* What the program and its successor share with the test. */
struct exec_memory {
	struct robust_list_head head;
	struct lock lock;
	uint32_t ready, go;
};

/* A program that holds a lock becomes another, which lives until its input ends. */
static void exec_with_lock(struct exec_memory *m, int input)
{
	struct dying d = {&m->head, prepare_ring, &m->lock, 1, 0, 0, false};
	char *argv[] = {"sh", "-c", "read line", NULL}, *env[] = {NULL};

	dup2(input, STDIN_FILENO);
	prepare_ring(&d, (uint32_t)sys0(SYS_gettid));
	m->lock.word |= FUTEX_WAITERS;
	sys2(SYS_set_robust_list, &m->head, sizeof(m->head));
	__atomic_store_n(&m->ready, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&m->go, __ATOMIC_ACQUIRE))
		futex_wait(&m->go, 0, 0);
	execve("/bin/sh", argv, env);
	_exit(127);
}

TEST(exec_walks_the_list)
{
	struct exec_memory *m =
		mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct waiter w = {0};
	int input[2], status;
	pid_t child;

	CHECK_EQ(pipe(input), 0);
	child = fork();
	if (child == 0) {
		close(input[1]);
		exec_with_lock(m, input[0]);
	}
	close(input[0]);
	WAIT_UNTIL(__atomic_load_n(&m->ready, __ATOMIC_ACQUIRE));
	w.value = m->lock.word;
	waiter_queue(&w, &m->lock.word, FUTEX_WAIT);
	__atomic_store_n(&m->go, 1, __ATOMIC_RELEASE);
	futex_wake(&m->go, 0, 1);
	waiter_join(&w, 0);
	CHECK_EQ(m->lock.word, FUTEX_OWNER_DIED | FUTEX_WAITERS);
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	close(input[1]);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	munmap(m, sizeof(*m));
}

TEST(set_robust_list_checks_the_length)
{
	static struct robust_list_head head = {.list = {&head.list}};

	CHECK_EQ(sys2(SYS_set_robust_list, &head, sizeof(head) - 1), -EINVAL);
	CHECK_EQ(sys2(SYS_set_robust_list, &head, 0), -EINVAL);
}

static void *get_own_list(void *arg)
{
	static struct robust_list_head head = {.list = {&head.list}};
	void *got = NULL;
	size_t length = 0;

	(void)arg;
	CHECK_EQ(sys2(SYS_set_robust_list, &head, sizeof(head)), 0);
	CHECK_EQ(sys3(SYS_get_robust_list, 0, &got, &length), 0);
	CHECK(got == &head);
	CHECK_EQ(length, sizeof(head));
	got = NULL;
	CHECK_EQ(sys3(SYS_get_robust_list, sys0(SYS_gettid), &got, &length), 0);
	CHECK(got == &head);
	CHECK_EQ(sys3(SYS_get_robust_list, 0, page_unmapped(), &length), -EFAULT);
	CHECK_EQ(sys3(SYS_get_robust_list, 0, &got, KERNEL_ADDRESS), -EFAULT);
	CHECK_EQ(sys3(SYS_get_robust_list, 0x3fffff, &got, &length), -ESRCH);
	CHECK_EQ(sys3(SYS_get_robust_list, -1, &got, &length), -ESRCH);
	return NULL;
}

TEST(get_robust_list_returns_it)
{
	thread_join(thread_start(get_own_list, NULL));
}

/* glibc's robust mutex, held by a thread that ends. */
static pthread_mutex_t robust_mutex;

static void *die_with_mutex(void *arg)
{
	(void)arg;
	CHECK_EQ(pthread_mutex_lock(&robust_mutex), 0);
	return NULL;
}

static void *lock_after_death(void *arg)
{
	int ret = pthread_mutex_lock(&robust_mutex);

	(void)arg;
	CHECK_EQ(ret, EOWNERDEAD);
	if (ret == EOWNERDEAD) {
		CHECK_EQ(pthread_mutex_consistent(&robust_mutex), 0);
		CHECK_EQ(pthread_mutex_unlock(&robust_mutex), 0);
	}
	return NULL;
}

TEST(robust_mutex_survives_its_owner)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust_mutex, &attr);
	for (int i = 0; i < 20; i++) {
		pthread_t owner = thread_start(die_with_mutex, NULL), next;

		thread_join(owner);
		next = thread_start(lock_after_death, NULL);
		thread_join(next);
	}
	CHECK_EQ(pthread_mutex_lock(&robust_mutex), 0);
	CHECK_EQ(pthread_mutex_unlock(&robust_mutex), 0);
}

/* A thread's end zeroes clear_child_tid and wakes one who waits there, by a shared wake. */
static uint32_t tid_word;

static void *watched_main(void *arg)
{
	uint32_t *go = arg;

	sys1(SYS_set_tid_address, &tid_word);
	__atomic_store_n(&tid_word, (uint32_t)sys0(SYS_gettid), __ATOMIC_RELEASE);
	while (!__atomic_load_n(go, __ATOMIC_ACQUIRE))
		futex_wait(go, PRIVATE, 0);
	sys1(SYS_exit, 0);
	return NULL;
}

TEST(clear_child_tid_is_cleared_and_woken)
{
	struct waiter w = {0};
	uint32_t go = 0;
	pthread_t thread;

	tid_word = 0;
	thread = thread_start(watched_main, &go);
	WAIT_UNTIL(__atomic_load_n(&tid_word, __ATOMIC_ACQUIRE));
	w.value = tid_word;
	waiter_queue(&w, &tid_word, FUTEX_WAIT);
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	futex_wake(&go, PRIVATE, 1);
	waiter_join(&w, 0);
	CHECK_EQ(tid_word, 0);
	pthread_detach(thread);
}
