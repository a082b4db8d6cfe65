/*
 * System-call tests: static programs that run on Linux first, which is right by definition, and then on StellarOS. Output
 * is KTAP on stdout; exit status 1 if a test failed.
 *
 *	#include "tests/syscall/harness.h"
 *	TEST(dup_shares_the_position) { ...; CHECK_EQ(lseek(copy, 0, SEEK_CUR), 5); }
 *
 * Tests run one after the other in the order of their source. A watchdog ends the program if they take too long together.
 * The first argument selects tests whose names contain it, the second multiplies the rounds of those that repeat themselves.
 */
#ifndef TESTS_SYSCALL_HARNESS_H
#define TESTS_SYSCALL_HARNESS_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NS_PER_MS  1000000LL
#define NS_PER_SEC 1000000000LL

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *test);
/* Mark the running test; any of its threads may. */
void test_fail(const char *file, int line, const char *what);
void test_fail_eq(const char *file, int line, const char *what, long got, long wanted);
void test_skip(const char *reason);
/* How often to do what is done `count` times in an ordinary run. */
long test_rounds(long count);

#define TEST(test_name)                                                                            \
	static void test_name(void);                                                               \
	__attribute__((constructor)) static void register_##test_name(void)                        \
	{                                                                                          \
		static struct test test = {#test_name, test_name, NULL};                           \
                                                                                                   \
		test_register(&test);                                                              \
	}                                                                                          \
	static void test_name(void)

/* The test is failed and goes on; true if the check held. */
#define CHECK(cond) ((cond) ? true : (test_fail(__FILE__, __LINE__, #cond), false))
#define CHECK_EQ(got, wanted)                                                                      \
	({                                                                                         \
		long got_ = (long)(got), wanted_ = (long)(wanted);                                 \
                                                                                                   \
		if (got_ != wanted_)                                                               \
			test_fail_eq(__FILE__, __LINE__, #got, got_, wanted_);                     \
		got_ == wanted_;                                                                   \
	})

/* The bare system call: its result, or -errno. */
long sys_call(long nr, const long args[6]);
#define SYS_ARG(x) ((long)(x))
#define sys6(nr, a, b, c, d, e, f)                                                                 \
	sys_call(nr, (const long[6]){SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), SYS_ARG(e),   \
				     SYS_ARG(f)})
#define sys5(nr, a, b, c, d, e) sys6(nr, a, b, c, d, e, 0)
#define sys4(nr, a, b, c, d)	sys6(nr, a, b, c, d, 0, 0)
#define sys3(nr, a, b, c)	sys6(nr, a, b, c, 0, 0, 0)
#define sys2(nr, a, b)		sys6(nr, a, b, 0, 0, 0, 0)
#define sys1(nr, a)		sys6(nr, a, 0, 0, 0, 0, 0)
#define sys0(nr)		sys6(nr, 0, 0, 0, 0, 0, 0)

/* A call and the errno that it must end with (0: success). */
struct errno_case {
	const char *name;
	long nr;
	long args[6];
	int error;
};
void check_errno_cases(const struct errno_case *cases, size_t count);

int64_t now_ns(clockid_t clock);
void sleep_ms(long ms);
static inline struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){ns / NS_PER_SEC, ns % NS_PER_SEC};
}

pthread_t thread_start(void *(*fn)(void *), void *arg);
void thread_join(pthread_t thread);

/* Runs `body` in a child, which exits with what it returns, or CHILD_FAILED if a check failed there: the wait status. */
#define CHILD_FAILED 113
int child_status(int (*body)(void));

/* Sleeps in short steps until `cond` holds; false after ten seconds. */
#define WAIT_UNTIL(cond)                                                                           \
	({                                                                                         \
		int64_t end_ = now_ns(CLOCK_MONOTONIC) + 10 * NS_PER_SEC;                          \
                                                                                                   \
		while (!(cond) && now_ns(CLOCK_MONOTONIC) < end_)                                  \
			sleep_ms(1);                                                               \
		CHECK(cond);                                                                       \
	})

/* The number behind `key` in a file of lines such as /proc/meminfo; -1 if it has no such line. */
long proc_value(const char *file, const char *key);

/* Thread `tid` of this process sleeps in the kernel: its state in /proc is S. */
bool thread_sleeps(pid_t tid);
/* The same of the first thread of process `pid`. */
bool process_sleeps(pid_t pid);

/* An address that nothing maps, one without rights, one that the program may only read; each a page. */
char *page_unmapped(void);
char *page_no_access(void);
char *page_read_only(void);
/* A kernel address. */
#define KERNEL_ADDRESS ((char *)0xffffffff80200000UL)

#endif
