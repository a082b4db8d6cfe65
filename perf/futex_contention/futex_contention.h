/*
 * The benchmarks of the futex suite; each file has one idea and its own check.
 * For each: work() runs in every worker, prepare() and check() around a sample (perf/lib/bench.h).
 */
#ifndef PERF_FUTEX_CONTENTION_H
#define PERF_FUTEX_CONTENTION_H

#include "perf/lib/bench.h"

#define BROADCAST_WAITERS 64

/* mutex.c */
enum mutex { MUTEX_PLAIN, MUTEX_ROBUST, MUTEX_PI };
const char *mutex_pthread_setup(struct bench_team *team);
void mutex_prepare(struct bench_team *team);
void mutex_futex_work(struct bench_worker *worker);
void mutex_pthread_work(struct bench_worker *worker);
void mutex_timed_work(struct bench_worker *worker);
void mutex_pi_work(struct bench_worker *worker);
void mutex_check(struct bench_team *team);

/* private.c */
const char *pi_setup(struct bench_team *team);
void private_wait_work(struct bench_worker *worker);
void private_wake_work(struct bench_worker *worker);
void private_timeout_work(struct bench_worker *worker);
void private_lock_pi_work(struct bench_worker *worker);

/* ping_pong.c */
enum ping_pong {
	PING_PONG_FUTEX,
	PING_PONG_BITSET,
	PING_PONG_WAKE_OP,
	PING_PONG_WAITV,
	PING_PONG_FUTEX2,
	PING_PONG_SHARED,
};
const char *ping_pong_waitv_setup(struct bench_team *team);
const char *ping_pong_futex2_setup(struct bench_team *team);
const char *ping_pong_shared_setup(struct bench_team *team);
void ping_pong_shared_teardown(struct bench_team *team);
void ping_pong_prepare(struct bench_team *team);
void ping_pong_work(struct bench_worker *worker);
void ping_pong_check(struct bench_team *team);

/* broadcast.c */
enum broadcast { BROADCAST_WAKE, BROADCAST_REQUEUE, BROADCAST_CMP_REQUEUE };
void broadcast_prepare(struct bench_team *team);
void broadcast_futex_work(struct bench_worker *worker);
void broadcast_pthread_work(struct bench_worker *worker);
void broadcast_check(struct bench_team *team);

/* queue.c */
void queue_prepare(struct bench_team *team);
void queue_futex_work(struct bench_worker *worker);
void queue_pthread_work(struct bench_worker *worker);
void queue_check(struct bench_team *team);

/* pthread.c */
void rwlock_work(struct bench_worker *worker);
const char *barrier_setup(struct bench_team *team);
void barrier_prepare(struct bench_team *team);
void barrier_teardown(struct bench_team *team);
void barrier_work(struct bench_worker *worker);
const char *semaphore_setup(struct bench_team *team);
void semaphore_work(struct bench_worker *worker);

#endif
