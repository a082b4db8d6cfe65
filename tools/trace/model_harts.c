/* What each record means that concerns a hart, or the machine, rather than what a thread does. */
#include "tools/trace/events.h"
#include "tools/trace/model.h"
#include "tools/trace/perfetto.h"

#include <stdio.h>
#include <string.h>

#define COUNTER_GAP_NS 20000 /* a figure that flutters is told this often */

/* Doorbells do not queue: several rings before the answer are one interrupt, and all their arrows end there. */
void model_ipi_send(struct model *m, const struct merged *e)
{
	u64 flows[MAX_CPUS];
	u32 nr_flows = 0;

	for (u32 target = 0; target < m->nr_cpus; target++) {
		struct model_cpu *cpu = &m->cpus[target];

		if (!(e->record->a >> target & 1) || cpu->nr_pending == MAX_PENDING_IPIS)
			continue;
		flows[nr_flows++] = ++m->next_flow;
		cpu->pending_ipis[cpu->nr_pending++] = m->next_flow;
	}

	struct track_event event = {
		.ns = model_stamp(m),
		.track = track_of_hart(HART_IPIS, e->cpu),
		.type = EVENT_INSTANT,
		.category = CATEGORY_IPI,
		.name = NAME_IPI_SEND,
		.annotations = {{ANNOTATION_CPUS, ANNOTATION_POINTER, e->record->a},
				{ANNOTATION_REASON, ANNOTATION_UINT, e->record->c}},
		.flows = flows,
		.nr_flows = nr_flows,
	};

	track_event(&m->out, &event);
}

void model_ipi_recv(struct model *m, const struct merged *e)
{
	struct model_cpu *cpu = &m->cpus[e->cpu];
	struct track_event event = {
		.ns = model_stamp(m),
		.track = track_of_hart(HART_IPIS, e->cpu),
		.type = EVENT_INSTANT,
		.category = CATEGORY_IPI,
		.name = NAME_IPI,
		.annotations = {{ANNOTATION_REASON, ANNOTATION_UINT, e->record->c}},
		.flows_end = cpu->pending_ipis,
		.nr_flows_end = cpu->nr_pending,
	};

	track_event(&m->out, &event);
	cpu->nr_pending = 0;
}

static struct annotation uint_annotation(enum track_annotation name, u64 value)
{
	return (struct annotation){name, ANNOTATION_UINT, value};
}

/* ---- locks ---- */

void model_lock_class(struct model *m, const struct merged *e)
{
	u64 class = event_value(e->record, SLOT_fc);

	if (class < MODEL_MAX_CLASSES)
		event_name(e->record, m->lock_class[class]);
}

/* "mutex inode": what is waited for. */
static void lock_text(const struct model *m, const struct trace_record *r, char *text, size_t size)
{
	const char *name = r->c < MODEL_MAX_CLASSES ? m->lock_class[r->c] : "";

	snprintf(text, size, "%s %s", r->flags ? "mutex" : "spin lock", name);
}

/* Which hart has a spin lock, and who runs there: interrupts are off while it is held, so that is the holder. */
static void spin_holder(const struct model *m, u32 hart_plus_1, struct annotation *out)
{
	const struct cpu_bundle *there;

	if (!hart_plus_1 || hart_plus_1 > m->nr_cpus)
		return;
	there = &m->cpus[hart_plus_1 - 1].bundle;
	out[0] = uint_annotation(ANNOTATION_HOLDER_HART, hart_plus_1 - 1);
	if (there->seen_switch)
		out[1] = uint_annotation(ANNOTATION_HOLDER, there->running);
}

/* A thread sleeps for a mutex on its own track; a hart spins on the hart's: idle and interrupts do so too. */
void model_lock_wait(struct model *m, const struct merged *e)
{
	const struct trace_record *r = e->record;
	struct thread *t = thread_get(&m->threads, r->tid);
	char text[32];
	struct track_event event = {
		.text = text,
		.annotations = {{ANNOTATION_LOCK, ANNOTATION_POINTER, r->a}},
	};

	lock_text(m, r, text, sizeof(text));
	if (r->flags) {
		if (event_value(r, SLOT_bl))
			event.annotations[1] =
				uint_annotation(ANNOTATION_HOLDER, event_value(r, SLOT_bl));
		if (t->tid)
			model_slice_begin(m, t, SLICE_LOCK, &event);
		return;
	}
	m->cpus[e->cpu].spinning = r->a;
	event.ns = model_stamp(m);
	event.track = track_of_hart(HART_SPINS, e->cpu);
	event.type = EVENT_SLICE_BEGIN;
	event.category = CATEGORY_LOCK;
	event.annotations[1] = uint_annotation(ANNOTATION_TID, r->tid);
	spin_holder(m, (u32)event_value(r, SLOT_bl), &event.annotations[2]);
	track_event(&m->out, &event);
}

void model_lock_taken(struct model *m, const struct merged *e)
{
	struct model_cpu *cpu = &m->cpus[e->cpu];

	if (cpu->spinning != e->record->a)
		return model_slice_end(m, e, SLICE_LOCK, NULL);
	cpu->spinning = 0;

	struct track_event event = {.ns = model_stamp(m),
				    .track = track_of_hart(HART_SPINS, e->cpu),
				    .type = EVENT_SLICE_END};

	track_event(&m->out, &event);
}

