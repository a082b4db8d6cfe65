/* The frame of the file: what is written once, at the beginning and at the end. */
#include "tools/trace/model.h"
#include "tools/trace/events.h"
#include "tools/trace/perfetto.h"

#include <string.h>

static void write_system_info(struct model *m)
{
	struct pb *packet = packet_begin(&m->out);
	size_t info = pb_begin(packet, PACKET_SYSTEM_INFO);
	size_t uts = pb_begin(packet, SYSTEM_INFO_UTSNAME);

	/*
	 * Readers choose the encoding of thread states by system and release, and the names of system calls by machine:
	 * aarch64 has the generic numbers, which are riscv64's.
	 */
	pb_string(packet, UTSNAME_SYSNAME, "Linux");
	pb_string(packet, UTSNAME_VERSION, "StellarOS");
	pb_string(packet, UTSNAME_RELEASE, "6.6.0-stellaros");
	pb_string(packet, UTSNAME_MACHINE, "aarch64");
	pb_end(packet, uts);
	pb_u64(packet, SYSTEM_INFO_PAGE_SIZE, 4096);
	pb_u64(packet, SYSTEM_INFO_NUM_CPUS, m->nr_cpus);
	pb_end(packet, info);
	packet_end(&m->out);
}

static void write_clock(struct pb *packet, u64 id, u64 ns)
{
	size_t clock = pb_begin(packet, CLOCK_SNAPSHOT_CLOCKS);

	pb_u64(packet, CLOCK_ID, id);
	pb_u64(packet, CLOCK_TIMESTAMP, ns);
	pb_end(packet, clock);
}

static void write_clocks(struct model *m, u64 start_ns)
{
	struct pb *packet = packet_begin(&m->out);

	pb_u64(packet, PACKET_TIMESTAMP, start_ns);

	size_t snapshot = pb_begin(packet, PACKET_CLOCK_SNAPSHOT);

	write_clock(packet, CLOCK_ID_BOOTTIME, start_ns);
	write_clock(packet, CLOCK_ID_REALTIME, m->dump->header.realtime_base + start_ns);
	pb_u64(packet, CLOCK_SNAPSHOT_PRIMARY, CLOCK_ID_BOOTTIME);
	pb_end(packet, snapshot);
	packet_end(&m->out);
}

struct losses {
	u64 records, overwritten, refused;
};

static struct losses losses_of(const struct dump *dump, u32 cpu)
{
	struct losses sum = {0};

	for (u32 i = 0; i < dump->nr_rings; i++) {
		const struct dump_ring *ring = &dump->rings[i];

		if (ring->desc.cpu != cpu)
			continue;
		sum.records += ring->end - ring->first;
		sum.overwritten += ring->overwritten;
		sum.refused += ring->desc.lost;
	}
	return sum;
}

static void write_stats(struct model *m, u32 phase, u64 ns)
{
	struct pb *packet = packet_begin(&m->out);

	pb_u64(packet, PACKET_TIMESTAMP, ns);

	size_t stats = pb_begin(packet, PACKET_FTRACE_STATS);

	pb_u64(packet, FTRACE_STATS_PHASE, phase);
	for (u32 cpu = 0; cpu < m->nr_cpus; cpu++) {
		struct losses sum = {0};

		if (phase == FTRACE_PHASE_END)
			sum = losses_of(m->dump, cpu);

		size_t one = pb_begin(packet, FTRACE_STATS_CPU);

		pb_u64(packet, CPU_STATS_CPU, cpu);
		pb_u64(packet, CPU_STATS_ENTRIES, sum.records);
		pb_u64(packet, CPU_STATS_OVERRUN, sum.overwritten);
		pb_u64(packet, CPU_STATS_DROPPED, sum.refused);
		pb_u64(packet, CPU_STATS_READ, sum.records);
		pb_end(packet, one);
	}
	pb_end(packet, stats);
	packet_end(&m->out);
}

static u32 parent_pid(struct model *m, const struct thread *t)
{
	return t->parent_tid ? thread_tgid(thread_get(&m->threads, t->parent_tid)) : 0;
}

/*
 * At the start: threads that were there before the trace. At the end: those still there. A thread in the first list that is
 * also born by an event would be two.
 */
