/*
 * A team of pinned or free threads, or processes, that runs sample after sample.
 *
 * Workers sleep on team->gate between samples; the main thread opens it by adding one and sleeps
 * on team->running until the last worker has taken that to zero. Every field that a sample needs
 * is written before the gate's release store and read after its acquire load.
 *
 * A lost wake-up, here or in the benchmark, leaves running above zero: the main thread's wait has
 * a deadline and then names the workers that never came back. It looks every second whether a
 * worker process has died; one whose check failed has said so itself.
 */
#define _GNU_SOURCE
#include "perf/lib/team.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "perf/lib/count.h"
#include "perf/lib/futex.h"

#define WORKER_STACK (128 * 1024)
/* Of an endless sample: its beginning, and its counted part. More for each worker, as the host may have fewer cores than the guest harts. */
#define ENDLESS_MS	  50
#define ENDLESS_WORKER_MS 5

static void allowed_harts(cpu_set_t *set)
{
	CPU_ZERO(set);
	if (sched_getaffinity(0, sizeof(*set), set) < 0)
		bench_fail("sched_getaffinity: %s", strerror(errno));
}

int team_harts(void)
{
	cpu_set_t set;

	allowed_harts(&set);
	return CPU_COUNT(&set);
}

/* The @nth allowed hart, counted round and round. */
static int nth_hart(int nth)
{
	cpu_set_t set;
	int cpu = -1;

	allowed_harts(&set);
	for (int left = nth % CPU_COUNT(&set); left >= 0; left--)
		do
			cpu++;
		while (!CPU_ISSET(cpu, &set));
	return cpu;
}

static void pin_self(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		bench_fail("sched_setaffinity to hart %d: %s", cpu, strerror(errno));
}

static uint32_t gate_wait(struct bench_team *team, uint32_t seen)
{
	uint32_t gate;

	while ((gate = atomic_load_explicit(&team->gate, memory_order_acquire)) == seen)
		futex_wait_shared(&team->gate, seen, NULL);
	return gate;
}

/*
 * All workers begin together, so that a sample holds no wake-up of its own team. The last one to
 * arrive opens the counted window and lets the others go, who yield meanwhile: a sleep here would
 * stagger them again.
 */
static void start_together(struct bench_team *team)
{
	if (atomic_fetch_add(&team->started, 1) == (uint32_t)team->threads - 1) {
		if (team->window >= 0)
			bench_count_begin(team->window);
		atomic_store(&team->go, true);
	}
	while (!atomic_load(&team->go))
		sched_yield();
}

/* The time stamps and markers stand as close to the work as they can. */
static void worker_sample(struct bench_worker *worker)
{
	struct bench_team *team = worker->team;

	worker->done = 0;
	start_together(team);
	worker->start_ns = bench_now_ns();
	team->bench->work(worker);
	worker->end_ns = bench_now_ns();
	atomic_store(&worker->finished, true);
	if (atomic_fetch_sub(&team->running, 1) != 1)
		return;
	if (team->window >= 0)
		bench_count_end(team->window);
	futex_wake_shared(&team->running, 1);
}

static void *worker_main(void *arg)
{
	struct bench_worker *worker = arg;
	uint32_t seen = 0;

	if (worker->cpu >= 0)
		pin_self(worker->cpu);
	for (;;) {
		seen = gate_wait(worker->team, seen);
		if (worker->team->quit)
			return NULL;
		worker_sample(worker);
	}
}

void team_init(struct bench_team *team, const struct bench *bench, const char *name, int threads)
{
	memset(team, 0, sizeof(*team));
	team->bench = bench;
	team->name = name;
	team->threads = threads;
}

static void start_thread(struct bench_worker *worker)
{
	pthread_attr_t attr;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK);
	error = pthread_create(&worker->thread, &attr, worker_main, worker);
	if (error)
		bench_fail("pthread_create: %s", strerror(error));
	pthread_attr_destroy(&attr);
}

