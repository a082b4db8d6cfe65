/*
 * Policies, priorities and affinity as system calls: what they accept, what they answer, and what a child inherits.
 */
#include "tests/syscall/harness.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define FLAG_RESET_ON_FORK 1
#define FLAG_KEEP_POLICY   8
#define FLAG_KEEP_PARAMS   16
#define FLAG_UNKNOWN	   0x10000

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static long set_attr(pid_t pid, struct attr attr)
{
	attr.size = attr.size ? attr.size : 48;
	return sys3(SYS_sched_setattr, pid, &attr, 0);
}

static struct attr get_attr(pid_t pid)
{
	struct attr attr = {0};

	CHECK_EQ(sys4(SYS_sched_getattr, pid, &attr, sizeof(attr), 0), 0);
	return attr;
}

static void be_ordinary(void)
{
	struct sched_param none = {0};

	CHECK_EQ(sched_setscheduler(0, SCHED_OTHER, &none), 0);
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 0), 0);
}

TEST(each_policy_is_what_was_set)
{
	const struct {
		int policy, prio;
	} cases[] = {
		{SCHED_FIFO, 1},  {SCHED_FIFO, 99}, {SCHED_RR, 50},
		{SCHED_BATCH, 0}, {SCHED_IDLE, 0},  {SCHED_OTHER, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sched_param param = {.sched_priority = cases[i].prio}, got;
		struct attr attr;

		CHECK_EQ(sched_setscheduler(0, cases[i].policy, &param), 0);
		CHECK_EQ(sched_getscheduler(0), cases[i].policy);
		CHECK_EQ(sched_getparam(0, &got), 0);
		CHECK_EQ(got.sched_priority, cases[i].prio);
		attr = get_attr(0);
		CHECK_EQ(attr.size, 56);
		CHECK_EQ(attr.policy, cases[i].policy);
		CHECK_EQ(attr.priority, cases[i].prio);
		CHECK_EQ(attr.flags, 0);
	}
}

TEST(bad_policies_and_priorities)
{
	static struct sched_param prio[] = {{0}, {1}, {100}, {-1}};
	static const struct errno_case cases[] = {
		{"policy 4", SYS_sched_setscheduler, {0, 4, (long)&prio[0]}, EINVAL},
		{"policy 7", SYS_sched_setscheduler, {0, 7, (long)&prio[0]}, EINVAL},
		{"deadline", SYS_sched_setscheduler, {0, 6, (long)&prio[0]}, EINVAL},
		{"policy -1", SYS_sched_setscheduler, {0, -1, (long)&prio[0]}, EINVAL},
		{"FIFO 0", SYS_sched_setscheduler, {0, SCHED_FIFO, (long)&prio[0]}, EINVAL},
		{"FIFO 100", SYS_sched_setscheduler, {0, SCHED_FIFO, (long)&prio[2]}, EINVAL},
		{"RR -1", SYS_sched_setscheduler, {0, SCHED_RR, (long)&prio[3]}, EINVAL},
		{"OTHER 1", SYS_sched_setscheduler, {0, SCHED_OTHER, (long)&prio[1]}, EINVAL},
		{"IDLE 1", SYS_sched_setscheduler, {0, SCHED_IDLE, (long)&prio[1]}, EINVAL},
		{"setparam 1", SYS_sched_setparam, {0, (long)&prio[1]}, EINVAL},
		{"setparam of nobody", SYS_sched_setparam, {0x3fffff, (long)&prio[0]}, ESRCH},
		{"min of 4", SYS_sched_get_priority_min, {4}, EINVAL},
		{"max of -1", SYS_sched_get_priority_max, {-1}, EINVAL},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	CHECK_EQ(sched_get_priority_max(SCHED_IDLE), 0);
	CHECK_EQ(sched_get_priority_max(6 /* deadline */), 0);
}

TEST(setattr_flags)
{
	struct attr got;

	CHECK_EQ(set_attr(0, (struct attr){.flags = FLAG_UNKNOWN}), -EINVAL);
	CHECK_EQ(set_attr(0, (struct attr){.policy = SCHED_RR, .priority = 7}), 0);
	CHECK_EQ(set_attr(0, (struct attr){.flags = FLAG_KEEP_POLICY, .priority = 9}), 0);
	got = get_attr(0);
	CHECK_EQ(got.policy, SCHED_RR);
	CHECK_EQ(got.priority, 9);
	CHECK_EQ(set_attr(0, (struct attr){.policy = SCHED_FIFO, .flags = FLAG_KEEP_PARAMS}), 0);
	got = get_attr(0);
	CHECK_EQ(got.policy, SCHED_RR); /* the policy is one of the parameters */
	CHECK_EQ(got.priority, 9);
	CHECK_EQ(set_attr(0, (struct attr){.policy = SCHED_OTHER, .nice = 7}), 0);
	got = get_attr(0);
	CHECK_EQ(got.nice, 7);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 7);
	CHECK_EQ(set_attr(0, (struct attr){.policy = SCHED_OTHER, .nice = 100}), 0);
	CHECK_EQ(get_attr(0).nice, 19);
	CHECK_EQ(set_attr(0, (struct attr){.policy = SCHED_OTHER, .flags = FLAG_KEEP_PARAMS}), 0);
	CHECK_EQ(get_attr(0).nice, 19);
	be_ordinary();
}

TEST(attr_sizes)
{
	struct attr attr = {.size = 47};
	struct {
		struct attr attr;
		uint64_t more;
	} large = {.attr = {.size = sizeof(large)}};

	CHECK_EQ(sys3(SYS_sched_setattr, 0, &attr, 0), -E2BIG);
	CHECK_EQ(attr.size, 56);
	CHECK_EQ(sys3(SYS_sched_setattr, 0, &large, 0), 0);
	large.more = 1;
	CHECK_EQ(sys3(SYS_sched_setattr, 0, &large, 0), -E2BIG);
	CHECK_EQ(sys4(SYS_sched_getattr, 0, &attr, 48, 0), 0);
	CHECK_EQ(attr.size, 48);
	CHECK_EQ(sys4(SYS_sched_getattr, 0, &large, 64, 0), 0);
	CHECK_EQ(large.attr.size, 56);
	CHECK_EQ(sys4(SYS_sched_getattr, 0, &large, 5000, 0), -EINVAL);
}

/* What a forked child finds itself to be: policy in the exit status, nice plus 40 as the other half. */
static void check_child(int policy, int nice)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		errno = 0;
		_exit(sched_getscheduler(0) == policy && getpriority(PRIO_PROCESS, 0) == nice ? 0
											      : 1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

TEST(reset_on_fork)
{
	struct sched_param rt = {.sched_priority = 5}, none = {0};

	CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &rt), 0);
	check_child(SCHED_FIFO, 0);
	CHECK_EQ(sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &rt), 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_FIFO | SCHED_RESET_ON_FORK);
	CHECK_EQ(get_attr(0).flags, FLAG_RESET_ON_FORK);
	CHECK_EQ(get_attr(0).policy, SCHED_FIFO);
	check_child(SCHED_OTHER, 0);
	CHECK_EQ(sys2(SYS_sched_setparam, 0, &rt), 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_FIFO | SCHED_RESET_ON_FORK);
	CHECK_EQ(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none), 0);
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, 5), 0);
	check_child(SCHED_OTHER, 5);
	CHECK_EQ(setpriority(PRIO_PROCESS, 0, -5), 0);
	check_child(SCHED_OTHER, 0);
	CHECK_EQ(sched_setscheduler(0, SCHED_OTHER, &none), 0);
	CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
	check_child(SCHED_OTHER, -5);
	be_ordinary();
}

