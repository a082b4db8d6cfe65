/*
 * Raw futex calls for the benchmarks, without libc's help.
 * Source: futex(2). The words of futex_wait() and futex_wake() are private to the process, those of
 * the _shared versions may lie in memory that processes share.
 */
#ifndef PERF_LIB_FUTEX_H
#define PERF_LIB_FUTEX_H

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * futex_wait() - sleep while *@word is @value, at most @timeout (relative; NULL: for ever).
 * Return: 0, or -errno (-EAGAIN: *@word was something else; -EINTR; -ETIMEDOUT).
 */
static inline int futex_wait_shared(_Atomic uint32_t *word, uint32_t value,
				    const struct timespec *timeout)
{
	return syscall(SYS_futex, word, FUTEX_WAIT, value, timeout, NULL, 0) < 0 ? -errno : 0;
}

static inline int futex_wait(_Atomic uint32_t *word, uint32_t value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout, NULL, 0) < 0 ? -errno : 0;
}

/* futex_wake() - wake at most @nr threads that wait on @word. Return: how many, or -errno. */
static inline int futex_wake(_Atomic uint32_t *word, int nr)
{
	long woken = syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, nr, NULL, NULL, 0);

	return woken < 0 ? -errno : (int)woken;
}

static inline int futex_wake_shared(_Atomic uint32_t *word, int nr)
{
	long woken = syscall(SYS_futex, word, FUTEX_WAKE, nr, NULL, NULL, 0);

	return woken < 0 ? -errno : (int)woken;
}

#endif
