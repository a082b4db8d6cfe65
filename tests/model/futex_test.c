/*
 * kernel/futex under the explorer: the real queue, wait, wake and requeue code. Every interleaving
 * of a wait with a wake-up, a signal and a requeue must end: nobody sleeps on, the waker's count and
 * the waiter's result agree, the buckets are empty, and nobody touches a waiter that has left.
 *
 * A waiter lies on the stack of futex_wait(). The wrappers below tell the explorer when its plain
 * fields are used, and a thread that comes back from futex_wait() writes to them, as the next call
 * would. The user's words are atomics; they never fault.
 */
#include "tests/unit/unit.h"

#include "abi/errno.h"
#include "kernel/futex/futex_internal.h"
#include "tests/model/futex_program.h"
#include "tests/model/programs.h"

/* ---- what the code stands on ---- */

struct model_task {
	struct thread thread;
	u32 permit;		     /* [a] of park() */
	bool interrupted;	     /* the next park() ends by a signal */
	struct futex_waiter *waiter; /* while it is in futex_wait(), and after */
	bool left;		     /* futex_wait() has returned */
};

static struct model_task tasks[MODEL_MAX_THREADS];
static u64 word, other;

static struct model_task *task_of_thread(struct thread *t)
{
	return container_of(t, struct model_task, thread);
}

static int task_park(u64 deadline, u32 flags)
{
	struct model_task *t = task_of_thread(thread_current());

	(void)deadline;
	(void)flags;
	if (t->interrupted) {
		t->interrupted = false;
		return -EINTR;
	}
	while (!atomic_load_relaxed(&t->permit))
		cpu_relax();
	atomic_xchg(&t->permit, 0);
	return 0;
}

static void task_unpark(struct thread *t)
{
	atomic_xchg(&task_of_thread(t)->permit, 1);
}

/* The real one claims the thread here and delivers it in the flush; either may be the moment. */
static bool task_batch_add(struct unpark_batch *b, struct thread *t)
{
	(void)b;
	task_unpark(t);
	return true;
}

/* ---- waiters, watched ---- */

static struct model_task *owner_of(const void *p)
{
	for (u32 i = 0; i < MODEL_MAX_THREADS; i++) {
		char *w = (char *)tasks[i].waiter;

		if (w && (char *)p >= w && (char *)p < w + sizeof(struct futex_waiter))
			return &tasks[i];
	}
	return NULL;
}

/* After an access to `p`: it was no waiter's, or that waiter has not left. */
static void check_alive(const void *p)
{
	struct model_task *t = owner_of(p);

	model_check(!t || !t->left, "a waiter that has left was touched");
}

static void watched_list_add(struct list *head, struct list *node)
{
	struct futex_waiter *w = list_entry(node, struct futex_waiter, link);

	task_of_thread(w->thread)->waiter = w;
	model_data_write(w);
	list_add(head, node);
}

static void watched_list_del(struct list *node)
{
	model_data_write(list_entry(node, struct futex_waiter, link));
	list_del(node);
}

static bool watched_key_equal(const struct mm_key *a, const struct mm_key *b)
{
	model_data_write(container_of(a, struct futex_waiter, key));
	return futex_key_equal(a, b);
}

#define list_add	watched_list_add
#define list_del	watched_list_del
#define futex_key_equal watched_key_equal
#undef atomic_cas
#define atomic_cas(p, old, new)                                                                    \
	({                                                                                         \
		bool done_ = model_cas((p), sizeof(*(p)), (u64)(old), (u64)(new),                  \
				       MODEL_SITE_OF(MODEL_FULL, true));                           \
		check_alive(p);                                                                    \
		done_;                                                                             \
	})
#undef atomic_store_release
#define atomic_store_release(p, v)                                                                 \
	({                                                                                         \
		MODEL_STORE(p, v, MODEL_RELEASE);                                                  \
		check_alive(p);                                                                    \
	})

#include "kernel/futex/queue.h"

/* futex_claim(), or what it was before the explorer had seen it: the CAS after the last look. */
static bool (*claim)(struct futex_waiter *w, struct unpark_batch *batch);

static bool claim_too_late(struct futex_waiter *w, struct unpark_batch *batch)
{
	struct thread *t = w->thread;

	futex_unlink(w);
	atomic_store_release(&w->bucket, NULL);
	if (!atomic_cas(&w->state, FUTEX_QUEUED, FUTEX_WOKEN))
		return false;
	unpark_batch_add(batch, t);
	return true;
}

#define futex_claim(w, batch) claim(w, batch)

