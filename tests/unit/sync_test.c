/*
 * kernel/sync on pretended harts: each primitive alone, then all of them under load. Built plain
 * and with ThreadSanitizer.
 */
#include "tests/unit/unit.h"

#include <sched.h>
#include <stdlib.h>

#include "kernel/sync/atomic.h"
#include "kernel/sync/completion.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/inbox.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/refcount.h"
#include "kernel/sync/seqlock.h"
#include "kernel/sync/spinlock.h"
#include "tests/unit/host_cpu.h"

#define HARTS  4
#define ROUNDS 2000

LOCK_CLASS(test_outer, RANK_SIGNAL);
LOCK_CLASS(test_inner, RANK_RUNQ);
LOCK_CLASS(test_mutex, RANK_INODE);

static PERCPU(u64, test_percpu) = 7;

TEST(atomics_return_old_values)
{
	u32 w = 5;
	u64 d = 1UL << 40;
	int x, *p = NULL;

	CHECK(atomic_xchg(&w, 6) == 5 && w == 6);
	CHECK(atomic_fetch_add(&w, (u32)-1) == 6 && w == 5);
	CHECK(atomic_fetch_or(&d, 1) == 1UL << 40 && d == (1UL << 40) + 1);
	CHECK(atomic_fetch_and(&d, ~1UL) == (1UL << 40) + 1 && d == 1UL << 40);
	CHECK(!atomic_cas(&w, 4, 9) && w == 5);
	CHECK(atomic_cas(&w, 5, 9) && w == 9);
	CHECK(atomic_cas(&p, NULL, &x) && p == &x);
	CHECK(atomic_xchg(&p, NULL) == &x && !p);
}

TEST(percpu_copies_are_apart)
{
	host_cpus_init(3);
	host_cpu_become(2);
	this_cpu(test_percpu) = 9;
	host_cpu_become(1);
	CHECK(this_cpu(test_percpu) == 7);
	CHECK(*cpu_ptr(test_percpu, 2) == 9);
}

static struct inbox test_inbox;

struct test_message {
	struct inbox_node node;
	u32 from;
	u32 number;
};

TEST(inbox_keeps_the_order)
{
	struct inbox in = {0};
	struct test_message m[4];
	struct inbox_node *n;

	CHECK(inbox_empty(&in) && !inbox_take_all(&in));
	CHECK(inbox_push(&in, &m[0].node));
	m[1].node.next = &m[2].node;
	CHECK(!inbox_push_chain(&in, &m[1].node, &m[2].node));
	CHECK(!inbox_push(&in, &m[3].node));
	n = inbox_take_all(&in);
	for (u32 i = 0; i < 4; i++, n = n->next)
		CHECK(n == &m[i].node);
	CHECK(!n && inbox_empty(&in));
}

/* Hart 0 takes what the others push; each sender's messages arrive in order, each once. */
static void inbox_load(void *arg)
{
	static struct test_message m[HARTS][ROUNDS];
	u32 next[HARTS] = {0}, received = 0;

	(void)arg;
	if (cpu_id() != 0) {
		for (u32 i = 0; i < ROUNDS; i++) {
			m[cpu_id()][i] = (struct test_message){.from = cpu_id(), .number = i};
			inbox_push(&test_inbox, &m[cpu_id()][i].node);
		}
		return;
	}
	while (received < (HARTS - 1) * ROUNDS) {
		struct inbox_node *n = inbox_take_all(&test_inbox);

		if (!n)
			sched_yield();
		for (; n; n = n->next, received++) {
			struct test_message *got = container_of(n, struct test_message, node);

			CHECK(got->number == next[got->from]++);
		}
	}
}

TEST(inbox_under_load)
{
	host_cpus_init(HARTS);
	host_cpus_run(inbox_load, NULL);
	CHECK(inbox_empty(&test_inbox));
}

