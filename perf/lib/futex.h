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

/* Linux 6.7's single calls, which the C library's headers may be too old for. */
#ifndef SYS_futex_wake
#define SYS_futex_wake 454
#define SYS_futex_wait 455
#endif
#ifndef FUTEX2_SIZE_U32
#define FUTEX2_SIZE_U32 0x02
#define FUTEX2_PRIVATE	FUTEX_PRIVATE_FLAG
#endif

/* futex_op() - any operation, its arguments as in futex(2). Return: its answer, or -errno. */
static inline int futex_op(_Atomic uint32_t *word, int op, uint32_t value,
			   const void *timeout_or_nr, _Atomic uint32_t *word2, uint32_t value3)
{
	long answer = syscall(SYS_futex, word, op, value, timeout_or_nr, word2, value3);

	return answer < 0 ? -errno : (int)answer;
}

/*
 * futex_wait() - sleep while *@word is @value, at most @timeout (relative; NULL: for ever).
 * Return: 0, or -errno (-EAGAIN: *@word was something else; -EINTR; -ETIMEDOUT).
 */
static inline int futex_wait(_Atomic uint32_t *word, uint32_t value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout, NULL, 0) < 0 ? -errno : 0;
}

static inline int futex_wait_shared(_Atomic uint32_t *word, uint32_t value,
				    const struct timespec *timeout)
{
	return syscall(SYS_futex, word, FUTEX_WAIT, value, timeout, NULL, 0) < 0 ? -errno : 0;
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
