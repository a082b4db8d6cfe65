/*
 * timerfd_create, timerfd_settime, timerfd_gettime.
 */
#include "abi/errno.h"
#include "abi/time.h"
#include "abi/timerfd.h"
#include "kernel/file/timerfd.h"
#include "kernel/mm/uaccess.h"
#include "kernel/syscall/file_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/syscall/user_time.h"

long sys_timerfd_create(SYSCALL_ARGS)
{
	s32 clock = (s32)a0;
	u32 flags = (u32)a1;

	if (flags & ~(TFD_CLOEXEC | TFD_NONBLOCK))
		return -EINVAL;
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
		return -EINVAL;
	return file_install_new(timerfd_create(clock == CLOCK_REALTIME, flags & TFD_NONBLOCK),
				flags & TFD_CLOEXEC);
}

/* The timer behind descriptor `fd`; -EBADF, -EINVAL (no timer). On success fd_return() is due. */
static int timer_arg(u64 fd, struct fd_ref *r, bool *realtime)
{
	*r = fd_arg(fd);
	if (!r->file)
		return -EBADF;
	if (timerfd_clock(r->file, realtime))
		return 0;
	fd_return(r);
	return -EINVAL;
}

static int store_setting(u64 user, const struct timerfd_setting *s)
{
	int err = user_store_timespec(user + offsetof(struct abi_itimerspec, it_interval),
				      s->interval_ns);

	return err ? err
		   : user_store_timespec(user + offsetof(struct abi_itimerspec, it_value),
					 s->left_ns);
}

/* Ticks at which a timer set to `ns` expires. An absolute time that has passed is not "disarmed". */
static u64 timer_deadline(u64 ns, bool absolute, bool realtime)
{
	if (!ns)
		return 0;
	return absolute ? MAX(deadline_at(ns, realtime), 1UL) : deadline_after(ns);
}

long sys_timerfd_settime(SYSCALL_ARGS)
{
	struct timerfd_setting old;
	u64 value, interval;
	bool realtime;
	struct fd_ref r;
	int err;

	if ((int)a1 & ~TFD_TIMER_ABSTIME)
		return -EINVAL;
	err = user_load_timespec(a2 + offsetof(struct abi_itimerspec, it_value), &value);
	if (!err)
		err = user_load_timespec(a2 + offsetof(struct abi_itimerspec, it_interval),
					 &interval);
	if (!err)
		err = timer_arg(a0, &r, &realtime);
	if (err)
		return err;
	timerfd_set(r.file, timer_deadline(value, (int)a1 & TFD_TIMER_ABSTIME, realtime), interval,
		    &old);
	fd_return(&r);
	return a3 ? store_setting(a3, &old) : 0;
}

long sys_timerfd_gettime(SYSCALL_ARGS)
{
	struct timerfd_setting now;
	bool realtime;
	struct fd_ref r;
	int err = timer_arg(a0, &r, &realtime);

	if (err)
		return err;
	timerfd_get(r.file, &now);
	fd_return(&r);
	return store_setting(a1, &now);
}
