/*
 * Signal numbers, siginfo and the frame that a handler finds on its stack, as Linux/riscv64 lays
 * them out.
 */
#ifndef ABI_SIGNAL_H
#define ABI_SIGNAL_H

#include "lib/types.h"

#define SIGHUP	  1
#define SIGINT	  2
#define SIGQUIT	  3
#define SIGILL	  4
#define SIGTRAP	  5
#define SIGABRT	  6
#define SIGBUS	  7
#define SIGFPE	  8
#define SIGKILL	  9
#define SIGUSR1	  10
#define SIGSEGV	  11
#define SIGUSR2	  12
#define SIGPIPE	  13
#define SIGALRM	  14
#define SIGTERM	  15
#define SIGSTKFLT 16
#define SIGCHLD	  17
#define SIGCONT	  18
#define SIGSTOP	  19
#define SIGTSTP	  20
#define SIGTTIN	  21
#define SIGTTOU	  22
#define SIGURG	  23
#define SIGXCPU	  24
#define SIGXFSZ	  25
#define SIGVTALRM 26
#define SIGPROF	  27
#define SIGWINCH  28
#define SIGIO	  29
#define SIGPWR	  30
#define SIGSYS	  31
#define SIGRTMIN  32
#define NSIG	  64

#define SIG_DFL 0
#define SIG_IGN 1

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define SA_NOCLDSTOP	  0x00000001UL
#define SA_NOCLDWAIT	  0x00000002UL
#define SA_SIGINFO	  0x00000004UL
#define SA_UNSUPPORTED	  0x00000400UL
#define SA_EXPOSE_TAGBITS 0x00000800UL
#define SA_ONSTACK	  0x08000000UL
#define SA_RESTART	  0x10000000UL
#define SA_NODEFER	  0x40000000UL
#define SA_RESETHAND	  0x80000000UL

#define SS_ONSTACK    1
#define SS_DISABLE    2
#define SS_AUTODISARM 0x80000000U

#define MINSIGSTKSZ 2048

/* si_code of signals that a process sent, and of faults. */
#define SI_USER	   0
#define SI_KERNEL  0x80
#define SI_QUEUE   -1
#define SI_TIMER   -2
#define SI_MESGQ   -3
#define SI_ASYNCIO -4
#define SI_SIGIO   -5
#define SI_TKILL   -6

#define ILL_ILLOPC    1
#define FPE_INTDIV    1
#define SEGV_MAPERR   1
#define SEGV_ACCERR   2
#define BUS_ADRALN    1
#define BUS_ADRERR    2
#define TRAP_BRKPT    1
#define POLL_IN	      1
#define POLL_OUT      2
#define POLL_MSG      3
#define POLL_ERR      4
#define POLL_PRI      5
#define POLL_HUP      6
#define CLD_EXITED    1
#define CLD_KILLED    2
#define CLD_DUMPED    3
#define CLD_TRAPPED   4
#define CLD_STOPPED   5
#define CLD_CONTINUED 6

/* The kernel's struct sigaction: no restorer on riscv64, the vDSO has the trampoline. */
struct abi_sigaction {
	u64 sa_handler;
	u64 sa_flags;
	u64 sa_mask;
};
static_assert(sizeof(struct abi_sigaction) == 24, "struct kernel_sigaction");

struct abi_stack {
	u64 ss_sp;
	s32 ss_flags;
	u32 pad;
	u64 ss_size;
};
static_assert(sizeof(struct abi_stack) == 24, "stack_t");

struct abi_siginfo {
	s32 si_signo;
	s32 si_errno;
	s32 si_code;
	s32 pad;
	union {
		struct {
			s32 si_pid;
			u32 si_uid;
			u64 si_value;
		};
		struct {
			s32 si_tid;
			s32 si_overrun;
			u64 si_timer_value;
		};
		struct {
			s32 si_child_pid;
			u32 si_child_uid;
			s32 si_status;
			s32 pad2;
			s64 si_utime;
			s64 si_stime;
		};
		struct {
			u64 si_addr;
			s16 si_addr_lsb;
		};
		struct {
			s64 si_band;
			s32 si_fd;
		};
		u8 fields[112];
	};
};
static_assert(sizeof(struct abi_siginfo) == 128, "siginfo_t");
static_assert(offsetof(struct abi_siginfo, si_value) == 24, "siginfo_t");

#define SIGEV_SIGNAL	0
#define SIGEV_NONE	1
#define SIGEV_THREAD	2
#define SIGEV_THREAD_ID 4

struct abi_sigevent {
	u64 sigev_value;
	s32 sigev_signo;
	s32 sigev_notify;
	s32 sigev_thread_id;
	u8 pad[44];
};
static_assert(sizeof(struct abi_sigevent) == 64, "struct sigevent");

/*
 * Floating-point state: D registers and fcsr; the union leaves room for Q and the extension
 * records.
 */
struct abi_fp_state {
	u64 f[32];
	u32 fcsr;
	u32 pad;
};
static_assert(sizeof(struct abi_fp_state) == 264, "struct __riscv_d_ext_state");

/* Of the extension records behind the floating-point state; the last has magic and size 0. `size` counts the header too. */
struct abi_ext_header {
	u32 magic;
	u32 size;
};

#define RISCV_V_MAGIC 0x53465457

/* Linux's struct __riscv_v_ext_state behind its header; the registers come next. */
struct abi_vector_record {
	struct abi_ext_header header;
	u64 vstart, vl, vtype, vcsr, vlenb;
	u64 registers; /* user address */
};
static_assert(sizeof(struct abi_vector_record) == 56, "struct __sc_riscv_v_state");

/*
 * General registers in the order of struct user_regs_struct: pc, ra, sp, gp, tp, t0-2, s0-1, a0-7,
 * s2-11, t3-6.
 */
struct abi_sigcontext {
	u64 regs[32];
	union {
		struct abi_fp_state fp;
		struct {
			u64 q[64];
			u32 fcsr;
			u32 reserved;
			struct abi_ext_header records;
		};
	} __attribute__((aligned(16)));
};
static_assert(sizeof(struct abi_sigcontext) == 784, "struct sigcontext");
static_assert(offsetof(struct abi_sigcontext, records) == 256 + 520, "struct sigcontext");

struct abi_ucontext {
	u64 uc_flags;
	u64 uc_link;
	struct abi_stack uc_stack;
	u64 uc_sigmask;
	u8 unused[1024 / 8 - 8];
	struct abi_sigcontext uc_mcontext;
};
static_assert(offsetof(struct abi_ucontext, uc_mcontext) == 176, "struct ucontext");
static_assert(sizeof(struct abi_ucontext) == 960, "struct ucontext");

struct abi_rt_sigframe {
	struct abi_siginfo info;
	struct abi_ucontext uc;
};

#endif
