/*
 * Scheduler: parking, placement, affinity, priorities, stealing, hart_call, and threads by the hundred.
 */
#include "abi/errno.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/mm.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "tests/kernel/ktest.h"

#include <string.h>

#define MS(n) (time_freq * (n) / 1000)

/* A thread of the test: counts itself out when it ends. */
struct worker {
	struct thread *thread;
	void (*fn)(struct worker *w);
	struct worker *peer;
	u32 turn; /* [a] */
	u32 rounds;
	u32 seen_cpu;
	u32 *left;	     /* [a] workers that have not ended */
	struct thread *boss; /* unparked at the end of each */
};

static void worker_main(void *arg)
{
	struct worker *w = arg;
	u32 *left = w->left;
	struct thread *boss = w->boss;

	w->fn(w);
	/* `w` may be gone once the count is down. */
	atomic_fetch_add(left, (u32)-1);
	unpark(boss);
}

static bool worker_start(struct worker *w, void (*fn)(struct worker *), u32 *left)
{
	w->fn = fn;
	w->left = left;
	w->boss = thread_current();
	w->thread = kthread_create("worker", worker_main, w);
	return w->thread != NULL;
}

/* Waits until all workers have ended; false after `seconds`. */
static bool workers_join(u32 *left, u32 seconds)
{
	u64 deadline = time_now() + time_freq * seconds;

	while (atomic_load_acquire(left)) {
		if (park(deadline, 0) == -ETIMEDOUT && atomic_load_acquire(left))
			return false;
	}
	return true;
}

KTEST(sched, permit_makes_park_return)
{
	unpark(thread_current());
	KCHECK(park(PARK_FOREVER, 0) == 0);
}

KTEST(sched, park_times_out_not_early)
{
	u64 deadline = time_now() + MS(20);

	/* A worker of another test may still be about to unpark us: that ends a park early. */
	while (park(deadline, 0) == 0)
		;
	KCHECK(time_now() >= deadline);
}

static void ping(struct worker *w)
{
	for (u32 i = 0; i < w->rounds; i++) {
		while (!atomic_load_acquire(&w->turn))
			park(PARK_FOREVER, 0);
		atomic_store_relaxed(&w->turn, 0);
		w->seen_cpu = cpu_id();
		atomic_store_release(&w->peer->turn, 1);
		unpark(w->peer->thread);
	}
}

static void ping_pong(u64 affinity_a, u64 affinity_b, u32 rounds)
{
	struct worker a = {.rounds = rounds}, b = {.rounds = rounds, .peer = &a};
	u32 left = 2;

	a.peer = &b;
	if (!KCHECK(worker_start(&a, ping, &left)) || !KCHECK(worker_start(&b, ping, &left)))
		return;
	KCHECK(sched_set_affinity(a.thread, affinity_a) == 0);
	KCHECK(sched_set_affinity(b.thread, affinity_b) == 0);
	atomic_store_release(&a.turn, 1);
	unpark(a.thread);
	KCHECK(workers_join(&left, 30));
	KCHECK(affinity_a & BIT(a.seen_cpu));
	KCHECK(affinity_b & BIT(b.seen_cpu));
	thread_put(a.thread);
	thread_put(b.thread);
}

KTEST(sched, ping_pong_on_one_hart)
{
	ping_pong(1, 1, 2000);
}

KTEST(sched, ping_pong_across_harts)
{
	ping_pong(1, BIT(nr_cpus - 1), 2000);
}

static void answer(struct worker *w)
{
	for (u32 i = 0; i < w->rounds; i++) {
		while (!atomic_xchg(&w->turn, 0))
			park(PARK_FOREVER, 0);
		atomic_store_release(&w->seen_cpu, i + 1);
	}
}

/* Does whom we wake run while we hold this hart, saying so before? */
static bool answered_meanwhile(struct worker *w)
{
	u32 before = atomic_load_relaxed(&w->seen_cpu);
	u64 end;

	while (atomic_load_relaxed(&w->thread->park) != PARK_BLOCKED ||
	       atomic_load_acquire(&w->thread->on_cpu))
		kernel_relax();
	sched_waker_will_run_on();
	atomic_store_release(&w->turn, 1);
	unpark(w->thread);
	end = time_now() + MS(1000);
	while (atomic_load_acquire(&w->seen_cpu) == before && time_now() < end)
		cpu_relax();
	return atomic_load_relaxed(&w->seen_cpu) != before;
}

static void wake_and_hold(struct worker *w)
{
	w->turn = answered_meanwhile(w->peer);
}

