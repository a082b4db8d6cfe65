/* The slices that are open on each thread, innermost last: what is written nests, whatever the rings lost. */
#include "tools/trace/model.h"
#include "tools/trace/perfetto.h"

/* Ends a thread's life with nothing open: exit system calls do not return. */
#define RET_NEVER_RETURNED 0

static const struct {
	enum track_category category;
	enum track_name name;
} slices[] = {
	[SLICE_FUTEX_WAIT] = {CATEGORY_FUTEX, NAME_FUTEX_WAIT},
	[SLICE_FUTEX_WAKE] = {CATEGORY_FUTEX, NAME_FUTEX_WAKE},
	[SLICE_FAULT] = {CATEGORY_FAULT, NAME_PAGE_FAULT},
	[SLICE_WOKEN] = {CATEGORY_FUTEX, NAME_WOKEN},
	[SLICE_LOCK] = {CATEGORY_LOCK, NAME_MUTEX},
	[SLICE_IPC] = {CATEGORY_IPC, NAME_SEMOP},
	[SLICE_IPC_WAIT] = {CATEGORY_IPC, NAME_IPC_WAIT},
	[SLICE_SOCKET] = {CATEGORY_NET, NAME_SEND},
	[SLICE_SOCKET_WAIT] = {CATEGORY_NET, NAME_SOCKET_WAIT},
	[SLICE_OOM] = {CATEGORY_MEMORY, NAME_OOM_WAIT},
};

u64 model_stamp(struct model *m)
{
	u64 ns = m->stamp ? m->stamp : merge_stamp(&m->merge);

	m->stamp = 0;
	return ns;
}

bool model_slice_is_open(const struct thread *t, enum slice slice)
{
	for (u32 i = 0; i < t->depth; i++)
		if (t->open[i] == slice)
			return true;
	return false;
}

bool model_slice_wakes(const struct thread *t)
{
	enum slice top = t->depth ? t->open[t->depth - 1] : SLICE_SYSCALL;

	return top == SLICE_FUTEX_WAKE || top == SLICE_IPC || top == SLICE_SOCKET;
}

struct thread *model_thread_of(struct model *m, const struct merged *e)
{
	return thread_get(&m->threads, e->record->tid);
}

bool model_slice_begin(struct model *m, struct thread *t, enum slice slice, struct track_event *event)
{
	if (t->depth == MAX_SLICES)
		return false;
	t->open[t->depth++] = slice;
	event->ns = model_stamp(m);
	event->track = track_of_thread(&m->out, t);
	event->type = EVENT_SLICE_BEGIN;
	event->category = slices[slice].category;
	if (!event->name)
		event->name = slices[slice].name;
	track_event(&m->out, event);
	return true;
}

static void slice_pop(struct model *m, struct thread *t, u32 cpu, const struct annotation *results,
		      u32 nr)
{
	enum slice slice = t->open[--t->depth];

	if (slice == SLICE_SYSCALL) {
		ftrace_sys_exit(&m->cpus[cpu].bundle, model_stamp(m), t->tid, t->syscall,
				RET_NEVER_RETURNED);
		return;
	}

	struct track_event event = {
		.ns = model_stamp(m), .track = track_of_thread(&m->out, t), .type = EVENT_SLICE_END};

	for (u32 i = 0; i < nr; i++)
		event.annotations[i] = results[i];
	track_event(&m->out, &event);
}

bool model_slice_uncover(struct model *m, struct thread *t, u32 cpu, enum slice slice)
{
	if (!model_slice_is_open(t, slice))
		return false;
	while (t->open[t->depth - 1] != slice)
		slice_pop(m, t, cpu, NULL, 0);
	return true;
}

void model_slice_end_with(struct model *m, const struct merged *e, enum slice slice,
			  const struct annotation *results, u32 nr)
{
	struct thread *t = model_thread_of(m, e);

	if (model_slice_uncover(m, t, e->cpu, slice))
		slice_pop(m, t, e->cpu, results, nr);
}

void model_slice_end(struct model *m, const struct merged *e, enum slice slice,
		     const struct annotation *result)
{
	model_slice_end_with(m, e, slice, result, result != NULL);
}

void model_slices_close(struct model *m, struct thread *t, u32 cpu)
{
	while (t->depth)
		slice_pop(m, t, cpu, NULL, 0);
	t->flow = 0;
}

void model_slice_woken(struct model *m, struct thread *t, u32 cpu)
{
	u64 flow = t->flow;
	struct track_event event = {.flows_end = &flow, .nr_flows_end = 1};

	t->flow = 0;
	/* A call that sleeps again and again has one of these at a time. */
	if (t->depth && t->open[t->depth - 1] == SLICE_WOKEN)
		slice_pop(m, t, cpu, NULL, 0);
	if (t->depth)
		model_slice_begin(m, t, SLICE_WOKEN, &event);
}
