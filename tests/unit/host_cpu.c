/*
 * Pretended harts: see host_cpu.h. A hart halts on a condition variable, and rings and unparks
 * signal it.
 */
#include "tests/unit/host_cpu.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/sync/epoch.h"
#include "kernel/sync/hart.h"
#include "kernel/sync/park.h"
#include "kernel/sync/percpu.h"

/* The address is what kernel/sync knows as a struct thread. */
struct host_hart {
	struct cpu cpu;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool permit; /* [L:lock] unpark() came */
	bool ring;   /* [L:lock] a doorbell came */
	u64 rings;   /* [L:lock] */
	pthread_t posix;
	char *percpu;
};

/* Absent when nothing in the test has per-CPU variables. */
extern char __start_percpu[] __attribute__((weak));
extern char __stop_percpu[] __attribute__((weak));

__thread struct cpu *cpu_tp;
u32 nr_cpus;

static struct host_hart harts[MAX_CPUS];
static char *percpu_image; /* the section as it was at program start */
static void (*run_fn)(void *arg);
static void *run_arg;
static u32 run_done; /* [a] harts whose function has returned */

struct cpu *cpu_of(u32 id)
{
	return &harts[id].cpu;
}

static struct host_hart *host_self(void)
{
	return container_of(cpu_self(), struct host_hart, cpu);
}

static void host_ring(u64 mask, u32 work)
{
	(void)work;
	for (u32 i = 0; i < nr_cpus; i++) {
		if (!(mask & BIT(i)))
			continue;
		pthread_mutex_lock(&harts[i].lock);
		harts[i].ring = true;
		harts[i].rings++;
		pthread_cond_signal(&harts[i].wake);
		pthread_mutex_unlock(&harts[i].lock);
	}
}

static void host_unpark(struct thread *t)
{
	struct host_hart *h = (struct host_hart *)t;

	pthread_mutex_lock(&h->lock);
	h->permit = true;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->lock);
}

/* Waits for a permit or, unless demands came first, a doorbell. True if it was a permit. */
static bool host_halt(struct host_hart *h)
{
	bool woken, idle = !hart_leave_kernel(HART_HALTED);

	pthread_mutex_lock(&h->lock);
	while (idle && !h->permit && !h->ring)
		pthread_cond_wait(&h->wake, &h->lock);
	woken = h->permit;
	h->permit = false;
	h->ring = false;
	pthread_mutex_unlock(&h->lock);
	if (idle)
		hart_enter_kernel();
	return woken;
}

static int host_park(u64 deadline, u32 flags)
{
	bool woken;

	(void)deadline;
	(void)flags;
	do {
		woken = host_halt(host_self());
		host_hart_work();
	} while (!woken);
	return 0;
}

static void __printf(1, 2) host_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	abort();
}

void host_hart_work(void)
{
	if (hart_take_work() & HART_WORK_EPOCH)
		epoch_poll();
}

void host_user_mode(void)
{
	while (hart_leave_kernel(HART_USER))
		host_hart_work();
	hart_enter_kernel();
}

u64 host_cpu_rings(u32 id)
{
	u64 rings;

	pthread_mutex_lock(&harts[id].lock);
	rings = harts[id].rings;
	pthread_mutex_unlock(&harts[id].lock);
	return rings;
}

/* Nothing is traced here. */
u64 trace_clock(void)
{
	return 0;
}

void host_cpus_init(u32 n)
{
	size_t size = (size_t)(__stop_percpu - __start_percpu);

	hart_ops.ring = host_ring;
	park_ops.park = host_park;
	park_ops.unpark = host_unpark;
	sync_ops.panic = host_panic;
	if (!percpu_image) {
		percpu_image = malloc(size + 1);
		memcpy(percpu_image, __start_percpu, size);
	}
	nr_cpus = n;
	for (u32 i = 0; i < n; i++) {
		struct host_hart *h = &harts[i];
		char *copy = i == 0 ? __start_percpu : h->percpu;

		if (!copy)
			copy = h->percpu = malloc(size + 1);
		memcpy(copy, percpu_image, size);
		h->cpu = (struct cpu){.id = i, .hartid = i, .current = (struct thread *)h};
		h->cpu.percpu_offset = (u64)copy - (u64)__start_percpu;
		pthread_mutex_init(&h->lock, NULL);
		pthread_cond_init(&h->wake, NULL);
		h->permit = h->ring = false;
		h->rings = 0;
	}
}

void host_cpu_become(u32 id)
{
	cpu_tp = &harts[id].cpu;
	hart_enter_kernel();
}

static void *host_hart_main(void *hart)
{
	host_cpu_become(((struct host_hart *)hart)->cpu.id);
	run_fn(run_arg);
	/* In user mode until all are done: another hart's epoch_barrier() may need this one. */
	atomic_fetch_add(&run_done, 1);
	while (atomic_load_acquire(&run_done) != nr_cpus) {
		host_user_mode();
		sched_yield();
	}
	while (hart_leave_kernel(HART_OFFLINE))
		host_hart_work();
	return NULL;
}

void host_cpus_run(void (*fn)(void *arg), void *arg)
{
	run_fn = fn;
	run_arg = arg;
	run_done = 0;
	for (u32 i = 0; i < nr_cpus; i++)
		pthread_create(&harts[i].posix, NULL, host_hart_main, &harts[i]);
	for (u32 i = 0; i < nr_cpus; i++)
		pthread_join(harts[i].posix, NULL);
}
