/*
 * I/O priorities: what is taken, who may set whose, who inherits and who shares.
 */
#include "tests/syscall/process/process.h"

#include <linux/ioprio.h>
#include <sched.h>
#include <sys/resource.h>

#define BE(level) IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, level)
#define RT(level) IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, level)
#define IDLE	  IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)

static long set(int which, int who, int value)
{
	return sys3(SYS_ioprio_set, which, who, value);
}

static long get(int which, int who)
{
	return sys2(SYS_ioprio_get, which, who);
}

static int values_body(void)
{
	if (set(IOPRIO_WHO_PROCESS, 0, BE(3)) || get(IOPRIO_WHO_PROCESS, 0) != BE(3))
		return 1;
	if (set(IOPRIO_WHO_PROCESS, getpid(), RT(0)) || get(IOPRIO_WHO_PROCESS, getpid()) != RT(0))
		return 2;
	if (set(IOPRIO_WHO_PROCESS, 0, IDLE) || get(IOPRIO_WHO_PROCESS, 0) != IDLE)
		return 3;
	/* Hints between class and level are kept, what is above 16 bits is not. */
	if (set(IOPRIO_WHO_PROCESS, 0, 0x50000 | BE(2) | 3 << 3) ||
	    get(IOPRIO_WHO_PROCESS, 0) != (BE(2) | 3 << 3))
		return 4;
	if (set(IOPRIO_WHO_PROCESS, 0, 0) || get(IOPRIO_WHO_PROCESS, 0) != 0)
		return 5;
	return 0;
}

TEST(ioprio_values)
{
	CHECK_EQ(child_status(values_body), 0);
}

TEST(ioprio_errors)
{
	CHECK_EQ(set(IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(4, 0)), -EINVAL);
	CHECK_EQ(set(IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(7, 0)), -EINVAL);
	CHECK_EQ(set(IOPRIO_WHO_PROCESS, 0, 1), -EINVAL);
	CHECK_EQ(set(0, 0, BE(0)), -EINVAL);
	CHECK_EQ(set(4, 0, BE(0)), -EINVAL);
	CHECK_EQ(get(0, 0), -EINVAL);
	CHECK_EQ(set(IOPRIO_WHO_PROCESS, 4194303, BE(0)), -ESRCH);
	CHECK_EQ(get(IOPRIO_WHO_PROCESS, 4194303), -ESRCH);
	CHECK_EQ(get(IOPRIO_WHO_PGRP, 4194303), -ESRCH);
	CHECK_EQ(set(IOPRIO_WHO_PGRP, -1, BE(0)), -ESRCH);
	CHECK_EQ(get(IOPRIO_WHO_USER, 54321), -ESRCH);
}

/* The parent is root's, the child a user's. */
static int rights_body(void)
{
	pid_t parent = getppid();

	if (setresuid(4323, 4323, 4323))
		return 1;
	if (set(IOPRIO_WHO_PROCESS, 0, RT(4)) != -EPERM || set(IOPRIO_WHO_PROCESS, 0, BE(7)) ||
	    set(IOPRIO_WHO_PROCESS, 0, BE(0)) || set(IOPRIO_WHO_PROCESS, 0, IDLE))
		return 2;
	if (set(IOPRIO_WHO_PROCESS, parent, BE(4)) != -EPERM || get(IOPRIO_WHO_PROCESS, parent) < 0)
		return 3;
	if (set(IOPRIO_WHO_USER, 4323, BE(5)) || get(IOPRIO_WHO_USER, 4323) != BE(5) ||
	    set(IOPRIO_WHO_USER, 0, BE(5)) != -EPERM)
		return 4;
	return 0;
}

TEST(ioprio_rights)
{
	CHECK_EQ(child_status(rights_body), 0);
}

static int group_body(void)
{
	pid_t a, b;

	setpgid(0, 0);
	a = sleeping_child();
	b = sleeping_child();
	/* Nobody has one: it follows from the nice value, and of several the best counts. */
	if (get(IOPRIO_WHO_PGRP, 0) != BE(4) || setpriority(PRIO_PROCESS, (id_t)a, -20) ||
	    get(IOPRIO_WHO_PGRP, getpid()) != BE(0) || get(IOPRIO_WHO_PROCESS, a) != 0)
		return 1;
	if (set(IOPRIO_WHO_PGRP, 0, BE(6)) || get(IOPRIO_WHO_PROCESS, a) != BE(6) ||
	    get(IOPRIO_WHO_PROCESS, b) != BE(6))
		return 2;
	if (set(IOPRIO_WHO_PROCESS, b, BE(2)) || get(IOPRIO_WHO_PGRP, 0) != BE(2))
		return 3;
	kill(a, SIGKILL);
	kill(b, SIGKILL);
	return 0;
}

TEST(ioprio_of_groups)
{
	CHECK_EQ(child_status(group_body), 0);
}

static int policy_body(void)
{
	struct sched_param param = {.sched_priority = 5};

	setpgid(0, 0);
	if (sched_setscheduler(0, SCHED_FIFO, &param) || get(IOPRIO_WHO_PGRP, 0) != RT(4))
		return 1;
	param.sched_priority = 0;
	if (sched_setscheduler(0, SCHED_IDLE, &param) || get(IOPRIO_WHO_PGRP, 0) != (IDLE | 4))
		return 2;
	return 0;
}

TEST(ioprio_follows_from_policy)
{
	CHECK_EQ(child_status(policy_body), 0);
}

/* What a child of clone(flags) sees, and what the parent sees after the child has set BE(1). */
static int family(int flags, long *child_saw, long *parent_saw)
{
	long pid = sys5(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	int status;

	if (pid == 0) {
		long saw = get(IOPRIO_WHO_PROCESS, 0);

		_exit(set(IOPRIO_WHO_PROCESS, 0, BE(1)) ? 255 : (int)(saw ? saw - BE(0) + 1 : 0));
	}
	waitpid((pid_t)pid, &status, 0);
	*child_saw = WEXITSTATUS(status);
	*parent_saw = get(IOPRIO_WHO_PROCESS, 0);
	return 0;
}

static int family_body(void)
{
	long child, parent;

	/* Nothing to share yet. */
	if (family(CLONE_IO, &child, &parent) || child != 0 || parent != 0)
		return 1;
	if (set(IOPRIO_WHO_PROCESS, 0, BE(6)))
		return 2;
	if (family(0, &child, &parent) || child != 7 || parent != BE(6))
		return 3;
	if (family(CLONE_IO, &child, &parent) || child != 7 || parent != BE(1))
		return 4;
	/* Once shared, and all others gone: still one's own. */
	if (set(IOPRIO_WHO_PROCESS, 0, BE(5)) || family(0, &child, &parent) || child != 6 ||
	    parent != BE(5))
		return 5;
	return 0;
}

TEST(ioprio_is_inherited_or_shared)
{
	CHECK_EQ(child_status(family_body), 0);
}
