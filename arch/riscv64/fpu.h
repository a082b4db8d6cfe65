/*
 * Floating-point state. FS is Off when a thread is switched in; its first floating-point instruction traps, the state is
 * restored then, and dirty state is saved at switch-out: never left on another hart. A thread without floating point pays one load;
 * one that used it in its last runs gets it at switch-in.
 */
#ifndef ARCH_RISCV64_FPU_H
#define ARCH_RISCV64_FPU_H

#include "lib/types.h"

struct fp_state {
	u64 f[32];
	u32 fcsr;
	u8 live; /* [c] the registers of this hart hold it now */
	u8 uses; /* [c] how many of the last switches-in used it: above FPU_EAGER it is restored at once */
};

#define FPU_EAGER 1

/* From an illegal-instruction trap: true if FS was Off and is now on with `fp` loaded: retry the instruction. */
bool fpu_enable(struct fp_state *fp);
/* At switch-in of a thread that has used it lately: the trap of the first instruction goes through the firmware. */
static inline bool fpu_wanted(const struct fp_state *fp)
{
	return fp->uses > FPU_EAGER;
}
void fpu_restore(struct fp_state *fp);
/* Save if dirty and turn FS off. At switch-out, and before the state is read or replaced (signals, clone). */
void fpu_save(struct fp_state *fp);

#endif
