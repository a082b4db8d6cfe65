/*
 * timerfd and signalfd: flags and structures.
 */
#ifndef ABI_TIMERFD_H
#define ABI_TIMERFD_H

#include "lib/types.h"

#define TFD_TIMER_ABSTIME	1
#define TFD_TIMER_CANCEL_ON_SET 2
#define TFD_CLOEXEC		02000000
#define TFD_NONBLOCK		00004000

#define SFD_CLOEXEC  02000000
#define SFD_NONBLOCK 00004000

struct abi_signalfd_siginfo {
	u32 ssi_signo;
	s32 ssi_errno;
	s32 ssi_code;
	u32 ssi_pid;
	u32 ssi_uid;
	s32 ssi_fd;
	u32 ssi_tid;
	u32 ssi_band;
	u32 ssi_overrun;
	u32 ssi_trapno;
	s32 ssi_status;
	s32 ssi_int;
	u64 ssi_ptr;
	u64 ssi_utime;
	u64 ssi_stime;
	u64 ssi_addr;
	u16 ssi_addr_lsb;
	u8 pad[46];
};
static_assert(sizeof(struct abi_signalfd_siginfo) == 128, "struct signalfd_siginfo");

#endif
