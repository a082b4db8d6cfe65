/*
 * Pretended harts over the explorer: see programs.h.
 */
#include "tests/model/programs.h"

#include <string.h>

#include "kernel/sync/epoch.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/park.h"
#include "kernel/sync/percpu.h"

#define MODEL_EINTR 4

struct model_hart {
	struct cpu cpu;
	u32 ring;   /* [a] interrupt pending */
	u32 permit; /* [a] of park() */
	bool interrupted;
	bool spin; /* the owner of a mutex looks running, once */
	char percpu[4096] __cacheline_aligned;
};

extern char __start_percpu[] __attribute__((weak));
extern char __stop_percpu[] __attribute__((weak));

__thread struct cpu *cpu_tp;
u32 nr_cpus;

static struct model_hart harts[MODEL_MAX_THREADS];

struct cpu *cpu_of(u32 id)
{
	return &harts[id].cpu;
}

static struct model_hart *hart_self(void)
{
	return container_of(cpu_self(), struct model_hart, cpu);
}

static void model_ring(u64 mask, u32 work)
{
	(void)work;
	for (u32 i = 0; i < nr_cpus; i++) {
		if (mask & BIT(i))
			atomic_store_release(&harts[i].ring, 1);
	}
}

static void model_unpark(struct thread *t)
{
	atomic_xchg(&((struct model_hart *)t)->permit, 1);
}

/* Takes the pending interrupt. */
static bool hart_take_ring(struct model_hart *h)
{
	return atomic_load_relaxed(&h->ring) && atomic_xchg(&h->ring, 0);
}

/* As the scheduler: the hart halts, and answers demands, until the thread has its permit. */
static int model_park(u64 deadline, u32 flags)
{
	struct model_hart *h = hart_self();

	(void)deadline;
	if (flags && h->interrupted) {
		h->interrupted = false;
		return -MODEL_EINTR;
	}
	while (!atomic_load_relaxed(&h->permit)) {
		if (!hart_leave_kernel(HART_HALTED)) {
			while (!atomic_load_relaxed(&h->permit) && !hart_take_ring(h))
				cpu_relax();
			hart_enter_kernel();
		}
		if (hart_take_work() & HART_WORK_EPOCH)
			epoch_poll();
	}
	atomic_xchg(&h->permit, 0);
	return 0;
}

void model_harts_reset(u32 n)
{
	hart_ops.ring = model_ring;
	park_ops.park = model_park;
	park_ops.unpark = model_unpark;
	park_ops.running = NULL;
	nr_cpus = n;
	memset(harts, 0, sizeof(harts));
	for (u32 i = 0; i < MODEL_MAX_THREADS; i++) {
		harts[i].cpu.id = i;
		harts[i].cpu.state = HART_KERNEL;
		harts[i].cpu.current = (struct thread *)&harts[i];
		harts[i].cpu.percpu_offset = (u64)harts[i].percpu - (u64)__start_percpu;
	}
}

void model_hart_switched(u32 id)
{
	cpu_tp = &harts[id].cpu;
}

void model_wfi(void)
{
	struct model_hart *h = hart_self();

	while (!hart_take_ring(h))
		cpu_relax();
}

u32 model_leave(u32 hart_state)
{
	return hart_leave_kernel(hart_state) ? hart_take_work() : 0;
}

void model_interrupt(u32 id)
{
	harts[id].interrupted = true;
}

static bool model_running(const struct thread *t)
{
	bool spin = hart_self()->spin;

	(void)t;
	hart_self()->spin = false;
	return spin;
}

void model_spin_once(u32 id)
{
	harts[id].spin = true;
	park_ops.running = model_running;
}
