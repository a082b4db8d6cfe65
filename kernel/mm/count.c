/*
 * What memory is used for: a counter of each kind per hart, which only that hart changes and which
 * may go below zero; the sum over harts is right when nothing changes meanwhile.
 */
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/sync/percpu.h"

static PERCPU(u64[NR_MM_COUNTERS], counters); /* [c] read by others as hints: atomic */

__hot void mm_count(enum mm_counter which, u64 delta)
{
	u64 *own = &(*this_cpu_ptr(counters))[which];

	atomic_store_relaxed(own, *own + delta);
}

u64 mm_counted(enum mm_counter which)
{
	u64 sum = 0;

	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		sum += atomic_load_relaxed(&(*cpu_ptr(counters, cpu))[which]);
	return (s64)sum > 0 ? sum : 0;
}

static void slab_pages_add(const struct slab_cache *c, u64 nr_slabs, void *sum)
{
	*(u64 *)sum += nr_slabs << c->order;
}

u64 mm_slab_pages(void)
{
	u64 sum = 0;

	slab_for_each(slab_pages_add, &sum);
	return sum;
}
