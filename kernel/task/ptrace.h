/*
 * Tasks that trace tasks: strace, gdb. The tracer is a task, the tracee is another process's; each stop of a tracee is told to the
 * tracer by wait and SIGCHLD, and while it rests the tracer's requests read and change it.
 *
 * Locks. The tracees of all tasks of a process are one list under that process's child_lock, as its children are. A tracee's `tracer`
 * changes under that lock and the lock of the tracee's process, so either is enough to read it; what else is in struct task_ptrace lies
 * under the latter. Order: child_lock of the tracer's process < lock of the tracee's process, and never two child_locks. A tracee that
 * wants to tell its tracer locks and looks again, as a child does its parent (ptrace_lock_tracer()).
 *
 * The link is a reference on the tracee, none on the tracer: a tracer that exits unlinks all its tracees before it goes.
 *
 * States: RUNS -> STOPPED by the tracee; STOPPED -> HELD -> STOPPED or RUNS by a request; STOPPED -> LISTENS by PTRACE_LISTEN; STOPPED,
 * LISTENS -> RUNS by whoever unlinks, by the trap that ends the listening, and by the tracee when it is killed. A tracee that is HELD
 * stays, even if it is killed: its frame, on its kernel stack, is being read.
 *
 *     tracee                                        tracer
 *     lock tracer's child_lock, own lock
 *     state = STOPPED, code = why                   wait: lock child_lock, queue on waiters
 *     unlock own lock                                     look at the tracees: a code? take it
 *     SIGCHLD, unpark who is on waiters             unlock; park
 *     unlock child_lock                             request: lock, STOPPED and not killed -> HELD, unlock
 *     while (state != RUNS) park                      read and write registers, memory
 *                                                   lock, code = signal, HELD -> RUNS, unlock; unpark
 *
 *     sender of SIGKILL: lock; work |= KILL; unlock; unpark
 *     tracee, woken: lock; KILL and not HELD -> RUNS; unlock. If HELD: parks until the request's end unparks it.
 *
 * Were it not HELD it could exit between the tracer's look at its state and the read of its frame, whose stack is then another's.
 *
 * A tracee that exits before its tracer has seen that: a thread other than the leader is DEAD and counted in its process's nr_kept,
 * which holds up the process's end and an exec, until a wait takes it. Of a leader's end the tracer is told when all the process has gone,
 * and the parent, if it is another process, after the tracer.
 *
 * Cost: nothing where nobody traces. A traced thread enters the kernel by another way (arch/riscv64/entry.S).
 *
 * Source: ptrace(2).
 */
#ifndef KERNEL_TASK_PTRACE_H
#define KERNEL_TASK_PTRACE_H

#include "lib/types.h"

struct abi_ptrace_syscall_info;
struct abi_siginfo;
struct process;
struct task;
struct trap_frame;

/* Demands to stop, besides signals. A stop for whatever reason meets the first and the last. */
#define TRACEE_TRAP_STOP   BIT(0) /* PTRACE_INTERRUPT, a stop of the process, a new tracee by SEIZE */
#define TRACEE_TRAP_NOTIFY BIT(1) /* of a seized one: the process has stopped or goes on */
#define TRACEE_TRAP_ATTACH                                                                         \
	BIT(2) /* the tracer waits until it has gone over from a stop of the process */

/* ---- ptrace.c: who traces whom ---- */
/* PTRACE_TRACEME: 0 or -EPERM. */
long ptrace_traceme(void);
/* PTRACE_ATTACH, PTRACE_SEIZE with checked options. 0, -ESRCH, -EPERM, -ERESTARTNOINTR. May sleep. */
long ptrace_attach(u32 tid, bool seize, u32 options);
/* A new task of the running one, not yet started, gets the same tracer. */
void ptrace_inherit(struct task *child);
/* The process of the tracer of `t` with its child_lock held, or NULL: nobody traces it. */
struct process *ptrace_lock_tracer(struct task *t);
/*
 * The end of tracing: a tracee that rests goes on, into the stop of its process if there is one. Context: child_lock of the tracer's process
 * and the lock of the tracee's; thread_put() is owed.
 */
