/*
 * kernel/sync/hart.h: two senders and a hart that halts when it has no work. Every message is
 * received: a hart that sleeps for ever is an invalid end state. Fence 1 is (A) in hart_kick(),
 * fence 2 is (B) in hart_leave_kernel().
 */
#define PROCS	  3
#define LOCATIONS 4
#define DEPTH	  4

#define WORK	   0
#define STATE	   1
#define MESSAGE(n) (2 + n)

#define KERNEL 0
#define HALTED 1

#include "memory.pml"

bool ring;

active [2] proctype sender() {
	byte me = _pid - PROCS, slot, before, state;

	STORE(MESSAGE(me), 1);
#if BROKEN == 1
	LOAD(WORK, before);
	STORE(WORK, 1);
#else
	atomic { NEEDED_FENCE(1) -> before = memory[WORK]; memory[WORK] = 1 }
#endif
	LOAD(STATE, state);
	if
	:: state == HALTED && before == 0 -> ring = true
	:: else
	fi
}

active proctype hart() {
	byte me = _pid - PROCS, slot, work, a, b;

	do
	:: a + b < 2 ->
		STORE(STATE, HALTED);
		NEEDED_FENCE(2);
		LOAD(WORK, work);
		if
		:: work == 0 -> atomic { ring -> ring = false }
		:: else
		fi;
		STORE(STATE, KERNEL);
		atomic { buffers[me].used == 0 -> memory[WORK] = 0 }
		LOAD(MESSAGE(0), a);
		LOAD(MESSAGE(1), b)
	:: else -> break
	od
}
