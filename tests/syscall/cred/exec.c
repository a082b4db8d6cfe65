/*
 * Programs with set-id bits: this program copies itself, and the copy tells what it found.
 */
#include "tests/syscall/cred/cred.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define COPY "/tmp/cred_copy"

struct report {
	int uid, euid, suid, gid, egid, sgid, secure, dumpable;
	uint64_t effective, permitted, inheritable;
};

/* Runs before main: the copy was given a descriptor to report to. */
__attribute__((constructor)) static void tell(int argc, char **argv)
{
	struct report r = {.secure = (int)getauxval(AT_SECURE)};
	struct caps caps;

	if (argc != 2 || strcmp(argv[0], "tell") != 0)
		return;
	getresuid((uid_t *)&r.uid, (uid_t *)&r.euid, (uid_t *)&r.suid);
	getresgid((gid_t *)&r.gid, (gid_t *)&r.egid, (gid_t *)&r.sgid);
	r.dumpable = prctl(PR_GET_DUMPABLE);
	caps = get_caps();
	r.effective = caps.effective;
	r.permitted = caps.permitted;
	r.inheritable = caps.inheritable;
	(void)!write(atoi(argv[1]), &r, sizeof(r));
	_exit(0);
}

static bool make_copy(uid_t uid, gid_t gid, mode_t mode)
{
	int in = open("/proc/self/exe", O_RDONLY), out;
	static char buf[65536];
	ssize_t n;

	unlink(COPY);
	out = open(COPY, O_CREAT | O_WRONLY | O_TRUNC, 0700);
	if (in < 0 || out < 0)
		return false;
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			return false;
	close(in);
	close(out);
	return chown(COPY, uid, gid) == 0 && chmod(COPY, mode) == 0;
}

/* What the copy finds when `before` has run first. */
static struct report run_copy(void (*before)(void))
{
	struct report r = {.uid = -1};
	int pipes[2];
	char number[16];

	if (pipe(pipes))
		return r;
	if (fork() == 0) {
		before();
		snprintf(number, sizeof(number), "%d", pipes[1]);
		execl(COPY, "tell", number, NULL);
		_exit(1);
	}
	close(pipes[1]);
	if (read(pipes[0], &r, sizeof(r)) != sizeof(r))
		r.uid = -1;
	close(pipes[0]);
	wait(NULL);
	return r;
}

static void become_user(void)
{
	setgroups(0, NULL);
	setresgid(USER, USER, USER);
	setresuid(USER, USER, USER);
}

static void become_user_without_privileges(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	become_user();
}

static void stay_root(void)
{
}

static void effective_user(void)
{
	setresuid(0, USER, USER);
}

static void ambient_user(void)
{
	struct caps c = get_caps();

	c.inheritable = CAP(KILL);
	set_caps(c);
	prctl(PR_SET_KEEPCAPS, 1);
	become_user();
	c.permitted = c.effective = CAP(KILL);
	set_caps(c);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0);
}

static void bounded_root(void)
{
	prctl(PR_CAPBSET_DROP, CAP_KILL);
}

TEST(set_user_id_on_a_nosuid_mount)
{
	struct report r;

	CHECK_EQ(mount("nosuid", "/tmp", "tmpfs", MS_NOSUID, ""), 0);
	CHECK(make_copy(0, 0, 06755));
	r = run_copy(become_user);
	CHECK_EQ(r.euid, USER);
	CHECK_EQ(r.egid, USER);
	CHECK_EQ(r.secure, 0);
	CHECK_EQ(umount("/tmp"), 0);
}

