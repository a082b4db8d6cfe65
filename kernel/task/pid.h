/*
 * Process and thread numbers.
 *
 * A two-level table maps a number to what bears it: a task (thread id), a process (its leader's
 * number, until reaped), a process group, a session. Readers walk it under the epoch without a
 * lock; a slot's pointers are atomic. Leaves are installed by CAS and stay for ever.
 *
 * Numbers come from blocks of PID_BLOCK that each hart takes from a cursor, so that creating a
 * thread writes no line that another hart writes. The cursor goes through all of PID_MAX before it
 * starts again, which keeps a number from early reuse; numbers still in use are then skipped.
 */
#ifndef KERNEL_TASK_PID_H
#define KERNEL_TASK_PID_H

#include "lib/types.h"

#define PID_MAX	  4194304 /* numbers are 1..PID_MAX-1, as Linux's on 64 bits */
#define PID_BLOCK 32

struct process;
struct task;

struct pid_slot {
	struct task *task;	 /* [a] live thread */
	struct process *process; /* [a] not yet reaped */
	u32 groups;		 /* [a] processes whose group this is */
	u32 sessions;		 /* [a] processes whose session this is */
};

/*
 * Reserves a number with task = `t` and process = `p` (NULL unless a leader). 0, -EAGAIN (none
 * left) or -ENOMEM.
 */
int pid_alloc(struct task *t, struct process *p, u32 *pid);
/*
 * The slot of `pid`, or NULL if no such number was ever given out. Contents are valid under the
 * epoch.
 */
struct pid_slot *pid_slot(u32 pid);
/* `t` no longer bears `pid`; nothing happens if another task has taken it over (exec). */
void pid_clear_task(u32 pid, struct task *t);
/* The process `pid` has been reaped. */
void pid_clear_process(u32 pid);
/* Counts `p` in or out of a group and a session number. */
void pid_group_get(u32 pgid, u32 sid);
void pid_group_put(u32 pgid, u32 sid);

#endif
