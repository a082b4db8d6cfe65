/*
 * What a tracer asks of a tracee that rests. A request holds it (ptrace.h), so nothing here races with its running or its death; what
 * others may look at or change meanwhile, its signals, lies under its process's lock.
 */
#include "abi/errno.h"
#include "abi/ptrace.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/task.h"

/* Context: the lock of its process. */
static bool request_hold_locked(struct task *t, bool any)
{
	if (t->ptrace.tracer != task_current())
		return false;
	if (any)
		return true;
	if (t->ptrace.state != TRACEE_STOPPED ||
	    (atomic_load_relaxed(&t->thread.work) & THREAD_WORK_KILL))
		return false;
	atomic_store_release(&t->ptrace.state, (u8)TRACEE_HELD);
	return true;
}

struct task *ptrace_get(u32 tid, bool any)
{
	struct task *t;
	bool held = false;

	epoch_enter();
	t = task_find(tid);
	if (t) {
		spin_lock(&t->process->lock);
		held = request_hold_locked(t, any);
		if (held)
			thread_get(&t->thread);
		spin_unlock(&t->process->lock);
	}
	epoch_exit();
	return held ? t : err_ptr(-ESRCH);
}

static void request_end(struct task *t, enum tracee_state state)
{
	atomic_store_release(&t->ptrace.state, (u8)state);
	unpark(&t->thread);
}

void ptrace_release(struct task *t)
{
	spin_lock(&t->process->lock);
	if (t->ptrace.state == TRACEE_HELD)
		request_end(t, TRACEE_STOPPED);
	spin_unlock(&t->process->lock);
}

void ptrace_resume(struct task *t, u32 signal, bool calls)
{
	spin_lock(&t->process->lock);
	atomic_store_relaxed(&t->ptrace.calls, calls);
	t->ptrace.code = signal;
	request_end(t, TRACEE_RUNS);
	spin_unlock(&t->process->lock);
}

void ptrace_detach(struct task *t, u32 signal)
{
	struct process *self = process_current();

	spin_lock(&self->child_lock);
	spin_lock(&t->process->lock);
	t->ptrace.code = signal;
	ptrace_unlink_locked(t);
	spin_unlock(&t->process->lock);
	spin_unlock(&self->child_lock);
	thread_put(&t->thread);
}

long ptrace_listen(struct task *t)
{
	const struct abi_siginfo *info = t->ptrace.info;
	bool again;

	if (!t->ptrace.seized || !info || info->si_code >> 8 != PTRACE_EVENT_STOP)
		return -EIO;
	spin_lock(&t->process->lock);
	/* Something has happened since it stopped: it tells of that at once. */
	again = t->ptrace.traps & TRACEE_TRAP_NOTIFY;
	request_end(t, again ? TRACEE_RUNS : TRACEE_LISTENS);
	if (again)
		t->ptrace.code = 0;
	spin_unlock(&t->process->lock);
	return 0;
}

long ptrace_interrupt(struct task *t)
{
	long ret = -EIO;

	spin_lock(&t->process->lock);
	if (t->ptrace.tracer && t->ptrace.seized) {
		atomic_store_release(&t->ptrace.traps, (u8)(t->ptrace.traps | TRACEE_TRAP_STOP));
		thread_set_work(&t->thread, THREAD_WORK_SIGNAL);
		if (t->ptrace.state == TRACEE_LISTENS)
			request_end(t, TRACEE_RUNS);
		ret = 0;
	}
	spin_unlock(&t->process->lock);
	return ret;
}

/* ---- signals ---- */

int ptrace_siginfo(struct task *t, struct abi_siginfo *info, bool set)
{
	if (!t->ptrace.info)
		return -EINVAL;
	if (set)
		*t->ptrace.info = *info;
	else
		*info = *t->ptrace.info;
	return 0;
}

bool ptrace_peek_pending(struct task *t, bool shared, u64 i, struct abi_siginfo *info)
{
	struct process *p = t->process;
	struct signal_pending *pending = shared ? &p->signals.pending : &t->signals.pending;
	struct signal_entry *e;
	bool found = false;

	spin_lock(&p->lock);
	list_for_each(e, &pending->queue, list) {
		if (i--)
			continue;
		*info = e->info;
		found = true;
		break;
	}
	spin_unlock(&p->lock);
	return found;
}

u64 ptrace_sigmask(struct task *t)
{
	return t->signals.restore_mask ? t->signals.saved_mask : t->signals.blocked;
}

/* Written by the task alone else (signal.h); it rests, and looks at what is pending before it goes on. */
void ptrace_set_sigmask(struct task *t, u64 mask)
{
	struct process *p = t->process;
	u64 old;

	spin_lock(&p->lock);
	old = t->signals.blocked;
	atomic_store_relaxed(&t->signals.blocked, mask & ~SIGMASK_UNBLOCKABLE);
	t->signals.restore_mask = false;
	fence_full(); /* (A) of signal_set_mask() */
	signal_retarget_locked(p, mask & ~old);
	thread_set_work(&t->thread, THREAD_WORK_SIGNAL);
	spin_unlock(&p->lock);
}

void ptrace_set_options(struct task *t, u32 options)
{
	spin_lock(&t->process->lock);
	atomic_store_relaxed(&t->ptrace.options, options);
	spin_unlock(&t->process->lock);
}

u64 ptrace_message(struct task *t)
{
	return t->ptrace.message;
}
