/*
 * kernel/futex/waitwake.c: one waits while the word is 0, one changes it and wakes. A waiter that
 * sleeps for ever is an invalid end state. Fence 1 is (A) in futex_queue_if_equal(), fence 2 is (B)
 * in futex_wake(); taking the lock orders nothing here, so that they stand alone.
 */
#define PROCS	  2
#define LOCATIONS 3
#define DEPTH	  4

#define WORD  0
#define COUNT 1
#define LOCK  2

#include "memory.pml"

bool queued; /* under LOCK */
bool woken;

inline lock() { atomic { memory[LOCK] == 0 -> memory[LOCK] = 1 } }

active proctype waiter() {
	byte me = 0, slot, value, count;

	lock();
	LOAD(COUNT, count);
	STORE(COUNT, count + 1);
	NEEDED_FENCE(1);
	LOAD(WORD, value);
	if
	:: value == 0 ->
		queued = true;
		STORE(LOCK, 0);
		woken
	:: else ->
		STORE(COUNT, count);
		STORE(LOCK, 0)
	fi
}

active proctype waker() {
	byte me = 1, slot, count;

	STORE(WORD, 1);
	NEEDED_FENCE(2);
	LOAD(COUNT, count);
	if
	:: count != 0 ->
		lock();
		if
		:: queued ->
			queued = false;
			LOAD(COUNT, count);
			STORE(COUNT, count - 1);
			woken = true
		:: else
		fi;
		STORE(LOCK, 0)
	:: else
	fi
}
