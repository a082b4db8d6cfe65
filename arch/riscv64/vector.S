/* Vector registers to and from struct vector_state (vector.h); VS is on. The kernel's compiler is not told of vectors. */
	.option	arch, +v
	.text

#define REGISTERS 48

	/* All registers at t1, eight at a time. Elements of 64 bits: an emulator that goes through them one by one has fewest of them. */
	.macro each op
	vsetvli	t0, zero, e64, m8, ta, ma
	slli	t0, t0, 3
	\op	v0, (t1)
	add	t1, t1, t0
	\op	v8, (t1)
	add	t1, t1, t0
	\op	v16, (t1)
	add	t1, t1, t0
	\op	v24, (t1)
	.endm

	.macro invalidate_vtype
	li	t0, 1
	slli	t0, t0, 63
	vsetvl	t0, zero, t0
	.endm

	.globl	vector_store_registers
	.type	vector_store_registers, @function
vector_store_registers:
	csrr	t0, vstart
	csrr	t1, vl
	csrr	t2, vtype
	csrr	t3, vcsr
	sd	t0, 0(a0)
	sd	t1, 8(a0)
	sd	t2, 16(a0)
	sd	t3, 24(a0)
	addi	t1, a0, REGISTERS
	each	vse64.v
	invalidate_vtype
	ret

	.globl	vector_load_registers
	.type	vector_load_registers, @function
vector_load_registers:
	addi	t1, a0, REGISTERS
	each	vle64.v
	ld	t0, 0(a0)
	ld	t1, 8(a0)
	ld	t2, 16(a0)
	ld	t3, 24(a0)
	vsetvl	zero, t1, t2
	csrw	vstart, t0
	csrw	vcsr, t3
	ret

	/* Enough where VS goes off: whoever has it on next loads everything. */
	.globl	vector_forget_type
	.type	vector_forget_type, @function
vector_forget_type:
	invalidate_vtype
	ret

	/* vector.h says why. */
	.globl	vector_fill
	.type	vector_fill, @function
vector_fill:
	vsetvli	t0, zero, e64, m8, ta, ma
	vmv.v.i	v0, -1
	vmv.v.i	v8, -1
	vmv.v.i	v16, -1
	vmv.v.i	v24, -1
	invalidate_vtype
	ret
