#include "tools/trace/output.h"
#include "tools/trace/perfetto.h"

/* Interned names hold per sequence; everything here is one. */
#define SEQUENCE 1

static const char *const event_names[NR_NAMES] = {
	[NAME_FUTEX_WAIT] = "futex_wait",
	[NAME_FUTEX_WAKE] = "futex_wake",
	[NAME_WAKE] = "wake",
	[NAME_WOKEN] = "woken",
	[NAME_PAGE_FAULT] = "page_fault",
	[NAME_IPI_SEND] = "IPI send",
	[NAME_IPI] = "IPI",
	[NAME_SPIN] = "spin lock",
	[NAME_MUTEX] = "mutex",
	[NAME_TLB_FLUSH] = "TLB flush",
	[NAME_TIMER] = "timer",
	[NAME_PRIORITY] = "priority",
	[NAME_MARKER] = "marker",
	[NAME_QUEUED] = "queued",
	[NAME_FUTEX_REQUEUE] = "futex_requeue",
	[NAME_FUTEX_LOCK_PI] = "futex_lock_pi",
	[NAME_FUTEX_UNLOCK_PI] = "futex_unlock_pi",
	[NAME_SEMOP] = "semop",
	[NAME_MSGSND] = "msgsnd",
	[NAME_MSGRCV] = "msgrcv",
	[NAME_MQ_SEND] = "mq_send",
	[NAME_MQ_RECEIVE] = "mq_receive",
	[NAME_SHMAT] = "shmat",
	[NAME_SHMDT] = "shmdt",
	[NAME_IPC_WAIT] = "ipc wait",
	[NAME_SEND] = "send",
	[NAME_RECEIVE] = "receive",
	[NAME_CONNECT] = "connect",
	[NAME_ACCEPT] = "accept",
	[NAME_SOCKET_WAIT] = "socket wait",
	[NAME_STREAM_WRITE] = "stream write",
	[NAME_FRAME_IN] = "frame in",
	[NAME_FRAME_OUT] = "frame out",
	[NAME_PAGE_SHORT] = "no pages",
	[NAME_OOM_WAIT] = "out of memory",
	[NAME_EXEC] = "exec",
};

static const char *const category_names[NR_CATEGORIES] = {
	[CATEGORY_FUTEX] = "futex", [CATEGORY_FAULT] = "fault",	  [CATEGORY_IPI] = "ipi",
	[CATEGORY_LOCK] = "lock",   [CATEGORY_MEMORY] = "memory", [CATEGORY_TIMER] = "timer",
	[CATEGORY_SCHED] = "sched", [CATEGORY_USER] = "user",	  [CATEGORY_IPC] = "ipc",
	[CATEGORY_NET] = "net",
};

static const char *const annotation_names[NR_ANNOTATIONS] = {
	[ANNOTATION_UADDR] = "uaddr",
	[ANNOTATION_VAL] = "val",
	[ANNOTATION_NR] = "nr",
	[ANNOTATION_RET] = "ret",
	[ANNOTATION_WOKEN] = "woken",
	[ANNOTATION_TID] = "tid",
	[ANNOTATION_ADDR] = "addr",
	[ANNOTATION_ACCESS] = "access",
	[ANNOTATION_CPUS] = "harts",
	[ANNOTATION_REASON] = "reason",
	[ANNOTATION_LOCK] = "lock",
	[ANNOTATION_HOLDER] = "holder",
	[ANNOTATION_HOLDER_HART] = "holder_hart",
	[ANNOTATION_PAGES] = "pages",
	[ANNOTATION_FUNCTION] = "function",
	[ANNOTATION_LATE] = "late_us",
	[ANNOTATION_OLD] = "old",
	[ANNOTATION_NEW] = "new",
	[ANNOTATION_BOOSTED] = "boosted",
	[ANNOTATION_BUCKET] = "bucket",
	[ANNOTATION_UADDR2] = "uaddr2",
	[ANNOTATION_MOVED] = "moved",
	[ANNOTATION_OWNER] = "owner",
	[ANNOTATION_NEXT] = "next",
	[ANNOTATION_ID] = "id",
	[ANNOTATION_OPS] = "operations",
	[ANNOTATION_NUM] = "num",
	[ANNOTATION_OP] = "op",
	[ANNOTATION_BYTES] = "bytes",
	[ANNOTATION_MTYPE] = "type",
	[ANNOTATION_SOCKET] = "socket",
	[ANNOTATION_PEER] = "peer",
	[ANNOTATION_LOCAL_PORT] = "local_port",
	[ANNOTATION_REMOTE_PORT] = "remote_port",
	[ANNOTATION_ORDER] = "order",
	[ANNOTATION_PRIORITY] = "priority",
};

