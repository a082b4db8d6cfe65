/*
 * A QEMU TCG plugin that counts what one operation costs, without a clock, on any kernel.
 *
 *   -plugin libcount.so,out=FILE
 *
 * The guest opens and closes windows with marker instructions (perf/lib/count.h). A window takes
 * in all harts: at its begin every hart's counters are read, at its end the differences are
 * written, so threads may migrate inside it. Idle harts' instructions count too: they are the
 * machine's, not the operation's, and the reader takes the minimum of repeats.
 *
 * Counted on each hart: instructions (all; those at addresses of the upper half, where kernels
 * live), CSR accesses, returns from traps, wfi, sfence.vma, code-block look-ups, lines moved
 * (lines.h). Marker instructions themselves are not counted.
 *
 * A code-block look-up: QEMU translates code in blocks and chains a block to the next when the
 * jump between them is direct and stays inside the 4 KiB page of the block's first instruction.
 * All other ways into a block search for it. This plugin sees blocks run, not the chains, so a
 * look-up is counted when a hart enters a block and the block before it on that hart ended in an
 * indirect jump or an instruction that QEMU leaves to its main loop for (CSR, ecall, xret, wfi,
 * sfence.vma, fence.i), or when the new block begins on another page, or anywhere else than that
 * end allows (a trap). The first passage of a chainable jump is a look-up in QEMU but not here:
 * it happens once.
 *
 * Cost: nothing until the guest's arm marker; then memory accesses cost about ten times as much.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/lib/count.h"
#include "perf/plugin/decode.h"
#include "perf/plugin/lines.h"
#include "perf/plugin/qemu_plugin.h"

#define GUEST_PAGE_SHIFT 12
#define UPPER_HALF	 (1ull << 63)

/* Counted by code that QEMU inlines into the translation. */
enum counter { INSTRUCTIONS, KERNEL, CSR, XRET, WFI, SFENCE, NR_COUNTERS };

static const char *const counter_names[NR_COUNTERS] = {
	"instructions", "kernel", "csr", "xret", "wfi", "sfence",
};

struct counters {
	uint64_t value[NR_COUNTERS];
};

/* One translated block. Never freed: blocks are translated again too rarely to matter. */
struct block {
	uint64_t start;	  /* [I] */
	uint64_t next[2]; /* [I] where it may go without a look-up */
	bool lookup;	  /* [I] its end is always followed by a look-up */
};

/* What callbacks count. Each hart writes its own; a window's ends read all. */
struct hart {
	_Alignas(64) const struct block *last; /* the block it is in */
	_Atomic uint64_t lookups, read_moves, write_moves;
};

struct snapshot {
	struct counters counters;
	uint64_t lookups, read_moves, write_moves;
};

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static struct qemu_plugin_scoreboard *scoreboard; /* [I] of struct counters */
static struct hart harts[LINES_MAX_HARTS];
static atomic_bool armed;

static struct {
	pthread_mutex_t lock;
	FILE *out;				    /* [L:lock] */
	int open;				    /* [L:lock] id of the open window, -1: none */
	unsigned int opener;			    /* [L:lock] the hart that opened it */
	unsigned int written;			    /* [L:lock] windows written */
	unsigned int misplaced;			    /* [L:lock] markers that fitted no window */
	unsigned int next_seq[BENCH_COUNT_WINDOWS]; /* [L:lock] */
	struct snapshot begin[LINES_MAX_HARTS];	    /* [L:lock] */
} windows = {.lock = PTHREAD_MUTEX_INITIALIZER, .open = -1};