TEST(doorbell_rings_only_who_needs_it)
{
	struct cpu *other;

	host_cpus_init(2);
	host_cpu_become(0);
	other = cpu_of(1);
	other->state = HART_KERNEL;
	hart_kick(1, HART_WORK_INBOX, true);
	other->state = HART_POLL;
	hart_kick(1, HART_WORK_CALL, true);
	CHECK(host_cpu_rings(1) == 0 && other->work == (HART_WORK_INBOX | HART_WORK_CALL));
	other->state = HART_USER;
	hart_kick(1, HART_WORK_INBOX, false);
	CHECK(host_cpu_rings(1) == 0);
	hart_kick(1, HART_WORK_INBOX, true);
	CHECK(host_cpu_rings(1) == 1);
	other->state = HART_HALTED;
	hart_kick(1, HART_WORK_INBOX, true);
	CHECK(host_cpu_rings(1) == 1); /* the first bit was set before: somebody has rung */
	other->work = 0;
	hart_kick_mask(BIT(0) | BIT(1), HART_WORK_INBOX, false);
	CHECK(host_cpu_rings(1) == 2 && host_cpu_rings(0) == 0);
	CHECK(hart_leave_kernel(HART_USER) && hart_state_of(cpu_self()) == HART_KERNEL);
	CHECK(hart_take_work() == HART_WORK_INBOX && !hart_leave_kernel(HART_USER));
}

static struct spinlock lock_a = SPINLOCK_INIT(test_outer_class);
static struct spinlock lock_b = SPINLOCK_INIT(test_inner_class);
static struct spinlock lock_b2 = SPINLOCK_INIT(test_inner_class);
static u64 counter;

static void spin_load(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < ROUNDS; i++) {
		spin_lock(&lock_a);
		spin_assert_held(&lock_a);
		spin_lock_pair(&lock_b2, &lock_b);
		counter++;
		spin_unlock(&lock_a); /* out of order */
		spin_unlock_pair(&lock_b, &lock_b2);
		if (spin_trylock(&lock_a))
			spin_unlock(&lock_a);
	}
	CHECK(spin_held_count() == 0);
}

static u32 told_waits, told_takings, told_holder;

static u64 told_of_wait(const struct lock_class *c, const void *lock, const struct thread *holder,
			u32 holder_hart)
{
	(void)c;
	(void)lock;
	(void)holder;
	CHECK(holder_hart <= HARTS && holder_hart != cpu_id() + 1);
	atomic_store_relaxed(&told_holder, holder_hart);
	atomic_fetch_add(&told_waits, 1);
	return 7;
}

static void told_of_taking(const struct lock_class *c, const void *lock, u64 began, u64 turns,
			   const void *site)
{
	(void)c;
	(void)lock;
	(void)turns;
	CHECK(began == 7 && (site || !lock_stat_key));
	atomic_fetch_add(&told_takings, 1);
}

static u64 told_holds;

static u64 told_of_hold(void)
{
	return cpu_id() + 1;
}

/* The key is on for the holders' sake, holds are not counted. */
static u64 told_of_no_hold(void)
{
	return 0;
}

static void told_of_release(const struct lock_class *c, const void *site, u64 since)
{
	CHECK(c && site && since == cpu_id() + 1);
	atomic_fetch_add(&told_holds, 1UL);
}

TEST(spinlocks_exclude)
{
	struct lock_class *c;
	u32 classes = 0;

	counter = 0;
	sync_ops.lock_wait = told_of_wait;
	sync_ops.lock_taken = told_of_taking;
	host_cpus_init(HARTS);
	host_cpus_run(spin_load, NULL);
	CHECK(told_waits == told_takings);
	CHECK(counter == HARTS * ROUNDS);
	for_each_lock_class(c) classes += c == &test_outer_class || c == &test_inner_class;
	CHECK(classes == 2);
}

/* Hart 1 takes the lock and keeps it until hart 0 has said that it waits. */
static void hold_until_waited_for(void *arg)
{
	u32 *held = arg;

	if (cpu_id() == 1) {
		spin_lock(&lock_a);
		atomic_store_release(held, 1);
		while (!atomic_load_acquire(&told_waits))
			sched_yield();
	} else {
		while (!atomic_load_acquire(held))
			sched_yield();
		spin_lock(&lock_a);
	}
	spin_unlock(&lock_a);
}