static void write_process_tree(struct model *m, u64 ns, bool at_start)
{
	struct pb *packet = packet_begin(&m->out);

	pb_u64(packet, PACKET_TIMESTAMP, ns);

	size_t tree = pb_begin(packet, PACKET_PROCESS_TREE);

	for (struct thread *t = m->threads.first; t; t = t->next) {
		if (!t->tid || (at_start ? t->born : t->dead))
			continue;

		bool leader = thread_tgid(t) == t->tid;
		size_t one = pb_begin(packet, leader ? PROCESS_TREE_PROCESSES : PROCESS_TREE_THREADS);

		if (leader) {
			pb_u64(packet, PROCESS_PID, t->tid);
			pb_u64(packet, PROCESS_PPID, parent_pid(m, t));
			pb_string(packet, PROCESS_CMDLINE, t->name);
		} else {
			pb_u64(packet, THREAD_TID, t->tid);
			pb_string(packet, THREAD_NAME, t->name);
			pb_u64(packet, THREAD_TGID, thread_tgid(t));
		}
		pb_end(packet, one);
	}
	pb_end(packet, tree);
	packet_end(&m->out);
}

/* Thread life, in the pass that finds the threads; `past`: before what is told. */
static void find_life(struct merged *e, bool past)
{
	struct thread *t = e->thread;

	switch (e->record->type) {
	case TRACE_EV_task_new:
		t->born = !past;
		t->parent_tid = e->record->tid;
		break;
	case TRACE_EV_task_name:
		if (past || !t->name[0]) {
			event_name(e->record, t->name);
			t->tgid = event_value(e->record, SLOT_fc);
		}
		break;
	case TRACE_EV_task_exit:
		t->ended = past;
		break;
	}
	t->seen |= !past;
}

/*
 * The threads that existed before the trace: every tid whose first mention is not its birth. They get the first name the
 * trace tells, so that all of their time is labelled; where its beginning is left out, the last name before.
 */
static void find_initial_threads(struct model *m)
{
	struct merged e;

	merge_init(&m->merge, m->dump, &m->threads, m->dump->complete_from);
	merge_add_past_lives(&m->merge);
	while (merge_next(&m->merge, &e))
		find_life(&e, e.record->ts < m->dump->complete_from);
}

static void start_cpus(struct model *m, u64 start_ns)
{
	for (u32 cpu = 0; cpu < m->nr_cpus; cpu++) {
		struct losses sum = losses_of(m->dump, cpu);

		bundle_init(&m->cpus[cpu].bundle, cpu, start_ns, sum.overwritten || sum.refused);
	}
}

/* Keeps, of the first pass, only the threads that the process tree of the start is to list. */
static void keep_initial_threads(struct model *m)
{
	struct threads all = m->threads;

	threads_init(&m->threads);
	for (struct thread *old = all.first; old; old = old->next) {
		if (old->born || !old->tid || (old->ended && !old->seen))
			continue;

		struct thread *t = thread_get(&m->threads, old->tid);

		memcpy(t->name, old->name, sizeof(t->name));
		t->tgid = old->tgid;
		t->parent_tid = old->parent_tid;
	}
	threads_free(&all);
}

void model_convert(struct model *m, const struct dump *dump, FILE *file)
{
	struct merged e;

	m->dump = dump;
	m->nr_cpus = dump->header.nr_cpus;
	m->out.file = file;
	threads_init(&m->threads);
	find_initial_threads(m);
	keep_initial_threads(m);
	merge_init(&m->merge, dump, &m->threads, dump->complete_from);

	u64 start_ns = merge_tick_ns(&m->merge, MAX(dump->header.start, dump->complete_from));

	write_system_info(m);
	write_clocks(m, start_ns);
	write_stats(m, FTRACE_PHASE_START, start_ns);
	write_process_tree(m, start_ns, true);
	tracks_begin(&m->out, m->nr_cpus, start_ns);
	start_cpus(m, start_ns);
	while (merge_next(&m->merge, &e)) {
		m->nr_records++;
		model_event(m, &e);
	}

	u64 end_ns = merge_stamp(&m->merge);

	for (u32 cpu = 0; cpu < m->nr_cpus; cpu++) {
		bundle_flush(&m->cpus[cpu].bundle, &m->out);
		bundle_free(&m->cpus[cpu].bundle);
	}
	write_process_tree(m, end_ns, false);
	write_stats(m, FTRACE_PHASE_END, end_ns);
	threads_free(&m->threads);
	pb_free(&m->out.packet);
}
