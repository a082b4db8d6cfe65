/*
 * Offsets that assembly uses; offsets.c asserts them against the C structures.
 */
#ifndef ARCH_RISCV64_OFFSETS_H
#define ARCH_RISCV64_OFFSETS_H

#define CPU_KERNEL_SP	 0
#define CPU_SCRATCH	 8
#define CPU_CURRENT	 16
#define CPU_HARTID	 36
#define CPU_EMERGENCY_SP 40
#define CPU_WORK	 48
#define CPU_STATE	 56

/* Steps of the hart word: sequence + 1 on the way in (enum hart_state: KERNEL 1, USER 2). */
#define STATE_USER_TO_KERNEL (256 - 1)
#define STATE_KERNEL_TO_USER 1

#define THREAD_WORK 0

#define CAUSE_ECALL 8 /* TRAP_CAUSE_SYSCALL */

#define F_PC	  0
#define F_RA	  8
#define F_SP	  16
#define F_GP	  24
#define F_TP	  32
#define F_T0	  40
#define F_T1	  48
#define F_T2	  56
#define F_S0	  64
#define F_S1	  72
#define F_A0	  80
#define F_A1	  88
#define F_A2	  96
#define F_A3	  104
#define F_A4	  112
#define F_A5	  120
#define F_A6	  128
#define F_A7	  136
#define F_S2	  144
#define F_S3	  152
#define F_S4	  160
#define F_S5	  168
#define F_S6	  176
#define F_S7	  184
#define F_S8	  192
#define F_S9	  200
#define F_S10	  208
#define F_S11	  216
#define F_T3	  224
#define F_T4	  232
#define F_T5	  240
#define F_T6	  248
#define F_ORIG_A0 256
#define F_STATUS  264
#define F_CAUSE	  272
#define F_TVAL	  280
#define F_SIZE	  288

#endif
