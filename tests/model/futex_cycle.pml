/*
 * kernel/futex/pi.c: deadlocks. Each of three tasks owns one futex and locks the next one's. Each shows where it waits and then walks the
 * chain, under one task's lock at a time; one that comes back to itself gives up and sets its own futex free. Not all of them sleep on.
 * BROKEN=1: a task walks before it shows where it waits.
 * BROKEN=2: it follows one arrow only.
 */
#ifndef BROKEN
#define BROKEN 0
#endif

#define TASKS 3

bool pi[TASKS];	     /* each task's lock */
bool waits[TASKS];   /* task i waits for what task i + 1 owns */
bool unlocked[TASKS]; /* task i has set its own futex free */

inline lock(l) { atomic { !l -> l = true } }

inline show_wait() {
	lock(pi[me]);
	waits[me] = true;
	pi[me] = false
}

inline walk_chain() {
	at = (me + 1) % TASKS;
	cycle = false;
	do
	:: at == me -> cycle = true; break
	:: else ->
		lock(pi[at]);
		seen = waits[at];
		pi[at] = false;
		if
		:: !seen || (BROKEN == 2 && at != (me + 1) % TASKS) -> break
		:: else -> at = (at + 1) % TASKS
		fi
	od
}

proctype task(byte me) {
	byte at;
	bool seen, cycle;

#if BROKEN == 1
	walk_chain();
	show_wait();
#else
	show_wait();
	walk_chain();
#endif
	if
	:: cycle
	:: !cycle -> unlocked[(me + 1) % TASKS]
	fi;
	lock(pi[me]);
	waits[me] = false;
	pi[me] = false;
	unlocked[me] = true
}

init { atomic { run task(0); run task(1); run task(2) } }
