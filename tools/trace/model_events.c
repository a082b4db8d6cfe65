/* What each record means in the Perfetto trace. */
#include "tools/trace/events.h"
#include "tools/trace/model.h"
#include "tools/trace/perfetto.h"

#include <string.h>

/* The machine has no frequencies; readers divide by this one, so the number only has to be the same everywhere. */
#define PRETENDED_KHZ 1000000

static void slice_end(struct model *m, const struct merged *e, enum slice slice,
		      enum track_annotation result)
{
	struct annotation annotation = {result, ANNOTATION_INT, e->record->a};

	model_slice_end(m, e, slice, &annotation);
}

static void sched_switch(struct model *m, const struct merged *e)
{
	const struct trace_record *r = e->record;
	struct cpu_bundle *bundle = &m->cpus[e->cpu].bundle;
	struct thread *prev = model_thread_of(m, e);
	struct thread *next = thread_get(&m->threads, event_value(r, SLOT_al));
	u64 state = r->c;

	if (state == TRACE_STATE_DEAD)
		model_slices_close(m, prev, e->cpu);
	if (state == TRACE_STATE_PREEMPTED && prev->tid)
		state = LINUX_PREV_STATE_PREEMPTED;
	next->prio = event_value(r, SLOT_ah);
	ftrace_sched_switch(bundle, model_stamp(m), prev, state, next);
	if (state == TRACE_STATE_DEAD && prev->tid) {
		ftrace_task_free(bundle, model_stamp(m), prev);
		prev->dead = true;
	}
	if (prev->tid && state != TRACE_STATE_DEAD && !is_blocking(r->c))
		model_queued(m, prev, e->cpu);
	model_unqueued(m, next);
	if (next->flow)
		model_slice_woken(m, next, e->cpu);
}

static void sched_waking(struct model *m, const struct merged *e)
{
	const struct trace_record *r = e->record;
	struct thread *wakee = e->thread;
	struct thread *waker = model_thread_of(m, e);
	const struct cpu_bundle *bundle = &m->cpus[e->cpu].bundle;
	bool irq = r->flags & TRACE_WAKE_IRQ || m->cpus[e->cpu].in_irq;

	/* Readers take the hart's current thread for the waker, unless it was an interrupt. The merge may be late. */
	if (bundle->seen_switch && bundle->running != r->tid)
		irq = true;

	/* A new thread is runnable by its birth; others that were not blocked have nothing to be woken from. */
	if (e->spurious) {
		m->nr_spurious += wakee->run != RUN_NEW;
		return;
	}
	model_queued(m, wakee, r->c);
	ftrace_sched_waking(&m->cpus[e->cpu].bundle, model_stamp(m), r->tid, wakee, r->c, irq);
	if (irq || !model_slice_wakes(waker) || !wakee->depth)
		return;
	wakee->flow = ++m->next_flow;

	struct track_event event = {
		.ns = model_stamp(m),
		.track = track_of_thread(&m->out, waker),
		.type = EVENT_INSTANT,
		.category = CATEGORY_FUTEX,
		.name = NAME_WAKE,
		.annotations = {{ANNOTATION_TID, ANNOTATION_INT, wakee->tid}},
		.flows = &wakee->flow,
		.nr_flows = 1,
	};

	track_event(&m->out, &event);
}

/* Three arguments from `first` on; those that did not fit were told before. */
static void learn_arguments(struct model_cpu *cpu, const struct trace_record *r, u32 first)
{
	static const enum event_slot slots[] = {SLOT_x0, SLOT_x1, SLOT_x2};

	for (u32 i = 0; i < 3; i++)
		if (!(cpu->args_known >> (first + i) & 1))
			cpu->args[first + i] = event_value(r, slots[i]);
	cpu->args_known |= 7U << first;
}

/* An argument that is longer than what three in a record have. */
static void sys_wide(struct model *m, const struct merged *e)
{
	struct model_cpu *cpu = &m->cpus[e->cpu];
	u32 index = e->record->flags;

	if (index >= ARRAY_SIZE(cpu->args))
		return;
	cpu->args[index] = e->record->a;
	cpu->args_known |= 1U << index;
}