#include "kernel/futex/requeue.c"
#include "kernel/futex/waitv.c"
#include "kernel/futex/waitwake.c"

#undef futex_claim

/* ---- the programs ---- */

#define THREADS 3

static int results[THREADS];

static struct futex_bucket *bucket_of(u64 uaddr)
{
	struct mm_key key = {0};

	futex_key(uaddr, 0, false, &key);
	return futex_bucket(&key);
}

/* `word` and `other`: in one bucket or in two. */
static void choose_words(bool together)
{
	word = WORDS_AT;
	for (other = word + sizeof(u32);; other += sizeof(u32)) {
		if ((bucket_of(other) == bucket_of(word)) == together)
			return;
	}
}

static void reset(bool together)
{
	model_harts_reset(THREADS);
	memset(tasks, 0, sizeof(tasks));
	memset(words, 0, sizeof(words));
	memset(results, 0, sizeof(results));
	for (u32 i = 0; i < BUCKETS; i++) {
		buckets[i] = (struct futex_bucket){0};
		bucket_lock_init(&buckets[i].lock, &futex_class);
		list_init(&buckets[i].queue);
	}
	for (u32 i = 0; i < THREADS; i++)
		cpu_of(i)->current = &tasks[i].thread;
	park_ops = (struct park_ops){
		.park = task_park, .unpark = task_unpark, .batch_add = task_batch_add};
	claim = futex_claim;
	model_hart_switched(0);
	choose_words(together);
}

static void setup_apart(void)
{
	reset(false);
}

static void setup_interrupted(void)
{
	reset(false);
	tasks[0].interrupted = true;
}

static void setup_interrupted_together(void)
{
	reset(true);
	tasks[0].interrupted = true;
}

/* Thread `id` waits on `word` while it is 0. */
static void wait_once(u32 id)
{
	struct model_task *t = &tasks[id];
	struct mm_key key;

	results[id] = futex_look(word, 0, 0, &key);
	if (!results[id])
		results[id] = futex_wait(word, 0, &key, 0, PARK_FOREVER, ~0U);
	t->left = true;
	if (t->waiter)
		model_data_write(t->waiter); /* the next call's frame */
}

static void change_and_wake(u32 id, u64 uaddr, int nr)
{
	atomic_store_relaxed(word_at(uaddr), 1);
	results[id] = futex_wake(uaddr, 0, nr, ~0U);
}

static void check_empty(void)
{
	for (u32 i = 0; i < BUCKETS; i++) {
		MODEL_CHECK(buckets[i].waiters == 0);
		MODEL_CHECK(list_empty(&buckets[i].queue));
	}
}

/* One waits, one changes the word and wakes. */
static void wake_thread(u32 id)
{
	if (id == 0)
		wait_once(0);
	else
		change_and_wake(1, word, 1);
}

static void wake_finish(void)
{
	check_empty();
	MODEL_CHECK(results[0] == 0 || results[0] == -EAGAIN || results[0] == -EINTR);
	MODEL_CHECK(results[1] == (results[0] == 0));
}

static const struct model_program wake_program = {
	.name = "futex: wait, wake",
	.nr_threads = 2,
	.setup = setup_apart,
	.thread = wake_thread,
	.finish = wake_finish,
	.switched_to = model_hart_switched,
};
static const struct model_program signal_program = {
	.name = "futex: wait, wake, signal",
	.nr_threads = 2,
	.setup = setup_interrupted,
	.thread = wake_thread,
	.finish = wake_finish,
	.switched_to = model_hart_switched,
};

static void setup_too_late(void)
{
	setup_interrupted();
	claim = claim_too_late;
}

static const struct model_program too_late_program = {
	.name = "futex: claim too late",
	.nr_threads = 2,
	.setup = setup_too_late,
	.thread = wake_thread,
	.finish = wake_finish,
	.switched_to = model_hart_switched,
};

/* Two wait, one wakes both. */
static void crowd_thread(u32 id)
{
	if (id < 2)
		wait_once(id);
	else
		change_and_wake(2, word, 2);
}

static void crowd_finish(void)
{
	check_empty();
	MODEL_CHECK(results[2] == (results[0] == 0) + (results[1] == 0));
}

static const struct model_program crowd_program = {
	.name = "futex: two waiters",
	.nr_threads = 3,
	.setup = setup_apart,
	.thread = crowd_thread,
	.finish = crowd_finish,
	.switched_to = model_hart_switched,
	.max_preemptions = 3,
};

