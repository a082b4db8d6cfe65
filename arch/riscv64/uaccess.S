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
 * arch_copy_user(dst, src, n): in blocks of 64 bytes, then in words. If the ends are aligned differently, whole words are stored that
 * are shifted together from aligned loads: a word that is loaded holds at least one byte to copy, so no page is touched that has none.
 * A block that faults is copied again by bytes: a0 and a1 advance past what was copied, the rest is a2.
 */
function arch_copy_user
	user_begin
	or	t0, a0, a1
	andi	t0, t0, 7
	bnez	t0, .Lcopy_unaligned
	li	t1, 64
.Lcopy_blocks:
	bltu	a2, t1, .Lcopy_words
.Lcopy_block:
	fixto .Lcopy_bytes, ld	a3, 0(a1)
	fixto .Lcopy_bytes, ld	a4, 8(a1)
	fixto .Lcopy_bytes, ld	a5, 16(a1)
	fixto .Lcopy_bytes, ld	a6, 24(a1)
	fixto .Lcopy_bytes, ld	a7, 32(a1)
	fixto .Lcopy_bytes, ld	t2, 40(a1)
	fixto .Lcopy_bytes, ld	t3, 48(a1)
	fixto .Lcopy_bytes, ld	t4, 56(a1)
	fixto .Lcopy_bytes, sd	a3, 0(a0)
	fixto .Lcopy_bytes, sd	a4, 8(a0)
	fixto .Lcopy_bytes, sd	a5, 16(a0)
	fixto .Lcopy_bytes, sd	a6, 24(a0)
	fixto .Lcopy_bytes, sd	a7, 32(a0)
	fixto .Lcopy_bytes, sd	t2, 40(a0)
	fixto .Lcopy_bytes, sd	t3, 48(a0)
	fixto .Lcopy_bytes, sd	t4, 56(a0)
	addi	a0, a0, 64
	addi	a1, a1, 64
	addi	a2, a2, -64
	bgeu	a2, t1, .Lcopy_block
.Lcopy_words:
	li	t1, 8
.Lcopy_word:
	bltu	a2, t1, .Lcopy_bytes
	fixto .Lcopy_bytes, ld	t0, 0(a1)
	fixto .Lcopy_bytes, sd	t0, 0(a0)
	addi	a0, a0, 8
	addi	a1, a1, 8
	addi	a2, a2, -8
	j	.Lcopy_word
	/* Bytes until the destination is aligned. */
.Lcopy_unaligned:
	andi	t0, a0, 7
	beqz	t0, .Lcopy_shift
.Lcopy_head:
	beqz	a2, .Lcopy_end
	fixto .Lcopy_end, lbu	t0, 0(a1)
	fixto .Lcopy_end, sb	t0, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	addi	a2, a2, -1
	andi	t0, a0, 7
	bnez	t0, .Lcopy_head
	li	t1, 64
	andi	t0, a1, 7
	beqz	t0, .Lcopy_blocks
	/* t5: aligned source, a3 and a4: shifts right and left (of 64 bits less), a5: the word at t5 */
.Lcopy_shift:
	li	t1, 32
	bltu	a2, t1, .Lcopy_bytes
	andi	t0, a1, 7
	sub	t5, a1, t0
	slli	a3, t0, 3
	neg	a4, a3
	fixto .Lcopy_bytes, ld	a5, 0(t5)
.Lcopy_shifted:
	fixto .Lcopy_bytes, ld	a6, 8(t5)
	fixto .Lcopy_bytes, ld	a7, 16(t5)
	fixto .Lcopy_bytes, ld	t2, 24(t5)
	fixto .Lcopy_bytes, ld	t3, 32(t5)
	srl	a5, a5, a3
	sll	t0, a6, a4
	or	a5, a5, t0
	fixto .Lcopy_bytes, sd	a5, 0(a0)
	srl	a6, a6, a3
	sll	t0, a7, a4
	or	a6, a6, t0
	fixto .Lcopy_bytes, sd	a6, 8(a0)
	srl	a7, a7, a3
	sll	t0, t2, a4
	or	a7, a7, t0
	fixto .Lcopy_bytes, sd	a7, 16(a0)
	srl	t2, t2, a3
	sll	t0, t3, a4
	or	t2, t2, t0
	fixto .Lcopy_bytes, sd	t2, 24(a0)
	mv	a5, t3
	addi	t5, t5, 32
	addi	a0, a0, 32
	addi	a1, a1, 32
	addi	a2, a2, -32
	bgeu	a2, t1, .Lcopy_shifted
.Lcopy_bytes:
	beqz	a2, .Lcopy_end
	fixto .Lcopy_end, lbu	t0, 0(a1)
	fixto .Lcopy_end, sb	t0, 0(a0)
	addi	a0, a0, 1
	addi	a1, a1, 1
	addi	a2, a2, -1
	j	.Lcopy_bytes
.Lcopy_end:
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
