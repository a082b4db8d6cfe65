/*
 * synth [--harts N] [--events N] [--pattern P] [--ring BYTES] [--seed S] [--image] OUT: writes a dump of a made-up
 * machine, by the kernel's own emitters and dump code over fake_kernel. A small scheduler keeps the story consistent: threads
 * are born, call the system, fault, wait for and wake each other over harts, are preempted, and end. Ties of the clock and
 * wakings that are stored before the switch they follow happen often; low harts do more than high ones.
 *
 * Prints what a checker should find as KEY=VALUE lines.
 */
#include "kernel/trace/trace.h"
#include "tests/trace/fake_kernel.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_THREADS 24
#define MAX_HARTS   8
#define PROCESS	    100
#define FUTEX	    98
#define FUTEX_WAITV 449

enum state { FREE, RUNNABLE, RUNNING, PARKING, BLOCKED };

struct sim_thread {
	u32 tid;
	enum state state;
	u16 call;	  /* what it waits in, 0: it does not */
	bool woken_early; /* woken while PARKING */
};

struct sim_hart {
	struct sim_thread *current; /* NULL: idle */
	bool ipi;		    /* rung, not answered */
	bool flushing;		    /* waits for others to flush their translations */
};

static struct sim_thread threads[MAX_THREADS];
static struct sim_hart harts[MAX_HARTS];
static u32 nr_harts = 4;
static u32 next_tid = PROCESS;
static u64 nr_wakings, nr_switches, nr_births;

static u64 seed = 1;

static u32 random_below(u32 n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (u32)(seed >> 33) % n;
}

static void tick(void)
{
	fake_clock += random_below(3);
}

static u32 hart_id(const struct sim_hart *h)
{
	return (u32)(h - harts);
}

static struct sim_thread *pick(enum state state)
{
	u32 start = random_below(MAX_THREADS);

	for (u32 i = 0; i < MAX_THREADS; i++) {
		struct sim_thread *t = &threads[(start + i) % MAX_THREADS];

		if (t->state == state)
			return t;
	}
	return NULL;
}

/* The hart leaves its current thread, which is in prev_state, for another or for idle. */
static void switch_from(struct sim_hart *h, u32 prev_state)
{
	struct sim_thread *next = pick(RUNNABLE);
	u32 prev_tid = h->current ? h->current->tid : 0;

	if (!next && !h->current)
		return;
	if (!h->current)
		trace_cpu_idle(TRACE_IDLE_EXIT);
	trace_sched_switch(prev_tid, prev_state, next ? next->tid : 0, 120);
	nr_switches++;
	h->current = next;
	tick();
	if (!next) {
		trace_cpu_idle(TRACE_IDLE_WFI);
		return;
	}
	next->state = RUNNING;
	if (next->call) {
		trace_futex_wait_done(0);
		tick();
		trace_sys_exit(next->call, 0);
		next->call = 0;
	}
}

static void give_birth(struct sim_hart *h)
{
	struct sim_thread *t = pick(FREE);
	char name[TRACE_TASK_NAME_LEN];
	u32 parent = h->current ? h->current->tid : 0;

	if (!t)
		return;
	if (parent)
		trace_sys_enter(220, 0x50f00, 0x3f00000000, (u64)-1);
	t->tid = next_tid++;
	t->state = RUNNABLE;
	t->call = 0;
	trace_task_new(parent, t->tid, PROCESS);
	snprintf(name, sizeof(name), "worker/%u", t->tid);
	trace_task_name(t->tid, PROCESS, t->tid == PROCESS ? "synth" : name);
	nr_births++;
	tick();
	if (parent)
		trace_sys_exit(220, t->tid);
}

static void die(struct sim_hart *h)
{
	struct sim_thread *t = h->current;

	if (t->tid == PROCESS)
		return;
	trace_sys_enter(93, 0, 0, 0);
	tick();
	trace_task_exit(t->tid);
	t->state = FREE;
	switch_from(h, TRACE_STATE_DEAD);
}

static void fault(void)
{
	trace_page_fault(0x3fff0000 + random_below(4096), random_below(3));
	tick();
	trace_page_fault_done(0);
}

static u64 others(const struct sim_hart *h)
{
	return ((1UL << nr_harts) - 1) & ~(1UL << hart_id(h));
}

/* Others go on until the hart is next looked at: their rings may by then have lost what came before. */
static void begin_flush(struct sim_hart *h)
{
	trace_tlb_flush(others(h), PROCESS, 0);
	h->flushing = true;
}

static void call(void)
{
	trace_sys_enter(63, 3, 0x3fffffff00, random_below(4096));
	tick();
	if (random_below(4) == 0)
		fault();
	trace_sys_exit(63, (u64)-11);
}