static void sys_enter(struct model *m, const struct merged *e)
{
	const struct trace_record *r = e->record;
	struct thread *t = model_thread_of(m, e);
	struct model_cpu *cpu = &m->cpus[e->cpu];

	learn_arguments(cpu, r, 0);
	/* Open still: the end of the last one was lost, or it never returned (sigreturn, exec). */
	model_slices_close(m, t, e->cpu);
	t->open[t->depth++] = SLICE_SYSCALL;
	t->syscall = r->c;
	ftrace_sys_enter(&cpu->bundle, model_stamp(m), r->tid, r->c, cpu->args,
			 cpu->args_known & 8 ? 6 : 3);
	cpu->args_known = 0;
}

static void sys_exit(struct model *m, const struct merged *e)
{
	const struct trace_record *r = e->record;
	struct thread *t = model_thread_of(m, e);

	if (!model_slice_uncover(m, t, e->cpu, SLICE_SYSCALL))
		return;
	t->depth--;
	ftrace_sys_exit(&m->cpus[e->cpu].bundle, model_stamp(m), r->tid, r->c, (s64)r->a);
}

static void irq_entry(struct model *m, const struct merged *e)
{
	struct model_cpu *cpu = &m->cpus[e->cpu];

	if (cpu->in_irq)
		ftrace_irq_exit(&cpu->bundle, model_stamp(m), e->record->tid, cpu->irq);
	cpu->in_irq = true;
	cpu->irq = event_value(e->record, SLOT_al);
	ftrace_irq_entry(&cpu->bundle, model_stamp(m), e->record->tid, cpu->irq);
}

static void irq_exit(struct model *m, const struct merged *e)
{
	struct model_cpu *cpu = &m->cpus[e->cpu];

	if (cpu->in_irq)
		ftrace_irq_exit(&cpu->bundle, model_stamp(m), e->record->tid, cpu->irq);
	cpu->in_irq = false;
}

static void slice_with(struct model *m, const struct merged *e, enum slice slice,
		       struct annotation first, struct annotation second)
{
	struct track_event event = {.annotations = {first, second}};

	model_slice_begin(m, model_thread_of(m, e), slice, &event);
}

/* Says in which bucket the thread's futex_wait sleeps. */
static void futex_queued(struct model *m, const struct merged *e)
{
	struct thread *t = model_thread_of(m, e);
	struct track_event event = {
		.type = EVENT_INSTANT,
		.category = CATEGORY_FUTEX,
		.name = NAME_QUEUED,
		.annotations = {{ANNOTATION_BUCKET, ANNOTATION_UINT, e->record->a}},
	};

	if (!model_slice_is_open(t, SLICE_FUTEX_WAIT))
		return;
	event.ns = model_stamp(m);
	event.track = track_of_thread(&m->out, t);
	track_event(&m->out, &event);
}

static void task_new(struct model *m, const struct merged *e)
{
	const struct trace_record *r = e->record;
	struct thread *parent = model_thread_of(m, e);
	struct thread *child = e->thread;

	child->born = true;
	child->tgid = event_value(r, SLOT_ah);
	child->parent_tid = parent->tid;
	memcpy(child->name, parent->name, sizeof(child->name));
	ftrace_task_new(&m->cpus[e->cpu].bundle, model_stamp(m), parent->tid, child, child->name);
}

static void task_exec(struct model *m, const struct merged *e)
{
	struct track_event event = {
		.type = EVENT_INSTANT,
		.ns = model_stamp(m),
		.track = track_of_thread(&m->out, thread_get(&m->threads, e->record->tid)),
		.category = CATEGORY_SCHED,
		.name = NAME_EXEC,
	};

	track_event(&m->out, &event);
}

