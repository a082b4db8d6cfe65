/* The command line of a benchmark program, the same for every suite. */
#ifndef PERF_LIB_OPTIONS_H
#define PERF_LIB_OPTIONS_H

#include "perf/lib/bench.h"

#define OPTIONS_MAX_ONLY   64
#define OPTIONS_MAX_COUNTS 16

struct options {
	bool json;
	bool count;	 /* counted windows instead of time */
	bool list;	 /* names only */
	int duration_ms; /* of all samples of one variant together */
	int samples;
	const char *only[OPTIONS_MAX_ONLY];
	int nr_only;
	int threads[OPTIONS_MAX_COUNTS]; /* variants of BENCH_THREADS */
	int nr_threads;
};

/*
 * options_parse() - fill in @options from the command line.
 * --help is answered here and ends the program with status 0; a bad command line ends it with
 * status 2 after one line on stderr.
 */
void options_parse(struct options *options, const struct bench_suite *suite, int argc, char **argv);

/*
 * options_select() - is the variant called @name (suite/benchmark/variant) wanted?
 * A name in --only is a whole name or leading parts of one, with or without the suite.
 */
bool options_select(const struct options *options, const char *name);

/* options_check_only() - exit(2) when a name in --only matches none of the @nr @names. */
void options_check_only(const struct options *options, const struct bench_suite *suite,
			char *const *names, int nr);

#endif
