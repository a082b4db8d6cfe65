/*
 * Parents and children: who is whose, zombies, wait.
 *
 * A process's child_lock covers its list of children, their zombie flags and the tasks that wait. A
 * child's parent pointer changes only when the parent dies, under the child_lock of the old one and
 * then init's; so a child that wants to tell its parent locks and looks again.
 */
#include "abi/errno.h"
#include "abi/sched.h"
#include "kernel/file/file.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/job.h"
#include "kernel/task/pid.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/task_internal.h"
#include "kernel/task/user.h"

struct process *process_init;

struct process *process_lock_parent(struct process *child)
{
	for (;;) {
		struct process *parent = atomic_load_acquire(&child->parent);

		spin_lock(&parent->child_lock);
		if (atomic_load_relaxed(&child->parent) == parent)
			return parent;
		spin_unlock(&parent->child_lock);
	}
}

void process_add_child(struct process *parent, struct process *child)
{
	spin_lock(&parent->child_lock);
	atomic_store_release(&child->parent, parent);
	list_add_tail(&parent->children, &child->sibling);
	spin_unlock(&parent->child_lock);
}

void process_add_sibling(struct process *self, struct process *child)
{
	struct process *parent = process_lock_parent(self);

	atomic_store_release(&child->parent, parent);
	list_add_tail(&parent->children, &child->sibling);
	spin_unlock(&parent->child_lock);
}

void process_wake_waiters_locked(struct process *parent)
{
	struct child_waiter *w;

	list_for_each(w, &parent->waiters, list)
		unpark(w->thread);
}

/* prctl(PR_SET_PDEATHSIG). */
static void parent_death(struct process *child)
{
	int sig = atomic_load_relaxed(&child->parent_death_signal);
	struct abi_siginfo info;

	if (!sig)
		return;
	signal_info_user(&info, sig, SI_USER);
	signal_send_process(child, &info);
}

/*
 * The nearest ancestor that adopts orphans, with its child_lock and that of `p` held: both at once, or
 * a dying child could look between two parents.
 */
static struct process *process_lock_reaper(struct process *p)
{
	struct process *reaper;

	for (;;) {
		reaper = atomic_load_acquire(&p->parent);
		while (reaper != process_init && !atomic_load_relaxed(&reaper->subreaper))
			reaper = atomic_load_acquire(&reaper->parent);
		spin_lock_pair(&p->child_lock, &reaper->child_lock);
		if (!reaper->childless)
			return reaper;
		spin_unlock_pair(&p->child_lock, &reaper->child_lock);
		/* It dies too: it will not be found once it has told its own parent. */
		atomic_store_relaxed(&reaper->subreaper, false);
	}
}

/* True if a group of one of them may be orphaned now. */
static bool process_orphan_children(struct process *p)
{
	struct process *reaper = process_lock_reaper(p), *child;
	bool untied = false;

	p->childless = true;
	list_for_each(child, &p->children, sibling) {
		atomic_store_release(&child->parent, reaper);
		parent_death(child);
		untied |= process_untie_child(p, child);
	}
	list_splice_tail(&reaper->children, &p->children);
	process_wake_waiters_locked(reaper);
	spin_unlock_pair(&p->child_lock, &reaper->child_lock);
	return untied;
}

static void siginfo_of_child(struct process *p, struct abi_siginfo *info, int sig)
{
	int status = p->exit_code;
	bool killed = status & 0x7f;

	*info = (struct abi_siginfo){
		.si_signo = sig,
		.si_code = killed ? CLD_KILLED : CLD_EXITED,
		.si_child_pid = (s32)p->pid,
		.si_child_uid = p->cred->uid,
		.si_status = killed ? status & 0x7f : status >> 8,
	};
}

/* A zombie that nobody will ask for any more, whose number leads to it no longer. Context: no lock. */
static void process_release(struct process *p)
{
	atomic_store_release(&p->reaped, true);
	waitq_wake(&p->exit_queue, POLL_EVENT_READ | POLL_EVENT_HUP, WAITQ_ALL);
	user_count_task(p->cred->user, -1);
	pid_group_put(p->pgid, p->sid);
	process_put(p);
}

/* The parent wants no zombies: SIGCHLD ignored, or SA_NOCLDWAIT. */
static bool parent_autoreaps(struct process *parent, u32 sig)
{
	struct abi_sigaction *a = &parent->signals.actions[SIGCHLD - 1];

	return sig == SIGCHLD && (a->sa_handler == SIG_IGN || (a->sa_flags & SA_NOCLDWAIT));
}

