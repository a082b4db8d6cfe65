/*
 * Between the files of kernel/task: construction and the hand-over from a dying task to its
 * process.
 */
#ifndef KERNEL_TASK_TASK_INTERNAL_H
#define KERNEL_TASK_TASK_INTERNAL_H

#include "kernel/sync/lock_class.h"
#include "kernel/task/task.h"

/* A task in process_wait(), on its process's waiters. */
struct child_waiter {
	struct list list; /* [L:child_lock] */
	struct thread *thread;
};

/*
 * A process without tasks: one reference for being unreaped. Limits, ids and actions are those of
 * `parent`, or the defaults (NULL). NULL when out of memory.
 */
struct process *process_create(struct process *parent);

/*
 * A task of `p` that will run fn(task); not started, not in the list of tasks. Numbered; `leader`:
 * its number becomes the process's. The task or an error pointer.
 */
struct task *task_create(struct process *p, const char *name, bool leader, void (*fn)(void *));
/*
 * Makes `t` visible among the tasks of its process and counts it into the address space. -EINTR if
 * the process is exiting.
 */
int task_join_process(struct task *t);
/* Undoes task_create() for a task that never ran. */
void task_abandon(struct task *t);

void task_oom_init(void);

/* The parent of `p` with its child_lock held. */
struct process *process_lock_parent(struct process *p);
/* News of a child: context: child_lock held. */
void process_wake_waiters_locked(struct process *parent);
/* Puts `child` under `parent`. */
void process_add_child(struct process *parent, struct process *child);
/* CLONE_PARENT: whoever is the parent of `self` gets it, even if that one is just dying. */
void process_add_sibling(struct process *self, struct process *child);
/*
 * The last task of `p` has gone: children to init, and once nobody keeps it a zombie, of which tracer and parent are told. The caller
 * has counted itself in nr_kept, which ends here. Context: no lock held.
 */
void process_become_zombie(struct process *p);
/* One less in nr_kept. Context: no lock held. */
void process_drop_kept(struct process *p);
/* A tracee that had exited was taken by a wait, or its tracer has gone: the others of its process need not wait for it. Context: no lock. */
void process_forget_dead(struct task *t);

/* Gives `p` another space, or NULL; the old one, with the process's reference on it, is returned. */
struct mm *process_replace_mm(struct process *p, struct mm *mm);
/* Adds what `t` has used to its process, which it is leaving. Context: p->lock held. */
void process_keep_ticks_locked(struct process *p, struct task *t);
void usage_add(struct abi_rusage *sum, const struct abi_rusage *ru);
/* Leaves the address space; the last task drops it. */
void task_leave_mm(struct task *t);
/*
 * Ends every other task of the process and waits for them; the caller then bears the process's
 * number. 0 or -EAGAIN class.
 */
int process_become_single(struct process *p);

/* "init: cannot run NAME: REASON" words for the errors of exec. */
const char *task_strerror(int err);

#endif
