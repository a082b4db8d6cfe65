/* Floating-point registers to and from struct fp_state (fpu.h); FS is on. */
	.option	arch, +d
	.text

	.macro	each op
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\op	f\n, \n*8(a0)
	.endr
	.endm

	.globl	fpu_store_registers
	.type	fpu_store_registers, @function
fpu_store_registers:
	each	fsd
	frcsr	t0
	sw	t0, 256(a0)
	ret

	.globl	fpu_load_registers
	.type	fpu_load_registers, @function
fpu_load_registers:
	each	fld
	lw	t0, 256(a0)
	fscsr	t0
	ret
