/*
 * kernel/sync/inbox.c: two producers push a message each, the consumer takes batches. Each message
 * arrives once and whole. Fence 1 is the release half of the CAS: without it a node is published
 * before its contents.
 */
#define PROCS	  3
#define LOCATIONS 7
#define DEPTH	  4

#define HEAD	0
#define NEXT(n) (n)
#define DATA(n) (2 + n)

#include "memory.pml"

byte received[3];

active [2] proctype producer() {
	byte me = _pid - PROCS, slot, head;
	byte node = me + 1;
	bool done;

	STORE(DATA(node), 1);
	do
	:: !done ->
		LOAD(HEAD, head);
		STORE(NEXT(node), head);
		atomic {
			NEEDED_FENCE(1) ->
			if
			:: memory[HEAD] == head -> memory[HEAD] = node; done = true
			:: else
			fi
		}
	:: done -> break
	od
}

active proctype consumer() {
	byte me = _pid - PROCS, slot, node, count, data;

	do
	:: count < 2 ->
		atomic {
			memory[HEAD] != 0;
			node = memory[HEAD];
			memory[HEAD] = 0
		}
		do
		:: node != 0 ->
			LOAD(DATA(node), data);
			assert(data == 1);
			received[node]++;
			assert(received[node] == 1);
			count++;
			LOAD(NEXT(node), node)
		:: else -> break
		od
	:: else -> break
	od
}
