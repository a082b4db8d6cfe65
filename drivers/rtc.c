/*
 * Goldfish real-time clock: nanoseconds since 1970. Reading the low word latches the high one; writing the low word sets both, so the
 * high one is written first. Each pair of accesses is one under the lock.
 */
#include "drivers/rtc.h"

#include "arch/riscv64/layout.h"
#include "drivers/dt.h"
#include "kernel/sync/atomic.h"
#include "kernel/sync/spinlock.h"
#include "kernel/time/time.h"

#define RTC_TIME_LOW  0
#define RTC_TIME_HIGH 4

LOCK_CLASS(rtc, RANK_RTC);

static volatile u32 *rtc_registers; /* [I] after rtc_init(); NULL: there is none */
static struct spinlock rtc_lock;

void rtc_init(void)
{
	int node = dt_find(-1, "google,goldfish-rtc");
	u64 address, size;

	if (node < 0 || !dt_reg(node, 0, &address, &size))
		return;
	spin_init(&rtc_lock, &rtc_class);
	rtc_registers = pa_to_va(address);
	atomic_store_relaxed(&time_realtime_base, rtc_read_ns() - time_monotonic_ns());
}

bool rtc_present(void)
{
	return rtc_registers != NULL;
}

u64 rtc_read_ns(void)
{
	u64 ns;

	spin_lock(&rtc_lock);
	ns = rtc_registers[RTC_TIME_LOW / 4];
	ns |= (u64)rtc_registers[RTC_TIME_HIGH / 4] << 32;
	spin_unlock(&rtc_lock);
	return ns;
}

void rtc_write_ns(u64 ns)
{
	spin_lock(&rtc_lock);
	rtc_registers[RTC_TIME_HIGH / 4] = (u32)(ns >> 32);
	rtc_registers[RTC_TIME_LOW / 4] = (u32)ns;
	spin_unlock(&rtc_lock);
}
