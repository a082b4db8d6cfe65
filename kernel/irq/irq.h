/*
 * Interrupt controllers and inter-processor interrupts. Interrupts are taken in user mode, in idle, and at kernel_relax().
 */
#ifndef KERNEL_IRQ_IRQ_H
#define KERNEL_IRQ_IRQ_H

#include "lib/types.h"

typedef void (*irq_handler_fn)(void *arg);

void irq_init(const void *fdt);	   /* boot hart: finds PLIC or APLIC+IMSIC, SSWI */
void irq_hart_init(void);	   /* every hart */
int irq_register(u32 source, const char *name, irq_handler_fn fn, void *arg); /* wired source number of the device tree */
void irq_handle_external(void);	   /* from trap: claims and runs handlers */
void irq_handle_ipi(void);	   /* from trap: acknowledges, then hart work runs on exit */
const char *irq_ipi_method(void);  /* "imsic", "sswi" or "sbi" */

/*
 * Runs fn(arg) on every hart of `mask` (bit = dense cpu id; own bit: called directly), waits until all are done,
 * polling its own hart work meanwhile. fn must not sleep. Context: no spin lock held.
 */
void hart_call(u64 mask, void (*fn)(void *arg), void *arg);
void hart_call_run(void); /* from hart work: run messages sent to this hart */

#endif
