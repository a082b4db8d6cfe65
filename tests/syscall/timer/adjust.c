/*
 * The time zone, and the state of the clock that adjtimex keeps.
 */
#include "tests/syscall/harness.h"

#include <sys/time.h>
#include <sys/timex.h>

#define USER 1000

static void expect_zone(int west, int dst)
{
	struct timezone zone = {77, 77};

	/* The C library does not ask for it any more. */
	CHECK_EQ(sys2(SYS_gettimeofday, 0, &zone), 0);
	CHECK(zone.tz_minuteswest == west && zone.tz_dsttime == dst);
}

TEST(the_time_zone_is_kept)
{
	struct timezone none = {0, 0}, zone = {-60, 1}, far = {15 * 60 + 1, 0};
	int64_t before;

	/* The first setting would move the clock, as that of a machine with local time. */
	CHECK_EQ(sys2(SYS_settimeofday, 0, &none), 0);
	before = now_ns(CLOCK_REALTIME);
	CHECK_EQ(sys2(SYS_settimeofday, 0, &zone), 0);
	CHECK(now_ns(CLOCK_REALTIME) - before < 600 * NS_PER_SEC);
	expect_zone(-60, 1);
	CHECK_EQ(sys2(SYS_settimeofday, 0, &far), -EINVAL);
	expect_zone(-60, 1);
	CHECK_EQ(sys2(SYS_settimeofday, 0, &none), 0);
	expect_zone(0, 0);
}

TEST(setting_the_time_of_day)
{
	int64_t wall = now_ns(CLOCK_REALTIME), start = now_ns(CLOCK_MONOTONIC), passed;
	struct timeval later = {wall / NS_PER_SEC + 1000, 0}, bad = {1, 1000001}, negative = {-1, 0};

	CHECK_EQ(sys2(SYS_settimeofday, &bad, 0), -EINVAL);
	CHECK_EQ(sys2(SYS_settimeofday, &negative, 0), -EINVAL);
	CHECK_EQ(sys2(SYS_settimeofday, 8, 0), -EFAULT);
	CHECK_EQ(sys2(SYS_settimeofday, 0, 0), 0);
	CHECK_EQ(settimeofday(&later, NULL), 0);
	passed = now_ns(CLOCK_REALTIME) - wall;
	CHECK(passed > 900 * NS_PER_SEC && passed < 2000 * NS_PER_SEC);
	wall += now_ns(CLOCK_MONOTONIC) - start;
	later = (struct timeval){wall / NS_PER_SEC, wall % NS_PER_SEC / 1000};
	CHECK_EQ(settimeofday(&later, NULL), 0);
}

TEST(the_state_of_the_clock)
{
	struct timex t = {0};
	int64_t now;

	CHECK_EQ(sys1(SYS_adjtimex, &t), TIME_ERROR);
	CHECK(t.status & STA_UNSYNC);
	CHECK_EQ(t.tick, 10000);
	CHECK_EQ(t.freq, 0);
	CHECK_EQ(t.offset, 0);
	CHECK_EQ(t.precision, 1);
	CHECK_EQ(t.tolerance, 32768000);
	CHECK_EQ(t.constant, 2);
	CHECK_EQ(t.tai, 0);
	now = now_ns(CLOCK_REALTIME) / NS_PER_SEC;
	CHECK(t.time.tv_sec >= now - 5 && t.time.tv_sec <= now);
	CHECK(t.time.tv_usec < 1000000);
}

