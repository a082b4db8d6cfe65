/*
 * The PI futexes of kernel/futex under the explorer: the real pi.c, pi_lock.c and pi_requeue.c, with two or three threads that lock
 * as programs do. In every interleaving one thread owns a word at a time, nobody sleeps on, a deadlock is found by one of those
 * that close it, a thread runs at the highest priority that waits for what it owns, and the end leaves nothing behind. Then the same with
 * one step of the protocol broken, which must fail.
 */
#include "tests/unit/unit.h"

#include "abi/errno.h"
#include "abi/futex.h"
#include "kernel/futex/pi.h"
#include "tests/model/futex_program.h"
#include "tests/model/programs.h"

#define THREADS 3

/* ---- what the code stands on ---- */

#define SPURIOUSLY 1

struct model_task {
	struct task task;
	u32 permit;    /* [a] of park() */
	int park_ends; /* how the next park() ends at once: -EINTR, -ETIMEDOUT, SPURIOUSLY */
	u32 asleep;    /* [a] in park() */
};

static struct model_task tasks[MODEL_MAX_THREADS];
static struct lock_class pi_class = {.name = "pi", .rank = RANK_PI};
static struct lock_class exit_class = {.name = "exit", .rank = RANK_FUTEX_EXIT};

static u64 word_a, word_b;

int user_cas_u32_nofault(u32 __user *p, u32 expect, u32 desired, u32 *old)
{
	u32 *word = word_at((u64)p);

	*old = expect;
	while (!atomic_cas(word, expect, desired)) {
		*old = atomic_load_relaxed(word);
		if (*old != expect)
			break;
	}
	return 0;
}

struct task *task_find(u32 tid)
{
	return tid >= 1 && tid <= THREADS ? &tasks[tid - 1].task : NULL;
}

void thread_get(struct thread *t)
{
	(void)t;
}

void thread_put(struct thread *t)
{
	(void)t;
}

void kernel_relax(void)
{
}

void sched_set_boost(struct thread *t, u32 prio)
{
	t->boost = (u8)prio;
	atomic_store_relaxed(&t->rt_prio, MAX(t->base_prio, t->boost));
}

static struct model_task *model_task_of(struct thread *t)
{
	return container_of(t, struct model_task, task.thread);
}

static int task_park(u64 deadline, u32 flags)
{
	struct model_task *t = model_task_of(thread_current());
	int end = t->park_ends;

	(void)deadline;
	(void)flags;
	if (end) {
		t->park_ends = 0;
		return end == SPURIOUSLY ? 0 : end;
	}
	atomic_xchg(&t->asleep, 1);
	while (!atomic_load_relaxed(&t->permit))
		cpu_relax();
	atomic_xchg(&t->permit, 0);
	atomic_xchg(&t->asleep, 0);
	return 0;
}

static void task_unpark(struct thread *t)
{
	atomic_xchg(&model_task_of(t)->permit, 1);
}

static bool task_batch_add(struct unpark_batch *b, struct thread *t)
{
	(void)b;
	task_unpark(t);
	return true;
}

/* ---- the code, with the steps that a test may break ---- */

enum flaw {
	WHOLE,
	OWNER_MAY_BE_DEAD, /* whether the owner lives on is not looked at again under its lock */
	WAITS_UNSEEN, /* a waiter shows where it waits only after it is queued and the owner was looked at */
	PRIORITY_TOO_EARLY,  /* a waiter's priority is read before it shows that it waits */
	NEXT_KEEPS_OWNER,    /* handing over does not tell the next waiter who owns now */
	NO_TAKEOVER,	     /* a waiter is not woken when the owner has died */
	WAITERS_BIT_MISSING, /* FUTEX_WAITERS is not set before a waiter is queued */
};
static enum flaw flaw;

#include "kernel/futex/queue.h"

#include "kernel/futex/requeue.c"
#include "kernel/futex/waitwake.c"

static void takeover_unpark(struct thread *t)
{
	if (flaw != NO_TAKEOVER)
		unpark(t);
}

#define unpark takeover_unpark
#include "kernel/futex/pi.c"
#undef unpark

static void show_wait(struct futex_pi_waiter *p)
{
	struct task *t = pi_task(p);

	spin_lock(&t->pi.lock);
	t->pi.blocked = p;
	spin_unlock(&t->pi.lock);
}

