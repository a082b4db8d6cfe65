/*
 * Who traces whom: attaching, inheriting, the tracer's death. Locks and states: ptrace.h.
 */
#include "kernel/task/ptrace.h"

#include "abi/errno.h"
#include "abi/ptrace.h"
#include "abi/system.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/pid.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/task_internal.h"

#define EXEC_POLL_NS 1000000UL

struct process *ptrace_lock_tracer(struct task *t)
{
	struct task *tracer;

	while ((tracer = atomic_load_acquire(&t->ptrace.tracer)) != NULL) {
		spin_lock(&tracer->process->child_lock);
		if (atomic_load_relaxed(&t->ptrace.tracer) == tracer)
			return tracer->process;
		spin_unlock(&tracer->process->child_lock);
	}
	return NULL;
}

u32 ptrace_tracer_tid(const struct task *t)
{
	const struct task *tracer = atomic_load_acquire(&t->ptrace.tracer);

	return tracer ? tracer->thread.tid : 0;
}

bool ptrace_is_stopped(const struct task *t)
{
	u8 state = atomic_load_relaxed(&t->ptrace.state);

	return state == TRACEE_STOPPED || state == TRACEE_HELD || state == TRACEE_LISTENS;
}

bool ptrace_unsafe_locked(const struct task *t)
{
	return t->ptrace.tracer && !t->ptrace.capable;
}

/* Context: child_lock of the tracer's process, the lock of the tracee's. */
static void ptrace_link_locked(struct task *t, struct task *tracer, u32 options, bool seized)
{
	thread_get(&t->thread);
	t->ptrace.options = options;
	t->ptrace.seized = seized;
	t->ptrace.capable = cred_capable(cred_current(), CAP_SYS_PTRACE);
	list_add_tail(&tracer->process->tracees, &t->ptrace.link);
	atomic_store_release(&t->ptrace.tracer, tracer);
	thread_set_work(&t->thread, THREAD_WORK_TRACED);
}

void ptrace_unlink_locked(struct task *t)
{
	struct process *p = t->process;

	list_del(&t->ptrace.link);
	atomic_store_release(&t->ptrace.tracer, (struct task *)NULL);
	atomic_store_relaxed(&t->ptrace.calls, false);
	atomic_store_relaxed(&t->ptrace.traps, (u8)0);
	t->ptrace.options = 0;
	atomic_fetch_and(&t->thread.work, (u32)~THREAD_WORK_TRACED);
	if (t->ptrace.state == TRACEE_DEAD)
		return;
	if (p->stopped && !p->group_exit)
		thread_set_work(&t->thread, THREAD_WORK_STOP);
	if (t->ptrace.state != TRACEE_RUNS) {
		atomic_store_release(&t->ptrace.state, (u8)TRACEE_RUNS);
		unpark(&t->thread);
	}
}

/* ---- attaching ---- */

/* Whom PTRACE_TRACEME means: the task that made this process, or another of the same parent. Context: parent->lock. */
static struct task *traceme_tracer(struct process *parent, u32 forker)
{
	struct task *t;

	if (parent->kernel)
		return NULL;
	list_for_each(t, &parent->tasks, siblings)
		if (t->thread.tid == forker)
			return t;
	return list_empty(&parent->tasks) ? NULL : list_first(&parent->tasks, struct task, siblings);
}

long ptrace_traceme(void)
{
	struct task *t = task_current(), *tracer;
	struct process *p = t->process, *parent = process_lock_parent(p);
	long ret = -EPERM;

	/* The parent's lock too: a task in its list has yet to unlink its tracees. */
	spin_lock_pair(&parent->lock, &p->lock);
	tracer = traceme_tracer(parent, p->forker);
	if (tracer && !t->ptrace.tracer) {
		ptrace_link_locked(t, tracer, 0, false);
		ret = 0;
	}
	spin_unlock_pair(&parent->lock, &p->lock);
	spin_unlock(&parent->child_lock);
	return ret;
}

static int attach_check_locked(struct task *t)
{
	struct process *p = t->process;

	if (p->kernel || p == process_current() || !task_may_inspect(t))
		return -EPERM;
	if (list_empty(&t->siblings) || t->ptrace.tracer)
		return -EPERM;
	return p->exec_raises ? -EAGAIN : 0;
}

