/*
 * The marker instructions of count.h. The window is part of the instruction word, so each window
 * has its own two-instruction routine in a table of 8-byte entries that is entered by index.
 */
#include "perf/lib/count.h"

	.option norvc
	.text

	.macro marker_table name, base
	.globl	\name
	.type	\name, @function
	.balign	8
\name:
	slli	t1, a0, 3
	lla	t0, 1f
	add	t0, t0, t1
	jr	t0
	.balign	8
1:
	.set	window, 0
	.rept	BENCH_COUNT_WINDOWS
	slti	x0, x0, \base + window
	ret
	.set	window, window + 1
	.endr
	.size	\name, . - \name
	.endm

	marker_table bench_count_begin, BENCH_COUNT_BEGIN
	marker_table bench_count_end, BENCH_COUNT_END

	.globl	bench_count_arm
	.type	bench_count_arm, @function
bench_count_arm:
	slti	x0, x0, BENCH_COUNT_ARM
	ret
	.size	bench_count_arm, . - bench_count_arm

	.section .note.GNU-stack, "", @progbits