void ptrace_unlink_locked(struct task *t);
/* The running task, which is in no list of tasks any more, traces nobody from now on. Context: no lock. */
void ptrace_tracer_exit(struct task *self);
/* Would an exec that raises rights be in the hands of a tracer without them? Context: the task's process lock. */
bool ptrace_unsafe_locked(const struct task *t);
/* The number of the tracer of `t`, or 0. Context: under the epoch. */
u32 ptrace_tracer_tid(const struct task *t);
bool ptrace_is_stopped(const struct task *t); /* state t of proc_pid_stat(5) */

/* ---- ptrace_stop.c: the stops; all of the running task, without locks, may sleep ---- */
/*
 * Stops and tells the tracer. Returns the signal to go on with, or `otherwise` if there is no stop: no tracer, or a fatal signal.
 * info: may be changed by the tracer; NULL: none.
 */
int ptrace_stop(u32 code, int why, u64 message, struct abi_siginfo *info, int otherwise);
/* A stop by the kernel itself: SIGTRAP with `code`. */
int ptrace_notify(u32 code, u64 message);
/* PTRACE_EVENT_*, if the tracer wants it. */
void ptrace_event(u32 event, u64 message);
void ptrace_event_exec(u32 old_tid);
void ptrace_event_exit(int status);
/* Does a clone with these arguments make an event, and which? 0: none. */
u32 ptrace_clone_event(u64 flags, u64 exit_signal);
/* Meets a demand of TRACEE_TRAP_*. False: there is none. */
bool ptrace_trap(struct task *t);
/* A signal on its way to the running task: what the tracer makes of it, in *info; false: nothing. */
bool ptrace_signal(struct task *t, struct abi_siginfo *info);
/* For a seized `t`: it is to tell how its process is now. Context: its process's lock. */
void ptrace_notify_job_locked(struct task *t);

/* ---- ptrace_syscall.c: stops at system calls ---- */
/* False: the call is not to be made. */
bool ptrace_syscall_enter(struct trap_frame *frame);
void ptrace_syscall_exit(void);
/* What a tracee, which is held, is stopped at; bytes that count. */
u32 ptrace_syscall_info(struct task *t, struct abi_ptrace_syscall_info *info);

/* ---- ptrace_request.c ---- */
/*
 * Finds a tracee of the running task; a reference. Unless `any` it rests, and is held from now on. -ESRCH as an error pointer.
 */
struct task *ptrace_get(u32 tid, bool any);
/* The end of a request that leaves it where it is, and that lets it run, with `signal` or none. */
void ptrace_release(struct task *t);
void ptrace_resume(struct task *t, u32 signal, bool calls);
void ptrace_detach(struct task *t, u32 signal);
/* PTRACE_LISTEN of a held one (0 or -EIO); PTRACE_INTERRUPT of any. */
long ptrace_listen(struct task *t);
long ptrace_interrupt(struct task *t);
/* The signal of the stop: 0 or -EINVAL. Which and what is pending at index `i`: false if nothing is. */
int ptrace_siginfo(struct task *t, struct abi_siginfo *info, bool set);
bool ptrace_peek_pending(struct task *t, bool shared, u64 i, struct abi_siginfo *info);
u64 ptrace_sigmask(struct task *t);
void ptrace_set_sigmask(struct task *t, u64 mask);
void ptrace_set_options(struct task *t, u32 options);
u64 ptrace_message(struct task *t);

/* ---- ptrace_regs.c ---- */
/*
 * Reads or writes, by kernel memory, the set of registers `type` of a tracee that is held. The size of the set limits *len. 0 or
 * -EINVAL.
 */
long ptrace_regset_size(struct task *t, u64 type, u32 *unit);
void ptrace_regset_read(struct task *t, u64 type, void *buf);
long ptrace_regset_write(struct task *t, u64 type, const void *buf, u64 len);

#endif
