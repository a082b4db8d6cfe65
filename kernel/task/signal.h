/*
 * Signals.
 *
 * Pending signals, actions and the list of tasks lie under the process's lock. A task's mask is
 * written by that task alone, without the lock, and read by senders:
 *
 *     task:   blocked = new;  fence (A); look at pending
 *     sender: pending |= sig; fence (B); look at blocked
 *
 * One of the two sees the other (store buffering), so either the sender demands THREAD_WORK_SIGNAL
 * or the task does so itself: rt_sigprocmask, the most frequent call here, takes no lock.
 */
#ifndef KERNEL_TASK_SIGNAL_H
#define KERNEL_TASK_SIGNAL_H

#include "abi/signal.h"
#include "lib/list.h"
#include "lib/types.h"

struct cred;
struct process;
struct task;
struct trap_frame;
struct user;

#define SIGMASK(sig) BIT((sig)-1)
/* Never blocked. */
#define SIGMASK_UNBLOCKABLE (SIGMASK(SIGKILL) | SIGMASK(SIGSTOP))

struct signal_pending {
	u64 set;	   /* [a] changes under the process lock */
	struct list queue; /* [L:process] struct signal_entry */
};

struct task_signals {
	u64 blocked;	   /* [a] written by the task only */
	u64 saved_mask;	   /* [c] to restore once a handler has run or none had to */
	bool restore_mask; /* [c] saved_mask is valid */
	u64 waiting;	   /* [L:process] set that rt_sigtimedwait takes */
	struct signal_pending pending;
	struct abi_stack altstack; /* [c] */
};

struct process_signals {
	struct signal_pending pending;
	struct abi_sigaction actions[NSIG]; /* [L:process] */
	u32 nr_queued;			    /* [L:process] entries, of the process and its tasks */
	struct user *user; /* [L:process] who is charged for them: a reference; NULL: there never were any */
};

void signal_init(void); /* slab cache */
void signal_task_init(struct task_signals *s);
void signal_process_init(struct process_signals *s);

/* A deliverable signal waits. Context: `t` itself. */
bool signal_pending(struct task *t);

/* siginfo of kill() and friends by the running task. */
void signal_info_user(struct abi_siginfo *info, int sig, int code);

/*
 * Send `info` to one task, or to a process, any of whose tasks may take it. 0, or -EAGAIN (queue
 * full). Context: any, under the epoch or with a reference; takes the process lock.
 */
int signal_send_task(struct task *t, const struct abi_siginfo *info);
int signal_send_process(struct process *p, const struct abi_siginfo *info);
/* The same with the process lock held. */
int signal_send_locked(struct process *p, struct task *t, const struct abi_siginfo *info);
/* 0 or -EPERM: may the running task send `sig` to `p`, or to one task that has `target`? */
int signal_may_send(struct process *p, const struct cred *target, int sig);

/* A fault of the running task: delivered now, even if blocked or ignored (then it kills). */
void signal_force_fault(int sig, int code, u64 addr);

/* Sets the running task's mask; SIGKILL and SIGSTOP stay out. */
void signal_set_mask(u64 mask);
/* For ppoll, pselect6, epoll_pwait, rt_sigsuspend: a mask for the time of the call. */
void signal_push_mask(u64 mask);
/*
 * The call ends with `ret`: put the old mask back unless a handler must run under the temporary one
 * first. Returns ret.
 */
long signal_pop_mask(long ret);

/* Takes the next signal out of `set`; true and *info, or false. Context: p->lock held. */
bool signal_take_locked(struct task *t, u64 set, struct abi_siginfo *info);
/* Drops every pending signal of `mask` in the process and its tasks. Context: p->lock held. */
void signal_flush_locked(struct process *p, u64 mask);
/* exec: handlers become SIG_DFL, ignored signals stay so. */
void signal_reset_handlers(struct process *p);
/* Frees what is queued. Context: nobody can send any more. */
void signal_queue_free(struct process *p, struct signal_pending *pending);

/*
 * sigaltstack with user stack pointer `sp`: 0, -EPERM (in use), -EINVAL, -ENOMEM. And the SS_*
 * flags to report.
 */
int signal_set_altstack(struct task *t, const struct abi_stack *stack, u64 sp);
int signal_altstack_status(const struct task_signals *s, u64 sp);

/*
 * Delivers what is pending, restarts or ends an interrupted call. Context: exit work, full frame.
 */
void signal_deliver(struct trap_frame *frame);
/*
 * rt_sigreturn: takes registers, mask and altstack from the user's frame. False if it is bad (the
 * task then gets SIGSEGV).
 */
bool signal_return(struct trap_frame *frame);

#endif
