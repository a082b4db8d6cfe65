/*
 * A store buffer for each process: a FIFO of (location, value) that drains at any moment, as on a
 * machine where a store may be seen late (TSO; RISC-V allows more, which tests/model/model_test
 * covers). Include, after defining PROCS, LOCATIONS and DEPTH.
 *
 *   STORE(l, v)   LOAD(l, to)   NEEDED_FENCE(n)
 *   atomic { NEEDED_FENCE(n) -> read-modify-write of memory[] }
 * `me` is the process's number, `slot` a scratch byte. -DBROKEN=n turns NEEDED_FENCE(n) into
 * nothing.
 */
#ifndef BROKEN
#define BROKEN 0
#endif

typedef buffer {
	byte location[DEPTH];
	byte value[DEPTH];
	byte used
};

byte memory[LOCATIONS];
buffer buffers[PROCS];

inline STORE(l, v) {
	d_step {
		assert(buffers[me].used < DEPTH);
		buffers[me].location[buffers[me].used] = l;
		buffers[me].value[buffers[me].used] = v;
		buffers[me].used++
	}
}

/* The newest buffered store to the location, or memory. */
inline LOAD(l, to) {
	d_step {
		to = memory[l];
		slot = 0;
		do
		:: slot < buffers[me].used ->
			if
			:: buffers[me].location[slot] == l -> to = buffers[me].value[slot]
			:: else
			fi;
			slot++
		:: else -> break
		od;
		slot = 0
	}
}

#define NEEDED_FENCE(n)	(BROKEN == n || buffers[me].used == 0)

/* Process n drains the buffer of the process whose `me` is n; PROCS of them start first. */
active [PROCS] proctype drain() {
	byte i;
end:
	do
	:: d_step {
		buffers[_pid].used > 0 ->
		memory[buffers[_pid].location[0]] = buffers[_pid].value[0];
		i = 1;
		do
		:: i < buffers[_pid].used ->
			buffers[_pid].location[i - 1] = buffers[_pid].location[i];
			buffers[_pid].value[i - 1] = buffers[_pid].value[i];
			i++
		:: else -> break
		od;
		buffers[_pid].used--;
		buffers[_pid].location[buffers[_pid].used] = 0;
		buffers[_pid].value[buffers[_pid].used] = 0;
		i = 0
	   }
	od
}
