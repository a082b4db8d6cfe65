/*
 * System calls on timers that send signals: setitimer and POSIX timers.
 */
#include "abi/errno.h"
#include "abi/signal.h"
#include "abi/system.h"
#include "abi/time.h"
#include "kernel/mm/uaccess.h"
#include "kernel/syscall/syscall.h"
#include "kernel/syscall/user_time.h"
#include "kernel/task/task.h"
#include "kernel/task/timers.h"

/* ---- setitimer ---- */

static long load_timeval(u64 user, u64 *ns)
{
	struct abi_timeval tv;

	if (copy_from_user(&tv, (const void __user *)user, sizeof(tv)))
		return -EFAULT;
	if (tv.tv_sec < 0 || tv.tv_usec < 0 || tv.tv_usec >= USEC_PER_SEC)
		return -EINVAL;
	*ns = tv.tv_sec >= INT64_MAX / NSEC_PER_SEC
		      ? (u64)INT64_MAX
		      : (u64)(tv.tv_sec * NSEC_PER_SEC + tv.tv_usec * NSEC_PER_USEC);
	return 0;
}

/* What is left is rounded up: 0 would mean that the timer does not run. */
static long store_itimerval(u64 user, const struct timer_setting *s)
{
	u64 value = (s->value_ns + NSEC_PER_USEC - 1) / NSEC_PER_USEC * NSEC_PER_USEC;
	int err = user_store_timeval(user + offsetof(struct abi_itimerval, it_interval),
				     s->interval_ns);

	return err ? err : user_store_timeval(user + offsetof(struct abi_itimerval, it_value), value);
}

long sys_getitimer(SYSCALL_ARGS)
{
	struct timer_setting now;

	if ((u32)a0 > ITIMER_PROF)
		return -EINVAL;
	itimer_get((u32)a0, &now);
	return store_itimerval(a1, &now);
}

long sys_setitimer(SYSCALL_ARGS)
{
	struct timer_setting setting = {0}, old;
	long err = 0;

	/* As on Linux, no setting at all disarms. */
	if (a1)
		err = load_timeval(a1 + offsetof(struct abi_itimerval, it_value), &setting.value_ns);
	if (a1 && err != -EFAULT) {
		long err2 = load_timeval(a1 + offsetof(struct abi_itimerval, it_interval),
					 &setting.interval_ns);

		err = err2 ? err2 : err;
	}
	if (err)
		return err;
	if ((u32)a0 > ITIMER_PROF)
		return -EINVAL;
	err = itimer_set((u32)a0, &setting, &old);
	if (err)
		return err;
	return a2 ? store_itimerval(a2, &old) : 0;
}

/* ---- POSIX timers ---- */

static int load_sigevent(u64 user, struct timer_notify *notify)
{
	struct abi_sigevent event;

	if (!user) {
		*notify = (struct timer_notify){
			.kind = SIGEV_SIGNAL, .signal = SIGALRM, .value_is_id = true};
		return 0;
	}
	if (copy_from_user(&event, (const void __user *)user, sizeof(event)))
		return -EFAULT;
	*notify = (struct timer_notify){
		.kind = event.sigev_notify & ~SIGEV_THREAD_ID,
		.signal = event.sigev_signo,
		.value = event.sigev_value,
	};
	switch (event.sigev_notify) {
	case SIGEV_NONE:
		return 0;
	case SIGEV_SIGNAL | SIGEV_THREAD_ID: {
		struct task *t = task_find((u32)event.sigev_thread_id);

		if (!t || t->process != process_current())
			return -EINVAL;
		notify->tid = t->thread.tid;
		break;
	}
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		break;
	default:
		return -EINVAL;
	}
	return notify->signal < 1 || notify->signal > NSIG ? -EINVAL : 0;
}

long sys_timer_create(SYSCALL_ARGS)
{
	struct timer_notify notify;
	struct timer_clock clock;
	long id, err = timer_clock_of((s32)a0, &clock);
	int event_err = load_sigevent(a1, &notify);

	if (event_err == -EFAULT || !err)
		err = event_err;
	if (err)
		goto out_clock;
	notify.clock = cpu_clock_number((s32)a0); /* as Linux shows it */
	id = posix_timer_create(&clock, &notify);
	if (id < 0) {
		err = id;
		goto out_clock;
	}
	if (user_store_u32((u32 __user *)a2, (u32)id)) {
		posix_timer_delete((s32)id);
		return -EFAULT;
	}
	return 0;
out_clock:
	timer_clock_put(&clock);
	return err;
}

static int load_setting(u64 user, struct timer_setting *s)
{
	int err = user_load_timespec(user + offsetof(struct abi_itimerspec, it_value), &s->value_ns);
	int err2 = user_load_timespec(user + offsetof(struct abi_itimerspec, it_interval),
				      &s->interval_ns);

	return err2 == -EFAULT || !err ? err2 : err;
}

static int store_setting(u64 user, const struct timer_setting *s)
{
	int err = user_store_timespec(user + offsetof(struct abi_itimerspec, it_interval),
				      s->interval_ns);

	return err ? err
		   : user_store_timespec(user + offsetof(struct abi_itimerspec, it_value),
					 s->value_ns);
}

long sys_timer_settime(SYSCALL_ARGS)
{
	struct timer_setting setting, old;
	int err;

	if (!a2)
		return -EINVAL;
	err = load_setting(a2, &setting);
	if (!err)
		err = posix_timer_set((s32)a0, (u32)a1 & TIMER_ABSTIME, &setting, &old);
	if (err)
		return err;
	return a3 ? store_setting(a3, &old) : 0;
}

long sys_timer_gettime(SYSCALL_ARGS)
{
	struct timer_setting now;
	int err = posix_timer_get((s32)a0, &now);

	return err ? err : store_setting(a1, &now);
}

long sys_timer_getoverrun(SYSCALL_ARGS)
{
	return posix_timer_overrun((s32)a0);
}

long sys_timer_delete(SYSCALL_ARGS)
{
	return posix_timer_delete((s32)a0);
}
