/*
 * First instructions of every hart. The loader enters at the lowest address, _start, in supervisor mode without translation:
 * a0 = hart id, a1 = device tree (boot hart) or the hart's struct cpu (started later through HSM). The early table maps RAM twice: the
 * kernel's GiB where it lies, for the instructions around the switch, and 128 GiB at the direct map.
 */
#include "arch/riscv64/csr.h"
#include "arch/riscv64/offsets.h"

#define DIRECT_MAP_BASE 0xffffffc000000000
#define SATP_SV39	(8 << 60)

	/* Turns translation on and goes on at the same place in the direct map. Clobbers t0-t2. */
	.macro	enter_direct_map
	la	t0, early_root
	srli	t0, t0, 12
	li	t1, SATP_SV39
	or	t0, t0, t1
	li	t2, DIRECT_MAP_BASE
	sfence.vma
	csrw	satp, t0
	la	t1, 8f
	add	t1, t1, t2
	jr	t1
8:
	.endm

	.section .text.entry, "ax", @progbits
	.globl	_start
_start:
	csrw	sie, zero
	csrw	sscratch, zero
	enter_direct_map
	la	sp, boot_stack_top
	la	tp, boot_cpu
	sw	a0, CPU_HARTID(tp)
	mv	a0, a1
	li	s0, 0
	call	kernel_main

	.globl	secondary_start
secondary_start:
	csrw	sie, zero
	csrw	sscratch, zero
	enter_direct_map
	/* The stack is mapped by the final table only. */
	la	t0, secondary_satp
	ld	t0, 0(t0)
	csrw	satp, t0
	sfence.vma
	fence.i		/* the text may have been changed since (kernel/mm/static_key.c) */
	mv	tp, a1
	ld	sp, CPU_KERNEL_SP(tp)
	li	s0, 0
	call	secondary_main

	.section .data.early_root, "aw", @progbits
	.balign	4096
	.globl	early_root
early_root:
	.quad	0, 0
	.quad	(2 << 28) | 0xef	/* the GiB at 0x80000000, identical */
	.fill	253, 8, 0
	.set	gib, 0
	.rept	128
	.quad	(gib << 28) | 0xef	/* V R W X G A D */
	.set	gib, gib + 1
	.endr
	.fill	128, 8, 0

	/* Upper half of a 32 KiB slot, as every kernel stack. */
	.section .bss.boot_stack, "aw", @nobits
	.balign	32768
	.skip	32768
	.globl	boot_stack_top
boot_stack_top:
