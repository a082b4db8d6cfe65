/*
 * adjtimex(2) and clock_adjtime(2).
 */
#ifndef ABI_TIMEX_H
#define ABI_TIMEX_H

#include "abi/time.h"

#define ADJ_OFFSET    0x0001U
#define ADJ_FREQUENCY 0x0002U
#define ADJ_MAXERROR  0x0004U
#define ADJ_ESTERROR  0x0008U
#define ADJ_STATUS    0x0010U
#define ADJ_TIMECONST 0x0020U
#define ADJ_TAI	      0x0080U
#define ADJ_SETOFFSET 0x0100U
#define ADJ_MICRO     0x1000U
#define ADJ_NANO      0x2000U
#define ADJ_TICK      0x4000U
/* Parts of ADJ_OFFSET_SINGLESHOT and ADJ_OFFSET_SS_READ. */
#define ADJ_ADJTIME	    0x8000U
#define ADJ_OFFSET_READONLY 0x2000U

#define STA_PLL	      0x0001
#define STA_PPSFREQ   0x0002
#define STA_PPSTIME   0x0004
#define STA_UNSYNC    0x0040
#define STA_PPSSIGNAL 0x0100
#define STA_CLOCKERR  0x1000
#define STA_NANO      0x2000
#define STA_RONLY     0xff00

#define TIME_OK	   0
#define TIME_ERROR 5

struct abi_timex {
	u32 modes;
	u32 pad1;
	s64 offset;
	s64 freq;
	s64 maxerror;
	s64 esterror;
	s32 status;
	u32 pad2;
	s64 constant;
	s64 precision;
	s64 tolerance;
	struct abi_timeval time;
	s64 tick;
	s64 ppsfreq;
	s64 jitter;
	s32 shift;
	u32 pad3;
	s64 stabil;
	s64 jitcnt;
	s64 calcnt;
	s64 errcnt;
	s64 stbcnt;
	s32 tai;
	s32 pad4[11];
};
static_assert(sizeof(struct abi_timex) == 208, "struct timex");

#endif
