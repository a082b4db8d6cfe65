/*
 * kernel/sync on real harts: locks under contention, messages, epochs with readers and updaters on
 * every hart, the barrier; text that changes while it runs.
 */
#include "abi/errno.h"
#include "kernel/irq/irq.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/completion.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/spinlock.h"
#include "kernel/sync/static_key.h"
#include "kernel/time/time.h"
#include "tests/kernel/ktest.h"

#define WORKERS_MAX 16
#define ROUNDS	    2000

LOCK_CLASS(ktest_spin, RANK_FUTEX);
LOCK_CLASS(ktest_mutex, RANK_INODE);

static struct spinlock spin = SPINLOCK_INIT(ktest_spin_class);
static struct mutex mutex = MUTEX_INIT(mutex, ktest_mutex_class);
static u64 counter;

static void (*worker_fn)(u32 index);
static u32 workers_left; /* [a] */
static struct thread *workers_boss;

static void worker_main(void *arg)
{
	struct thread *boss = workers_boss;

	worker_fn((u32)(u64)arg);
	atomic_fetch_add(&workers_left, (u32)-1);
	unpark(boss);
}

/* Runs fn(0..n-1) on n kernel threads, two per hart; false if they do not end in a minute. */
static bool workers_run(void (*fn)(u32 index), u32 *n)
{
	u64 deadline = time_now() + time_freq * 60;

	*n = MIN(2 * nr_cpus, (u32)WORKERS_MAX);
	worker_fn = fn;
	workers_left = *n;
	workers_boss = thread_current();
	for (u64 i = 0; i < *n; i++) {
		if (!kthread_create("sync worker", worker_main, (void *)i))
			return false;
	}
	while (atomic_load_acquire(&workers_left)) {
		if (park(deadline, 0) == -ETIMEDOUT)
			return false;
	}
	return true;
}

static void spin_count(u32 index)
{
	(void)index;
	for (u32 i = 0; i < ROUNDS; i++) {
		spin_lock(&spin);
		spin_assert_held(&spin);
		counter++;
		spin_unlock(&spin);
		if (i % 64 == 0)
			kernel_relax();
	}
}

KTEST(sync, spinlock_counts)
{
	u32 n;

	counter = 0;
	KCHECK(workers_run(spin_count, &n));
	KCHECK(counter == (u64)n * ROUNDS);
}

/* ---- static keys ---- */

#define KEY_ROUNDS  100 /* as many as fit into KEY_SECONDS: a busy host needs seconds for a few */
#define KEY_SECONDS 10
#define LOCK_ROUNDS 5 /* a thousand places each; so many there are always */

static u8 ktest_key;
static bool keys_done;	   /* [a] */
static u32 harts_that_see; /* [a] */

static __noinline bool key_seen(void)
{
	return static_key_on(&ktest_key);
}

static void look_at_key(void *unused)
{
	(void)unused;
	if (key_seen())
		atomic_fetch_add(&harts_that_see, 1U);
}

/* Runs through the places, those of spin locks too. */
static void key_pass(void)
{
	struct spinlock own;

	spin_init(&own, &ktest_spin_class);
	while (!atomic_load_acquire(&keys_done)) {
		for (u32 i = 0; i < 64; i++) {
			spin_lock(&own);
			key_seen();
			spin_unlock(&own);
		}
		kernel_relax();
	}
}

/* The first switches while the others pass. */
static void key_switch(u32 index)
{
	u64 deadline;

	if (index) {
		key_pass();
		return;
	}
	deadline = time_now() + time_freq * KEY_SECONDS;
	for (u32 i = 0; i < 2 * KEY_ROUNDS; i++) {
		u8 on = i % 2 == 0;

		if (on && i >= 2 * LOCK_ROUNDS && time_now() >= deadline)
			break;
		static_keys_set(&ktest_key, &on, 1);
		if (i < 2 * LOCK_ROUNDS)
			static_keys_set(&lock_stat_key, &on, 1);
		harts_that_see = 0;
		hart_call(hart_all(), look_at_key, NULL);
		KCHECK(harts_that_see == (on ? nr_cpus : 0));
	}
	atomic_store_release(&keys_done, true);
}

KTEST(sync, text_changes_while_it_runs)
{
	u32 n;

	keys_done = false;
	KCHECK(workers_run(key_switch, &n));
	KCHECK(!ktest_key && !lock_stat_key);
}

