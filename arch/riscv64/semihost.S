/*
 * long semihost_call(u64 op, const u64 *args)
 *
 * QEMU knows a semihosting call by the two no-ops around ebreak. All three must be uncompressed and on one page: the
 * alignment comes before norvc, so that its padding may be compressed.
 */
	.text
	.globl semihost_call
	.type semihost_call, @function
	.balign 16
	.option push
	.option norvc
semihost_call:
	slli x0, x0, 0x1f
	ebreak
	srai x0, x0, 7
	ret
	.option pop
	.size semihost_call, . - semihost_call
