/*
 * Inter-processor interrupts: doorbells without a message (kernel/sync/hart.h). IMSIC or SSWI where the machine has them (a store, about
 * 2 us on the sender), else SBI (22-26 us, but one call for many).
 */
#include "kernel/irq/irq_internal.h"

#include "arch/riscv64/csr.h"
#include "arch/riscv64/layout.h"
#include "arch/riscv64/sbi.h"
#include "drivers/dt.h"
#include "kernel/sync/hart.h"
#include "kernel/trace/trace.h"

static const char *ipi_method = "sbi";
static volatile u32 *sswi; /* [I] one word per hart id: ACLINT supervisor software interrupts */

static void ring_sbi(u64 mask, u32 work)
{
	trace_ipi_send(mask, (u16)work);
	sbi_send_ipi(mask);
}

static void ring_sswi(u64 mask, u32 work)
{
	trace_ipi_send(mask, (u16)work);
	/* (G): the demand before the doorbell, which is device output. Pairs with the trap on the target. */
	__asm__ volatile("fence rw, o" ::: "memory");
	for (; mask; mask &= mask - 1)
		sswi[cpu_of((u32)__builtin_ctzl(mask))->hartid] = 1;
}

void irq_ipi_use(const char *method, void (*ring)(u64 mask, u32 work))
{
	ipi_method = method;
	hart_ops.ring = ring;
}

void irq_ipi_init(void)
{
	int node = dt_find(-1, "riscv,aclint-sswi");
	u64 address, size;

	irq_ipi_use("sbi", ring_sbi);
	if (node >= 0 && dt_reg(node, 0, &address, &size)) {
		sswi = pa_to_va(address);
		irq_ipi_use("sswi", ring_sswi);
	}
}

void irq_ipi_received(void)
{
	this_cpu(irq_stats).ipi++;
	trace_ipi_recv((u16)atomic_load_relaxed(&cpu_self()->work));
}

void irq_ipi_acknowledge(void)
{
	csr_clear(sip, SIE_SOFT);
	irq_ipi_received();
}

const char *irq_ipi_method(void)
{
	return ipi_method;
}
