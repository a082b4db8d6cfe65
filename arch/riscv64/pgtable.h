/*
 * Page-table format: Sv39, three levels of 512 entries, the same at every level. Level 0 entries
 * map 4 KiB, level 1 2 MiB, level 2 (the root) 1 GiB. The upper half of a root is the kernel's and
 * equal in all roots.
 *
 * D is preset, and A too but where a page is mapped that nobody has touched and harts are known to set A themselves
 * (`rv64` does, `-cpu max` faults instead). Sources: RISC-V Privileged Architecture, chapter "Supervisor-Level ISA",
 * Sv39; chapter "Svadu".
 */
#ifndef ARCH_RISCV64_PGTABLE_H
#define ARCH_RISCV64_PGTABLE_H

#include "lib/types.h"

#define PTE_V BIT(0)
#define PTE_R BIT(1)
#define PTE_W BIT(2)
#define PTE_X BIT(3)
#define PTE_U BIT(4)
#define PTE_G BIT(5)
#define PTE_A BIT(6)
#define PTE_D BIT(7)
/* Software's: with V = 0, a page being replaced; whoever meets it lets the access fault again. */
#define PTE_BUSY BIT(8)

#define PTE_KERNEL_RW (PTE_V | PTE_R | PTE_W | PTE_G | PTE_A | PTE_D)
#define PTE_KERNEL_RO (PTE_V | PTE_R | PTE_G | PTE_A | PTE_D)
#define PTE_KERNEL_RX (PTE_V | PTE_R | PTE_X | PTE_G | PTE_A | PTE_D)

#define PGTABLE_ENTRIES	     512U
#define PGTABLE_LEVELS	     3
#define PGTABLE_ROOT_LEVEL   (PGTABLE_LEVELS - 1)
#define PGTABLE_KERNEL_HALF  (PGTABLE_ENTRIES / 2) /* first root index of the kernel */
#define PGTABLE_SHIFT(level) (12 + 9 * (level))
#define PGTABLE_SPAN(level)  (1UL << PGTABLE_SHIFT(level)) /* bytes that one entry covers */

#define PTE_PPN_SHIFT 10
#define PTE_PPN_MASK  0x003ffffffffffc00UL

#define SATP_MODE_SV39	(8UL << 60)
#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK	0xffffUL
#define SATP_PPN_MASK	0x00000fffffffffffUL

static inline u32 pgtable_index(u64 va, u32 level)
{
	return (va >> PGTABLE_SHIFT(level)) & (PGTABLE_ENTRIES - 1);
}

static inline u64 pte_make(u64 pa, u64 bits)
{
	return (pa >> 12) << PTE_PPN_SHIFT | bits;
}

static inline u64 pte_pa(u64 pte)
{
	return (pte & PTE_PPN_MASK) >> PTE_PPN_SHIFT << 12;
}

static inline bool pte_is_leaf(u64 pte)
{
	return (pte & (PTE_R | PTE_W | PTE_X)) != 0;
}

/* May a hart hold a translation by it? Not by one that is valid and was never used: a hart sets A first. */
static inline bool pte_may_be_cached(u64 pte)
{
	return (pte & (PTE_V | PTE_A)) != PTE_V;
}

/* What a store may put in its place, without a look at what harts do meanwhile: A is set. */
static inline u64 pte_touched(u64 pte)
{
	return pte & PTE_V ? pte | PTE_A : pte;
}

/* Of an entry above level 0: it maps memory, and is no table. */
static inline bool pte_is_huge(u64 pte)
{
	return pte & PTE_V && pte_is_leaf(pte);
}

static inline u64 satp_make(u64 root_pa, u64 asid)
{
	return SATP_MODE_SV39 | asid << SATP_ASID_SHIFT | root_pa >> 12;
}

#endif
