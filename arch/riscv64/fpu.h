/*
 * Floating-point state. FS is Off when a thread is switched in; its first floating-point instruction traps, the state is
 * restored then, and dirty state is saved at switch-out: never left on another hart. A thread without floating point pays one load.
 */
#ifndef ARCH_RISCV64_FPU_H
#define ARCH_RISCV64_FPU_H

#include "lib/types.h"

struct fp_state {
	u64 f[32];
	u32 fcsr;
	u32 live; /* [c] the registers of this hart hold it now */
};

/* From an illegal-instruction trap: true if FS was Off and is now on with `fp` loaded: retry the instruction. */
bool fpu_enable(struct fp_state *fp);
/* Save if dirty and turn FS off. At switch-out, and before the state is read or replaced (signals, clone). */
void fpu_save(struct fp_state *fp);

#endif
