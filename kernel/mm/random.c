/*
 * Random numbers for the layout of address spaces: a generator per hart (splitmix64), seeded from
 * the time of its first use. Not for secrets: kernel/random has the generator for those.
 */
#include "arch/riscv64/csr.h"
#include "kernel/mm/space.h"
#include "kernel/sync/percpu.h"

static PERCPU(u64, random_state);

u64 mm_random(void)
{
	u64 *state = this_cpu_ptr(random_state);
	u64 z;

	*state += 0x9e3779b97f4a7c15 + csr_time();
	z = *state;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}
