/*
 * Between signal.c, signal_deliver.c and exit.c.
 */
#ifndef KERNEL_TASK_SIGNAL_INTERNAL_H
#define KERNEL_TASK_SIGNAL_INTERNAL_H

#include "kernel/task/signal.h"

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
/* Ends a stop of the whole process. Context: p->lock held. */
void process_continue_locked(struct process *p);

#endif
