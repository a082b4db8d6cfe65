/*
 * Interrupt controllers and inter-processor interrupts. Interrupts are handled in user mode, in idle, and at kernel_relax(): those places
 * read `sip` and call irq_handle_pending(). SIE is set in the kernel for the profiler only, which handles none (kernel/trace/sample.h).
 */
#ifndef KERNEL_IRQ_IRQ_H
#define KERNEL_IRQ_IRQ_H

#include "lib/types.h"

typedef void (*irq_handler_fn)(void *arg);

/* Boot hart, after dt_init() and mm_early_init(): finds PLIC or APLIC + IMSIC, and the way to send IPIs (fills hart_ops). */
void irq_init(void);
void irq_hart_init(void); /* every hart: its context of the controller, sie */
/* `source`: the wired interrupt number of the device tree. 0, or -EINVAL, -EBUSY. */
int irq_register(u32 source, const char *name, irq_handler_fn fn, void *arg);
/* A store that raises an interrupt: what a device that sends messages (MSI) is told. */
struct irq_message {
	u64 address; /* physical */
	u32 data;
};
bool irq_has_messages(void);
/*
 * A message of its own, which runs fn(arg) on hart `cpu`. 0; -ENODEV: the machine has no messages; -ENOSPC: all are taken. Boot, one hart.
 */
int irq_register_message(u32 cpu, const char *name, irq_handler_fn fn, void *arg,
			 struct irq_message *out);
/* What a hart has served since boot. Another hart's figures may be a little old. */
struct irq_stats {
	u64 timer;
	u64 ipi;
	u64 device;
};
struct irq_stats irq_stats_of(u32 cpu);

/* Serves the interrupts of `pending` (bits of sip): timers, IPIs, devices. Context: no lock held; does not sleep. */
void irq_handle_pending(u64 pending);
const char *irq_ipi_method(void); /* "imsic", "sswi" or "sbi" */

/*
 * Runs fn(arg) on every started hart of `mask` (bit = dense cpu id; own bit: called directly), waits until all are done,
 * polling its own hart work meanwhile. fn must not sleep. Context: no spin lock held.
 */
void hart_call(u64 mask, void (*fn)(void *arg), void *arg);
void hart_call_run(void); /* from hart work: run messages sent to this hart */

#endif