/* ---- memory, timers ---- */

/* The begin of a hart's first flush may be among what its ring has overwritten: the end alone is no slice. */
void model_tlb_flush(struct model *m, const struct merged *e, bool begins)
{
	struct model_cpu *cpu = &m->cpus[e->cpu];
	struct track_event event = {
		.ns = model_stamp(m),
		.track = track_of_hart(HART_TLB, e->cpu),
		.type = begins ? EVENT_SLICE_BEGIN : EVENT_SLICE_END,
		.category = CATEGORY_MEMORY,
		.name = NAME_TLB_FLUSH,
	};

	if (begins) {
		event.annotations[0] =
			(struct annotation){ANNOTATION_CPUS, ANNOTATION_POINTER, e->record->a};
		event.annotations[1] = uint_annotation(ANNOTATION_TID, e->record->tid);
		if (cpu->unmapped)
			event.annotations[2] = uint_annotation(ANNOTATION_PAGES, cpu->unmapped);
	} else if (!cpu->flushing) {
		return;
	}
	cpu->flushing = begins;
	cpu->unmapped = 0;
	track_event(&m->out, &event);
}

void model_timer_fire(struct model *m, const struct merged *e)
{
	u64 late_us = event_value(e->record, SLOT_bl) * 1000000 / m->dump->header.time_freq;
	struct track_event event = {
		.ns = model_stamp(m),
		.track = track_of_hart(HART_TIMERS, e->cpu),
		.type = EVENT_INSTANT,
		.category = CATEGORY_TIMER,
		.name = NAME_TIMER,
		.annotations = {{ANNOTATION_FUNCTION, ANNOTATION_POINTER, e->record->a},
				{ANNOTATION_LATE, ANNOTATION_UINT, late_us}},
	};

	track_event(&m->out, &event);
}

/* ---- figures ---- */

static void counter(struct model *m, u64 track, u64 value)
{
	struct track_event event = {
		.ns = model_stamp(m), .track = track, .type = EVENT_COUNTER, .value = (s64)value};

	track_event(&m->out, &event);
}

void model_counter(struct model *m, enum machine_counter which, u64 value)
{
	counter(m, track_of_counter(which), value);
}

void model_hart_counter(struct model *m, enum hart_track which, u32 cpu, u64 value)
{
	counter(m, track_of_hart(which, cpu), value);
}

static void tell_runnable(struct model *m, u32 id)
{
	struct model_cpu *cpu = &m->cpus[id];

	if (cpu->runnable == cpu->runnable_told ||
	    m->merge.last_ns - cpu->runnable_ns < COUNTER_GAP_NS)
		return;
	counter(m, track_of_hart(HART_RUNNABLE, id), cpu->runnable);
	cpu->runnable_told = cpu->runnable;
	cpu->runnable_ns = m->merge.last_ns;
}

void model_unqueued(struct model *m, struct thread *t)
{
	u32 id = t->queued_on - 1;

	if (!t->queued_on)
		return;
	t->queued_on = 0;
	m->cpus[id].runnable--;
	tell_runnable(m, id);
}

void model_queued(struct model *m, struct thread *t, u32 cpu)
{
	model_unqueued(m, t);
	if (!t->tid || cpu >= m->nr_cpus)
		return;
	t->queued_on = cpu + 1;
	m->cpus[cpu].runnable++;
	tell_runnable(m, cpu);
}

/* ---- threads told of from outside ---- */

void model_priority(struct model *m, const struct merged *e)
{
	const struct trace_record *r = e->record;
	struct thread *t = thread_get(&m->threads, event_value(r, SLOT_al));
	struct track_event event = {
		.ns = model_stamp(m),
		.track = track_of_thread(&m->out, t),
		.type = EVENT_INSTANT,
		.category = CATEGORY_SCHED,
		.name = NAME_PRIORITY,
		.annotations = {{ANNOTATION_OLD, ANNOTATION_UINT, r->c},
				{ANNOTATION_NEW, ANNOTATION_UINT, event_value(r, SLOT_ah)},
				{ANNOTATION_BOOSTED, ANNOTATION_UINT, r->flags}},
	};

	t->prio = event_value(r, SLOT_ah);
	track_event(&m->out, &event);
}

/* Text comes in pieces of 16 characters, one after the other on its hart. */
void model_marker(struct model *m, const struct merged *e)
{
	const struct trace_record *r = e->record;
	struct model_cpu *cpu = &m->cpus[e->cpu];
	char piece[17] = {0};

	memcpy(piece, &r->a, 8);
	memcpy(piece + 8, &r->b, 8);

	size_t len = MIN(strlen(piece), (size_t)(MODEL_MAX_MARKER - cpu->marker_len));

	memcpy(cpu->marker + cpu->marker_len, piece, len);
	cpu->marker_len += len;
	cpu->marker[cpu->marker_len] = 0;
	if (r->flags)
		return;

	struct track_event event = {
		.ns = model_stamp(m),
		.track = track_of_thread(&m->out, thread_get(&m->threads, r->tid)),
		.type = EVENT_INSTANT,
		.category = CATEGORY_USER,
		.text = cpu->marker,
	};

	track_event(&m->out, &event);
	cpu->marker_len = 0;
}
