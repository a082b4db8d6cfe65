/* core: null system call, clock, yield, threads, page faults. Runs unchanged on Linux. */
#include "perf/core/core.h"

#define ARRAY_SIZE(array) (int)(sizeof(array) / sizeof((array)[0]))

static const struct bench benches[] = {
	{
		.name = "null-syscall",
		.variant = "getppid",
		.op = "getppid()",
		.shape = BENCH_ONE,
		.threads = 1,
		.count_ops = 200,
		.prepare = getppid_prepare,
		.work = getppid_work,
		.check = bench_check_done,
	},
	{
		.name = "clock",
		.variant = "vdso",
		.op = "clock_gettime() by the vDSO",
		.shape = BENCH_ONE,
		.threads = 1,
		.count_ops = 200,
		.work = clock_vdso_work,
		.check = bench_check_done,
	},
	{
		.name = "clock",
		.variant = "syscall",
		.op = "clock_gettime() by system call",
		.shape = BENCH_ONE,
		.threads = 1,
		.count_ops = 200,
		.work = clock_syscall_work,
		.check = bench_check_done,
	},
	{
		.name = "yield",
		.op = "sched_yield(), two threads",
		.shape = BENCH_PAIR,
		.threads = 2,
		.count_ops = 200,
		.work = yield_work,
		.check = bench_check_done,
	},
	{
		.name = "thread",
		.variant = "create-join",
		.op = "pthread_create() and _join()",
		.shape = BENCH_ONE,
		.threads = 1,
		.count_ops = 40,
		.work = thread_work,
		.check = bench_check_done,
	},
	{
		.name = "fault",
		.op = "4 KiB page of 256 KiB regions",
		.shape = BENCH_THREADS,
		.threads = 1,
		.max_threads = 4,
		.granule = FAULT_SMALL_PAGES,
		.count_ops = 2 * FAULT_SMALL_PAGES,
		.work = fault_small_work,
		.check = bench_check_done,
	},
	{
		.name = "fault-large",
		.op = "4 KiB page of 8 MiB regions",
		.shape = BENCH_THREADS,
		.threads = 1,
		.max_threads = 4,
		.granule = FAULT_LARGE_PAGES,
		.count_ops = FAULT_LARGE_PAGES,
		.work = fault_large_work,
		.check = bench_check_done,
	},
};

int main(int argc, char **argv)
{
	static const struct bench_suite suite = {
		.name = "core",
		.program = "core",
		.about = "System calls, clock, yield, threads, page faults; every result is checked.",
		.benches = benches,
		.nr_benches = ARRAY_SIZE(benches),
	};

	return bench_main(&suite, argc, argv);
}