static void mutex_count(u32 index)
{
	for (u32 i = 0; i < ROUNDS / 4; i++) {
		u64 before;

		mutex_lock(&mutex);
		before = counter;
		if ((i + index) % 16 == 0)
			sched_yield(); /* the owner loses its hart: others sleep on the mutex */
		counter = before + 1;
		mutex_unlock(&mutex);
	}
}

KTEST(sync, mutex_counts)
{
	u32 n;

	counter = 0;
	KCHECK(workers_run(mutex_count, &n));
	KCHECK(counter == (u64)n * (ROUNDS / 4));
	KCHECK(mutex.word == 0);
}

static struct completion relay[WORKERS_MAX + 1];

static void relay_pass(u32 index)
{
	completion_wait(&relay[index]);
	counter = counter * 3 + index;
	completion_signal(&relay[index + 1]);
}

KTEST(sync, completions_in_a_row)
{
	u64 expected = 0;
	u32 n;

	counter = 0;
	for (u32 i = 0; i <= WORKERS_MAX; i++)
		completion_init(&relay[i]);
	completion_signal(&relay[0]);
	KCHECK(workers_run(relay_pass, &n));
	for (u32 i = 0; i < n; i++)
		expected = expected * 3 + i;
	KCHECK(counter == expected);
}

enum object_state { OBJECT_FREE, OBJECT_LIVE, OBJECT_RETIRED };

struct object {
	struct epoch_node node;
	u32 state; /* [a] enum object_state */
};

#define OBJECTS_EACH 64

static struct object objects[WORKERS_MAX][OBJECTS_EACH];
static struct object *published; /* [e] */
static u32 used_after_free;	 /* [a] */

static void object_free(struct epoch_node *node)
{
	atomic_store_release(&container_of(node, struct object, node)->state, OBJECT_FREE);
}

/* Reads what is published; now and then replaces it by a free object of its own. */
static void epoch_read_and_replace(u32 index)
{
	u32 next = 0;

	for (u32 i = 0; i < ROUNDS; i++) {
		struct object *mine = &objects[index][next % OBJECTS_EACH], *o;

		epoch_enter();
		o = atomic_load_acquire(&published);
		for (u32 look = 0; o && look < 20; look++) {
			if (atomic_load_relaxed(&o->state) == OBJECT_FREE)
				atomic_fetch_add(&used_after_free, 1);
		}
		epoch_exit();
		if (i % 4 == 0 && atomic_load_acquire(&mine->state) == OBJECT_FREE) {
			atomic_store_relaxed(&mine->state, OBJECT_LIVE);
			next++;
			o = atomic_xchg(&published, mine);
			if (o) {
				atomic_store_relaxed(&o->state, OBJECT_RETIRED);
				epoch_defer(&o->node, object_free);
			}
		}
		if (i % 16 == 0)
			kernel_relax();
	}
}

KTEST(sync, epoch_keeps_what_is_read)
{
	struct object *last;
	u32 n, in_use = 0;

	used_after_free = 0;
	KCHECK(workers_run(epoch_read_and_replace, &n));
	KCHECK(used_after_free == 0);
	last = atomic_xchg(&published, NULL);
	if (last)
		epoch_defer(&last->node, object_free);
	epoch_barrier();
	for (u32 i = 0; i < n; i++) {
		for (u32 j = 0; j < OBJECTS_EACH; j++)
			in_use += atomic_load_relaxed(&objects[i][j].state) != OBJECT_FREE;
	}
	KCHECK(in_use == 0);
}

static void defer_one(u32 index)
{
	objects[index][0].state = OBJECT_RETIRED;
	epoch_defer(&objects[index][0].node, object_free);
}

/* What halted harts have deferred is freed as well. */
KTEST(sync, epoch_barrier_reaches_idle_harts)
{
	u32 n;

	for (u32 round = 0; round < 20; round++) {
		KCHECK(workers_run(defer_one, &n));
		epoch_barrier();
		for (u32 i = 0; i < n; i++)
			KCHECK(atomic_load_relaxed(&objects[i][0].state) == OBJECT_FREE);
	}
}

KTEST(sync, lock_classes_are_listed)
{
	struct lock_class *c;
	bool found = false;

	for_each_lock_class(c) found |= c == &ktest_spin_class;
	KCHECK(found);
}
