/*
 * Emitters generated from events.def: static inline void trace_<event>(arguments). While an event is off its
 * emitter is one nop (kernel/sync/static_key.h); the arguments are packed into three words in registers and stored out of line.
 *
 * Included by trace.h only.
 */
#ifndef KERNEL_TRACE_TRACE_EVENTS_H
#define KERNEL_TRACE_TRACE_EVENTS_H

#include "kernel/sync/atomic.h"
#include "kernel/sync/static_key.h"
#include "kernel/trace/record.h"

#include <string.h>

/* [a] What records now, by type; written by control.c, seldom, and by trace_stop(). */
extern u8 trace_on[TRACE_NR_TYPES];
/*
 * Keys of the emitters, by type; the first is that of entry.S, on with any event of the system-call path. Set before trace_on says so, and
 * off later: a trace that ends by itself, in whatever context, cannot change the text.
 */
#define TRACE_KEY_ENTRY TRACE_EV_none
extern u8 trace_keys[TRACE_NR_TYPES];

/* Is the event on? For what must be found out only to be recorded. */
#define trace_enabled(name)                                                                        \
	(unlikely(static_key_on(&trace_keys[TRACE_EV_##name])) &&                                  \
	 atomic_load_relaxed(&trace_on[TRACE_EV_##name]))

/* A record without its time stamp; head is tid, type, flags and c as they lie in struct trace_record. */
struct trace_words {
	u64 head;
	u64 a;
	u64 b;
};

/* In the tid of a head: store the hart's current thread. */
#define TRACE_TID_CURRENT 0xffffffffU

/*
 * Stores one record in this hart's ring of `kind`, or counts it lost. Context: any, interrupts off; never faults.
 */
void trace_emit(enum trace_ring_kind kind, u64 head, u64 a, u64 b);

/* Type of an argument, by slot. */
#define TRACE_TYPE_tid	u32
#define TRACE_TYPE_f	u8
#define TRACE_TYPE_c	u16
#define TRACE_TYPE_fc	u32
#define TRACE_TYPE_al	u32
#define TRACE_TYPE_ah	u32
#define TRACE_TYPE_bl	u32
#define TRACE_TYPE_bh	u32
#define TRACE_TYPE_a	u64
#define TRACE_TYPE_b	u64
#define TRACE_TYPE_x0	u64
#define TRACE_TYPE_x1	u64
#define TRACE_TYPE_x2	u64
#define TRACE_TYPE_name const char *

/* Puts argument v into its slot of w, whose bits are still zero (tid: TRACE_TID_CURRENT). */
#define TRACE_X_BITS 42
#define TRACE_X_MASK (BIT(TRACE_X_BITS) - 1)

#define TRACE_PACK_tid(w, v) ((w).head = ((w).head & ~(u64)TRACE_TID_CURRENT) | (v))
#define TRACE_PACK_f(w, v)   ((w).head |= (u64)(v) << 40)
#define TRACE_PACK_c(w, v)   ((w).head |= (u64)(v) << 48)
#define TRACE_PACK_fc(w, v)  ((w).head |= (u64)(v) << 40)
#define TRACE_PACK_al(w, v)  ((w).a |= (v))
#define TRACE_PACK_ah(w, v)  ((w).a |= (u64)(v) << 32)
#define TRACE_PACK_bl(w, v)  ((w).b |= (v))
#define TRACE_PACK_bh(w, v)  ((w).b |= (u64)(v) << 32)
#define TRACE_PACK_a(w, v)   ((w).a = (v))
#define TRACE_PACK_b(w, v)   ((w).b = (v))
#define TRACE_PACK_x0(w, v)  ((w).a |= (v)&TRACE_X_MASK)
#define TRACE_PACK_x1(w, v)                                                                        \
	((w).a |= (v) << TRACE_X_BITS, (w).b |= ((v)&TRACE_X_MASK) >> (64 - TRACE_X_BITS))
#define TRACE_PACK_x2(w, v)   ((w).b |= ((v)&TRACE_X_MASK) << (2 * TRACE_X_BITS - 64))
#define TRACE_PACK_name(w, v) trace_pack_name(&(w), v)

/* Up to 15 characters of `name` and zeros. */
static inline void trace_pack_name(struct trace_words *w, const char *name)
{
	char text[TRACE_TASK_NAME_LEN] = {0};

	for (size_t i = 0; i < sizeof(text) - 1 && name[i]; i++)
		text[i] = name[i];
	memcpy(&w->a, text, 8);
	memcpy(&w->b, text + 8, 8);
}

#define TRACE_KIND(cat)                                                                            \
	((u32)TRACE_##cat == TRACE_TASK || (u32)TRACE_##cat == TRACE_MAP ? TRACE_RING_TASK         \
									 : TRACE_RING_MAIN)

#define TRACE_EMITTER(cat, name, params, ...)                                                      \
	static inline void trace_##name params                                                     \
	{                                                                                          \
		if (trace_enabled(name)) {                                                         \
			struct trace_words w = {.head = (u64)TRACE_EV_##name << 32 |               \
							TRACE_TID_CURRENT};                        \
			__VA_ARGS__;                                                               \
			trace_emit(TRACE_KIND(cat), w.head, w.a, w.b);                             \
		}                                                                                  \
	}

#define TRACE_EVENT1(cat, name, help, s0, n0, f0)                                                  \
	TRACE_EMITTER(cat, name, (TRACE_TYPE_##s0 n0), TRACE_PACK_##s0(w, n0))
#define TRACE_EVENT2(cat, name, help, s0, n0, f0, s1, n1, f1)                                      \
	TRACE_EMITTER(cat, name, (TRACE_TYPE_##s0 n0, TRACE_TYPE_##s1 n1), TRACE_PACK_##s0(w, n0), \
		      TRACE_PACK_##s1(w, n1))
#define TRACE_EVENT3(cat, name, help, s0, n0, f0, s1, n1, f1, s2, n2, f2)                          \
	TRACE_EMITTER(cat, name, (TRACE_TYPE_##s0 n0, TRACE_TYPE_##s1 n1, TRACE_TYPE_##s2 n2),     \
		      TRACE_PACK_##s0(w, n0), TRACE_PACK_##s1(w, n1), TRACE_PACK_##s2(w, n2))
#define TRACE_EVENT4(cat, name, help, s0, n0, f0, s1, n1, f1, s2, n2, f2, s3, n3, f3)              \
	TRACE_EMITTER(                                                                             \
		cat, name,                                                                         \
		(TRACE_TYPE_##s0 n0, TRACE_TYPE_##s1 n1, TRACE_TYPE_##s2 n2, TRACE_TYPE_##s3 n3),  \
		TRACE_PACK_##s0(w, n0), TRACE_PACK_##s1(w, n1), TRACE_PACK_##s2(w, n2),            \
		TRACE_PACK_##s3(w, n3))
#include "kernel/trace/events.def"
#undef TRACE_EVENT1
#undef TRACE_EVENT2
#undef TRACE_EVENT3
#undef TRACE_EVENT4

#endif
