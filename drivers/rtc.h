/* The machine's real-time clock: nanoseconds since 1970, kept by the host. */
#ifndef DRIVERS_RTC_H
#define DRIVERS_RTC_H

#include "lib/types.h"

/* Boot hart, after dt_init(): finds the clock and sets the system's time by it. */
void rtc_init(void);
bool rtc_present(void); /* after rtc_init() */
/* Its time now; what it is set to counts on from there. Only if it is present. Context: any. */
u64 rtc_read_ns(void);
void rtc_write_ns(u64 ns);

#endif