/* pi_enqueue() of a first waiter, with the flaws that concern it. */
static int enqueue_broken(struct futex_bucket *b, struct futex_pi_waiter *p, struct task *owner)
{
	int ret = 0;

	/* The model remembers what an earlier call has left at this address of the stack. */
	atomic_store_relaxed(&p->w.state, FUTEX_QUEUED);
	if (flaw == WAITS_UNSEEN) {
		ret = pi_enqueue(b, p, owner);
		pi_unblock(pi_task(p));
		return ret;
	}
	if ((flaw != PRIORITY_TOO_EARLY && flaw != OWNER_MAY_BE_DEAD) || pi_first(b, &p->w.key))
		return pi_enqueue(b, p, owner);
	p->w.kind = FUTEX_PI;
	p->w.rt_prio = pi_priority(pi_task(p));
	atomic_store_relaxed(&p->w.bucket, b);
	if (flaw == OWNER_MAY_BE_DEAD) {
		show_wait(p);
		pi_replace_first(NULL, p, owner);
		futex_enqueue(b, &p->w);
		return 0;
	}
	ret = pi_attach(p, owner);
	futex_enqueue(b, &p->w);
	show_wait(p);
	return ret;
}

static void hand_over_broken(struct futex_pi_waiter *p)
{
	struct futex_bucket *b = atomic_load_relaxed(&p->w.bucket);
	struct task *before = p->owner;
	struct futex_pi_waiter *next;

	if (flaw != NEXT_KEEPS_OWNER) {
		pi_hand_over(p);
		return;
	}
	futex_unlink(&p->w);
	next = pi_first(b, &p->w.key);
	pi_replace_first(p, next, before);
	pi_unblock(pi_task(p));
}

static u32 waiters_bit(void)
{
	return flaw == WAITERS_BIT_MISSING ? 0 : FUTEX_WAITERS;
}

#define pi_enqueue(b, p, owner) enqueue_broken(b, p, owner)
#define pi_hand_over(p)		hand_over_broken(p)
#undef FUTEX_WAITERS
#define FUTEX_WAITERS waiters_bit()
#include "kernel/futex/pi_lock.c"
#undef FUTEX_WAITERS
#define FUTEX_WAITERS 0x80000000U
#include "kernel/futex/pi_requeue.c"

/* ---- the programs ---- */

static int results[THREADS];
static u32 owners; /* how many threads own word_a, must be 0 or 1 */

static struct futex_bucket *bucket_of(u64 uaddr)
{
	struct mm_key key = {0};

	futex_key(uaddr, 0, false, &key);
	return futex_bucket(&key);
}

static void reset_task(struct model_task *t, u32 tid)
{
	t->task.thread.tid = tid;
	spin_init(&t->task.pi.lock, &pi_class);
	list_init(&t->task.pi.lenders);
	mutex_init(&t->task.pi.exit, &exit_class);
}

/* The two words lie in two buckets. */
static void setup(void)
{
	model_harts_reset(THREADS);
	memset(tasks, 0, sizeof(tasks));
	memset(words, 0, sizeof(words));
	memset(results, 0, sizeof(results));
	owners = 0;
	for (u32 i = 0; i < BUCKETS; i++) {
		buckets[i] = (struct futex_bucket){0};
		bucket_lock_init(&buckets[i].lock, &futex_class);
		list_init(&buckets[i].queue);
	}
	for (u32 i = 0; i < THREADS; i++) {
		reset_task(&tasks[i], i + 1);
		cpu_of(i)->current = &tasks[i].task.thread;
	}
	park_ops = (struct park_ops){
		.park = task_park, .unpark = task_unpark, .batch_add = task_batch_add};
	model_hart_switched(0);
	word_a = WORDS_AT;
	for (word_b = word_a + sizeof(u32); bucket_of(word_b) == bucket_of(word_a);)
		word_b += sizeof(u32);
}

/* As a program does: the word first, the kernel if that fails. */
static int lock(u32 id, u64 uaddr)
{
	if (atomic_cas(word_at(uaddr), 0, id + 1))
		return 0;
	return futex_lock_pi(uaddr, 0, PARK_FOREVER, false);
}

static void unlock(u32 id, u64 uaddr)
{
	if (!atomic_cas(word_at(uaddr), id + 1, 0))
		MODEL_CHECK(futex_unlock_pi(uaddr, 0) == 0);
}

/* Owns word_a: nobody else does. */
static void critical(u32 id)
{
	MODEL_CHECK((atomic_load_relaxed(word_at(word_a)) & FUTEX_TID_MASK) == id + 1);
	model_data_write(&owners);
	MODEL_CHECK(owners == 0);
	owners++;
	(void)atomic_load_relaxed(word_at(word_a)); /* others may run here */
	owners--;
}

