/*
 * One-shot timers: a pairing heap per hart under a lock that any hart may take to cancel.
 *
 * Writing stimecmp takes QEMU's big lock (0.6-1 us), so it is written only when the first deadline is earlier than the
 * programmed one, and after an expiry. A cancelled first timer leaves its deadline programmed: one early interrupt finds nothing due.
 *
 * Cancel against expiry: timer_run() takes the timer off the heap and notes it as `running` under the lock, calls it without, and
 * clears the note. timer_cancel() that finds it running on another hart waits for the note to go, so the memory may be reused when it
 * returns. A function must therefore not cancel a timer whose function may be cancelling it in turn.
 */
#include "kernel/time/time.h"

#include "arch/riscv64/csr.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/spinlock.h"

LOCK_CLASS(timerq, RANK_TIMER);

struct timerq {
	struct spinlock lock;
	struct heap heap;      /* [L:lock] */
	struct timer *running; /* [a] written under the lock */
	u64 programmed;	       /* [c] what stimecmp holds */
};

static PERCPU(struct timerq, timerq);

void timer_init(struct timer *t, void (*fn)(struct timer *))
{
	t->fn = fn;
	t->cpu = 0;
}

static void timer_program(struct timerq *q, u64 deadline)
{
	q->programmed = deadline;
	csr_write_stimecmp(deadline);
}

void timer_hart_init(void)
{
	struct timerq *q = this_cpu_ptr(timerq);

	spin_init(&q->lock, &timerq_class);
	timer_program(q, TIME_NEVER);
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

void timer_arm(struct timer *t, u64 deadline)
{
	struct timerq *q = timer_lock_queue(t);

	if (q) {
		heap_remove(&q->heap, &t->node);
		atomic_store_relaxed(&t->cpu, 0);
		spin_unlock(&q->lock);
	}
	q = this_cpu_ptr(timerq);
	spin_lock(&q->lock);
	t->node.key = deadline;
	heap_insert(&q->heap, &t->node);
	atomic_store_release(&t->cpu, cpu_id() + 1);
	if (deadline < q->programmed)
		timer_program(q, deadline);
	spin_unlock(&q->lock);
}

static void timer_wait_running(struct timer *t)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		struct timerq *q = cpu_ptr(timerq, cpu);

		/* On this hart it is our caller: waiting would never end. Acquire: what fn did is visible. */
		while (cpu != cpu_id() && atomic_load_acquire(&q->running) == t)
			cpu_relax();
	}
}

bool timer_cancel(struct timer *t)
{
	struct timerq *q = timer_lock_queue(t);

	if (!q) {
		timer_wait_running(t);
		return false;
	}
	heap_remove(&q->heap, &t->node);
	atomic_store_relaxed(&t->cpu, 0);
	spin_unlock(&q->lock);
	return true;
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
		t = container_of(first, struct timer, node);
		/* `running` before `cpu`: whoever reads cpu == 0 and then the note finds it. Pairs with timer_cancel(). */
		atomic_store_release(&q->running, t);
		atomic_store_release(&t->cpu, 0);
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

	while ((t = timer_take_due(q, time_now())) != NULL) {
		t->fn(t);
		atomic_store_release(&q->running, NULL);
	}
}

u64 timer_next_deadline(void)
{
	struct heap_node *first = heap_first(&this_cpu_ptr(timerq)->heap);

	return first ? first->key : TIME_NEVER;
}
