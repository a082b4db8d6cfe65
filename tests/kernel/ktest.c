/*
 * Runs the tests that KTEST() put into the section `ktests`, in link order, and reports KTAP.
 */
#include "tests/kernel/ktest.h"

#include "kernel/log/log.h"
#include "kernel/sync/atomic.h"

#include <string.h>

extern const struct ktest __start_ktests[], __stop_ktests[];

static u32 ktest_failures; /* [a] failed checks of the running test, from any hart */

bool ktest_check(bool ok, const char *expr, const char *file, int line)
{
	if (!ok && atomic_fetch_add(&ktest_failures, 1) < 8)
		klog_always("# failed: %s at %s:%d\n", expr, file, line);
	return ok;
}

static bool ktest_selected(const struct ktest *t, const char *suite)
{
	return !strcmp(suite, "all") || !strcmp(suite, t->suite);
}

int ktest_run(const char *suite)
{
	int planned = 0, number = 0, failed = 0;

	for (const struct ktest *t = __start_ktests; t < __stop_ktests; t++)
		planned += ktest_selected(t, suite);
	if (!planned) {
		klog_always("# no test suite \"%s\"\n", suite);
		return -1;
	}
	klog_always("KTAP version 1\n1..%d\n", planned);
	for (const struct ktest *t = __start_ktests; t < __stop_ktests; t++) {
		if (!ktest_selected(t, suite))
			continue;
		atomic_store_relaxed(&ktest_failures, 0);
		t->fn();
		failed += ktest_failures != 0;
		klog_always("%s %d %s.%s\n", ktest_failures ? "not ok" : "ok", ++number, t->suite,
			    t->name);
	}
	return failed;
}