/* Two wakers want the one waiter, who is interrupted: one of the three gets it. */
static void rivals_thread(u32 id)
{
	if (id == 0)
		wait_once(0);
	else
		change_and_wake(id, word, 1);
}

static void rivals_finish(void)
{
	check_empty();
	MODEL_CHECK(results[1] + results[2] == (results[0] == 0));
}

static const struct model_program rivals_program = {
	.name = "futex: two wakers, signal",
	.nr_threads = 3,
	.setup = setup_interrupted,
	.thread = rivals_thread,
	.finish = rivals_finish,
	.switched_to = model_hart_switched,
	.max_preemptions = 3,
};

/* One waits and is interrupted, one moves it to the other word, one wakes there. */
static void requeue_thread(u32 id)
{
	if (id == 0)
		wait_once(0);
	else if (id == 1)
		results[1] = futex_requeue(word, 0, other, 0, 1, NULL);
	else
		results[2] = futex_wake(other, 0, 1, ~0U);
}

static void requeue_finish(void)
{
	check_empty();
	MODEL_CHECK(results[0] == 0 || results[0] == -EINTR);
	MODEL_CHECK(results[2] == (results[0] == 0));
	MODEL_CHECK(results[1] == 0 || results[1] == 1);
}

static const struct model_program requeue_program = {
	.name = "futex: requeue, wake, signal",
	.nr_threads = 3,
	.setup = setup_interrupted,
	.thread = requeue_thread,
	.finish = requeue_finish,
	.switched_to = model_hart_switched,
	.max_preemptions = 3,
};
static const struct model_program collision_program = {
	.name = "futex: requeue in one bucket",
	.nr_threads = 3,
	.setup = setup_interrupted_together,
	.thread = requeue_thread,
	.finish = requeue_finish,
	.switched_to = model_hart_switched,
	.max_preemptions = 3,
};

/* One waits for both words, each of two changes one and wakes; the waiter may be interrupted. */
static void waitv_thread(u32 id)
{
	static struct futex_wait_entry entries[2];

	if (id) {
		change_and_wake(id, id == 1 ? word : other, 1);
		return;
	}
	for (u32 i = 0; i < 2; i++)
		entries[i] = (struct futex_wait_entry){.uaddr = i ? other : word};
	results[0] = futex_wait_multiple(entries, 2, PARK_FOREVER, 0);
	tasks[0].left = true;
	model_data_write(entries);
}

static void waitv_finish(void)
{
	check_empty();
	if (results[0] >= 0)
		MODEL_CHECK(results[1 + results[0]] == 1);
	else
		MODEL_CHECK(results[1] + results[2] == 0);
	MODEL_CHECK(results[0] >= 0 || results[0] == -EAGAIN || results[0] == -EINTR);
}

static const struct model_program waitv_program = {
	.name = "futex: waitv, two wakers",
	.nr_threads = 3,
	.setup = setup_apart,
	.thread = waitv_thread,
	.finish = waitv_finish,
	.switched_to = model_hart_switched,
	.max_preemptions = 2,
};
static const struct model_program waitv_signal_program = {
	.name = "futex: waitv, two wakers, signal",
	.nr_threads = 3,
	.setup = setup_interrupted,
	.thread = waitv_thread,
	.finish = waitv_finish,
	.switched_to = model_hart_switched,
	.max_preemptions = 2,
};

static void expect_safe(const struct model_program *p)
{
	struct model_result r = model_explore(p);

	printf("# %s: %lu executions, %lu states%s%s\n", p->name, r.executions, r.states,
	       r.violation ? ": " : "", r.violation ? r.violation : "");
	CHECK(!r.violation);
	CHECK(r.complete);
}

TEST(wait_and_wake)
{
	expect_safe(&wake_program);
	expect_safe(&signal_program);
}

TEST(claim_comes_before_the_end)
{
	CHECK(model_explore(&too_late_program).violation != NULL);
}

TEST(several_waiters)
{
	expect_safe(&crowd_program);
}

TEST(several_wakers)
{
	expect_safe(&rivals_program);
}

TEST(requeue)
{
	expect_safe(&requeue_program);
	expect_safe(&collision_program);
}

TEST(wait_for_two_words)
{
	expect_safe(&waitv_program);
	expect_safe(&waitv_signal_program);
}

/*
 * Every fence is needed, and every ordered access that is no read-modify-write. Not queue.c: what
 * its release orders, the explorer, which executes in order, never lets pass.
 */
TEST(each_fence_is_needed)
{
	model_mutate(&wake_program, false);
	model_mutate(&signal_program, false);
	CHECK(model_unnoticed("waitwake.c", false) == 0);
}
