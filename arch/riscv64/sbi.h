/*
 * Supervisor Binary Interface calls that the kernel uses. An ecall to M-mode costs about 1 us, more when it sends
 * interrupts: none on a hot path. Source: RISC-V SBI specification 2.0.
 */
#ifndef ARCH_RISCV64_SBI_H
#define ARCH_RISCV64_SBI_H

#include "lib/types.h"

struct sbi_ret {
	long error; /* 0 or a negative SBI_ERR_* */
	long value;
};

#define SBI_ERR_ALREADY_AVAILABLE (-6)

#define SBI_HART_STARTED 0
#define SBI_HART_STOPPED 1

struct sbi_ret sbi_call(u64 ext, u64 fn, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4);

/* What the maker says of the hart that asks, as the CSRs of the same name. */
u64 sbi_mvendorid(void);
u64 sbi_marchid(void);
u64 sbi_mimpid(void);

/* Starts `hartid` at physical address `entry` with a1 = opaque. */
long sbi_hart_start(u64 hartid, u64 entry, u64 opaque);
long sbi_hart_status(u64 hartid); /* SBI_HART_* or negative */
void sbi_set_timer(u64 deadline); /* only where Sstc is missing */
void sbi_shutdown(void);

/* `cpus`: dense cpu ids; harts are addressed in as few calls as their ids allow (one for ids below 64). */
void sbi_send_ipi(u64 cpus);
/* Flushes all translations of those harts and waits; served in M-mode, so interrupts-off targets answer. */
void sbi_remote_sfence(u64 cpus);

#endif
