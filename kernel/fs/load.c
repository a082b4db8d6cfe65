/*
 * The load average: every five seconds the number of runnable threads is mixed into three
 * decaying averages, with the weights that Linux's have: exp(-5 s / 1, 5, 15 min).
 */
#include "kernel/fs/load.h"

#include "arch/riscv64/cpu.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/atomic.h"
#include "kernel/time/time.h"

#define LOAD_PERIOD_NS 5000000000UL
#define LOAD_ONE       65536UL

static const u64 load_decay[3] = {60296, 64454, 65173}; /* of LOAD_ONE */
static u64 load_now[3];					/* [a] written by the timer only */
static struct timer load_timer;

static void load_sample(struct timer *t)
{
	struct sched_stats st;
	u64 running = 0;

	for (u32 i = 0; i < nr_cpus; i++) {
		sched_cpu_stats(i, &st);
		running += st.nr_running;
	}
	for (u32 i = 0; i < ARRAY_SIZE(load_now); i++) {
		u64 mixed = load_now[i] * load_decay[i] +
			    running * LOAD_ONE * (LOAD_ONE - load_decay[i]);

		atomic_store_relaxed(&load_now[i], mixed / LOAD_ONE);
	}
	timer_arm(t, time_now() + time_ns_to_ticks(LOAD_PERIOD_NS));
}

void load_average(u64 loads[3])
{
	for (u32 i = 0; i < ARRAY_SIZE(load_now); i++)
		loads[i] = atomic_load_relaxed(&load_now[i]);
}

void load_init(void)
{
	timer_init(&load_timer, load_sample);
	timer_arm(&load_timer, time_now() + time_ns_to_ticks(LOAD_PERIOD_NS));
}