TEST(set_user_id_programs)
{
	struct report r;

	CHECK(make_copy(0, 0, 04755));
	r = run_copy(become_user);
	CHECK_EQ(r.uid, USER);
	CHECK_EQ(r.euid, 0);
	CHECK_EQ(r.suid, 0);
	CHECK_EQ(r.egid, USER);
	CHECK_EQ(r.secure, 1);
	CHECK_EQ(r.dumpable, 0);
	CHECK_EQ(r.effective, ALL_CAPS);
	r = run_copy(become_user_without_privileges);
	CHECK_EQ(r.uid, USER);
	CHECK_EQ(r.euid, USER);
	CHECK_EQ(r.secure, 0);
	CHECK_EQ(r.dumpable, 1);
	CHECK_EQ(r.effective, 0);
	CHECK(make_copy(OTHER, 0, 04755));
	r = run_copy(become_user);
	CHECK_EQ(r.euid, OTHER);
	CHECK_EQ(r.suid, OTHER);
	CHECK_EQ(r.effective, 0);
	r = run_copy(stay_root);
	CHECK_EQ(r.uid, 0);
	CHECK_EQ(r.euid, OTHER);
	CHECK_EQ(r.effective, 0);
	CHECK_EQ(r.permitted, ALL_CAPS);
	CHECK_EQ(r.secure, 1);
	unlink(COPY);
}

TEST(set_group_id_programs)
{
	struct report r;

	CHECK(make_copy(0, OTHER, 02755));
	r = run_copy(become_user);
	CHECK_EQ(r.gid, USER);
	CHECK_EQ(r.egid, OTHER);
	CHECK_EQ(r.sgid, OTHER);
	CHECK_EQ(r.euid, USER);
	CHECK_EQ(r.secure, 1);
	CHECK_EQ(r.dumpable, 0);
	CHECK(make_copy(0, OTHER, 02745));
	r = run_copy(become_user);
	CHECK_EQ(r.egid, USER);
	CHECK_EQ(r.secure, 0);
	unlink(COPY);
}

TEST(plain_programs)
{
	struct report r;

	CHECK(make_copy(0, 0, 0755));
	r = run_copy(become_user);
	CHECK_EQ(r.euid, USER);
	CHECK_EQ(r.permitted, 0);
	CHECK_EQ(r.secure, 0);
	CHECK_EQ(r.dumpable, 1);
	r = run_copy(effective_user);
	CHECK_EQ(r.uid, 0);
	CHECK_EQ(r.euid, USER);
	CHECK_EQ(r.suid, USER);
	CHECK_EQ(r.effective, 0);
	CHECK_EQ(r.permitted, ALL_CAPS);
	CHECK_EQ(r.secure, 1);
	r = run_copy(ambient_user);
	CHECK_EQ(r.uid, USER);
	CHECK_EQ(r.effective, CAP(KILL));
	CHECK_EQ(r.permitted, CAP(KILL));
	CHECK_EQ(r.secure, 0);
	r = run_copy(bounded_root);
	CHECK_EQ(r.effective, ALL_CAPS & ~CAP(KILL));
	unlink(COPY);
}

#define SHARED "/tmp/cred_shared"

static unsigned mode_after(const char *what)
{
	struct stat st;
	int fd;

	CHECK_EQ(stat(SHARED, &st), 0);
	if (strcmp(what, "truncate") == 0) {
		CHECK_EQ(truncate(SHARED, 1), 0);
	} else {
		fd = open(SHARED, O_WRONLY);
		CHECK_EQ(write(fd, "x", 1), 1);
		close(fd);
	}
	CHECK_EQ(stat(SHARED, &st), 0);
	return st.st_mode & 07777;
}

static const char *changed_by;
static unsigned mode_wanted;

static int change_as_user(void)
{
	CHECK_EQ(setresuid(4000, 4000, 4000), 0);
	CHECK_EQ(mode_after(changed_by), mode_wanted);
	return 0;
}

TEST(changes_by_others_take_set_id_bits)
{
	static const struct {
		const char *by;
		unsigned before, wanted;
	} cases[] = {
		{"write", 06777, 0777},
		{"write", 04777, 0777},
		{"write", 02767, 02767},
		{"truncate", 06777, 0777},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK_EQ(close(open(SHARED, O_CREAT | O_RDWR, 0600)), 0);
		mode_wanted = cases[i].wanted;
		changed_by = cases[i].by;
		CHECK_EQ(chmod(SHARED, cases[i].before), 0);
		CHECK_EQ(mode_after(changed_by), cases[i].before);
		CHECK_EQ(child_status(change_as_user), 0);
		CHECK_EQ(unlink(SHARED), 0);
	}
}
