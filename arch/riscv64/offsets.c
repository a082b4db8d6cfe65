/* The offsets that assembly uses agree with the C structures. */
#include "arch/riscv64/offsets.h"

#include "arch/riscv64/context.h"
#include "arch/riscv64/cpu.h"
#include "arch/riscv64/trap_frame.h"

static_assert(offsetof(struct cpu, kernel_sp) == CPU_KERNEL_SP, "cpu");
static_assert(offsetof(struct cpu, scratch) == CPU_SCRATCH, "cpu");
static_assert(offsetof(struct cpu, current) == CPU_CURRENT, "cpu");
static_assert(offsetof(struct cpu, hartid) == CPU_HARTID, "cpu");
static_assert(offsetof(struct cpu, emergency_sp) == CPU_EMERGENCY_SP, "cpu");
static_assert(offsetof(struct cpu, work) == CPU_WORK, "cpu");
static_assert(offsetof(struct cpu, state) == CPU_STATE, "cpu");

static_assert(offsetof(struct trap_frame, ra) == F_RA, "frame");
static_assert(offsetof(struct trap_frame, t0) == F_T0, "frame");
static_assert(offsetof(struct trap_frame, s0) == F_S0, "frame");
static_assert(offsetof(struct trap_frame, a0) == F_A0, "frame");
static_assert(offsetof(struct trap_frame, s2) == F_S2, "frame");
static_assert(offsetof(struct trap_frame, t3) == F_T3, "frame");
static_assert(offsetof(struct trap_frame, orig_a0) == F_ORIG_A0, "frame");
static_assert(offsetof(struct trap_frame, tval) == F_TVAL, "frame");
static_assert(sizeof(struct trap_frame) == F_SIZE, "frame");

static_assert(offsetof(struct arch_context, user_tp) == 24, "arch_switch()");
