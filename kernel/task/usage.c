/*
 * What tasks and processes have used: processor time, context switches, page faults. Each task counts its own without a lock; what
 * ended tasks had is kept in their process, what reaped children had in their parent.
 */
#include "abi/time.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"
#include "kernel/task/task_internal.h"

static void cpu_ticks_add(struct cpu_ticks *sum, const struct cpu_ticks *one)
{
	sum->run += one->run;
	sum->user += one->user;
	sum->voluntary += one->voluntary;
	sum->involuntary += one->involuntary;
	sum->faults += one->faults;
	sum->io.read_bytes += one->io.read_bytes;
	sum->io.written_bytes += one->io.written_bytes;
	sum->io.reads += one->io.reads;
	sum->io.writes += one->io.writes;
}

void task_cpu_ticks(struct task *t, struct cpu_ticks *out)
{
	sched_run_time(&t->thread, &out->run, &out->user);
	out->voluntary = atomic_load_relaxed(&t->thread.nr_voluntary);
	out->involuntary = atomic_load_relaxed(&t->thread.nr_involuntary);
	out->faults = atomic_load_relaxed(&t->thread.minor_faults);
	out->io = t->io_counts;
}

void process_cpu_ticks_locked(struct process *p, struct cpu_ticks *out)
{
	struct cpu_ticks one;
	struct task *t;

	*out = p->dead_ticks;
	list_for_each(t, &p->tasks, siblings) {
		task_cpu_ticks(t, &one);
		cpu_ticks_add(out, &one);
	}
}

void process_cpu_ticks(struct process *p, struct cpu_ticks *out)
{
	spin_lock(&p->lock);
	process_cpu_ticks_locked(p, out);
	spin_unlock(&p->lock);
}

void process_keep_ticks_locked(struct process *p, struct task *t)
{
	struct cpu_ticks own;

	task_cpu_ticks(t, &own);
	cpu_ticks_add(&p->dead_ticks, &own);
}

static struct abi_timeval ticks_to_timeval(u64 ticks)
{
	u64 us = time_ticks_to_ns(ticks) / NSEC_PER_USEC;

	return (struct abi_timeval){(s64)(us / USEC_PER_SEC), (s64)(us % USEC_PER_SEC)};
}

/* Of all its spaces up to now: exec does not begin anew. */
static u64 process_peak_pages(struct process *p)
{
	u64 pages;

	/* The lock keeps the space: process_replace_mm() takes it first. */
	spin_lock(&p->lock);
	pages = p->peak_resident;
	if (p->mm)
		pages = MAX(pages, mm_peak_resident_pages(p->mm));
	spin_unlock(&p->lock);
	return pages;
}

static void usage_fill(const struct cpu_ticks *cpu, struct process *p, struct abi_rusage *ru)
{
	*ru = (struct abi_rusage){
		.ru_utime = ticks_to_timeval(cpu->user),
		.ru_stime = ticks_to_timeval(cpu->run - cpu->user),
		.ru_maxrss = (s64)(process_peak_pages(p) * PAGE_SIZE / 1024),
		.ru_minflt = (s64)cpu->faults,
		.ru_nvcsw = (s64)cpu->voluntary,
		.ru_nivcsw = (s64)cpu->involuntary,
	};
}

void process_usage(struct process *p, struct abi_rusage *ru)
{
	struct cpu_ticks cpu;

	process_cpu_ticks(p, &cpu);
	usage_fill(&cpu, p, ru);
}

void task_usage(struct task *t, struct abi_rusage *ru)
{
	struct cpu_ticks cpu;

	task_cpu_ticks(t, &cpu);
	usage_fill(&cpu, t->process, ru);
}

static void timeval_add(struct abi_timeval *sum, const struct abi_timeval *tv)
{
	sum->tv_sec += tv->tv_sec;
	sum->tv_usec += tv->tv_usec;
	if (sum->tv_usec >= (s64)USEC_PER_SEC) {
		sum->tv_usec -= USEC_PER_SEC;
		sum->tv_sec++;
	}
}

void usage_add(struct abi_rusage *sum, const struct abi_rusage *ru)
{
	timeval_add(&sum->ru_utime, &ru->ru_utime);
	timeval_add(&sum->ru_stime, &ru->ru_stime);
	sum->ru_minflt += ru->ru_minflt;
	sum->ru_nvcsw += ru->ru_nvcsw;
	sum->ru_nivcsw += ru->ru_nivcsw;
	sum->ru_maxrss = MAX(sum->ru_maxrss, ru->ru_maxrss);
}
