/*
 * Setting the wall clock by more than its time: settimeofday with the time zone, adjtimex and clock_adjtime.
 *
 * The clock runs at the rate of the machine's counter and is never slewed: what would change its rate is refused, the rest of the state
 * that programs which discipline clocks keep here is kept and told back. As on Linux the greatest error grows while nobody says
 * otherwise, and the clock counts as not synchronised when it is too large. Source: adjtimex(2), Linux's ntp(4) model.
 */
#include "abi/errno.h"
#include "abi/system.h"
#include "abi/timex.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sync/spinlock.h"
#include "kernel/syscall/syscall.h"
#include "kernel/syscall/user_time.h"
#include "kernel/task/cred.h"
#include "kernel/task/vdso.h"
#include "kernel/time/time.h"

#define MAX_ERROR_US	 16000000L /* beyond it the clock is not synchronised */
#define ERROR_GROWTH_US	 500L	   /* a second: what a bad oscillator may do */
#define MAX_CONSTANT	 10L
#define TOLERANCE_SCALED 32768000L /* 500 parts per million, 16 bits of fraction */
#define TICK_US		 10000L	   /* of USER_HZ */
#define TICK_MIN_US	 9000L
#define TICK_MAX_US	 11000L
#define ZONE_MAX_MINUTES (15 * 60)
#define SETTIME_MAX_SEC	 8277292036L /* Linux: 30 years before its time ends */

LOCK_CLASS(discipline, RANK_FDTABLE);

static struct {
	struct spinlock lock;
	s32 status;	  /* [L:lock] STA_* */
	s64 max_error_us; /* [L:lock] at the time of max_error_at */
	u64 max_error_at; /* [L:lock] seconds since boot */
	s64 error_us;	  /* [L:lock] estimated */
	s64 constant;	  /* [L:lock] */
} discipline = {
	.lock = SPINLOCK_INIT(discipline_class),
	.status = STA_UNSYNC,
	.max_error_us = MAX_ERROR_US,
	.error_us = MAX_ERROR_US,
	.constant = 2,
};

/* ---- settimeofday ---- */

static struct abi_timezone zone; /* [a] each of its numbers */
static u32 zone_was_set;	 /* [a] */

/* The first setting without a time says that the clock had been local time. */
static long zone_set(const struct abi_timezone *tz, bool warp)
{
	s64 seconds = tz->tz_minuteswest * 60L;
	bool first = !atomic_xchg(&zone_was_set, 1U);

	if (tz->tz_minuteswest > ZONE_MAX_MINUTES || tz->tz_minuteswest < -ZONE_MAX_MINUTES)
		return -EINVAL;
	zone = *tz;
	vdso_update_zone(tz->tz_minuteswest, tz->tz_dsttime);
	return first && warp && seconds
		       ? clock_set_realtime(time_realtime_ns() + (u64)(seconds * NSEC_PER_SEC))
		       : 0;
}

long sys_settimeofday(SYSCALL_ARGS)
{
	struct abi_timeval tv;
	struct abi_timezone tz;
	long err = 0;

	if (a0) {
		if (copy_from_user(&tv, (const void __user *)a0, sizeof(tv)))
			return -EFAULT;
		if (tv.tv_usec < 0 || tv.tv_usec > USEC_PER_SEC)
			return -EINVAL;
	}
	if (a1 && copy_from_user(&tz, (const void __user *)a1, sizeof(tz)))
		return -EFAULT;
	if (a0 && (tv.tv_sec < 0 || tv.tv_sec >= SETTIME_MAX_SEC || tv.tv_usec == USEC_PER_SEC))
		return -EINVAL;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (a1)
		err = zone_set(&tz, !a0);
	if (!err && a0)
		err = clock_set_realtime((u64)(tv.tv_sec * NSEC_PER_SEC + tv.tv_usec * NSEC_PER_USEC));
	return err;
}

long sys_gettimeofday(SYSCALL_ARGS)
{
	if (a0 && user_store_timeval(a0, time_realtime_ns()))
		return -EFAULT;
	return a1 ? copy_to_user((void __user *)a1, &zone, sizeof(zone)) : 0;
}

/* ---- adjtimex ---- */

/* ADJ_SETOFFSET: a step, forward or back. */
static long step_check(const struct abi_timex *t)
{
	s64 unit = t->modes & ADJ_NANO ? NSEC_PER_SEC : USEC_PER_SEC;

	return t->time.tv_usec < 0 || t->time.tv_usec >= unit ? -EINVAL : 0;
}

static long step(const struct abi_timex *t)
{
	s64 now = (s64)time_realtime_ns(), to;
	s64 rest = t->modes & ADJ_NANO ? t->time.tv_usec : t->time.tv_usec * NSEC_PER_USEC;

	if (__builtin_mul_overflow(t->time.tv_sec, NSEC_PER_SEC, &to) ||
	    __builtin_add_overflow(to, now, &to) || __builtin_add_overflow(to, rest, &to) || to < 0)
		return -EINVAL;
	return clock_set_realtime((u64)to);
}

