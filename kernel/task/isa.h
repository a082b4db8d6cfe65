/*
 * What programs are told of the processor, from the device tree's ISA string
 * ("rv64imafdch_zicsr_zba...").
 */
#ifndef KERNEL_TASK_ISA_H
#define KERNEL_TASK_ISA_H

#include "lib/types.h"

/* Does it name this extension of several letters? */
bool isa_has(const char *isa, const char *name);
/* AT_HWCAP: bit (letter - 'a') of I, M, A, F, D, C, V. */
u64 isa_hwcap(const char *isa);
/* Value of riscv_hwprobe's RISCV_HWPROBE_KEY_IMA_EXT_0. */
u64 isa_hwprobe_ext(const char *isa);
extern u32 isa_zicboz_bytes; /* [I] what cbo.zero of a program clears, if the string has zicboz; 0: programs may not use it */
/* The string exec_set_isa() was given. */
extern const char *isa_string; /* [I] */

#endif
