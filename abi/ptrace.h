/*
 * ptrace: requests, options, events and what they copy, as Linux/riscv64 has them. Source: ptrace(2), linux/ptrace.h,
 * linux/elf.h.
 */
#ifndef ABI_PTRACE_H
#define ABI_PTRACE_H

#include "lib/types.h"

#define PTRACE_TRACEME		0
#define PTRACE_PEEKTEXT		1
#define PTRACE_PEEKDATA		2
#define PTRACE_POKETEXT		4
#define PTRACE_POKEDATA		5
#define PTRACE_CONT		7
#define PTRACE_KILL		8
#define PTRACE_ATTACH		16
#define PTRACE_DETACH		17
#define PTRACE_SYSCALL		24
#define PTRACE_SETOPTIONS	0x4200
#define PTRACE_GETEVENTMSG	0x4201
#define PTRACE_GETSIGINFO	0x4202
#define PTRACE_SETSIGINFO	0x4203
#define PTRACE_GETREGSET	0x4204
#define PTRACE_SETREGSET	0x4205
#define PTRACE_SEIZE		0x4206
#define PTRACE_INTERRUPT	0x4207
#define PTRACE_LISTEN		0x4208
#define PTRACE_PEEKSIGINFO	0x4209
#define PTRACE_GETSIGMASK	0x420a
#define PTRACE_SETSIGMASK	0x420b
#define PTRACE_GET_SYSCALL_INFO 0x420e

#define PTRACE_O_TRACESYSGOOD	0x00000001
#define PTRACE_O_TRACEFORK	0x00000002
#define PTRACE_O_TRACEVFORK	0x00000004
#define PTRACE_O_TRACECLONE	0x00000008
#define PTRACE_O_TRACEEXEC	0x00000010
#define PTRACE_O_TRACEVFORKDONE 0x00000020
#define PTRACE_O_TRACEEXIT	0x00000040
#define PTRACE_O_TRACESECCOMP	0x00000080
#define PTRACE_O_EXITKILL	0x00100000

/* Bit of the option that asks for it: PTRACE_O_* = 1 << event. */
#define PTRACE_EVENT_FORK	1
#define PTRACE_EVENT_VFORK	2
#define PTRACE_EVENT_CLONE	3
#define PTRACE_EVENT_EXEC	4
#define PTRACE_EVENT_VFORK_DONE 5
#define PTRACE_EVENT_EXIT	6
#define PTRACE_EVENT_STOP	128

#define PTRACE_EVENTMSG_SYSCALL_ENTRY 1
#define PTRACE_EVENTMSG_SYSCALL_EXIT  2

#define PTRACE_SYSCALL_INFO_NONE  0
#define PTRACE_SYSCALL_INFO_ENTRY 1
#define PTRACE_SYSCALL_INFO_EXIT  2

#define AUDIT_ARCH_RISCV64 0xc00000f3

struct abi_ptrace_syscall_info {
	u8 op; /* PTRACE_SYSCALL_INFO_* */
	u8 pad[3];
	u32 arch;
	u64 instruction_pointer;
	u64 stack_pointer;
	union {
		struct {
			u64 nr;
			u64 args[6];
		} entry;
		struct {
			s64 rval;
			u8 is_error;
		} exit;
		u8 seccomp[64]; /* the largest */
	};
};
static_assert(sizeof(struct abi_ptrace_syscall_info) == 88, "struct ptrace_syscall_info");

#define PTRACE_PEEKSIGINFO_SHARED 1

struct abi_ptrace_peeksiginfo_args {
	u64 off;
	u32 flags; /* PTRACE_PEEKSIGINFO_* */
	s32 nr;
};

/* Sets of registers: the types of notes. */
#define NT_PRSTATUS	1
#define NT_PRFPREG	2
#define NT_RISCV_VECTOR 0x901

/* In front of the vector registers of NT_RISCV_VECTOR. */
struct abi_vector_regset {
	u64 vstart, vl, vtype, vcsr, vlenb;
};

#endif
