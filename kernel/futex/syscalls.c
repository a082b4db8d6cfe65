/*
 * futex(2), set_robust_list(2), get_robust_list(2): decode, check, call.
 */
#include "kernel/futex/futex_internal.h"
#include "kernel/futex/pi.h"

#include "abi/futex.h"
#include "abi/time.h"
#include "kernel/mm/uaccess.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/task.h"
#include "kernel/time/time.h"

/* LOCK_PI was there before its time was a choice. */
static bool futex_realtime(u32 op)
{
	return op & FUTEX_CLOCK_REALTIME || (op & FUTEX_CMD_MASK) == FUTEX_LOCK_PI;
}

int futex_read_time(u64 uaddr, u64 *ns)
{
	struct abi_timespec ts;

	if (copy_from_user(&ts, (const void __user *)uaddr, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || (u64)ts.tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	*ns = PARK_FOREVER;
	if ((u64)ts.tv_sec < TIME_NEVER / 2 / NSEC_PER_SEC) /* else centuries */
		*ns = (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
	return 0;
}

/*
 * The timeout of a call that has one: a duration in ticks of WAIT, of the others a deadline by *flags. Only a call that goes to sleep
 * reads the clock. 0, -EFAULT, -EINVAL.
 */
static __noinline int futex_timeout(u64 uaddr, u32 op, u64 *time, u32 *flags)
{
	int ret = futex_read_time(uaddr, time);

	if (ret || *time == PARK_FOREVER)
		return ret;
	if (futex_realtime(op))
		*flags |= FUTEX_REALTIME;
	else
		*time = time_ns_to_ticks(*time);
	return 0;
}

static long futex_wait_restart(struct restart_block *r);

/* A signal ends a wait: without a timeout the call starts anew, with one it goes on to the same deadline. */
static long futex_wait_or_restart(u64 uaddr, u32 flags, const struct mm_key *key, u32 value,
				  u64 deadline, u32 bitset)
{
	struct restart_block *r = &task_current()->restart;
	int ret = futex_wait(uaddr, flags, key, value, deadline, bitset);

	if (ret != -EINTR)
		return ret;
	if (deadline == PARK_FOREVER)
		return -ERESTARTSYS;
	r->fn = futex_wait_restart;
	r->deadline = deadline;
	r->arg[0] = uaddr;
	r->arg[1] = value;
	r->arg[2] = bitset;
	r->arg[3] = flags;
	return -ERESTART_RESTARTBLOCK;
}

static long futex_wait_restart(struct restart_block *r)
{
	u32 flags = (u32)r->arg[3], value = (u32)r->arg[1];
	struct mm_key key;
	int ret = futex_look(r->arg[0], flags, value, &key);

	if (ret)
		return ret;
	return futex_wait_or_restart(r->arg[0], flags, &key, value, r->deadline, (u32)r->arg[2]);
}

/* The word had the value: to sleep, unless it changes. */
static __noinline long futex_sys_sleep(u64 uaddr, u32 op, u32 flags, const struct mm_key *key,
				       u32 value, u64 time, u32 bitset)
{
	if ((op & FUTEX_CMD_MASK) == FUTEX_WAIT && time != PARK_FOREVER)
		time += time_now();
	return futex_wait_or_restart(uaddr, flags, key, value, time, bitset);
}

static __hot long futex_sys_wait(u64 uaddr, u32 op, u32 value, u64 timeout, u32 bitset)
{
	u32 flags = op & FUTEX_PRIVATE_FLAG ? 0 : FUTEX_SHARED;
	u64 time = PARK_FOREVER;
	struct mm_key key;
	int ret;

	if (timeout) {
		ret = futex_timeout(timeout, op, &time, &flags);
		if (ret)
			return ret;
	}
	if ((op & FUTEX_CLOCK_REALTIME) && (op & FUTEX_CMD_MASK) == FUTEX_WAIT)
		return -ENOSYS;
	if (!bitset)
		return -EINVAL;
	ret = futex_look(uaddr, flags, value, &key);
	if (ret)
		return ret;
	return futex_sys_sleep(uaddr, op, flags, &key, value, time, bitset);
}

/* LOCK_PI, LOCK_PI2 and WAIT_REQUEUE_PI. */
static long futex_sys_wait_pi(u64 uaddr, u32 op, u32 value, u64 timeout, u64 uaddr2)
{
	u32 flags = op & FUTEX_PRIVATE_FLAG ? 0 : FUTEX_SHARED;
	u64 deadline = PARK_FOREVER;
	int ret = timeout ? futex_timeout(timeout, op, &deadline, &flags) : 0;

	if (ret)
		return ret;
	if ((op & FUTEX_CLOCK_REALTIME) && (op & FUTEX_CMD_MASK) == FUTEX_LOCK_PI)
		return -ENOSYS;
	if ((op & FUTEX_CMD_MASK) == FUTEX_WAIT_REQUEUE_PI)
		return futex_wait_requeue_pi(uaddr, flags, value, deadline, uaddr2);
	ret = futex_lock_pi(uaddr, flags, deadline, false);
	return ret == -EINTR ? -ERESTARTNOINTR : ret;
}

/* The operations that never sleep for long. */
static long futex_sys_nowait(u32 cmd, u64 uaddr1, u32 flags, u64 uaddr2, int nr1, int nr2, u32 val3)
{
	switch (cmd) {
	case FUTEX_WAKE:
		return futex_wake(uaddr1, flags, nr1, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(uaddr1, flags, nr1, val3);
	case FUTEX_REQUEUE:
		return futex_requeue(uaddr1, flags, uaddr2, nr1, nr2, NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(uaddr1, flags, uaddr2, nr1, nr2, &val3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(uaddr1, flags, uaddr2, nr1, nr2, val3);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(uaddr1, flags);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(uaddr1, flags, PARK_FOREVER, true);
	case FUTEX_CMP_REQUEUE_PI:
		return futex_requeue_pi(uaddr1, flags, uaddr2, nr1, nr2, val3);
	default:
		return -ENOSYS;
	}
}

/* WAIT without a time on a private word: the word decides first. */
static __force_inline long futex_sys_wait_private(u64 uaddr, u32 value)
{
	u32 current_value;
	int ret = futex_check_address(uaddr);

	if (ret)
		return ret;
	if (user_load_u32((const u32 __user *)uaddr, &current_value))
		return -EFAULT;
	return current_value == value ? futex_wait_private(uaddr, value) : -EAGAIN;
}

/* All else, apart so that those two need no stack frame here. */
static __noinline long futex_sys_other(SYSCALL_ARGS)
{
	u32 op = (u32)a1, cmd = op & FUTEX_CMD_MASK, val3 = (u32)a5;
	u32 flags = op & FUTEX_PRIVATE_FLAG ? 0 : FUTEX_SHARED;

	switch (cmd) {
	case FUTEX_WAIT:
		return futex_sys_wait(a0, op, (u32)a2, a3, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT_BITSET:
		return futex_sys_wait(a0, op, (u32)a2, a3, val3);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
	case FUTEX_WAIT_REQUEUE_PI:
		return futex_sys_wait_pi(a0, op, (u32)a2, a3, a4);
	default:
		if (op & FUTEX_CLOCK_REALTIME)
			return -ENOSYS;
		return futex_sys_nowait(cmd, a0, flags, a4, (int)a2, (int)a3, val3);
	}
}

/* futex(uaddr, op, val, timeout or val2, uaddr2, val3) */
__hot_first long sys_futex(SYSCALL_ARGS)
{
	u32 op = (u32)a1;

	/* The two calls that most programs make: their whole way is straight, in one page of text and without a frame up to where it sleeps. */
	if (op == FUTEX_WAIT_PRIVATE && !a3)
		return futex_sys_wait_private(a0, (u32)a2);
	if (op == FUTEX_WAKE_PRIVATE)
		return futex_wake_private(a0, (int)a2);
	return futex_sys_other(a0, a1, a2, a3, a4, a5);
}

/* set_robust_list(head, length) */
long sys_set_robust_list(SYSCALL_ARGS)
{
	if (a1 != sizeof(struct abi_robust_list_head))
		return -EINVAL;
	task_current()->robust_list = a0;
	task_current()->robust_list_len = a1;
	return 0;
}

/* get_robust_list(pid, head_ptr, length_ptr) */
long sys_get_robust_list(SYSCALL_ARGS)
{
	struct task *t = (int)a0 ? task_find((u32)a0) : task_current();
	u64 head;

	if (!t)
		return -ESRCH;
	if (!task_may_inspect(t))
		return -EPERM;
	head = t->robust_list;
	if (user_store_u64((u64 __user *)a2, sizeof(struct abi_robust_list_head)) ||
	    user_store_u64((u64 __user *)a1, head))
		return -EFAULT;
	return 0;
}
