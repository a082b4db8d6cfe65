/*
 * The stops of a tracee: for signals, for a stop of its process, for events. The protocol of stopping and going on: ptrace.h.
 *
 * A demand to stop (TRACEE_TRAP_*) comes with THREAD_WORK_SIGNAL, which ends what it sleeps in, and is met where signals are delivered;
 * a stop of the process first becomes such a demand there (task_stop()).
 */
#include "abi/errno.h"
#include "abi/ptrace.h"
#include "abi/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/task_internal.h"
#include "kernel/task/vector.h"

static bool task_killed(const struct task *t)
{
	return atomic_load_relaxed(&t->thread.work) & THREAD_WORK_KILL;
}

/* Parks until somebody lets it run, or a fatal signal comes while nobody holds it. */
static void stop_rest(struct task *t)
{
	struct process *p = t->process;
	u8 state;

	while ((state = atomic_load_acquire(&t->ptrace.state)) != TRACEE_RUNS) {
		if (state == TRACEE_HELD) {
			/* Whoever holds it unparks it when it lets go. */
			park(PARK_FOREVER, 0);
			continue;
		}
		if (park(PARK_FOREVER, PARK_KILLABLE) != -EINTR)
			continue;
		spin_lock(&p->lock);
		if (t->ptrace.state != TRACEE_HELD)
			atomic_store_relaxed(&t->ptrace.state, (u8)TRACEE_RUNS);
		spin_unlock(&p->lock);
	}
}

/* SIGCHLD for the tracer, as job control sends it to a parent, and whoever waits. Context: the tracer's child_lock. */
static void stop_tell(struct process *tracer, struct task *t, int why, u32 status)
{
	struct abi_siginfo info = {
		.si_signo = SIGCHLD,
		.si_code = why,
		.si_child_pid = (s32)t->thread.tid,
		.si_child_uid = t->cred->uid,
		.si_status = (s32)(status & 0x7f),
	};
	const struct abi_sigaction *action = &tracer->signals.actions[SIGCHLD - 1];

	spin_lock(&tracer->lock);
	if (action->sa_handler != SIG_IGN && !(action->sa_flags & SA_NOCLDSTOP))
		signal_send_locked(tracer, NULL, &info);
	spin_unlock(&tracer->lock);
	process_wake_waiters_locked(tracer);
}

/* What it rests in and why; false: it must die instead. Context: the process's lock. */
static bool stop_enter_locked(struct task *t, u32 code, int why, u64 message, struct abi_siginfo *info)
{
	struct task_ptrace *tr = &t->ptrace;
	u8 met = TRACEE_TRAP_STOP | TRACEE_TRAP_ATTACH;

	if (task_killed(t))
		return false;
	if (why == CLD_STOPPED)
		met |= TRACEE_TRAP_NOTIFY;
	tr->code = code;
	tr->message = message;
	tr->info = info;
	atomic_store_release(&tr->traps, (u8)(tr->traps & ~met));
	atomic_store_release(&tr->state, (u8)TRACEE_STOPPED);
	return true;
}

/* With what the tracer lets it go on. */
static int stop_leave(struct task *t)
{
	struct process *p = t->process;
	int sig;

	spin_lock(&p->lock);
	sig = task_killed(t) ? 0 : (int)t->ptrace.code;
	t->ptrace.code = 0;
	t->ptrace.message = 0;
	t->ptrace.info = NULL;
	spin_unlock(&p->lock);
	return sig;
}

int ptrace_stop(u32 code, int why, u64 message, struct abi_siginfo *info, int otherwise)
{
	struct task *t = task_current();
	struct process *p = t->process, *tracer;
	bool attach, stops;

	might_sleep();
	/* Memory is the place of all its registers while it rests; they are not to come back when it is woken for nothing. */
	fpu_save(&t->fp);
	t->fp.eager = 0;
	task_vector_settle(t);
	tracer = ptrace_lock_tracer(t);
	if (!tracer)
		return otherwise;
	spin_lock(&p->lock);
	attach = t->ptrace.traps & TRACEE_TRAP_ATTACH;
	stops = stop_enter_locked(t, code, why, message, info);
	spin_unlock(&p->lock);
	if (stops)
		stop_tell(tracer, t, why, why == CLD_STOPPED ? (u32)p->stop_signal : code);
	if (attach)
		unpark(&t->ptrace.tracer->thread);
	spin_unlock(&tracer->child_lock);
	if (!stops)
		return otherwise;
	stop_rest(t);
	return stop_leave(t);
}

/* ---- events ---- */

static void notify_info(struct abi_siginfo *info, int sig, u32 code)
{
	signal_info_user(info, sig, (int)code);
	info->si_pid = (s32)thread_current()->tid;
}

