/*
 * Control and status registers. Each access costs 46-54 ns under TCG: count them.
 * Source: RISC-V Privileged Architecture, supervisor level.
 */
#ifndef ARCH_RISCV64_CSR_H
#define ARCH_RISCV64_CSR_H

#define SSTATUS_SIE	 (1UL << 1)
#define SSTATUS_SPIE	 (1UL << 5)
#define SSTATUS_SPP	 (1UL << 8)
#define SSTATUS_VS	 (3UL << 9)
#define SSTATUS_VS_DIRTY (3UL << 9)
#define SSTATUS_FS	 (3UL << 13)
#define SSTATUS_FS_DIRTY (3UL << 13)
#define SSTATUS_SUM	 (1UL << 18)
#define SSTATUS_MXR	 (1UL << 19)

/* Bits of sie and sip, and the codes of interrupts in scause. */
#define IRQ_SOFT  1
#define IRQ_TIMER 5
#define IRQ_EXT	  9
#define SIE_SOFT  (1UL << IRQ_SOFT)
#define SIE_TIMER (1UL << IRQ_TIMER)
#define SIE_EXT	  (1UL << IRQ_EXT)

#define SCAUSE_INTERRUPT (1UL << 63)

#ifndef __ASSEMBLER__

#include "lib/types.h"

#define csr_read(name)                                                                             \
	({                                                                                         \
		u64 csr_value;                                                                     \
		__asm__ volatile("csrr %0, " #name : "=r"(csr_value)::"memory");                   \
		csr_value;                                                                         \
	})
#define csr_write(name, value)                                                                     \
	__asm__ volatile("csrw " #name ", %0" ::"rK"((u64)(value)) : "memory")
#define csr_set(name, bits)   __asm__ volatile("csrs " #name ", %0" ::"rK"((u64)(bits)) : "memory")
#define csr_clear(name, bits) __asm__ volatile("csrc " #name ", %0" ::"rK"((u64)(bits)) : "memory")
#define csr_swap(name, value)                                                                      \
	({                                                                                         \
		u64 csr_old;                                                                       \
		__asm__ volatile("csrrw %0, " #name ", %1"                                         \
				 : "=r"(csr_old)                                                   \
				 : "rK"((u64)(value))                                              \
				 : "memory");                                                      \
		csr_old;                                                                           \
	})
/* senvcfg: what programs may do */
#define SENVCFG_CBZE (1UL << 7) /* cbo.zero */
/* Supervisor timer compare (Sstc); binutils 2.40 knows it by number only. */
#define CSR_STIMECMP		  0x14d
#define csr_write_stimecmp(value) __asm__ volatile("csrw 0x14d, %0" ::"r"((u64)(value)) : "memory")

static inline u64 csr_time(void)
{
	u64 t;

	__asm__ volatile("rdtime %0" : "=r"(t));
	return t;
}

static inline void wfi(void)
{
	__asm__ volatile("wfi" ::: "memory");
}

/* Local translation flush. QEMU drops its whole TLB whatever the operands say: one flush a batch. */
static inline void sfence_vma_all(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}

/* What was stored to instructions before is executed by this hart. */
static inline void fence_i(void)
{
	__asm__ volatile("fence.i" ::: "memory");
}

static inline void sfence_vma_page(u64 va)
{
	__asm__ volatile("sfence.vma %0" ::"r"(va) : "memory");
}

#endif
#endif
