/*
 * Parents and children: who is whose, zombies, wait.
 *
 * A process's child_lock covers its list of children, their zombie flags and the tasks that wait. A child's parent pointer
 * changes only when the parent dies, under the child_lock of the old one and then init's; so a child that wants to tell its
 * parent locks and looks again.
 */
#include "abi/errno.h"
#include "abi/sched.h"
#include "kernel/file/file.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task_internal.h"

struct process *process_init;

static struct process *parent_lock(struct process *child)
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

static void wake_waiters_locked(struct process *parent)
{
	struct wait_entry *w;

	list_for_each (w, &parent->waiters, list)
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

static void process_orphan_children(struct process *p)
{
	struct process *init = process_init, *child;
	struct list orphans = LIST_INIT(orphans);

	/* Both locks at once, or a dying child could look between two parents. */
	spin_lock_pair(&p->child_lock, &init->child_lock);
	list_for_each (child, &p->children, sibling) {
		atomic_store_release(&child->parent, init);
		parent_death(child);
	}
	list_splice_tail(&init->children, &p->children);
	wake_waiters_locked(init);
	spin_unlock_pair(&p->child_lock, &init->child_lock);
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

/* Frees the number of a zombie that nobody will ask for any more. Context: no lock. */
static void process_release(struct process *p)
{
	pid_group_put(p->pgid, p->sid);
	pid_clear_process(p->pid);
	process_put(p);
}

/* The parent wants no zombies: SIGCHLD ignored, or SA_NOCLDWAIT. */
static bool parent_autoreaps(struct process *parent, u32 sig)
{
	struct abi_sigaction *a = &parent->signals.actions[SIGCHLD - 1];

	return sig == SIGCHLD && (a->sa_handler == SIG_IGN || (a->sa_flags & SA_NOCLDWAIT));
}

void process_become_zombie(struct process *p)
{
	u32 sig = p->exit_signal;
	struct process *parent;
	struct abi_siginfo info;
	bool reap;

	process_orphan_children(p);
	if (p->exe)
		file_put(p->exe);
	p->exe = NULL;
	parent = parent_lock(p);
	spin_lock(&parent->lock);
	reap = parent_autoreaps(parent, sig);
	if (sig) {
		siginfo_of_child(p, &info, (int)sig);
		signal_send_locked(parent, NULL, &info);
	}
	spin_unlock(&parent->lock);
	if (reap)
		list_del(&p->sibling);
	else
		p->zombie = true;
	wake_waiters_locked(parent);
	spin_unlock(&parent->child_lock);
	if (reap)
		process_release(p);
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

static void timeval_add(struct abi_timeval *a, const struct abi_timeval *b)
{
	a->tv_sec += b->tv_sec;
	a->tv_usec += b->tv_usec;
	if (a->tv_usec >= USEC_PER_SEC) {
		a->tv_usec -= USEC_PER_SEC;
		a->tv_sec++;
	}
}

static void usage_add(struct abi_rusage *sum, const struct abi_rusage *ru)
{
	timeval_add(&sum->ru_utime, &ru->ru_utime);
	timeval_add(&sum->ru_stime, &ru->ru_stime);
	sum->ru_nvcsw += ru->ru_nvcsw;
	sum->ru_maxrss = MAX(sum->ru_maxrss, ru->ru_maxrss);
}

/* A zombie that matches: unlinked unless WNOWAIT. *any: some child matches at all. Context: child_lock held. */
static struct process *wait_scan(struct process *self, s64 pid, u32 options,
				 struct wait_result *result, bool *any)
{
	struct process *child;

	*any = false;
	list_for_each (child, &self->children, sibling) {
		if (!child_matches(self, child, pid, options))
			continue;
		*any = true;
		if (!child->zombie)
			continue;
		result->pid = child->pid;
		result->uid = child->cred->uid;
		result->status = child->exit_code;
		process_usage(child, &result->usage);
		if (!(options & WNOWAIT)) {
			usage_add(&self->children_usage, &result->usage);
			usage_add(&self->children_usage, &child->children_usage);
			list_del(&child->sibling);
		}
		return child;
	}
	return NULL;
}

long process_wait(s64 pid, u32 options, struct wait_result *result)
{
	struct process *self = process_current(), *child;
	struct wait_entry entry = {.thread = thread_current()};
	bool any;
	long ret;

	list_init(&entry.list);
	for (;;) {
		spin_lock(&self->child_lock);
		list_del(&entry.list);
		child = wait_scan(self, pid, options, result, &any);
		if (child || !any || (options & WNOHANG))
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
	if (!child)
		return any ? 0 : -ECHILD;
	ret = result->pid;
	if (!(options & WNOWAIT))
		process_release(child);
	return ret;
}
