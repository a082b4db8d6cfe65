/*
 * The program's entry point: the first instruction reads the `time` CSR, then libc starts as ever.
 * Linux and StellarOS both let user mode read it (scounteren.TM).
 */
	.text
	.globl	boot_entry
	.type	boot_entry, @function
boot_entry:
	rdtime	t0
	lla	t1, boot_entry_time
	sd	t0, 0(t1)
	j	_start
	.size	boot_entry, . - boot_entry

	.data
	.balign	8
	.globl	boot_entry_time
	.type	boot_entry_time, @object
boot_entry_time:
	.dword	0
	.size	boot_entry_time, . - boot_entry_time

	.section .note.GNU-stack, "", @progbits