TEST(a_waiter_sees_which_hart_has_the_lock)
{
	u32 held = 0;

	told_waits = told_takings = 0;
	lock_stat_key = 1;
	sync_ops.lock_held = told_of_no_hold;
	host_cpus_init(2);
	host_cpus_run(hold_until_waited_for, &held);
	CHECK(told_waits == 1 && told_holder == 2);
	CHECK(lock_a.owner == 0);
	lock_stat_key = 0;
}

static void trylock_only(void *arg)
{
	(void)arg;
	CHECK(spin_trylock(&lock_a));
	lock_stat_key = 0;
	spin_unlock(&lock_a); /* nobody hears of the end of this hold */
	spin_lock(&lock_a);
	lock_stat_key = 1;
	spin_unlock(&lock_a);
	for (u32 i = 0; i < 100; i++) {
		spin_lock(&lock_a);
		spin_unlock(&lock_a);
	}
}

TEST(spinlocks_are_counted)
{
	counter = 0;
	told_holds = 0;
	sync_ops.lock_held = told_of_hold;
	sync_ops.lock_released = told_of_release;
	lock_stat_key = 1;
	host_cpus_init(HARTS);
	host_cpus_run(spin_load, NULL);
	CHECK(counter == HARTS * ROUNDS);
	/* Three each round, and those that were free when tried for. */
	CHECK(told_holds >= HARTS * ROUNDS * 3 && told_holds <= HARTS * ROUNDS * 4);
	told_holds = 0;
	host_cpus_init(1);
	host_cpus_run(trylock_only, NULL);
	CHECK(told_holds ==
	      101); /* with the one whose end was told late: kernel/trace/lock_stat.c drops it, by its age */
	lock_stat_key = 0;
}

static struct mutex mutex = MUTEX_INIT(mutex, test_mutex_class);

static void mutex_load(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < ROUNDS; i++) {
		mutex_lock(&mutex);
		CHECK(mutex_held(&mutex));
		counter++;
		mutex_unlock(&mutex);
		if (mutex_trylock(&mutex)) {
			counter += 1000000;
			mutex_unlock(&mutex);
		}
	}
}

TEST(mutex_excludes)
{
	counter = 0;
	host_cpus_init(HARTS);
	host_cpus_run(mutex_load, NULL);
	CHECK(counter % 1000000 == HARTS * ROUNDS);
	CHECK(mutex.word == 0 && list_empty(&mutex.queue));
}

static struct completion completions[HARTS];

/* Each hart wakes the next; the one before it may have been signalled already. */
static void completion_load(void *arg)
{
	u64 *order = arg;

	if (cpu_id() != 0)
		completion_wait(&completions[cpu_id()]);
	CHECK((*order)++ == cpu_id());
	if (cpu_id() + 1 < nr_cpus)
		completion_signal(&completions[cpu_id() + 1]);
}

TEST(completions_pass_data_on)
{
	for (u32 i = 0; i < 50; i++) {
		u64 order = 0;

		memset(completions, 0, sizeof(completions));
		host_cpus_init(HARTS);
		host_cpus_run(completion_load, &order);
		CHECK(order == HARTS);
	}
}

static struct {
	struct seqcount seq;
	u64 x, y;
} record;

static void seq_load(void *arg)
{
	(void)arg;
	for (u32 i = 1; i <= ROUNDS; i++) {
		u64 x, y;
		u32 seq;

		if (cpu_id() == 0) {
			seq_write_begin(&record.seq);
			atomic_store_relaxed(&record.x, i);
			atomic_store_relaxed(&record.y, 2 * i);
			seq_write_end(&record.seq);
			continue;
		}
		do {
			seq = seq_read_begin(&record.seq);
			x = atomic_load_relaxed(&record.x);
			y = atomic_load_relaxed(&record.y);
		} while (seq_read_retry(&record.seq, seq));
		CHECK(y == 2 * x);
	}
}

TEST(seqcount_readers_see_no_tear)
{
	host_cpus_init(HARTS);
	host_cpus_run(seq_load, NULL);
}

