/*
 * Between signal.c, signal_deliver.c, exec_stack.c and exit.c.
 */
#ifndef KERNEL_TASK_SIGNAL_INTERNAL_H
#define KERNEL_TASK_SIGNAL_INTERNAL_H

#include "kernel/task/signal.h"

struct posix_timer;

/* A queued signal. */
struct signal_entry {
	struct list list; /* [L:process] of struct signal_pending; empty: not queued */
	struct abi_siginfo info;
	struct posix_timer *timer; /* [I] whose own entry this is; NULL: of the slab cache */
};

#define SIGMASK_STOP (SIGMASK(SIGSTOP) | SIGMASK(SIGTSTP) | SIGMASK(SIGTTIN) | SIGMASK(SIGTTOU))
#define SIGMASK_DEFAULT_IGNORE                                                                     \
	(SIGMASK(SIGCHLD) | SIGMASK(SIGCONT) | SIGMASK(SIGURG) | SIGMASK(SIGWINCH))
#define SIGMASK_SYNCHRONOUS                                                                        \
	(SIGMASK(SIGSEGV) | SIGMASK(SIGBUS) | SIGMASK(SIGILL) | SIGMASK(SIGTRAP) |                 \
	 SIGMASK(SIGFPE) | SIGMASK(SIGSYS))

bool signal_default_ignored(int sig);
bool signal_default_stops(int sig);

/* Makes the other tasks look at the process's pending signals of `set` that they take. Context: p->lock held. */
void signal_retarget_locked(struct process *p, u64 set);
/*
 * As signal_send_locked() with an entry of the sender's. One that is queued already is counted in its
 * si_overrun. False: the signal is ignored, or nobody is left to take it.
 */
bool signal_send_entry_locked(struct process *p, struct task *t, struct signal_entry *e);

/* A timer's signal was taken, or thrown away. Context: p->lock held. */
void posix_timer_taken_locked(struct posix_timer *pt, struct abi_siginfo *info);
void posix_timer_dropped_locked(struct posix_timer *pt);
/* SIGALRM was taken from the process's queue. Context: p->lock held. */
void itimer_taken_locked(struct process *p);

/* What a handler's frame takes of the stack, with `records` bytes behind the floating-point state. */
u64 signal_frame_size(u64 records);

/* Ends a stop of the whole process. Context: p->lock held. */
void process_continue_locked(struct process *p);

#endif
