/*
 * Hostile arguments: calls with bad pointers, sizes, numbers and flags end with Linux's errno, and nothing else happens.
 */
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "tests/syscall/harness.h"

static char room[4096] __attribute__((aligned(16)));

TEST(numbers_without_a_call)
{
	static const long numbers[] = {-1, 244, 1000, 10000, 1L << 32, INT64_MIN, INT64_MAX};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		CHECK_EQ(sys6(numbers[i], -1, -1, -1, -1, -1, -1), -ENOSYS);
}

TEST(process_calls)
{
	static struct __user_cap_header_struct bad_version = {.version = 1};
	long gone = (long)page_unmapped(), pid = getpid();
	const struct errno_case cases[] = {
		{"uname", SYS_uname, {gone}, EFAULT},
		{"sysinfo", SYS_sysinfo, {gone}, EFAULT},
		{"getcpu", SYS_getcpu, {gone, 0, 0}, EFAULT},
		{"getcpu of nothing", SYS_getcpu, {0, 0, 0}, 0},
		{"getrandom", SYS_getrandom, {gone, 16, 0}, EFAULT},
		{"getrandom flags", SYS_getrandom, {(long)room, 16, 0x100}, EINVAL},
		{"getrandom nothing", SYS_getrandom, {gone, 0, 0}, 0},
		{"getrlimit", SYS_getrlimit, {99, (long)room}, EINVAL},
		{"getrlimit nowhere", SYS_getrlimit, {RLIMIT_STACK, gone}, EFAULT},
		{"prlimit of nobody", SYS_prlimit64, {0x3fffff, RLIMIT_STACK, 0, (long)room}, ESRCH},
		{"prlimit nowhere", SYS_prlimit64, {0, RLIMIT_STACK, gone, 0}, EFAULT},
		{"getpgid of nobody", SYS_getpgid, {0x3fffff}, ESRCH},
		{"getsid of nobody", SYS_getsid, {0x3fffff}, ESRCH},
		{"getpgid", SYS_getpgid, {pid}, 0},
		{"personality", SYS_personality, {0xffffffff}, 0},
		{"prctl", SYS_prctl, {9999, 0, 0, 0, 0}, EINVAL},
		{"prctl death signal", SYS_prctl, {PR_SET_PDEATHSIG, 100}, EINVAL},
		{"prctl dumpable", SYS_prctl, {PR_SET_DUMPABLE, 7}, EINVAL},
		{"capget", SYS_capget, {gone, 0}, EFAULT},
		{"capget version", SYS_capget, {(long)&bad_version, (long)room}, EINVAL},
		{"wait for nobody", SYS_wait4, {-1, 0, 0, 0}, ECHILD},
		{"wait options", SYS_wait4, {-1, 0, 0x12345, 0}, EINVAL},
		{"execve nowhere", SYS_execve, {gone, 0, 0}, EFAULT},
		{"execve nothing", SYS_execve, {(long)"/none", (long)room, (long)room}, ENOENT},
		{"execve a folder", SYS_execve, {(long)"/dev", (long)room, (long)room}, EACCES},
		{"execve no program", SYS_execve, {(long)"/dev/null", (long)room, (long)room}, EACCES},
		{"membarrier", SYS_membarrier, {12345, 0, 0}, EINVAL},
		{"membarrier flags", SYS_membarrier, {MEMBARRIER_CMD_GLOBAL, 77, 0}, EINVAL},
		{"membarrier query", SYS_membarrier, {MEMBARRIER_CMD_QUERY, 0, 0}, 0},
		{"flush_icache flags", SYS_riscv_flush_icache, {0, 0, 99}, EINVAL},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
}

TEST(scheduler_calls)
{
	static struct sched_param zero;
	long gone = (long)page_unmapped();
	const struct errno_case cases[] = {
		{"setscheduler nowhere", SYS_sched_setscheduler, {0, SCHED_FIFO, gone}, EFAULT},
		{"setscheduler nothing", SYS_sched_setscheduler, {0, SCHED_FIFO, 0}, EINVAL},
		{"setscheduler of nobody",
		 SYS_sched_setscheduler,
		 {0x3fffff, SCHED_OTHER, (long)&zero},
		 ESRCH},
		{"setscheduler -1", SYS_sched_setscheduler, {-1, SCHED_OTHER, (long)&zero}, EINVAL},
		{"getscheduler -1", SYS_sched_getscheduler, {-1}, EINVAL},
		{"getscheduler of nobody", SYS_sched_getscheduler, {0x3fffff}, ESRCH},
		{"getparam nowhere", SYS_sched_getparam, {0, gone}, EFAULT},
		{"getparam nothing", SYS_sched_getparam, {0, 0}, EINVAL},
		{"setparam nowhere", SYS_sched_setparam, {0, gone}, EFAULT},
		{"getattr too small", SYS_sched_getattr, {0, (long)room, 10, 0}, EINVAL},
		{"getattr flags", SYS_sched_getattr, {0, (long)room, 56, 1}, EINVAL},
		{"getattr nowhere", SYS_sched_getattr, {0, gone, 56, 0}, EFAULT},
		{"setattr nothing", SYS_sched_setattr, {0, 0, 0}, EINVAL},
		{"setattr flags", SYS_sched_setattr, {0, (long)room, 1}, EINVAL},
		{"rr_get_interval nowhere", SYS_sched_rr_get_interval, {0, gone}, EFAULT},
		{"rr_get_interval -1", SYS_sched_rr_get_interval, {-1, (long)room}, EINVAL},
		{"setpriority which", SYS_setpriority, {9, 0, 0}, EINVAL},
		{"setpriority of nobody", SYS_setpriority, {PRIO_PROCESS, 0x3fffff, 0}, ESRCH},
		{"getpriority which", SYS_getpriority, {9, 0}, EINVAL},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
}

/* A pointer at every kind of bad place, for a call that writes and one that reads. */
TEST(bad_pointers)
{
	char *bad[] = {NULL,
		       (char *)8,
		       page_unmapped(),
		       page_no_access(),
		       KERNEL_ADDRESS,
		       (char *)(1UL << 38),
		       (char *)(1UL << 47),
		       (char *)(1UL << 63),
		       (char *)~0UL,
		       (char *)~7UL,
		       (char *)0xffffffc000000000UL};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_EQ(sys1(SYS_uname, bad[i]), -EFAULT);
		CHECK_EQ(sys2(SYS_clock_gettime, CLOCK_MONOTONIC, bad[i]), -EFAULT);
		CHECK_EQ(sys2(SYS_nanosleep, bad[i], 0), -EFAULT);
	}
	CHECK_EQ(sys1(SYS_uname, page_read_only()), -EFAULT);
	CHECK_EQ(sys2(SYS_clock_gettime, CLOCK_MONOTONIC, page_read_only()), -EFAULT);
}

/* A structure that begins in good memory and ends in bad. */
TEST(pointers_at_the_edge)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_EQ(munmap(pages + 4096, 4096), 0);
	CHECK_EQ(sys1(SYS_uname, pages + 4096 - sizeof(struct utsname)), 0);
	CHECK_EQ(sys1(SYS_uname, pages + 4096 - sizeof(struct utsname) + 1), -EFAULT);
	CHECK_EQ(sys2(SYS_nanosleep, pages + 4096 - 16, 0), 0);
	CHECK_EQ(sys2(SYS_nanosleep, pages + 4096 - 8, 0), -EFAULT);
	memset(pages, 'x', 4096);
	CHECK_EQ(sys3(SYS_openat, -100, pages + 4090, 0), -EFAULT);
	pages[4095] = 0;
	CHECK_EQ(sys3(SYS_openat, -100, pages + 4090, 0), -ENOENT);
	munmap(pages, 4096);
}

