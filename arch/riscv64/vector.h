/*
 * The vector unit. VS is Off or Dirty in kernel and programs alike, for the reason that fpu.h gives for FS; QEMU also translates anew for each
 * value of vtype, so whenever VS goes off vtype is made invalid, as it is after reset: a program with vectors then leaves nothing behind that
 * makes a hart translate the kernel or another program once more.
 *
 * A thread's vector state is in one of three places: in the registers of its hart, in its struct vector_state, or nowhere: a system call has
 * taken it. Linux fills the registers with ones then and makes vtype invalid; what a program finds is that, whether they were filled in place
 * or the thread was switched out meanwhile. vcsr is kept.
 *
 * Cost: none for who never used a vector: the switch tests one word for both units (fpu.h), and no trap or call looks. For the others a switch
 * out of user mode stores all registers; out of a system call only vcsr.
 *
 * Source: RISC-V "V" extension 1.0; Linux's Documentation/arch/riscv/vector.rst.
 */
#ifndef ARCH_RISCV64_VECTOR_H
#define ARCH_RISCV64_VECTOR_H

#include "lib/types.h"

#define NR_VECTOR_REGISTERS 32
#define VTYPE_INVALID	    (1UL << 63)

struct vector_state {
	u64 vstart, vl, vtype, vcsr; /* [c] in the order of struct abi_vector_record */
	bool taken;		     /* [c] by a system call: but for vcsr nothing here counts */
	u8 calls;		     /* [c] system calls until VS goes off again */
	u8 registers[] __attribute__((aligned(16))); /* [c] vector_size bytes */
};

/* Bytes of all vector registers of a hart; 0: no vector unit, or not used. Set at boot. */
extern u64 vector_size; /* [I] */

/* Boot hart, once: there is a vector unit. */
void vector_init(void);
/* Is it one that needs the vector unit? Instructions are what stval says of an illegal one. */
bool vector_instruction(u32 insn);

/* The registers become those of `v`. VS is Off, and Dirty afterwards. */
void vector_load(const struct vector_state *v);
/* The registers go to `v`; VS goes Off. */
void vector_store(struct vector_state *v);
/* The registers are lost but for vcsr; VS goes Off. */
void vector_drop(struct vector_state *v);
/* What a system call makes of live registers: VS stays. */
void vector_fill(void);

#endif
