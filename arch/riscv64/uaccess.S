/*
 * User memory accesses with fix-up (uaccess.h). Every instruction that may touch user memory has an entry {pc, fix-up} in the
 * section `fixups`; kernel/trap continues there when the fault cannot be resolved.
 */
	.macro	fix insn:vararg
9:	\insn
	.pushsection fixups, "a", @progbits
	.balign	8
	.quad	9b, .Lfix
	.popsection
	.endm

	.macro	fixto label, insn:vararg
9:	\insn
	.pushsection fixups, "a", @progbits
	.balign	8
	.quad	9b, \label
	.popsection
	.endm

#ifdef KERNEL_DEBUG
	.macro	user_begin
	li	t6, 1 << 18
	csrs	sstatus, t6
	.endm
	.macro	user_end
	li	t6, 1 << 18
	csrc	sstatus, t6
	.endm
#else
	.macro	user_begin
	.endm
	.macro	user_end
	.endm
#endif

	.section .text.hot.uaccess, "ax", @progbits

	.macro	function name
	.globl	\name
	.type	\name, @function
	.balign	4
\name:
	.endm


function arch_load_u8
	user_begin
	fix lbu	t0, 0(a0)
	sb	t0, 0(a1)
	user_end
	li	a0, 0
	ret

#ifdef KERNEL_DEBUG
function arch_load_u32
	user_begin
	fix lw	t0, 0(a0)
	sw	t0, 0(a1)
	user_end
	li	a0, 0
	ret
#endif

function arch_load_u64
	user_begin
	fix ld	t0, 0(a0)
	sd	t0, 0(a1)
	user_end
	li	a0, 0
	ret

function arch_store_u32
	user_begin
	fix sw	a1, 0(a0)
	user_end
	li	a0, 0
	ret

function arch_store_u64
	user_begin
	fix sd	a1, 0(a0)
	user_end
	li	a0, 0
	ret

function arch_cas_u32
	user_begin
	sext.w	a1, a1
	fence	rw, rw
1:
	fix lr.w	t0, (a0)
	bne	t0, a1, 2f
	fix sc.w	t1, a2, (a0)
	bnez	t1, 1b
2:
	fence	rw, rw
	sw	t0, 0(a3)
	user_end
	li	a0, 0
	ret

.Lfix:
	user_end
	li	a0, 1
	ret

/*
 * arch_copy_user(dst, src, n): 64-byte blocks when both ends are 8-byte aligned, else words when they agree, else bytes.
 * a0 and a1 advance only past what was copied whole, so the rest is a2 at any fault.
 */
function arch_copy_user
	user_begin
	or	t0, a0, a1
	andi	t0, t0, 7
	bnez	t0, .Lcopy_bytes
	li	t1, 64
.Lcopy_block:
	bltu	a2, t1, .Lcopy_words
	fixto .Lcopy_fault, ld	a3, 0(a1)
	fixto .Lcopy_fault, ld	a4, 8(a1)
	fixto .Lcopy_fault, ld	a5, 16(a1)
	fixto .Lcopy_fault, ld	a6, 24(a1)
	fixto .Lcopy_fault, ld	a7, 32(a1)
	fixto .Lcopy_fault, ld	t2, 40(a1)
	fixto .Lcopy_fault, ld	t3, 48(a1)
	fixto .Lcopy_fault, ld	t4, 56(a1)
	fixto .Lcopy_fault, sd	a3, 0(a0)
	fixto .Lcopy_fault, sd	a4, 8(a0)
	fixto .Lcopy_fault, sd	a5, 16(a0)
	fixto .Lcopy_fault, sd	a6, 24(a0)
	fixto .Lcopy_fault, sd	a7, 32(a0)
	fixto .Lcopy_fault, sd	t2, 40(a0)
	fixto .Lcopy_fault, sd	t3, 48(a0)
	fixto .Lcopy_fault, sd	t4, 56(a0)
	addi	a0, a0, 64
	addi	a1, a1, 64
	addi	a2, a2, -64
	j	.Lcopy_block
.Lcopy_words:
	li	t1, 8
.Lcopy_word:
	bltu	a2, t1, .Lcopy_bytes
	fixto .Lcopy_fault, ld	t0, 0(a1)
	fixto .Lcopy_fault, sd	t0, 0(a0)
	addi	a0, a0, 8
	addi	a1, a1, 8
	addi	a2, a2, -8
	j	.Lcopy_word
.Lcopy_bytes:
	beqz	a2, .Lcopy_fault
	fixto .Lcopy_fault, lbu	t0, 0(a1)
	fixto .Lcopy_fault, sb	t0, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	addi	a2, a2, -1
	/* Aligned by now? Ends of different alignment stay on bytes. */
	or	t0, a0, a1
	andi	t0, t0, 7
	bnez	t0, .Lcopy_bytes
	li	t1, 64
	bnez	a2, .Lcopy_block
.Lcopy_fault:
	user_end
	mv	a0, a2
	ret

/* arch_clear_user(dst, n) */
function arch_clear_user
	user_begin
	li	t1, 8
.Lclear:
	beqz	a1, .Lclear_fault
	andi	t0, a0, 7
	bnez	t0, .Lclear_byte
	bltu	a1, t1, .Lclear_byte
	fixto .Lclear_fault, sd	zero, 0(a0)
	addi	a0, a0, 8
	addi	a1, a1, -8
	j	.Lclear
.Lclear_byte:
	fixto .Lclear_fault, sb	zero, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, -1
	j	.Lclear
.Lclear_fault:
	user_end
	mv	a0, a1
	ret
