#include "tools/trace/output.h"
#include "tools/trace/perfetto.h"

#include <string.h>

/* A bundle is written when its events reach this size; only memory and the reader's working set depend on it. */
#define BUNDLE_BYTES (256 << 10)

struct pb *packet_begin(struct output *out)
{
	out->packet.len = 0;
	pb_begin(&out->packet, TRACE_PACKET);
	return &out->packet;
}

void packet_end(struct output *out)
{
	/* The tag of field 1 and one byte of length are where pb_begin() put the mark. */
	pb_end(&out->packet, 2);
	fwrite(out->packet.data, 1, out->packet.len, out->file);
}

void bundle_init(struct cpu_bundle *b, u32 cpu, u64 complete_from, bool lost)
{
	static u64 ids;

	*b = (struct cpu_bundle){.cpu = cpu, .complete_from = complete_from, .lost = lost};
	b->id = ++ids;
}

static void write_array(struct pb *to, u32 field, struct pb *array)
{
	pb_bytes(to, field, array->data, array->len);
	array->len = 0;
}

static void write_compact(struct cpu_bundle *b, struct pb *to)
{
	size_t compact = pb_begin(to, BUNDLE_COMPACT_SCHED);

	if (b->last_switch) {
		write_array(to, COMPACT_SWITCH_TIMESTAMP, &b->switch_timestamp);
		write_array(to, COMPACT_SWITCH_PREV_STATE, &b->switch_state);
		write_array(to, COMPACT_SWITCH_NEXT_PID, &b->switch_pid);
		write_array(to, COMPACT_SWITCH_NEXT_PRIO, &b->switch_prio);
		write_array(to, COMPACT_SWITCH_NEXT_COMM, &b->switch_comm);
	}
	for (u32 i = 0; i < b->nr_comms; i++)
		pb_string(to, COMPACT_INTERN_TABLE, b->comm[i]);
	if (b->last_waking) {
		write_array(to, COMPACT_WAKING_TIMESTAMP, &b->waking_timestamp);
		write_array(to, COMPACT_WAKING_PID, &b->waking_pid);
		write_array(to, COMPACT_WAKING_TARGET_CPU, &b->waking_cpu);
		write_array(to, COMPACT_WAKING_PRIO, &b->waking_prio);
		write_array(to, COMPACT_WAKING_COMM, &b->waking_comm);
		write_array(to, COMPACT_WAKING_FLAGS, &b->waking_flags);
	}
	pb_end(to, compact);
}

void bundle_flush(struct cpu_bundle *b, struct output *out)
{
	static u64 ids = 1UL << 32;

	if (!b->events.len && !b->last_switch && !b->last_waking)
		return;

	struct pb *packet = packet_begin(out);
	size_t bundle = pb_begin(packet, PACKET_FTRACE_EVENTS);

	pb_u64(packet, BUNDLE_CPU, b->cpu);
	/* Already whole fields: tag, length, event. */
	size_t len = b->events.len;

	pb_raw(packet, b->events.data, len);
	b->events.len = 0;
	if (b->lost && !b->first_done)
		pb_u64(packet, BUNDLE_LOST_EVENTS, 1);
	if (b->last_switch || b->last_waking)
		write_compact(b, packet);
	if (!b->first_done)
		pb_u64(packet, BUNDLE_PREVIOUS_END, b->complete_from);
	pb_end(packet, bundle);
	packet_end(out);
	b->first_done = true;
	b->last_switch = 0;
	b->last_waking = 0;
	b->nr_comms = 0;
	b->id = ++ids;
}

void bundle_make_room(struct cpu_bundle *b, struct output *out)
{
	if (b->events.len + b->switch_timestamp.len + b->waking_timestamp.len > BUNDLE_BYTES ||
	    b->nr_comms == MAX_COMMS)
		bundle_flush(b, out);
}

