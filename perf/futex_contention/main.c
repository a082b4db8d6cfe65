/* futex_contention: threads on futexes, the first job of StellarOS. Runs unchanged on Linux. */
#include "perf/futex_contention/futex_contention.h"

#define ARRAY_SIZE(array) (int)(sizeof(array) / sizeof((array)[0]))

static const struct bench benches[] = {
	{
		.name = "mutex",
		.op = "lock and unlock one mutex for all",
		.shape = BENCH_THREADS,
		.threads = 1,
		.count_ops = 1000,
		.prepare = mutex_prepare,
		.work = mutex_futex_work,
		.check = mutex_check,
	},
	{
		.name = "private-wait",
		.op = "FUTEX_WAIT that answers EAGAIN",
		.shape = BENCH_THREADS,
		.threads = 1,
		.count_ops = 200,
		.work = private_wait_work,
		.check = bench_check_done,
	},
	{
		.name = "private-wake",
		.op = "FUTEX_WAKE without a waiter",
		.shape = BENCH_THREADS,
		.threads = 1,
		.count_ops = 200,
		.work = private_wake_work,
		.check = bench_check_done,
	},
	{
		.name = "ping-pong",
		.op = "hand-off between two threads",
		.shape = BENCH_PAIR,
		.threads = 2,
		.granule = 1,
		.count_ops = 200,
		.prepare = ping_pong_prepare,
		.work = ping_pong_work,
		.check = ping_pong_check,
	},
	{
		.name = "broadcast",
		.variant = "64-waiters",
		.op = "wake 64 waiters, all run",
		.shape = BENCH_ONE,
		.threads = BROADCAST_WAITERS + 1,
		.count_ops = 10,
		.prepare = broadcast_prepare,
		.work = broadcast_futex_work,
		.check = broadcast_check,
	},
	{
		.name = "condvar",
		.op = "item through a queue of four",
		.shape = BENCH_THREADS,
		.threads = 2,
		.count_ops = 100,
		.prepare = queue_prepare,
		.work = queue_futex_work,
		.check = queue_check,
	},
	{
		.name = "pthread-mutex",
		.op = "lock and unlock one mutex for all",
		.shape = BENCH_THREADS,
		.threads = 1,
		.count_ops = 1000,
		.prepare = mutex_prepare,
		.work = mutex_pthread_work,
		.check = mutex_check,
	},
	{
		.name = "pthread-cond",
		.op = "item through a queue of four",
		.shape = BENCH_THREADS,
		.threads = 2,
		.count_ops = 100,
		.prepare = queue_prepare,
		.work = queue_pthread_work,
		.check = queue_check,
	},
	{
		.name = "pthread-broadcast",
		.variant = "64-waiters",
		.op = "wake 64 waiters, all run",
		.shape = BENCH_ONE,
		.threads = BROADCAST_WAITERS + 1,
		.count_ops = 10,
		.prepare = broadcast_prepare,
		.work = broadcast_pthread_work,
		.check = broadcast_check,
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
