/* What events.def says about a record, for the host: names, arguments, a text form, the table in the documentation. */
#ifndef TOOLS_TRACE_EVENTS_H
#define TOOLS_TRACE_EVENTS_H

#include "kernel/trace/record.h"

#include <stdio.h>

enum event_slot {
	SLOT_none,
	SLOT_tid,
	SLOT_f,
	SLOT_c,
	SLOT_fc,
	SLOT_al,
	SLOT_ah,
	SLOT_bl,
	SLOT_bh,
	SLOT_a,
	SLOT_b,
	SLOT_x0,
	SLOT_x1,
	SLOT_x2,
	SLOT_name,
};

enum event_format { FORMAT_none, FORMAT_dec, FORMAT_hex, FORMAT_name };

#define EVENT_MAX_ARGS 4

struct event_arg {
	enum event_slot slot;
	const char *name;
	enum event_format format;
};

struct event_type {
	const char *category;
	const char *name;
	const char *help;
	struct event_arg args[EVENT_MAX_ARGS];
};

extern const struct event_type event_types[TRACE_NR_TYPES];

/* The value in `slot`; 42-bit ones are sign-extended. Not for SLOT_name. */
u64 event_value(const struct trace_record *r, enum event_slot slot);

/* The name in a record that has one, always terminated. */
void event_name(const struct trace_record *r, char name[TRACE_TASK_NAME_LEN]);

/* One line "name argument=value ..." without a newline. */
void event_print(FILE *out, const struct trace_record *r);

/* The table of all events as Markdown. */
void event_print_table(FILE *out);

#endif
