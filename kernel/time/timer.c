/*
 * One-shot timers: a pairing heap per hart under a lock that any hart may take to cancel.
 *
 * Writing stimecmp takes QEMU's big lock (0.6-1 us), so it is written only when the first deadline is earlier than the
 * programmed one, and after an expiry. A cancelled first timer leaves its deadline programmed: one early interrupt finds nothing due.
 *
 * Cancel against expiry: timer_run() takes the timer off the heap and notes it as `running` under the lock, calls it without, and
 * clears the note. timer_cancel() takes the timer off its queue and waits until no other hart has it in its note; if it was armed
 * meanwhile (by its own function) it does so again. When it returns, the memory may be reused. So two functions must not cancel
 * each other's timers, and a canceller must not hold a lock that the function takes. The order of the stores, and what would break without:
 *
 *	expiry, function		cancel
 *	running = t			n = arms
 *	cpu = 0			(N)	cpu == 0: on no queue		without (N): finds neither queue nor note
 *	cpu = this hart			wait while running == t
 *	arms++			(O)	arms == n: it was not armed	without (O): n is new, cpu still old
 *	running = NULL		(P)					without (P): misses the arming at the end
 */
#include "kernel/time/time.h"

#include "arch/riscv64/csr.h"
#include "kernel/log/log.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/spinlock.h"
#include "kernel/trace/trace.h"

#define SPIN_WAIT_US 20 /* QEMU adds 50-60 us */

LOCK_CLASS(timerq, RANK_TIMER);

struct timerq {
	struct spinlock lock;
	struct heap heap;      /* [L:lock] */
	struct timer *running; /* [a] written under the lock */
	u64 first; /* [a] deadline at the top of the heap; written under the lock, read by this hart without */
	u64 programmed; /* [c] what stimecmp holds */
};

static PERCPU(struct timerq, timerq);

void timer_init(struct timer *t, void (*fn)(struct timer *))
{
	t->fn = fn;
	t->cpu = 0;
	t->arms = 0;
}

/* Called with locks held: takes none. */
static void timer_spin_wait(void)
{
	u64 enabled = csr_swap(sie, SIE_TIMER);

	if (atomic_load_relaxed(&cpu_self()->work) & HART_WORK_STOP)
		panic_stop_self();
	/* Nothing else may end the wait: a pending doorbell would turn it into a spin. */
	csr_write_stimecmp(time_now() + time_freq * SPIN_WAIT_US / 1000000);
	wfi();
	csr_write_stimecmp(this_cpu(timerq).programmed);
	csr_write(sie, enabled);
}

static void timer_program(struct timerq *q, u64 deadline)
{
	q->programmed = deadline;
	csr_write_stimecmp(deadline);
}

void timer_reprogram(void)
{
	csr_write_stimecmp(this_cpu(timerq).programmed);
}

void timer_hart_init(void)
{
	struct timerq *q = this_cpu_ptr(timerq);

	spin_init(&q->lock, &timerq_class);
	atomic_store_relaxed(&q->first, TIME_NEVER);
	timer_program(q, TIME_NEVER);
	sync_ops.spin_wait_slow = timer_spin_wait;
}

/* After each change of the heap, under the lock. */
static void timer_note_first(struct timerq *q)
{
	struct heap_node *first = heap_first(&q->heap);

	atomic_store_relaxed(&q->first, first ? first->key : TIME_NEVER);
}

/* The queue that `t` is on, locked, or NULL when it is on none. */
static struct timerq *timer_lock_queue(struct timer *t)
{
	u32 cpu;

	while ((cpu = atomic_load_acquire(&t->cpu)) != 0) {
		struct timerq *q = cpu_ptr(timerq, cpu - 1);

		spin_lock(&q->lock);
		if (atomic_load_relaxed(&t->cpu) == cpu)
			return q;
		spin_unlock(&q->lock);
	}
	return NULL;
}

/* Takes `t` off its queue; false if it is on none. */
static bool timer_remove(struct timer *t)
{
	struct timerq *q = timer_lock_queue(t);

	if (!q)
		return false;
	heap_remove(&q->heap, &t->node);
	timer_note_first(q);
	atomic_store_relaxed(&t->cpu, 0);
	spin_unlock(&q->lock);
	return true;
}

void timer_arm(struct timer *t, u64 deadline)
{
	struct timerq *q = this_cpu_ptr(timerq);

	timer_remove(t);
	spin_lock(&q->lock);
	t->node.key = deadline;
	heap_insert(&q->heap, &t->node);
	timer_note_first(q);
	atomic_store_release(&t->cpu, cpu_id() + 1);
	atomic_store_release(&t->arms,
			     t->arms + 1); /* (O): pairs with the first load in timer_cancel() */
	if (deadline < q->programmed)
		timer_program(q, deadline);
	spin_unlock(&q->lock);
}

static void timer_wait_running(struct timer *t)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		struct timerq *q = cpu_ptr(timerq, cpu);

		/* On this hart it is our caller: waiting would never end. Pairs with (P) in timer_run(). */
		while (cpu != cpu_id() && atomic_load_acquire(&q->running) == t)
			cpu_relax();
	}
}

bool timer_cancel(struct timer *t)
{
	bool pending = false;
	u32 arms;

	do {
		arms = atomic_load_acquire(&t->arms);
		pending |= timer_remove(t);
		timer_wait_running(t);
	} while (atomic_load_relaxed(&t->arms) != arms);
	return pending;
}

/* Takes the first due timer off the heap, or programs the next deadline. */
static struct timer *timer_take_due(struct timerq *q, u64 now)
{
	struct heap_node *first;
	struct timer *t = NULL;

	spin_lock(&q->lock);
	first = heap_first(&q->heap);
	if (first && first->key <= now) {
		heap_pop(&q->heap);
		timer_note_first(q);
		t = container_of(first, struct timer, node);
		atomic_store_relaxed(&q->running, t);
		atomic_store_release(&t->cpu, 0); /* (N): pairs with the load in timer_lock_queue() */
	} else if (q->programmed <= now || (first && first->key < q->programmed)) {
		timer_program(q, first ? first->key : TIME_NEVER);
	}
	spin_unlock(&q->lock);
	return t;
}

void timer_run(void)
{
	struct timerq *q = this_cpu_ptr(timerq);
	struct timer *t;
	u64 now = time_now(), programmed = q->programmed;

	/* What was due at the start: a function that arms its timer for at once must not keep us here. */
	while ((t = timer_take_due(q, now)) != NULL) {
		trace_timer_fire((u64)t->fn, (u32)(now - t->node.key));
		t->fn(t);
		atomic_store_release(&q->running, NULL); /* (P): pairs with timer_wait_running() */
	}
	/*
	 * An expiry that QEMU's main loop was already delivering when stimecmp was written sets STIP after that write, and only
	 * another write clears it: without this one the interrupt would come again for ever.
	 */
	if (q->programmed == programmed)
		csr_write_stimecmp(programmed);
}

u64 timer_next_deadline(void)
{
	return atomic_load_relaxed(&this_cpu_ptr(timerq)->first);
}
