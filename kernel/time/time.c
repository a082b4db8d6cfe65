/*
 * Conversion between ticks of the `time` CSR and nanoseconds, and the wall clock.
 *
 * 10^9 / frequency is kept as a reduced fraction, so the usual 10 MHz is one multiplication. The wall clock is a base (nanoseconds at tick 0) that
 * the boot takes from the Goldfish RTC and clock_settime() replaces: one 64-bit store, so a reader needs no lock.
 */
#include "kernel/time/time.h"

#include "arch/riscv64/csr.h"
#include "kernel/sync/atomic.h"

#define NS_PER_SECOND 1000000000UL

u64 time_freq = 10000000;
u64 time_realtime_base;

static u64 ns_numerator = 100;
static u64 ns_denominator = 1;

static u64 greatest_common_divisor(u64 a, u64 b)
{
	while (b) {
		u64 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

void time_init(u64 freq)
{
	u64 divisor = greatest_common_divisor(NS_PER_SECOND, freq);

	time_freq = freq;
	ns_numerator = NS_PER_SECOND / divisor;
	ns_denominator = freq / divisor;
}

u64 time_ticks_to_ns(u64 ticks)
{
	if (ns_denominator == 1)
		return ticks * ns_numerator;
	/* Whole and rest apart: no overflow below 584 years of ticks. */
	return ticks / ns_denominator * ns_numerator +
	       ticks % ns_denominator * ns_numerator / ns_denominator;
}

u64 time_ns_to_ticks(u64 ns)
{
	u64 whole = ns / ns_numerator, rest = ns % ns_numerator, ticks;

	if (__builtin_mul_overflow(whole, ns_denominator, &ticks))
		return TIME_NEVER - 1;
	return MIN(ticks + (rest * ns_denominator + ns_numerator - 1) / ns_numerator, TIME_NEVER - 1);
}

u64 time_monotonic_ns(void)
{
	return time_ticks_to_ns(time_now());
}

u64 time_realtime_ns(void)
{
	return atomic_load_relaxed(&time_realtime_base) + time_monotonic_ns();
}

u64 time_realtime_deadline(u64 ns)
{
	u64 base = atomic_load_relaxed(&time_realtime_base);

	if (ns >= (u64)INT64_MAX)
		return TIME_NEVER;
	return ns > base ? time_ns_to_ticks(ns - base) : 0;
}
