/*
 * The dump is memory as it is: a header page, the ring descriptors, the buffers; all interpretation is left to the host, so
 * that it works in a panic and costs only the copy.
 */
#include "abi/errno.h"
#include "arch/riscv64/semihost.h"
#include "kernel/sync/atomic.h"
#include "kernel/time/time.h"
#include "kernel/trace/clock.h"
#include "kernel/trace/rings.h"
#include "kernel/trace/trace.h"

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
		const struct trace_ring *ring = trace_ring_of(i / TRACE_NR_RINGS, i % TRACE_NR_RINGS);

		if (!ring)
			continue;
		/* Pairs with the release store in trace_emit(). */
		u64 head = atomic_load_acquire(&ring->head);

		rings[nr] = *ring;
		rings[nr++].head = head;
	}
	trace_header->nr_rings = nr;
	if (semihost_write(fd, trace_header, sizeof(*trace_header)) ||
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
	if (!trace_header)
		return -ENOENT;
	trace_header->end = trace_clock();
	trace_header->realtime_base = time_realtime_base;

	int fd = semihost_open(path);

	if (fd < 0)
		return -EIO;

	int err = write_rings(fd);

	if (semihost_close(fd) && !err)
		err = -EIO;
	return err;
}