static void bump(_Atomic uint64_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

static struct snapshot take_snapshot(unsigned int hart)
{
	const struct counters *counters = qemu_plugin_scoreboard_find(scoreboard, hart);

	return (struct snapshot){
		.counters = *counters,
		.lookups = atomic_load(&harts[hart].lookups),
		.read_moves = atomic_load(&harts[hart].read_moves),
		.write_moves = atomic_load(&harts[hart].write_moves),
	};
}

static void write_hart(unsigned int hart, const struct snapshot *begin, const struct snapshot *end)
{
	fprintf(windows.out, "%s\n{\"hart\":%u", hart ? "," : "", hart);
	for (int i = 0; i < NR_COUNTERS; i++)
		fprintf(windows.out, ",\"%s\":%" PRIu64, counter_names[i],
			end->counters.value[i] - begin->counters.value[i]);
	fprintf(windows.out,
		",\"blocks\":%" PRIu64 ",\"read_moves\":%" PRIu64 ",\"write_moves\":%" PRIu64 "}",
		end->lookups - begin->lookups, end->read_moves - begin->read_moves,
		end->write_moves - begin->write_moves);
}

static void window_begin(int id, unsigned int hart)
{
	pthread_mutex_lock(&windows.lock);
	if (windows.open >= 0) {
		windows.misplaced++;
	} else {
		windows.open = id;
		windows.opener = hart;
		for (int i = 0; i < qemu_plugin_num_vcpus(); i++)
			windows.begin[i] = take_snapshot(i);
		lines_window_begin();
	}
	pthread_mutex_unlock(&windows.lock);
}

/* All snapshots are taken before anything is written: the other harts run on meanwhile. */
static void window_end(int id)
{
	struct snapshot end[LINES_MAX_HARTS];
	int nr = qemu_plugin_num_vcpus();

	for (int i = 0; i < nr; i++)
		end[i] = take_snapshot(i);
	pthread_mutex_lock(&windows.lock);
	if (windows.open != id) {
		windows.misplaced++;
	} else {
		windows.open = -1;
		fprintf(windows.out, "%s\n{\"id\":%d,\"seq\":%u,\"hart\":%u,\"harts\":[",
			windows.written++ ? "," : "", id, windows.next_seq[id]++, windows.opener);
		for (int i = 0; i < nr; i++)
			write_hart(i, &windows.begin[i], &end[i]);
		fprintf(windows.out, "],\n\"lines\":");
		lines_window_end(windows.out);
		fprintf(windows.out, "}");
	}
	pthread_mutex_unlock(&windows.lock);
}

static void on_window_marker(unsigned int hart, void *userdata)
{
	int marker = (int)(intptr_t)userdata;

	if (marker < BENCH_COUNT_END)
		window_begin(marker - BENCH_COUNT_BEGIN, hart);
	else
		window_end(marker - BENCH_COUNT_END);
}

static bool needs_lookup(const struct block *from, const struct block *to)
{
	return !from || from->lookup || (to->start != from->next[0] && to->start != from->next[1]) ||
	       from->start >> GUEST_PAGE_SHIFT != to->start >> GUEST_PAGE_SHIFT;
}

static void on_block(unsigned int hart, void *userdata)
{
	const struct block *block = userdata;

	if (needs_lookup(harts[hart].last, block))
		bump(&harts[hart].lookups);
	harts[hart].last = block;
}

static void on_access(unsigned int hart, qemu_plugin_meminfo_t info, uint64_t vaddr, void *userdata)
{
	struct qemu_plugin_hwaddr *haddr = qemu_plugin_get_hwaddr(info, vaddr);

	if (!haddr || qemu_plugin_hwaddr_is_io(haddr))
		return;
	switch (lines_access(hart, qemu_plugin_hwaddr_phys_addr(haddr),
			     qemu_plugin_mem_is_store(info), vaddr, (uintptr_t)userdata)) {
	case LINES_READ:
		bump(&harts[hart].read_moves);
		break;
	case LINES_WRITE:
		bump(&harts[hart].write_moves);
		break;
	case LINES_NONE:
		break;
	}
}

static uint32_t insn_word(const struct qemu_plugin_insn *insn)
{
	uint8_t bytes[4] = {0};
	size_t size = qemu_plugin_insn_data(insn, bytes, sizeof(bytes));

	return decode_word(bytes, size);
}

static void count_insn(struct qemu_plugin_insn *insn, enum counter counter)
{
	qemu_plugin_u64 entry = {
		scoreboard,
		offsetof(struct counters, value) + counter * sizeof(uint64_t),
	};

	qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, QEMU_PLUGIN_INLINE_ADD_U64, entry,
							    1);
}

