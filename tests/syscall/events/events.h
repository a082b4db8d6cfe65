/*
 * Shared by the tests of epoll and of files that stand for events.
 */
#ifndef TESTS_SYSCALL_EVENTS_EVENTS_H
#define TESTS_SYSCALL_EVENTS_EVENTS_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "tests/syscall/harness.h"

/* The call failed, and with this errno. */
#define CHECK_ERRNO(call, wanted)                                                                  \
	({                                                                                         \
		errno = 0;                                                                         \
		long ret_ = (long)(call);                                                          \
                                                                                                   \
		CHECK_EQ(ret_ == -1 ? errno : 0, wanted);                                          \
	})

#endif