static void lock_and_unlock(u32 id)
{
	results[id] = lock(id, word_a);
	if (results[id])
		return;
	critical(id);
	unlock(id, word_a);
}

static void check_clean(void)
{
	for (u32 i = 0; i < BUCKETS; i++) {
		MODEL_CHECK(buckets[i].waiters == 0);
		MODEL_CHECK(list_empty(&buckets[i].queue));
	}
	for (u32 i = 0; i < THREADS; i++) {
		struct task *t = &tasks[i].task;

		MODEL_CHECK(!t->pi.blocked && list_empty(&t->pi.lenders));
		MODEL_CHECK(t->thread.rt_prio == t->thread.base_prio);
	}
}

static void free_at_end(void)
{
	check_clean();
	MODEL_CHECK(words[0] == 0);
	MODEL_CHECK(results[0] == 0);
	MODEL_CHECK(results[1] == 0);
}

#define PROGRAM(program, text, threads, prepare, body, end, preemptions)                           \
	static const struct model_program program = {.name = text,                                 \
						     .nr_threads = threads,                        \
						     .setup = prepare,                             \
						     .thread = body,                               \
						     .finish = end,                                \
						     .switched_to = model_hart_switched,           \
						     .max_preemptions = preemptions}

PROGRAM(two_program, "pi: two lock", 2, setup, lock_and_unlock, free_at_end, 4);
PROGRAM(three_program, "pi: three lock", 3, setup, lock_and_unlock, free_at_end, 1);

/* Nothing but the state of the waiter tells that it owns the word. */
static void setup_spurious(void)
{
	setup();
	tasks[0].park_ends = SPURIOUSLY;
	tasks[1].park_ends = SPURIOUSLY;
}

PROGRAM(spurious_program, "pi: two lock, woken for nothing", 2, setup_spurious, lock_and_unlock,
	free_at_end, 3);

/* One gives up. */
static void setup_timeout(void)
{
	setup();
	tasks[1].park_ends = -ETIMEDOUT;
}

static void timeout_end(void)
{
	check_clean();
	/* Whoever has given up may leave FUTEX_WAITERS behind, as on Linux. */
	MODEL_CHECK((words[0] & FUTEX_TID_MASK) == 0);
	MODEL_CHECK(results[0] == 0 && results[2] == 0);
	MODEL_CHECK(results[1] == 0 || results[1] == -ETIMEDOUT);
}

PROGRAM(timeout_program, "pi: three lock, one gives up", 3, setup_timeout, lock_and_unlock,
	timeout_end, 1);

/* Both words, in opposite order. */
static void cycle_thread(u32 id)
{
	u64 first = id ? word_b : word_a, second = id ? word_a : word_b;

	MODEL_CHECK(lock(id, first) == 0);
	results[id] = lock(id, second);
	if (!results[id])
		unlock(id, second);
	unlock(id, first);
}

static void cycle_end(void)
{
	check_clean();
	MODEL_CHECK(results[0] == 0 || results[0] == -EDEADLK);
	MODEL_CHECK(results[1] == 0 || results[1] == -EDEADLK);
}

PROGRAM(cycle_program, "pi: cycle of two", 2, setup, cycle_thread, cycle_end, 3);

/* Owns when it ends. The others get the word, one after the other. */
static void exit_thread(u32 id)
{
	struct task *t = &tasks[id].task;

	if (id) {
		results[id] = lock(id, word_a);
		MODEL_CHECK(results[id] == 0 || results[id] == -ESRCH);
		if (!results[id]) {
			critical(id);
			unlock(id, word_a);
		}
		return;
	}
	results[0] = lock(0, word_a);
	t->exiting = true;
	pi_exit_begin(t);
	pi_exit_end(t);
}

static void exit_end(void)
{
	check_clean();
}

PROGRAM(exit_program, "pi: owner ends", 2, setup, exit_thread, exit_end, 3);

/* Thread 2, of priority 5, waits for 1, which waits for 0. When both sleep, all run at 5. */
static void setup_chain(void)
{
	setup();
	tasks[2].task.thread.base_prio = 5;
	tasks[2].task.thread.rt_prio = 5;
	/* Taken before the others begin. */
	words[0] = 1;
	words[(word_b - WORDS_AT) / sizeof(u32)] = 2;
}