/* The upper half of a register does not count for an int. */
TEST(upper_halves_are_cut_off)
{
	long high = 0x5555555500000000L;

	CHECK_EQ(sys1(SYS_close, high | 999), -EBADF);
	CHECK_EQ(sys2(SYS_clock_getres, high | CLOCK_MONOTONIC, 0), 0);
	CHECK_EQ(sys3(SYS_dup3, high | 1, high | 77, high), 77);
	CHECK_EQ(sys1(SYS_close, high | 77), 0);
	CHECK_EQ(sys2(SYS_kill, high | getpid(), high), 0);
}

/* Calls that cannot end, stop or blind the program, with every argument wild: whatever they answer, the kernel stays. */
TEST(wild_arguments)
{
	static const long calls[] = {
		SYS_getcwd,	     SYS_dup,
		SYS_mkdirat,	     SYS_unlinkat,
		SYS_symlinkat,	     SYS_linkat,
		SYS_statfs,	     SYS_fstatfs,
		SYS_truncate,	     SYS_faccessat,
		SYS_chdir,	     SYS_fchdir,
		SYS_fchmodat,	     SYS_fchownat,
		SYS_openat,	     SYS_pipe2,
		SYS_getdents64,	     SYS_lseek,
		SYS_pread64,	     SYS_preadv,
		SYS_readlinkat,	     SYS_newfstatat,
		SYS_fstat,	     SYS_utimensat,
		SYS_capget,	     SYS_clock_gettime,
		SYS_clock_getres,    SYS_sched_getscheduler,
		SYS_sched_getparam,  SYS_sched_getaffinity,
		SYS_sched_getattr,   SYS_sched_rr_get_interval,
		SYS_rt_sigpending,   SYS_getpriority,
		SYS_times,	     SYS_getpgid,
		SYS_getsid,	     SYS_uname,
		SYS_getrlimit,	     SYS_getrusage,
		SYS_getcpu,	     SYS_gettimeofday,
		SYS_sysinfo,	     258 /* riscv_hwprobe */,
		SYS_renameat2,	     SYS_preadv2,
		SYS_statx,	     SYS_faccessat2,
		SYS_get_robust_list,
	};
	static const long wild[] = {-1,		0, 1, INT32_MAX, INT64_MIN, (long)KERNEL_ADDRESS,
				    0x123456789};
	long succeeded = 0;

	for (size_t nr = 0; nr < ARRAY_SIZE(calls); nr++)
		for (size_t i = 0; i < ARRAY_SIZE(wild); i++)
			for (size_t step = 0; step < 3; step++) {
				long args[6];

				for (size_t n = 0; n < 6; n++)
					args[n] = wild[(i + n * step) % ARRAY_SIZE(wild)];
				succeeded += sys_call(calls[nr], args) >= 0;
			}
	printf("# %ld succeeded\n", succeeded);
	CHECK_EQ(sys0(SYS_getpid), getpid());
}
