/*
 * System calls on clocks and sleeping. Programs read the usual clocks through the vDSO; these serve
 * the rest.
 */
#include "abi/errno.h"
#include "abi/system.h"
#include "abi/time.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/syscall/syscall.h"
#include "kernel/syscall/user_time.h"
#include "kernel/task/task.h"
#include "kernel/task/timers.h"
#include "kernel/task/vdso.h"
#include "kernel/time/time.h"

/*
 * Negative clock ids name the CPU time of a process or thread: ~number << 3 | per-thread flag |
 * kind. Source: clock_getres(2) on clock_getcpuclockid, and what glibc passes.
 */
#define CPUCLOCK_PER_THREAD 4
#define CPUCLOCK_KIND	    3
#define CPUCLOCK_USER	    1
#define CPUCLOCK_SCHED	    2
#define CPUCLOCK_KINDS	    3
#define CPUCLOCK_TICK_NS    4000000UL /* how fine Linux's sampled kinds are: 250 ticks a second */
#define CPUCLOCK_OWN	    ((s32)(~0U << 3))

s32 cpu_clock_number(s32 clock)
{
	switch (clock) {
	case CLOCK_PROCESS_CPUTIME_ID:
		return CPUCLOCK_OWN | CPUCLOCK_SCHED;
	case CLOCK_THREAD_CPUTIME_ID:
		return CPUCLOCK_OWN | CPUCLOCK_PER_THREAD | CPUCLOCK_SCHED;
	default:
		return clock;
	}
}

/*
 * What CPU clock `clock` counts; timer_clock_put() is due. Any process's, but threads of the own one only. -EINVAL. For reading alone
 * the number of a thread that asks for itself is as good as its process's, as on Linux.
 */
static int cpu_clock_of(s32 clock, bool reading, struct timer_clock *out)
{
	struct task *self = task_current(), *t = self;
	u32 nr = (u32) ~(clock >> 3);
	struct process *p = self->process;

	if ((clock & CPUCLOCK_KIND) >= CPUCLOCK_KINDS)
		return -EINVAL;
	if (nr && clock & CPUCLOCK_PER_THREAD)
		t = task_find(nr);
	else if (nr && !(reading && nr == self->thread.tid))
		p = process_find(nr);
	if (!t || t->process != self->process || !p)
		return -EINVAL;
	*out = (struct timer_clock){
		.cpu = true,
		.user_only = (clock & CPUCLOCK_KIND) == CPUCLOCK_USER,
		.tid = clock & CPUCLOCK_PER_THREAD ? t->thread.tid : 0,
	};
	if (p == self->process)
		return 0;
	if (!process_get_found(p))
		return -EINVAL;
	out->other = p;
	return 0;
}

static int cpu_clock_ns(s32 clock, u64 *ns)
{
	struct timer_clock c;
	int err = cpu_clock_of(clock, true, &c);

	if (err)
		return err;
	err = timer_clock_now(&c, ns);
	timer_clock_put(&c);
	return err;
}

int timer_clock_of(s32 clock, struct timer_clock *out)
{
	*out = (struct timer_clock){0};
	clock = cpu_clock_number(clock);
	switch (clock) {
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		if (!capable(CAP_WAKE_ALARM))
			return -EPERM;
		out->realtime = clock == CLOCK_REALTIME_ALARM;
		return 0;
	case CLOCK_REALTIME:
	case CLOCK_TAI:
		out->realtime = true;
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
		return 0;
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	default:
		return clock < 0 ? cpu_clock_of(clock, false, out) : -EINVAL;
	}
}

static int clock_ns(s32 clock, u64 *ns)
{
	clock = cpu_clock_number(clock);
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		*ns = time_realtime_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = time_monotonic_ns();
		return 0;
	default:
		return clock < 0 ? cpu_clock_ns(clock, ns) : -EINVAL;
	}
}

