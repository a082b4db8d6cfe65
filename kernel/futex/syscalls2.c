/*
 * The second interface: futex_waitv(2), futex_wake(2), futex_wait(2), futex_requeue(2). One call an operation, flags that name the size of
 * the word (32 bits is the only one) and whether it is private, absolute timeouts by the clock that is named.
 */
#include "kernel/futex/futex_internal.h"

#include "abi/futex.h"
#include "abi/time.h"
#include "kernel/mm/uaccess.h"
#include "kernel/syscall/syscall.h"
#include "kernel/time/time.h"

#define FUTEX2_SIZE_MASK 3U

/* 0 with our flags, -EINVAL. */
static int futex2_flags(u32 given, u32 *flags)
{
	if (given & ~(FUTEX2_SIZE_MASK | FUTEX2_PRIVATE) ||
	    (given & FUTEX2_SIZE_MASK) != FUTEX2_SIZE_U32)
		return -EINVAL;
	*flags = given & FUTEX2_PRIVATE ? 0 : FUTEX_SHARED;
	return 0;
}

/* 0 with *deadline and FUTEX_REALTIME in *flags, -EINVAL, -EFAULT. */
static int futex2_deadline(u64 timeout, s32 clock, u64 *deadline, u32 *flags)
{
	int ret;

	*deadline = PARK_FOREVER;
	if (!timeout)
		return 0;
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return -EINVAL;
	ret = futex_read_time(timeout, deadline);
	if (ret || *deadline == PARK_FOREVER)
		return ret;
	if (clock == CLOCK_REALTIME)
		*flags |= FUTEX_REALTIME;
	else
		*deadline = time_ns_to_ticks(*deadline);
	return 0;
}

/* One element of the user's array. 0, -EFAULT, -EINVAL. */
static int futex2_entry(u64 user, struct futex_wait_entry *e)
{
	struct abi_futex_waitv in;

	if (copy_from_user(&in, (const void __user *)user, sizeof(in)))
		return -EFAULT;
	if (in.reserved || futex2_flags(in.flags, &e->flags) || in.val > UINT32_MAX)
		return -EINVAL;
	e->uaddr = in.uaddr;
	e->value = (u32)in.val;
	return 0;
}

static int futex2_entries(u64 user, struct futex_wait_entry *v, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		int ret = futex2_entry(user + i * sizeof(struct abi_futex_waitv), &v[i]);

		if (ret)
			return ret;
	}
	return 0;
}

/* futex_waitv(waiters, count, flags, timeout, clock) */
long sys_futex_waitv(SYSCALL_ARGS)
{
	u32 nr = (u32)a1, flags = 0;
	struct futex_wait_entry *v;
	u64 deadline;
	int ret;

	if ((u32)a2 || !nr || nr > FUTEX_WAITV_MAX || !a0)
		return -EINVAL;
	ret = futex2_deadline(a3, (s32)a4, &deadline, &flags);
	if (ret)
		return ret;
	v = kzalloc(nr * sizeof(*v));
	if (!v)
		return -ENOMEM;
	ret = futex2_entries(a0, v, nr);
	if (ret == 0)
		ret = futex_wait_multiple(v, nr, deadline, flags);
	kfree(v);
	return ret == -EINTR ? -ERESTARTSYS : ret;
}

/* futex_wake(uaddr, mask, count, flags) */
long sys_futex_wake(SYSCALL_ARGS)
{
	struct mm_key key;
	u32 flags;

	if (futex2_flags((u32)a3, &flags) || !a1 || a1 > UINT32_MAX)
		return -EINVAL;
	/* Here none is none. */
	return (int)a2 ? futex_wake(a0, flags, (int)a2, (u32)a1) : futex_key(a0, flags, false, &key);
}

/* futex_wait(uaddr, value, mask, flags, timeout, clock) */
long sys_futex_wait(SYSCALL_ARGS)
{
	struct mm_key key;
	u64 deadline;
	u32 flags;
	int ret;

	if (futex2_flags((u32)a3, &flags) || a1 > UINT32_MAX || a2 > UINT32_MAX)
		return -EINVAL;
	ret = futex2_deadline(a4, (s32)a5, &deadline, &flags);
	if (ret)
		return ret;
	if (!a2)
		return -EINVAL;
	ret = futex_look(a0, flags, (u32)a1, &key);
	if (ret == 0)
		ret = futex_wait(a0, flags, &key, (u32)a1, deadline, (u32)a2);
	return ret == -EINTR ? -ERESTARTSYS : ret;
}

/* futex_requeue(waiters, flags, nr_wake, nr_requeue) */
long sys_futex_requeue(SYSCALL_ARGS)
{
	struct futex_wait_entry v[2] = {0};
	int ret;

	if ((u32)a1 || !a0)
		return -EINVAL;
	ret = futex2_entries(a0, v, 2);
	if (ret)
		return ret;
	if (v[0].flags != v[1].flags)
		return -EINVAL;
	return futex_requeue(v[0].uaddr, v[0].flags, v[1].uaddr, (int)a2, (int)a3, &v[0].value);
}