KTEST(sched, nobody_waits_behind_who_says_that_it_runs_on)
{
	bool answered = false;

	/*
	 * Other harts may be busy for a moment, so once is enough; behind the waker it would be never. Each time
	 * it is a new one, of which the scheduler knows nothing.
	 */
	for (u32 i = 0; i < 5 && !answered && nr_cpus > 1; i++) {
		struct worker sleeper = {.rounds = 1}, waker = {.peer = &sleeper};
		u32 left = 2;

		if (!KCHECK(worker_start(&sleeper, answer, &left)) ||
		    !KCHECK(worker_start(&waker, wake_and_hold, &left)) ||
		    !KCHECK(workers_join(&left, 30)))
			return;
		answered = waker.turn;
		thread_put(sleeper.thread);
		thread_put(waker.thread);
	}
	KCHECK(answered || nr_cpus == 1);
}

KTEST(sched, affinity_moves_the_running_thread)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		KCHECK(sched_set_affinity(thread_current(), BIT(cpu)) == 0);
		KCHECK(cpu_id() == cpu);
	}
	KCHECK(sched_set_affinity(thread_current(), 0) == -EINVAL);
	KCHECK(sched_set_affinity(thread_current(), ~0UL) == 0);
}

/* Computes without blocking, relaxing like any long loop of the kernel. */
static void spin(struct worker *w)
{
	u64 end = time_now() + MS(60);

	while (time_now() < end)
		kernel_relax();
	w->seen_cpu = cpu_id();
}

KTEST(sched, idle_harts_steal_from_a_busy_one)
{
	enum { N = 8 };
	struct worker w[N] = {0};
	u32 left = N;
	u64 cpus = 0, start = time_now();

	for (u32 i = 0; i < N; i++)
		KCHECK(worker_start(&w[i], spin, &left));
	KCHECK(workers_join(&left, 30));
	for (u32 i = 0; i < N; i++) {
		cpus |= BIT(w[i].seen_cpu);
		thread_put(w[i].thread);
	}
	KCHECK(time_now() - start >= MS(60));
	KCHECK(nr_cpus == 1 || __builtin_popcountl(cpus) > 1);
}

static void note_order(struct worker *w)
{
	w->turn = atomic_fetch_add(&w->peer->rounds, 1);
}

KTEST(sched, higher_priority_runs_first)
{
	struct worker counter = {0}, low = {.peer = &counter}, high = {.peer = &counter};
	struct thread *self = thread_current();
	u32 left = 2;

	/* All three on this hart; we outrank both until we block. */
	KCHECK(sched_set_affinity(self, BIT(0)) == 0);
	KCHECK(sched_set_policy(self, SCHED_CLASS_FIFO, 50, 0) == 0);
	if (KCHECK(worker_start(&low, note_order, &left)) &&
	    KCHECK(worker_start(&high, note_order, &left))) {
		KCHECK(sched_set_affinity(low.thread, BIT(0)) == 0);
		KCHECK(sched_set_affinity(high.thread, BIT(0)) == 0);
		KCHECK(sched_set_policy(low.thread, SCHED_CLASS_FIFO, 10, 0) == 0);
		KCHECK(sched_set_policy(high.thread, SCHED_CLASS_FIFO, 20, 0) == 0);
		KCHECK(workers_join(&left, 10));
		/* On a single hart the order is certain; elsewhere they may have started before the priorities were set. */
		KCHECK(nr_cpus > 1 || high.turn < low.turn);
		thread_put(low.thread);
		thread_put(high.thread);
	}
	KCHECK(sched_set_policy(self, SCHED_CLASS_FAIR, 0, 0) == 0);
	KCHECK(sched_set_affinity(self, ~0UL) == 0);
}

/* Longer than a host keeps the core away. */
#define STRETCH MS(200)

/* Waits for its turn, then computes for a stretch, as spin() does, and leaves when it began and ended. */
struct stretch {
	struct worker worker; /* first: what fn gets */
	u64 began, ended;
};

static void spin_in_turn(struct worker *w)
{
	struct stretch *s = container_of(w, struct stretch, worker);

	while (!atomic_load_acquire(&w->turn))
		park(PARK_FOREVER, 0);
	s->began = time_now();
	while (time_now() < s->began + STRETCH)
		kernel_relax();
	s->ended = time_now();
}

KTEST(sched, threads_sent_to_an_idle_hart_share_it)
{
	struct stretch s[2] = {0};
	struct unpark_batch batch = {0};
	u64 hart = BIT(nr_cpus - 1);
	u32 left = 2;

	for (u32 i = 0; i < 2; i++)
		if (!KCHECK(worker_start(&s[i].worker, spin_in_turn, &left)) ||
		    !KCHECK(sched_set_affinity(s[i].worker.thread, hart) == 0))
			return;
	sched_sleep_until(time_now() + MS(20), 0); /* both wait, their hart idles */
	for (u32 i = 0; i < 2; i++) {
		atomic_store_release(&s[i].worker.turn, 1);
		unpark_batch_add(&batch, s[i].worker.thread);
	}
	unpark_batch_flush(&batch);
	KCHECK(workers_join(&left, 30));
	KCHECK(s[1].began < s[0].ended && s[0].began < s[1].ended);
	for (u32 i = 0; i < 2; i++)
		thread_put(s[i].worker.thread);
}

