/*
 * What the model programs share: pretended harts, one for each explored thread, whose doorbell is
 * an atomic word and whose park() waits for a permit.
 */
#ifndef TESTS_MODEL_PROGRAMS_H
#define TESTS_MODEL_PROGRAMS_H

#include "arch/riscv64/cpu.h"
#include "tests/model/explore.h"

/*
 * Fresh harts in the kernel, of which nr_cpus says `n`, and hart_ops and park_ops over them. For
 * setup().
 */
void model_harts_reset(u32 n);
/* For struct model_program: makes cpu_self() the hart of the running thread. */
void model_hart_switched(u32 id);
/* Waits for a doorbell, as wfi. The hart has stored HALTED. */
void model_wfi(void);
/*
 * As a hart going to user mode or idle: leaves the kernel unless demands wait. Returns them (0: it
 * has left).
 */
u32 model_leave(u32 hart_state);
/* Makes the next park() of thread `id` end with -EINTR, once. */
void model_interrupt(u32 id);
/* Makes thread `id` find that the owner of a mutex runs, once. */
void model_spin_once(u32 id);

#endif