long sys_clock_gettime(SYSCALL_ARGS)
{
	u64 ns;
	int err = clock_ns((s32)a0, &ns);

	return err ? err : user_store_timespec(a1, ns);
}

long sys_clock_getres(SYSCALL_ARGS)
{
	s32 clock = cpu_clock_number((s32)a0);
	bool sampled = clock < 0 && (clock & CPUCLOCK_KIND) != CPUCLOCK_SCHED;
	u64 ns;
	int err = clock_ns((s32)a0, &ns);

	if (err)
		return err;
	return a1 ? user_store_timespec(a1, sampled ? CPUCLOCK_TICK_NS : 1) : 0;
}

bool clock_is_known(s32 clock)
{
	if (clock < 0)
		return (clock & 7) != CPUCLOCK_KINDS; /* that is a descriptor's */
	return clock <= CLOCK_BOOTTIME_ALARM || clock == CLOCK_TAI;
}

int clock_set_realtime(u64 ns)
{
	if (ns < time_monotonic_ns())
		return -EINVAL;
	atomic_store_relaxed(&time_realtime_base, ns - time_monotonic_ns());
	vdso_update_time();
	task_clock_changed();
	return 0;
}

long sys_clock_settime(SYSCALL_ARGS)
{
	s32 clock = (s32)a0;
	u64 ns;
	int err;

	if (clock != CLOCK_REALTIME && clock >= 0)
		return -EINVAL;
	err = user_load_timespec(a1, &ns);
	/* CPU time cannot be set by anybody, whatever the time is. */
	if (clock < 0 && err != -EFAULT)
		err = clock_ns(clock, &(u64){0}) ? -EINVAL : -EPERM;
	if (err)
		return err;
	return capable(CAP_SYS_TIME) ? clock_set_realtime(ns) : -EPERM;
}

/* ---- sleeping ---- */

static long sleep_relative(u64 deadline, u64 remaining_user);

/* arg[0]: where the remaining time goes, or 0. */
static long sleep_restart(struct restart_block *r)
{
	return sleep_relative(r->deadline, r->arg[0]);
}

static long sleep_relative(u64 deadline, u64 remaining_user)
{
	struct restart_block *r = &task_current()->restart;
	u64 now;

	if (sched_sleep_until(deadline, PARK_INTERRUPTIBLE) == 0)
		return 0;
	now = time_now();
	if (now >= deadline)
		return 0;
	if (remaining_user && user_store_timespec(remaining_user, time_ticks_to_ns(deadline - now)))
		return -EFAULT;
	*r = (struct restart_block){
		.fn = sleep_restart, .deadline = deadline, .arg = {remaining_user}};
	return -ERESTART_RESTARTBLOCK;
}

static long sleep_cpu(const struct timer_clock *clock, u64 ns, bool absolute, u64 remaining_user);

/* arg: time of the clock to wait for, where the rest goes, the clock's number. */
static long sleep_cpu_restart(struct restart_block *r)
{
	u64 end = r->arg[0], rest_user = r->arg[1], now;
	struct timer_clock clock;
	long ret;

	if (cpu_clock_of((s32)r->arg[2], false, &clock))
		return -EINVAL;
	ret = timer_clock_now(&clock, &now);
	if (!ret && end > now)
		ret = sleep_cpu(&clock, end - now, false, rest_user);
	timer_clock_put(&clock);
	return ret;
}

/* The number of the clock, as a program would give it. */
static s32 cpu_clock_name(const struct timer_clock *clock)
{
	u32 nr = clock->tid ? clock->tid : clock->other ? clock->other->pid : 0;
	u32 kind = clock->user_only ? CPUCLOCK_USER : CPUCLOCK_SCHED;

	return (s32)(~nr << 3 | (clock->tid ? CPUCLOCK_PER_THREAD : 0) | kind);
}

