/*
 * arch_switch(prev, next, tag): see context.h. One CSR access: sscratch is exchanged.
 */
	.section .text.hot.switch, "ax", @progbits
	.globl	arch_switch
	.type	arch_switch, @function
	.balign 16
arch_switch:
	ld	t1, 14*8(a1)
	csrrw	t0, sscratch, t1
	sd	ra, 0*8(a0)
	sd	sp, 1*8(a0)
	sd	s0, 2*8(a0)
	sd	s1, 3*8(a0)
	sd	s2, 4*8(a0)
	sd	s3, 5*8(a0)
	sd	s4, 6*8(a0)
	sd	s5, 7*8(a0)
	sd	s6, 8*8(a0)
	sd	s7, 9*8(a0)
	sd	s8, 10*8(a0)
	sd	s9, 11*8(a0)
	sd	s10, 12*8(a0)
	sd	s11, 13*8(a0)
	sd	t0, 14*8(a0)
	/* Any reservation of prev's LR is dropped here, so that next's SC cannot succeed on it. */
	sc.d	zero, t0, (a0)
	sd	ra, 0*8(a0)
	ld	ra, 0*8(a1)
	ld	sp, 1*8(a1)
	ld	s0, 2*8(a1)
	ld	s1, 3*8(a1)
	ld	s2, 4*8(a1)
	ld	s3, 5*8(a1)
	ld	s4, 6*8(a1)
	ld	s5, 7*8(a1)
	ld	s6, 8*8(a1)
	ld	s7, 9*8(a1)
	ld	s8, 10*8(a1)
	ld	s9, 11*8(a1)
	ld	s10, 12*8(a1)
	ld	s11, 13*8(a1)
	mv	a0, a2
	ret

	/* First run of a thread: s0 = fn, s1 = arg; a0 = tag. Returning is a bug. */
	.text
	.globl	arch_context_start
	.type	arch_context_start, @function
arch_context_start:
	mv	a1, a0
	mv	a0, s1
	mv	t0, s0
	li	s0, 0
	li	ra, 0
	jr	t0
