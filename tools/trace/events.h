/* The events as the converter prints them. */
#ifndef TOOLS_TRACE_EVENTS_H
#define TOOLS_TRACE_EVENTS_H

#include "kernel/trace/describe.h"

#include <stdio.h>

/* One line "name: argument=value ..." without a newline. */
void event_print(FILE *out, const struct trace_record *r);

/* The table of all events as Markdown. */
void event_print_table(FILE *out);

#endif
