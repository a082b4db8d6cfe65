/*
 * APLIC in MSI mode. All wired devices of QEMU's virt machine are level-triggered. The APLIC sends one message when a wire rises and none
 * while it stays up, so after each run of the handler setipnum makes it look again: still up means another message.
 * Source: RISC-V Advanced Interrupt Architecture 1.0, chapter 4 (4.9.2 for the levels).
 */
#include "kernel/irq/aplic.h"

#include "arch/riscv64/layout.h"
#include "drivers/dt.h"

#define DOMAINCFG    0x0000
#define SOURCECFG(s) (0x0004 + 4UL * ((s)-1))
#define SETIPNUM     0x1cdc
#define SETIENUM     0x1edc
#define TARGET(s)    (0x3004 + 4UL * ((s)-1))

#define DOMAINCFG_IE	     BIT(8)
#define DOMAINCFG_MSI	     BIT(2)
#define SOURCECFG_LEVEL_HIGH 6
#define TARGET_HART_SHIFT    18

static u8 *aplic_base;	  /* [I] NULL: no wired interrupts */
static u32 aplic_sources; /* [I] */

/* How a file's address is made of indices: [I]. */
static struct {
	u32 guest_bits, hart_bits, group_bits, group_shift;
} msi_layout;

static volatile u32 *aplic_word(u64 offset)
{
	return (volatile u32 *)(aplic_base + offset);
}

static u32 bits_for(u32 count)
{
	return count < 2 ? 0 : 32 - (u32)__builtin_clz(count - 1);
}

static void aplic_read_layout(int imsic)
{
	u32 harts = 0, cell;

	while (dt_cell(imsic, "interrupts-extended", 2 * harts, &cell))
		harts++;
	msi_layout.hart_bits = bits_for(harts);
	msi_layout.group_shift = 24;
	dt_cell(imsic, "riscv,guest-index-bits", 0, &msi_layout.guest_bits);
	dt_cell(imsic, "riscv,hart-index-bits", 0, &msi_layout.hart_bits);
	dt_cell(imsic, "riscv,group-index-bits", 0, &msi_layout.group_bits);
	dt_cell(imsic, "riscv,group-index-shift", 0, &msi_layout.group_shift);
}

/* The firmware has told the APLIC the layout; a target names a file by group and hart within it. */
static u32 aplic_hart_index(u64 file)
{
	u64 hart = file >> (PAGE_SHIFT + msi_layout.guest_bits) & (BIT(msi_layout.hart_bits) - 1);
	u64 group = file >> msi_layout.group_shift & (BIT(msi_layout.group_bits) - 1);

	return (u32)(group << msi_layout.hart_bits | hart);
}

void aplic_init(int imsic)
{
	u32 phandle;
	u64 address, size;
	int node = -1;

	while ((node = dt_find(node, "riscv,aplic")) >= 0) {
		if (dt_cell(node, "msi-parent", 0, &phandle) && dt_phandle_node(phandle) == imsic)
			break;
	}
	if (node < 0 || !dt_reg(node, 0, &address, &size) ||
	    !dt_cell(node, "riscv,num-sources", 0, &aplic_sources))
		return;
	aplic_read_layout(imsic);
	aplic_base = pa_to_va(address);
	*aplic_word(DOMAINCFG) = DOMAINCFG_IE | DOMAINCFG_MSI;
}

void aplic_route(u32 source, u64 file, u32 id)
{
	if (!aplic_base || source > aplic_sources)
		return;
	*aplic_word(TARGET(source)) = aplic_hart_index(file) << TARGET_HART_SHIFT | id;
	*aplic_word(SOURCECFG(source)) = SOURCECFG_LEVEL_HIGH;
	*aplic_word(SETIENUM) = source;
}

void aplic_complete(u32 source)
{
	*aplic_word(SETIPNUM) = source;
}
