#include "tools/trace/merge.h"

/* How far a switch-out may lie behind the waking that pulls it: what a hart does between marking and switching. */
#define PULL_RECORDS 16

/* A main ring's record names the thread that was the hart's when it was written: the one since the switch before. */
static void find_running(struct merge *merge, const struct merge_stream *s)
{
	struct thread *t;

	if (s->pos == s->ring->end)
		return;
	t = thread_get(merge->threads, dump_record(s->ring, s->pos)->tid);
	t->run = RUN_RUNNING;
	t->cpu = s->ring->desc.cpu;
}

void merge_init(struct merge *merge, const struct dump *dump, struct threads *threads, u64 from)
{
	*merge = (struct merge){.dump = dump, .threads = threads};
	for (u32 i = 0; i < dump->nr_rings; i++) {
		const struct dump_ring *ring = &dump->rings[i];

		merge->streams[i] =
			(struct merge_stream){.ring = ring, .pos = dump_first_at(ring, from)};
		if (ring->desc.kind == TRACE_RING_MAIN) {
			merge->main[ring->desc.cpu] = &merge->streams[i];
			find_running(merge, &merge->streams[i]);
		}
	}
}

void merge_add_past_lives(struct merge *merge)
{
	for (u32 i = 0; i < merge->dump->nr_rings; i++)
		if (merge->streams[i].ring->desc.kind == TRACE_RING_TASK)
			merge->streams[i].pos = merge->streams[i].ring->first;
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

/* What thread `tid` does at this point of the merged order; looking does not make it exist. */
static enum thread_run run_of(const struct merge *merge, u32 tid)
{
	const struct thread *t = thread_find(merge->threads, tid);

	return t ? t->run : RUN_UNKNOWN;
}

static bool is_blocked(enum thread_run run)
{
	return run == RUN_BLOCKED || run == RUN_UNKNOWN;
}

/*
 * In one tick, what can have caused the others goes first: births and names, wakings of blocked threads, ordinary records;
 * then wakings of threads that have yet to leave their hart, and switches to threads that have yet to be woken.
 */
enum rank { RANK_BIRTH, RANK_WAKING, RANK_ORDINARY, RANK_EARLY_WAKING, RANK_EARLY_SWITCH };

static enum rank tie_rank(const struct merge *merge, const struct merge_stream *s)
{
	const struct trace_record *r = peek(s);
	enum thread_run run;

	if (s->ring->desc.kind == TRACE_RING_TASK)
		return RANK_BIRTH;
	if (r->type != TRACE_EV_sched_waking && r->type != TRACE_EV_sched_switch)
		return RANK_ORDINARY;
	/* Both have the thread in question, wakee or next, in the same place. */
	run = run_of(merge, (u32)r->a);
	if (r->type == TRACE_EV_sched_waking)
		return run == RUN_BLOCKED ? RANK_WAKING : RANK_EARLY_WAKING;
	return (u32)r->a && (run == RUN_BLOCKED || run == RUN_RUNNING) ? RANK_EARLY_SWITCH
								       : RANK_ORDINARY;
}

static bool is_wake_up(const struct trace_record *r)
{
	return r->type == TRACE_EV_sched_waking || r->type == TRACE_EV_sched_migrate ||
	       r->type == TRACE_EV_ipi_send || r->type == TRACE_EV_ipi_recv;
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
 * The index past the switch by which thread `tid`, running on the hart of `s`, goes to sleep; 0 if it does anything else
 * before.
 */
static u64 sleep_ahead(const struct merge_stream *s, u64 from, u32 tid)
{
	for (u64 i = from; i < s->ring->end && i < from + PULL_RECORDS; i++) {
		const struct trace_record *r = dump_record(s->ring, i);

		if (r->type == TRACE_EV_sched_switch)
			return r->tid == tid && is_blocking(r->c) ? i + 1 : 0;
		if (!is_wake_up(r))
			break;
	}
	return 0;
}

static void hold(struct merge *merge, struct merge_stream *s)
{
	s->held[s->nr_held++] = peek(s);
	s->pos++;
	merge->nr_held++;
}

/*
 * Decides on the waking at the head of `s`. True: it can go now, or is spurious. False: the switch that it follows comes
 * first, and the streams are set up so. If the wakee's hart goes idle with that switch, its records up to there are
 * pulled: nothing else can depend on them. Else the waking is held until the switch comes by itself.
 */
static bool waking_ready(struct merge *merge, struct merge_stream *s, bool *spurious)
{
	const struct thread *wakee = thread_find(merge->threads, (u32)peek(s)->a);
	struct merge_stream *theirs;
	u64 end = 0;

	*spurious = false;
	if (!wakee || is_blocked(wakee->run))
		return true;
	theirs = merge->main[wakee->cpu];
	if (wakee->run == RUN_RUNNING && theirs && s->nr_held < MERGE_MAX_HELD)
		end = sleep_ahead(theirs, theirs->pos + (theirs == s), wakee->tid);
	if (!end) {
		*spurious = true;
		return true;
	}
	if (theirs != s && !(u32)dump_record(theirs->ring, end - 1)->a) {
		merge->pull = theirs;
		merge->pull_end = end;
	} else {
		hold(merge, s);
	}
	return false;
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

/* A held waking whose switch is out. */
static bool take_held(struct merge *merge, struct merged *out)
{
	for (u32 i = 0; i < merge->dump->nr_rings; i++) {
		struct merge_stream *s = &merge->streams[i];

		for (u32 k = 0; k < s->nr_held; k++) {
			const struct trace_record *r = s->held[k];

			if (run_of(merge, (u32)r->a) != RUN_BLOCKED)
				continue;
			s->held[k] = s->held[--s->nr_held];
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

	bool spurious = r->type == TRACE_EV_sched_waking && !is_blocked(run_of(merge, (u32)r->a));

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
