/* The benchmarks of the ipc suite; for each, work() runs in every worker (perf/lib/bench.h). */
#ifndef PERF_IPC_H
#define PERF_IPC_H

#include "perf/lib/bench.h"

/* shm.c: .arg is the segment's size; the _same versions have one segment for all workers */
const char *shm_setup(struct bench_team *team);
const char *shm_same_setup(struct bench_team *team);
void shm_teardown(struct bench_team *team);
void attach_work(struct bench_worker *worker);
void touch_work(struct bench_worker *worker);
void stat_work(struct bench_worker *worker);
void shm_futex_prepare(struct bench_team *team);
void shm_futex_work(struct bench_worker *worker);

/* sem.c */
const char *sem_setup(struct bench_team *team);
const char *sem_same_setup(struct bench_team *team);
void sem_teardown(struct bench_team *team);
void sem_work(struct bench_worker *worker);
void sem_undo_work(struct bench_worker *worker);
const char *sem_pair_setup(struct bench_team *team);
void sem_pair_work(struct bench_worker *worker);

/* msg.c: .arg is the size of a message */
const char *msg_setup(struct bench_team *team);
void msg_teardown(struct bench_team *team);
void msg_own_work(struct bench_worker *worker);
void msg_pair_work(struct bench_worker *worker);
void msg_stream_work(struct bench_worker *worker);

#endif
