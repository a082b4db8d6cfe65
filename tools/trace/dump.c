#include "tools/trace/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct reason {
	char *text;
	size_t size;
};

__printf(2, 3) static int fail(struct reason *reason, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(reason->text, reason->size, format, ap);
	va_end(ap);
	return -1;
}

static int map_file(struct dump *dump, const char *path, struct reason *reason)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	if (fd < 0)
		return fail(reason, "%s", strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return fail(reason, "not a regular file");
	}
	dump->size = st.st_size;
	if (dump->size < sizeof(struct trace_header)) {
		close(fd);
		return fail(reason, "not a StellarOS trace: only %zu bytes", dump->size);
	}
	dump->map = mmap(NULL, dump->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (dump->map == MAP_FAILED) {
		dump->map = NULL;
		return fail(reason, "%s", strerror(errno));
	}
	return 0;
}

static int check_header(const struct trace_header *h, struct reason *reason)
{
	if (h->version != TRACE_VERSION || h->record_size != sizeof(struct trace_record))
		return fail(reason, "trace format %u, this converter reads %u", h->version,
			    TRACE_VERSION);
	if (h->events_hash != trace_events_hash())
		return fail(reason, "made by a kernel with other events: convert with its own tools");
	if (!h->nr_cpus || h->nr_cpus > DUMP_MAX_RINGS / TRACE_NR_RINGS || !h->time_freq)
		return fail(reason, "damaged header");
	return 0;
}

static bool ring_is_sane(const struct dump *dump, const struct trace_ring *ring)
{
	u64 capacity = ring->mask + 1;

	return ring->magic == TRACE_RING_MAGIC && ring->cpu < dump->header.nr_cpus &&
	       ring->kind < TRACE_NR_RINGS && capacity && !(capacity & ring->mask) &&
	       capacity <= 1UL << 40;
}

/* Sets up rings[i] over `desc`, whose records begin at `offset`. */
static int add_ring(struct dump *dump, const struct trace_ring *desc, u64 offset,
		    struct reason *reason)
{
	struct dump_ring *ring = &dump->rings[dump->nr_rings];
	u64 capacity = desc->mask + 1;
	u64 bytes = MIN(desc->head, capacity) * sizeof(struct trace_record);

	if (offset > dump->size || bytes > dump->size - offset)
		return fail(reason, "truncated: %zu bytes, hart %u's records need %llu", dump->size,
			    desc->cpu, (unsigned long long)(offset + bytes));
	ring->desc = *desc;
	ring->buffer = (const struct trace_record *)((const u8 *)dump->map + offset);
	ring->end = desc->head;
	ring->first = desc->head > capacity ? desc->head - capacity : 0;
	/* A record that was being written while the dump was taken: newest, in the oldest's place. */
	if (ring->end - ring->first > 1 &&
	    dump_record(ring, ring->first)->ts > dump_record(ring, ring->first + 1)->ts)
		ring->first++;
	ring->overwritten = ring->first;
	dump->nr_rings++;
	return 0;
}

static int read_dump(struct dump *dump, struct reason *reason)
{
	const struct trace_ring *descs = (void *)((u8 *)dump->map + sizeof(struct trace_header));
	u32 nr = dump->header.nr_rings;
	u64 offset = sizeof(struct trace_header) + nr * sizeof(struct trace_ring);

	if (!nr || nr > DUMP_MAX_RINGS)
		return fail(reason, "damaged header: %u rings", nr);
	if (offset > dump->size)
		return fail(reason, "truncated: %zu bytes, the ring table alone needs %llu",
			    dump->size, (unsigned long long)offset);
	for (u32 i = 0; i < nr; i++) {
		if (!ring_is_sane(dump, &descs[i]))
			return fail(reason, "damaged descriptor of ring %u", i);
		if (add_ring(dump, &descs[i], offset, reason))
			return -1;
		offset += MIN(descs[i].head, descs[i].mask + 1) * sizeof(struct trace_record);
	}
	return 0;
}

