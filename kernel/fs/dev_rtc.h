/* The real-time clock as a device and as text. */
#ifndef KERNEL_FS_DEV_RTC_H
#define KERNEL_FS_DEV_RTC_H

/* After fs_init(). Without a clock nothing is made. 0 or -ENOMEM. Boot only. */
int dev_rtc_init(void);

#endif
