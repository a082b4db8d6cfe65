/*
 * kernel/futex: who ends a waiter. It is queued in bucket 1 and may give up (timeout, signal) at
 * any moment; one moves it to bucket 2; one wakes in either bucket. The counts come out right, the
 * waker's count agrees with the waiter's state, and nobody touches a waiter that has left. Memory
 * is sequentially consistent: the fences are futex.pml's subject.
 * BROKEN=1: a waiter that gave up does not look again at its bucket under the lock (futex_leave()).
 * BROKEN=2: a waker clears the bucket before it claims (futex_claim()).
 * BROKEN=3: requeue lowers the source's count before it has raised the target's and linked there.
 */
#ifndef BROKEN
#define BROKEN 0
#endif

#define QUEUED	 0
#define WOKEN	 1
#define GIVEN_UP 2

bool locked[3];
byte count[3];	 /* of each bucket */
byte linked = 1; /* the bucket whose queue holds the waiter; 0: none */
byte bucket = 1; /* w->bucket */
byte state;
byte woken;
bool left; /* the waiter's frame is gone */

init {
	count[1] = 1;
	atomic { run waiter(); run requeuer(); run waker(1); run waker(2); run observer() }
}

inline lock(b) { atomic { !locked[b] -> locked[b] = true } }
inline unlock(b) { locked[b] = false }

inline unlink(b) {
	atomic {
		assert(!left && linked == b && count[b] > 0);
		linked = 0
	}
	count[b]--
}

proctype waiter() {
	byte b;

	if
	:: state == WOKEN -> goto out
	:: atomic { state == QUEUED -> state = GIVEN_UP }
	fi;
	do
	:: b = bucket;
		if
		:: b == 0 -> break
		:: else
		fi;
		lock(b);
		if
		:: BROKEN == 1 || bucket == b ->
			unlink(b);
			unlock(b);
			break
		:: else -> unlock(b)
		fi
	od;
out:	left = true;
	assert(woken == (state == WOKEN));
	linked == 0; /* all that is left to do is lowering a count */
}

proctype requeuer() {
	lock(1);
	lock(2);
	if
	:: linked == 1 ->
#if BROKEN == 3
		count[1]--;
		linked = 0;
		linked = 2;
		bucket = 2;
		count[2]++
#else
		count[2]++;
		assert(!left);
		linked = 2;
		bucket = 2;
		count[1]--
#endif
	:: else
	fi;
	unlock(2);
	unlock(1)
}

inline claim(b) {
	unlink(b);
#if BROKEN == 2
	bucket = 0;
#endif
	atomic {
		assert(!left);
		if
		:: state == QUEUED -> state = WOKEN; woken++; won = true
		:: else
		fi
	}
	if
	:: !won ->
		assert(!left);
		bucket = 0
	:: else
	fi
}

proctype waker(byte b) {
	bool won;

	if
	:: count[b] > 0 ->
		lock(b);
		if
		:: linked == b -> claim(b)
		:: else
		fi;
		unlock(b)
	:: count[b] == 0
	fi
}

/* Whoever is queued is counted: a wake-up that looks without the lock finds it. */
proctype observer() {
end:	atomic { linked != 0 -> assert(count[linked] > 0) }
}
