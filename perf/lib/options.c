/* Command-line parsing for the benchmark programs. */
#define _GNU_SOURCE
#include "perf/lib/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_DURATION_MS 600
#define DEFAULT_SAMPLES	    10
#define QUICK_DURATION_MS   60
#define QUICK_SAMPLES	    5
#define MAX_DURATION_MS	    3600000

static void help(const struct bench_suite *suite)
{
	printf("usage: %s [option...]\n%s\n\n"
	       "  --only NAME      only this benchmark: suite, suite/benchmark or a full name from\n"
	       "                   --list; may be repeated\n"
	       "  --threads LIST   thread counts, 1 to %d, separated by commas (1,2,4,8,16)\n"
	       "  --duration MS    time for the %d samples of one line of the table (%d)\n"
	       "  --quick          --duration %d in %d samples: a smoke test\n"
	       "  --json           one JSON object a line instead of the table\n"
	       "  --count          counted windows for the plugin in perf/plugin, instead of time\n"
	       "  --list           print the names and exit\n"
	       "  --help           print this and exit\n\n"
	       "Exit status: 0 every result was checked and right, 1 a result was wrong or a wake-up\n"
	       "was lost, 2 bad command line.\n",
	       suite->program, suite->about, BENCH_MAX_THREADS, DEFAULT_SAMPLES,
	       DEFAULT_DURATION_MS, QUICK_DURATION_MS, QUICK_SAMPLES);
}

_Noreturn __attribute__((format(printf, 2, 3))) static void usage_error(const struct bench_suite *suite,
									const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", suite->program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(2);
}

/* A decimal number from @min to @max that ends at @stop or at the end of @text; -1 if it is none. */
static long number(const char *text, char stop, long min, long max, const char **end)
{
	char *rest;
	long value;

	errno = 0;
	value = strtol(text, &rest, 10);
	if (rest == text || errno || (*rest != '\0' && *rest != stop) || value < min || value > max)
		return -1;
	*end = rest;
	return value;
}

static void parse_threads(struct options *options, const struct bench_suite *suite, const char *list)
{
	const char *at = list;

	options->nr_threads = 0;
	for (;;) {
		long count = number(at, ',', 1, BENCH_MAX_THREADS, &at);

		if (count < 0)
			usage_error(suite, "--threads %s: numbers from 1 to %d, separated by commas",
				    list, BENCH_MAX_THREADS);
		if (options->nr_threads == OPTIONS_MAX_COUNTS)
			usage_error(suite, "--threads: at most %d numbers", OPTIONS_MAX_COUNTS);
		options->threads[options->nr_threads++] = count;
		if (*at == '\0')
			return;
		at++;
	}
}

static int parse_duration(const struct bench_suite *suite, const char *text)
{
	const char *end;
	long ms = number(text, '\0', 1, MAX_DURATION_MS, &end);

	if (ms < 0)
		usage_error(suite, "--duration %s: milliseconds from 1 to %d", text, MAX_DURATION_MS);
	return ms;
}

static const struct option long_options[] = {
	{"only", required_argument, NULL, 'o'},
	{"threads", required_argument, NULL, 't'},
	{"duration", required_argument, NULL, 'd'},
	{"quick", no_argument, NULL, 'q'},
	{"json", no_argument, NULL, 'j'},
	{"count", no_argument, NULL, 'c'},
	{"list", no_argument, NULL, 'l'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void take_option(struct options *options, const struct bench_suite *suite, int option,
			const char *word)
{
	switch (option) {
	case 'o':
		if (options->nr_only == OPTIONS_MAX_ONLY)
			usage_error(suite, "--only: at most %d names", OPTIONS_MAX_ONLY);
		options->only[options->nr_only++] = optarg;
		break;
	case 't':
		parse_threads(options, suite, optarg);
		break;
	case 'd':
		options->duration_ms = parse_duration(suite, optarg);
		break;
	case 'q':
		options->duration_ms = QUICK_DURATION_MS;
		options->samples = QUICK_SAMPLES;
		break;
	case 'j':
		options->json = true;
		break;
	case 'c':
		options->count = true;
		break;
	case 'l':
		options->list = true;
		break;
	case 'h':
		help(suite);
		exit(0);
	case ':':
		usage_error(suite, "%s needs a value; see --help", word);
	default:
		usage_error(suite, "unknown option %s; see --help", word);
	}
}

void options_parse(struct options *options, const struct bench_suite *suite, int argc, char **argv)
{
	int option;

	*options = (struct options){
		.duration_ms = DEFAULT_DURATION_MS,
		.samples = DEFAULT_SAMPLES,
		.threads = {1, 2, 4, 8, 16},
		.nr_threads = 5,
	};
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1)
		take_option(options, suite, option, argv[optind - 1]);
	if (optind < argc)
		usage_error(suite, "unexpected word %s; see --help", argv[optind]);
}

/* Is @wanted the whole of @name, or leading parts of it up to a slash? */
static bool leads(const char *wanted, const char *name)
{
	size_t length = strlen(wanted);

	return length > 0 && strncmp(wanted, name, length) == 0 &&
	       (name[length] == '\0' || name[length] == '/');
}

static bool matches(const char *wanted, const char *name)
{
	return leads(wanted, name) || leads(wanted, strchr(name, '/') + 1);
}

bool options_select(const struct options *options, const char *name)
{
	for (int i = 0; i < options->nr_only; i++)
		if (matches(options->only[i], name))
			return true;
	return options->nr_only == 0;
}

void options_check_only(const struct options *options, const struct bench_suite *suite,
			char *const *names, int nr)
{
	for (int i = 0; i < options->nr_only; i++) {
		bool found = false;

		for (int j = 0; j < nr; j++)
			found = found || matches(options->only[i], names[j]);
		if (!found)
			usage_error(suite, "no benchmark is called %s; see --list", options->only[i]);
	}
}
