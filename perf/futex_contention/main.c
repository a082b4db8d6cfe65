/* futex_contention: threads on futexes, the first job of StellarOS. Runs unchanged on Linux. */
#include "perf/futex_contention/futex_contention.h"

#define ARRAY_SIZE(array) (int)(sizeof(array) / sizeof((array)[0]))

/* Benchmarks that differ only in the version of the call that they try. */
#define MUTEX(name_, kind_, work_, setup_, ...)                                                    \
	{                                                                                          \
		.name = name_, .arg = kind_, .op = "lock and unlock one mutex for all",            \
		.shape = BENCH_THREADS, .threads = 1, .count_ops = 1000, .setup = setup_,          \
		.prepare = mutex_prepare, .work = work_, .check = mutex_check, __VA_ARGS__         \
	}
/* A PI mutex goes to the longest waiter: once threads wait, each operation is a switch. */
#define PI_MAX .max_ops = 4000
#define PRIVATE(name_, op_, work_, setup_, calls_)                                                 \
	{                                                                                          \
		.name = name_, .op = op_, .shape = BENCH_THREADS, .threads = 1, .count_ops = 200,  \
		.calls = calls_, .setup = setup_, .work = work_, .check = bench_check_done,        \
	}
#define PING_PONG(name_, version_, ...)                                                            \
	{                                                                                          \
		.name = name_, .arg = version_, .op = "hand-off between two threads",              \
		.shape = BENCH_PAIR, .threads = 2, .granule = 1, .count_ops = 200,                 \
		.prepare = ping_pong_prepare, .work = ping_pong_work, .check = ping_pong_check,    \
		__VA_ARGS__                                                                        \
	}
#define BROADCAST(name_, version_, op_, work_)                                                     \
	{                                                                                          \
		.name = name_, .variant = "64-waiters", .arg = version_, .op = op_,                \
		.shape = BENCH_ONE, .threads = BROADCAST_WAITERS + 1, .count_ops = 10,             \
		.prepare = broadcast_prepare, .work = work_, .check = broadcast_check,             \
	}
#define QUEUE(name_, work_)                                                                        \
	{                                                                                          \
		.name = name_, .op = "item through a queue of four", .shape = BENCH_THREADS,       \
		.threads = 2, .count_ops = 100, .prepare = queue_prepare, .work = work_,           \
		.check = queue_check,                                                              \
	}

static const struct bench benches[] = {
	MUTEX("mutex", MUTEX_PLAIN, mutex_futex_work, NULL),
	PRIVATE("private-wait", "FUTEX_WAIT that answers EAGAIN", private_wait_work, NULL, 1),
	PRIVATE("private-wake", "FUTEX_WAKE without a waiter", private_wake_work, NULL, 1),
	PRIVATE("private-timeout", "FUTEX_WAIT for 10 us", private_timeout_work, NULL, 0),
	PRIVATE("private-lock-pi", "FUTEX_LOCK_PI and _UNLOCK_PI", private_lock_pi_work, pi_setup, 2),
	PING_PONG("ping-pong", PING_PONG_FUTEX),
	PING_PONG("ping-pong-bitset", PING_PONG_BITSET),
	PING_PONG("ping-pong-wake-op", PING_PONG_WAKE_OP),
	PING_PONG("ping-pong-waitv", PING_PONG_WAITV, .setup = ping_pong_waitv_setup),
	PING_PONG("ping-pong-futex2", PING_PONG_FUTEX2, .setup = ping_pong_futex2_setup),
	PING_PONG("ping-pong-shared", PING_PONG_SHARED, .processes = true,
		  .setup = ping_pong_shared_setup, .teardown = ping_pong_shared_teardown),
	BROADCAST("broadcast", BROADCAST_WAKE, "wake 64 waiters, all run", broadcast_futex_work),
	BROADCAST("requeue", BROADCAST_REQUEUE, "requeue 64, wake, all run", broadcast_futex_work),
	BROADCAST("cmp-requeue", BROADCAST_CMP_REQUEUE, "requeue 64, wake, all run",
		  broadcast_futex_work),
	QUEUE("condvar", queue_futex_work),
	MUTEX("pi-mutex", MUTEX_PLAIN, mutex_pi_work, pi_setup, PI_MAX),
	MUTEX("pthread-mutex", MUTEX_PLAIN, mutex_pthread_work, mutex_pthread_setup),
	MUTEX("pthread-timed", MUTEX_PLAIN, mutex_timed_work, mutex_pthread_setup),
	MUTEX("pthread-robust", MUTEX_ROBUST, mutex_pthread_work, mutex_pthread_setup),
	MUTEX("pthread-pi", MUTEX_PI, mutex_pthread_work, mutex_pthread_setup, PI_MAX),
	QUEUE("pthread-cond", queue_pthread_work),
	BROADCAST("pthread-broadcast", BROADCAST_WAKE, "wake 64 waiters, all run",
		  broadcast_pthread_work),
	{
		.name = "pthread-rwlock",
		.op = "lock and unlock, one of eight to write",
		.shape = BENCH_THREADS,
		.threads = 1,
		.count_ops = 1000,
		.work = rwlock_work,
		.check = bench_check_done,
	},
	{
		.name = "pthread-barrier",
		.op = "barrier that all threads pass",
		.shape = BENCH_THREADS,
		.threads = 2,
		.count_ops = 50,
		.setup = barrier_setup,
		.prepare = barrier_prepare,
		.teardown = barrier_teardown,
		.work = barrier_work,
		.check = broadcast_check,
	},
	{
		.name = "pthread-semaphore",
		.op = "hand-off between two threads",
		.shape = BENCH_PAIR,
		.threads = 2,
		.granule = 2,
		.count_ops = 200,
		.setup = semaphore_setup,
		.work = semaphore_work,
		.check = bench_check_done,
	},
};

int main(int argc, char **argv)
{
	static const struct bench_suite suite = {
		.name = "futex",
		.program = "futex_contention",
		.about = "Threads that sleep on futexes and wake each other; every result is checked.",
		.benches = benches,
		.nr_benches = ARRAY_SIZE(benches),
	};

	return bench_main(&suite, argc, argv);
}
