/*
 * Job control: process groups, sessions, stopping and continuing.
 *
 * A process's group and session numbers change under its lock, and each membership is counted in
 * the table of numbers, so that a number stays taken as long as a group or session of that name
 * lives. Who joins a group holds the lock of a member meanwhile.
 *
 * A stop is complete, and the parent hears of it, when the last task has come to rest; a
 * continuation when the first one runs again. Both are kept in process->job_event, under the
 * parent's child_lock, until a wait takes them.
 */
#ifndef KERNEL_TASK_JOB_H
#define KERNEL_TASK_JOB_H

#include "lib/types.h"

struct abi_siginfo;
struct process;
struct task;

/* setpgid and setsid for the running process: 0 (the session's number) or Linux's -errno. */
long process_set_group(u32 pid, u32 pgid);
long process_new_session(void);

/* Does this parent keep its child's group from being orphaned? It could continue it. */
bool process_ties_group(const struct process *parent, const struct process *child);
/*
 * No member has a parent in another group of the same session, who could continue it. Context:
 * under the epoch.
 */
bool process_group_orphaned(u32 pgid);
/*
 * Sends `info` to every member. 0, or -ESRCH without any. No permission is checked. Context: under
 * the epoch.
 */
int process_group_signal(u32 pgid, const struct abi_siginfo *info);

/* Begins to stop `p` by default action of `sig`; each task comes to rest in task_stop(). */
void process_stop(struct process *p, int sig);
/* Rests until the process is continued or killed. Context: exit work. */
void task_stop(struct task *t);
/*
 * A task of a stopping process has gone: perhaps it was the last that still ran. Context: p->lock
 * held; true: call process_stopped().
 */
bool process_stop_complete_locked(struct process *p);
/* Tells the parent. Context: no lock held. */
void process_stopped(struct process *p);
/*
 * The two halves of what a dying `p` does to groups that it kept from being orphaned. The first marks its `child` if that group may
 * be orphaned now and somebody is stopped: true if so. Context: p's child lock held.
 */
bool process_untie_child(const struct process *p, struct process *child);
/*
 * The second sends SIGHUP and SIGCONT to its own group and to those of marked processes, as far as they are orphaned and have stopped
 * members. `untied`: there are marked ones. Context: no lock, under the epoch; the children have their new parent.
 */
void process_orphan_groups(struct process *p, bool untied);

#endif
