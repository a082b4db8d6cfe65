/*
 * clone flags, scheduling policies and the structures of clone3 and sched_setattr.
 */
#ifndef ABI_SCHED_H
#define ABI_SCHED_H

#include "lib/types.h"

#define CSIGNAL		     0x000000ffUL
#define CLONE_NEWTIME	     0x00000080UL
#define CLONE_VM	     0x00000100UL
#define CLONE_FS	     0x00000200UL
#define CLONE_FILES	     0x00000400UL
#define CLONE_SIGHAND	     0x00000800UL
#define CLONE_PIDFD	     0x00001000UL
#define CLONE_PTRACE	     0x00002000UL
#define CLONE_VFORK	     0x00004000UL
#define CLONE_PARENT	     0x00008000UL
#define CLONE_THREAD	     0x00010000UL
#define CLONE_NEWNS	     0x00020000UL
#define CLONE_SYSVSEM	     0x00040000UL
#define CLONE_SETTLS	     0x00080000UL
#define CLONE_PARENT_SETTID  0x00100000UL
#define CLONE_CHILD_CLEARTID 0x00200000UL
#define CLONE_DETACHED	     0x00400000UL
#define CLONE_UNTRACED	     0x00800000UL
#define CLONE_CHILD_SETTID   0x01000000UL
#define CLONE_NEWCGROUP	     0x02000000UL
#define CLONE_NEWUTS	     0x04000000UL
#define CLONE_NEWIPC	     0x08000000UL
#define CLONE_NEWUSER	     0x10000000UL
#define CLONE_NEWPID	     0x20000000UL
#define CLONE_NEWNET	     0x40000000UL
#define CLONE_IO	     0x80000000UL
#define CLONE_CLEAR_SIGHAND  0x100000000UL
#define CLONE_INTO_CGROUP    0x200000000UL

struct abi_clone_args {
	u64 flags;
	u64 pidfd;
	u64 child_tid;
	u64 parent_tid;
	u64 exit_signal;
	u64 stack;
	u64 stack_size;
	u64 tls;
	u64 set_tid;
	u64 set_tid_size;
	u64 cgroup;
};
static_assert(sizeof(struct abi_clone_args) == 88, "struct clone_args");
#define CLONE_ARGS_SIZE_VER0 64

#define SCHED_OTHER	    0
#define SCHED_FIFO	    1
#define SCHED_RR	    2
#define SCHED_BATCH	    3
#define SCHED_IDLE	    5
#define SCHED_DEADLINE	    6
#define SCHED_RESET_ON_FORK 0x40000000

struct abi_sched_param {
	s32 sched_priority;
};

struct abi_sched_attr {
	u32 size;
	u32 sched_policy;
	u64 sched_flags;
	s32 sched_nice;
	u32 sched_priority;
	u64 sched_runtime;
	u64 sched_deadline;
	u64 sched_period;
	u32 sched_util_min;
	u32 sched_util_max;
};
static_assert(sizeof(struct abi_sched_attr) == 56, "struct sched_attr");
#define SCHED_ATTR_SIZE_VER0	 48
#define SCHED_FLAG_RESET_ON_FORK 1
#define SCHED_FLAG_RECLAIM	 2
#define SCHED_FLAG_DL_OVERRUN	 4
#define SCHED_FLAG_KEEP_POLICY	 8
#define SCHED_FLAG_KEEP_PARAMS	 16
#define SCHED_FLAG_UTIL_CLAMP	 (32 | 64)

/* Wait options and the encoding of a wait status. */
#define WNOHANG	    0x00000001
#define WUNTRACED   0x00000002
#define WSTOPPED    WUNTRACED
#define WEXITED	    0x00000004
#define WCONTINUED  0x00000008
#define WNOWAIT	    0x01000000
#define __WNOTHREAD 0x20000000
#define __WALL	    0x40000000
#define __WCLONE    0x80000000
#define P_ALL	    0
#define P_PID	    1
#define P_PGID	    2
#define P_PIDFD	    3

#endif
