/*
 * /proc/sys/kernel/sched_*: the scheduler's numbers that programs may set. Bounds as Linux's.
 */
#include "abi/errno.h"
#include "kernel/fs/fs_internal.h"
#include "kernel/fs/sysctl.h"
#include "kernel/sched/sched.h"

#define US_MAX 0x7fffffffUL

int proc_sched_init(void)
{
	static const struct sysctl numbers[] = {
		{
			.path = "kernel/sched_rt_period_us",
			.mode = 0644,
			.nr = 1,
			.values = &sched_rt_period_us,
			.min = 1,
			.max = US_MAX,
		},
		{
			.path = "kernel/sched_rt_runtime_us",
			.mode = 0644,
			.nr = 1,
			.values = &sched_rt_runtime_us,
			.is_signed = true,
			.min = SCHED_RT_UNLIMITED,
			.max = US_MAX,
		},
	};
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(numbers) && !err; i++)
		err = sysctl_register(&numbers[i]);
	return err;
}
