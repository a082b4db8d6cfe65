/*
 * Tasks (Linux threads) and processes (thread groups).
 *
 * A task embeds its schedulable half and shares its lifetime: counted by thread_get/put and freed
 * after a grace period, so that whoever finds a task by its number under the epoch may signal it. A
 * process is held by its tasks and by being unreaped; it is freed after a grace period too. Nothing
 * here is global: each process has a lock for its signals and task list, and one for its children
 * (a parent's before a child's).
 */
#ifndef KERNEL_TASK_TASK_H
#define KERNEL_TASK_TASK_H

#include "abi/resource.h"
#include "arch/riscv64/fpu.h"
#include "arch/riscv64/trap_frame.h"
#include "kernel/file/waitq.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/spinlock.h"
#include "kernel/task/cred.h"
#include "kernel/task/pid.h"
#include "kernel/task/signal.h"
#include "lib/list.h"
#include "lib/types.h"

struct fd_table;
struct sem_undo_list;
struct file;
struct fs_context; /* cwd, root, umask (kernel/fs) */
struct path;
struct mm;

/* Where a call that a signal ended goes on when restart_syscall is called. */
struct restart_block {
	long (*fn)(struct restart_block *r);
	u64 deadline; /* ticks */
	u64 arg[4];   /* fn's own */
};

/*
 * Priority inheritance: whom a task waits for, and who lends it a priority (kernel/futex/pi.c). The exit lock is held while a
 * task gives up what it owns, so that whoever needs the outcome can wait for it.
 */
enum task_pi_state { TASK_PI_ALIVE, TASK_PI_EXITING, TASK_PI_DEAD };
struct futex_pi_waiter;
struct task_pi {
	struct spinlock lock;
	enum task_pi_state state;	 /* [L:lock] */
	struct futex_pi_waiter *blocked; /* [L:lock] its own wait for a PI futex; NULL: none */
	struct list lenders; /* [L:lock] the first waiter of each PI futex that it owns */
	struct mutex exit;
};

/* A registered restartable-sequence area (rseq.h). */
struct task_rseq {
	u64 addr;	   /* user address; 0: none */
	u64 seen_switches; /* of the thread, when a section was last looked for */
	u32 len;
	u32 signature;
};

/* RLIMIT_RTTIME of a real-time thread (cpu_limit.c), [L:process]. */
struct task_rt_watch {
	bool on;
	u64 voluntary; /* switches away at the last look */
	u64 since;     /* run time, in ticks, when it slept last */
};

/* A task's I/O priority (ioprio.h), [L:process]. */
struct ioprio_cell;
struct task_io {
	struct ioprio_cell *shared; /* by CLONE_IO, a reference: then the priority is there */
	u32 value;
	bool is_set; /* by the task or the one that cloned it */
};

/* Where a task is for its tracer. What the states mean and who changes them: ptrace.h. */
enum tracee_state { TRACEE_RUNS, TRACEE_STOPPED, TRACEE_HELD, TRACEE_LISTENS, TRACEE_DEAD };

/* A task as the one who traces it sees it. Its locking: ptrace.h. */
struct task_ptrace {
	struct task *tracer; /* [e] NULL: nobody traces it; no reference */
	struct list link; /* [L:child_lock of the tracer's process] among that process's tracees; a reference */
	u32 options; /* [L:process] PTRACE_O_* */
	u32 code; /* [L:process] what wait tells of the stop, 0: told; then the signal to go on with */
	u64 message;		  /* [L:process] PTRACE_GETEVENTMSG */
	struct abi_siginfo *info; /* [L:process] of the stop, on the tracee's stack; NULL: it has none */
	u8 state;		  /* [a] enum tracee_state; changes under process lock */
	u8 traps;     /* [a] TRACEE_TRAP_*: why it has to stop; changes under process lock */
	bool seized;  /* [L:process] by PTRACE_SEIZE */
	bool capable; /* [L:process] the tracer had CAP_SYS_PTRACE */
	bool calls;   /* [a] stops at the entry and exit of system calls */
};

/* What went through read and write in all their forms (proc_pid_io(5)). */
struct io_counts {
	u64 read_bytes, written_bytes;
	u64 reads, writes; /* calls */
};

