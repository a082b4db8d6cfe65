/*
 * The end of tasks and processes.
 *
 * A task leaves in this order, and each step relies on the ones before it: upper layers' exit hook
 * (robust futexes and clear_child_tid, in the live address space, where SIGKILL no longer
 * interrupts), vfork release, address space, semaphore undos, files, the list of tasks. The last one out turns the
 * process into a zombie and tells the parent.
 */
#include "abi/errno.h"
#include "abi/sched.h"
#include "kernel/file/file.h"
#include "kernel/fs/fs.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/clone.h"
#include "kernel/task/ioprio.h"
#include "kernel/task/job.h"
#include "kernel/task/pidfd.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/task_internal.h"
#include "kernel/task/timers.h"
#include "kernel/task/user.h"
#include "kernel/trace/trace.h"

void process_kill_locked(struct process *p, int status)
{
	struct task *t;

	if (p->group_exit)
		return;
	p->group_exit = true;
	p->exit_code = status;
	process_continue_locked(p);
	list_for_each(t, &p->tasks, siblings)
		thread_set_work(&t->thread, THREAD_WORK_KILL);
}

void process_exit_group(int status)
{
	struct process *p = process_current();

	spin_lock(&p->lock);
	process_kill_locked(p, status);
	status = p->exit_code;
	spin_unlock(&p->lock);
	task_exit(status);
}

void task_leave_mm(struct task *t)
{
	struct process *p = t->process;

	if (!t->thread.mm)
		return;
	t->thread.mm = NULL;
	mm_switch(NULL);
	if (atomic_fetch_add(&p->nr_mm_tasks, (u32)-1) == 1)
		mm_put(process_replace_mm(p, NULL));
}

/* Its tracer is to hear of its end: of a leader's when the whole process has gone. True: now. Context: p->lock held. */
static bool tracee_exit_locked(struct process *p, struct task *t)
{
	if (t->thread.tid == p->pid) {
		p->dead_leader = t;
		return false;
	}
	t->ptrace.state = TRACEE_DEAD;
	p->nr_kept++;
	return true;
}

/* A task that is no leader has exited. Context: the tracer's child_lock held. */
static void tracee_tell_exit(struct process *tracer, struct task *t)
{
	int status = t->process->group_exit ? t->process->exit_code : t->exit_code;
	struct abi_siginfo info = {
		.si_signo = SIGCHLD,
		.si_code = status & 0x7f ? CLD_KILLED : CLD_EXITED,
		.si_child_pid = (s32)t->thread.tid,
		.si_child_uid = t->cred->uid,
		.si_status = status & 0x7f ? status & 0x7f : status >> 8,
	};

	signal_send_process(tracer, &info);
	process_wake_waiters_locked(tracer);
}

/* Out of the list of tasks. *kept: its number stays until the tracer has taken it. True if it was the last. */
static bool task_unlink(struct task *t, int status, bool *kept)
{
	struct process *p = t->process, *tracer = ptrace_lock_tracer(t);
	struct task *exec_task = NULL;
	bool last, stop_complete;

	spin_lock(&p->lock);
	list_del(&t->siblings);
	p->nr_tasks--;
	last = p->nr_tasks == 0;
	*kept = unlikely(tracer) && tracee_exit_locked(p, t);
	/* process_become_zombie() counts it out: the end comes after what the last task has to do. */
	if (last)
		p->nr_kept++;
	/*
	 * Without exit_group or a fatal signal the leader's status is the process's, whoever goes
	 * last.
	 */
	if (t->thread.tid == p->pid && !p->group_exit)
		p->exit_code = status;
	process_keep_ticks_locked(p, t);
	signal_queue_free(p, &t->signals.pending);
	/* What came for the process while this task was on its way out: it alone may have been told. */
	signal_retarget_locked(p, ~t->signals.blocked);
	if (last)
		signal_queue_free(p, &p->signals.pending);
	if (t->rested)
		p->nr_rested--;
	if (p->nr_tasks == 1 && p->nr_kept == 0)
		exec_task = p->exec_task;
	/* Under the lock, or exec's task could be gone. */
	if (exec_task)
		unpark(&exec_task->thread);
	stop_complete = process_stop_complete_locked(p);
	spin_unlock(&p->lock);
	if (*kept)
		tracee_tell_exit(tracer, t);
	if (unlikely(tracer))
		spin_unlock(&tracer->child_lock);
	if (stop_complete)
		process_stopped(p);
	return last;
}

