/*
 * Tests inside the booted kernel, reported as KTAP on the console. `stellar.test=all` or a suite's name runs them in a kernel
 * thread instead of the first program; the machine's exit status is 0 when all pass.
 *
 *   KTEST(mm, page_alloc_returns_zeroed) { KCHECK(cond); }
 */
#ifndef TESTS_KERNEL_KTEST_H
#define TESTS_KERNEL_KTEST_H

#include "lib/types.h"

struct ktest {
	const char *suite;
	const char *name;
	void (*fn)(void);
};

#define KTEST(suite_, name_)                                                                       \
	static void ktest_##suite_##_##name_(void);                                                \
	static const struct ktest ktest_entry_##suite_##_##name_                                   \
		__attribute__((section("ktests"), used, aligned(8))) = {#suite_, #name_,           \
									ktest_##suite_##_##name_}; \
	static void ktest_##suite_##_##name_(void)

/* Marks the running test failed and says where; the test goes on. */
#define KCHECK(cond) ktest_check(!!(cond), #cond, __FILE__, __LINE__)
bool ktest_check(bool ok, const char *expr, const char *file, int line);

/* Runs all suites, or the named one; returns the number of failed tests, -1 if the name fits none. */
int ktest_run(const char *suite);

#endif