static void task_name(struct model *m, const struct merged *e)
{
	struct thread *t = e->thread;
	char name[TRACE_TASK_NAME_LEN];

	event_name(e->record, name);
	t->tgid = event_value(e->record, SLOT_fc);
	if (!strcmp(name, t->name))
		return;
	ftrace_task_rename(&m->cpus[e->cpu].bundle, model_stamp(m), t, name);
	memcpy(t->name, name, sizeof(name));
}

void model_event(struct model *m, const struct merged *e)
{
	const struct trace_record *r = e->record;
	struct cpu_bundle *bundle = &m->cpus[e->cpu].bundle;
	const struct annotation uaddr = {ANNOTATION_UADDR, ANNOTATION_POINTER, r->a};
	const struct annotation addr = {ANNOTATION_ADDR, ANNOTATION_POINTER, r->a};

	m->stamp = e->ns;
	bundle_make_room(bundle, &m->out);
	if (!m->cpus[e->cpu].started) {
		m->cpus[e->cpu].started = true;
		ftrace_cpu_frequency(bundle, model_stamp(m), PRETENDED_KHZ);
	}
	switch ((enum trace_type)r->type) {
	case TRACE_EV_sched_switch:
		return sched_switch(m, e);
	case TRACE_EV_sched_waking:
		return sched_waking(m, e);
	case TRACE_EV_sched_migrate:
		model_queued(m, thread_get(&m->threads, event_value(r, SLOT_al)),
			     event_value(r, SLOT_ah));
		return ftrace_sched_migrate(bundle, model_stamp(m), r->tid,
					    thread_get(&m->threads, event_value(r, SLOT_al)), r->c,
					    event_value(r, SLOT_ah));
	case TRACE_EV_cpu_idle:
		return ftrace_cpu_idle(bundle, model_stamp(m), r->tid, event_value(r, SLOT_al));
	case TRACE_EV_sys_enter:
		return sys_enter(m, e);
	case TRACE_EV_sys_exit:
		return sys_exit(m, e);
	case TRACE_EV_irq_entry:
		return irq_entry(m, e);
	case TRACE_EV_irq_exit:
		return irq_exit(m, e);
	case TRACE_EV_ipi_send:
		return model_ipi_send(m, e);
	case TRACE_EV_ipi_recv:
		return model_ipi_recv(m, e);
	case TRACE_EV_futex_wait:
		return slice_with(m, e, SLICE_FUTEX_WAIT, uaddr,
				  (struct annotation){ANNOTATION_VAL, ANNOTATION_UINT,
						      event_value(r, SLOT_bl)});
	case TRACE_EV_futex_queued:
		return futex_queued(m, e);
	case TRACE_EV_futex_wake:
		return slice_with(m, e, SLICE_FUTEX_WAKE, uaddr,
				  (struct annotation){ANNOTATION_NR, ANNOTATION_INT,
						      (u64)(s32)event_value(r, SLOT_bl)});
	case TRACE_EV_page_fault:
		return slice_with(m, e, SLICE_FAULT, addr,
				  (struct annotation){ANNOTATION_ACCESS, ANNOTATION_UINT, r->c});
	case TRACE_EV_futex_wait_done:
		return slice_end(m, e, SLICE_FUTEX_WAIT, ANNOTATION_RET);
	case TRACE_EV_futex_wake_done:
		return slice_end(m, e, SLICE_FUTEX_WAKE, ANNOTATION_WOKEN);
	case TRACE_EV_page_fault_done:
		return slice_end(m, e, SLICE_FAULT, ANNOTATION_RET);
	case TRACE_EV_task_new:
		return task_new(m, e);
	case TRACE_EV_task_name:
		return task_name(m, e);
	case TRACE_EV_task_exec:
		return task_exec(m, e);
	case TRACE_EV_lock_wait:
		return model_lock_wait(m, e);
	case TRACE_EV_lock_taken:
		return model_lock_taken(m, e);
	case TRACE_EV_lock_class:
		return model_lock_class(m, e);
	case TRACE_EV_tlb_flush:
		return model_tlb_flush(m, e, true);
	case TRACE_EV_tlb_flushed:
		return model_tlb_flush(m, e, false);
	case TRACE_EV_timer_fire:
		return model_timer_fire(m, e);
	case TRACE_EV_free_pages:
		return model_counter(m, COUNTER_FREE_MEMORY, r->a * 4);
	case TRACE_EV_epoch_begin:
		return model_counter(m, COUNTER_GRACE_PERIODS, r->a);
	case TRACE_EV_net_poll:
		return model_counter(m, COUNTER_FRAMES_POLLED, event_value(r, SLOT_al));
	case TRACE_EV_sched_prio:
		return model_priority(m, e);
	case TRACE_EV_marker:
		return model_marker(m, e);
	case TRACE_EV_sys_args:
		return learn_arguments(&m->cpus[e->cpu], r, 3);
	case TRACE_EV_sys_wide:
		return sys_wide(m, e);
	case TRACE_EV_futex_requeue:
		return model_futex_requeue(m, e);
	case TRACE_EV_futex_requeue_done:
		return model_futex_requeue_done(m, e);
	case TRACE_EV_futex_pi_wait:
	case TRACE_EV_futex_pi_give:
		return model_futex_pi(m, e);
	case TRACE_EV_sem_op:
	case TRACE_EV_msg_send:
	case TRACE_EV_msg_receive:
	case TRACE_EV_mq_send:
	case TRACE_EV_mq_receive:
	case TRACE_EV_shm_attach:
	case TRACE_EV_shm_detach:
		return model_ipc(m, e);
	case TRACE_EV_ipc_wait:
		return model_ipc_wait(m, e);
	case TRACE_EV_ipc_wait_done:
		return slice_end(m, e, SLICE_IPC_WAIT, ANNOTATION_RET);
	case TRACE_EV_ipc_done:
		return slice_end(m, e, SLICE_IPC, ANNOTATION_RET);
	case TRACE_EV_sock_send:
	case TRACE_EV_sock_receive:
	case TRACE_EV_sock_connect:
	case TRACE_EV_sock_accept:
		return model_socket(m, e);
	case TRACE_EV_sock_wait:
		return model_socket_wait(m, e);
	case TRACE_EV_sock_wait_done:
		return slice_end(m, e, SLICE_SOCKET_WAIT, ANNOTATION_RET);
	case TRACE_EV_sock_done:
		return slice_end(m, e, SLICE_SOCKET, ANNOTATION_RET);
	case TRACE_EV_stream_write:
		return model_stream_write(m, e);
	case TRACE_EV_frame:
		return model_frame(m, e);
	case TRACE_EV_tcp_resend:
		return model_tcp_resend(m, e);
	case TRACE_EV_tcp_state:
		return model_tcp_state(m, e);
	case TRACE_EV_sockets:
		return model_counter(m, COUNTER_SOCKETS, r->a);
	case TRACE_EV_page_short:
		return model_page_short(m, e);
	case TRACE_EV_oom_wait:
		return model_oom_wait(m, e);
	case TRACE_EV_oom_wait_done:
		return slice_end(m, e, SLICE_OOM, ANNOTATION_RET);
	case TRACE_EV_slab_grow:
	case TRACE_EV_slab_shrink:
		return model_slab(m, e);
	case TRACE_EV_unmap_pages:
		m->cpus[e->cpu].unmapped = r->a;
		return;
	case TRACE_EV_epoch_freed:
		return model_hart_counter(m, HART_HELD, e->cpu, event_value(r, SLOT_ah));
	/* Resolved and written by who has the files (tools/guest/samples.py). */
	case TRACE_EV_sample:
	case TRACE_EV_sample_frames:
	case TRACE_EV_sample_missed:
	case TRACE_EV_map:
	case TRACE_EV_map_path:
	case TRACE_EV_task_exit:
	case TRACE_EV_none:
	case TRACE_NR_TYPES:
		return;
	}
}
