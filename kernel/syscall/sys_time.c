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

static int cpu_clock_ns(s32 clock, u64 *ns)
{
	u32 nr = (u32) ~(clock >> 3);
	struct cpu_ticks cpu;
	struct process *p;
	struct task *t;

	if ((clock & CPUCLOCK_KIND) >= CPUCLOCK_KINDS)
		return -EINVAL;
	if (clock & CPUCLOCK_PER_THREAD) {
		t = nr ? task_find(nr) : task_current();
		if (!t || t->process != process_current())
			return -EINVAL;
		task_cpu_ticks(t, &cpu);
	} else {
		p = nr ? process_find(nr) : process_current();
		if (!p)
			return -EINVAL;
		process_cpu_ticks(p, &cpu);
	}
	*ns = time_ticks_to_ns((clock & CPUCLOCK_KIND) == CPUCLOCK_USER ? cpu.user : cpu.run);
	return 0;
}

/* As above, for timers: of the running process only. */
static int cpu_timer_clock(s32 clock, struct timer_clock *out)
{
	u32 nr = (u32) ~(clock >> 3);
	bool per_thread = clock & CPUCLOCK_PER_THREAD;
	struct task *t = per_thread && nr ? task_find(nr) : task_current();

	if ((clock & CPUCLOCK_KIND) >= CPUCLOCK_KINDS || !t || t->process != process_current())
		return -EINVAL;
	if (!per_thread && nr && nr != process_current()->pid)
		return -EINVAL;
	*out = (struct timer_clock){
		.cpu = true,
		.user_only = (clock & CPUCLOCK_KIND) == CPUCLOCK_USER,
		.tid = per_thread ? t->thread.tid : 0,
	};
	return 0;
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
		return clock < 0 ? cpu_timer_clock(clock, out) : -EINVAL;
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
	u64 ns;
	int err = clock_ns((s32)a0, &ns);

	if (err)
		return err;
	return a1 ? user_store_timespec(a1, 1) : 0;
}

long sys_clock_settime(SYSCALL_ARGS)
{
	u64 ns;
	int err;

	if ((s32)a0 != CLOCK_REALTIME)
		return -EINVAL;
	err = user_load_timespec(a1, &ns);
	if (err)
		return err;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (ns < time_monotonic_ns())
		return -EINVAL;
	atomic_store_relaxed(&time_realtime_base, ns - time_monotonic_ns());
	vdso_update_time();
	task_clock_changed();
	return 0;
}

long sys_gettimeofday(SYSCALL_ARGS)
{
	struct abi_timezone tz = {0};

	if (a0 && user_store_timeval(a0, time_realtime_ns()))
		return -EFAULT;
	if (a1 && copy_to_user((void __user *)a1, &tz, sizeof(tz)))
		return -EFAULT;
	return 0;
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

/* arg: time of the clock to wait for, where the rest goes, thread, user time only. */
static long sleep_cpu_restart(struct restart_block *r)
{
	struct timer_clock clock = {.cpu = true, .tid = (u32)r->arg[2], .user_only = r->arg[3]};
	u64 now;

	if (timer_clock_now(&clock, &now))
		return -EINVAL;
	return r->arg[0] > now ? sleep_cpu(&clock, r->arg[0] - now, false, r->arg[1]) : 0;
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
		.arg = {end, remaining_user, clock->tid, clock->user_only},
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

long sys_clock_nanosleep(SYSCALL_ARGS)
{
	s32 which = (s32)a0;
	struct timer_clock clock;
	int err = timer_clock_of(which, &clock);
	u64 ns;

	if (err)
		return err;
	/* A thread cannot wait for its own CPU time. */
	if (which == CLOCK_THREAD_CPUTIME_ID)
		return -EOPNOTSUPP;
	err = user_load_timespec(a2, &ns);
	if (err)
		return err;
	if (clock.cpu && clock.tid == thread_current()->tid)
		return -EINVAL;
	if (clock.cpu)
		return sleep_cpu(&clock, ns, a1 & TIMER_ABSTIME, a3);
	if (!(a1 & TIMER_ABSTIME))
		return sleep_relative(deadline_after(ns), a3);
	if (clock.realtime)
		err = sleep_until_realtime(ns);
	else
		err = sched_sleep_until(deadline_at(ns), PARK_INTERRUPTIBLE);
	return err ? -ERESTARTNOHAND : 0;
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