TEST(refcount_zero_is_final)
{
	u32 refs = 1;

	refcount_get(&refs);
	CHECK(refcount_get_unless_zero(&refs) && refs == 3);
	CHECK(!refcount_put(&refs) && !refcount_put(&refs) && refcount_put(&refs));
	CHECK(!refcount_get_unless_zero(&refs));
}

/* An object that readers find through `published`; `alive` falls when it is freed. */
struct test_object {
	struct epoch_node node;
	u64 alive;
};

static struct test_object *published;
static u64 allocated, freed, deferred;

static void object_free(struct epoch_node *node)
{
	struct test_object *o = container_of(node, struct test_object, node);

	o->alive = 0;
	atomic_fetch_add(&freed, 1);
	free(o);
}

static struct test_object *object_create(void)
{
	struct test_object *o = malloc(sizeof(*o));

	o->alive = 1;
	atomic_fetch_add(&allocated, 1);
	return o;
}

TEST(epoch_waits_for_readers)
{
	host_cpus_init(2);
	host_cpu_become(0);
	allocated = freed = 0;
	cpu_of(1)->state = HART_SEQ_STEP | HART_KERNEL; /* a reader */
	epoch_poll();					/* the grace period that notes it */
	epoch_defer(&object_create()->node, object_free);
	CHECK(epoch_hart_pending());
	for (u32 i = 0; i < 5; i++)
		epoch_poll();
	CHECK(freed == 0 && (cpu_of(1)->work & HART_WORK_EPOCH));
	cpu_of(1)->state = HART_SEQ_STEP | HART_USER;
	epoch_poll();
	CHECK(freed == 1 && !epoch_hart_pending());
}

TEST(epoch_asks_to_be_polled_after_a_batch)
{
	host_cpus_init(1);
	host_cpu_become(0);
	allocated = freed = 0;
	for (u32 i = 0; i < 100; i++) {
		epoch_enter();
		epoch_defer(&object_create()->node, object_free);
		epoch_exit();
		host_user_mode();
	}
	CHECK(freed >= 64);
	epoch_poll();
	CHECK(freed == allocated);
}

static void epoch_load(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < ROUNDS; i++) {
		struct test_object *o;

		epoch_enter();
		o = atomic_load_acquire(&published);
		if (o)
			CHECK(o->alive == 1);
		epoch_exit();
		if (i % 4 == 0) {
			o = atomic_xchg(&published, object_create());
			if (o)
				epoch_defer(&o->node, object_free);
		}
		if (i % 3 == 0)
			epoch_quiesce();
		if (i % 7 == 0)
			host_user_mode();
	}
	if (cpu_id() == 0)
		epoch_barrier();
}

TEST(epoch_under_load)
{
	struct test_object *o;

	allocated = freed = 0;
	published = NULL;
	host_cpus_init(HARTS);
	host_cpus_run(epoch_load, NULL);
	o = atomic_xchg(&published, NULL);
	epoch_defer(&o->node, object_free);
	for (u32 i = 0; i < HARTS; i++) {
		host_cpu_become(i);
		epoch_poll();
		while (hart_leave_kernel(HART_OFFLINE))
			host_hart_work();
	}
	CHECK(freed == allocated);
}

/*
 * The barrier reaches harts that spin in user mode or are halted, with frees of their own pending.
 */
static void barrier_load(void *arg)
{
	struct completion *halted = arg;

	epoch_defer(&object_create()->node, object_free);
	atomic_fetch_add(&deferred, 1);
	if (cpu_id() == 0) {
		while (atomic_load_relaxed(&deferred) != HARTS)
			sched_yield();
		epoch_barrier();
		CHECK(atomic_load_relaxed(&freed) == HARTS);
		completion_signal(halted);
	} else if (cpu_id() == 1) {
		completion_wait(halted);
	} else {
		while (atomic_load_relaxed(&freed) != HARTS) {
			host_user_mode();
			sched_yield();
		}
	}
}

TEST(epoch_barrier_reaches_every_hart)
{
	for (u32 i = 0; i < 20; i++) {
		struct completion halted = {0};

		allocated = freed = deferred = 0;
		host_cpus_init(HARTS);
		host_cpus_run(barrier_load, &halted);
	}
}
