/* What a benchmark program prints: a table for people, JSON lines for tools/compare. */
#ifndef PERF_LIB_REPORT_H
#define PERF_LIB_REPORT_H

#include "perf/lib/options.h"

/* The samples of one variant, each in nanoseconds an operation. */
struct report_line {
	const char *name; /* suite/benchmark/variant */
	const char *op;	  /* what one operation is */
	uint64_t bytes;	  /* that one operation moves, 0: report the time */
	double *samples;  /* sorted by report_line() */
	int nr_samples;
	uint64_t ops; /* operations in each sample */
};

void report_head(const struct options *options, const struct bench_suite *suite, int harts);
void report_line(const struct options *options, struct report_line *line);

/*
 * report_window() - one counted window of @ops operations has been run.
 * @one_hart: all of it ran on the hart that opened the window.
 */
void report_window(const struct options *options, const char *name, int window, uint64_t ops,
		   bool one_hart);

/* report_window_calls() - the same of a window in endless work, whose operations make @calls system calls each. */
void report_window_calls(const struct options *options, const char *name, int window, int calls);

/* report_unsupported() - this kernel cannot run @name, and why: a result, too. */
void report_unsupported(const struct options *options, const char *name, const char *why);

/* report_skip() - @name was not run, and why: not an error. */
void report_skip(const char *program, const char *name, const char *why);

#endif
