/*
 * timerfd_create, timerfd_settime, timerfd_gettime.
 */
#include "abi/errno.h"
#include "abi/fcntl.h"
#include "abi/system.h"
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
	bool alarm = clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
	bool realtime = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;

	if (flags & ~(TFD_CLOEXEC | TFD_NONBLOCK))
		return -EINVAL;
	if (!realtime && !alarm && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
		return -EINVAL;
	if (alarm && !capable(CAP_WAKE_ALARM))
		return -EPERM;
	return file_install_new(timerfd_create(realtime, flags & TFD_NONBLOCK), flags & TFD_CLOEXEC);
}

/* The timer behind descriptor `fd`; -EBADF, -EINVAL (no timer). On success fd_return() is due. */
static int timer_arg(u64 fd, struct fd_ref *r)
{
	*r = fd_arg_open(fd);
	if (!r->file)
		return -EBADF;
	if (timerfd_is(r->file))
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
					 s->value_ns);
}

long sys_timerfd_settime(SYSCALL_ARGS)
{
	struct timerfd_setting old, new = {.absolute = a1 & TFD_TIMER_ABSTIME,
					   .cancel_on_set = a1 & TFD_TIMER_CANCEL_ON_SET};
	struct fd_ref r;
	int err = user_load_timespec(a2 + offsetof(struct abi_itimerspec, it_value), &new.value_ns);

	if (err != -EFAULT && ((int)a1 & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)))
		err = -EINVAL;
	if (!err)
		err = user_load_timespec(a2 + offsetof(struct abi_itimerspec, it_interval),
					 &new.interval_ns);
	if (!err)
		err = timer_arg(a0, &r);
	if (err)
		return err;
	err = timerfd_set(r.file, &new, &old);
	fd_return(&r);
	if (err)
		return err;
	return a3 ? store_setting(a3, &old) : 0;
}

long sys_timerfd_gettime(SYSCALL_ARGS)
{
	struct timerfd_setting now;
	struct fd_ref r;
	int err = timer_arg(a0, &r);

	if (err)
		return err;
	timerfd_get(r.file, &now);
	fd_return(&r);
	return store_setting(a1, &now);
}