/*
 * Track ids: groups, in each a track for every hart; figures of the machine; then threads in order of first use. Groups and figures
 * that nothing is written to are not shown.
 */
#define GROUP_TRACKS   100
#define TRACK_COUNTERS 900
#define TRACK_THREADS  1000

static const struct {
	const char *name;
	const char *unit; /* of counters */
} hart_tracks[NR_HART_TRACKS] = {
	[HART_IPIS] = {"IPIs", NULL},
	[HART_SPINS] = {"Spin locks", NULL},
	[HART_TLB] = {"TLB flushes", NULL},
	[HART_TIMERS] = {"Timers", NULL},
	[HART_RUNNABLE] = {"Runnable threads", "threads"},
	[HART_HELD] = {"Deferred frees", "waiting for a grace period"},
	[HART_SLABS] = {"Slabs", NULL},
};

static const struct {
	const char *name;
	const char *unit;
} machine_counters[NR_MACHINE_COUNTERS] = {
	[COUNTER_FREE_MEMORY] = {"Free memory", "KiB"},
	[COUNTER_GRACE_PERIODS] = {"Grace period", "number"},
	[COUNTER_SOCKETS] = {"Sockets", "sockets"},
	[COUNTER_FRAMES_POLLED] = {"Frames polled", "frames"},
};

static void intern(struct pb *to, u32 field, const char *const *names, u32 nr)
{
	for (u32 i = 1; i < nr; i++) {
		size_t mark = pb_begin(to, field);

		pb_u64(to, INTERNED_IID, i);
		pb_string(to, INTERNED_NAME, names[i]);
		pb_end(to, mark);
	}
}

/* A track of our own; parent 0: none, unit NULL: no counter. */
static void describe_track(struct output *out, u64 uuid, u64 parent, const char *name, u32 rank,
			   const char *unit)
{
	struct pb *packet = packet_begin(out);

	pb_u64(packet, PACKET_SEQUENCE_ID, SEQUENCE);

	size_t track = pb_begin(packet, PACKET_TRACK_DESCRIPTOR);

	pb_u64(packet, TRACK_UUID, uuid);
	pb_string(packet, TRACK_NAME, name);
	if (parent) {
		pb_u64(packet, TRACK_PARENT, parent);
		pb_u64(packet, TRACK_RANK, rank);
	} else if (!unit) {
		pb_u64(packet, TRACK_CHILD_ORDERING, TRACK_ORDER_EXPLICIT);
	}
	if (unit) {
		size_t counter = pb_begin(packet, TRACK_COUNTER);

		pb_string(packet, COUNTER_UNIT_NAME, unit);
		pb_end(packet, counter);
	}
	pb_end(packet, track);
	packet_end(out);
}

static void describe_hart_tracks(struct output *out, u32 nr_cpus)
{
	char name[32];

	for (u32 kind = 0; kind < NR_HART_TRACKS; kind++) {
		u64 group = track_of_hart(kind, 0) - 1;

		describe_track(out, group, 0, hart_tracks[kind].name, 0, NULL);
		for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
			snprintf(name, sizeof(name), "hart %u", cpu);
			describe_track(out, track_of_hart(kind, cpu), group, name, cpu,
				       hart_tracks[kind].unit);
		}
	}
}

