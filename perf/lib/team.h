/*
 * A team: the threads or processes of one benchmark, made once, let through a gate once a sample.
 */
#ifndef PERF_LIB_TEAM_H
#define PERF_LIB_TEAM_H

#include "perf/lib/bench.h"

enum team_place {
	TEAM_ANYWHERE,	 /* the kernel places the workers */
	TEAM_SAME_HART,	 /* all on the first allowed hart */
	TEAM_OTHER_HART, /* worker i on the i-th allowed hart */
};

/* team_harts() - how many harts this process may use; bench_fail() if the kernel does not say. */
int team_harts(void);

/* team_init() - fill in @team, which lies in shared memory; no worker is there yet. */
void team_init(struct bench_team *team, const struct bench *bench, const char *name, int threads);

/* team_start() - start the workers, which wait at the gate. */
void team_start(struct bench_team *team, enum team_place place);

/*
 * team_run() - one sample of @ops operations, checked.
 * @window: the counted window to open around it, or -1.
 * Return: nanoseconds from the first worker's begin to the last worker's end.
 */
uint64_t team_run(struct bench_team *team, uint64_t ops, int window);

/*
 * team_run_endless() - as team_run() with operations without end, of which @window takes in a part: it opens when all workers have been at
 * work for a while, and closes before the first one is told to end. For work() that looks at .ops again after each operation.
 */
void team_run_endless(struct bench_team *team, int window);

/* team_stop() - let the workers end and wait for their ends. */
void team_stop(struct bench_team *team);

#endif
