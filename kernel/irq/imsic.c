/*
 * IMSIC: each hart has an interrupt file of its own, a page whose first word takes the number of the interrupt to raise. A store there is
 * both what devices' MSIs are (aplic.c) and the cheapest IPI.
 *
 * Interrupt numbers (EIIDs) of the supervisor file: 1 is the IPI, 1 + s is wired source s or, behind these, a device's own message. Every hart takes
 * every message; the file that the device stores to says which one gets it. The file's registers are reached through the
 * CSRs siselect (0x150) and sireg (0x151), the top interrupt through stopei (0x15c); the assembler knows them by number only.
 * Source: RISC-V Advanced Interrupt Architecture 1.0, chapter 3.
 */
#include "kernel/irq/irq_internal.h"

#include "arch/riscv64/csr.h"
#include "arch/riscv64/layout.h"
#include "drivers/dt.h"
#include "kernel/irq/aplic.h"
#include "kernel/log/log.h"
#include "kernel/trace/trace.h"

#define EIDELIVERY  0x70
#define EITHRESHOLD 0x72
#define EIE0	    0xc0 /* even registers of 64 bits each */

#define EIID_IPI	1
#define EIID_OF(source) (EIID_IPI + (source))

static u64 imsic_pages[MAX_CPUS]; /* [I] physical address of each cpu's supervisor file; 0 if none */
static volatile u32 *imsic_doors[MAX_CPUS]; /* [I] the same, mapped */
static u32 imsic_ids;			    /* [I] highest EIID */

static void imsic_write(u32 reg, u64 value)
{
	csr_write(0x150, reg);
	csr_write(0x151, value);
}

static void imsic_enable_id(u32 id)
{
	csr_write(0x150, EIE0 + id / 64 * 2);
	csr_set(0x151, BIT(id % 64));
}

static void imsic_hart_init(void)
{
	if (!imsic_doors[cpu_id()])
		panic("hart %u has no interrupt file", cpu_self()->hartid);
	imsic_write(EITHRESHOLD, 0);
	imsic_enable_id(EIID_IPI);
	/* All messages: a number that nobody has registered runs nothing. */
	for (u32 id = IRQ_SOURCES; id <= MIN(imsic_ids, IRQ_ALL); id += 64)
		imsic_write(EIE0 + id / 64 * 2, ~0UL);
	imsic_write(EIDELIVERY, 1);
}

/* To the hart that registers it: its file is the one that this hart can open. */
static void imsic_enable(u32 source)
{
	if (EIID_OF(source) > imsic_ids)
		return;
	imsic_enable_id(EIID_OF(source));
	aplic_route(source, imsic_pages[cpu_id()], EIID_OF(source));
}

static bool imsic_message(u32 number, u32 cpu, struct irq_message *out)
{
	if (EIID_OF(number) > imsic_ids || !imsic_pages[cpu])
		return false;
	*out = (struct irq_message){.address = imsic_pages[cpu], .data = EIID_OF(number)};
	return true;
}

static void imsic_handle(void)
{
	u32 id;

	/* The write that comes with the read claims what was read. */
	while ((id = (u32)(csr_swap(0x15c, 0) >> 16)) != 0) {
		if (id == EIID_IPI) {
			irq_ipi_received();
		} else {
			irq_run_source(id - EIID_IPI);
			if (id < EIID_OF(IRQ_SOURCES))
				aplic_complete(id - EIID_IPI);
		}
	}
}

static const struct irq_controller imsic = {
	.name = "imsic",
	.hart_init = imsic_hart_init,
	.enable = imsic_enable,
	.message = imsic_message,
	.handle = imsic_handle,
};

static void imsic_ring(u64 mask, u32 work)
{
	trace_ipi_send(mask, (u16)work);
	/* (G): the demand before the doorbell, which is device output. Pairs with the trap on the target. */
	__asm__ volatile("fence rw, o" ::: "memory");
	for (; mask; mask &= mask - 1)
		*imsic_doors[__builtin_ctzl(mask)] = EIID_IPI;
}

/* The i-th file of a node: its reg ranges, one after the other, divided into files of `stride` bytes. 0 if there is none. */
static u64 imsic_file(int node, u32 i, u64 stride)
{
	u64 offset = i * stride, address, size;

	for (u32 range = 0; dt_reg(node, range, &address, &size); range++) {
		if (offset < size)
			return address + offset;
		offset -= size;
	}
	return 0;
}

/* Machine and supervisor files are two nodes alike; the interrupt that they raise tells them apart. */
static int imsic_find_node(void)
{
	u32 cause;
	int node = -1;

	while ((node = dt_find(node, "riscv,imsics")) >= 0) {
		if (dt_cell(node, "interrupts-extended", 1, &cause) && cause == IRQ_EXT)
			return node;
	}
	return -1;
}

static void imsic_find_files(int node)
{
	u32 guest_bits = 0, phandle;

	dt_cell(node, "riscv,guest-index-bits", 0, &guest_bits);
	for (u32 i = 0; dt_cell(node, "interrupts-extended", 2 * i, &phandle); i++) {
		u64 page = imsic_file(node, i, PAGE_SIZE << guest_bits);
		s32 cpu = irq_cpu_of_intc(phandle);

		if (cpu < 0 || !page)
			continue;
		imsic_pages[cpu] = page;
		imsic_doors[cpu] = pa_to_va(page);
	}
}

const struct irq_controller *imsic_probe(void)
{
	int node = imsic_find_node();

	if (node < 0 || !dt_cell(node, "riscv,num-ids", 0, &imsic_ids))
		return NULL;
	imsic_find_files(node);
	aplic_init(node);
	irq_ipi_use("imsic", imsic_ring);
	return &imsic;
}
