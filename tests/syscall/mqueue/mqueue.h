/*
 * What the tests of POSIX message queues share: the bare calls, which answer a result or -errno, and fresh queues.
 */
#ifndef TESTS_SYSCALL_MQUEUE_MQUEUE_H
#define TESTS_SYSCALL_MQUEUE_MQUEUE_H

#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/syscall/harness.h"

#define mq_open_(name, flags, mode, attr)      sys4(SYS_mq_open, name, flags, mode, attr)
#define mq_unlink_(name)		       sys1(SYS_mq_unlink, name)
#define mq_send_(q, text, size, prio, time)    sys5(SYS_mq_timedsend, q, text, size, prio, time)
#define mq_receive_(q, text, size, prio, time) sys5(SYS_mq_timedreceive, q, text, size, prio, time)
#define mq_notify_(q, event)		       sys2(SYS_mq_notify, q, event)
#define mq_getsetattr_(q, new, old)	       sys3(SYS_mq_getsetattr, q, new, old)

#define TEXT_MAX 64

/* A queue of `messages` short ones, whose name is gone already, open for both ways; flags are added. */
static inline int fresh_queue(long messages, int flags)
{
	struct mq_attr attr = {.mq_maxmsg = messages, .mq_msgsize = TEXT_MAX};
	long q = mq_open_("test-fresh", O_CREAT | O_EXCL | O_RDWR | flags, 0600, &attr);

	CHECK(q >= 0);
	CHECK_EQ(mq_unlink_("test-fresh"), 0);
	return (int)q;
}

static inline long put(int q, const char *text, unsigned int prio)
{
	return mq_send_(q, text, strlen(text), prio, NULL);
}

/* Takes a message, which must be `text` with `prio`. */
static inline bool take(int q, const char *text, unsigned int prio)
{
	char got[TEXT_MAX];
	unsigned int got_prio = ~0U;
	long n = mq_receive_(q, got, TEXT_MAX, &got_prio, NULL);

	return n == (long)strlen(text) && memcmp(got, text, (size_t)n) == 0 && got_prio == prio;
}

static inline long waiting(int q)
{
	struct mq_attr attr = {.mq_curmsgs = -1};

	CHECK_EQ(mq_getsetattr_(q, NULL, &attr), 0);
	return attr.mq_curmsgs;
}

/* `ms` from now on the clock that timeouts count. */
static inline struct timespec in_ms(long ms)
{
	return timespec_of(now_ns(CLOCK_REALTIME) + ms * NS_PER_MS);
}

#endif
