/*
 * Capability sets: what root's ids give and take, capset's rules, the bounding and ambient sets.
 */
#include "tests/syscall/cred/cred.h"

#include <linux/securebits.h>
#include <sys/fsuid.h>

static int sets_body(void)
{
	struct caps all = get_caps(), c;
	int wrong = 0;

	EXPECT(wrong, all.effective, ALL_CAPS);
	EXPECT(wrong, all.permitted, ALL_CAPS);
	EXPECT(wrong, all.inheritable, 0);
	c = all;
	c.effective = CAP(KILL);
	EXPECT(wrong, set_caps(c), 0);
	EXPECT(wrong, get_caps().effective, CAP(KILL));
	EXPECT(wrong, set_caps(all), 0);
	c.permitted = CAP(KILL) | CAP(CHOWN);
	c.effective = CAP(KILL) | CAP(SETUID);
	EXPECT(wrong, set_caps(c), -EPERM);
	c.effective = CAP(KILL);
	EXPECT(wrong, set_caps(c), 0);
	EXPECT(wrong, set_caps(all), -EPERM);
	/* Without CAP_SETPCAP only permitted ones become inheritable. */
	c.inheritable = CAP(SETUID);
	EXPECT(wrong, set_caps(c), -EPERM);
	c.inheritable = CAP(CHOWN);
	EXPECT(wrong, set_caps(c), 0);
	return wrong;
}

TEST(sets_shrink_only)
{
	in_child(sets_body);
}

static int leave_root_body(void)
{
	int wrong = 0;

	EXPECT(wrong, seteuid(USER), 0);
	EXPECT(wrong, get_caps().effective, 0);
	EXPECT(wrong, get_caps().permitted, ALL_CAPS);
	EXPECT(wrong, seteuid(0), 0);
	EXPECT(wrong, get_caps().effective, ALL_CAPS);
	setfsuid(USER);
	EXPECT(wrong, !!(get_caps().effective & CAP(CHOWN)), 0);
	EXPECT(wrong, !!(get_caps().effective & CAP(KILL)), 1);
	setfsuid(0);
	EXPECT(wrong, get_caps().effective, ALL_CAPS);
	EXPECT(wrong, setuid(USER), 0);
	EXPECT(wrong, get_caps().effective, 0);
	EXPECT(wrong, get_caps().permitted, 0);
	EXPECT(wrong, sys1(SYS_setuid, 0), -EPERM);
	return wrong;
}

TEST(capabilities_follow_ids)
{
	in_child(leave_root_body);
}

static int keep_body(void)
{
	int wrong = 0;

	EXPECT(wrong, prctl(PR_SET_KEEPCAPS, 1), 0);
	EXPECT(wrong, prctl(PR_GET_KEEPCAPS), 1);
	EXPECT(wrong, prctl(PR_GET_SECUREBITS), SECBIT_KEEP_CAPS);
	EXPECT(wrong, setuid(USER), 0);
	EXPECT(wrong, get_caps().effective, 0);
	EXPECT(wrong, get_caps().permitted, ALL_CAPS);
	return wrong;
}

TEST(kept_capabilities_survive_setuid)
{
	in_child(keep_body);
}

static int secure_bits_body(void)
{
	int wrong = 0;

	EXPECT(wrong, sys2(SYS_prctl, PR_SET_SECUREBITS, 0x100), -EPERM);
	EXPECT(wrong, prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS_LOCKED), 0);
	EXPECT(wrong, sys2(SYS_prctl, PR_SET_KEEPCAPS, 1), -EPERM);
	EXPECT(wrong, sys2(SYS_prctl, PR_SET_SECUREBITS, 0), -EPERM);
	EXPECT(wrong, setuid(USER), 0);
	EXPECT(wrong, get_caps().effective, ALL_CAPS);
	return wrong;
}

TEST(secure_bits_lock)
{
	in_child(secure_bits_body);
}

