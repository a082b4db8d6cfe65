/*
 * convert IN -o OUT.pftrace: makes a Perfetto trace of a dump of the kernel's trace rings, or of a raw image of guest
 * memory that has them.
 */
#include "tools/trace/events.h"
#include "tools/trace/model.h"
#include "tools/trace/samples.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define EXIT_FAILED 1
#define EXIT_USAGE  2

static const char usage[] =
	"Usage: convert IN -o OUT.pftrace    a trace for ui.perfetto.dev\n"
	"       convert IN --text            every record as a line, in order\n"
	"       convert IN --samples         stacks of the profiler's samples, for tools/run\n"
	"       convert --events             the table of all events, in Markdown\n"
	"IN is a dump of the kernel (stellar.dump=PATH) or a raw image of guest memory.\n";

static int usage_error(const char *what, const char *arg)
{
	fprintf(stderr, "convert: %s%s%s (see --help)\n", what, *arg ? " " : "", arg);
	return EXIT_USAGE;
}

static void print_text(const struct dump *dump)
{
	static struct merge merge;
	struct threads threads;
	struct merged e;

	threads_init(&threads);
	merge_init(&merge, dump, &threads, 0);
	while (merge_next(&merge, &e)) {
		printf("%" PRIu64 ".%09" PRIu64 " [%u] %u: ", e.ns / 1000000000, e.ns % 1000000000,
		       e.cpu, e.record->tid);
		event_print(stdout, e.record);
		if (e.spurious)
			fputs(" (not blocked)", stdout);
		putchar('\n');
	}
	threads_free(&threads);
}

/* What the trace shows, and what it does not. */
static void report(const struct model *m)
{
	u64 lost = 0, left_out = 0;

	for (u32 i = 0; i < m->dump->nr_rings; i++) {
		const struct dump_ring *ring = &m->dump->rings[i];

		lost += ring->overwritten + ring->desc.lost;
		left_out += dump_first_at(ring, m->dump->complete_from) - ring->first;
	}
	printf("%" PRIu64 " records of %u harts, ", m->nr_records, m->nr_cpus);
	if (lost)
		printf("%" PRIu64 " lost", lost);
	else
		printf("none lost");
	if (m->nr_spurious)
		printf(", %" PRIu64 " wake-ups of threads that did not sleep left out",
		       m->nr_spurious);
	if (left_out)
		printf(", %" PRIu64 " left out from before all rings are complete", left_out);
	putchar('\n');
}

static int write_perfetto(const struct dump *dump, const char *path)
{
	static struct model model;
	FILE *file = fopen(path, "wb");

	if (!file) {
		fprintf(stderr, "convert: %s: %s\n", path, strerror(errno));
		return EXIT_FAILED;
	}
	model_convert(&model, dump, file);

	bool failed = fflush(file) || ferror(file);

	if (fclose(file) || failed) {
		fprintf(stderr, "convert: %s: %s\n", path, strerror(errno));
		return EXIT_FAILED;
	}
	report(&model);
	return 0;
}

int main(int argc, char **argv)
{
	static struct dump dump;
	const char *in = NULL, *out = NULL;
	bool text = false, samples = false;
	char error[200];

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(usage, stdout);
			return 0;
		}
		if (!strcmp(argv[i], "--events")) {
			event_print_table(stdout);
			return 0;
		}
		if (!strcmp(argv[i], "--text"))
			text = true;
		else if (!strcmp(argv[i], "--samples"))
			samples = true;
		else if (!strcmp(argv[i], "-o") && i + 1 < argc)
			out = argv[++i];
		else if (argv[i][0] == '-')
			return usage_error("unknown or incomplete option", argv[i]);
		else if (in)
			return usage_error("more than one input:", argv[i]);
		else
			in = argv[i];
	}
	if (!in || text + samples + !!out != 1)
		return usage_error("give one input, and -o OUT, --text or --samples", "");
	if (dump_open(&dump, in, error, sizeof(error))) {
		fprintf(stderr, "convert: %s: %s\n", in, error);
		return EXIT_FAILED;
	}

	int status = 0;

	if (text)
		print_text(&dump);
	else if (samples)
		samples_print(&dump, stdout);
	else
		status = write_perfetto(&dump, out);
	dump_close(&dump);
	return status;
}
