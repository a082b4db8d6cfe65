/*
 * A unit test is a C file with TEST() functions and no main(): this header brings it. Output is
 * KTAP; exit status 1 if any failed.
 *
 *	#include "tests/unit/unit.h"
 *	TEST(list_del_twice_is_harmless) { ...; CHECK(list_empty(&head)); }
 *
 * An argument selects the tests whose names contain it.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit_test {
	const char *name;
	void (*fn)(void);
	struct unit_test *next;
};

static struct unit_test *unit_first;
static struct unit_test **unit_last = &unit_first;
static bool unit_failed; /* of the running test; any thread of it may set it */

#define TEST(test_name)                                                                            \
	static void test_name(void);                                                               \
	__attribute__((constructor)) static void unit_register_##test_name(void)                   \
	{                                                                                          \
		static struct unit_test test = {#test_name, test_name, NULL};                      \
                                                                                                   \
		*unit_last = &test;                                                                \
		unit_last = &test.next;                                                            \
	}                                                                                          \
	static void test_name(void)

/* Marks the running test failed and says where; the test goes on. */
#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			unit_fail(#cond, __FILE__, __LINE__);                                      \
	} while (0)

static inline void unit_fail(const char *expr, const char *file, int line)
{
	__atomic_store_n(&unit_failed, true, __ATOMIC_RELAXED);
	printf("# %s:%d: %s\n", file, line, expr);
}

int main(int argc, char **argv)
{
	const char *wanted = argc > 1 ? argv[1] : "";
	int count = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n");
	for (struct unit_test *t = unit_first; t; t = t->next) {
		if (!strstr(t->name, wanted))
			continue;
		unit_failed = false;
		t->fn();
		failed += unit_failed;
		printf("%sok %d %s\n", unit_failed ? "not " : "", ++count, t->name);
	}
	printf("1..%d\n# %d failed\n", count, failed);
	return failed != 0 || count == 0;
}

#endif
