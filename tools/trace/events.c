#include "tools/trace/events.h"

void event_print(FILE *out, const struct trace_record *r)
{
	char text[256];

	event_describe(r, text, sizeof(text));
	fputs(text, out);
}

void event_print_table(FILE *out)
{
	fputs("| event | category | arguments | meaning |\n|---|---|---|---|\n", out);
	for (int i = 1; i < TRACE_NR_TYPES; i++) {
		const struct event_type *type = &event_types[i];

		fprintf(out, "| %s | %s |", type->name, type->category);
		for (int k = 0; k < EVENT_MAX_ARGS && type->args[k].name; k++)
			fprintf(out, "%s %s", k ? "," : "", type->args[k].name);
		fprintf(out, " | %s |\n", type->help);
	}
}