/* As a user without rights: a child, so that the tests stay root. `fn` returns the number of the line that is wrong, or 0. */
static void as_nobody(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(setresuid(65534, 65534, 65534) ? 255 : fn());
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), 0);
	CHECK(WIFEXITED(status));
}

#define WANT(number, call, wanted)                                                                 \
	do {                                                                                       \
		if ((call) != (wanted))                                                            \
			return number;                                                             \
	} while (0)

static int without_rights(void)
{
	struct sched_param rt = {.sched_priority = 1}, none = {0};
	struct rlimit limit = {0, 0};

	WANT(1, setrlimit(RLIMIT_RTPRIO, &limit), 0);
	WANT(2, sys3(SYS_sched_setscheduler, 0, SCHED_FIFO, &rt), -EPERM);
	WANT(3, sys3(SYS_sched_setscheduler, 0, SCHED_BATCH, &none), 0);
	WANT(4, sys3(SYS_sched_setscheduler, 0, SCHED_IDLE, &none), 0);
	WANT(5, sys3(SYS_sched_setscheduler, 0, SCHED_OTHER, &none), -EPERM);
	WANT(6, sys3(SYS_sched_setscheduler, 1, SCHED_OTHER, &none), -EPERM);
	WANT(7, sys3(SYS_setpriority, PRIO_PROCESS, 0, 3), 0);
	WANT(8, sys3(SYS_setpriority, PRIO_PROCESS, 0, 2), -EACCES);
	WANT(9, sys3(SYS_setpriority, PRIO_PROCESS, 1, 10), -EPERM);
	return 0;
}