void bundle_free(struct cpu_bundle *b)
{
	struct pb *all[] = {
		&b->events,	 &b->switch_timestamp, &b->switch_state, &b->switch_pid,
		&b->switch_prio, &b->switch_comm,      &b->waking_pid,	 &b->waking_timestamp,
		&b->waking_cpu,	 &b->waking_prio,      &b->waking_comm,	 &b->waking_flags,
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		pb_free(all[i]);
}

const char *thread_comm(const struct thread *t, u32 cpu, char buffer[TRACE_TASK_NAME_LEN])
{
	if (t->tid)
		return t->name;
	snprintf(buffer, TRACE_TASK_NAME_LEN, "swapper/%u", cpu);
	return buffer;
}

/* Index of the thread's name in this bundle's table. */
static u32 comm_index(struct cpu_bundle *b, struct thread *t)
{
	char buffer[TRACE_TASK_NAME_LEN];
	const char *comm = thread_comm(t, b->cpu, buffer);
	u32 i = t->comm_index;

	if (t->comm_bundle != b->id || strcmp(b->comm[i], comm)) {
		for (i = 0; i < b->nr_comms && strcmp(b->comm[i], comm); i++)
			;
		if (i == b->nr_comms)
			strcpy(b->comm[b->nr_comms++], comm);
		t->comm_bundle = b->id;
		t->comm_index = i;
	}
	return i;
}

struct event_marks {
	size_t event;
	size_t payload;
};

static struct event_marks event_begin(struct cpu_bundle *b, u64 ns, u32 pid, u32 payload)
{
	struct event_marks marks;

	marks.event = pb_begin(&b->events, BUNDLE_EVENT);
	pb_u64(&b->events, FTRACE_TIMESTAMP, ns);
	pb_u64(&b->events, FTRACE_PID, pid);
	marks.payload = pb_begin(&b->events, payload);
	return marks;
}

static void event_end(struct cpu_bundle *b, struct event_marks marks)
{
	pb_end(&b->events, marks.payload);
	pb_end(&b->events, marks.event);
}

static u64 delta(u64 *last, u64 ns)
{
	u64 d = ns - *last;

	*last = ns;
	return d;
}

/* The hart's first switch, and one whose prev is not the last next (records were lost), name prev in full. */
static void full_switch(struct cpu_bundle *b, u64 ns, const struct thread *prev, u64 prev_state,
			const struct thread *next)
{
	struct event_marks marks = event_begin(b, ns, prev->tid, FTRACE_SCHED_SWITCH);
	char buffer[TRACE_TASK_NAME_LEN];

	pb_string(&b->events, SWITCH_PREV_COMM, thread_comm(prev, b->cpu, buffer));
	pb_u64(&b->events, SWITCH_PREV_PID, prev->tid);
	pb_u64(&b->events, SWITCH_PREV_PRIO, prev->prio);
	pb_u64(&b->events, SWITCH_PREV_STATE, prev_state);
	pb_string(&b->events, SWITCH_NEXT_COMM, thread_comm(next, b->cpu, buffer));
	pb_u64(&b->events, SWITCH_NEXT_PID, next->tid);
	pb_u64(&b->events, SWITCH_NEXT_PRIO, next->prio);
	event_end(b, marks);
}

void ftrace_sched_switch(struct cpu_bundle *b, u64 ns, const struct thread *prev, u64 prev_state,
			 struct thread *next)
{
	if (!b->seen_switch || b->running != prev->tid) {
		full_switch(b, ns, prev, prev_state, next);
	} else {
		pb_varint(&b->switch_timestamp, delta(&b->last_switch, ns));
		pb_varint(&b->switch_state, prev_state);
		pb_varint(&b->switch_pid, next->tid);
		pb_varint(&b->switch_prio, next->prio);
		pb_varint(&b->switch_comm, comm_index(b, next));
	}
	b->seen_switch = true;
	b->running = next->tid;
}

/* Readers skip compact wakings before the hart's first switch: those go in full, without the interrupt flag. */
void ftrace_sched_waking(struct cpu_bundle *b, u64 ns, u32 waker, struct thread *wakee,
			 u32 target_cpu, bool irq)
{
	if (b->seen_switch) {
		pb_varint(&b->waking_timestamp, delta(&b->last_waking, ns));
		pb_varint(&b->waking_pid, wakee->tid);
		pb_varint(&b->waking_cpu, target_cpu);
		pb_varint(&b->waking_prio, wakee->prio);
		pb_varint(&b->waking_comm, comm_index(b, wakee));
		pb_varint(&b->waking_flags, irq ? LINUX_TRACE_FLAG_HARDIRQ : 0);
		return;
	}

	struct event_marks marks = event_begin(b, ns, waker, FTRACE_SCHED_WAKING);

	pb_string(&b->events, WAKING_COMM, wakee->name);
	pb_u64(&b->events, WAKING_PID, wakee->tid);
	pb_u64(&b->events, WAKING_PRIO, wakee->prio);
	pb_u64(&b->events, WAKING_SUCCESS, 1);
	pb_u64(&b->events, WAKING_TARGET, target_cpu);
	event_end(b, marks);
}

void ftrace_sched_migrate(struct cpu_bundle *b, u64 ns, u32 pid, const struct thread *t, u32 from,
			  u32 to)
{
	struct event_marks marks = event_begin(b, ns, pid, FTRACE_SCHED_MIGRATE);

	pb_string(&b->events, MIGRATE_COMM, t->name);
	pb_u64(&b->events, MIGRATE_PID, t->tid);
	pb_u64(&b->events, MIGRATE_PRIO, t->prio);
	pb_u64(&b->events, MIGRATE_FROM, from);
	pb_u64(&b->events, MIGRATE_TO, to);
	event_end(b, marks);
}

void ftrace_task_new(struct cpu_bundle *b, u64 ns, u32 parent, const struct thread *child,
		     const char *comm)
{
	struct event_marks marks = event_begin(b, ns, parent, FTRACE_TASK_NEWTASK);

	pb_u64(&b->events, NEWTASK_PID, child->tid);
	pb_string(&b->events, NEWTASK_COMM, comm);
	pb_u64(&b->events, NEWTASK_CLONE_FLAGS,
	       thread_tgid(child) == child->tid ? 0 : LINUX_CLONE_THREAD);
	event_end(b, marks);
}

void ftrace_task_rename(struct cpu_bundle *b, u64 ns, const struct thread *t, const char *name)
{
	struct event_marks marks = event_begin(b, ns, t->tid, FTRACE_TASK_RENAME);

	pb_u64(&b->events, RENAME_PID, t->tid);
	pb_string(&b->events, RENAME_OLD, t->name);
	pb_string(&b->events, RENAME_NEW, name);
	event_end(b, marks);
}

void ftrace_task_free(struct cpu_bundle *b, u64 ns, const struct thread *t)
{
	struct event_marks marks = event_begin(b, ns, b->running, FTRACE_PROCESS_FREE);

	pb_string(&b->events, FREE_COMM, t->name);
	pb_u64(&b->events, FREE_PID, t->tid);
	pb_u64(&b->events, FREE_PRIO, t->prio);
	event_end(b, marks);
}

void ftrace_sys_enter(struct cpu_bundle *b, u64 ns, u32 pid, u64 nr, const u64 *args, u32 nr_args)
{
	struct event_marks marks = event_begin(b, ns, pid, FTRACE_SYS_ENTER);

	pb_u64(&b->events, SYS_ENTER_ID, nr);
	for (u32 i = 0; i < nr_args; i++)
		pb_u64(&b->events, SYS_ENTER_ARGS, args[i]);
	event_end(b, marks);
}

void ftrace_sys_exit(struct cpu_bundle *b, u64 ns, u32 pid, u64 nr, s64 ret)
{
	struct event_marks marks = event_begin(b, ns, pid, FTRACE_SYS_EXIT);

	pb_u64(&b->events, SYS_EXIT_ID, nr);
	pb_u64(&b->events, SYS_EXIT_RET, (u64)ret);
	event_end(b, marks);
}

void ftrace_tcp_state(struct cpu_bundle *b, u64 ns, u32 pid, const struct tcp_change *change)
{
	struct event_marks marks = event_begin(b, ns, pid, FTRACE_TCP_STATE);

	pb_u64(&b->events, TCP_STATE_REMOTE_PORT, change->remote_port);
	pb_u64(&b->events, TCP_STATE_FAMILY, LINUX_AF_INET);
	pb_u64(&b->events, TCP_STATE_NEW, change->state);
	pb_u64(&b->events, TCP_STATE_OLD, change->old_state);
	pb_u64(&b->events, TCP_STATE_PROTOCOL, LINUX_IPPROTO_TCP);
	pb_u64(&b->events, TCP_STATE_SOCKET, change->socket);
	pb_u64(&b->events, TCP_STATE_LOCAL_PORT, change->local_port);
	event_end(b, marks);
}

static const char *irq_name(u32 irq, char buffer[32])
{
	switch (irq) {
	case 1:
		return "IPI";
	case 5:
		return "timer";
	case 9:
		return "external";
	default:
		snprintf(buffer, 32, irq < TRACE_IRQ_DEVICE ? "local %u" : "device %u",
			 irq < TRACE_IRQ_DEVICE ? irq : irq - TRACE_IRQ_DEVICE);
		return buffer;
	}
}

void ftrace_irq_entry(struct cpu_bundle *b, u64 ns, u32 pid, u32 irq)
{
	struct event_marks marks = event_begin(b, ns, pid, FTRACE_IRQ_ENTRY);
	char buffer[32];

	pb_u64(&b->events, IRQ_ENTRY_IRQ, irq);
	pb_string(&b->events, IRQ_ENTRY_NAME, irq_name(irq, buffer));
	event_end(b, marks);
}

void ftrace_irq_exit(struct cpu_bundle *b, u64 ns, u32 pid, u32 irq)
{
	struct event_marks marks = event_begin(b, ns, pid, FTRACE_IRQ_EXIT);

	pb_u64(&b->events, IRQ_EXIT_IRQ, irq);
	pb_u64(&b->events, IRQ_EXIT_RET, 1);
	event_end(b, marks);
}

void ftrace_cpu_idle(struct cpu_bundle *b, u64 ns, u32 pid, u32 state)
{
	struct event_marks marks = event_begin(b, ns, pid, FTRACE_CPU_IDLE);

	pb_u64(&b->events, POWER_STATE, state);
	pb_u64(&b->events, POWER_CPU, b->cpu);
	event_end(b, marks);
}

void ftrace_cpu_frequency(struct cpu_bundle *b, u64 ns, u32 khz)
{
	struct event_marks marks = event_begin(b, ns, 0, FTRACE_CPU_FREQUENCY);

	pb_u64(&b->events, POWER_STATE, khz);
	pb_u64(&b->events, POWER_CPU, b->cpu);
	event_end(b, marks);
}