TEST(setting_the_state_of_the_clock)
{
	struct timex t = {.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR,
			  .maxerror = 1000,
			  .esterror = 2000};

	CHECK_EQ(sys1(SYS_adjtimex, &t), TIME_OK);
	t = (struct timex){0};
	CHECK_EQ(sys2(SYS_clock_adjtime, CLOCK_REALTIME, &t), TIME_OK);
	CHECK_EQ(t.status, 0);
	CHECK(t.maxerror >= 1000 && t.maxerror < 100000);
	CHECK_EQ(t.esterror, 2000);
	t = (struct timex){.modes = ADJ_NANO};
	CHECK_EQ(sys1(SYS_adjtimex, &t), TIME_OK);
	CHECK(t.status & STA_NANO);
	t = (struct timex){.modes = ADJ_TIMECONST, .constant = 5};
	CHECK_EQ(sys1(SYS_adjtimex, &t), TIME_OK);
	CHECK_EQ(t.constant, 5);
	t = (struct timex){.modes = ADJ_MICRO | ADJ_TIMECONST, .constant = 50};
	CHECK_EQ(sys1(SYS_adjtimex, &t), TIME_OK);
	CHECK_EQ(t.status & STA_NANO, 0);
	CHECK_EQ(t.constant, 10);
	/* What is so already may be asked for. */
	t = (struct timex){.modes = ADJ_FREQUENCY | ADJ_TICK | ADJ_OFFSET, .tick = 10000};
	CHECK_EQ(sys1(SYS_adjtimex, &t), TIME_OK);
	t = (struct timex){.modes = ADJ_OFFSET_SS_READ};
	CHECK_EQ(sys1(SYS_adjtimex, &t), TIME_OK);
	CHECK_EQ(t.offset, 0);
	t = (struct timex){.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR,
			   .status = STA_UNSYNC,
			   .maxerror = 99999999,
			   .esterror = 99999999};
	CHECK_EQ(sys1(SYS_adjtimex, &t), TIME_ERROR);
	CHECK_EQ(t.maxerror, 16000000);
	CHECK_EQ(t.esterror, 16000000);
}

TEST(stepping_the_clock)
{
	struct timex t = {.modes = ADJ_SETOFFSET | ADJ_NANO};
	int64_t wall = now_ns(CLOCK_REALTIME), start = now_ns(CLOCK_MONOTONIC), moved;

	t.time.tv_sec = 100;
	CHECK(sys1(SYS_adjtimex, &t) >= 0);
	moved = now_ns(CLOCK_REALTIME) - wall - (now_ns(CLOCK_MONOTONIC) - start);
	CHECK(moved > 99 * NS_PER_SEC && moved < 101 * NS_PER_SEC);
	t = (struct timex){.modes = ADJ_SETOFFSET};
	t.time.tv_sec = -100;
	CHECK(sys1(SYS_adjtimex, &t) >= 0);
	moved = now_ns(CLOCK_REALTIME) - wall - (now_ns(CLOCK_MONOTONIC) - start);
	CHECK(moved > -NS_PER_SEC && moved < NS_PER_SEC);
	t = (struct timex){.modes = ADJ_SETOFFSET};
	t.time.tv_usec = 1000000;
	CHECK_EQ(sys1(SYS_adjtimex, &t), -EINVAL);
	t = (struct timex){.modes = ADJ_MICRO};
	CHECK(sys1(SYS_adjtimex, &t) >= 0);
}

static int as_user(void)
{
	struct timex t = {0};
	struct timeval now = {1700000000, 0};

	CHECK_EQ(sys3(SYS_setresuid, USER, USER, USER), 0);
	CHECK_EQ(sys1(SYS_adjtimex, &t), TIME_ERROR);
	t.modes = ADJ_OFFSET_SS_READ;
	CHECK_EQ(sys1(SYS_adjtimex, &t), TIME_ERROR);
	t.modes = ADJ_STATUS;
	CHECK_EQ(sys1(SYS_adjtimex, &t), -EPERM);
	t.modes = 0x8000;
	CHECK_EQ(sys1(SYS_adjtimex, &t), -EINVAL);
	CHECK_EQ(sys2(SYS_settimeofday, &now, 0), -EPERM);
	CHECK_EQ(sys2(SYS_clock_adjtime, CLOCK_MONOTONIC, &t), -EOPNOTSUPP);
	CHECK_EQ(sys2(SYS_clock_adjtime, 10, &t), -EINVAL);
	t = (struct timex){.modes = ADJ_TICK, .tick = 1};
	CHECK_EQ(sys1(SYS_adjtimex, &t), -EPERM);
	return 0;
}

TEST(who_may_adjust_the_clock)
{
	CHECK_EQ(child_status(as_user), 0);
}