/* `p` is a zombie from now on, or not even that. Context: no lock. */
static void process_tell_parent(struct process *p)
{
	struct process *parent = process_lock_parent(p);
	u32 sig = p->exit_signal;
	struct abi_siginfo info;
	bool reap;

	spin_lock(&parent->lock);
	reap = parent_autoreaps(parent, sig);
	if (sig) {
		siginfo_of_child(p, &info, (int)sig);
		signal_send_locked(parent, NULL, &info);
	}
	spin_unlock(&parent->lock);
	if (reap) {
		list_del(&p->sibling);
		/* The parent may look for the number as soon as it hears that it has no children. */
		pid_clear_process(p->pid);
	} else {
		atomic_store_release(&p->zombie, true);
	}
	process_wake_waiters_locked(parent);
	waitq_wake(&p->exit_queue, POLL_EVENT_READ, WAITQ_ALL);
	spin_unlock(&parent->child_lock);
	if (reap)
		process_release(p);
}

/*
 * Nothing of `p` is left but its leader's tracer. If that is the parent, it is told as the parent; another one is told first, and
 * the parent when that one has taken it. True: the parent's turn.
 */
static bool process_leave_tracer(struct process *p)
{
	struct task *leader = p->dead_leader;
	struct process *tracer = leader ? ptrace_lock_tracer(leader) : NULL;
	struct abi_siginfo info;
	bool other;

	if (!tracer)
		return true;
	other = tracer != atomic_load_relaxed(&p->parent);
	spin_lock(&p->lock);
	if (other)
		leader->ptrace.state = TRACEE_DEAD;
	else
		ptrace_unlink_locked(leader);
	p->dead_leader = NULL;
	spin_unlock(&p->lock);
	if (other) {
		siginfo_of_child(p, &info, SIGCHLD);
		signal_send_process(tracer, &info);
		process_wake_waiters_locked(tracer);
	}
	spin_unlock(&tracer->child_lock);
	if (!other)
		thread_put(&leader->thread);
	return !other;
}

void process_drop_kept(struct process *p)
{
	struct task *exec_task = NULL;
	bool gone;

	spin_lock(&p->lock);
	p->nr_kept--;
	gone = p->nr_kept == 0 && p->nr_tasks == 0;
	if (p->nr_kept == 0 && p->nr_tasks == 1)
		exec_task = p->exec_task;
	if (exec_task)
		unpark(&exec_task->thread);
	spin_unlock(&p->lock);
	if (gone && process_leave_tracer(p))
		process_tell_parent(p);
}

void process_become_zombie(struct process *p)
{
	process_orphan_groups(p, process_orphan_children(p));
	if (p->exe)
		file_put(p->exe);
	p->exe = NULL;
	process_drop_kept(p);
}

void process_forget_dead(struct task *t)
{
	struct process *p = t->process;

	if (t->thread.tid == p->pid) {
		process_tell_parent(p);
		return;
	}
	pid_clear_task(t->thread.tid, t);
	process_drop_kept(p);
}

static bool child_matches(struct process *self, struct process *child, s64 pid, u32 options)
{
	bool clone = child->exit_signal != SIGCHLD;

	if (!(options & __WALL) && clone != !!(options & __WCLONE))
		return false;
	if (pid > 0)
		return child->pid == (u32)pid;
	if (pid == 0)
		return child->pgid == self->pgid;
	return pid == -1 || child->pgid == (u32)-pid;
}

static void wait_fill(struct process *child, int status, int code, struct wait_result *result)
{
	result->pid = child->pid;
	result->uid = child->cred->uid;
	result->status = status;
	result->code = code;
	process_usage(child, &result->usage);
	usage_add(&result->usage, &child->children_usage);
}

/* A death: unlinked, and its figures kept, unless WNOWAIT. */
static void wait_take_zombie(struct process *self, struct process *child, u32 options,
			     struct wait_result *result)
{
	wait_fill(child, child->exit_code, child->exit_code & 0x7f ? CLD_KILLED : CLD_EXITED, result);
	if (options & WNOWAIT)
		return;
	usage_add(&self->children_usage, &result->usage);
	list_del(&child->sibling);
}

/* News of a stop or continuation that `options` ask for. */
static bool wait_take_job_event(struct process *child, u32 options, struct wait_result *result)
{
	if (child->job_event == JOB_STOPPED && (options & WUNTRACED))
		wait_fill(child, child->stop_signal << 8 | 0x7f, CLD_STOPPED, result);
	else if (child->job_event == JOB_CONTINUED && (options & WCONTINUED))
		wait_fill(child, 0xffff, CLD_CONTINUED, result);
	else
		return false;
	if (!(options & WNOWAIT))
		child->job_event = JOB_NONE;
	return true;
}

