/*
 * What events.def says about a record: names, arguments, a text form. For trace_pipe and for the host tools, which are built from
 * the same list.
 */
#ifndef KERNEL_TRACE_DESCRIBE_H
#define KERNEL_TRACE_DESCRIBE_H

#include "kernel/trace/record.h"

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

enum event_format { FORMAT_none, FORMAT_dec, FORMAT_int, FORMAT_hex, FORMAT_name, FORMAT_text };

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

/*
 * "name: argument=value ...", NUL-terminated and cut to `size`. Returns the length that the whole text has.
 */
size_t event_describe(const struct trace_record *r, char *buf, size_t size);

#endif
