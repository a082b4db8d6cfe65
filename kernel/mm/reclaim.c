/*
 * Getting back what harts keep for themselves: page magazines, empty slabs, objects freed from
 * afar. Asked for when memory runs out and by leak tests; each hart does its own part at a point
 * where it holds nothing.
 */
#include "kernel/irq/irq.h"
#include "kernel/mm/page.h"
#include "kernel/mm/slab.h"
#include "kernel/sync/hart.h"

static void reclaim_hart(void *unused)
{
	(void)unused;
	slab_drain_hart();
	page_drain_hart();
}

void mm_drain_all(void)
{
	u64 online = 0;

	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		if (hart_state_of(cpu_of(cpu)) != HART_OFFLINE)
			online |= BIT(cpu);
	}
	hart_call(online, reclaim_hart, NULL);
}