static int bounding_body(void)
{
	struct caps c = get_caps();
	int wrong = 0;

	EXPECT(wrong, prctl(PR_CAPBSET_READ, CAP_KILL), 1);
	EXPECT(wrong, sys2(SYS_prctl, PR_CAPBSET_READ, 41), -EINVAL);
	EXPECT(wrong, sys2(SYS_prctl, PR_CAPBSET_DROP, 41), -EINVAL);
	EXPECT(wrong, prctl(PR_CAPBSET_DROP, CAP_KILL), 0);
	EXPECT(wrong, prctl(PR_CAPBSET_READ, CAP_KILL), 0);
	c.inheritable = CAP(KILL);
	EXPECT(wrong, set_caps(c), -EPERM);
	EXPECT(wrong, setuid(USER), 0);
	EXPECT(wrong, sys2(SYS_prctl, PR_CAPBSET_DROP, CAP_CHOWN), -EPERM);
	return wrong;
}

TEST(the_bounding_set_bounds)
{
	in_child(bounding_body);
}

static long ambient(int how, long cap)
{
	return sys5(SYS_prctl, PR_CAP_AMBIENT, how, cap, 0, 0);
}

static int ambient_body(void)
{
	struct caps c = get_caps();
	int wrong = 0;

	EXPECT(wrong, ambient(PR_CAP_AMBIENT_IS_SET, CAP_KILL), 0);
	EXPECT(wrong, ambient(PR_CAP_AMBIENT_RAISE, CAP_KILL), -EPERM);
	c.inheritable = CAP(KILL);
	EXPECT(wrong, set_caps(c), 0);
	EXPECT(wrong, ambient(PR_CAP_AMBIENT_RAISE, CAP_KILL), 0);
	EXPECT(wrong, ambient(PR_CAP_AMBIENT_IS_SET, CAP_KILL), 1);
	EXPECT(wrong, ambient(PR_CAP_AMBIENT_LOWER, CAP_KILL), 0);
	EXPECT(wrong, ambient(PR_CAP_AMBIENT_IS_SET, CAP_KILL), 0);
	EXPECT(wrong, ambient(PR_CAP_AMBIENT_RAISE, CAP_KILL), 0);
	EXPECT(wrong, ambient(PR_CAP_AMBIENT_CLEAR_ALL, 1), -EINVAL);
	EXPECT(wrong, ambient(PR_CAP_AMBIENT_CLEAR_ALL, 0), 0);
	EXPECT(wrong, ambient(PR_CAP_AMBIENT_IS_SET, CAP_KILL), 0);
	EXPECT(wrong, ambient(9, CAP_KILL), -EINVAL);
	EXPECT(wrong, ambient(PR_CAP_AMBIENT_RAISE, 41), -EINVAL);
	/* Taking a permitted capability away takes it out of the ambient set too. */
	EXPECT(wrong, ambient(PR_CAP_AMBIENT_RAISE, CAP_KILL), 0);
	c.inheritable = 0;
	EXPECT(wrong, set_caps(c), 0);
	EXPECT(wrong, ambient(PR_CAP_AMBIENT_IS_SET, CAP_KILL), 0);
	return wrong;
}

TEST(the_ambient_set)
{
	in_child(ambient_body);
}

TEST(capability_calls_check_their_arguments)
{
	struct __user_cap_header_struct v3 = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_header_struct negative = {_LINUX_CAPABILITY_VERSION_3, -1};
	struct __user_cap_header_struct nobody = {_LINUX_CAPABILITY_VERSION_3, 4000000};
	struct __user_cap_header_struct old = {_LINUX_CAPABILITY_VERSION_1, 0};
	struct __user_cap_header_struct unknown = {0, 0}, unknown2 = {0, 0};
	struct __user_cap_data_struct data[2];
	struct errno_case cases[] = {
		{"no header", SYS_capget, {0, (long)data}, EFAULT},
		{"no data", SYS_capget, {(long)&v3, 0}, 0},
		{"bad data", SYS_capget, {(long)&v3, 8}, EFAULT},
		{"unknown version", SYS_capget, {(long)&unknown, (long)data}, EINVAL},
		{"query", SYS_capget, {(long)&unknown2, 0}, 0},
		{"old version", SYS_capget, {(long)&old, (long)data}, 0},
		{"negative", SYS_capget, {(long)&negative, (long)data}, EINVAL},
		{"nobody", SYS_capget, {(long)&nobody, (long)data}, ESRCH},
		{"set, no data", SYS_capset, {(long)&v3, 0}, EFAULT},
		{"set, other", SYS_capset, {(long)&nobody, (long)data}, EPERM},
		{"set, negative", SYS_capset, {(long)&negative, (long)data}, EPERM},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	CHECK_EQ(unknown.version, _LINUX_CAPABILITY_VERSION_3);
}
