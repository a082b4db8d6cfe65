/*
 * First run of a thread: arch_switch() (context.h) comes here with its tag in a2; function and argument are on the stack. Returning from the
 * function is a bug.
 */
	.text
	.globl	arch_context_start
	.type	arch_context_start, @function
arch_context_start:
	ld	t0, 0(sp)
	ld	a0, 8(sp)
	mv	a1, a2
	addi	sp, sp, 16
	li	ra, 0
	jr	t0
