/*
 * The benchmarks of the futex suite; each file has one idea and its own check.
 * For each: work() runs in every worker, prepare() and check() around a sample (perf/lib/bench.h).
 */
#ifndef PERF_FUTEX_CONTENTION_H
#define PERF_FUTEX_CONTENTION_H

#include "perf/lib/bench.h"

#define BROADCAST_WAITERS 64

/* mutex.c */
void mutex_prepare(struct bench_team *team);
void mutex_futex_work(struct bench_worker *worker);
void mutex_pthread_work(struct bench_worker *worker);
void mutex_check(struct bench_team *team);

/* private.c */
void private_wait_work(struct bench_worker *worker);
void private_wake_work(struct bench_worker *worker);

/* ping_pong.c */
void ping_pong_prepare(struct bench_team *team);
void ping_pong_work(struct bench_worker *worker);
void ping_pong_check(struct bench_team *team);

/* broadcast.c */
void broadcast_prepare(struct bench_team *team);
void broadcast_futex_work(struct bench_worker *worker);
void broadcast_pthread_work(struct bench_worker *worker);
void broadcast_check(struct bench_team *team);

/* queue.c */
void queue_prepare(struct bench_team *team);
void queue_futex_work(struct bench_worker *worker);
void queue_pthread_work(struct bench_worker *worker);
void queue_check(struct bench_team *team);

#endif
