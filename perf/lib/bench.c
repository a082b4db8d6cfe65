/*
 * The suite driver: expands benchmarks into variants, selects, measures or counts each.
 *
 * Time: the number of operations grows from the granule until a run fills half a sample, is then
 * scaled to a whole one and stays fixed for all samples of the variant; the growing runs warm up
 * caches and QEMU's translations. Counts: a fixed number of operations, one run to warm up, then
 * several windows (the reader takes the minimum: ticks and interrupts only add).
 */
#include "perf/lib/bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "perf/lib/count.h"
#include "perf/lib/options.h"
#include "perf/lib/report.h"
#include "perf/lib/team.h"

#define COUNT_REPEATS	   8
#define COUNT_REPEATS_MANY 3   /* with more workers than */
#define COUNT_MANY	   16  /* whose share of ticks is small */
#define COUNT_WATCHDOG_S   600 /* counted code is slow, with many harts very slow */
#define NAME_SIZE	   64
#define MAX_GROWTH	   16
#define MAX_OPS		   (1ull << 40)

struct variant {
	const struct bench *bench;
	char name[NAME_SIZE]; /* suite/benchmark/variant */
	int threads;
	enum team_place place;
};

static const char *running_program = "bench";
static const char *running_name;
static struct bench_team *team; /* in memory that worker processes share */

void bench_fail(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s: ", running_program);
	if (running_name)
		fprintf(stderr, "%s: ", running_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	_Exit(1);
}

const char *bench_unsupported(const char *what)
{
	static char reason[128];

	snprintf(reason, sizeof(reason), "%s: %s", what, strerror(errno));
	return reason;
}

void *bench_map_shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		bench_fail("mmap of %zu shared bytes: %s", size, strerror(errno));
	return memory;
}

uint64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static uint64_t whole_granules(const struct bench *bench, uint64_t ops)
{
	uint64_t granule = bench->granule ? bench->granule * team->threads : 1;

	return (ops + granule - 1) / granule * granule;
}

/* How many operations fill @sample_ns. */
static uint64_t calibrate(const struct bench *bench, uint64_t sample_ns)
{
	uint64_t ops = whole_granules(bench, team->threads);
	uint64_t max_ops = bench->max_ops ? bench->max_ops : MAX_OPS;

	for (;;) {
		uint64_t ns = team_run(team, ops, -1);
		double factor = (double)sample_ns / ns;

		factor = factor < MAX_GROWTH ? factor : MAX_GROWTH;
		if (ops * factor > max_ops)
			return whole_granules(bench, max_ops);
		if (factor < 2)
			return whole_granules(bench, factor > 1 ? ops * factor : ops);
		ops = whole_granules(bench, ops * factor);
	}
}

static void measure(const struct options *options, const struct variant *variant)
{
	uint64_t sample_ns = options->duration_ms * 1000000ull / options->samples;
	double samples[options->samples];
	struct report_line line = {
		.name = variant->name,
		.op = variant->bench->op,
		.bytes = variant->bench->bytes,
		.samples = samples,
		.nr_samples = options->samples,
		.ops = calibrate(variant->bench, sample_ns),
	};

	for (int i = 0; i < options->samples; i++)
		samples[i] = (double)team_run(team, line.ops, -1) / line.ops;
	report_line(options, &line);
}

/*
 * A counted team of one thread is pinned, so that its hart's counters alone are its cost. So are
 * the two of a same-hart pair. For all others the cost is spread over the machine.
 */
static bool one_hart(const struct variant *variant)
{
	return variant->threads == 1 || variant->place == TEAM_SAME_HART;
}

/* Where counted workers are: threads that find a hart each stay there, so nobody migrates. */
static enum team_place count_place(const struct variant *variant)
{
	if (one_hart(variant))
		return TEAM_SAME_HART;
	if (variant->bench->shape == BENCH_THREADS && variant->threads <= team_harts())
		return TEAM_OTHER_HART;
	return variant->place;
}

/*
 * Operations that each worker does on its own, each on its hart: a window lies in the midst of them, so it holds neither the begin nor the end of
 * the team, whose lines all workers share. How many operations fell into it the reader finds out from the returns from traps.
 */
static bool count_endless(const struct variant *variant)
{
	return variant->bench->calls && variant->threads > 1 &&
	       count_place(variant) == TEAM_OTHER_HART;
}

