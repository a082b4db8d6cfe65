/*
 * The system-call table. Entry.S checks whether calls are traced and the bound, then calls the handler with
 * the user's a0-a5 still in their registers: no clock, no counter, no lock on that path. Holes hold
 * sys_unknown, so it needs no check for them.
 */
#include "kernel/syscall/syscall.h"

#include "abi/errno.h"
#include "arch/riscv64/entry.h"
#include "kernel/log/log.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/task.h"
#include "kernel/trace/sample.h"

/* The holes come first and are overridden; a stub passes its arguments through to a handler. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#pragma GCC diagnostic ignored "-Wcast-function-type"
const syscall_fn syscall_table[SYSCALL_TABLE_SIZE] = {
	[0 ... SYSCALL_TABLE_SIZE - 1] = sys_unknown,
#define SYSCALL(nr, name, nr_args, note)      [nr] = sys_##name,
#define SYSCALL_FULL(nr, name, nr_args, note) [nr] = (syscall_fn)sys_##name##_stub,
#include "kernel/syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_FULL
};
#pragma GCC diagnostic pop

static const char *const syscall_names[SYSCALL_TABLE_SIZE] = {
#define SYSCALL(nr, name, nr_args, note)      [nr] = #name,
#define SYSCALL_FULL(nr, name, nr_args, note) [nr] = #name,
#include "kernel/syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_FULL
};

/* [a] the last one for numbers beyond the table */
static u32 unknown_counts[SYSCALL_TABLE_SIZE + 1];

long sys_unknown(SYSCALL_ARGS)
{
	u64 nr = task_frame(task_current())->a7;
	u64 slot = MIN(nr, (u64)SYSCALL_TABLE_SIZE);

	if (atomic_fetch_add_relaxed(&unknown_counts[slot], 1) == 0)
		klog(KLOG_INFO, "system call %lu is not implemented (first used by %s)\n",
		     (unsigned long)nr, thread_current()->name);
	return -ENOSYS;
}

u64 syscall_unknown_count(u64 nr)
{
	return atomic_load_relaxed(&unknown_counts[MIN(nr, (u64)SYSCALL_TABLE_SIZE)]);
}

/*
 * The C handler: a stub would take s0-s11 for the user's, but here they are this function's, and
 * the frame is full already.
 */
static syscall_fn syscall_handler(u64 nr)
{
	switch (nr) {
#define SYSCALL(nr, name, nr_args, note)
#define SYSCALL_FULL(nr, name, nr_args, note)                                                      \
	case nr:                                                                                   \
		return sys_##name;
#include "kernel/syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_FULL
	default:
		return nr < SYSCALL_TABLE_SIZE ? syscall_table[nr] : sys_unknown;
	}
}

static const u8 syscall_arity[SYSCALL_TABLE_SIZE] = {
#define SYSCALL(nr, name, nr_args, note)      [nr] = nr_args,
#define SYSCALL_FULL(nr, name, nr_args, note) [nr] = nr_args,
#include "kernel/syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_FULL
};

static_assert(TRACE_KEY_ENTRY == 0, "entry.S looks at the first key");

static __hot void syscall_trace_enter(const struct trap_frame *frame, u64 nr)
{
	const u64 args[] = {frame->a0, frame->a1, frame->a2, frame->a3, frame->a4, frame->a5};
	u32 arity = nr < SYSCALL_TABLE_SIZE ? syscall_arity[nr] : ARRAY_SIZE(args);

	for (u32 i = 0; i < arity; i++)
		if ((s64)(args[i] << (64 - TRACE_X_BITS)) >> (64 - TRACE_X_BITS) != (s64)args[i])
			trace_sys_wide((u8)i, args[i]);
	if (arity > 3)
		trace_sys_args(args[3], args[4], args[5]);
	trace_sys_enter((u16)nr, args[0], args[1], args[2]);
}

long syscall_traced(struct trap_frame *frame)
{
	u64 nr = frame->a7;
	syscall_fn fn = syscall_handler(nr);
	long ret;

	if (trace_enabled(sys_enter))
		syscall_trace_enter(frame, nr);
	sample_enter();
	ret = fn(frame->a0, frame->a1, frame->a2, frame->a3, frame->a4, frame->a5);
	sample_leave();
	trace_sys_exit((u16)nr, (u64)ret);
	return ret;
}

void syscall_ptraced(struct trap_frame *frame)
{
	long ret;

	if (ptrace_syscall_enter(frame)) {
		/* The first argument is where no tracer reaches. */
		ret = (long)frame->a0;
		frame->a0 = frame->orig_a0;
		if (frame->a7 < SYSCALL_TABLE_SIZE)
			ret = syscall_traced(frame);
		else
			(void)sys_unknown(0, 0, 0, 0, 0, 0);
		frame->a0 = (u64)ret;
	}
	ptrace_syscall_exit();
}

const char *syscall_name(u64 nr)
{
	return nr < SYSCALL_TABLE_SIZE ? syscall_names[nr] : NULL;
}
