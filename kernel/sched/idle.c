/*
 * Idle: serve demands, steal, poll for a while, halt.
 *
 * Waking a halted virtual CPU costs 13-80 us, so a hart that runs out of work first polls its work word. That only pays while the host has
 * a core for it: when two looks at the clock lie more than 1 ms apart the host has run something else, and polling is off for
 * a second.
 *
 * While polling or halted the hart is quiescent. The state says POLL or HALTED before `work` is tested the last time (fence (B) in
 * hart_leave_kernel()), so a sender either sees the state or its bit is seen here.
 */
#include "kernel/sched/runq.h"

#include "arch/riscv64/csr.h"
#include "kernel/irq/irq.h"
#include "kernel/log/log.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/trace/sample.h"
#include "kernel/trace/trace.h"

#include <stdio.h>
#include <string.h>

#define POLL_US	      25   /* about what waking a halted virtual CPU costs */
#define POLL_TURNS    4	   /* looks at the work word for each reading of the clock */
#define POLL_GAP_US   1000 /* a longer gap: the host took our core away */
#define POLL_OFF_S    1
#define NEAR_US	      100 /* QEMU's timers are 50-60 us late: poll for deadlines nearer than this */
#define EPOCH_WAIT_MS 10

LOCK_CLASS(runq, RANK_RUNQ);

static u64 ticks_us(u64 us)
{
	return time_freq * us / 1000000;
}

static void idle_take_interrupts(void)
{
	u64 pending = csr_read(sip) & csr_read(sie);

	if (pending)
		sample_handle_pending(pending);
}

/* Polls until there is work, a timer is due, or `until`. State is POLL; true if the caller must look at its demands. */
static bool idle_poll(struct runq *rq, u64 until)
{
	struct cpu *cpu = cpu_self();
	u64 last = time_now();

	for (u32 turn = 0;; turn++) {
		u64 now;

		if (atomic_load_relaxed(&cpu->work))
			return true;
		cpu_relax();
		if (turn % POLL_TURNS)
			continue;
		now = time_now();
		if (now >= timer_next_deadline())
			return true;
		if (now - last > ticks_us(POLL_GAP_US)) {
			rq->poll_off_until = now + time_freq * POLL_OFF_S;
			return false;
		}
		if (now >= until)
			return false;
		last = now;
	}
}

/* How long to poll from `now`: to a near deadline always, else a little if the host seems to have a core for us. */
static u64 idle_poll_until(struct runq *rq, u64 now)
{
	u64 deadline = timer_next_deadline();

	if (deadline <= now + ticks_us(NEAR_US))
		return deadline;
	return now < rq->poll_off_until ? now : now + ticks_us(POLL_US);
}

static void idle_halt(void)
{
	sched_trace_memory();
	trace_cpu_idle(0);
	sample_leave();
	if (!hart_leave_kernel(HART_HALTED)) {
		wfi();
		hart_enter_kernel();
	}
	trace_cpu_idle(TRACE_IDLE_EXIT);
	mm_flush_stale_if_asked();
	idle_take_interrupts();
}

/* Deferred frees must not wait for a sleeping hart: look again soon. */
static void idle_epoch_wake(struct timer *timer)
{
	(void)timer;
}

static PERCPU(struct timer, idle_epoch_timer);

static void idle_wait(struct runq *rq)
{
	u64 now = time_now(), until = idle_poll_until(rq, now);
	bool found = false;

	sample_leave();
	if (until > now && !hart_leave_kernel(HART_POLL)) {
		found = idle_poll(rq, until);
		hart_enter_kernel();
	}
	mm_flush_stale_if_asked();
	if (found || timer_next_deadline() <= time_now()) {
		sample_handle_pending(
			SIE_TIMER); /* due by the clock; the interrupt itself comes 50 us late */
		return;
	}
	sample_enter();
	if (epoch_hart_pending())
		epoch_poll();
	if (epoch_hart_pending())
		timer_arm(this_cpu_ptr(idle_epoch_timer), now + time_freq * EPOCH_WAIT_MS / 1000);
	idle_halt();
}

void sched_idle(void)
{
	struct runq *rq = runq_self();

	for (;;) {
		sample_enter();
		sched_hart_work();
		rq->need_resched = false;
		if (rq->nr_queued || !inbox_empty(&rq->inbox) || sched_steal(rq))
			schedule();
		else
			idle_wait(rq);
	}
}

static void sched_describe(u32 cpu, char *text, size_t size)
{
	const struct thread *t = cpu_of(cpu)->current;

	snprintf(text, size, "%s (%u)", t ? t->name : "boot", t ? t->tid : 0);
}

void sched_init(void)
{
	sched_park_init();
	relax_hook = kernel_relax;
	panic_describe_thread = sched_describe;
}

void sched_hart_init(void)
{
	struct runq *rq = runq_self();
	struct thread *idle = &rq->idle;

	spin_init(&rq->lock, &runq_class);
	runq_init(rq);
	timer_init(&rq->tick, sched_tick);
	timer_init(this_cpu_ptr(idle_epoch_timer), idle_epoch_wake);
	snprintf(idle->name, sizeof(idle->name), "swapper/%u", cpu_id());
	idle->class = SCHED_CLASS_IDLE;
	idle->weight = sched_weight(SCHED_CLASS_IDLE, 0);
	idle->affinity = BIT(cpu_id());
	idle->cpu = cpu_id();
	idle->on_cpu = 1;
	idle->refs = 1;
	idle->kernel_sp = cpu_self()->kernel_sp;
	rq->running = idle;
	rq->clock = time_now();
	rq->start = rq->clock;
	cpu_self()->current = idle;
}
