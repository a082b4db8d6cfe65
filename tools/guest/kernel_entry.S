/*
 * A kernel that only tells the time at which the firmware enters it: the zero of boot times.
 *
 * It takes the place of a kernel on the same machine with the same firmware and root file system,
 * reads the time CSR in its first instruction, prints the line "kernel_entry 0x<16 digits>" on the
 * UART and powers the machine off with status 0. One hart enters (SBI HSM); there is no stack.
 */
	.section .text.entry, "ax"
	.globl kernel_entry
kernel_entry:
	rdtime	s0
	li	s1, 0x10000000
	lla	a0, label
1:	lbu	a1, (a0)
	beqz	a1, 2f
	jal	put
	addi	a0, a0, 1
	j	1b

2:	li	s2, 60
3:	srl	a1, s0, s2
	andi	a1, a1, 15
	lla	a0, digits
	add	a0, a0, a1
	lbu	a1, (a0)
	jal	put
	addi	s2, s2, -4
	bgez	s2, 3b
	li	a1, '\n'
	jal	put

	li	t0, 0x100000		/* sifive_test: status 0 << 16 | 0x3333 */
	li	t1, 0x3333
	sw	t1, (t0)
4:	j	4b

/* put: writes the byte in a1 to the 16550 at s1 when its transmitter is empty. Clobbers t0. */
put:
	lbu	t0, 5(s1)
	andi	t0, t0, 0x20
	beqz	t0, put
	sb	a1, (s1)
	ret

label:
	.asciz	"kernel_entry 0x"
digits:
	.ascii	"0123456789abcdef"