/* A Linux thread. `thread` is first so that both share one lifetime. */
struct task {
	struct thread thread;
	struct process *process; /* [I] */
	struct cred *cred;	 /* [e] a reference; written by the task only */
	struct list siblings;	 /* [L:process] threads of the process */
	struct fd_table *files; /* [e] changes under process lock; counted once a task; NULL after its exit */
	struct fs_context *fs;	     /* [e] as files */
	u32 __user *clear_child_tid; /* [c] zeroed and woken at exit */
	u64 robust_list;	     /* [c] user address of struct robust_list_head */
	u64 robust_list_len;	     /* [c] */
	struct task_pi pi;
	struct task_io io;		/* [L:process] */
	struct task_rt_watch rt_watch;	/* [L:process] */
	struct io_counts io_counts;	/* [c] read by others */
	struct sem_undo_list *sem_undo; /* [c] for kernel/ipc: a reference, or NULL */
	bool made_shm; /* [c] for kernel/ipc: segments may name it as their creator */
	struct task_signals signals;
	struct restart_block restart; /* [c] */
	struct task_rseq rseq;	      /* [c] */
	struct fp_state fp;	      /* [c] thread.fp points here */
	struct task *vfork_parent;    /* [L:process] waits for our exec or exit; a reference */
	bool reset_on_fork; /* [a] SCHED_RESET_ON_FORK: children begin as ordinary threads */
	u8 vector_control;  /* [c] PR_RISCV_V_VSTATE_CTRL_* (vector.h) */
	u32 personality;    /* [c] PER_* and habits, personality(2) */
	u32 policy;	    /* [a] SCHED_* of abi/sched.h; thread.class is what it amounts to */
	int exit_code;	    /* [c] wait status encoding */
	bool realtime_park; /* [a] in task_park_realtime() */
	bool no_new_privs;  /* [a] prctl: exec gives no privileges */
	u16 mempolicy;	    /* [c] as sys_numa.c keeps it; 0: the default */
	bool by_real_ids;   /* [c] in access(2): files are asked for by the real ids */
	bool exiting;	    /* [c] in task_exit(): nothing interrupts it any more */
	bool rested;	    /* [L:process] has come to rest in the present stop of the process */
	bool resting;	    /* [a] in task_stop(), not yet continued; changes under process lock */
	bool stop_taken;    /* [L:process] has taken a stop signal, and no SIGCONT came since */
	struct task_ptrace ptrace;
};

/* Who may look into a process. Source: PR_SET_DUMPABLE(2const). */
#define DUMPABLE_NO   0
#define DUMPABLE_USER 1

/* News of a process that its parent may still wait for. */
enum job_event { JOB_NONE, JOB_STOPPED, JOB_CONTINUED };

/* User addresses that exec lays out, for /proc and the signal trampoline. */
struct process_layout {
	u64 arg_start, arg_end, env_start, env_end;
	u64 start_code, end_code, start_data, end_data, start_brk, start_stack;
	u64 vdso;     /* base of the vDSO */
	u64 auxv[48]; /* as on the stack: type, value pairs to AT_NULL */
};

#define TIMER_SLACK_DEFAULT_NS 50000

#define OOM_SCORE_ADJ_MAX 1000
#define OOM_NEVER	  INT64_MIN
/*
 * How much would be had by killing `p`, in pages, with its adjustment: at least 1 for who may be killed at all, else OOM_NEVER. Under the
 * epoch.
 */
s64 process_oom_points(struct process *p);

/* CPU time in ticks of rdtime, and what else is counted for each task (usage.c). */
struct cpu_ticks {
	u64 run; /* user + system */
	u64 user;
	u64 voluntary, involuntary; /* context switches */
	u64 faults;
	struct io_counts io;
};

struct process {
	u32 refs;		/* [a] tasks + 1 until reaped */
	u32 pid;		/* [I] */
	u32 exit_signal;	/* [I] sent to the parent at exit; 0 none */
	bool kernel;		/* [I] pid 1: takes no signals */
	struct process *parent; /* [e] changes under both parents' child locks */
	u32 pgid;		/* [a] changes under lock (job.h) */
	u32 sid;		/* [a] changes under lock */
	struct mm *mm;		/* [L:lock] one reference, dropped when the last task leaves it */
	u32 nr_mm_tasks;	/* [a] tasks still in mm */
	struct cred *cred;	/* [e] those of the leading thread, a reference */
	struct file *exe;	/* [L:lock] program, a reference; NULL for pid 1 */
	struct abi_rlimit rlimits[RLIM_NLIMITS]; /* [L:lock], soft limits read as atomics */
	struct process_layout layout;		 /* [c] by exec */
	u64 start_ticks;			 /* [I] */

