/*
 * Goldfish real-time clock: nanoseconds since 1970. Reading the low word latches the high one.
 */
#include "arch/riscv64/layout.h"
#include "drivers/drivers.h"
#include "drivers/dt.h"
#include "kernel/sync/atomic.h"
#include "kernel/time/time.h"

#define RTC_TIME_LOW  0
#define RTC_TIME_HIGH 4

void rtc_init(void)
{
	int node = dt_find(-1, "google,goldfish-rtc");
	u64 address, size, ns;
	volatile u32 *rtc;

	if (node < 0 || !dt_reg(node, 0, &address, &size))
		return;
	rtc = pa_to_va(address);
	ns = rtc[RTC_TIME_LOW / 4];
	ns |= (u64)rtc[RTC_TIME_HIGH / 4] << 32;
	atomic_store_relaxed(&time_realtime_base, ns - time_monotonic_ns());
}