static long sleep_cpu(const struct timer_clock *clock, u64 ns, bool absolute, u64 remaining_user)
{
	u64 now, end = ns;
	long err = timer_clock_now(clock, &now);

	if (err)
		return err;
	if (!absolute && __builtin_add_overflow(now, ns, &end))
		end = INT64_MAX;
	err = timer_clock_sleep(clock, end);
	if (err != -EINTR)
		return err;
	if (absolute)
		return -ERESTARTNOHAND;
	timer_clock_now(clock, &now);
	if (now >= end)
		return 0;
	if (remaining_user && user_store_timespec(remaining_user, end - now))
		return -EFAULT;
	task_current()->restart = (struct restart_block){
		.fn = sleep_cpu_restart,
		.arg = {end, remaining_user, (u64)cpu_clock_name(clock)},
	};
	return -ERESTART_RESTARTBLOCK;
}

long sys_restart_syscall(SYSCALL_ARGS)
{
	struct restart_block *r = &task_current()->restart;

	return r->fn ? r->fn(r) : -EINTR;
}

long sys_nanosleep(SYSCALL_ARGS)
{
	u64 ns;
	int err = user_load_timespec(a0, &ns);

	return err ? err : sleep_relative(deadline_after(ns), a1);
}

/* To a time of CLOCK_REALTIME, wherever that clock is set meanwhile. 0 or -EINTR. */
static int sleep_until_realtime(u64 ns)
{
	for (;;) {
		int ret = task_park_realtime(ns, PARK_INTERRUPTIBLE);

		if (ret == -EINTR)
			return ret;
		if (time_realtime_ns() >= ns)
			return 0;
	}
}

static long sleep_by(const struct timer_clock *clock, u64 ns, bool absolute, u64 remaining_user)
{
	int err;

	if (clock->cpu && clock->tid == thread_current()->tid)
		return -EINVAL;
	if (clock->cpu)
		return sleep_cpu(clock, ns, absolute, remaining_user);
	if (!absolute)
		return sleep_relative(deadline_after(ns), remaining_user);
	if (clock->realtime)
		err = sleep_until_realtime(ns);
	else
		err = sched_sleep_until(deadline_at(ns), PARK_INTERRUPTIBLE);
	return err ? -ERESTARTNOHAND : 0;
}

long sys_clock_nanosleep(SYSCALL_ARGS)
{
	struct timer_clock clock;
	long ret = timer_clock_of((s32)a0, &clock);
	u64 ns;

	if (ret)
		return ret;
	/* A thread cannot wait for its own CPU time. */
	if ((s32)a0 == CLOCK_THREAD_CPUTIME_ID)
		return -EOPNOTSUPP;
	ret = user_load_timespec(a2, &ns);
	if (!ret)
		ret = sleep_by(&clock, ns, a1 & TIMER_ABSTIME, a3);
	timer_clock_put(&clock);
	return ret;
}

/* ---- accounting ---- */

static s64 user_hz(u64 ticks)
{
	return (s64)(time_ticks_to_ns(ticks) / (NSEC_PER_SEC / USER_HZ));
}

static s64 timeval_hz(const struct abi_timeval *tv)
{
	return tv->tv_sec * USER_HZ + tv->tv_usec / (USEC_PER_SEC / USER_HZ);
}

long sys_times(SYSCALL_ARGS)
{
	struct process *p = process_current();
	struct cpu_ticks cpu;
	struct abi_tms tms;

	if (a0) {
		process_cpu_ticks(p, &cpu);
		tms = (struct abi_tms){
			.tms_utime = user_hz(cpu.user),
			.tms_stime = user_hz(cpu.run - cpu.user),
			.tms_cutime = timeval_hz(&p->children_usage.ru_utime),
			.tms_cstime = timeval_hz(&p->children_usage.ru_stime),
		};
		if (copy_to_user((void __user *)a0, &tms, sizeof(tms)))
			return -EFAULT;
	}
	return user_hz(time_now());
}