/* May these modes be asked for, by this caller? In Linux's order. */
static long modes_check(const struct abi_timex *t)
{
	bool slews = t->modes & ADJ_ADJTIME, reads = slews && t->modes & ADJ_OFFSET_READONLY;

	if (slews && !(t->modes & ADJ_OFFSET))
		return -EINVAL;
	if (t->modes && !reads && !capable(CAP_SYS_TIME))
		return -EPERM;
	if (!slews && t->modes & ADJ_TICK && (t->tick < TICK_MIN_US || t->tick > TICK_MAX_US))
		return -EINVAL;
	if (t->modes & ADJ_SETOFFSET)
		return capable(CAP_SYS_TIME) ? step_check(t) : -EPERM;
	return 0;
}

/* What would make the clock run faster or slower, or give TAI another time, is not possible. */
static bool rate_stays(const struct abi_timex *t, s32 status)
{
	u32 modes = t->modes;

	if (modes & ADJ_ADJTIME)
		return modes & ADJ_OFFSET_READONLY || !t->offset;
	if ((modes & ADJ_FREQUENCY && t->freq) || (modes & ADJ_TICK && t->tick != TICK_US))
		return false;
	if (modes & ADJ_STATUS)
		status = t->status;
	/* Without a loop to feed, an offset means nothing. */
	if (modes & ADJ_OFFSET && status & STA_PLL && t->offset)
		return false;
	return !(modes & ADJ_TAI) || !t->constant;
}

static s64 clamp(s64 value, s64 max)
{
	return MAX(0L, MIN(value, max));
}

static void discipline_set(const struct abi_timex *t, u64 now_s)
{
	if (t->modes & ADJ_STATUS)
		discipline.status = (discipline.status & STA_RONLY) | (t->status & ~STA_RONLY);
	if (t->modes & ADJ_NANO)
		discipline.status |= STA_NANO;
	if (t->modes & ADJ_MICRO)
		discipline.status &= ~STA_NANO;
	if (t->modes & ADJ_MAXERROR) {
		discipline.max_error_us = clamp(t->maxerror, MAX_ERROR_US);
		discipline.max_error_at = now_s;
	}
	if (t->modes & ADJ_ESTERROR)
		discipline.error_us = clamp(t->esterror, MAX_ERROR_US);
	if (t->modes & ADJ_TIMECONST)
		discipline.constant = clamp(clamp(t->constant, MAX_CONSTANT) +
						    (discipline.status & STA_NANO ? 0 : 4),
					    MAX_CONSTANT);
}

/* The greatest error has grown since it was told. */
static void discipline_age(u64 now_s)
{
	s64 grown = (s64)(now_s - discipline.max_error_at) * ERROR_GROWTH_US;

	discipline.max_error_us = MIN(discipline.max_error_us + grown, MAX_ERROR_US);
	discipline.max_error_at = now_s;
	if (grown && discipline.max_error_us == MAX_ERROR_US)
		discipline.status |= STA_UNSYNC;
}

static void discipline_tell(struct abi_timex *t)
{
	*t = (struct abi_timex){
		.modes = t->modes,
		.status = discipline.status,
		.maxerror = discipline.max_error_us,
		.esterror = discipline.error_us,
		.constant = discipline.constant,
		.precision = 1,
		.tolerance = TOLERANCE_SCALED,
		.tick = TICK_US,
	};
}

static bool status_is_error(s32 status)
{
	return status & (STA_UNSYNC | STA_CLOCKERR) ||
	       (status & (STA_PPSFREQ | STA_PPSTIME) && !(status & STA_PPSSIGNAL));
}

/* The state of the clock, TIME_*, or -errno. *t becomes what is told. */
static long adjust(struct abi_timex *t)
{
	u64 now_s = time_monotonic_ns() / NSEC_PER_SEC, ns;
	long err = modes_check(t);

	if (!err && !rate_stays(t, atomic_load_relaxed(&discipline.status)))
		err = -EOPNOTSUPP;
	if (!err && t->modes & ADJ_SETOFFSET)
		err = step(t);
	if (err)
		return err;
	spin_lock(&discipline.lock);
	discipline_age(now_s);
	if (!(t->modes & ADJ_ADJTIME))
		discipline_set(t, now_s);
	discipline_tell(t);
	spin_unlock(&discipline.lock);
	ns = time_realtime_ns();
	t->time.tv_sec = (s64)(ns / NSEC_PER_SEC);
	t->time.tv_usec = (s64)(ns % NSEC_PER_SEC);
	if (!(t->status & STA_NANO))
		t->time.tv_usec /= NSEC_PER_USEC;
	return status_is_error(t->status) ? TIME_ERROR : TIME_OK;
}

static long adjust_user(u64 user, bool possible, long error)
{
	struct abi_timex t;
	long state;

	if (copy_from_user(&t, (const void __user *)user, sizeof(t)))
		return -EFAULT;
	state = possible ? adjust(&t) : error;
	if (state >= 0 && copy_to_user((void __user *)user, &t, sizeof(t)))
		return -EFAULT;
	return state;
}

long sys_adjtimex(SYSCALL_ARGS)
{
	return adjust_user(a0, true, 0);
}

/* Only the wall clock can be adjusted. */
long sys_clock_adjtime(SYSCALL_ARGS)
{
	s32 clock = (s32)a0;

	return adjust_user(a1, clock == CLOCK_REALTIME,
			   clock_is_known(clock) ? -EOPNOTSUPP : -EINVAL);
}
