/*
 * Floating-point state. FS is Off when a thread is switched in; its first floating-point instruction traps, the state is
 * restored then, and saved at switch-out: never left on another hart. A thread without floating point pays one load. The trap goes through the
 * firmware, so a thread that has taken it gets its state at its next FPU_EAGER switches-in without.
 *
 * FS is Off or Dirty, never Initial or Clean: QEMU translates code anew for each value that FS has while it runs, the kernel's too, so a third
 * value would cost each first pass through the kernel once more. Programs that bind functions when they first call them use the registers there.
 */
#ifndef ARCH_RISCV64_FPU_H
#define ARCH_RISCV64_FPU_H

#include "lib/types.h"

struct trap_frame;
struct vector_state;

/* What the registers of this hart hold now. */
#define FPU_LIVE    1
#define VECTOR_LIVE 2

struct fp_state {
	u64 f[32];
	u32 fcsr;
	u8 live;  /* [c] FPU_LIVE, VECTOR_LIVE */
	u8 eager; /* [c] switches-in at which floating point is still to be restored at once */
	struct vector_state *vector; /* [c] NULL: no vector used since exec (vector.h) */
};

#define FPU_EAGER 128

/* From an illegal-instruction trap: true if FS was Off and is now on with `fp` loaded: retry the instruction. */
bool fpu_enable(struct fp_state *fp);
/* At switch-in: true if fpu_restore() shall follow. */
static inline bool fpu_wanted(const struct fp_state *fp)
{
	return fp->eager;
}
void fpu_restore(struct fp_state *fp);
/* If on, save and turn FS off. Before the state is read or replaced (signals, clone). */
void fpu_save(struct fp_state *fp);
/* At switch-out of a thread with live registers of either unit; `frame` is what it entered the kernel with. */
void fpu_leave(struct fp_state *fp, const struct trap_frame *frame);

#endif
