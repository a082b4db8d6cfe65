/*
 * Exhaustive exploration of small concurrent programs that run the kernel's real code over the
 * model back end of the atomics.
 *
 * Threads are coroutines that may switch before every atomic operation. Memory follows an
 * operational "views" model: a location is its history of messages, a thread has for each location
 * a lower bound (its view) and a load may return any message from there on; release and acquire,
 * fences and read-modify-writes pass views on. That covers store buffering, stale and reordered
 * reads and reordered stores of RVWMO; it leaves out two things: loads that see stores of their own
 * future (load buffering), and stores that enter a location's order before an earlier executed one
 * (2+2W). Address dependencies order nothing here: code must use acquire.
 *
 * Every combination of switches and read choices is executed, by depth-first search with replay; an
 * execution that reaches a state seen before is dropped. Plain data can be checked for races
 * (model_data_read/write). Reported: failed checks, data races, and deadlocks (all unfinished
 * threads wait in cpu_relax(): a lost wake-up).
 */
#ifndef TESTS_MODEL_EXPLORE_H
#define TESTS_MODEL_EXPLORE_H

#include "kernel/sync/atomic.h"
#include "lib/types.h"

#define MODEL_MAX_THREADS 4

struct model_program {
	const char *name;
	u32 nr_threads;
	void (*setup)(void);	/* before each execution: makes all state fresh, without atomics */
	void (*thread)(u32 id); /* each thread's body */
	void (*finish)(void);	/* after all threads; may be NULL */
	void (*switched_to)(u32 id); /* thread `id` runs now: per-thread globals; may be NULL */
	u32 max_preemptions; /* how often a thread that could go on is interrupted; 0: no bound */
};

struct model_result {
	const char *violation; /* NULL: none */
	u64 executions;
	u64 states;
	bool complete; /* nothing was cut off by a limit */
};

struct model_result model_explore(const struct model_program *p);

/* Within a program: fails the execution. */
void model_check(bool ok, const char *what);
#define MODEL_CHECK(cond) model_check(cond, #cond)

/*
 * Marks an access to plain shared data; an access that is not ordered with another thread's is a
 * violation.
 */
void model_data_read(const void *p);
void model_data_write(const void *p);

/*
 * Breaks each ordered operation and fence of the kernel that `p` executes, one at a time, explores,
 * and notes whether that was noticed: made relaxed, and a full fence also without its store-load
 * order; with `rmw_fences` the read-modify-writes too, where the program relies on them as full
 * barriers. What was noticed in an earlier program is skipped.
 */
void model_mutate(const struct model_program *p, bool rmw_fences);

/*
 * After all model_mutate(): prints each breakage in `file` (the end of its name) that no program
 * noticed, and returns their number. Without `rmw` read-modify-writes are left out: they are full
 * barriers whether or not anyone needs more than atomicity.
 */
u32 model_unnoticed(const char *file, bool rmw);

#endif