static void ping_for_a_while(struct worker *w)
{
	while (!atomic_load_acquire(&w->rounds)) {
		unpark(w->peer->thread);
		park(time_now() + MS(1), 0);
		kernel_relax(); /* a permit ends a park without a look at anything else */
	}
}

KTEST(sched, policy_and_affinity_change_while_threads_move)
{
	enum { N = 8 };
	static struct worker w[N];
	u32 left = N, random = 1;
	u64 end = time_now() + MS(400);

	/* Above all of them, or we would not run on a single hart. */
	KCHECK(sched_set_policy(thread_current(), SCHED_CLASS_FIFO, 50, 0) == 0);
	memset(w, 0, sizeof(w));
	for (u32 i = 0; i < N; i++) {
		w[i].peer = &w[(i + 1) % N];
		w[i].peer->thread = w[i].peer->thread ?: thread_current();
	}
	for (u32 i = 0; i < N; i++)
		if (!KCHECK(worker_start(&w[i], ping_for_a_while, &left)))
			return;
	while (time_now() < end) {
		struct thread *t;
		bool rt;

		random = random * 1103515245 + 12345;
		t = w[random >> 8 & (N - 1)].thread;
		rt = random >> 16 & 1;
		KCHECK(sched_set_policy(t, rt ? SCHED_CLASS_FIFO : SCHED_CLASS_FAIR,
					rt ? 1 + (random >> 20 & 31) : 0, 0) == 0);
		sched_set_affinity(t, (random >> 24) | BIT((random >> 18) % nr_cpus));
		sched_sleep_until(time_now() + MS(1) / 20, 0);
	}
	for (u32 i = 0; i < N; i++)
		atomic_store_release(&w[i].rounds, 1);
	KCHECK(workers_join(&left, 30));
	for (u32 i = 0; i < N; i++)
		thread_put(w[i].thread);
	KCHECK(sched_set_policy(thread_current(), SCHED_CLASS_FAIR, 0, 0) == 0);
}

static void call_count(void *arg)
{
	atomic_fetch_add((u32 *)arg, 1);
}

KTEST(sched, hart_call_reaches_every_hart)
{
	u64 all = nr_cpus == 64 ? ~0UL : BIT(nr_cpus) - 1;

	for (u32 round = 0; round < 50; round++) {
		u32 count = 0;

		hart_call(all, call_count, &count);
		KCHECK(count == nr_cpus);
	}
}

static void nothing(struct worker *w)
{
	(void)w;
}

KTEST(sched, a_thousand_threads_come_and_go)
{
	enum { N = 50, ROUNDS = 25 };
	static struct worker w[N];
	u64 free_before, free_after;

	epoch_barrier();
	free_before = mm_free_pages();
	for (u32 round = 0; round < ROUNDS; round++) {
		u32 left = N;

		for (u32 i = 0; i < N; i++)
			KCHECK(worker_start(&w[i], nothing, &left));
		KCHECK(workers_join(&left, 30));
		for (u32 i = 0; i < N; i++)
			thread_put(w[i].thread);
	}
	epoch_barrier();
	free_after = mm_free_pages();
	/*
	 * Stacks and slabs are recycled, not returned: besides the N that live at once each hart may come to keep 32 of each. A
	 * leak of every fourth thread is more than that.
	 */
	KCHECK(free_after + (N + 32 * nr_cpus + 8) * (KSTACK_SIZE / PAGE_SIZE + 1) >= free_before);
}

static void count_timer(struct timer *timer);

static struct {
	struct timer timer;
	u32 fired; /* [a] */
} timer_probe;

static void count_timer(struct timer *timer)
{
	(void)timer;
	atomic_fetch_add(&timer_probe.fired, 1);
}

KTEST(sched, timers_fire_once_and_cancel)
{
	timer_probe.fired = 0;
	timer_init(&timer_probe.timer, count_timer);
	timer_arm(&timer_probe.timer, time_now() + MS(5));
	sched_sleep_until(time_now() + MS(30), 0);
	KCHECK(atomic_load_acquire(&timer_probe.fired) == 1);
	KCHECK(!timer_cancel(&timer_probe.timer));
	timer_arm(&timer_probe.timer, time_now() + MS(1000));
	KCHECK(timer_cancel(&timer_probe.timer));
	KCHECK(timer_probe.fired == 1);
}