static void instrument_insn(struct qemu_plugin_insn *insn)
{
	uint64_t pc = qemu_plugin_insn_vaddr(insn);
	uint32_t word = insn_word(insn);
	int marker = decode_marker(word);

	if (marker >= BENCH_COUNT_BEGIN && marker < BENCH_COUNT_END + BENCH_COUNT_WINDOWS) {
		qemu_plugin_register_vcpu_insn_exec_cb(
			insn, on_window_marker, QEMU_PLUGIN_CB_NO_REGS, (void *)(intptr_t)marker);
		return;
	}
	count_insn(insn, INSTRUCTIONS);
	if (pc >= UPPER_HALF)
		count_insn(insn, KERNEL);
	if (decode_is_csr(word))
		count_insn(insn, CSR);
	if (decode_is_xret(word))
		count_insn(insn, XRET);
	if (decode_is_wfi(word))
		count_insn(insn, WFI);
	if (decode_is_sfence_vma(word))
		count_insn(insn, SFENCE);
	qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS,
					 decode_writes_only(word) ? QEMU_PLUGIN_MEM_W
								  : QEMU_PLUGIN_MEM_RW,
					 (void *)(uintptr_t)pc);
}

static struct block *new_block(const struct qemu_plugin_tb *tb)
{
	const struct qemu_plugin_insn *last =
		qemu_plugin_tb_get_insn(tb, qemu_plugin_tb_n_insns(tb) - 1);
	struct block *block = malloc(sizeof(*block));

	if (!block)
		abort();
	block->start = qemu_plugin_tb_vaddr(tb);
	block->lookup = decode_end(insn_word(last), qemu_plugin_insn_vaddr(last),
				   qemu_plugin_insn_size(last), block->next) == DECODE_LOOKUP;
	return block;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, new_block(tb));
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++)
		instrument_insn(qemu_plugin_tb_get_insn(tb, i));
}

static void on_qemu_exit(qemu_plugin_id_t id, void *userdata)
{
	(void)id;
	(void)userdata;
	pthread_mutex_lock(&windows.lock);
	fprintf(windows.out, "],\n\"misplaced_markers\":%u}\n", windows.misplaced);
	if (fclose(windows.out) != 0)
		perror("count plugin: output file");
	pthread_mutex_unlock(&windows.lock);
}

static void on_reset(qemu_plugin_id_t id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_qemu_exit, NULL);
}

/* The guest is about to open windows: throw all translations away and instrument new ones. */
static void on_arm_marker(unsigned int hart, void *userdata)
{
	(void)hart;
	if (!atomic_exchange(&armed, true))
		qemu_plugin_reset(*(qemu_plugin_id_t *)userdata, on_reset);
}

static void on_translate_unarmed(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	static qemu_plugin_id_t own_id;

	own_id = id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (decode_marker(insn_word(insn)) == BENCH_COUNT_ARM)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_arm_marker,
							       QEMU_PLUGIN_CB_NO_REGS, &own_id);
	}
}

static bool check_qemu(const qemu_info_t *info)
{
	if (QEMU_PLUGIN_VERSION < info->version.min || QEMU_PLUGIN_VERSION > info->version.cur) {
		fprintf(stderr,
			"count plugin: written for plugin interface %d (QEMU 10.0), this QEMU has "
			"%d to %d\n",
			QEMU_PLUGIN_VERSION, info->version.min, info->version.cur);
		return false;
	}
	if (!info->system_emulation || strcmp(info->target_name, "riscv64") != 0) {
		fprintf(stderr, "count plugin: counts only in qemu-system-riscv64\n");
		return false;
	}
	if (info->system.max_vcpus > LINES_MAX_HARTS) {
		fprintf(stderr, "count plugin: at most %d harts\n", LINES_MAX_HARTS);
		return false;
	}
	return true;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
					   char **argv)
{
	static const char out_option[] = "out=";

	if (!check_qemu(info))
		return -1;
	if (argc != 1 || strncmp(argv[0], out_option, strlen(out_option)) != 0) {
		fprintf(stderr, "count plugin: usage: -plugin libcount.so,out=FILE\n");
		return -1;
	}
	windows.out = fopen(argv[0] + strlen(out_option), "w");
	if (!windows.out) {
		perror(argv[0]);
		return -1;
	}
	if (!lines_init()) {
		fprintf(stderr, "count plugin: no memory for the line table\n");
		return -1;
	}
	scoreboard = qemu_plugin_scoreboard_new(sizeof(struct counters));
	fprintf(windows.out, "{\"version\":1,\"windows\":[");
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate_unarmed);
	qemu_plugin_register_atexit_cb(id, on_qemu_exit, NULL);
	return 0;
}
