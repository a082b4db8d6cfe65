/*
 * ioprio_set and ioprio_get: I/O priorities of a thread, a process group, a user's processes.
 *
 * As for nice values, of a group or a user all processes are gone through under the epoch, and of each all threads. Sources:
 * ioprio_set(2); the order of the checks, and what groups answer for threads without a priority, as Linux does.
 */
#include "abi/errno.h"
#include "abi/ioprio.h"
#include "abi/sched.h"
#include "abi/system.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/epoch.h"
#include "kernel/syscall/sched_args.h"
#include "kernel/syscall/syscall.h"
#include "kernel/task/ioprio.h"

/* Whom a call means, and what it does with each. */
struct ioprio_call {
	u32 which, who;
	bool set;
	u32 value; /* set: the new one; get: the best found, valid if `found` */
	bool found;
	long err;
};

/* The caller may change the I/O priority of `t`. Other than for nice values, t's real user counts. */
static bool ioprio_may_set(const struct task *t)
{
	const struct cred *own = cred_current();
	u32 uid = atomic_load_acquire(&t->cred)->uid;

	return uid == own->euid || uid == own->uid || capable(CAP_SYS_NICE);
}

/* What stands in for a priority that was never set: the class and level that follow from policy and nice value. */
static u32 ioprio_of_policy(const struct task *t)
{
	u32 level = (u32)(t->thread.nice + 20) / 5, class = IOPRIO_CLASS_BE;

	if (t->policy == SCHED_IDLE)
		class = IOPRIO_CLASS_IDLE;
	else if (t->policy == SCHED_FIFO || t->policy == SCHED_RR)
		class = IOPRIO_CLASS_RT;
	return class << IOPRIO_CLASS_SHIFT | level;
}

/* Context: t's process lock is held. False: the first error ends it. */
static bool ioprio_one(void *arg, struct task *t)
{
	struct ioprio_call *c = arg;
	u32 value;

	if (c->set) {
		c->err = ioprio_may_set(t) ? task_ioprio_set_locked(t, c->value) : -EPERM;
		c->found = true;
		return !c->err;
	}
	value = task_ioprio_locked(t);
	if (c->which != IOPRIO_WHO_PROCESS && IOPRIO_PRIO_CLASS(value) == IOPRIO_CLASS_NONE)
		value = ioprio_of_policy(t);
	c->value = c->found ? MIN(c->value, value) : value;
	c->found = true;
	return true;
}

static long ioprio_walk(struct ioprio_call *c)
{
	struct task *t;

	switch (c->which) {
	case IOPRIO_WHO_PROCESS:
		t = sched_find_task(c->who);
		if (!t)
			break;
		spin_lock(&t->process->lock);
		ioprio_one(c, t);
		spin_unlock(&t->process->lock);
		break;
	case IOPRIO_WHO_PGRP:
		sched_each(SCHED_GROUP, c->who ?: process_current()->pgid, ioprio_one, c);
		break;
	case IOPRIO_WHO_USER:
		/* 0 is root, not the caller: other than for nice values */
		sched_each(SCHED_USER, c->who, ioprio_one, c);
		break;
	default:
		return -EINVAL;
	}
	return c->found ? c->err : -ESRCH;
}

static long ioprio_run(struct ioprio_call *c)
{
	long err;

	epoch_enter();
	err = ioprio_walk(c);
	epoch_exit();
	return err;
}

long ioprio_check(u32 value)
{
	switch (IOPRIO_PRIO_CLASS(value)) {
	case IOPRIO_CLASS_RT:
		return capable(CAP_SYS_ADMIN) || capable(CAP_SYS_NICE) ? 0 : -EPERM;
	case IOPRIO_CLASS_BE:
	case IOPRIO_CLASS_IDLE:
		return 0;
	case IOPRIO_CLASS_NONE:
		return IOPRIO_PRIO_LEVEL(value) ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

long sys_ioprio_set(SYSCALL_ARGS)
{
	struct ioprio_call c = {.which = (u32)a0, .who = (u32)a1, .set = true, .value = (u16)a2};

	return ioprio_check(c.value) ?: ioprio_run(&c);
}

long sys_ioprio_get(SYSCALL_ARGS)
{
	struct ioprio_call c = {.which = (u32)a0, .who = (u32)a1};

	return ioprio_run(&c) ?: c.value;
}
