/*
 * Interrupt dispatch: by bit of sip to the timer queue, the doorbell, or the external controller's driver.
 */
#include "kernel/irq/irq.h"

#include "abi/errno.h"
#include "arch/riscv64/csr.h"
#include "drivers/dt.h"
#include "kernel/irq/irq_internal.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/time/time.h"
#include "kernel/trace/trace.h"

struct irq_action {
	irq_handler_fn fn; /* [a] set last: NULL while free */
	void *arg;	   /* [I] */
	const char *name;  /* [I] */
};

static struct irq_action irq_actions[IRQ_ALL];
static u32 irq_next_message = IRQ_SOURCES; /* boot only */
static const struct irq_controller *irq_controller;

PERCPU(struct irq_stats, irq_stats);

void irq_init(void)
{
	irq_ipi_init();
	irq_controller = imsic_probe();
	if (!irq_controller)
		irq_controller = plic_probe();
}

void irq_hart_init(void)
{
	if (irq_controller)
		irq_controller->hart_init();
}

s32 irq_cpu_of_intc(u32 phandle)
{
	u32 hartid, intc;

	for (u32 i = 0; dt_hart(i, &hartid, &intc); i++) {
		for (u32 cpu = 0; intc == phandle && cpu < nr_cpus; cpu++) {
			if (cpu_of(cpu)->hartid == hartid)
				return (s32)cpu;
		}
	}
	return -1;
}

static void irq_set_action(u32 number, const char *name, irq_handler_fn fn, void *arg)
{
	struct irq_action *action = &irq_actions[number];

	action->arg = arg;
	action->name = name;
	/* Pairs with the acquire load of irq_run_source(). */
	atomic_store_release(&action->fn, fn);
}

int irq_register(u32 source, const char *name, irq_handler_fn fn, void *arg)
{
	if (!source || source >= IRQ_SOURCES || !irq_controller)
		return -EINVAL;
	if (irq_actions[source].fn)
		return -EBUSY;
	irq_set_action(source, name, fn, arg);
	irq_controller->enable(source);
	return 0;
}

bool irq_has_messages(void)
{
	return irq_controller && irq_controller->message;
}

int irq_register_message(u32 cpu, const char *name, irq_handler_fn fn, void *arg,
			 struct irq_message *out)
{
	if (!irq_has_messages())
		return -ENODEV;
	if (irq_next_message == IRQ_ALL || !irq_controller->message(irq_next_message, cpu, out))
		return -ENOSPC;
	irq_set_action(irq_next_message++, name, fn, arg);
	return 0;
}

struct irq_stats irq_stats_of(u32 cpu)
{
	struct irq_stats *s = cpu_ptr(irq_stats, cpu);

	return (struct irq_stats){
		.timer = atomic_load_relaxed(&s->timer),
		.ipi = atomic_load_relaxed(&s->ipi),
		.device = atomic_load_relaxed(&s->device),
	};
}

void irq_run_source(u32 source)
{
	irq_handler_fn fn = source < IRQ_ALL ? atomic_load_acquire(&irq_actions[source].fn) : NULL;

	this_cpu(irq_stats).device++;
	trace_irq_entry(64 + source);
	if (fn)
		fn(irq_actions[source].arg);
	trace_irq_exit(64 + source);
}

void irq_handle_pending(u64 pending)
{
	if (pending & SIE_SOFT)
		irq_ipi_acknowledge();
	if (pending & SIE_TIMER) {
		this_cpu(irq_stats).timer++;
		trace_irq_entry(IRQ_TIMER);
		timer_run();
		trace_irq_exit(IRQ_TIMER);
	}
	if ((pending & SIE_EXT) && irq_controller)
		irq_controller->handle();
}
