/*
 * Timers: deadlines, order, and cancelling across harts, also of timers that arm themselves.
 */
#include "kernel/irq/irq.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/time/time.h"
#include "tests/kernel/ktest.h"

#define MS(n) (time_freq * (n) / 1000)

/* One timer a hart, armed by that hart. */
struct probe {
	struct timer timer;
	u64 deadline;
	u64 period;  /* [a] it arms itself again after this; 0: it does not */
	u32 fired;   /* [a] */
	u32 early;   /* [a] ran before its deadline */
	u32 strayed; /* [a] ran on another hart */
	u32 cpu;
};

static struct probe probes[MAX_CPUS];

static u64 all_cpus(void)
{
	return nr_cpus == 64 ? ~0UL : BIT(nr_cpus) - 1;
}

static void probe_fire(struct timer *timer)
{
	struct probe *p = container_of(timer, struct probe, timer);
	u64 now = time_now();

	if (now < p->deadline)
		atomic_fetch_add(&p->early, 1);
	if (cpu_id() != p->cpu)
		atomic_fetch_add(&p->strayed, 1);
	atomic_fetch_add(&p->fired, 1);
	if (p->period) {
		p->deadline = now + p->period;
		timer_arm(timer, p->deadline);
	}
}

static void probe_arm_here(void *deadline)
{
	struct probe *p = &probes[cpu_id()];

	p->deadline = *(u64 *)deadline;
	p->cpu = cpu_id();
	timer_arm(&p->timer, p->deadline);
}

static void probes_reset(u64 period)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		probes[cpu] = (struct probe){.period = period};
		timer_init(&probes[cpu].timer, probe_fire);
	}
}

KTEST(time, clocks_go_forward)
{
	u64 before = time_monotonic_ns(), wall = time_realtime_ns();

	sched_sleep_until(time_now() + MS(2), 0);
	KCHECK(time_monotonic_ns() - before >= 2000000);
	KCHECK(time_realtime_ns() - wall >= 2000000);
	KCHECK(wall > 1700000000UL * 1000000000UL); /* the machine has a real-time clock */
}

KTEST(time, conversions_lose_nothing)
{
	KCHECK(time_ticks_to_ns(time_freq) == 1000000000);
	KCHECK(time_ns_to_ticks(1000000000) == time_freq);
	KCHECK(time_ns_to_ticks(1) == 1);
	KCHECK(time_ns_to_ticks(~0UL) < TIME_NEVER);
	for (u64 ticks = 1; ticks < 1UL << 56; ticks = ticks * 3 + 1)
		KCHECK(time_ns_to_ticks(time_ticks_to_ns(ticks)) == ticks);
}

KTEST(time, every_hart_runs_its_own_timer)
{
	u64 deadline = time_now() + MS(20);

	probes_reset(0);
	hart_call(all_cpus(), probe_arm_here, &deadline);
	sched_sleep_until(deadline + MS(50), 0);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		struct probe *p = &probes[cpu];

		KCHECK(!timer_cancel(&p->timer));
		KCHECK(p->fired == 1 && !p->early && !p->strayed);
	}
}

KTEST(time, one_hart_cancels_the_timers_of_all)
{
	u64 deadline = time_now() + MS(60);
	u32 cancelled = 0;

	probes_reset(0);
	hart_call(all_cpus(), probe_arm_here, &deadline);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		cancelled += timer_cancel(&probes[cpu].timer);
	/* A late host may have let some fire; each did one or the other. */
	KCHECK(cancelled == nr_cpus || time_now() >= deadline);
	sched_sleep_until(deadline + MS(20), 0);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		cancelled += probes[cpu].fired;
	KCHECK(cancelled == nr_cpus);
}

/* The function may run, and arm the timer, while it is being cancelled. */
KTEST(time, a_cancelled_timer_that_arms_itself_stays_quiet)
{
	for (u32 round = 0; round < 50; round++) {
		u64 deadline = time_now();
		u32 fired = 0, later = 0;

		probes_reset(1 + round % 7 * 20);
		hart_call(all_cpus(), probe_arm_here, &deadline);
		sched_sleep_until(time_now() + MS(1) / 4, 0);
		for (u32 cpu = 0; cpu < nr_cpus; cpu++)
			timer_cancel(&probes[cpu].timer);
		for (u32 cpu = 0; cpu < nr_cpus; cpu++)
			fired += atomic_load_acquire(&probes[cpu].fired);
		sched_sleep_until(time_now() + MS(1), 0);
		for (u32 cpu = 0; cpu < nr_cpus; cpu++)
			later += atomic_load_acquire(&probes[cpu].fired);
		KCHECK(fired == later);
	}
}

static struct {
	struct timer timer;
	u32 position;
} row[8];
static u32 row_next;

static void row_fire(struct timer *timer)
{
	for (u32 i = 0; i < ARRAY_SIZE(row); i++) {
		if (timer == &row[i].timer)
			row[i].position = row_next;
	}
	atomic_store_release(&row_next, row_next + 1);
}

static void row_arm(void *unused)
{
	u64 base = time_now() + MS(5);

	(void)unused;
	for (u32 i = 0; i < ARRAY_SIZE(row); i++) {
		timer_init(&row[i].timer, row_fire);
		timer_arm(&row[i].timer, base + MS(1) * (i * 3 % ARRAY_SIZE(row)));
	}
	KCHECK(timer_next_deadline() <= base);
}

KTEST(time, timers_of_a_hart_fire_in_order)
{
	row_next = 0;
	hart_call(BIT(nr_cpus - 1), row_arm, NULL);
	sched_sleep_until(time_now() + MS(60), 0);
	KCHECK(atomic_load_acquire(&row_next) == ARRAY_SIZE(row));
	for (u32 i = 0; i < ARRAY_SIZE(row); i++) {
		KCHECK(row[i].position == i * 3 % ARRAY_SIZE(row));
		timer_cancel(&row[i].timer);
	}
}

/* A deadline moves when its timer is armed again, to and fro and from hart to hart. */
KTEST(time, arming_again_replaces_the_deadline)
{
	u64 far = time_now() + MS(100000), near;

	probes_reset(0);
	hart_call(BIT(nr_cpus - 1), probe_arm_here, &far);
	near = time_now() + MS(2);
	probes[nr_cpus - 1].deadline = near;
	KCHECK(sched_set_affinity(thread_current(), BIT(0)) == 0);
	probes[nr_cpus - 1].cpu = 0;
	timer_arm(&probes[nr_cpus - 1].timer, near);
	sched_sleep_until(near + MS(30), 0);
	KCHECK(sched_set_affinity(thread_current(), ~0UL) == 0);
	KCHECK(probes[nr_cpus - 1].fired == 1 && !probes[nr_cpus - 1].strayed);
}