static void task_drop_files(struct task *t)
{
	struct fd_table *files = t->files;
	struct fs_context *fs = t->fs;

	/* Under the lock: others take references through it. */
	spin_lock(&t->process->lock);
	t->files = NULL;
	t->fs = NULL;
	spin_unlock(&t->process->lock);
	if (files)
		fd_table_put(files);
	if (fs)
		fs_context_put(fs);
}

void task_exit(int status)
{
	struct task *t = task_current();
	struct process *p = t->process;
	u32 tid = t->thread.tid;
	bool kept, last;

	ptrace_event_exit(status);
	t->exit_code = status;
	t->exiting = true;
	if (task_exit_ops.exit)
		task_exit_ops.exit(t);
	task_vfork_done(t);
	task_leave_mm(t);
	if (task_ipc_ops.exit)
		task_ipc_ops.exit(t);
	task_drop_files(t);
	task_ioprio_exit(t);
	trace_task_exit(tid);
	/* A leader counts until its process is reaped. */
	if (tid != p->pid)
		user_count_task(t->cred->user, -1);
	last = task_unlink(t, status, &kept);
	ptrace_tracer_exit(t);
	if (last) {
		process_timers_exit(p);
		if (p->pid == p->sid && task_tty_ops.leader_exit)
			task_tty_ops.leader_exit(p);
		process_become_zombie(p);
	}
	/* A leader's number stays its process's until it is reaped; the table keeps that apart. */
	if (!kept)
		pid_clear_task(tid, t);
	pidfd_tell_exit(p);
	thread_exit();
}

static bool process_others_gone(struct process *p)
{
	bool gone;

	spin_lock(&p->lock);
	gone = p->nr_tasks == 1 && p->nr_kept == 0;
	spin_unlock(&p->lock);
	return gone;
}

/* A leader that was traced and has gone before: another task is the leader now, of whom the tracer hears instead. */
static void process_drop_leader(struct process *p)
{
	struct task *leader = p->dead_leader;
	struct process *tracer = leader ? ptrace_lock_tracer(leader) : NULL;

	if (!tracer)
		return;
	spin_lock(&p->lock);
	p->dead_leader = NULL;
	ptrace_unlink_locked(leader);
	spin_unlock(&p->lock);
	process_wake_waiters_locked(tracer);
	spin_unlock(&tracer->child_lock);
	thread_put(&leader->thread);
}

/* The caller takes over the process's number from a leader that has exited. */
static void task_become_leader(struct task *t)
{
	u32 old = t->thread.tid;

	if (old == t->process->pid)
		return;
	user_count_task(t->cred->user, -1); /* the leader counts on */
	t->thread.tid = t->process->pid;
	atomic_store_release(&pid_slot(t->thread.tid)->task, t);
	pid_clear_task(old, t);
	pidfd_tell_exit(t->process);
}

int process_become_single(struct process *p)
{
	struct task *self = task_current(), *t;
	int err = 0;

	spin_lock(&p->lock);
	if (p->group_exit || p->exec_task) {
		spin_unlock(&p->lock);
		return -EAGAIN;
	}
	p->exec_task = self;
	list_for_each(t, &p->tasks, siblings)
		if (t != self)
			thread_set_work(&t->thread, THREAD_WORK_KILL);
	spin_unlock(&p->lock);
	while (!process_others_gone(p) && !err)
		err = park(PARK_FOREVER, PARK_KILLABLE);
	spin_lock(&p->lock);
	p->exec_task = NULL;
	if (p->group_exit)
		err = -EAGAIN;
	spin_unlock(&p->lock);
	if (!err) {
		process_drop_leader(p);
		task_become_leader(self);
	}
	return err;
}
