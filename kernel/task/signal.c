/*
 * Signal state: queues, masks, sending. Delivery is in signal_deliver.c.
 */
#include "kernel/task/signal.h"

#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/task.h"
#include "kernel/task/user.h"

static struct slab_cache *entry_cache;

void signal_init(void)
{
	entry_cache = slab_create("signal", sizeof(struct signal_entry), 8);
}

static void pending_init(struct signal_pending *p)
{
	p->set = 0;
	list_init(&p->queue);
}

void signal_task_init(struct task_signals *s)
{
	pending_init(&s->pending);
	s->altstack.ss_flags = SS_DISABLE;
}

void signal_process_init(struct process_signals *s)
{
	pending_init(&s->pending);
}

bool signal_pending(struct task *t)
{
	u64 set = atomic_load_relaxed(&t->signals.pending.set) |
		  atomic_load_relaxed(&t->process->signals.pending.set);

	return set & ~t->signals.blocked;
}

void signal_info_user(struct abi_siginfo *info, int sig, int code)
{
	*info = (struct abi_siginfo){
		.si_signo = sig,
		.si_code = code,
		.si_pid = (s32)process_pid(process_current()),
		.si_uid = cred_current()->uid,
	};
}

/* ---- what a signal does by default ---- */

bool signal_default_ignored(int sig)
{
	return SIGMASK(sig) & SIGMASK_DEFAULT_IGNORE;
}

bool signal_default_stops(int sig)
{
	return SIGMASK(sig) & SIGMASK_STOP;
}

static bool signal_ignored(struct process *p, int sig)
{
	u64 handler = p->signals.actions[sig - 1].sa_handler;

	return handler == SIG_IGN || (handler == SIG_DFL && signal_default_ignored(sig));
}

static bool signal_fatal(struct process *p, int sig)
{
	return p->signals.actions[sig - 1].sa_handler == SIG_DFL && !signal_default_ignored(sig) &&
	       !signal_default_stops(sig);
}

/* ---- queues ---- */

static void entry_uncharge(struct process *p)
{
	struct process_signals *s = &p->signals;

	user_uncharge_signal(s->user);
	s->nr_queued--;
}

/*
 * One more entry, charged to the user of the process as Linux does: all processes of a user share the limit. Whoever changes the user
 * while entries are queued takes those that follow along, until the queue has been empty once. False: beyond the limit, not charged.
 */
static bool entry_charge(struct process *p, bool must)
{
	struct process_signals *s = &p->signals;
	struct user *user = atomic_load_acquire(&p->cred)->user;
	u64 queued;

	if (unlikely(s->user != user) && !s->nr_queued) {
		user_get(user);
		if (s->user)
			user_put(s->user);
		s->user = user;
	}
	queued = user_charge_signal(s->user);
	s->nr_queued++;
	if (must || queued <= process_rlimit(p, RLIMIT_SIGPENDING))
		return true;
	entry_uncharge(p);
	return false;
}

static void entry_free(struct process *p, struct signal_entry *e)
{
	list_del(&e->list);
	if (e->timer) {
		posix_timer_dropped_locked(e->timer);
		return;
	}
	entry_uncharge(p);
	slab_free(entry_cache, e);
}

static void pending_flush(struct process *p, struct signal_pending *pending, u64 mask)
{
	struct signal_entry *e, *tmp;

	atomic_store_relaxed(&pending->set, pending->set & ~mask);
	list_for_each_safe(e, tmp, &pending->queue, list) {
		if (SIGMASK(e->info.si_signo) & mask)
			entry_free(p, e);
	}
}

void signal_queue_free(struct process *p, struct signal_pending *pending)
{
	pending_flush(p, pending, ~0UL);
}

void signal_flush_locked(struct process *p, u64 mask)
{
	struct task *t;

	pending_flush(p, &p->signals.pending, mask);
	list_for_each(t, &p->tasks, siblings)
		pending_flush(p, &t->signals.pending, mask);
}

/*
 * Queues `info`. A standard signal is pending once only; a real-time one as often as it is sent.
 * Without memory or beyond the limit a signal loses its siginfo, except where the sender must be
 * told (sigqueue).
 */
static int pending_add(struct process *p, struct signal_pending *pending,
		       const struct abi_siginfo *info)
{
	u64 bit = SIGMASK(info->si_signo);
	struct signal_entry *e = NULL;

	if (info->si_signo < SIGRTMIN && (pending->set & bit))
		return 0;
	/* One that can be pending once only, and was not queued by a program, is told in full anyway. */
	if (entry_charge(p, info->si_signo < SIGRTMIN && info->si_code >= 0)) {
		e = slab_alloc(entry_cache);
		if (!e)
			entry_uncharge(p);
	}
	if (e) {
		*e = (struct signal_entry){.info = *info};
		list_add_tail(&pending->queue, &e->list);
	} else if (info->si_signo >= SIGRTMIN && info->si_code != SI_USER) {
		return -EAGAIN;
	}
	atomic_store_relaxed(&pending->set, pending->set | bit);
	return 0;
}

