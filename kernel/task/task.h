/*
 * Tasks (Linux threads) and processes (thread groups).
 */
#ifndef KERNEL_TASK_TASK_H
#define KERNEL_TASK_TASK_H

#include "arch/riscv64/trap_frame.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/spinlock.h"
#include "lib/list.h"
#include "lib/types.h"

struct fd_table;
struct fs_context; /* cwd, root, umask (kernel/fs) */
struct mm;
struct process;

/* A Linux thread. Found by tid under the epoch; `thread` is first so that both share one lifetime. */
struct task {
	struct thread thread;
	struct process *process;	/* [I] */
	struct list siblings;		/* [L:process] threads of the process */
	u32 __user *clear_child_tid;	/* [c] zeroed and woken at exit */
	u64 robust_list;		/* [c] user address of struct robust_list_head */
	u64 robust_list_len;		/* [c] */
	void *futex_waiter;		/* [c] reserved for kernel/futex */
	/* signals: see kernel/task/signal.h */
	struct task_signals *signals;	/* [I] */
	int exit_code;			/* [c] wait status encoding */
};

static inline struct task *task_of(struct thread *t)
{
	return container_of(t, struct task, thread);
}

/* The running task; only valid in a user task's context (not in kernel threads). */
static inline struct task *task_current(void)
{
	return task_of(thread_current());
}

/* The user registers of `t`: the frame at the top of its kernel stack. */
struct trap_frame *task_frame(struct task *t);

struct task *task_find(u32 tid); /* under the epoch; NULL if none */

u32 process_pid(const struct process *p);
struct fd_table *process_files(struct process *p);
struct mm *process_mm(struct process *p);

/* Upper layers hook into the exit of a task (kernel/futex: robust list, clear_child_tid), in the live address space. */
struct task_exit_ops {
	void (*exit)(struct task *t);
};
extern struct task_exit_ops task_exit_ops; /* filled by kernel/futex before the first task runs */

/* Starts pid 1 (kernel thread "init"), which execs /etc/stellar/argv, reaps, and powers off with its status. */
void task_start_init(void);

/* For kernel/syscall and kernel/trap. */
bool signal_pending(struct task *t);		      /* a deliverable signal waits */
void task_exit_work(struct trap_frame *frame);	      /* signals, kill, rseq; before return to user mode; full frame */
void task_fault(struct trap_frame *frame);	      /* user-mode exception: page fault or signal */
#endif
