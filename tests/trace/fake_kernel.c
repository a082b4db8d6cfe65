#include "tests/trace/fake_kernel.h"

#include "arch/riscv64/semihost.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/static_key.h"
#include "kernel/time/time.h"
#include "kernel/trace/clock.h"
#include "kernel/trace/rings.h"
#include "kernel/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES (64UL << 20)

u64 fake_clock;
u32 fake_largest_order;
u64 fake_memory = ARENA_BYTES;
bool fake_host_refuses;

static u8 arena[ARENA_BYTES] __attribute__((aligned(4096)));
static u64 arena_used;
static struct cpu cpus[MAX_CPUS];

u32 nr_cpus;
__thread struct cpu *cpu_tp;
u64 time_freq = 10000000;
u64 time_realtime_base = 1700000000UL * 1000000000;

extern char __start_percpu[], __stop_percpu[];

struct cpu *cpu_of(u32 id)
{
	return &cpus[id];
}

u64 trace_clock(void)
{
	return fake_clock;
}

static void *arena_take(u64 bytes)
{
	u64 at = ALIGN_UP(arena_used, PAGE_SIZE);

	if (at + bytes > fake_memory)
		return NULL;
	arena_used = at + bytes;
	return arena + at;
}

/* The arena is zero after fake_boot(), and so is what PAGE_ZERO asks for. */
void *page_alloc(u32 order, u32 flags)
{
	(void)flags;
	return order > fake_largest_order ? NULL : arena_take(PAGE_SIZE << order);
}

/* Only the last block can be had again, and only that is ever given back here. */
void page_free(void *va, u32 order)
{
	if ((u8 *)va + (PAGE_SIZE << order) == arena + arena_used)
		arena_used -= PAGE_SIZE << order;
}

u64 mm_total_pages(void)
{
	return ARENA_BYTES / PAGE_SIZE;
}

long semihost_call(u64 op, const u64 *args)
{
	static FILE *file;

	switch (op) {
	case SEMIHOST_OPEN:
		file = fopen((const char *)args[0], "wb");
		return file ? 3 : -1;
	case SEMIHOST_WRITE:
		if (fake_host_refuses)
			return args[2];
		return args[2] - fwrite((const void *)args[1], 1, args[2], file);
	case SEMIHOST_CLOSE:
		return fclose(file);
	}
	return -1;
}

void static_keys_set(u8 *keys, const u8 *values, u32 nr)
{
	memcpy(keys, values, nr);
}

void fake_run_on(u32 cpu)
{
	cpu_tp = &cpus[cpu];
}

void fake_boot(u32 count, const char *pattern, u64 ring_bytes)
{
	u64 size = ALIGN_UP((u64)(__stop_percpu - __start_percpu), CACHE_LINE);

	memset(arena, 0, arena_used);
	arena_used = PAGE_SIZE;
	fake_largest_order = 10;
	fake_memory = ARENA_BYTES;
	fake_host_refuses = false;
	nr_cpus = count;
	trace_stop();
	trace_set_filter(NULL, 0);
	trace_header = NULL;
	if (trace_init(pattern, ring_bytes)) {
		fprintf(stderr, "fake_boot: bad pattern %s\n", pattern);
		exit(1);
	}
	for (u32 id = 0; id < count; id++) {
		char *copy = arena_take(ALIGN_UP(size, PAGE_SIZE));

		cpus[id] = (struct cpu){.id = id, .percpu_offset = copy - __start_percpu};
	}
	fake_run_on(0);
	trace_hart_init();
}

void fake_write_image(const char *path)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(arena, 1, arena_used, file) != arena_used || fclose(file)) {
		perror(path);
		exit(1);
	}
}