/* Takes signal `sig` out of `pending`; its bit stays if another entry of it is queued. */
static void pending_take(struct process *p, struct signal_pending *pending, int sig,
			 struct abi_siginfo *info)
{
	struct signal_entry *e, *tmp, *found = NULL;
	bool more = false;

	list_for_each_safe(e, tmp, &pending->queue, list) {
		if (e->info.si_signo != sig)
			continue;
		if (found) {
			more = true;
			break;
		}
		found = e;
	}
	if (!more)
		atomic_store_relaxed(&pending->set, pending->set & ~SIGMASK(sig));
	if (!found) {
		*info = (struct abi_siginfo){.si_signo = sig, .si_code = SI_USER};
		return;
	}
	*info = found->info;
	if (found->timer) {
		list_del(&found->list);
		posix_timer_taken_locked(found->timer, info);
	} else {
		entry_free(p, found);
	}
}

bool signal_take_locked(struct task *t, u64 set, struct abi_siginfo *info)
{
	struct process *p = t->process;
	bool own = t->signals.pending.set & set;
	struct signal_pending *from = own ? &t->signals.pending : &p->signals.pending;
	u64 ready = from->set & set;
	int sig;

	if (!ready)
		return false;
	/* A fault's signal first, so that its handler sees the faulting pc; then the lowest number. */
	if (ready & SIGMASK_SYNCHRONOUS)
		ready &= SIGMASK_SYNCHRONOUS;
	sig = __builtin_ctzl(ready) + 1;
	pending_take(p, from, sig, info);
	if (sig == SIGALRM && !own)
		itimer_taken_locked(p);
	return true;
}

/* ---- sending ---- */

static bool signal_wanted(struct task *t, int sig)
{
	return !(atomic_load_relaxed(&t->signals.blocked) & SIGMASK(sig));
}

/* A task of `p` that takes `sig` now; the sender itself if it may. */
static struct task *signal_pick_task(struct process *p, int sig)
{
	struct task *t;

	list_for_each(t, &p->tasks, siblings)
		if (signal_wanted(t, sig))
			return t;
	return NULL;
}

static void signal_wake_waiter(struct process *p, struct task *target, int sig)
{
	struct task *t;

	list_for_each(t, &p->tasks, siblings)
		if ((!target || t == target) && (t->signals.waiting & SIGMASK(sig)))
			thread_set_work(&t->thread, THREAD_WORK_SIGNAL);
}

/* Where a signal goes, and what is known of it before it is queued. */
enum signal_fate { SIGNAL_DROPPED, SIGNAL_QUEUE };

static struct task *signal_target(struct process *p, struct task *t, int sig)
{
	if (t)
		return signal_wanted(t, sig) ? t : NULL;
	return signal_pick_task(p, sig);
}

/* SIGCONT undoes stop signals, also those that are taken but have not stopped anybody yet. */
static void signal_continue(struct process *p)
{
	struct task *t;

	signal_flush_locked(p, SIGMASK_STOP);
	list_for_each(t, &p->tasks, siblings) {
		t->stop_taken = false;
		ptrace_notify_job_locked(t);
	}
	process_continue_locked(p);
}

/* What a signal does to others by being sent, and whether it is to be queued. */
static enum signal_fate signal_prepare(struct process *p, struct task *t, int sig)
{
	struct task *target;

	/* list_del() leaves the siblings of a task that has exited empty. */
	if (p->kernel || p->group_exit || p->nr_tasks == 0 || (t && list_empty(&t->siblings)))
		return SIGNAL_DROPPED;
	if (sig == SIGCONT) {
		signal_continue(p);
	} else if (signal_default_stops(sig)) {
		signal_flush_locked(p, SIGMASK(SIGCONT));
	}
	if (sig == SIGKILL) {
		process_kill_locked(p, SIGKILL);
		return SIGNAL_DROPPED;
	}
	if (likely(!signal_ignored(p, sig)))
		return SIGNAL_QUEUE;
	/* A blocked one is kept: its action may change before it is unblocked. A tracer sees all that its tracee takes. */
	target = signal_target(p, t, sig);
	return target && !target->ptrace.tracer ? SIGNAL_DROPPED : SIGNAL_QUEUE;
}

/* It is pending: tell whoever takes it. */
static void signal_announce(struct process *p, struct task *t, int sig)
{
	struct task *target;

	fence_full(); /* (B) pairs with (A) in signal_set_mask() */
	if (unlikely(atomic_load_relaxed(&p->signal_queue.nr_entries)))
		waitq_wake(&p->signal_queue, POLL_EVENT_READ, WAITQ_ALL);
	/* Only now: whoever has blocked it before did not see it pending. */
	target = signal_target(p, t, sig);
	if (!target)
		signal_wake_waiter(p, t, sig);
	else if (signal_fatal(p, sig) && !p->stopped && !target->ptrace.tracer)
		process_kill_locked(
			p, sig); /* a stopped process dies of it when it goes on, a tracee if its tracer lets it */
	else
		thread_set_work(&target->thread, THREAD_WORK_SIGNAL);
}

static struct signal_pending *pending_of(struct process *p, struct task *t)
{
	return t ? &t->signals.pending : &p->signals.pending;
}

