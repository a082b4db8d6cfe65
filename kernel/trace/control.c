/*
 * Setting up the rings and writing them out. The dump is memory as it is: a header page, the ring descriptors, the buffers;
 * all interpretation is left to the host, so that it works in a panic and costs only the copy.
 */
#include "abi/errno.h"
#include "arch/riscv64/semihost.h"
#include "kernel/mm/mm.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/percpu.h"
#include "kernel/time/time.h"
#include "kernel/trace/clock.h"
#include "kernel/trace/rings.h"
#include "kernel/trace/trace.h"

#define TRACE_RING_MAX	   (64UL << 20)
#define TRACE_TASK_SHARE   8 /* the ring of thread life is this part of the main ring */
#define TRACE_MEMORY_SHARE 4 /* default: this part of the memory for all rings together */

static u64 wanted_mask;		    /* [I] after trace_init() */
static u64 wanted_bytes;	    /* [I] after trace_init(); 0: by the memory */
static bool stop_mode;		    /* [I] after trace_init() */
static struct trace_header *header; /* [I] after hart 0's trace_hart_init() */

static const struct {
	const char *name;
	u64 mask;
} pattern_words[] = {
	{"off", 0},
	{"on", TRACE_ALL},
	{"sched", TRACE_SCHED},
	{"syscall", TRACE_SYSCALL},
	{"irq", TRACE_IRQ},
	{"futex", TRACE_FUTEX},
	{"fault", TRACE_FAULT},
	{"task", TRACE_TASK},
};

/* Adds the pattern's next word, of `len` characters. */
static int pattern_word(const char *word, size_t len)
{
	if (len == 4 && !memcmp(word, "stop", len)) {
		stop_mode = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(pattern_words); i++) {
		const char *name = pattern_words[i].name;

		if (strlen(name) == len && !memcmp(name, word, len)) {
			wanted_mask |= pattern_words[i].mask;
			return 0;
		}
	}
	return -EINVAL;
}

int trace_init(const char *pattern, u64 ring_bytes)
{
	wanted_mask = 0;
	wanted_bytes = ring_bytes;
	stop_mode = false;
	for (const char *word = pattern;;) {
		const char *end = strchr(word, ',');
		size_t len = end ? (size_t)(end - word) : strlen(word);

		if (pattern_word(word, len)) {
			wanted_mask = 0;
			return -EINVAL;
		}
		if (!end)
			break;
		word = end + 1;
	}
	if (stop_mode && !wanted_mask)
		wanted_mask = TRACE_ALL;
	/* Without thread life nothing has a name, without switches no record has a thread. */
	if (wanted_mask)
		wanted_mask |= TRACE_SCHED | TRACE_TASK;
	return 0;
}

static u64 ring_bytes(void)
{
	if (wanted_bytes)
		return wanted_bytes;

	u64 share = mm_total_pages() * PAGE_SIZE / TRACE_MEMORY_SHARE / nr_cpus;

	return MIN(share, TRACE_RING_MAX);
}

/*
 * A buffer of *bytes, a power of two, or the largest that there is, a smaller one. The page allocator's blocks are
 * smaller than a ring; but while nothing else allocates, at boot, one follows the other in memory, up- or downwards.
 */
static char *buffer_alloc(u64 *bytes)
{
	int order = __builtin_ctzll(*bytes / PAGE_SIZE);
	char *start, *end, *next;

	while (!(start = page_alloc(order, 0)))
		if (--order < 0)
			return NULL;

	u64 block = PAGE_SIZE << order;

	for (end = start + block; (u64)(end - start) < *bytes;) {
		next = page_alloc(order, 0);
		if (next == end) {
			end += block;
		} else if (next && next + block == start) {
			start = next;
		} else {
			if (next)
				page_free(next, order);
			break;
		}
	}
	while ((u64)(end - start) < *bytes)
		*bytes /= 2;
	for (; (u64)(end - start) > *bytes; end -= block)
		page_free(end - block, order);
	return start;
}