static int within_limits(void)
{
	struct sched_param rt = {.sched_priority = 10}, more = {.sched_priority = 11}, none = {0};

	WANT(1, sys3(SYS_sched_setscheduler, 0, SCHED_FIFO, &rt), 0);
	WANT(2, sys3(SYS_sched_setscheduler, 0, SCHED_FIFO, &more), -EPERM);
	WANT(3, sys3(SYS_sched_setscheduler, 0, SCHED_RR | SCHED_RESET_ON_FORK, &rt), 0);
	WANT(4, sys3(SYS_sched_setscheduler, 0, SCHED_RR, &rt), -EPERM);
	WANT(5, sys3(SYS_sched_setscheduler, 0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none), 0);
	return 0;
}

TEST(rights)
{
	struct rlimit limit = {10, 10}, old;

	as_nobody(without_rights);
	CHECK_EQ(getrlimit(RLIMIT_RTPRIO, &old), 0);
	limit.rlim_max = 99;
	CHECK_EQ(setrlimit(RLIMIT_RTPRIO, &limit), 0);
	as_nobody(within_limits);
	CHECK_EQ(setrlimit(RLIMIT_RTPRIO, &old), 0);
}

TEST(priority_of_groups_and_users)
{
	int pipe_fds[2], status;
	char byte;
	pid_t pid;

	CHECK_EQ(pipe(pipe_fds), 0);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		setresuid(-1, 4711, -1);
		setresuid(4711, 4711, 4711);
		close(pipe_fds[1]);
		exit(read(pipe_fds[0], &byte, 1) == 0 ? 0 : 1);
	}
	setpgid(pid, pid);
	sleep_ms(50);
	CHECK_EQ(setpriority(PRIO_PGRP, pid, 4), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, pid), 4);
	CHECK_EQ(getpriority(PRIO_PGRP, pid), 4);
	CHECK_EQ(setpriority(PRIO_USER, 4711, 6), 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, pid), 6);
	CHECK_EQ(getpriority(PRIO_USER, 4711), 6);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 0);
	CHECK_EQ(sys2(SYS_getpriority, PRIO_PGRP, 0x3fffff), -ESRCH);
	CHECK_EQ(sys2(SYS_getpriority, PRIO_USER, 4712), -ESRCH);
	CHECK_EQ(sys3(SYS_setpriority, PRIO_USER, 4712, 0), -ESRCH);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
}