int signal_send_locked(struct process *p, struct task *t, const struct abi_siginfo *info)
{
	int err;

	if (signal_prepare(p, t, info->si_signo) == SIGNAL_DROPPED)
		return 0;
	err = pending_add(p, pending_of(p, t), info);
	if (!err)
		signal_announce(p, t, info->si_signo);
	return err;
}

bool signal_send_entry_locked(struct process *p, struct task *t, struct signal_entry *e)
{
	struct signal_pending *pending = pending_of(p, t);
	int sig = e->info.si_signo;

	if (signal_prepare(p, t, sig) == SIGNAL_DROPPED)
		return false;
	if (!list_empty(&e->list)) {
		e->info.si_overrun++;
		return true;
	}
	e->info.si_overrun = 0;
	list_add_tail(&pending->queue, &e->list);
	atomic_store_relaxed(&pending->set, pending->set | SIGMASK(sig));
	signal_announce(p, t, sig);
	return true;
}

int signal_send_process(struct process *p, const struct abi_siginfo *info)
{
	int err;

	spin_lock(&p->lock);
	err = signal_send_locked(p, NULL, info);
	spin_unlock(&p->lock);
	return err;
}

int signal_send_task(struct task *t, const struct abi_siginfo *info)
{
	struct process *p = t->process;
	int err;

	spin_lock(&p->lock);
	err = signal_send_locked(p, t, info);
	spin_unlock(&p->lock);
	return err;
}

int signal_may_send(struct process *p, const struct cred *target, int sig)
{
	const struct cred *own = cred_current();

	if (p == process_current() || cred_capable(own, CAP_KILL) || own->euid == target->suid ||
	    own->euid == target->uid || own->uid == target->suid || own->uid == target->uid)
		return 0;
	if (sig == SIGCONT && atomic_load_relaxed(&p->sid) == process_current()->sid)
		return 0;
	return -EPERM;
}

void signal_force_fault(int sig, int code, u64 addr)
{
	struct task *t = task_current();
	struct process *p = t->process;
	struct abi_sigaction *action = &p->signals.actions[sig - 1];
	struct abi_siginfo info = {.si_signo = sig, .si_code = code, .si_addr = addr};

	spin_lock(&p->lock);
	if (!signal_wanted(t, sig) || action->sa_handler == SIG_IGN) {
		action->sa_handler = SIG_DFL;
		atomic_store_relaxed(&t->signals.blocked, t->signals.blocked & ~SIGMASK(sig));
	}
	/*
	 * The one signal that must carry its siginfo replaces one of the same number that somebody
	 * sent.
	 */
	pending_flush(p, &t->signals.pending, SIGMASK(sig));
	signal_send_locked(p, t, &info);
	spin_unlock(&p->lock);
}

/* ---- masks ---- */

/* Also for newly blocked signals that wait for the whole process. */
void signal_retarget_locked(struct process *p, u64 set)
{
	struct task *t;

	set &= p->signals.pending.set;
	list_for_each(t, &p->tasks, siblings)
		if (t != task_current() && (set & ~atomic_load_relaxed(&t->signals.blocked)))
			thread_set_work(&t->thread, THREAD_WORK_SIGNAL);
}

void signal_set_mask(u64 mask)
{
	struct task *t = task_current();
	struct process *p = t->process;
	u64 old = t->signals.blocked;
	u64 shared;

	mask &= ~SIGMASK_UNBLOCKABLE;
	atomic_store_relaxed(&t->signals.blocked, mask);
	fence_full(); /* (A) pairs with (B) in signal_send_locked() */
	shared = atomic_load_relaxed(&p->signals.pending.set);
	if (unlikely(shared & mask & ~old)) {
		spin_lock(&p->lock);
		signal_retarget_locked(p, mask & ~old);
		spin_unlock(&p->lock);
	}
	if (unlikely(signal_pending(t)))
		thread_set_work(&t->thread, THREAD_WORK_SIGNAL);
}

void signal_push_mask(u64 mask)
{
	struct task_signals *s = &task_current()->signals;

	s->saved_mask = s->blocked;
	s->restore_mask = true;
	signal_set_mask(mask);
}

long signal_pop_mask(long ret)
{
	struct task_signals *s = &task_current()->signals;

	/*
	 * After an interruption the exit work does it: a handler runs under the temporary mask and
	 * saves the old one.
	 */
	if (ret != -ERESTARTNOHAND && ret != -EINTR) {
		s->restore_mask = false;
		signal_set_mask(s->saved_mask);
	}
	return ret;
}

void signal_reset_handlers(struct process *p)
{
	u32 i;

	spin_lock(&p->lock);
	for (i = 0; i < NSIG; i++) {
		struct abi_sigaction *a = &p->signals.actions[i];

		if (a->sa_handler != SIG_IGN)
			a->sa_handler = SIG_DFL;
		a->sa_flags = 0;
		a->sa_mask = 0;
	}
	spin_unlock(&p->lock);
	task_current()->signals.altstack = (struct abi_stack){.ss_flags = SS_DISABLE};
}
