/*
 * The vDSO: time without a trap. Built as a shared object for user space and embedded in the
 * kernel, which maps it with the data page in front. It may call nothing and write nothing of its
 * own.
 */
#include "abi/time.h"
#include "kernel/task/vdso/vdso_data.h"

#define NR_CLOCK_GETRES	 114
#define NR_CLOCK_GETTIME 113
#define NR_GETTIMEOFDAY	 169
#define NR_GETCPU	 168
#define NR_HWPROBE	 258
#define NR_FLUSH_ICACHE	 259

/* Placed by vdso.lds. */
extern const struct vdso_data vdso_data __attribute__((visibility("hidden")));

static inline long vdso_syscall(long nr, long arg0, long arg1, long arg2, long arg3, long arg4)
{
	register long a0 __asm__("a0") = arg0;
	register long a1 __asm__("a1") = arg1;
	register long a2 __asm__("a2") = arg2;
	register long a3 __asm__("a3") = arg3;
	register long a4 __asm__("a4") = arg4;
	register long a7 __asm__("a7") = nr;

	__asm__ volatile("ecall"
			 : "+r"(a0)
			 : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7)
			 : "memory");
	return a0;
}

/* As time_ticks_to_ns() of the kernel, so that both clocks agree. */
static inline u64 vdso_monotonic_ns(void)
{
	u64 numerator = vdso_data.ns_numerator, denominator = vdso_data.ns_denominator;
	u64 ticks;

	__asm__ volatile("rdtime %0" : "=r"(ticks));
	if (likely(denominator == 1))
		return ticks * numerator;
	return ticks / denominator * numerator + ticks % denominator * numerator / denominator;
}

static inline u64 vdso_realtime_ns(void)
{
	return *(const volatile u64 *)&vdso_data.realtime_base + vdso_monotonic_ns();
}

/* Kept by the clocks that differ by a constant base from the time CSR. */
static bool vdso_clock_ns(s32 clock, u64 *ns)
{
	switch (clock) {
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = vdso_monotonic_ns();
		return true;
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		*ns = vdso_realtime_ns();
		return true;
	default:
		return false;
	}
}

int __vdso_clock_gettime(s32 clock, struct abi_timespec *ts);
int __vdso_clock_getres(s32 clock, struct abi_timespec *ts);
int __vdso_gettimeofday(struct abi_timeval *tv, struct abi_timezone *tz);
int __vdso_getcpu(u32 *cpu, u32 *node, void *unused);
int __vdso_flush_icache(void *start, void *end, u64 flags);
int __vdso_riscv_hwprobe(void *pairs, u64 nr_pairs, u64 nr_cpus, void *cpus, u32 flags);

int __vdso_clock_gettime(s32 clock, struct abi_timespec *ts)
{
	u64 ns;

	if (!vdso_clock_ns(clock, &ns))
		return (int)vdso_syscall(NR_CLOCK_GETTIME, clock, (long)ts, 0, 0, 0);
	ts->tv_sec = (s64)(ns / NSEC_PER_SEC);
	ts->tv_nsec = (s64)(ns % NSEC_PER_SEC);
	return 0;
}

int __vdso_clock_getres(s32 clock, struct abi_timespec *ts)
{
	return (int)vdso_syscall(NR_CLOCK_GETRES, clock, (long)ts, 0, 0, 0);
}

int __vdso_gettimeofday(struct abi_timeval *tv, struct abi_timezone *tz)
{
	u64 us = vdso_realtime_ns() / NSEC_PER_USEC;

	if (tv) {
		tv->tv_sec = (s64)(us / USEC_PER_SEC);
		tv->tv_usec = (s64)(us % USEC_PER_SEC);
	}
	if (tz) {
		tz->tz_minuteswest = *(const volatile s32 *)&vdso_data.minutes_west;
		tz->tz_dsttime = *(const volatile s32 *)&vdso_data.dst_time;
	}
	return 0;
}

int __vdso_getcpu(u32 *cpu, u32 *node, void *unused)
{
	return (int)vdso_syscall(NR_GETCPU, (long)cpu, (long)node, (long)unused, 0, 0);
}

int __vdso_flush_icache(void *start, void *end, u64 flags)
{
	return (int)vdso_syscall(NR_FLUSH_ICACHE, (long)start, (long)end, (long)flags, 0, 0);
}

int __vdso_riscv_hwprobe(void *pairs, u64 nr_pairs, u64 nr_cpus, void *cpus, u32 flags)
{
	return (int)vdso_syscall(NR_HWPROBE, (long)pairs, (long)nr_pairs, (long)nr_cpus, (long)cpus,
				 flags);
}
