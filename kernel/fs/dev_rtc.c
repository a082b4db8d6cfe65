/*
 * /dev/rtc0, /sys/class/rtc/rtc0 and /proc/driver/rtc: the machine's clock in days and hours, which can be read and set. It has no
 * alarm and no ticks here: EINVAL, as Linux answers for such a clock. Without a clock there are no such files. Source: rtc(4).
 */
#include <stdio.h>

#include "abi/errno.h"
#include "abi/rtc.h"
#include "abi/system.h"
#include "drivers/rtc.h"
#include "kernel/fs/dev_rtc.h"
#include "kernel/fs/fs.h"
#include "kernel/fs/pseudo.h"
#include "kernel/mm/uaccess.h"
#include "kernel/task/cred.h"

#define RTC_MAJOR 250U /* the first that Linux deals out on this machine */
#define DAY_S	  86400UL
#define NS_PER_S  1000000000UL
#define FEBRUARY  1

static bool is_leap(u32 year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Of month `mon`, from 0. */
static u32 days_in(u32 mon, u32 year)
{
	static const u8 days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[mon] + (mon == FEBRUARY && is_leap(year));
}

static void time_split(u64 seconds, struct abi_rtc_time *t)
{
	u64 days = seconds / DAY_S, rest = seconds % DAY_S;
	u32 year = 1970, mon = 0;

	t->wday = (s32)((days + 4) % 7); /* 1970 began with a Thursday */
	while (days >= 365UL + is_leap(year))
		days -= 365UL + is_leap(year++);
	t->yday = (s32)days;
	while (days >= days_in(mon, year))
		days -= days_in(mon++, year);
	t->year = (s32)year - 1900;
	t->mon = (s32)mon;
	t->mday = (s32)days + 1;
	t->hour = (s32)(rest / 3600);
	t->min = (s32)(rest / 60 % 60);
	t->sec = (s32)(rest % 60);
	t->isdst = 0;
}

/* False: there is no such time, or none that the clock can keep. */
static bool time_join(const struct abi_rtc_time *t, u64 *seconds)
{
	u32 year = (u32)t->year + 1900;
	u64 days = 0;

	if (t->year < 70 || t->year > 600 || (u32)t->mon >= 12 || t->mday < 1 ||
	    (u32)t->mday > days_in((u32)t->mon, year) || (u32)t->hour >= 24 || (u32)t->min >= 60 ||
	    (u32)t->sec >= 60)
		return false;
	for (u32 y = 1970; y < year; y++)
		days += 365UL + is_leap(y);
	for (u32 m = 0; m < (u32)t->mon; m++)
		days += days_in(m, year);
	days += (u64)t->mday - 1;
	*seconds = days * DAY_S + (u64)t->hour * 3600 + (u64)t->min * 60 + (u64)t->sec;
	return true;
}

static void time_now(struct abi_rtc_time *t)
{
	time_split(rtc_read_ns() / NS_PER_S, t);
}

/* ---- /dev/rtc0 ---- */

static long set_time(u64 arg)
{
	struct abi_rtc_time t;
	u64 seconds;

	if (!capable(CAP_SYS_TIME))
		return -EACCES;
	if (copy_from_user(&t, (const void __user *)(uintptr_t)arg, sizeof(t)))
		return -EFAULT;
	if (!time_join(&t, &seconds))
		return -EINVAL;
	rtc_write_ns(seconds * NS_PER_S);
	return 0;
}

static long rtc_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct abi_rtc_time t;

	(void)f;
	switch (cmd) {
	case RTC_RD_TIME:
		time_now(&t);
		return copy_to_user((void __user *)(uintptr_t)arg, &t, sizeof(t)) ? -EFAULT : 0;
	case RTC_SET_TIME:
		return set_time(arg);
	case RTC_UIE_ON:
	case RTC_AIE_ON:
	case RTC_PIE_ON:
		return -EINVAL;
	default:
		return -ENOTTY;
	}
}

static const struct file_ops rtc_file_ops = {
	.name = "rtc",
	.ioctl = rtc_ioctl,
	.stat = fs_file_stat,
};

/* ---- as text ---- */

static int show_date(struct seq *s, u64 key)
{
	struct abi_rtc_time t;

	(void)key;
	time_now(&t);
	seq_printf(s, "%04d-%02d-%02d\n", t.year + 1900, t.mon + 1, t.mday);
	return 0;
}

static int show_time(struct seq *s, u64 key)
{
	struct abi_rtc_time t;

	(void)key;
	time_now(&t);
	seq_printf(s, "%02d:%02d:%02d\n", t.hour, t.min, t.sec);
	return 0;
}

static int show_since_epoch(struct seq *s, u64 key)
{
	(void)key;
	seq_printf(s, "%lu\n", rtc_read_ns() / NS_PER_S);
	return 0;
}

/* Both times come from one look at the clock. */
static int show_driver(struct seq *s, u64 key)
{
	struct abi_rtc_time t;

	(void)key;
	time_now(&t);
	seq_printf(s, "rtc_time\t: %02d:%02d:%02d\n", t.hour, t.min, t.sec);
	seq_printf(s, "rtc_date\t: %04d-%02d-%02d\n", t.year + 1900, t.mon + 1, t.mday);
	seq_puts(s, "24hr\t\t: yes\n");
	return 0;
}

int dev_rtc_init(void)
{
	static const struct {
		const char *path;
		pseudo_show_fn show;
		const char *text;
	} nodes[] = {
		{"class/rtc/rtc0/date", show_date, NULL},
		{"class/rtc/rtc0/time", show_time, NULL},
		{"class/rtc/rtc0/since_epoch", show_since_epoch, NULL},
		{"class/rtc/rtc0/dev", pseudo_show_text, "250:0"},
		{"class/rtc/rtc0/name", pseudo_show_text, "goldfish_rtc"},
		{"class/rtc/rtc0/hctosys", pseudo_show_text, "1"},
	};
	int err;

	if (!rtc_present())
		return 0;
	err = devfs_register("rtc0", RTC_MAJOR, 0, 0600, &rtc_file_ops, NULL);
	for (u32 i = 0; i < ARRAY_SIZE(nodes) && !err; i++)
		err = sysfs_register(nodes[i].path, nodes[i].show, (u64)(uintptr_t)nodes[i].text);
	return err ? err : procfs_register("driver/rtc", show_driver, 0);
}