static void attach_begin_locked(struct task *t, bool seize, u32 options)
{
	struct abi_siginfo info = {.si_signo = SIGSTOP, .si_code = SI_KERNEL};

	ptrace_link_locked(t, task_current(), options, seize);
	if (!seize)
		signal_send_locked(t->process, t, &info);
	if (t->resting) {
		atomic_store_release(&t->ptrace.traps, (u8)(TRACEE_TRAP_STOP | TRACEE_TRAP_ATTACH));
		unpark(&t->thread);
	}
}

/* 0, -EAGAIN: come again, or another errno. */
static int attach_try(struct task *t, bool seize, u32 options)
{
	struct process *p = t->process, *self = process_current();
	int err;

	spin_lock(&self->child_lock);
	spin_lock(&p->lock);
	err = attach_check_locked(t);
	if (!err)
		attach_begin_locked(t, seize, options);
	spin_unlock(&p->lock);
	spin_unlock(&self->child_lock);
	return err;
}

long ptrace_attach(u32 tid, bool seize, u32 options)
{
	struct task *t;
	int err;

	epoch_enter();
	t = task_find(tid);
	if (t && !thread_get_found(&t->thread))
		t = NULL;
	epoch_exit();
	if (!t)
		return -ESRCH;
	while ((err = attach_try(t, seize, options)) == -EAGAIN) {
		if (sched_sleep_until(time_now() + time_ns_to_ticks(EXEC_POLL_NS),
				      PARK_INTERRUPTIBLE)) {
			err = -ERESTARTNOINTR;
			break;
		}
	}
	/* One that rests with its process goes over to a stop of ours now: a wait that follows finds it. */
	while (!err && (atomic_load_acquire(&t->ptrace.traps) & TRACEE_TRAP_ATTACH))
		if (park(PARK_FOREVER, PARK_KILLABLE))
			break;
	thread_put(&t->thread);
	return err;
}

void ptrace_inherit(struct task *child)
{
	struct task *self = task_current();
	struct process *tracer = ptrace_lock_tracer(self);

	if (!tracer)
		return;
	spin_lock(&child->process->lock);
	/* Somebody may have seen it and have been faster. */
	if (!child->ptrace.tracer) {
		ptrace_link_locked(child, self->ptrace.tracer, self->ptrace.options,
				   self->ptrace.seized);
		if (self->ptrace.seized)
			atomic_store_relaxed(&child->ptrace.traps, (u8)TRACEE_TRAP_STOP);
		else
			atomic_store_relaxed(&child->signals.pending.set,
					     child->signals.pending.set | SIGMASK(SIGSTOP));
		child->ptrace.capable = self->ptrace.capable;
		thread_set_work(&child->thread, THREAD_WORK_SIGNAL);
	}
	spin_unlock(&child->process->lock);
	spin_unlock(&tracer->child_lock);
}

/* ---- the tracer's death ---- */

/* Unlinks one; true if it had exited and was waited for. Context: child_lock. */
static bool tracer_leaves(struct task *t)
{
	struct abi_siginfo kill = {.si_signo = SIGKILL, .si_code = SI_KERNEL};
	struct process *p = t->process;
	bool dead;

	spin_lock(&p->lock);
	dead = t->ptrace.state == TRACEE_DEAD;
	if (!dead && (t->ptrace.options & PTRACE_O_EXITKILL))
		signal_send_locked(p, t, &kill);
	if (p->dead_leader == t)
		p->dead_leader = NULL;
	ptrace_unlink_locked(t);
	spin_unlock(&p->lock);
	return dead;
}

void ptrace_tracer_exit(struct task *self)
{
	struct process *p = self->process;
	struct task *t, *tmp;
	struct list dead;

	/* Whoever has linked itself to this task did so under p->lock, when it was still in the list of tasks. */
	if (likely(list_empty(&p->tracees)))
		return;
	list_init(&dead);
	spin_lock(&p->child_lock);
	list_for_each_safe(t, tmp, &p->tracees, ptrace.link) {
		if (t->ptrace.tracer != self)
			continue;
		if (tracer_leaves(t))
			list_add_tail(&dead, &t->ptrace.link);
		else
			thread_put(&t->thread);
	}
	spin_unlock(&p->child_lock);
	list_for_each_safe(t, tmp, &dead, ptrace.link) {
		list_del(&t->ptrace.link);
		process_forget_dead(t);
		thread_put(&t->thread);
	}
}
