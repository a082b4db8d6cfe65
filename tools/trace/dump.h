/* Reads a dump of the kernel's rings, or finds them in a raw image of guest memory (kernel/trace/record.h). */
#ifndef TOOLS_TRACE_DUMP_H
#define TOOLS_TRACE_DUMP_H

#include "kernel/trace/record.h"

#define DUMP_MAX_RINGS (64 * TRACE_NR_RINGS)

struct dump_ring {
	struct trace_ring desc;
	const struct trace_record *buffer;
	u64 first; /* index of the oldest record that survives; record i is buffer[i & desc.mask] */
	u64 end;   /* one past the newest */
	u64 overwritten; /* records lost to overwriting */
};

struct dump {
	void *map;
	size_t size;
	struct trace_header header;
	u64 complete_from; /* ticks: from here on no ring has lost anything to overwriting; 0: from the beginning */
	u32 nr_rings;
	struct dump_ring rings[DUMP_MAX_RINGS];
};

static inline const struct trace_record *dump_record(const struct dump_ring *ring, u64 i)
{
	return &ring->buffer[i & ring->desc.mask];
}

/* Index of the ring's first record at or after `ticks`. */
u64 dump_first_at(const struct dump_ring *ring, u64 ticks);

/* 0; on failure -1 with a one-line reason in `error`. */
int dump_open(struct dump *dump, const char *path, char *error, size_t error_size);
void dump_close(struct dump *dump);

#endif
