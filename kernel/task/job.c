#include "kernel/task/job.h"

#include "abi/errno.h"
#include "abi/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/task_internal.h"

/* Stopped processes; lets every exit skip the search for stopped orphans while there are none. */
static u32 nr_stopped_processes; /* [a] */

/* ---- groups and sessions ---- */

/*
 * Any process of group `pgid` in session `sid`, with its lock held, so that the group cannot
 * vanish. NULL: none.
 */
static struct process *group_lock_member(u32 pgid, u32 sid)
{
	struct process *p;
	u32 pid = 0;

	while ((p = process_group_next(pgid, &pid)) != NULL) {
		spin_lock(&p->lock);
		if (p->pgid == pgid && p->sid == sid)
			return p;
		spin_unlock(&p->lock);
	}
	return NULL;
}

static void process_change_group(struct process *p, u32 pgid, u32 sid)
{
	u32 old_pgid, old_sid;

	spin_lock(&p->lock);
	old_pgid = p->pgid;
	old_sid = p->sid;
	atomic_store_relaxed(&p->pgid, pgid);
	atomic_store_relaxed(&p->sid, sid);
	spin_unlock(&p->lock);
	pid_group_put(old_pgid, old_sid);
}

long process_set_group(u32 pid, u32 pgid)
{
	struct process *self = process_current(), *member;
	struct process *p = pid ? process_find(pid) : self;

	if (!pgid)
		pgid = pid;
	if ((s32)pgid < 0)
		return -EINVAL;
	if (!p || (p != self && atomic_load_acquire(&p->parent) != self))
		return -ESRCH;
	if (p != self && p->sid != self->sid)
		return -EPERM;
	if (p != self && atomic_load_relaxed(&p->did_exec))
		return -EACCES;
	if (p->sid == p->pid)
		return -EPERM;
	if (!pgid)
		pgid = p->pid;
	if (pgid == p->pid) {
		pid_group_get(pgid, p->sid);
	} else {
		member = group_lock_member(pgid, self->sid);
		if (!member)
			return -EPERM;
		pid_group_get(pgid, p->sid);
		spin_unlock(&member->lock);
	}
	process_change_group(p, pgid, p->sid);
	return 0;
}

long process_new_session(void)
{
	struct process *p = process_current();

	if (atomic_load_acquire(&pid_slot(p->pid)->groups))
		return -EPERM;
	pid_group_get(p->pid, p->pid);
	process_change_group(p, p->pid, p->pid);
	return p->pid;
}

bool process_ties_group(const struct process *parent, const struct process *child)
{
	return parent && parent != process_init && parent->sid == child->sid &&
	       parent->pgid != child->pgid;
}

bool process_group_orphaned(u32 pgid)
{
	struct process *p;
	u32 pid = 0;

	while ((p = process_group_next(pgid, &pid)) != NULL) {
		if (p->nr_tasks && process_ties_group(atomic_load_acquire(&p->parent), p))
			return false;
	}
	return true;
}

int process_group_signal(u32 pgid, const struct abi_siginfo *info)
{
	struct process *p;
	int err = -ESRCH;
	u32 pid = 0;

	while ((p = process_group_next(pgid, &pid)) != NULL) {
		signal_send_process(p, info);
		err = 0;
	}
	return err;
}

static bool group_has_stopped(u32 pgid)
{
	struct process *p;
	u32 pid = 0;

	while ((p = process_group_next(pgid, &pid)) != NULL) {
		if (atomic_load_relaxed(&p->stopped))
			return true;
	}
	return false;
}

static void group_hang_up(u32 pgid)
{
	struct abi_siginfo info = {.si_signo = SIGHUP, .si_code = SI_KERNEL};

	if (!process_group_orphaned(pgid) || !group_has_stopped(pgid))
		return;
	process_group_signal(pgid, &info);
	info.si_signo = SIGCONT;
	process_group_signal(pgid, &info);
}

bool process_untie_child(const struct process *p, struct process *child)
{
	if (likely(!atomic_load_relaxed(&nr_stopped_processes)) || !process_ties_group(p, child))
		return false;
	atomic_store_relaxed(&child->untied, 1);
	return true;
}

/* Several children may be of one group: the first hang-up leaves nobody stopped, so the others do nothing. */
static void groups_hang_up_untied(void)
{
	for (u32 pid = task_next_pid(0); pid; pid = task_next_pid(pid)) {
		struct process *p = process_find(pid);

		if (p && atomic_load_relaxed(&p->untied) && atomic_xchg(&p->untied, 0U))
			group_hang_up(atomic_load_relaxed(&p->pgid));
	}
}

void process_orphan_groups(struct process *p, bool untied)
{
	/* A group that was orphaned before stays as it is, whoever of it exits. */
	if (atomic_load_relaxed(&nr_stopped_processes) &&
	    process_ties_group(atomic_load_acquire(&p->parent), p))
		group_hang_up(p->pgid);
	if (untied)
		groups_hang_up_untied();
}

/* ---- stopping and continuing ---- */

static void stop_begin_locked(struct process *p, int sig)
{
	struct task *t;

	atomic_fetch_add(&nr_stopped_processes, 1);
	atomic_store_relaxed(&p->stopped, true);
	p->stop_signal = sig;
	p->stop_told = false;
	p->continue_untold = false;
	p->nr_rested = 0;
	list_for_each(t, &p->tasks, siblings)
		t->rested = false;
}

