/*
 * A QEMU TCG plugin that samples what each hart executes, on any kernel, at no cost to the guest's clock or code.
 *
 *   -plugin libsample.so,out=FILE[,period=INSTRUCTIONS][,boot=1]
 *
 * Every `period` instructions of a hart it notes the block that begins, and in kernels the callers, by the chain of frame pointers
 * (s0: the return address at -8, the caller's s0 at -16). So samples are of work done, not of time passed: a hart that halts has none,
 * and the load of the host does not matter. Regions with interrupts off are seen like all others, which a timer in the guest could
 * not do. In a function's first and last instructions its immediate caller is missing.
 *
 * Sampling begins with the first program, or with boot=1 at reset.
 *
 * FILE has a line per sample: hart, then addresses in hexadecimal, innermost first.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/plugin/qemu_plugin.h"

#define MAX_HARTS      64
#define MAX_FRAMES     48
#define MAX_FRAME_SIZE (32 << 10) /* larger steps are no frames of a kernel stack */
#define DEFAULT_PERIOD 20000
#define USER_START     0x10000ull /* below are QEMU's reset code and devices */
#define FIRMWARE_START 0x80000000ull
#define FIRMWARE_END   0x80200000ull
#define UPPER_HALF     (1ull << 63)

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static struct qemu_plugin_scoreboard *scoreboard; /* [I] of uint64_t: instructions since the last sample */
static struct qemu_plugin_register *frame_pointer[MAX_HARTS]; /* [I] once the hart runs */
static GByteArray *scratch[MAX_HARTS];			      /* [c] */
static uint64_t period = DEFAULT_PERIOD;		      /* [I] */

static atomic_bool begun;

static struct {
	pthread_mutex_t lock;
	FILE *file; /* [L:lock] */
} out = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void vcpu_init(qemu_plugin_id_t id, unsigned int vcpu)
{
	GArray *registers = qemu_plugin_get_registers();
	const qemu_plugin_reg_descriptor *all = (const qemu_plugin_reg_descriptor *)registers->data;

	(void)id;
	if (vcpu >= MAX_HARTS)
		return;
	scratch[vcpu] = g_byte_array_new();
	for (unsigned int i = 0; i < registers->len; i++)
		if (!strcmp(all[i].name, "fp") || !strcmp(all[i].name, "s0"))
			frame_pointer[vcpu] = all[i].handle;
}

static uint64_t word(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (int i = 7; i >= 0; i--)
		value = value << 8 | bytes[i];
	return value;
}

/* The callers of a kernel function, from the frame that register s0 names. */
static unsigned int walk(unsigned int vcpu, uint64_t *frames, unsigned int nr)
{
	GByteArray *bytes = scratch[vcpu];
	uint64_t fp;

	g_byte_array_set_size(bytes, 0);
	if (!frame_pointer[vcpu] || qemu_plugin_read_register(frame_pointer[vcpu], bytes) < 8)
		return nr;
	fp = word(bytes->data);
	while (nr < MAX_FRAMES && fp >= UPPER_HALF && !(fp & 7)) {
		uint64_t next;

		g_byte_array_set_size(bytes, 0);
		if (!qemu_plugin_read_memory_vaddr(fp - 16, bytes, 16))
			break;
		frames[nr] = word(bytes->data + 8);
		next = word(bytes->data);
		if (frames[nr] < UPPER_HALF)
			break;
		nr++;
		if (next <= fp || next - fp > MAX_FRAME_SIZE)
			break;
		fp = next;
	}
	return nr;
}

static bool is_program(uint64_t address)
{
	return address >= USER_START && address < UPPER_HALF &&
	       (address < FIRMWARE_START || address >= FIRMWARE_END);
}

static void sample(unsigned int vcpu, void *userdata)
{
	uint64_t frames[MAX_FRAMES] = {(uint64_t)(uintptr_t)userdata};
	uint64_t *since = qemu_plugin_scoreboard_find(scoreboard, vcpu);
	unsigned int nr = 1;

	*since = 0;
	if (!begun && !is_program(frames[0]))
		return;
	begun = true;
	if (frames[0] >= UPPER_HALF && vcpu < MAX_HARTS)
		nr = walk(vcpu, frames, nr);
	pthread_mutex_lock(&out.lock);
	fprintf(out.file, "%u", vcpu);
	for (unsigned int i = 0; i < nr; i++)
		fprintf(out.file, " %" PRIx64, frames[i]);
	fputc('\n', out.file);
	pthread_mutex_unlock(&out.lock);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	qemu_plugin_u64 since = {scoreboard, 0};
	void *start = (void *)(uintptr_t)qemu_plugin_tb_vaddr(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, QEMU_PLUGIN_INLINE_ADD_U64, since,
							  qemu_plugin_tb_n_insns(tb));
	qemu_plugin_register_vcpu_tb_exec_cond_cb(tb, sample, QEMU_PLUGIN_CB_R_REGS,
						  QEMU_PLUGIN_COND_GE, since, period, start);
}

static void at_exit(qemu_plugin_id_t id, void *unused)
{
	(void)id;
	(void)unused;
	pthread_mutex_lock(&out.lock);
	fflush(out.file);
	pthread_mutex_unlock(&out.lock);
}

static int refuse(const char *what, const char *argument)
{
	fprintf(stderr, "sample plugin: %s%s\n", what, argument);
	return 1;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
					   char **argv)
{
	if (info->version.min > QEMU_PLUGIN_VERSION || info->version.cur < QEMU_PLUGIN_VERSION)
		return refuse("made for another plugin interface than this QEMU's", "");
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out.file = fopen(argv[i] + 4, "w");
		else if (!strncmp(argv[i], "period=", 7))
			period = strtoull(argv[i] + 7, NULL, 10);
		else if (!strcmp(argv[i], "boot=1"))
			begun = true;
		else
			return refuse("unknown argument ", argv[i]);
	}
	if (!out.file || !period)
		return refuse("out=FILE and a period above 0 are needed", "");
	scoreboard = qemu_plugin_scoreboard_new(sizeof(uint64_t));
	qemu_plugin_register_vcpu_init_cb(id, vcpu_init);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
