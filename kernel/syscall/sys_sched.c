/*
 * System calls on scheduling: policies, priorities, affinity.
 */
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "abi/system.h"
#include "kernel/futex/futex.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/hart.h"
#include "kernel/syscall/sched_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/syscall/user_time.h"
#include "kernel/task/task.h"
#include "kernel/task/timers.h"

#include <string.h>

#define RT_PRIO_MAX 99

struct task *sched_find_task(u64 tid)
{
	return (s32)tid == 0 ? task_current() : task_find((u32)tid);
}

bool sched_same_owner(const struct task *t)
{
	const struct cred *own = cred_current(), *other = atomic_load_acquire(&t->cred);

	return own->euid == other->euid || own->euid == other->uid;
}

static bool sched_means(enum sched_whom whom, u32 who, const struct process *p)
{
	return who == (whom == SCHED_GROUP ? atomic_load_relaxed(&p->pgid)
					   : atomic_load_acquire(&p->cred)->uid);
}

void sched_each(enum sched_whom whom, u32 who, bool (*fn)(void *arg, struct task *t), void *arg)
{
	struct task *t;
	bool more = true;

	for (u32 pid = task_next_pid(0); pid && more; pid = task_next_pid(pid)) {
		struct process *p = process_find(pid);

		if (!p || !sched_means(whom, who, p))
			continue;
		spin_lock(&p->lock);
		list_for_each(t, &p->tasks, siblings)
			more = more && fn(arg, t);
		spin_unlock(&p->lock);
	}
}

long sys_sched_yield(SYSCALL_ARGS)
{
	sched_yield();
	return 0;
}

/* ---- policies ---- */