void process_stop(struct process *p, int sig)
{
	struct task *t;

	if (sig != SIGSTOP && process_group_orphaned(p->pgid))
		return;
	spin_lock(&p->lock);
	if (!p->group_exit && task_current()->stop_taken) {
		/* It may be stopped already, and this task run nonetheless because its tracer let it. */
		if (!p->stopped)
			stop_begin_locked(p, sig);
		list_for_each(t, &p->tasks, siblings) {
			if (t->resting)
				continue;
			thread_set_work(&t->thread, THREAD_WORK_STOP);
			ptrace_notify_job_locked(t);
		}
	}
	spin_unlock(&p->lock);
}

void process_continue_locked(struct process *p)
{
	struct task *t;

	if (!p->stopped)
		return;
	atomic_store_release(&p->stopped, false);
	atomic_fetch_add(&nr_stopped_processes, (u32)-1);
	p->continue_untold = p->stop_told && !p->group_exit;
	/*
	 * Those that rest do so no more, even if a stop begins before they run: that counts them anew. A tracee does not rest here: it is sent
	 * to task_stop(), which tells the parent.
	 */
	list_for_each(t, &p->tasks, siblings) {
		atomic_store_release(&t->resting, false);
		if (t->ptrace.tracer && p->continue_untold)
			thread_set_work(&t->thread, THREAD_WORK_STOP);
		unpark(&t->thread);
	}
}

bool process_stop_complete_locked(struct process *p)
{
	if (!p->stopped || p->stop_told || p->nr_tasks == 0 || p->nr_rested != p->nr_tasks)
		return false;
	p->stop_told = true;
	return true;
}

/*
 * A parent that traces its child hears of each of its tasks' stops, but not of the process's. Context: the parent's child_lock.
 */
static bool parent_traces(const struct process *parent, const struct process *child)
{
	const struct task *leader = task_find(child->pid);
	const struct task *tracer = leader ? atomic_load_acquire(&leader->ptrace.tracer) : NULL;

	return tracer && tracer->process == parent;
}

/* Leaves `event` for a wait and sends SIGCHLD, unless the parent wants to hear of deaths only. */
static void process_tell_job_event(struct process *p, enum job_event event)
{
	struct process *parent = process_lock_parent(p);
	struct abi_siginfo info = {
		.si_signo = SIGCHLD,
		.si_code = event == JOB_STOPPED ? CLD_STOPPED : CLD_CONTINUED,
		.si_child_pid = (s32)p->pid,
		.si_child_uid = p->cred->uid,
		.si_status = event == JOB_STOPPED ? p->stop_signal : SIGCONT,
	};

	/* A stop that has ended since is no news. */
	if (event == JOB_CONTINUED ||
	    (atomic_load_acquire(&p->stopped) && !parent_traces(parent, p))) {
		p->job_event = event;
		spin_lock(&parent->lock);
		if (!(parent->signals.actions[SIGCHLD - 1].sa_flags & SA_NOCLDSTOP))
			signal_send_locked(parent, NULL, &info);
		spin_unlock(&parent->lock);
		process_wake_waiters_locked(parent);
	}
	spin_unlock(&parent->child_lock);
}

void process_stopped(struct process *p)
{
	process_tell_job_event(p, JOB_STOPPED);
}

/* Nobody continued it, and no tracer wants it to go over to a stop of his. */
static bool task_rests_on(struct task *t)
{
	return atomic_load_acquire(&t->resting) &&
	       !(atomic_load_acquire(&t->ptrace.traps) & TRACEE_TRAP_STOP);
}

/* The task is at rest, or about to be. True: with it the stop of the process is complete. */
static bool task_rest_locked(struct task *t)
{
	struct process *p = t->process;

	if (!t->rested)
		p->nr_rested++;
	t->rested = true;
	/* A tracee rests by a stop that its tracer is told of, which ptrace_trap() makes. */
	if (t->ptrace.tracer)
		atomic_store_release(&t->ptrace.traps, (u8)(t->ptrace.traps | TRACEE_TRAP_STOP));
	else
		atomic_store_relaxed(&t->resting, true);
	return process_stop_complete_locked(p);
}

/* The process is stopped: is at rest until it is continued, or is to make a stop for its tracer. */
static void task_rest(struct task *t)
{
	struct process *p = t->process;
	bool complete = task_rest_locked(t);

	spin_unlock(&p->lock);
	if (complete)
		process_stopped(p);
	while (task_rests_on(t))
		if (park(PARK_FOREVER, PARK_KILLABLE) == -EINTR)
			break;
	spin_lock(&p->lock);
}

void task_stop(struct task *t)
{
	struct process *p = t->process;
	bool continued;

	spin_lock(&p->lock);
	/* The bit first: a stop that comes later sets it again. */
	atomic_fetch_and(&t->thread.work, (u32)~THREAD_WORK_STOP);
	if (p->stopped)
		task_rest(t);
	atomic_store_relaxed(&t->resting, false);
	continued = p->continue_untold;
	p->continue_untold = false;
	spin_unlock(&p->lock);
	if (continued)
		process_tell_job_event(p, JOB_CONTINUED);
}