/* The thread is marked blocked here; its switch comes when the hart is next looked at. */
static void begin_wait(struct sim_hart *h)
{
	h->current->call = random_below(2) ? FUTEX : FUTEX_WAITV;
	trace_sys_enter(h->current->call, 0x12345678, 128, 1);
	tick();
	trace_futex_wait(0x12345678, 1);
	h->current->state = PARKING;
}

static void ring(struct sim_hart *from, struct sim_hart *to)
{
	if (from == to)
		return;
	trace_ipi_send(1UL << hart_id(to), 1);
	to->ipi = true;
}

static void wake(struct sim_hart *h)
{
	struct sim_thread *t = random_below(2) ? pick(PARKING) : pick(BLOCKED);

	trace_sys_enter(FUTEX, 0x12345678, 129, 1);
	trace_futex_wake(0x12345678, 1);
	tick();
	if (t && !t->woken_early) {
		u32 target = random_below(nr_harts);

		trace_sched_waking(t->tid, (u16)target, 0);
		nr_wakings++;
		if (t->state == BLOCKED)
			t->state = RUNNABLE;
		else
			t->woken_early = true;
		ring(h, &harts[target]);
		tick();
	}
	trace_futex_wake_done(t ? 1 : 0);
	trace_sys_exit(FUTEX, t ? 1 : 0);
}

/* A timer ends a sleep: the waking has no waker. */
static void interrupt(u32 irq)
{
	struct sim_thread *t = pick(BLOCKED);

	trace_irq_entry(irq);
	tick();
	if (t && irq == 5) {
		trace_sched_waking(t->tid, 0, TRACE_WAKE_IRQ);
		nr_wakings++;
		t->state = RUNNABLE;
	}
	trace_irq_exit(irq);
}

static void finish_parking(struct sim_hart *h)
{
	struct sim_thread *t = h->current;

	t->state = BLOCKED;
	switch_from(h, TRACE_STATE_SLEEPING);
	if (t->woken_early)
		t->state = RUNNABLE;
	t->woken_early = false;
}

static void step(struct sim_hart *h)
{
	fake_run_on(hart_id(h));
	tick();
	if (h->current && h->current->state == PARKING) {
		finish_parking(h);
		return;
	}
	if (h->flushing) {
		h->flushing = false;
		trace_tlb_flushed(others(h));
		return;
	}
	if (h->ipi) {
		h->ipi = false;
		trace_irq_entry(1);
		trace_ipi_recv(1);
		trace_irq_exit(1);
	}
	if (!h->current) {
		switch_from(h, 0);
		return;
	}
	switch (random_below(12)) {
	case 0:
		give_birth(h);
		break;
	case 1:
		die(h);
		break;
	case 2:
		interrupt(5);
		break;
	case 3:
		h->current->state = RUNNABLE;
		switch_from(h, TRACE_STATE_PREEMPTED);
		break;
	case 4:
	case 5:
		begin_wait(h);
		break;
	case 6:
		fault();
		begin_flush(h);
		break;
	case 7:
	case 8:
		call();
		break;
	default:
		wake(h);
		break;
	}
}

/* Someone must be left to wake the others: when all harts idle and nobody can run, the timer does it. */
static void keep_alive(void)
{
	for (u32 i = 0; i < nr_harts; i++)
		if (harts[i].current)
			return;
	if (pick(RUNNABLE))
		return;
	fake_run_on(0);
	interrupt(5);
}

static u64 number(const char *text)
{
	return strtoull(text, NULL, 0);
}

int main(int argc, char **argv)
{
	u64 steps = 20000, ring_bytes = 1 << 20;
	const char *pattern = "on", *out = NULL;
	bool image = false;

	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (!strcmp(argv[i], "--image"))
			image = true;
		else if (!strcmp(argv[i], "--harts") && more)
			nr_harts = number(argv[++i]);
		else if (!strcmp(argv[i], "--events") && more)
			steps = number(argv[++i]);
		else if (!strcmp(argv[i], "--pattern") && more)
			pattern = argv[++i];
		else if (!strcmp(argv[i], "--ring") && more)
			ring_bytes = number(argv[++i]);
		else if (!strcmp(argv[i], "--seed") && more)
			seed = number(argv[++i]);
		else
			out = argv[i];
	}
	if (!out || !nr_harts || nr_harts > MAX_HARTS) {
		fprintf(stderr, "synth: see the head of synth.c\n");
		return 2;
	}
	fake_clock = 1000;
	fake_boot(nr_harts, pattern, ring_bytes);
	fake_run_on(0);
	give_birth(&harts[0]);
	for (u64 i = 0; i < steps; i++) {
		u32 one = random_below(nr_harts), other = random_below(nr_harts);

		step(&harts[MIN(one, other)]);
		keep_alive();
	}
	printf("wakings=%" PRIu64 "\nswitches=%" PRIu64 "\nbirths=%" PRIu64 "\n", nr_wakings,
	       nr_switches, nr_births);
	if (image) {
		trace_stop();
		fake_write_image(out);
		return 0;
	}
	return trace_dump(out) ? 1 : 0;
}
