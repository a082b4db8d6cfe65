/*
 * Says when the firmware enters the kernel, then lets the kernel have it: the zero of boot times.
 *
 * The firmware enters this in the kernel's place. Its first instruction reads the time CSR; the line
 * "kernel_entry 0x<16 digits>" goes to the UART, and the kernel, which QEMU has loaded where it
 * belongs, is entered as the firmware would have done it: a0 = hart id, a1 = device tree, both
 * untouched. So the zero and the time of the first user instruction come from the same boot.
 *
 * Cost: the 32 bytes on the UART, some 0.1 ms, count as the kernel's boot time; the same for all.
 */
	.set	KERNEL, 0x80200000
	.set	UART, 0x10000000

	.section .text.entry, "ax"
	.globl kernel_entry
kernel_entry:
	rdtime	s0
	li	s1, UART
	lla	s2, label
1:	lbu	s3, (s2)
	beqz	s3, 2f
	jal	put
	addi	s2, s2, 1
	j	1b

2:	li	s2, 60
3:	srl	s3, s0, s2
	andi	s3, s3, 15
	lla	t1, digits
	add	t1, t1, s3
	lbu	s3, (t1)
	jal	put
	addi	s2, s2, -4
	bgez	s2, 3b
	li	s3, '\n'
	jal	put
	li	t0, KERNEL
	jr	t0

/* put: writes the byte in s3 to the 16550 at s1 when its transmitter is empty. Clobbers t0. */
put:
	lbu	t0, 5(s1)
	andi	t0, t0, 0x20
	beqz	t0, put
	sb	s3, (s1)
	ret

label:
	.asciz	"kernel_entry 0x"
digits:
	.ascii	"0123456789abcdef"