static void start_process(struct bench_worker *worker)
{
	pid_t pid = fork();

	if (pid < 0)
		bench_fail("fork: %s", strerror(errno));
	if (pid > 0) {
		worker->pid = pid;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	worker_main(worker);
	_exit(0);
}

void team_start(struct bench_team *team, enum team_place place)
{
	for (int i = 0; i < team->threads; i++) {
		struct bench_worker *worker = &team->workers[i];

		worker->team = team;
		worker->index = i;
		worker->cpu =
			place == TEAM_ANYWHERE ? -1 : nth_hart(place == TEAM_OTHER_HART ? i : 0);
		if (team->bench->processes)
			start_process(worker);
		else
			start_thread(worker);
	}
}

static void open_gate(struct bench_team *team)
{
	atomic_fetch_add_explicit(&team->gate, 1, memory_order_release);
	futex_wake_shared(&team->gate, INT_MAX);
}

_Noreturn static void stuck(const struct bench_team *team)
{
	char list[BENCH_MAX_THREADS * 4] = "";
	size_t used = 0;

	for (int i = 0; i < team->threads; i++)
		if (!atomic_load(&team->workers[i].finished))
			used += snprintf(list + used, sizeof(list) - used, " %d", i);
	bench_fail("no end after %d s, lost wake-up? Workers of %d still busy:%s", team->patience_s,
		   team->threads, list);
}

/* Wait for the end of a worker process, or with WNOHANG see that it lives. It must end well. */
static void reap(struct bench_worker *worker, int options)
{
	int status;
	pid_t pid = waitpid(worker->pid, &status, options);

	if (pid == 0)
		return;
	if (pid != worker->pid || status != 0)
		bench_fail("worker %d ended with status %#x", worker->index, status);
	worker->pid = 0;
}

static void wait_for_workers(struct bench_team *team)
{
	const struct timespec second = {.tv_sec = 1};
	uint64_t deadline = bench_now_ns() + team->patience_s * 1000000000ull;
	uint32_t running;

	while ((running = atomic_load(&team->running)) != 0) {
		if (futex_wait_shared(&team->running, running, &second) != -ETIMEDOUT)
			continue;
		for (int i = 0; i < team->threads; i++)
			if (team->workers[i].pid)
				reap(&team->workers[i], WNOHANG);
		if (bench_now_ns() >= deadline)
			stuck(team);
	}
}

static uint64_t sample_length(const struct bench_team *team)
{
	uint64_t start = UINT64_MAX, end = 0;

	for (int i = 0; i < team->threads; i++) {
		const struct bench_worker *worker = &team->workers[i];

		start = worker->start_ns < start ? worker->start_ns : start;
		end = worker->end_ns > end ? worker->end_ns : end;
	}
	if (end < start)
		bench_fail("CLOCK_MONOTONIC went backwards by %llu ns",
			   (unsigned long long)(start - end));
	return end > start ? end - start : 1;
}

/* Lets the workers go. Each does @share operations, the first @rest one more. */
static void start_sample(struct bench_team *team, uint64_t share, uint64_t rest, int window)
{
	team->window = window;
	atomic_store(&team->started, 0);
	atomic_store(&team->go, false);
	atomic_store(&team->running, team->threads);
	for (int i = 0; i < team->threads; i++) {
		team->workers[i].ops = share + ((uint64_t)i < rest);
		atomic_store(&team->workers[i].finished, false);
	}
	if (team->bench->prepare)
		team->bench->prepare(team);
	open_gate(team);
}

uint64_t team_run(struct bench_team *team, uint64_t ops, int window)
{
	team->ops = ops;
	start_sample(team, ops / team->threads, ops % team->threads, window);
	wait_for_workers(team);
	team->bench->check(team);
	return sample_length(team);
}

/* Sleeps, so that this hart too is the workers'. */
static void nap(const struct bench_team *team)
{
	const uint64_t ns = (ENDLESS_MS + ENDLESS_WORKER_MS * (uint64_t)team->threads) * 1000000;
	const struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	nanosleep(&time, NULL);
}

void team_run_endless(struct bench_team *team, int window)
{
	uint64_t deadline = bench_now_ns() + team->patience_s * 1000000000ull;

	start_sample(team, UINT64_MAX, 0, -1);
	while (!atomic_load(&team->go)) {
		nap(team);
		if (bench_now_ns() >= deadline)
			stuck(team);
	}
	nap(team);
	bench_count_begin(window);
	nap(team);
	bench_count_end(window);
	for (int i = 0; i < team->threads; i++)
		__atomic_store_n(&team->workers[i].ops, 0, __ATOMIC_RELAXED);
	wait_for_workers(team);
	team->ops = bench_done(team);
	team->bench->check(team);
}

void team_stop(struct bench_team *team)
{
	team->quit = true;
	open_gate(team);
	for (int i = 0; i < team->threads; i++)
		if (team->bench->processes)
			reap(&team->workers[i], 0);
		else
			pthread_join(team->workers[i].thread, NULL);
}

uint64_t bench_done(const struct bench_team *team)
{
	uint64_t done = 0;

	for (int i = 0; i < team->threads; i++)
		done += team->workers[i].done;
	return done;
}

void bench_check_done(struct bench_team *team)
{
	uint64_t done = bench_done(team);

	if (done != team->ops)
		bench_fail("%llu operations done, %llu asked for", (unsigned long long)done,
			   (unsigned long long)team->ops);
}
