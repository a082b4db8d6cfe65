/*
 * System calls: syscalls.def is the one list. From it come the prototypes below, the dispatch
 * table, the names for the trace and the log, and the support table in README (tools/syscalls).
 *
 * A handler takes six u64 and returns a value or -errno; it narrows its own arguments (`int fd =
 * (int)a0`), as Linux's do. It may return -ERESTART* only after a park ended by -EINTR, that is
 * while THREAD_WORK_SIGNAL, _STOP or _KILL is set: the exit work turns the code into a restart or
 * EINTR.
 */
#ifndef KERNEL_SYSCALL_SYSCALL_H
#define KERNEL_SYSCALL_SYSCALL_H

#include "arch/riscv64/trap_frame.h"
#include "kernel/syscall/syscall_nr.h"
#include "lib/types.h"

#define SYSCALL_ARGS                                                                               \
	__attribute__((unused)) u64 a0, __attribute__((unused)) u64 a1,                            \
		__attribute__((unused)) u64 a2, __attribute__((unused)) u64 a3,                    \
		__attribute__((unused)) u64 a4, __attribute__((unused)) u64 a5

typedef long (*syscall_fn)(SYSCALL_ARGS);

#define SYSCALL(nr, name, nr_args, note)      long sys_##name(SYSCALL_ARGS);
#define SYSCALL_FULL(nr, name, nr_args, note) long sys_##name(SYSCALL_ARGS);
#include "kernel/syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_FULL

/* Entry.S calls handlers straight from here; holes hold sys_unknown. */
extern const syscall_fn syscall_table[SYSCALL_TABLE_SIZE];

/*
 * A number that is not in syscalls.def, also one beyond the table. Counts it, names it once in the
 * log: -ENOSYS.
 */
long sys_unknown(SYSCALL_ARGS);

/*
 * Instead of the table while an event of system calls, or `sample`, is on: records, calls, records. Returns the result.
 * Context: full frame.
 */
long syscall_traced(struct trap_frame *frame);

/*
 * Instead of the table for a task that is traced: stops at the entry and the exit if its tracer wants that, which may change number, result
 * and registers. The result is in the frame. Context: full frame.
 */
void syscall_ptraced(struct trap_frame *frame);

/* Name of system call `nr`, or NULL if the kernel does not have it. */
const char *syscall_name(u64 nr);

/*
 * Calls so far, over all harts, of the missing system call `nr` (beyond the table: all of those
 * together).
 */
u64 syscall_unknown_count(u64 nr);

#endif