static void chain_thread(u32 id)
{
	if (id == 2) {
		results[2] = lock(2, word_b);
		unlock(2, word_b);
	} else if (id == 1) {
		results[1] = lock(1, word_a);
		unlock(1, word_a);
		unlock(1, word_b);
	} else {
		while (!atomic_load_acquire(&tasks[1].asleep) ||
		       !atomic_load_acquire(&tasks[2].asleep))
			cpu_relax();
		MODEL_CHECK(tasks[0].task.thread.rt_prio == 5);
		MODEL_CHECK(tasks[1].task.thread.rt_prio == 5);
		unlock(0, word_a);
	}
}

static void chain_end(void)
{
	check_clean();
	MODEL_CHECK(results[1] == 0 && results[2] == 0);
}

PROGRAM(chain_program, "pi: priority along a chain", 3, setup_chain, chain_thread, chain_end, 1);

/* One waits on word_a to be moved to word_b, which another owns for a while; perhaps it is interrupted. */
static void setup_requeue_signal(void)
{
	setup();
	tasks[0].park_ends = -EINTR;
}

static void requeue_thread(u32 id)
{
	switch (id) {
	case 0:
		results[0] = futex_wait_requeue_pi(word_a, 0, 0, PARK_FOREVER, word_b);
		if (results[0] == 0)
			unlock(0, word_b);
		break;
	case 1:
		atomic_store_relaxed(word_at(word_a), 1);
		results[1] = futex_requeue_pi(word_a, 0, word_b, 1, 1, 1);
		MODEL_CHECK(results[1] == 0 || results[1] == 1);
		break;
	default:
		results[2] = lock(2, word_b);
		unlock(2, word_b);
	}
}

static void requeue_end(void)
{
	check_clean();
	MODEL_CHECK((words[(word_b - WORDS_AT) / sizeof(u32)] & FUTEX_TID_MASK) == 0);
	MODEL_CHECK(results[2] == 0);
	/* Moved and not interrupted, or it was too late for the first or the second. */
	MODEL_CHECK(results[0] == 0 || results[0] == -EAGAIN || results[0] == -ERESTARTNOINTR);
	MODEL_CHECK(results[0] || results[1] == 1);
}

PROGRAM(requeue_program, "pi: requeue", 3, setup, requeue_thread, requeue_end, 2);
PROGRAM(requeue_signal_program, "pi: requeue, signal", 3, setup_requeue_signal, requeue_thread,
	requeue_end, 2);

/* ---- the tests ---- */

static void expect_safe(const struct model_program *p)
{
	struct model_result r;

	flaw = WHOLE;
	r = model_explore(p);
	printf("# %s: %lu executions, %lu states%s%s\n", p->name, r.executions, r.states,
	       r.violation ? ": " : "", r.violation ? r.violation : "");
	CHECK(!r.violation);
	CHECK(r.complete);
}

static void expect_broken(const struct model_program *p, enum flaw f)
{
	struct model_result r;

	flaw = f;
	r = model_explore(p);
	printf("# %s, flaw %d: %s\n", p->name, (int)f, r.violation ? r.violation : "not noticed");
	CHECK(r.violation != NULL);
	flaw = WHOLE;
}

TEST(lock_and_hand_over)
{
	expect_safe(&two_program);
	expect_safe(&three_program);
	expect_safe(&spurious_program);
	expect_broken(&two_program, WAITERS_BIT_MISSING);
	expect_broken(&three_program, NEXT_KEEPS_OWNER);
}

TEST(give_up)
{
	expect_safe(&timeout_program);
}

TEST(deadlock_is_found)
{
	expect_safe(&cycle_program);
	expect_broken(&cycle_program, WAITS_UNSEEN);
}

TEST(owner_ends)
{
	expect_safe(&exit_program);
	expect_broken(&exit_program, OWNER_MAY_BE_DEAD);
	expect_broken(&exit_program, NO_TAKEOVER);
}

TEST(priority_passes_along)
{
	expect_safe(&chain_program);
	expect_broken(&chain_program, PRIORITY_TOO_EARLY);
}

TEST(requeue_to_pi)
{
	expect_safe(&requeue_program);
	expect_safe(&requeue_signal_program);
}

/*
 * The acquire in pi_wait() is needed. Not noticed is the release that it pairs with: what it keeps before itself are plain accesses to
 * the waiter, and the explorer, which executes in order, never lets those pass.
 */
TEST(acquire_at_the_hand_over_is_needed)
{
	flaw = WHOLE;
	model_mutate(&spurious_program, false);
	CHECK(model_unnoticed("pi_lock.c", false) == 1);
}
