/*
 * kernel/futex/pi.c: what waiting lends, and the end of an owner. Task 0 owns futex A and may end; task 1 owns B and locks A; task 2,
 * of priority 5, locks B and may give up. When all is quiet, each owner runs at what waits for it, and task 1 does not wait for a
 * task that has ended. Memory is sequentially consistent: all of it is under locks.
 * BROKEN=1: a waiter's priority is read before it shows that it waits (pi_enqueue()).
 * BROKEN=2: the owner's state is not looked at when its first waiter is attached (pi_attach()).
 * BROKEN=3: a step of the walk does not look again at what the task waits for once it has the bucket (pi_lock_found()).
 * BROKEN=4: who gives up does not walk on.
 */
#ifndef BROKEN
#define BROKEN 0
#endif

#define A    0
#define B    1
#define NONE 2

bool bucket[2], pi[3]; /* locks */
byte prio[3];	       /* what each runs at; 2 is of priority 5 by itself */
byte stands[3];	       /* where each one's waiter stands in its bucket */
byte blocked[3];       /* the futex that each waits for */
bool lends[2];	       /* the futex's waiter is in its owner's list */
bool queued[2];	       /* the futex has a waiter: task 1 for A, task 2 for B */
bool dead;	       /* task 0 takes no more waiters */
bool refused;	       /* task 1 was told that */
bool taken_over;       /* task 1 was told that the owner has died */
bool gone[3];	       /* the frame of the waiter is left */
byte done;

inline lock(l) { atomic { !l -> l = true } }

/* Waiter and owner of futex f: 1 and 0, or 2 and 1. Context: pi[f] held */
inline settle(f) {
	if
	:: lends[f] -> prio[f] = stands[f + 1]
	:: else -> prio[f] = 0
	fi
}

inline enqueue(f) {
	early = prio[f + 1];
	lock(pi[f + 1]);
#if BROKEN == 1
	stands[f + 1] = early;
#else
	stands[f + 1] = prio[f + 1];
#endif
	blocked[f + 1] = f;
	pi[f + 1] = false;
	lock(pi[f]);
	if
	:: f == A && dead && BROKEN != 2 ->
		pi[f] = false;
		lock(pi[f + 1]);
		blocked[f + 1] = NONE;
		pi[f + 1] = false;
		refused = true
	:: else ->
		lends[f] = true;
		settle(f);
		pi[f] = false;
		queued[f] = true
	fi
}

/* One step from task 1, which may wait for A. */
inline walk() {
	lock(pi[1]);
	wait = blocked[1];
	pi[1] = false;
	if
	:: wait == A ->
		lock(bucket[A]);
		lock(pi[1]);
		same = (blocked[1] == A);
		pi[1] = false;
		if
		:: same || BROKEN == 3 ->
			assert(!gone[1]);
			if
			:: stands[1] != prio[1] ->
				lock(pi[0]);
				stands[1] = prio[1];
				if
				:: lends[A] -> settle(A)
				:: else
				fi;
				pi[0] = false
			:: else
			fi
		:: else
		fi;
		bucket[A] = false
	:: else
	fi
}

active proctype owner() {
	if
	:: skip /* lives on */
	:: lock(pi[0]);
		dead = true;
		pi[0] = false;
		do
		:: lock(pi[0]);
			if
			:: lends[A] -> pi[0] = false
			:: else -> pi[0] = false; break
			fi;
			lock(bucket[A]);
			lock(pi[0]);
			if
			:: lends[A] -> lends[A] = false; settle(A); pi[0] = false; taken_over = true
			:: else -> pi[0] = false
			fi;
			bucket[A] = false
		od
	fi;
	done++
}

active proctype middle() {
	byte early;

	blocked[1] = NONE;
	lock(bucket[A]);
	enqueue(A);
	bucket[A] = false;
	done++;
	/* Becomes the owner of A: out of the queue. */
	if
	:: taken_over ->
		lock(bucket[A]);
		queued[A] = false;
		lock(pi[1]);
		blocked[1] = NONE;
		pi[1] = false;
		bucket[A] = false;
		gone[1] = true
	:: refused -> gone[1] = true
	:: done == 3 && !taken_over && !refused
	fi;
	done++
}

active proctype high() {
	byte early, wait;
	bool same;

	prio[2] = 5;
	lock(bucket[B]);
	enqueue(B);
	bucket[B] = false;
	walk();
	if
	:: skip /* waits on */
	:: lock(bucket[B]);
		queued[B] = false;
		lock(pi[2]);
		blocked[2] = NONE;
		pi[2] = false;
		lock(pi[1]);
		lends[B] = false;
		settle(B);
		pi[1] = false;
		bucket[B] = false;
#if BROKEN != 4
		walk()
#endif
	fi;
	done++
}

/* All quiet: nobody walks any more. */
active proctype judge() {
	done == 4;
	assert(prio[1] == (queued[B] -> 5 : 0));
	assert(!dead || !queued[A]);
	assert(prio[0] == (queued[A] -> prio[1] : 0))
}
