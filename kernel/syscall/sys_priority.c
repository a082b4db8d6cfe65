/*
 * setpriority and getpriority: nice values of a thread, a process group, a user's processes.
 *
 * Of a group or a user all processes are gone through, and of each all threads; the numbers are found under the epoch.
 */
#include "abi/errno.h"
#include "abi/resource.h"
#include "abi/system.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/epoch.h"
#include "kernel/syscall/sched_args.h"
#include "kernel/syscall/syscall.h"

#define NICE_NONE 20 /* above every nice value */

bool priority_within_limit(const struct task *t, s32 nice)
{
	return (u64)(20 - nice) <= process_rlimit(t->process, RLIMIT_NICE);
}

/* Whom a call means, and what it does with each. */
struct priority_call {
	u32 which, who;
	bool set;
	s32 nice; /* set: the new value; get: the smallest found */
	u32 found;
	long err;
};

static bool priority_one(void *arg, struct task *t)
{
	struct priority_call *c = arg;
	long err = 0;

	c->found++;
	if (!c->set) {
		c->nice = MIN(c->nice, t->thread.nice);
		return true;
	}
	if (!sched_same_owner(t) && !capable(CAP_SYS_NICE))
		err = -EPERM;
	else if (c->nice < t->thread.nice && !priority_within_limit(t, c->nice) &&
		 !capable(CAP_SYS_NICE))
		err = -EACCES;
	else
		err = sched_set_policy(&t->thread, (enum sched_class)t->thread.base_class,
				       t->thread.base_prio, c->nice);
	if (err)
		c->err = err;
	return true;
}

/* 0, -EINVAL, -ESRCH. */
static long priority_walk(struct priority_call *c)
{
	struct task *t;

	switch (c->which) {
	case PRIO_PROCESS:
		t = sched_find_task(c->who);
		if (t)
			priority_one(c, t);
		break;
	case PRIO_PGRP:
		sched_each(SCHED_GROUP, c->who ?: process_current()->pgid, priority_one, c);
		break;
	case PRIO_USER:
		sched_each(SCHED_USER, c->who ?: cred_current()->uid, priority_one, c);
		break;
	default:
		return -EINVAL;
	}
	return c->found ? c->err : -ESRCH;
}

static long priority_run(struct priority_call *c)
{
	long err;

	epoch_enter();
	err = priority_walk(c);
	epoch_exit();
	return err;
}

long sys_setpriority(SYSCALL_ARGS)
{
	struct priority_call c = {
		.which = (u32)a0,
		.who = (u32)a1,
		.set = true,
		.nice = MAX(-20, MIN(19, (s32)a2)),
	};

	return priority_run(&c);
}

/* 20 - nice, so that errors stay negative. */
long sys_getpriority(SYSCALL_ARGS)
{
	struct priority_call c = {.which = (u32)a0, .who = (u32)a1, .nice = NICE_NONE};
	long err = priority_run(&c);

	return err ? err : 20 - c.nice;
}
