/*
 * PLIC: platform-level interrupt controller. Each hart has a supervisor context (found by interrupts-extended); a source is
 * enabled on one hart, its claim register names it, completion re-arms it. Source: RISC-V PLIC specification 1.0.
 */
#include "kernel/irq/irq_internal.h"

#include "arch/riscv64/csr.h"
#include "arch/riscv64/layout.h"
#include "drivers/dt.h"
#include "kernel/sync/spinlock.h"

#define PLIC_PRIORITY	    0x0
#define PLIC_ENABLE	    0x2000
#define PLIC_ENABLE_STRIDE  0x80
#define PLIC_CONTEXT	    0x200000
#define PLIC_CONTEXT_STRIDE 0x1000
#define PLIC_CLAIM	    4

static u8 *plic_base;		    /* [I] */
static u32 plic_contexts[MAX_CPUS]; /* [I] supervisor context of each cpu + 1; 0 if none */

static volatile u32 *plic_word(u64 offset)
{
	return (volatile u32 *)(plic_base + offset);
}

static u32 plic_context(void)
{
	return plic_contexts[cpu_id()] - 1;
}

static void plic_hart_init(void)
{
	if (plic_contexts[cpu_id()])
		*plic_word(PLIC_CONTEXT + (u64)plic_context() * PLIC_CONTEXT_STRIDE) = 0;
}

/* On the hart that registers it: drivers are spread by where they are set up. Done at boot, by one hart. */
static void plic_enable(u32 source)
{
	*plic_word(PLIC_PRIORITY + 4UL * source) = 1;
	*plic_word(PLIC_ENABLE + (u64)plic_context() * PLIC_ENABLE_STRIDE + source / 32 * 4) |=
		1U << source % 32;
}

static void plic_handle(void)
{
	volatile u32 *claim =
		plic_word(PLIC_CONTEXT + (u64)plic_context() * PLIC_CONTEXT_STRIDE + PLIC_CLAIM);
	u32 source;

	while ((source = *claim) != 0) {
		irq_run_source(source);
		*claim = source;
	}
}

static const struct irq_controller plic = {
	.name = "plic",
	.hart_init = plic_hart_init,
	.enable = plic_enable,
	.handle = plic_handle,
};

/* Finds the supervisor context of every cpu: the entry (intc phandle, 9) of interrupts-extended. */
static void plic_find_contexts(int node)
{
	u32 phandle, cause;

	for (u32 context = 0; dt_cell(node, "interrupts-extended", 2 * context, &phandle); context++) {
		s32 cpu = irq_cpu_of_intc(phandle);

		if (cpu >= 0 && dt_cell(node, "interrupts-extended", 2 * context + 1, &cause) &&
		    cause == IRQ_EXT)
			plic_contexts[cpu] = context + 1;
	}
}

const struct irq_controller *plic_probe(void)
{
	int node = dt_find(-1, "sifive,plic-1.0.0");
	u64 address, size;

	if (node < 0)
		node = dt_find(-1, "riscv,plic0");
	if (node < 0 || !dt_reg(node, 0, &address, &size))
		return NULL;
	plic_base = pa_to_va(address);
	plic_find_contexts(node);
	return &plic;
}
