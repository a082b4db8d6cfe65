/*
 * Where signal handlers return to. The two instructions stand alone and uncompressed: unwinders recognise a signal frame
 * by their bytes. It is the entry point of the image, by which the kernel finds it.
 */
#define NR_RT_SIGRETURN 139

	.section .text.sigreturn, "ax", @progbits
	.globl	__vdso_rt_sigreturn
	.type	__vdso_rt_sigreturn, @function
	.option push
	.option norvc
	.balign 4
__vdso_rt_sigreturn:
	li	a7, NR_RT_SIGRETURN
	ecall
	.option pop
	.size	__vdso_rt_sigreturn, . - __vdso_rt_sigreturn
	.section .note.GNU-stack, "", @progbits
