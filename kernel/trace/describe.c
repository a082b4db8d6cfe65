/* See describe.h. */
#include "kernel/trace/describe.h"

#include <stdarg.h>
#include <stdio.h>
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

/* Appends to the text; its length goes on counting past the end. */
__printf(4, 5) static void append(char *buf, size_t size, size_t *len, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(*len < size ? buf + *len : NULL, *len < size ? size - *len : 0, fmt, args);
	va_end(args);
	if (n > 0)
		*len += (size_t)n;
}

size_t event_describe(const struct trace_record *r, char *buf, size_t size)
{
	const struct event_type *type = &event_types[r->type < TRACE_NR_TYPES ? r->type : 0];
	char name[TRACE_TASK_NAME_LEN];
	size_t len = 0;

	append(buf, size, &len, "%s:", type->name ? type->name : "unknown");
	for (int i = 0; i < EVENT_MAX_ARGS && type->args[i].name; i++) {
		const struct event_arg *arg = &type->args[i];
		long value = (long)event_value(r, arg->slot);

		switch (arg->format) {
		case FORMAT_name:
			event_name(r, name);
			append(buf, size, &len, " %s=%s", arg->name, name);
			break;
		case FORMAT_text:
			append(buf, size, &len, "%s%.8s", i ? "" : " ", (const char *)&value);
			break;
		case FORMAT_hex:
			append(buf, size, &len, " %s=0x%lx", arg->name, (unsigned long)value);
			break;
		case FORMAT_int:
			append(buf, size, &len, " %s=%d", arg->name, (s32)value);
			break;
		default:
			append(buf, size, &len, " %s=%ld", arg->name, value);
			break;
		}
	}
	return len;
}
