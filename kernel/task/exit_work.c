/*
 * What a task owes before it returns to user mode: to die, to stop, to take signals, to load vectors. kernel/trap
 * calls this again while bits of thread->work are set, and last of all.
 */
#include "kernel/sync/atomic.h"
#include "kernel/task/rseq.h"
#include "kernel/task/task.h"
#include "kernel/task/vector.h"

void task_note_switches(struct task *t)
{
	u64 switches = t->thread.nr_voluntary + t->thread.nr_involuntary;

	if (t->rseq.addr && t->rseq.seen_switches != switches) {
		t->rseq.seen_switches = switches;
		atomic_fetch_or(&t->thread.work, THREAD_WORK_RSEQ);
	}
}

void task_exit_work(struct trap_frame *frame)
{
	struct task *t = task_current();
	struct process *p = t->process;
	u32 work = atomic_load_acquire(&t->thread.work);

	/* Without group_exit it is exec in another task that wants this one gone. */
	if (work & THREAD_WORK_KILL)
		task_exit(p->group_exit ? p->exit_code : 0);
	if ((work & THREAD_WORK_VECTOR) && frame->cause == TRAP_CAUSE_SYSCALL)
		task_vector_call(t);
	if (work & THREAD_WORK_RSEQ)
		rseq_resume(frame);
	if (work & (THREAD_WORK_SIGNAL | THREAD_WORK_STOP))
		signal_deliver(frame);
	if (atomic_load_relaxed(&t->thread.work) & THREAD_WORK_VECTOR)
		task_vector_resume(t);
}
