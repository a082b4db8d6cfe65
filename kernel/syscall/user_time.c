#include "kernel/syscall/user_time.h"

#include "abi/errno.h"
#include "abi/time.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/park.h"
#include "kernel/time/time.h"

#define NS_MAX ((u64)INT64_MAX)

int user_load_timespec(u64 user, u64 *ns)
{
	struct abi_timespec ts;

	if (copy_from_user(&ts, (const void __user *)user, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	if (ts.tv_sec >= INT64_MAX / NSEC_PER_SEC)
		*ns = NS_MAX;
	else
		*ns = (u64)(ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec);
	return 0;
}

int user_store_timespec(u64 user, u64 ns)
{
	struct abi_timespec ts = {(s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC)};

	return copy_to_user((void __user *)user, &ts, sizeof(ts));
}

int user_store_timeval(u64 user, u64 ns)
{
	u64 us = ns / NSEC_PER_USEC;
	struct abi_timeval tv = {(s64)(us / USEC_PER_SEC), (s64)(us % USEC_PER_SEC)};

	return copy_to_user((void __user *)user, &tv, sizeof(tv));
}

u64 deadline_after(u64 ns)
{
	u64 deadline;

	if (ns == NS_MAX || __builtin_add_overflow(time_now(), time_ns_to_ticks(ns), &deadline))
		return PARK_FOREVER;
	return deadline;
}

u64 deadline_at(u64 ns)
{
	return ns == NS_MAX ? PARK_FOREVER : time_ns_to_ticks(ns);
}
