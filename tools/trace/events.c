#include "tools/trace/events.h"

#include <inttypes.h>
#include <string.h>

#define ARG(s, n, f)                                                                               \
	{                                                                                          \
		SLOT_##s, #n, FORMAT_##f                                                           \
	}

const struct event_type event_types[TRACE_NR_TYPES] = {
#define TRACE_EVENT1(cat, name, help, s0, n0, f0)                                                  \
	[TRACE_EV_##name] = {#cat, #name, help, {ARG(s0, n0, f0)}},
#define TRACE_EVENT2(cat, name, help, s0, n0, f0, s1, n1, f1)                                      \
	[TRACE_EV_##name] = {#cat, #name, help, {ARG(s0, n0, f0), ARG(s1, n1, f1)}},
#define TRACE_EVENT3(cat, name, help, s0, n0, f0, s1, n1, f1, s2, n2, f2)                          \
	[TRACE_EV_##                                                                               \
		name] = {#cat, #name, help, {ARG(s0, n0, f0), ARG(s1, n1, f1), ARG(s2, n2, f2)}},
#define TRACE_EVENT4(cat, name, help, s0, n0, f0, s1, n1, f1, s2, n2, f2, s3, n3, f3)              \
	[TRACE_EV_##name] = {#cat,                                                                 \
			     #name,                                                                \
			     help,                                                                 \
			     {ARG(s0, n0, f0), ARG(s1, n1, f1), ARG(s2, n2, f2), ARG(s3, n3, f3)}},
#include "kernel/trace/events.def"
};

#define X_BITS 42

static u64 sign_extend(u64 value)
{
	return (u64)((s64)(value << (64 - X_BITS)) >> (64 - X_BITS));
}

u64 event_value(const struct trace_record *r, enum event_slot slot)
{
	switch (slot) {
	case SLOT_tid:
		return r->tid;
	case SLOT_f:
		return r->flags;
	case SLOT_c:
		return r->c;
	case SLOT_fc:
		return r->flags | (u32)r->c << 8;
	case SLOT_al:
		return (u32)r->a;
	case SLOT_ah:
		return r->a >> 32;
	case SLOT_bl:
		return (u32)r->b;
	case SLOT_bh:
		return r->b >> 32;
	case SLOT_a:
		return r->a;
	case SLOT_b:
		return r->b;
	case SLOT_x0:
		return sign_extend(r->a);
	case SLOT_x1:
		return sign_extend(r->a >> X_BITS | r->b << (64 - X_BITS));
	case SLOT_x2:
		return sign_extend(r->b >> (2 * X_BITS - 64));
	case SLOT_name:
	case SLOT_none:
		break;
	}
	return 0;
}

void event_name(const struct trace_record *r, char name[TRACE_TASK_NAME_LEN])
{
	memcpy(name, &r->a, 8);
	memcpy(name + 8, &r->b, 8);
	name[TRACE_TASK_NAME_LEN - 1] = 0;
}

void event_print(FILE *out, const struct trace_record *r)
{
	const struct event_type *type = &event_types[r->type];
	char name[TRACE_TASK_NAME_LEN];

	fputs(type->name, out);
	for (int i = 0; i < EVENT_MAX_ARGS && type->args[i].name; i++) {
		const struct event_arg *arg = &type->args[i];
		u64 value = event_value(r, arg->slot);

		switch (arg->format) {
		case FORMAT_name:
			event_name(r, name);
			fprintf(out, " %s=%s", arg->name, name);
			break;
		case FORMAT_hex:
			fprintf(out, " %s=0x%" PRIx64, arg->name, value);
			break;
		default:
			fprintf(out, " %s=%" PRId64, arg->name, (s64)value);
			break;
		}
	}
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
