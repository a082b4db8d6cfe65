/*
 * /dev/rtc0: the machine's clock, its text, and setting it to what it says.
 */
#include <fcntl.h>
#include <linux/rtc.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "tests/syscall/harness.h"

static long seconds_of(const struct rtc_time *t)
{
	struct tm tm = {.tm_sec = t->tm_sec,
			.tm_min = t->tm_min,
			.tm_hour = t->tm_hour,
			.tm_mday = t->tm_mday,
			.tm_mon = t->tm_mon,
			.tm_year = t->tm_year};
	long seconds = timegm(&tm);

	CHECK_EQ(t->tm_wday, tm.tm_wday);
	return seconds;
}

static long text_number(const char *name)
{
	char text[64];
	int fd = open(name, O_RDONLY);
	long n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return atol(text);
}

TEST(clock_is_that_of_the_system)
{
	int fd = open("/dev/rtc0", O_RDONLY);
	struct rtc_time t;
	long seconds;

	CHECK(fd >= 0);
	CHECK_EQ(ioctl(fd, RTC_RD_TIME, &t), 0);
	seconds = seconds_of(&t);
	CHECK(labs(seconds - time(NULL)) < 60);
	CHECK(text_number("/sys/class/rtc/rtc0/since_epoch") - seconds < 60);
	CHECK_EQ(text_number("/sys/class/rtc/rtc0/date"), t.tm_year + 1900);
	CHECK_EQ(access("/proc/driver/rtc", R_OK), 0);
	CHECK_EQ(sys3(SYS_ioctl, fd, RTC_RD_TIME, 8), -EFAULT);
	CHECK_EQ(sys3(SYS_ioctl, fd, 0x707f, 0), -ENOTTY);
	close(fd);
}

TEST(clock_can_be_set)
{
	int fd = open("/dev/rtc0", O_RDONLY);
	struct rtc_time before, odd, after;
	long seconds;

	CHECK(fd >= 0);
	CHECK_EQ(ioctl(fd, RTC_RD_TIME, &before), 0);
	seconds = seconds_of(&before);
	/* A leap day. */
	odd = (struct rtc_time){.tm_mday = 29, .tm_mon = 1, .tm_year = 128, .tm_hour = 23};
	CHECK_EQ(ioctl(fd, RTC_SET_TIME, &odd), 0);
	CHECK_EQ(ioctl(fd, RTC_RD_TIME, &after), 0);
	CHECK_EQ(after.tm_year, 128);
	CHECK_EQ(after.tm_mon, 1);
	CHECK_EQ(after.tm_mday, 29);
	CHECK_EQ(after.tm_hour, 23);
	odd.tm_year = 127;
	CHECK_EQ(sys3(SYS_ioctl, fd, RTC_SET_TIME, &odd), -EINVAL);
	odd = before;
	odd.tm_hour = 24;
	CHECK_EQ(sys3(SYS_ioctl, fd, RTC_SET_TIME, &odd), -EINVAL);
	CHECK_EQ(sys3(SYS_ioctl, fd, RTC_SET_TIME, 8), -EFAULT);
	CHECK_EQ(ioctl(fd, RTC_SET_TIME, &before), 0);
	CHECK_EQ(ioctl(fd, RTC_RD_TIME, &after), 0);
	CHECK(labs(seconds_of(&after) - seconds) < 60);
	close(fd);
}

TEST(clock_is_set_by_the_privileged)
{
	int fd = open("/dev/rtc0", O_RDONLY), status;
	struct rtc_time t;
	pid_t child;

	CHECK(fd >= 0);
	CHECK_EQ(ioctl(fd, RTC_RD_TIME, &t), 0);
	child = fork();
	if (child == 0) {
		if (setresuid(1000, 1000, 1000))
			_exit(2);
		_exit(sys3(SYS_ioctl, fd, RTC_SET_TIME, &t) != -EACCES);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	close(fd);
}
