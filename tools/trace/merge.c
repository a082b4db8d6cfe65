#include "tools/trace/merge.h"

/* How far a switch-out may lie behind the waking that pulls it: what a hart does between marking and switching. */
#define PULL_RECORDS 16

void merge_init(struct merge *merge, const struct dump *dump, struct threads *threads)
{
	*merge = (struct merge){.dump = dump, .threads = threads};
	for (u32 i = 0; i < dump->nr_rings; i++) {
		const struct dump_ring *ring = &dump->rings[i];

		merge->streams[i] = (struct merge_stream){.ring = ring, .pos = ring->first};
		if (ring->desc.kind == TRACE_RING_MAIN)
			merge->main[ring->desc.cpu] = &merge->streams[i];
	}
}

u64 merge_tick_ns(const struct merge *merge, u64 ticks)
{
	return (u64)((unsigned __int128)ticks * 1000000000 / merge->dump->header.time_freq);
}

u64 merge_stamp(struct merge *merge)
{
	return ++merge->last_ns;
}

static bool at_end(const struct merge_stream *s)
{
	return s->pos == s->ring->end;
}

static const struct trace_record *peek(const struct merge_stream *s)
{
	return dump_record(s->ring, s->pos);
}

static bool is_blocked(const struct thread *t)
{
	return t->run == RUN_BLOCKED || t->run == RUN_UNKNOWN;
}

static bool is_blocking(u16 prev_state)
{
	return prev_state == TRACE_STATE_SLEEPING || prev_state == TRACE_STATE_BLOCKED ||
	       prev_state == TRACE_STATE_STOPPED;
}

/* In one tick: births and names first, then wakings of blocked threads, then what may be waited for. */
static int tie_rank(const struct merge *merge, const struct merge_stream *s)
{
	const struct trace_record *r = peek(s);

	if (s->ring->desc.kind == TRACE_RING_TASK)
		return 0;
	if (r->type != TRACE_EV_sched_waking)
		return 2;
	return thread_get(merge->threads, (u32)r->a)->run == RUN_BLOCKED ? 1 : 3;
}

static struct merge_stream *earliest(struct merge *merge)
{
	struct merge_stream *best = NULL;

	for (u32 i = 0; i < merge->dump->nr_rings; i++) {
		struct merge_stream *s = &merge->streams[i];

		if (at_end(s))
			continue;
		if (!best || peek(s)->ts < peek(best)->ts ||
		    (peek(s)->ts == peek(best)->ts && tie_rank(merge, s) < tie_rank(merge, best)))
			best = s;
	}
	return best;
}

/*
 * If thread `tid`, running on the hart of `s`, goes to sleep there before it does anything else: true, and the index
 * past that switch in *end.
 */
static bool sleeps_next(const struct merge_stream *s, u32 tid, u64 *end)
{
	for (u64 i = s->pos; i < s->ring->end && i < s->pos + PULL_RECORDS; i++) {
		const struct trace_record *r = dump_record(s->ring, i);

		switch (r->type) {
		case TRACE_EV_sched_switch:
			*end = i + 1;
			return r->tid == tid && is_blocking(r->c);
		case TRACE_EV_sched_waking:
		case TRACE_EV_sched_migrate:
		case TRACE_EV_ipi_send:
		case TRACE_EV_ipi_recv:
			break;
		default:
			return false;
		}
	}
	return false;
}

/*
 * Decides on the waking at the head of `s`. True: it can go now, or is spurious. False: something else comes first, and
 * the streams are set up so.
 */
static bool waking_ready(struct merge *merge, struct merge_stream *s, bool *spurious)
{
	const struct trace_record *r = peek(s);
	const struct thread *wakee = thread_get(merge->threads, (u32)r->a);

	*spurious = false;
	if (is_blocked(wakee))
		return true;
	if (wakee->run == RUN_RUNNING) {
		struct merge_stream *theirs = merge->main[wakee->cpu];
		u64 end;

		if (theirs == s && !s->held) {
			s->pos++;
			if (sleeps_next(s, wakee->tid, &end)) {
				s->held = r;
				merge->nr_held++;
				return false;
			}
			s->pos--;
		} else if (theirs != s && theirs && sleeps_next(theirs, wakee->tid, &end)) {
			merge->pull = theirs;
			merge->pull_end = end;
			return false;
		}
	}
	*spurious = true;
	return true;
}

/* Follows who runs where, and names the record's subject. */
static struct thread *track(struct merge *merge, u32 cpu, const struct trace_record *r, bool spurious)
{
	struct thread *t = thread_get(merge->threads, r->tid);

	switch (r->type) {
	case TRACE_EV_sched_switch:
		t->run = r->c == TRACE_STATE_DEAD ? RUN_DEAD
			 : is_blocking(r->c)	  ? RUN_BLOCKED
						  : RUN_RUNNABLE;
		t = thread_get(merge->threads, (u32)r->a);
		t->run = RUN_RUNNING;
		t->cpu = cpu;
		return thread_get(merge->threads, r->tid);
	case TRACE_EV_sched_waking:
		t = thread_get(merge->threads, (u32)r->a);
		if (!spurious)
			t->run = RUN_RUNNABLE;
		return t;
	case TRACE_EV_task_new:
		t = thread_new(merge->threads, (u32)r->a);
		t->run = RUN_NEW;
		return t;
	case TRACE_EV_task_name:
	case TRACE_EV_task_exit:
		return t;
	default:
		if (t->run == RUN_UNKNOWN) {
			t->run = RUN_RUNNING;
			t->cpu = cpu;
		}
		return t;
	}
}

static void take(struct merge *merge, u32 cpu, const struct trace_record *r, bool pulled,
		 bool spurious, struct merged *out)
{
	u64 ns = merge->last_ns + 1;

	if (!pulled)
		ns = MAX(ns, merge_tick_ns(merge, r->ts));
	merge->last_ns = ns;
	*out = (struct merged){.record = r, .ns = ns, .cpu = cpu, .spurious = spurious};
	out->thread = track(merge, cpu, r, spurious);
}

/* The waking that a stream holds, once the switch before it is out. */
static bool take_held(struct merge *merge, struct merged *out)
{
	for (u32 i = 0; i < merge->dump->nr_rings; i++) {
		struct merge_stream *s = &merge->streams[i];
		const struct trace_record *r = s->held;

		if (r && thread_get(merge->threads, (u32)r->a)->run == RUN_BLOCKED) {
			s->held = NULL;
			merge->nr_held--;
			take(merge, s->ring->desc.cpu, r, true, false, out);
			return true;
		}
	}
	return false;
}

static void take_pulled(struct merge *merge, struct merged *out)
{
	struct merge_stream *s = merge->pull;
	const struct trace_record *r = peek(s);

	s->pos++;
	if (s->pos == merge->pull_end)
		merge->pull = NULL;

	bool spurious = r->type == TRACE_EV_sched_waking &&
			!is_blocked(thread_get(merge->threads, (u32)r->a));

	take(merge, s->ring->desc.cpu, r, true, spurious, out);
}

bool merge_next(struct merge *merge, struct merged *out)
{
	struct merge_stream *s;
	bool spurious = false;

	if (merge->nr_held && take_held(merge, out))
		return true;
	for (;;) {
		if (merge->pull) {
			take_pulled(merge, out);
			return true;
		}
		s = earliest(merge);
		if (!s)
			return false;
		if (peek(s)->type != TRACE_EV_sched_waking || waking_ready(merge, s, &spurious))
			break;
	}
	take(merge, s->ring->desc.cpu, dump_record(s->ring, s->pos++), false, spurious, out);
	return true;
}