/* A child with news. *any: some child matches at all. Context: child_lock held. */
static struct process *wait_scan(struct process *self, s64 pid, u32 options,
				 struct wait_result *result, bool *any)
{
	struct process *child;

	*any = false;
	list_for_each(child, &self->children, sibling) {
		if (!child_matches(self, child, pid, options))
			continue;
		*any = true;
		if (child->zombie && !(options & WEXITED))
			continue;
		if (child->zombie)
			wait_take_zombie(self, child, options, result);
		else if (!wait_take_job_event(child, options, result))
			continue;
		return child;
	}
	return NULL;
}

/* ---- tracees ---- */

static bool tracee_matches(struct process *self, const struct task *t, s64 pid, u32 options)
{
	if ((options & __WNOTHREAD) && t->ptrace.tracer != task_current())
		return false;
	if (pid > 0)
		return t->thread.tid == (u32)pid;
	if (pid == 0)
		return t->process->pgid == self->pgid;
	return pid == -1 || t->process->pgid == (u32)-pid;
}

static void tracee_fill(struct task *t, int status, int code, struct wait_result *result)
{
	result->pid = t->thread.tid;
	result->uid = t->cred->uid;
	result->status = status;
	result->code = code;
	task_usage(t, &result->usage);
}

/* What a tracee that has exited ended with; taken, it is unlinked, and process_forget_dead() and thread_put() are owed. */
static void tracee_take_dead(struct task *t, u32 options, struct wait_result *result)
{
	struct process *p = t->process;
	int status;

	spin_lock(&p->lock);
	status = p->group_exit || t->thread.tid == p->pid ? p->exit_code : t->exit_code;
	if (!(options & WNOWAIT))
		ptrace_unlink_locked(t);
	spin_unlock(&p->lock);
	tracee_fill(t, status, status & 0x7f ? CLD_KILLED : CLD_EXITED, result);
}

/* A stop that was not yet told. */
static bool tracee_take_stop(struct task *t, u32 options, struct wait_result *result)
{
	u32 code = 0;

	spin_lock(&t->process->lock);
	if (t->ptrace.state == TRACEE_STOPPED || t->ptrace.state == TRACEE_HELD) {
		code = t->ptrace.code;
		if (!(options & WNOWAIT))
			t->ptrace.code = 0;
	}
	spin_unlock(&t->process->lock);
	if (code)
		tracee_fill(t, (int)(code << 8 | 0x7f), CLD_TRAPPED, result);
	return code;
}

/* A tracee with news; *dead: it is one that has exited and was taken. Context: child_lock held. */
static bool wait_scan_tracees(struct process *self, s64 pid, u32 options,
			      struct wait_result *result, bool *any, struct task **dead)
{
	struct task *t;

	list_for_each(t, &self->tracees, ptrace.link) {
		if (!tracee_matches(self, t, pid, options))
			continue;
		*any = true;
		if (t->ptrace.state != TRACEE_DEAD) {
			if (tracee_take_stop(t, options, result))
				return true;
		} else if (options & WEXITED) {
			tracee_take_dead(t, options, result);
			*dead = options & WNOWAIT ? NULL : t;
			return true;
		}
	}
	return false;
}

long process_wait(s64 pid, u32 options, struct wait_result *result)
{
	struct process *self = process_current(), *child;
	struct child_waiter entry = {.thread = thread_current()};
	struct task *dead = NULL;
	bool any, tracee;
	long ret;

	list_init(&entry.list);
	for (;;) {
		spin_lock(&self->child_lock);
		list_del(&entry.list);
		child = wait_scan(self, pid, options, result, &any);
		tracee = !child && wait_scan_tracees(self, pid, options, result, &any, &dead);
		if (child || tracee || !any || (options & WNOHANG))
			break;
		list_add_tail(&self->waiters, &entry.list);
		spin_unlock(&self->child_lock);
		ret = park(PARK_FOREVER, PARK_INTERRUPTIBLE);
		if (ret == -EINTR) {
			spin_lock(&self->child_lock);
			list_del(&entry.list);
			spin_unlock(&self->child_lock);
			return -ERESTARTSYS;
		}
	}
	spin_unlock(&self->child_lock);
	ret = result->pid;
	if (dead) {
		process_forget_dead(dead);
		thread_put(&dead->thread);
	}
	if (tracee)
		return ret;
	if (!child)
		return any ? 0 : -ECHILD;
	if (!(options & WNOWAIT) && (result->code == CLD_EXITED || result->code == CLD_KILLED)) {
		pid_clear_process(child->pid);
		process_release(child);
	}
	return ret;
}
