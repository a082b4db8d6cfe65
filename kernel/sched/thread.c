/*
 * Life of a thread: made, started, ended, freed.
 *
 * References: one of the creator, dropped by thread_put(), and one of the running thread, dropped by the next thread on its hart
 * after the last switch away. The memory goes after a grace period: a waker that found the thread under the epoch may finish.
 */
#include "kernel/sched/switch.h"

#include "abi/errno.h"
#include "arch/riscv64/trap_frame.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/refcount.h"
#include "kernel/trace/trace.h"

#include <string.h>

/* First code of every thread: finish the switch that brought us here, then fn(arg). */
struct thread_start_record {
	void (*fn)(void *arg);
	void *arg;
};

static void thread_entry(void *record, void *prev)
{
	struct thread_start_record start = *(struct thread_start_record *)record;
	struct thread *t = thread_current();

	sched_finish_switch(prev);
	atomic_xchg(&t->park, PARK_EMPTY);
	sample_enter(); /* a program's first return to user mode leaves */
	start.fn(start.arg);
	thread_exit();
}

int thread_init(struct thread *t, const char *name, const struct thread_ops *ops,
		void (*fn)(void *), void *arg)
{
	struct thread_start_record *start;

	t->stack = kstack_alloc();
	if (!t->stack)
		return -ENOMEM;
	t->kernel_sp = (u64)t->stack + KSTACK_SIZE;
	memset((void *)(t->kernel_sp - sizeof(struct trap_frame)), 0, sizeof(struct trap_frame));
	/* At the far end of the stack: read once by thread_entry(). */
	start = t->stack;
	*start = (struct thread_start_record){.fn = fn, .arg = arg};
	arch_context_init(&t->context, t->kernel_sp - sizeof(struct trap_frame), thread_entry, start);
	t->park = PARK_WAKING;
	sched_timeout_init(t);
	t->class = SCHED_CLASS_FAIR;
	t->base_class = SCHED_CLASS_FAIR;
	t->weight = sched_weight(SCHED_CLASS_FAIR, 0);
	t->cpu = cpu_id();
	t->rseq_hart = RSEQ_HART_NONE;
	if (!t->affinity)
		t->affinity = hart_all();
	t->ops = ops;
	t->refs = 1;
	strncpy(t->name, name, sizeof(t->name) - 1);
	return 0;
}

void thread_abandon(struct thread *t)
{
	kstack_free(t->stack);
	t->stack = NULL;
}

void thread_start(struct thread *t)
{
	thread_get(t); /* of the running thread */
	/* Atomic: the caller may be moved to another hart in between. */
	atomic_fetch_add_relaxed(&this_cpu_ptr(sched_runq)->nr_started, 1UL);
	sched_wake_new(t);
}

void thread_exit(void)
{
	struct thread *t = thread_current();

	if (!t->ops)
		trace_task_exit(t->tid);
	sched_timeout_end(t);
	t->leaving = THREAD_EXITS;
	schedule();
	panic("thread %s runs after its end", t->name);
}

void thread_get(struct thread *t)
{
	atomic_fetch_add_relaxed(&t->refs, 1);
}

bool thread_get_found(struct thread *t)
{
	return refcount_get_unless_zero(&t->refs);
}

static void thread_free(struct epoch_node *node)
{
	struct thread *t = container_of(node, struct thread, free_node);

	if (t->ops && t->ops->free)
		t->ops->free(t);
	else
		kfree(t);
}

void thread_put(struct thread *t)
{
	if (atomic_fetch_add(&t->refs, (u32)-1) == 1)
		epoch_defer(&t->free_node, thread_free);
}

/* Above every process id, so that a trace can tell kernel threads from each other and from idle. */
#define KTHREAD_TID_FIRST 0x400001U

static u32 kthread_new_tid(void)
{
	static u32 next = KTHREAD_TID_FIRST; /* [a] */

	return atomic_fetch_add_relaxed(&next, 1);
}

struct thread *kthread_create(const char *name, void (*fn)(void *), void *arg)
{
	struct thread *t = kzalloc(sizeof(*t));

	if (!t)
		return NULL;
	if (thread_init(t, name, NULL, fn, arg)) {
		kfree(t);
		return NULL;
	}
	t->tid = kthread_new_tid();
	trace_task_new(0, t->tid, t->tid);
	trace_task_name(t->tid, t->tid, t->name);
	thread_start(t);
	return t;
}
