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
};

static const char *const category_names[NR_CATEGORIES] = {
	[CATEGORY_FUTEX] = "futex",
	[CATEGORY_FAULT] = "fault",
	[CATEGORY_IPI] = "ipi",
};

static const char *const annotation_names[NR_ANNOTATIONS] = {
	[ANNOTATION_UADDR] = "uaddr",	[ANNOTATION_VAL] = "val",	[ANNOTATION_NR] = "nr",
	[ANNOTATION_RET] = "ret",	[ANNOTATION_WOKEN] = "woken",	[ANNOTATION_TID] = "tid",
	[ANNOTATION_ADDR] = "addr",	[ANNOTATION_ACCESS] = "access", [ANNOTATION_CPUS] = "harts",
	[ANNOTATION_REASON] = "reason",
};

/* Track ids: the group of IPI tracks, one per hart below it, then threads in order of first use. */
#define TRACK_IPI_GROUP 1
#define TRACK_IPI_FIRST 2
#define TRACK_THREADS	1000

static void intern(struct pb *to, u32 field, const char *const *names, u32 nr)
{
	for (u32 i = 1; i < nr; i++) {
		size_t mark = pb_begin(to, field);

		pb_u64(to, INTERNED_IID, i);
		pb_string(to, INTERNED_NAME, names[i]);
		pb_end(to, mark);
	}
}

static void ipi_track(struct output *out, u64 uuid, const char *name, u32 rank)
{
	struct pb *packet = packet_begin(out);

	pb_u64(packet, PACKET_SEQUENCE_ID, SEQUENCE);

	size_t track = pb_begin(packet, PACKET_TRACK_DESCRIPTOR);

	pb_u64(packet, TRACK_UUID, uuid);
	pb_string(packet, TRACK_NAME, name);
	if (uuid == TRACK_IPI_GROUP) {
		pb_u64(packet, TRACK_CHILD_ORDERING, TRACK_ORDER_EXPLICIT);
	} else {
		pb_u64(packet, TRACK_PARENT, TRACK_IPI_GROUP);
		pb_u64(packet, TRACK_RANK, rank);
	}
	pb_end(packet, track);
	packet_end(out);
}

void tracks_begin(struct output *out, u32 nr_cpus, u64 ns)
{
	struct pb *packet = packet_begin(out);
	char name[32];

	pb_u64(packet, PACKET_TIMESTAMP, ns);
	pb_u64(packet, PACKET_SEQUENCE_ID, SEQUENCE);

	size_t interned = pb_begin(packet, PACKET_INTERNED_DATA);

	intern(packet, INTERNED_CATEGORIES, category_names, NR_CATEGORIES);
	intern(packet, INTERNED_EVENT_NAMES, event_names, NR_NAMES);
	intern(packet, INTERNED_ANNOTATION_NAMES, annotation_names, NR_ANNOTATIONS);
	pb_end(packet, interned);
	pb_u64(packet, PACKET_SEQUENCE_FLAGS, SEQUENCE_CLEARED);
	packet_end(out);

	ipi_track(out, TRACK_IPI_GROUP, "IPIs", 0);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		snprintf(name, sizeof(name), "hart %u", cpu);
		ipi_track(out, track_of_ipis(cpu), name, cpu);
	}
}

u64 track_of_ipis(u32 cpu)
{
	return TRACK_IPI_FIRST + cpu;
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

	if (event->type != EVENT_SLICE_END)
		pb_u64(packet, EVENT_CATEGORY_IIDS, event->category);
	for (size_t i = 0; i < ARRAY_SIZE(event->annotations); i++)
		annotate(packet, &event->annotations[i]);
	pb_u64(packet, EVENT_TYPE, event->type);
	if (event->type != EVENT_SLICE_END)
		pb_u64(packet, EVENT_NAME_IID, event->name);
	pb_u64(packet, EVENT_TRACK, event->track);
	for (u32 i = 0; i < event->nr_flows; i++)
		pb_fixed64(packet, EVENT_FLOW, event->flows[i]);
	for (u32 i = 0; i < event->nr_flows_end; i++)
		pb_fixed64(packet, EVENT_FLOW_END, event->flows_end[i]);
	pb_end(packet, mark);
	packet_end(out);
}