	struct spinlock lock;	  /* signals, tasks, exit */
	struct list tasks;	  /* [L:lock] */
	u32 nr_tasks;		  /* [a] changes under lock */
	bool group_exit;	  /* [L:lock] all must exit with exit_code */
	bool stopped;		  /* [a] by a stop signal; changes under lock */
	bool stop_told;		  /* [L:lock] the parent knows of this stop */
	bool continue_untold;	  /* [L:lock] the first task to run again tells the parent */
	int stop_signal;	  /* [L:lock] */
	u32 nr_rested;		  /* [L:lock] tasks that have come to rest in this stop */
	u32 nr_kept;		  /* [L:lock] exited, but the process waits for them: ptrace.h */
	struct task *dead_leader; /* [L:lock] has exited, traced; no reference */
	bool exec_raises; /* [L:lock] an exec is about to give it rights: nobody may attach */
	u32 forker;	  /* [I] the task that made it: whom PTRACE_TRACEME means */
	enum job_event job_event; /* [L:parent's child_lock] */
	u32 untied;    /* [a] the parent that kept its group from being orphaned has died (job.h) */
	bool did_exec; /* [a] since fork: setpgid by the parent is refused */
	bool zombie;   /* [a] all tasks have exited; changes under parent's child_lock */
	bool subreaper;		 /* [a] prctl: adopts orphans among its descendants */
	bool childless;		 /* [L:child_lock] has given its children away, and takes no more */
	bool reaped;		 /* [a] nobody waits for it any more; its number is free */
	u8 dumpable;		 /* [a] DUMPABLE_*, prctl */
	int parent_death_signal; /* [a] */
	s32 oom_score_adj; /* [a] per mille of all memory that it counts more when a victim is sought */
	s32 oom_score_adj_min;	   /* [a] what it may lower that to */
	u64 timer_slack_ns;	   /* [a] kept for prctl, timers here are exact */
	u32 membarrier_registered; /* [a] MEMBARRIER_CMD_REGISTER_* seen */
	int exit_code;		   /* [L:lock] wait status encoding */
	struct task *exec_task;	   /* [L:lock] waits for the others to exit */
	struct process_signals signals;
	struct wait_queue signal_queue;	  /* readers and watchers of signalfds */
	struct wait_queue exit_queue;	  /* watchers of pidfds */
	struct process_timers *timers;	  /* [a] NULL until the first is set; written under lock */
	bool timers_ended;		  /* [L:lock] no more are made */
	struct abi_rusage children_usage; /* [L:child_lock] of reaped children */
	struct cpu_ticks dead_ticks;	  /* [L:lock] of exited tasks */
	u64 peak_resident; /* [L:lock] pages, the most that any of its former spaces had */

	struct spinlock child_lock; /* children, their zombie flags, waiters */
	struct list children;	    /* [L:child_lock] */
	struct list sibling;	    /* [L:parent's child_lock] */
	struct list waiters;	    /* [L:child_lock] struct child_waiter of tasks in wait4 */
	struct list tracees;	    /* [L:child_lock] tasks that this process's tasks trace */
	struct epoch_node free_node;
};

static inline struct task *task_of(struct thread *t)
{
	return container_of(t, struct task, thread);
}

/* The running task; valid in user tasks and pid 1, not in other kernel threads. */
static inline struct task *task_current(void)
{
	return task_of(thread_current());
}

static inline struct process *process_current(void)
{
	return task_current()->process;
}

/* The user registers of `t`: the frame at the top of its kernel stack. */
static inline struct trap_frame *task_frame(struct task *t)
{
	return (struct trap_frame *)t->thread.kernel_sp - 1;
}

struct task *task_find(u32 tid);       /* under the epoch; NULL if none */
struct process *process_find(u32 pid); /* not yet reaped; under the epoch; NULL if none */
u32 task_next_pid(u32 after); /* smallest process id above `after`, 0 if none; under the epoch */
/*
 * The members of group `pgid` one after the other: begin with *pid = 0, which becomes the number of each. NULL: no more. Who joins or
 * leaves meanwhile may be missed. Context: under the epoch.
 */
struct process *process_group_next(u32 pgid, u32 *pid);
extern struct process *process_init; /* [I] pid 1 */

u32 process_pid(const struct process *p);
u32 process_ppid(const struct process *p); /* under the epoch; 0 for pid 1 */
/* The address space of the running process, and, with a reference, of any (NULL: it has none). */
struct mm *process_mm(struct process *p);
struct mm *process_mm_get(struct process *p);
void process_get(struct process *p);
/* For one found under the epoch; false: it is gone. */
bool process_get_found(struct process *p);
void process_put(struct process *p);

/* The descriptors of any task, with a reference; NULL: it has none any more. */
struct fd_table *task_files_get(struct task *t);
/* The running task goes over to `files` (takes the reference). May sleep. */
void task_set_files(struct fd_table *files);

/* Soft limit RLIMIT_x of the running process. Context: any. */
static inline u64 process_rlimit(struct process *p, u32 resource)
{
	return __atomic_load_n(&p->rlimits[resource].rlim_cur, __ATOMIC_RELAXED);
}