int ptrace_notify(u32 code, u64 message)
{
	struct abi_siginfo info;

	notify_info(&info, SIGTRAP, code);
	return ptrace_stop(code, CLD_TRAPPED, message, &info, 0);
}

static bool event_wanted(u32 event)
{
	struct task *t = task_current();

	return unlikely(atomic_load_relaxed(&t->thread.work) & THREAD_WORK_TRACED) &&
	       (atomic_load_relaxed(&t->ptrace.options) & BIT(event));
}

void ptrace_event(u32 event, u64 message)
{
	if (event_wanted(event))
		ptrace_notify(event << 8 | SIGTRAP, message);
}

u32 ptrace_clone_event(u64 flags, u64 exit_signal)
{
	u32 event = PTRACE_EVENT_FORK;

	if (flags & CLONE_UNTRACED)
		return 0;
	if (flags & CLONE_VFORK)
		event = PTRACE_EVENT_VFORK;
	else if (exit_signal != SIGCHLD)
		event = PTRACE_EVENT_CLONE;
	return event_wanted(event) ? event : 0;
}

void ptrace_event_exec(u32 old_tid)
{
	struct task *t = task_current();
	struct abi_siginfo info;

	if (likely(!(atomic_load_relaxed(&t->thread.work) & THREAD_WORK_TRACED)))
		return;
	if (event_wanted(PTRACE_EVENT_EXEC)) {
		ptrace_event(PTRACE_EVENT_EXEC, old_tid);
	} else if (!t->ptrace.seized) {
		signal_info_user(&info, SIGTRAP, SI_USER);
		signal_send_task(t, &info);
	}
}

void ptrace_event_exit(int status)
{
	struct task *t = task_current();

	if (likely(!event_wanted(PTRACE_EVENT_EXIT)))
		return;
	/* What kills it has done so: that does not end this stop. */
	spin_lock(&t->process->lock);
	atomic_fetch_and(&t->thread.work, (u32)~THREAD_WORK_KILL);
	spin_unlock(&t->process->lock);
	ptrace_event(PTRACE_EVENT_EXIT, (u64)status);
}

/* ---- demands ---- */

void ptrace_notify_job_locked(struct task *t)
{
	if (!t->ptrace.tracer || !t->ptrace.seized)
		return;
	atomic_store_release(&t->ptrace.traps, (u8)(t->ptrace.traps | TRACEE_TRAP_NOTIFY));
	thread_set_work(&t->thread, THREAD_WORK_SIGNAL);
	if (t->ptrace.state == TRACEE_LISTENS) {
		atomic_store_release(&t->ptrace.state, (u8)TRACEE_RUNS);
		unpark(&t->thread);
	}
}

bool ptrace_trap(struct task *t)
{
	struct process *p = t->process;
	bool demanded, seized, stopped;
	struct abi_siginfo info;
	int sig;

	if (!(atomic_load_acquire(&t->ptrace.traps) & (TRACEE_TRAP_STOP | TRACEE_TRAP_NOTIFY)))
		return false;
	spin_lock(&p->lock);
	demanded = t->ptrace.tracer && !task_killed(t) &&
		   (t->ptrace.traps & (TRACEE_TRAP_STOP | TRACEE_TRAP_NOTIFY));
	seized = t->ptrace.seized;
	stopped = p->stopped;
	sig = p->stop_signal;
	spin_unlock(&p->lock);
	if (!demanded)
		return false;
	if (!seized) {
		ptrace_stop((u32)sig, CLD_STOPPED, 0, NULL, 0);
		return true;
	}
	if (!stopped)
		sig = SIGTRAP;
	notify_info(&info, sig, PTRACE_EVENT_STOP << 8 | (u32)sig);
	ptrace_stop(PTRACE_EVENT_STOP << 8 | (u32)sig, CLD_STOPPED, 0, &info, 0);
	return true;
}

/* The signal that the tracer put in another's place comes from the tracer. */
static void signal_replace(struct task *t, struct abi_siginfo *info, int sig)
{
	const struct task *tracer;

	*info = (struct abi_siginfo){.si_signo = sig, .si_code = SI_USER};
	epoch_enter();
	tracer = atomic_load_acquire(&t->ptrace.tracer);
	if (tracer) {
		info->si_pid = (s32)process_pid(tracer->process);
		info->si_uid = atomic_load_acquire(&tracer->cred)->uid;
	}
	epoch_exit();
}

bool ptrace_signal(struct task *t, struct abi_siginfo *info)
{
	int sig = ptrace_stop((u32)info->si_signo, CLD_TRAPPED, 0, info, info->si_signo);

	if (!sig || task_killed(t))
		return false;
	if (sig != info->si_signo)
		signal_replace(t, info, sig);
	if (!(t->signals.blocked & SIGMASK(sig)))
		return true;
	signal_send_task(t, info);
	return false;
}