void tracks_begin(struct output *out, u32 nr_cpus, u64 ns)
{
	struct pb *packet = packet_begin(out);

	pb_u64(packet, PACKET_TIMESTAMP, ns);
	pb_u64(packet, PACKET_SEQUENCE_ID, SEQUENCE);

	size_t interned = pb_begin(packet, PACKET_INTERNED_DATA);

	intern(packet, INTERNED_CATEGORIES, category_names, NR_CATEGORIES);
	intern(packet, INTERNED_EVENT_NAMES, event_names, NR_NAMES);
	intern(packet, INTERNED_ANNOTATION_NAMES, annotation_names, NR_ANNOTATIONS);
	pb_end(packet, interned);
	pb_u64(packet, PACKET_SEQUENCE_FLAGS, SEQUENCE_CLEARED);
	packet_end(out);

	describe_hart_tracks(out, nr_cpus);
	for (u32 i = 0; i < NR_MACHINE_COUNTERS; i++)
		describe_track(out, track_of_counter(i), 0, machine_counters[i].name, 0,
			       machine_counters[i].unit);
}

u64 track_of_hart(enum hart_track kind, u32 cpu)
{
	return (u64)kind * GROUP_TRACKS + 2 + cpu;
}

u64 track_of_counter(enum machine_counter counter)
{
	return TRACK_COUNTERS + (u64)counter;
}

u64 track_of_thread(struct output *out, struct thread *t)
{
	static u64 next_track = TRACK_THREADS;

	if (t->track)
		return t->track;
	t->track = next_track++;

	struct pb *packet = packet_begin(out);

	pb_u64(packet, PACKET_SEQUENCE_ID, SEQUENCE);

	size_t track = pb_begin(packet, PACKET_TRACK_DESCRIPTOR);

	pb_u64(packet, TRACK_UUID, t->track);

	size_t thread = pb_begin(packet, TRACK_THREAD);

	pb_u64(packet, TRACK_THREAD_PID, thread_tgid(t));
	pb_u64(packet, TRACK_THREAD_TID, t->tid);
	pb_end(packet, thread);
	pb_end(packet, track);
	packet_end(out);
	return t->track;
}

static void annotate(struct pb *to, const struct annotation *annotation)
{
	if (!annotation->name)
		return;

	size_t mark = pb_begin(to, EVENT_ANNOTATIONS);

	pb_u64(to, ANNOTATION_NAME_IID, annotation->name);
	pb_u64(to, annotation->type, annotation->value);
	pb_end(to, mark);
}

void track_event(struct output *out, const struct track_event *event)
{
	struct pb *packet = packet_begin(out);

	pb_u64(packet, PACKET_TIMESTAMP, event->ns);
	pb_u64(packet, PACKET_SEQUENCE_ID, SEQUENCE);
	pb_u64(packet, PACKET_SEQUENCE_FLAGS, SEQUENCE_NEEDS_STATE);

	size_t mark = pb_begin(packet, PACKET_TRACK_EVENT);

	bool named = event->type == EVENT_SLICE_BEGIN || event->type == EVENT_INSTANT;

	if (named)
		pb_u64(packet, EVENT_CATEGORY_IIDS, event->category);
	for (size_t i = 0; i < ARRAY_SIZE(event->annotations); i++)
		annotate(packet, &event->annotations[i]);
	pb_u64(packet, EVENT_TYPE, event->type);
	if (named && !event->text)
		pb_u64(packet, EVENT_NAME_IID, event->name);
	pb_u64(packet, EVENT_TRACK, event->track);
	if (named && event->text)
		pb_string(packet, EVENT_NAME, event->text);
	if (event->type == EVENT_COUNTER)
		pb_u64(packet, EVENT_COUNTER_VALUE, (u64)event->value);
	for (u32 i = 0; i < event->nr_flows; i++)
		pb_fixed64(packet, EVENT_FLOW, event->flows[i]);
	for (u32 i = 0; i < event->nr_flows_end; i++)
		pb_fixed64(packet, EVENT_FLOW_END, event->flows_end[i]);
	pb_end(packet, mark);
	packet_end(out);
}