static bool policy_is_rt(u32 policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

/* The class of a policy, or -1. */
static int policy_class(u32 policy)
{
	switch (policy) {
	case SCHED_OTHER:
	case SCHED_BATCH:
		return SCHED_CLASS_FAIR;
	case SCHED_FIFO:
		return SCHED_CLASS_FIFO;
	case SCHED_RR:
		return SCHED_CLASS_RR;
	case SCHED_IDLE:
		return SCHED_CLASS_IDLE;
	default:
		return -1;
	}
}

/* What sched_setattr(2) and its older relatives ask for. */
struct policy_request {
	u32 policy;
	bool reset_on_fork;
	bool keep; /* policy and parameters stay as they are */
	u32 prio;
	s32 nice;
};

/* What needs CAP_SYS_NICE or a limit. Source: sched(7), "Privileges and resource limits". */
static bool request_needs_right(const struct task *t, const struct policy_request *r)
{
	const struct thread *thread = &t->thread;
	u64 rt_limit = process_rlimit(t->process, RLIMIT_RTPRIO);
	bool nice_allowed = priority_within_limit(t, r->nice);

	if (!policy_is_rt(r->policy) && r->nice < thread->nice && !nice_allowed)
		return true;
	if (policy_is_rt(r->policy) && ((r->policy != t->policy && !rt_limit) ||
					(r->prio > thread->base_prio && r->prio > rt_limit)))
		return true;
	/* The idle policy counts as the lowest nice value of all. */
	if (t->policy == SCHED_IDLE && r->policy != SCHED_IDLE &&
	    !priority_within_limit(t, thread->nice))
		return true;
	return !sched_same_owner(t) || (t->reset_on_fork && !r->reset_on_fork);
}

static long set_policy(struct task *t, const struct policy_request *r)
{
	int class = policy_class(r->policy), err;

	if (class < 0 || r->prio > RT_PRIO_MAX || policy_is_rt(r->policy) != (r->prio != 0))
		return -EINVAL;
	if (request_needs_right(t, r) && !capable(CAP_SYS_NICE))
		return -EPERM;
	atomic_store_relaxed(&t->reset_on_fork, r->reset_on_fork);
	if (r->keep)
		return 0;
	/* Memory for the watch of RLIMIT_RTTIME comes first: nothing may fail once the policy has changed. */
	if (policy_is_rt(r->policy) && process_timers_limit(t->process))
		return -ENOMEM;
	err = sched_set_policy(&t->thread, (enum sched_class) class, r->prio, r->nice);
	if (err)
		return err;
	atomic_store_relaxed(&t->policy, r->policy);
	futex_priority_changed(t);
	return policy_is_rt(r->policy) ? process_timers_limit(t->process) : 0;
}

long sys_sched_setscheduler(SYSCALL_ARGS)
{
	struct abi_sched_param param;
	struct policy_request r;
	struct task *t;

	if ((s32)a0 < 0 || (s32)a1 < 0 || !a2)
		return -EINVAL;
	if (copy_from_user(&param, (const void __user *)a2, sizeof(param)))
		return -EFAULT;
	t = sched_find_task(a0);
	if (!t)
		return -ESRCH;
	r = (struct policy_request){
		.policy = (u32)a1 & ~(u32)SCHED_RESET_ON_FORK,
		.reset_on_fork = (u32)a1 & SCHED_RESET_ON_FORK,
		.prio = (u32)param.sched_priority,
		.nice = t->thread.nice,
	};
	return set_policy(t, &r);
}

long sys_sched_setparam(SYSCALL_ARGS)
{
	struct abi_sched_param param;
	struct policy_request r;
	struct task *t;

	if ((s32)a0 < 0 || !a1)
		return -EINVAL;
	if (copy_from_user(&param, (const void __user *)a1, sizeof(param)))
		return -EFAULT;
	t = sched_find_task(a0);
	if (!t)
		return -ESRCH;
	r = (struct policy_request){
		.policy = t->policy,
		.reset_on_fork = t->reset_on_fork,
		.prio = (u32)param.sched_priority,
		.nice = t->thread.nice,
	};
	return set_policy(t, &r);
}

long sys_sched_getscheduler(SYSCALL_ARGS)
{
	struct task *t;

	if ((s32)a0 < 0)
		return -EINVAL;
	t = sched_find_task(a0);
	if (!t)
		return -ESRCH;
	return atomic_load_relaxed(&t->policy) | (t->reset_on_fork ? SCHED_RESET_ON_FORK : 0);
}

long sys_sched_getparam(SYSCALL_ARGS)
{
	struct abi_sched_param param;
	struct task *t;

	if ((s32)a0 < 0 || !a1)
		return -EINVAL;
	t = sched_find_task(a0);
	if (!t)
		return -ESRCH;
	param.sched_priority = policy_is_rt(t->policy) ? t->thread.base_prio : 0;
	return copy_to_user((void __user *)a1, &param, sizeof(param));
}

long sys_sched_get_priority_max(SYSCALL_ARGS)
{
	if (policy_is_rt((u32)a0))
		return RT_PRIO_MAX;
	return policy_class((u32)a0) >= 0 || a0 == SCHED_DEADLINE ? 0 : -EINVAL;
}

long sys_sched_get_priority_min(SYSCALL_ARGS)
{
	if (policy_is_rt((u32)a0))
		return 1;
	return policy_class((u32)a0) >= 0 || a0 == SCHED_DEADLINE ? 0 : -EINVAL;
}

long sys_sched_rr_get_interval(SYSCALL_ARGS)
{
	struct task *t;

	if ((s32)a0 < 0)
		return -EINVAL;
	t = sched_find_task(a0);
	if (!t)
		return -ESRCH;
	return user_store_timespec(a1, t->policy == SCHED_RR ? SCHED_RR_SLICE_MS * 1000000UL : 0);
}

/* sched_setattr's structure carries its own size, which may be older or newer than ours. */
static long load_attr(u64 user, struct abi_sched_attr *attr)
{
	u32 size;
	u8 byte;

	if (user_load_u32((const u32 __user *)user, &size))
		return -EFAULT;
	if (size == 0)
		size = SCHED_ATTR_SIZE_VER0;
	if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE) {
		size = sizeof(*attr);
		return user_store_u32((u32 __user *)user, size) ? -EFAULT : -E2BIG;
	}
	memset(attr, 0, sizeof(*attr));
	if (copy_from_user(attr, (const void __user *)user, MIN((size_t)size, sizeof(*attr))))
		return -EFAULT;
	for (u32 i = sizeof(*attr); i < size; i++) {
		if (copy_from_user(&byte, (const u8 __user *)user + i, 1))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	return 0;
}

/* Known, and without meaning for every policy that we have, as on Linux. */
#define SCHED_FLAGS_DEADLINE (SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN)
#define SCHED_FLAGS_KEEP     (SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS)

/* What `attr` asks of `t`, with what it wants kept filled in. */
static struct policy_request attr_request(const struct task *t, const struct abi_sched_attr *attr)
{
	struct policy_request r = {
		.policy = attr->sched_policy,
		.reset_on_fork = attr->sched_flags & SCHED_FLAG_RESET_ON_FORK,
		.prio = attr->sched_priority,
		.nice = MAX(-20, MIN(19, attr->sched_nice)),
	};

	if (attr->sched_flags & SCHED_FLAG_KEEP_POLICY) {
		r.policy = t->policy;
		r.reset_on_fork = t->reset_on_fork;
	}
	if (attr->sched_flags & SCHED_FLAG_KEEP_PARAMS) {
		r.keep = true;
		r.prio = policy_is_rt(t->policy) ? t->thread.base_prio : 0;
		r.nice = t->thread.nice;
	}
	if (policy_is_rt(r.policy))
		r.nice = t->thread.nice;
	return r;
}

long sys_sched_setattr(SYSCALL_ARGS)
{
	struct abi_sched_attr attr;
	struct policy_request r;
	struct task *t;
	long err;

	if (!a1 || (s32)a0 < 0 || (u32)a2)
		return -EINVAL;
	err = load_attr(a1, &attr);
	if (err)
		return err;
	if ((s32)attr.sched_policy < 0)
		return -EINVAL;
	t = sched_find_task(a0);
	if (!t)
		return -ESRCH;
	if (attr.sched_flags & ~(u64)(SCHED_FLAG_RESET_ON_FORK | SCHED_FLAGS_KEEP |
				      SCHED_FLAGS_DEADLINE | SCHED_FLAG_UTIL_CLAMP))
		return -EINVAL;
	if (attr.sched_flags & SCHED_FLAG_UTIL_CLAMP)
		return -EOPNOTSUPP;
	r = attr_request(t, &attr);
	return set_policy(t, &r);
}

long sys_sched_getattr(SYSCALL_ARGS)
{
	struct abi_sched_attr attr = {.size = MIN((u32)a2, (u32)sizeof(attr))};
	struct task *t;

	if (!a1 || (s32)a0 < 0 || (u32)a2 < SCHED_ATTR_SIZE_VER0 || (u32)a2 > PAGE_SIZE || (u32)a3)
		return -EINVAL;
	t = sched_find_task(a0);
	if (!t)
		return -ESRCH;
	attr.sched_policy = t->policy;
	if (policy_is_rt(t->policy))
		attr.sched_priority = t->thread.base_prio;
	else
		attr.sched_nice = t->thread.nice;
	if (t->reset_on_fork)
		attr.sched_flags = SCHED_FLAG_RESET_ON_FORK;
	return copy_to_user((void __user *)a1, &attr, attr.size);
}

/* ---- harts ---- */

long sys_sched_setaffinity(SYSCALL_ARGS)
{
	u64 mask = 0;
	struct task *t;

	if (copy_from_user(&mask, (const void __user *)a2, MIN((u32)a1, (u32)sizeof(mask))))
		return -EFAULT;
	t = sched_find_task(a0);
	if (!t)
		return -ESRCH;
	if (!sched_same_owner(t) && !capable(CAP_SYS_NICE))
		return -EPERM;
	mask &= hart_all();
	return mask ? sched_set_affinity(&t->thread, mask) : -EINVAL;
}

long sys_sched_getaffinity(SYSCALL_ARGS)
{
	u32 len = (u32)a1;
	struct task *t;
	u64 mask;

	/* As Linux, in 32 bits. */
	if (len * 8 < nr_cpus || (len & 7))
		return -EINVAL;
	t = sched_find_task(a0);
	if (!t)
		return -ESRCH;
	mask = atomic_load_relaxed(&t->thread.affinity) & hart_all();
	if (copy_to_user((void __user *)a2, &mask, sizeof(mask)))
		return -EFAULT;
	return sizeof(mask);
}

long sys_getcpu(SYSCALL_ARGS)
{
	u32 cpu = cpu_id();

	if (a0 && user_store_u32((u32 __user *)a0, cpu))
		return -EFAULT;
	if (a1 && user_store_u32((u32 __user *)a1, 0))
		return -EFAULT;
	return 0;
}