TEST(affinity_edges)
{
	unsigned long masks[4] = {1, 0, 0, 0}, got[4];
	long size = sys3(SYS_sched_getaffinity, 0, sizeof(got), got);
	unsigned long all = got[0];

	CHECK(size >= 8 && size % 8 == 0);
	CHECK_EQ(sys3(SYS_sched_setaffinity, 0, 1, masks), 0);
	CHECK_EQ(sys3(SYS_sched_getaffinity, 0, 8, got), 8);
	CHECK_EQ(got[0], 1);
	CHECK_EQ(sys3(SYS_sched_setaffinity, 0, 0, masks), -EINVAL);
	CHECK_EQ(sys3(SYS_sched_setaffinity, 0, 8, NULL), -EFAULT);
	CHECK_EQ(sys3(SYS_sched_setaffinity, 0x3fffff, 8, masks), -ESRCH);
	CHECK_EQ(sys3(SYS_sched_setaffinity, -1, 8, masks), -ESRCH);
	CHECK_EQ(sys3(SYS_sched_getaffinity, 0, 12, got), -EINVAL);
	CHECK_EQ(sys3(SYS_sched_getaffinity, -1, 8, got), -ESRCH);
	CHECK_EQ(sys3(SYS_sched_getaffinity, 0, 8, NULL), -EFAULT);
	masks[0] = ~0UL;
	CHECK_EQ(sys3(SYS_sched_setaffinity, 0, sizeof(masks), masks), 0);
	CHECK_EQ(sys3(SYS_sched_getaffinity, 0, 8, got), 8);
	CHECK_EQ(got[0], all);
}

TEST(intervals)
{
	struct sched_param rt = {.sched_priority = 5}, none = {0};
	struct timespec ts;

	CHECK_EQ(sched_setscheduler(0, SCHED_RR, &rt), 0);
	CHECK_EQ(sched_rr_get_interval(0, &ts), 0);
	CHECK_EQ(ts.tv_sec * NS_PER_SEC + ts.tv_nsec, 100 * NS_PER_MS);
	CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &rt), 0);
	CHECK_EQ(sched_rr_get_interval(0, &ts), 0);
	CHECK_EQ(ts.tv_nsec, 0);
	CHECK_EQ(sched_setscheduler(0, SCHED_OTHER, &none), 0);
}

#define MEMBARRIER_GLOBAL		      1
#define MEMBARRIER_PRIVATE_EXPEDITED	      8
#define MEMBARRIER_REGISTER_PRIVATE_EXPEDITED 16
#define MEMBARRIER_GET_REGISTRATIONS	      512

/* In a child, which has registered nothing. */
static int membarriers(void)
{
	long all = sys3(SYS_membarrier, 0, 0, 0);

	WANT(1, all & (1 | 8 | 16 | 512), 1 | 8 | 16 | 512);
	WANT(2, sys3(SYS_membarrier, MEMBARRIER_GET_REGISTRATIONS, 0, 0), 0);
	WANT(3, sys3(SYS_membarrier, MEMBARRIER_PRIVATE_EXPEDITED, 0, 0), -EPERM);
	WANT(4, sys3(SYS_membarrier, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
	WANT(5, sys3(SYS_membarrier, MEMBARRIER_GET_REGISTRATIONS, 0, 0), 16);
	WANT(6, sys3(SYS_membarrier, MEMBARRIER_PRIVATE_EXPEDITED, 0, 0), 0);
	WANT(7, sys3(SYS_membarrier, MEMBARRIER_GLOBAL, 0, 0), 0);
	WANT(8, sys3(SYS_membarrier, MEMBARRIER_GLOBAL, 1, 0), -EINVAL);
	WANT(9, sys3(SYS_membarrier, 3, 0, 0), -EINVAL);
	return 0;
}

TEST(barriers)
{
	as_nobody(membarriers);
}
