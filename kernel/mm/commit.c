/*
 * Promises: how much memory programs may yet ask for, and whether a new promise is made.
 *
 * A promise is a private mapping that may be written, or shared memory without a file. Each hart
 * counts what it promises and takes back in a counter of its own (which may go below zero): only
 * the sum means something. Policies as Linux's vm.overcommit_memory.
 */
#include "abi/errno.h"
#include "kernel/mm/space.h"
#include "kernel/sync/percpu.h"

#define RATIO_DEFAULT 50

static PERCPU(u64, promised); /* [c] pages, modulo 2^64; read by others as a hint: atomic */

u64 mm_overcommit_policy = OVERCOMMIT_HEURISTIC; /* [a] */
u64 mm_overcommit_ratio = RATIO_DEFAULT;	 /* [a] percent of memory, for OVERCOMMIT_NEVER */

u64 mm_max_map_count = MAX_VMAS;

void commit_add(u64 pages)
{
	u64 *own = this_cpu_ptr(promised);

	atomic_store_relaxed(own, *own + pages);
}

u64 mm_committed_pages(void)
{
	u64 sum = 0;

	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		sum += atomic_load_relaxed(cpu_ptr(promised, cpu));
	return (s64)sum > 0 ? sum : 0;
}

u64 mm_commit_limit(void)
{
	return mm_total_pages() * atomic_load_relaxed(&mm_overcommit_ratio) / 100;
}

int commit_may(u64 pages)
{
	switch (atomic_load_relaxed(&mm_overcommit_policy)) {
	case OVERCOMMIT_HEURISTIC:
		/* No single promise of more than there is. */
		return pages <= mm_total_pages() ? 0 : -ENOMEM;
	case OVERCOMMIT_ALWAYS:
		return 0;
	default:
		return mm_committed_pages() + pages <= mm_commit_limit() ? 0 : -ENOMEM;
	}
}
