/*
 * Between the dispatcher, the controllers' drivers and the ways to send an IPI.
 */
#ifndef KERNEL_IRQ_IRQ_INTERNAL_H
#define KERNEL_IRQ_IRQ_INTERNAL_H

#include "kernel/irq/irq.h"
#include "kernel/sync/percpu.h"
#include "lib/types.h"

#define IRQ_SOURCES  128U /* wired; QEMU virt has 96 */
#define IRQ_MESSAGES 127U /* numbered behind the wired sources */
#define IRQ_ALL	     (IRQ_SOURCES + IRQ_MESSAGES)

/* One external interrupt controller drives the machine; its probe returns NULL where it is absent. */
struct irq_controller {
	const char *name;
	void (*hart_init)(void);    /* every hart */
	void (*enable)(u32 source); /* route the source to some started hart */
	/* What raises interrupt `number` on a hart; false: the controller has no such number. NULL: no messages. */
	bool (*message)(u32 number, u32 cpu, struct irq_message *out);
	void (*handle)(void); /* SEIP is set: claim, irq_run_source(), complete, until none is left */
};

const struct irq_controller *plic_probe(void);
const struct irq_controller *imsic_probe(void);

void irq_run_source(u32 source);
/* The cpu whose local interrupt controller has this phandle, -1 if none of the started ones. */
s32 irq_cpu_of_intc(u32 phandle);

/* ipi.c */
void irq_ipi_init(void);	/* fills hart_ops with the cheapest way that the machine has */
void irq_ipi_acknowledge(void); /* SSIP is set */
void irq_ipi_received(void);	/* bookkeeping, for IPIs that arrive as external interrupts */
/* IMSIC: where to write to raise an IPI on a hart. Called by imsic_probe(). */
void irq_ipi_use(const char *method, void (*ring)(u64 mask, u32 work));

PERCPU_DECLARE(struct irq_stats, irq_stats); /* [c] read by any hart */

#endif
