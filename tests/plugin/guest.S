/*
 * Known work between markers, for tests/plugin/plugin_test.py, which holds the expected counts.
 * Machine mode, two harts, no memory management.
 *
 * Window 1: a loop of LOOPS turns, then CSRS CSR reads: one hart, one page.
 * Window 2: CALLS calls of a function on another page: two look-ups each.
 * Window 3: TURNS hand-overs of one line between two harts that take turns.
 */
#include "perf/lib/count.h"

#define LOOPS 1000
#define CSRS 10
#define CALLS 100
#define TURNS 500
#define PAUSE 500
#define SIFIVE_TEST 0x100000
#define SIFIVE_TEST_PASS 0x5555

	.option norvc

	.macro begin window
	slti	x0, x0, BENCH_COUNT_BEGIN + \window
	.endm
	.macro end window
	slti	x0, x0, BENCH_COUNT_END + \window
	.endm

	/*
	 * Take turns with the other hart: wait until turn is 2k + parity, add one, TURNS times.
	 * In window 3 both harts run this at the same time. The pause before each look makes it
	 * rare that a hart sees the other's store before the plugin has been told of it.
	 */
	.macro take_turns parity
	la	t0, turn
	li	t1, TURNS
	li	t2, \parity
1:
	li	t5, PAUSE
2:
	addi	t5, t5, -1
	bnez	t5, 2b
	ld	t3, 0(t0)
	andi	t4, t3, 1
	bne	t4, t2, 1b
	addi	t3, t3, 1
	sd	t3, 0(t0)
	addi	t1, t1, -1
	bnez	t1, 1b
	.endm

	.section .text.entry, "ax"
	.globl guest_entry
guest_entry:
	csrr	a0, mhartid
	bnez	a0, other_hart
	slti	x0, x0, BENCH_COUNT_ARM
	j	armed

	/* The plugin instruments from the next translation block on. */
	.balign	4096
armed:
	li	t0, LOOPS
	begin	1
1:
	addi	t0, t0, -1
	bnez	t0, 1b
	.rept	CSRS
	csrr	t1, mscratch
	.endr
	end	1

	li	s0, CALLS
	la	s1, far_function
	begin	2
1:
	jalr	ra, 0(s1)
	addi	s0, s0, -1
	bnez	s0, 1b
	end	2

	/* Let the other hart go, and open the window when it has arrived. */
	la	t0, gate
	li	t1, 1
	sd	t1, 0(t0)
	la	t0, arrived
1:
	ld	t1, 0(t0)
	beqz	t1, 1b
	begin	3
	take_turns 0
	/* The other hart's last turn belongs to the window. */
	la	t0, turn
	li	t1, 2 * TURNS
1:
	ld	t3, 0(t0)
	bne	t3, t1, 1b
	end	3

	li	t0, SIFIVE_TEST
	li	t1, SIFIVE_TEST_PASS
	sw	t1, 0(t0)
stop:
	j	stop

other_hart:
	li	t0, 1
	bne	a0, t0, stop
	la	t0, gate
1:
	ld	t1, 0(t0)
	beqz	t1, 1b
	la	t0, arrived
	li	t1, 1
	sd	t1, 0(t0)
	take_turns 1
	j	stop

	.balign	4096
far_function:
	ret

	.data
	.balign	64
	.globl turn
turn:
	.dword	0
	.balign	64
gate:
	.dword	0
	.balign	64
arrived:
	.dword	0
	.balign	64
