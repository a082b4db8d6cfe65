/*
 * kernel/sync/epoch.c: a reader that enters and leaves the kernel, an updater that replaces an
 * object and frees it two grace periods later, and a third hart that moves grace periods on. Nobody
 * uses a freed object. Fence 1 is (C) of the reader, 2 is (E) in epoch_defer(), 3 is (F) in
 * epoch_start().
 */
#define PROCS	  3
#define LOCATIONS 4
#define DEPTH	  4

#define STATE 0 /* sequence * 2 + in the kernel */
#define PTR   1
#define NOW   2
#define LOCK  3

#include "memory.pml"

bool freed;	    /* the object that PTR == 0 names */
bool waiting;	    /* under LOCK: the reader must pass a quiescent point */
byte noted;	    /* under LOCK: its word */

inline scan() {
	atomic { buffers[me].used == 0 && memory[LOCK] == 0 -> memory[LOCK] = 1 }
	if
	:: waiting -> LOAD(STATE, word); waiting = (word == noted)
	:: else
	fi;
	if
	:: !waiting ->
		LOAD(NOW, now);
		STORE(NOW, now + 1);
		NEEDED_FENCE(3);
		LOAD(STATE, word);
		atomic { noted = word; waiting = (word % 2 == 1) }
	:: else
	fi;
	STORE(LOCK, 0)
}

active proctype reader() {
	byte me = _pid - PROCS, slot, ptr, i;

	do
	:: i < 2 ->
		STORE(STATE, 2 * i + 1);
		NEEDED_FENCE(1);
		LOAD(PTR, ptr);
		assert(ptr == 1 || !freed);
		assert(ptr == 1 || !freed); /* still in use some time later */
		STORE(STATE, 2 * i + 2);
		i++
	:: else -> break
	od
}

active proctype updater() {
	byte me = _pid - PROCS, slot, tag, now, word, i;

	STORE(PTR, 1);
	NEEDED_FENCE(2);
	LOAD(NOW, tag);
	do
	:: i < 3 ->
		scan();
		LOAD(NOW, now);
		if
		:: now >= tag + 2 -> freed = true
		:: else
		fi;
		i++
	:: else -> break
	od
}

active proctype scanner() {
	byte me = _pid - PROCS, slot, now, word;

	scan();
	scan()
}