/* comm: at most 15 bytes are kept. Context: `t` is the running task, or does not run yet. */
void task_set_name(struct task *t, const char *name);

/* Context: process_cpu_ticks takes the process lock. */
void task_cpu_ticks(struct task *t, struct cpu_ticks *out);
void process_cpu_ticks(struct process *p, struct cpu_ticks *out);
void process_cpu_ticks_locked(struct process *p, struct cpu_ticks *out);

/* ---- clock.c ---- */

/* As park(), until CLOCK_REALTIME reaches `ns`; returns 0 also when that clock is set, so that the caller comes again. */
int task_park_realtime(u64 ns, u32 park_flags);
/* time_realtime_base has changed: tells everybody in task_park_realtime(). Context: may sleep. */
void task_clock_changed(void);

/* ---- life (clone.c, exit.c, exec.c, wait.c) ---- */
/*
 * As clone3 with checked size; a0-a3 of the result as Linux's. Returns the new tid or -errno.
 * Context: full frame.
 */
struct abi_clone_args;
long task_clone(const struct abi_clone_args *args);
/* Ends the current task, which was the last one or dies alone. `status` in wait encoding. */
__noreturn void task_exit(int status);
/* Ends the whole process with `status`. */
__noreturn void process_exit_group(int status);
/* Marks `p` as exiting with `status` and sends every task home. Context: p->lock held. */
void process_kill_locked(struct process *p, int status);

/*
 * Replaces the running program. argv and env are kernel copies (struct exec_args). On success the
 * frame at the top of the kernel stack starts the new program; the caller ends with
 * arch_return_to_user(). Errors before the old program is gone: -errno; after it: the process dies
 * by SIGKILL as on Linux.
 */
struct exec_args;
struct exec_source {
	const char *name;      /* what the program is told */
	const struct path *at; /* where the walk starts; NULL: working directory */
	const char *walk_name;
	u32 walk;	   /* WALK_* */
	struct file *file; /* that is open already, or NULL; exec_program() puts it */
};
int exec_program(const struct exec_source *source, struct exec_args *args);

/*
 * Waits for a child as `options` (WEXITED, WUNTRACED, WCONTINUED, WNOHANG, WNOWAIT, __W*) say. pid:
 * > 0 that one, -1 any, 0 own group, < -1 group -pid. Returns its pid, 0 (WNOHANG and none ready),
 * -ECHILD, -EINTR class. The child is reaped unless WNOWAIT. Context: may sleep.
 */
struct wait_result {
	u32 pid;
	u32 uid;
	int status; /* wait encoding */
	int code;   /* CLD_* */
	struct abi_rusage usage;
};
long process_wait(s64 pid, u32 options, struct wait_result *result);
void process_usage(struct process *p, struct abi_rusage *ru);
void task_usage(struct task *t, struct abi_rusage *ru);

/*
 * Upper layers hook into the exit of a task (kernel/futex: robust list, clear_child_tid), in the
 * live address space.
 */
struct task_exit_ops {
	void (*exit)(struct task *t);
};
extern struct task_exit_ops task_exit_ops; /* filled by kernel/futex before the first task runs */

/* Semaphore undo lists are a layer above (kernel/ipc). NULL: nothing to do. */
struct task_ipc_ops {
	int (*clone)(struct task *child, u64 flags); /* 0 or -ENOMEM; undone by exit() */
	void (*unshare)(struct task *t); /* its adjustments are made, if it is the last */
	void (*exit)(struct task *t);	 /* has left its address space */
};
extern struct task_ipc_ops task_ipc_ops; /* filled by kernel/ipc before the first task runs */

/* Controlling terminals are a layer above (kernel/tty). NULL: nothing to do. */
struct task_tty_ops {
	void (*program_start)(void);		/* the first program's task, before its exec */
	void (*leader_exit)(struct process *p); /* the last task of a session leader has gone */
};
extern struct task_tty_ops task_tty_ops; /* filled by kernel/tty before the first task runs */

/* Caches; AT_HWCAP from the device tree's ISA string. Before task_start_init. */
void task_init(const char *isa);
/*
 * Starts pid 1 (kernel thread "init"), which execs /etc/stellar/argv, reaps, and powers off with
 * its status.
 */
void task_start_init(void);

/* For kernel/trap, with a full frame: signals, kill and stop before the return to user mode. */
void task_exit_work(struct trap_frame *frame);
/* Behind an exception or interrupt of user mode: was the task switched out since the last one? */
void task_note_switches(struct task *t);
/* And an exception of user mode: page fault, or a signal. */
void task_fault(struct trap_frame *frame);

#endif
