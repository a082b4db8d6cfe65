/*
 * The table and the JSON lines. Each line is flushed at once: a run that dies has shown what it
 * measured until then.
 */
#include "perf/lib/report.h"

#include <stdio.h>
#include <stdlib.h>

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *sorted, int nr)
{
	return nr % 2 ? sorted[nr / 2] : (sorted[nr / 2 - 1] + sorted[nr / 2]) / 2;
}

/* @ns in the unit that leaves one to three digits before the point. */
static const char *duration_text(double ns, char *text, size_t size)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	int unit = 0;

	while (ns >= 1000 && unit < 3) {
		ns /= 1000;
		unit++;
	}
	snprintf(text, size, "%.*f %-2s", ns < 10 ? 2 : ns < 100 ? 1 : 0, ns, units[unit]);
	return text;
}

/* @value with a space before each group of three digits. */
static const char *grouped_text(double value, char *text, size_t size)
{
	char digits[32];
	int length = snprintf(digits, sizeof(digits), "%.0f", value);
	size_t used = 0;

	for (int i = 0; i < length && used + 2 < size; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			text[used++] = ' ';
		text[used++] = digits[i];
	}
	text[used] = '\0';
	return text;
}

void report_head(const struct options *options, const struct bench_suite *suite, int harts)
{
	if (options->json)
		return;
	if (options->count) {
		printf("%s: counted windows, %d harts\n%-34s %8s %10s\n", suite->program, harts,
		       "benchmark", "window", "operations");
	} else {
		printf("%s: %d harts, %d samples of %d ms a line\n", suite->program, harts,
		       options->samples, options->duration_ms / options->samples);
		printf("%-34s %10s %10s %12s  %s\n", "benchmark", "median", "min", "per second",
		       "one operation");
	}
	fflush(stdout);
}

/* MB/s of @bytes in @ns. */
static double rate(uint64_t bytes, double ns)
{
	return bytes * 1e3 / ns;
}

/* Operations a second, or the bytes that they moved. */
static const char *rate_text(const struct report_line *line, double ns, char *text, size_t size)
{
	if (!line->bytes)
		return grouped_text(1e9 / ns, text, size);
	snprintf(text, size, "%.0f MB/s", rate(line->bytes, ns));
	return text;
}

static void json_line(const struct report_line *line, double middle)
{
	double min = line->samples[0], max = line->samples[line->nr_samples - 1];

	if (line->bytes) {
		double slowest = rate(line->bytes, max);

		middle = rate(line->bytes, middle);
		max = rate(line->bytes, min);
		min = slowest;
	}
	printf("{\"name\":\"%s\",\"unit\":\"%s\",\"better\":\"%s\",\"value\":%.3f,"
	       "\"min\":%.3f,\"max\":%.3f,\"samples\":%d,\"ops\":%llu}\n",
	       line->name, line->bytes ? "MB/s" : "ns/op", line->bytes ? "higher" : "lower", middle,
	       min, max, line->nr_samples, (unsigned long long)line->ops);
}

void report_line(const struct options *options, struct report_line *line)
{
	char median_text[32], min_text[32], text[32];
	double middle;

	qsort(line->samples, line->nr_samples, sizeof(*line->samples), compare_doubles);
	middle = median(line->samples, line->nr_samples);
	if (options->json)
		json_line(line, middle);
	else
		printf("%-34s %10s %10s %12s  %s\n", line->name,
		       duration_text(middle, median_text, sizeof(median_text)),
		       duration_text(line->samples[0], min_text, sizeof(min_text)),
		       rate_text(line, middle, text, sizeof(text)), line->op);
	fflush(stdout);
}

void report_window(const struct options *options, const char *name, int window, uint64_t ops,
		   bool one_hart)
{
	if (options->json)
		printf("{\"name\":\"%s\",\"window\":%d,\"ops\":%llu,\"one_hart\":%s}\n", name,
		       window, (unsigned long long)ops, one_hart ? "true" : "false");
	else
		printf("%-34s %8d %10llu\n", name, window, (unsigned long long)ops);
	fflush(stdout);
}

void report_window_calls(const struct options *options, const char *name, int window, int calls)
{
	if (options->json)
		printf("{\"name\":\"%s\",\"window\":%d,\"calls\":%d}\n", name, window, calls);
	else
		printf("%-34s %8d %10s\n", name, window, "endless");
	fflush(stdout);
}

void report_unsupported(const struct options *options, const char *name, const char *why)
{
	if (options->json)
		printf("{\"name\":\"%s\",\"unsupported\":\"%s\"}\n", name, why);
	else
		printf("%-34s not supported: %s\n", name, why);
	fflush(stdout);
}

void report_skip(const char *program, const char *name, const char *why)
{
	fprintf(stderr, "%s: %s skipped: %s\n", program, name, why);
}