/* Gives ring `kind` of `cpu` a buffer of at most `bytes`, at least a page. */
static int ring_init(u32 cpu, enum trace_ring_kind kind, u64 bytes)
{
	struct trace_ring *ring = &cpu_ptr(trace_rings, cpu)->ring[kind];
	u64 size = PAGE_SIZE;
	char *buffer;

	while (size * 2 <= bytes)
		size *= 2;
	buffer = buffer_alloc(&size);
	if (!buffer)
		return -ENOMEM;

	u64 capacity = size / sizeof(struct trace_record);

	ring->cpu = (u16)cpu;
	ring->kind = kind;
	ring->mask = capacity - 1;
	ring->pa = va_to_pa(buffer);
	ring->buffer = (u64)buffer;
	ring->limit = stop_mode ? capacity : ~0UL;
	ring->magic = TRACE_RING_MAGIC;
	return 0;
}

static int header_init(void)
{
	struct trace_header *h = page_alloc(0, PAGE_ZERO);

	if (!h)
		return -ENOMEM;
	*h = (struct trace_header){
		.magic = TRACE_HEADER_MAGIC,
		.version = TRACE_VERSION,
		.record_size = sizeof(struct trace_record),
		.events_hash = trace_events_hash(),
		.time_freq = time_freq,
		.realtime_base = time_realtime_base,
		.pa = va_to_pa(h),
		.nr_cpus = nr_cpus,
		.start = trace_clock(),
	};
	header = h;
	return 0;
}

int trace_hart_init(void)
{
	if (!wanted_mask || cpu_id())
		return 0;

	int err = header_init();

	for (u32 cpu = 0; !err && cpu < nr_cpus; cpu++) {
		err = ring_init(cpu, TRACE_RING_TASK, ring_bytes() / TRACE_TASK_SHARE);
		if (!err)
			err = ring_init(cpu, TRACE_RING_MAIN, ring_bytes());
	}
	/* A hart without rings records nothing and loses nothing. */
	if (header)
		atomic_store_relaxed(&trace_mask, wanted_mask);
	return err;
}

/* The ring, or NULL if its hart never set it up. */
static struct trace_ring *ring_of(u32 cpu, enum trace_ring_kind kind)
{
	struct trace_ring *ring = &cpu_ptr(trace_rings, cpu)->ring[kind];

	return ring->magic == TRACE_RING_MAGIC ? ring : NULL;
}

static u64 ring_used_bytes(const struct trace_ring *ring)
{
	return MIN(ring->head, ring->mask + 1) * sizeof(struct trace_record);
}

/*
 * Writes header, ring descriptors, records. A hart that was inside an emitter when the mask fell may add one record
 * meanwhile: the descriptors written are copies, so what they count is there. If the record lands on the oldest
 * slot of a full ring, the converter sees a newest record first and drops it.
 */
static int write_rings(int fd)
{
	static struct trace_ring rings[MAX_CPUS * TRACE_NR_RINGS]; /* too large for a panic's stack */
	u32 nr = 0;

	for (u32 i = 0; i < nr_cpus * TRACE_NR_RINGS; i++) {
		const struct trace_ring *ring = ring_of(i / TRACE_NR_RINGS, i % TRACE_NR_RINGS);

		if (!ring)
			continue;
		/* Pairs with the release store in trace_emit(). */
		u64 head = atomic_load_acquire(&ring->head);

		rings[nr] = *ring;
		rings[nr++].head = head;
	}
	header->nr_rings = nr;
	if (semihost_write(fd, header, sizeof(*header)) ||
	    semihost_write(fd, rings, nr * sizeof(rings[0])))
		return -EIO;
	for (u32 i = 0; i < nr; i++)
		if (semihost_write(fd, (void *)rings[i].buffer, ring_used_bytes(&rings[i])))
			return -EIO;
	return 0;
}

int trace_dump(const char *path)
{
	trace_stop();
	if (!header)
		return -ENOENT;
	header->end = trace_clock();
	header->realtime_base = time_realtime_base;

	int fd = semihost_open(path);

	if (fd < 0)
		return -EIO;

	int err = write_rings(fd);

	if (semihost_close(fd) && !err)
		err = -EIO;
	return err;
}
