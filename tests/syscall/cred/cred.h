/*
 * Shared by the tests of credentials. Each test changes itself for good, so it runs in a child.
 */
#ifndef TESTS_SYSCALL_CRED_CRED_H
#define TESTS_SYSCALL_CRED_CRED_H

#include "tests/syscall/harness.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define USER  1000
#define OTHER 2000

/* The checks that failed in `body`, run in a process of its own. */
static inline void in_child(int (*body)(void))
{
	CHECK_EQ(child_status(body), 0);
}

/* Counts what does not hold, and says so on stderr: the harness's counts stay in the child. */
#define EXPECT(wrong, got, wanted)                                                                 \
	do {                                                                                       \
		long got_ = (long)(got), wanted_ = (long)(wanted);                                 \
                                                                                                   \
		if (got_ != wanted_) {                                                             \
			fprintf(stderr, "%s:%d: %s is %ld, not %ld\n", __FILE__, __LINE__, #got,   \
				got_, wanted_);                                                    \
			(wrong)++;                                                                 \
		}                                                                                  \
	} while (0)

struct caps {
	uint64_t effective, permitted, inheritable;
};

static inline struct caps get_caps(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];

	syscall(SYS_capget, &header, d);
	return (struct caps){d[0].effective | (uint64_t)d[1].effective << 32,
			     d[0].permitted | (uint64_t)d[1].permitted << 32,
			     d[0].inheritable | (uint64_t)d[1].inheritable << 32};
}

/* 0 or -errno. */
static inline long set_caps(struct caps c)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {
		{(uint32_t)c.effective, (uint32_t)c.permitted, (uint32_t)c.inheritable},
		{(uint32_t)(c.effective >> 32), (uint32_t)(c.permitted >> 32),
		 (uint32_t)(c.inheritable >> 32)},
	};

	return sys2(SYS_capset, &header, d);
}

#define CAP(name) (1UL << CAP_##name)
#define ALL_CAPS  ((1UL << 41) - 1)

#endif