static void count(const struct options *options, const struct variant *variant, int window)
{
	const struct bench *bench = variant->bench;
	int workers = bench->shape == BENCH_ONE ? 1 : variant->threads;
	uint64_t ops = whole_granules(bench, bench->count_ops * workers);
	int repeats = workers > COUNT_MANY ? COUNT_REPEATS_MANY : COUNT_REPEATS;

	team_run(team, ops, -1);
	for (int i = 0; i < repeats; i++) {
		if (count_endless(variant)) {
			team_run_endless(team, window);
			report_window_calls(options, variant->name, window, bench->calls);
		} else {
			team_run(team, ops, window);
			report_window(options, variant->name, window, ops, one_hart(variant));
		}
	}
}

static void run_variant(const struct options *options, const struct bench_suite *suite,
			const struct variant *variant, int window)
{
	const struct bench *bench = variant->bench;
	const char *why;

	if (variant->place == TEAM_OTHER_HART && team_harts() < variant->threads) {
		report_skip(suite->program, variant->name, "needs more harts");
		return;
	}
	running_name = variant->name;
	team_init(team, bench, variant->name, variant->threads);
	team->patience_s = options->count ? COUNT_WATCHDOG_S : BENCH_WATCHDOG_S;
	why = bench->setup ? bench->setup(team) : NULL;
	if (why) {
		report_unsupported(options, variant->name, why);
		running_name = NULL;
		return;
	}
	team_start(team, options->count ? count_place(variant) : variant->place);
	if (options->count)
		count(options, variant, window);
	else
		measure(options, variant);
	team_stop(team);
	if (bench->teardown)
		bench->teardown(team);
	running_name = NULL;
}

__attribute__((format(printf, 4, 5))) static void add_variant(struct variant *variant,
							      const struct bench_suite *suite,
							      const struct bench *bench,
							      const char *format, ...)
{
	va_list args;
	int used = snprintf(variant->name, NAME_SIZE, "%s/%s/", suite->name, bench->name);

	va_start(args, format);
	vsnprintf(variant->name + used, NAME_SIZE - used, format, args);
	va_end(args);
	variant->bench = bench;
	variant->threads = bench->threads;
	variant->place = bench->one_hart ? TEAM_SAME_HART : TEAM_ANYWHERE;
}

/* Append the variants of @bench at @out. Return: how many. */
static int expand(const struct options *options, const struct bench_suite *suite,
		  const struct bench *bench, struct variant *out)
{
	int nr = 0;

	switch (bench->shape) {
	case BENCH_ONE:
		add_variant(&out[nr++], suite, bench, "%s", bench->variant);
		break;
	case BENCH_PAIR:
		add_variant(&out[nr], suite, bench, "same-hart");
		out[nr++].place = TEAM_SAME_HART;
		add_variant(&out[nr], suite, bench, "other-hart");
		out[nr++].place = TEAM_OTHER_HART;
		break;
	case BENCH_THREADS:
		for (int i = 0; i < options->nr_threads; i++) {
			int threads = options->threads[i];

			if (threads < bench->threads ||
			    (bench->max_threads && threads > bench->max_threads))
				continue;
			add_variant(&out[nr], suite, bench, "%d-threads", threads);
			out[nr++].threads = threads;
		}
		break;
	}
	return nr;
}

int bench_main(const struct bench_suite *suite, int argc, char **argv)
{
	struct variant variants[BENCH_COUNT_WINDOWS];
	char *names[BENCH_COUNT_WINDOWS];
	struct options options;
	int nr = 0;

	running_program = suite->program;
	team = bench_map_shared(sizeof(*team));
	options_parse(&options, suite, argc, argv);
	for (int i = 0; i < suite->nr_benches; i++)
		nr += expand(&options, suite, &suite->benches[i], &variants[nr]);
	for (int i = 0; i < nr; i++)
		names[i] = variants[i].name;
	options_check_only(&options, suite, names, nr);
	if (!options.list)
		report_head(&options, suite, team_harts());
	if (options.count)
		bench_count_arm();
	for (int i = 0; i < nr; i++) {
		if (!options_select(&options, names[i]))
			continue;
		if (options.list)
			printf("%s\n", names[i]);
		else
			run_variant(&options, suite, &variants[i], i);
	}
	return 0;
}