/*
 * In a memory image the same descriptor may be seen twice (the copies that a dump was being written from); the live one
 * has the largest head.
 */
static int read_image(struct dump *dump, size_t header_at, struct reason *reason)
{
	const struct trace_ring *found[DUMP_MAX_RINGS] = {0};

	for (size_t at = 0; at + sizeof(**found) <= dump->size; at += CACHE_LINE) {
		const struct trace_ring *ring = (void *)((u8 *)dump->map + at);

		if (ring->magic != TRACE_RING_MAGIC || !ring_is_sane(dump, ring))
			continue;

		const struct trace_ring **best = &found[ring->cpu * TRACE_NR_RINGS + ring->kind];

		if (!*best || ring->head > (*best)->head)
			*best = ring;
	}
	for (u32 i = 0; i < DUMP_MAX_RINGS; i++)
		if (found[i] &&
		    add_ring(dump, found[i], found[i]->pa - dump->header.pa + header_at, reason))
			return -1;
	if (!dump->nr_rings)
		return fail(reason, "a memory image with a trace header but no rings");
	return 0;
}

static bool find_header(const struct dump *dump, size_t *at)
{
	for (*at = 0; *at + sizeof(struct trace_header) <= dump->size; *at += CACHE_LINE) {
		const struct trace_header *h = (void *)((u8 *)dump->map + *at);

		if (h->magic == TRACE_HEADER_MAGIC && h->record_size == sizeof(struct trace_record))
			return true;
	}
	return false;
}

static int check_records(const struct dump *dump, struct reason *reason)
{
	for (u32 i = 0; i < dump->nr_rings; i++) {
		const struct dump_ring *ring = &dump->rings[i];
		u64 last = 0;

		for (u64 k = ring->first; k < ring->end; k++) {
			const struct trace_record *r = dump_record(ring, k);

			if (!r->type || r->type >= TRACE_NR_TYPES || r->ts < last)
				return fail(reason, "damaged record %llu of hart %u",
					    (unsigned long long)k, ring->desc.cpu);
			last = r->ts;
		}
	}
	return 0;
}

/*
 * Rings fill at different speeds, so the oldest survivors of one are younger than those of another. A thread that moved between the
 * two would seem to return from calls that it never made: only what follows the youngest of them can be told.
 * The first tick after it, because records of its own tick may be among the lost.
 */
static void find_complete_from(struct dump *dump)
{
	for (u32 i = 0; i < dump->nr_rings; i++) {
		const struct dump_ring *ring = &dump->rings[i];

		if (ring->overwritten)
			dump->complete_from =
				MAX(dump->complete_from, dump_record(ring, ring->first)->ts + 1);
	}
}

u64 dump_first_at(const struct dump_ring *ring, u64 ticks)
{
	u64 low = ring->first, high = ring->end;

	while (low < high) {
		u64 middle = low + (high - low) / 2;

		if (dump_record(ring, middle)->ts < ticks)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int dump_open(struct dump *dump, const char *path, char *error, size_t error_size)
{
	struct reason reason = {error, error_size};
	size_t at;
	int err;

	memset(dump, 0, sizeof(*dump));
	err = map_file(dump, path, &reason);
	if (!err && !find_header(dump, &at))
		err = fail(&reason, "not a StellarOS trace");
	if (!err) {
		memcpy(&dump->header, (u8 *)dump->map + at, sizeof(dump->header));
		err = check_header(&dump->header, &reason);
	}
	if (!err)
		err = at ? read_image(dump, at, &reason) : read_dump(dump, &reason);
	if (!err)
		err = check_records(dump, &reason);
	if (err)
		dump_close(dump);
	else
		find_complete_from(dump);
	return err;
}

void dump_close(struct dump *dump)
{
	if (dump->map)
		munmap(dump->map, dump->size);
	dump->map = NULL;
}
