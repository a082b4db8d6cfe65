/* The benchmarks of the core suite: what a program pays the kernel for at every turn. */
#ifndef PERF_CORE_H
#define PERF_CORE_H

#include "perf/lib/bench.h"

/* syscall.c */
void getppid_prepare(struct bench_team *team);
void getppid_work(struct bench_worker *worker);
void clock_vdso_work(struct bench_worker *worker);
void clock_syscall_work(struct bench_worker *worker);

/* thread.c */
void yield_work(struct bench_worker *worker);
void thread_work(struct bench_worker *worker);

/* fault.c: operations come in whole regions */
#define FAULT_PAGE	  4096
#define FAULT_SMALL_PAGES 64   /* 256 KiB: never a transparent huge page */
#define FAULT_LARGE_PAGES 2048 /* 8 MiB: the kernel may use 2 MiB pages */
void fault_small_work(struct bench_worker *worker);
void fault_large_work(struct bench_worker *worker);

#endif
