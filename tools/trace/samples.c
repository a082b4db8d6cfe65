/*
 * Samples as text, for who resolves their addresses (tools/guest/samples.py): a line each, in order of time.
 *
 *	name TID NAME			a thread is called so from here on
 *	fork CHILD PARENT		a process begins with another's mappings
 *	map PID START END OFFSET PATH	an executable mapping; START 0: the process begins a new program
 *	sample NS HART PID TID MODE ADDRESS...	innermost first; MODE is TRACE_SAMPLE_*
 *	missed NUMBER
 */
#include "tools/trace/samples.h"

#include "tools/trace/events.h"
#include "tools/trace/merge.h"

#include <inttypes.h>
#include <string.h>

#define MAX_DEPTH 64
#define PATH_ROOM 272

/* What of a hart has been told only in part. */
struct pending {
	u64 ns;
	u32 pid, tid, mode;
	u32 depth; /* frames announced, 0: none */
	u32 nr;
	u64 pc[MAX_DEPTH];
	struct trace_record map;
	bool has_map;
	char path[PATH_ROOM];
};

static void print_sample(FILE *out, u32 cpu, struct pending *p)
{
	fprintf(out, "sample %" PRIu64 " %u %u %u %u", p->ns, cpu, p->pid, p->tid, p->mode);
	for (u32 i = 0; i < p->nr; i++)
		fprintf(out, " %" PRIx64, p->pc[i]);
	fputc('\n', out);
	p->depth = p->nr = 0;
}

static void add_frame(struct pending *p, u64 pc)
{
	if (p->nr < p->depth && p->nr < MAX_DEPTH)
		p->pc[p->nr++] = pc;
}

static void add_frames(FILE *out, u32 cpu, struct pending *p, const struct trace_record *r)
{
	if (!p->depth)
		return;
	add_frame(p, r->a);
	add_frame(p, r->b);
	if (p->nr == MIN(p->depth, (u32)MAX_DEPTH))
		print_sample(out, cpu, p);
}

static void print_map(FILE *out, struct pending *p)
{
	fprintf(out, "map %u %" PRIx64 " %" PRIx64 " %" PRIx64 " %s\n", p->map.tid,
		event_value(&p->map, SLOT_x0), event_value(&p->map, SLOT_x1),
		event_value(&p->map, SLOT_x2), p->path);
	p->has_map = false;
}

static void begin_map(FILE *out, struct pending *p, const struct trace_record *r)
{
	p->map = *r;
	p->path[0] = 0;
	p->has_map = true;
	if (!event_value(r, SLOT_x0))
		print_map(out, p);
}

static void add_path(FILE *out, struct pending *p, const struct trace_record *r)
{
	size_t len = strlen(p->path);

	if (!p->has_map || len + 17 > sizeof(p->path))
		return;
	memcpy(p->path + len, &r->a, 8);
	memcpy(p->path + len + 8, &r->b, 8);
	p->path[len + 16] = 0;
	if (!r->flags)
		print_map(out, p);
}

static void print_record(FILE *out, const struct merge *merge, const struct merged *e,
			 struct pending *p)
{
	const struct trace_record *r = e->record;
	char name[TRACE_TASK_NAME_LEN];

	switch (r->type) {
	case TRACE_EV_task_new:
		e->thread->tgid = event_value(r, SLOT_ah);
		if (event_value(r, SLOT_al) == event_value(r, SLOT_ah))
			fprintf(out, "fork %u %u\n", e->thread->tid,
				thread_tgid(thread_get(merge->threads, r->tid)));
		break;
	case TRACE_EV_task_name:
		e->thread->tgid = event_value(r, SLOT_fc);
		event_name(r, name);
		fprintf(out, "name %u %s\n", e->thread->tid, name);
		break;
	case TRACE_EV_map:
		return begin_map(out, p, r);
	case TRACE_EV_map_path:
		return add_path(out, p, r);
	case TRACE_EV_sample:
		p->ns = merge_tick_ns(merge, r->a);
		p->tid = r->tid;
		p->pid = thread_tgid(thread_get(merge->threads, r->tid));
		p->mode = r->flags;
		p->depth = r->c;
		p->nr = 0;
		break;
	case TRACE_EV_sample_frames:
		return add_frames(out, e->cpu, p, r);
	case TRACE_EV_sample_missed:
		fprintf(out, "missed %" PRIu64 "\n", event_value(r, SLOT_al));
		break;
	default:
		break;
	}
}

void samples_print(const struct dump *dump, FILE *out)
{
	static struct pending pending[DUMP_MAX_RINGS];
	static struct merge merge;
	struct threads threads;
	struct merged e;

	threads_init(&threads);
	merge_init(&merge, dump, &threads, 0);
	while (merge_next(&merge, &e))
		print_record(out, &merge, &e, &pending[e.cpu]);
	threads_free(&threads);
}
