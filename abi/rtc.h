/* Real-time clocks as devices. Source: rtc(4). */
#ifndef ABI_RTC_H
#define ABI_RTC_H

#include "lib/types.h"

struct abi_rtc_time {
	s32 sec, min, hour;    /* UTC */
	s32 mday, mon;	       /* from 1; from 0 */
	s32 year;	       /* since 1900 */
	s32 wday, yday, isdst; /* from 0 */
};
static_assert(sizeof(struct abi_rtc_time) == 36, "struct rtc_time");

#define RTC_AIE_ON   0x7001
#define RTC_UIE_ON   0x7003
#define RTC_PIE_ON   0x7005
#define RTC_RD_TIME  0x80247009
#define RTC_SET_TIME 0x4024700a

#endif
