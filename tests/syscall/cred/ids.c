/*
 * User and group ids: every rule of who may become whom, by the ids that are left.
 */
#include "tests/syscall/cred/cred.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* real, effective, saved, file system. */
struct ids {
	int id[4];
};

static struct ids read_ids(const char *key)
{
	struct ids ids = {{-1, -1, -1, -1}};
	char line[256];
	FILE *f = fopen("/proc/thread-self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, key, strlen(key)) == 0)
			sscanf(line + strlen(key), "%d %d %d %d", &ids.id[0], &ids.id[1],
			       &ids.id[2], &ids.id[3]);
	if (f)
		fclose(f);
	return ids;
}

struct id_case {
	const char *name;
	long nr;
	int from[3];
	int args[3];
	int error;
	int to[4];
};

static const struct id_case user_cases[] = {
	{"setuid, root", SYS_setuid, {0, 0, 0}, {5}, 0, {5, 5, 5, 5}},
	{"setuid, effective root", SYS_setuid, {7, 0, 8}, {5}, 0, {5, 5, 5, 5}},
	{"setuid, to real", SYS_setuid, {5, 6, 7}, {5}, 0, {5, 5, 7, 5}},
	{"setuid, to saved", SYS_setuid, {5, 6, 7}, {7}, 0, {5, 7, 7, 7}},
	{"setuid, to effective", SYS_setuid, {5, 6, 7}, {6}, EPERM, {5, 6, 7, 6}},
	{"setuid, none", SYS_setuid, {0, 0, 0}, {-1}, EINVAL, {0, 0, 0, 0}},
	{"setreuid, swap", SYS_setreuid, {5, 6, 6}, {6, 5}, 0, {6, 5, 5, 5}},
	{"setreuid, real alone", SYS_setreuid, {5, 6, 7}, {6, -1}, 0, {6, 6, 6, 6}},
	{"setreuid, real to saved", SYS_setreuid, {5, 6, 7}, {7, -1}, EPERM, {5, 6, 7, 6}},
	{"setreuid, effective to real", SYS_setreuid, {5, 6, 7}, {-1, 5}, 0, {5, 5, 7, 5}},
	{"setreuid, effective to saved", SYS_setreuid, {5, 6, 7}, {-1, 7}, 0, {5, 7, 7, 7}},
	{"setreuid, other", SYS_setreuid, {5, 6, 7}, {-1, 9}, EPERM, {5, 6, 7, 6}},
	{"setreuid, nothing", SYS_setreuid, {5, 6, 7}, {-1, -1}, 0, {5, 6, 7, 6}},
	{"setreuid, root", SYS_setreuid, {0, 0, 0}, {3, 4}, 0, {3, 4, 4, 4}},
	{"setresuid, rotate", SYS_setresuid, {5, 6, 7}, {7, 5, 6}, 0, {7, 5, 6, 5}},
	{"setresuid, other", SYS_setresuid, {5, 6, 7}, {-1, -1, 9}, EPERM, {5, 6, 7, 6}},
	{"setresuid, root", SYS_setresuid, {0, 0, 0}, {1, 2, 3}, 0, {1, 2, 3, 2}},
	{"setresuid, saved alone", SYS_setresuid, {5, 6, 7}, {-1, -1, 5}, 0, {5, 6, 5, 6}},
	{"setfsuid, root", SYS_setfsuid, {0, 0, 0}, {9}, 0, {0, 0, 0, 9}},
	{"setfsuid, to saved", SYS_setfsuid, {5, 6, 7}, {7}, 0, {5, 6, 7, 7}},
	{"setfsuid, other", SYS_setfsuid, {5, 6, 7}, {9}, 0, {5, 6, 7, 6}},
	{"setfsuid, none", SYS_setfsuid, {0, 0, 0}, {-1}, 0, {0, 0, 0, 0}},
};

static const struct id_case *current_case;

static int run_user_case(void)
{
	const struct id_case *c = current_case;
	struct ids now;
	int wrong = 0, old = c->from[1];
	long ret;

	EXPECT(wrong, sys3(SYS_setresuid, c->from[0], c->from[1], c->from[2]), 0);
	ret = sys3(c->nr, c->args[0], c->args[1], c->args[2]);
	EXPECT(wrong, ret, c->nr == SYS_setfsuid ? old : -c->error);
	now = read_ids("Uid:");
	for (int i = 0; i < 4; i++)
		EXPECT(wrong, now.id[i], c->to[i]);
	return wrong;
}

TEST(user_ids_follow_the_rules)
{
	for (size_t i = 0; i < ARRAY_SIZE(user_cases); i++) {
		current_case = &user_cases[i];
		in_child(run_user_case);
	}
}

/* The group call of a user call, and without CAP_SETGID what a user without root may do. */
static long group_call(long nr)
{
	switch (nr) {
	case SYS_setuid:
		return SYS_setgid;
	case SYS_setreuid:
		return SYS_setregid;
	case SYS_setresuid:
		return SYS_setresgid;
	default:
		return SYS_setfsgid;
	}
}

static int run_group_case(void)
{
	const struct id_case *c = current_case;
	bool root = !c->from[0] || !c->from[1] || !c->from[2];
	struct caps caps = get_caps();
	struct ids now;
	int wrong = 0;
	long ret;

	EXPECT(wrong, sys3(SYS_setresgid, c->from[0], c->from[1], c->from[2]), 0);
	if (!root)
		caps.effective &= ~CAP(SETGID);
	EXPECT(wrong, set_caps(caps), 0);
	ret = sys3(group_call(c->nr), c->args[0], c->args[1], c->args[2]);
	EXPECT(wrong, ret, c->nr == SYS_setfsuid ? c->from[1] : -c->error);
	now = read_ids("Gid:");
	for (int i = 0; i < 4; i++)
		EXPECT(wrong, now.id[i], c->to[i]);
	return wrong;
}

TEST(group_ids_follow_the_rules)
{
	for (size_t i = 0; i < ARRAY_SIZE(user_cases); i++) {
		current_case = &user_cases[i];
		in_child(run_group_case);
	}
}

static int groups_body(void)
{
	gid_t set[] = {30, 10, 20, 10}, got[8];
	static gid_t many[65537];
	int wrong = 0;

	EXPECT(wrong, setgroups(4, set), 0);
	EXPECT(wrong, getgroups(0, NULL), 4);
	EXPECT(wrong, getgroups(8, got), 4);
	EXPECT(wrong, got[0] == 10 && got[1] == 10 && got[2] == 20 && got[3] == 30, 1);
	EXPECT(wrong, sys2(SYS_getgroups, 3, got), -EINVAL);
	EXPECT(wrong, sys2(SYS_getgroups, -1, got), -EINVAL);
	EXPECT(wrong, sys2(SYS_getgroups, 8, 8), -EFAULT);
	EXPECT(wrong, sys2(SYS_setgroups, 65537, many), -EINVAL);
	EXPECT(wrong, sys2(SYS_setgroups, -1, many), -EINVAL);
	EXPECT(wrong, sys2(SYS_setgroups, 1, 8), -EFAULT);
	EXPECT(wrong, sys2(SYS_setgroups, 65536, many), 0);
	EXPECT(wrong, getgroups(0, NULL), 65536);
	many[1] = (gid_t)-1;
	EXPECT(wrong, sys2(SYS_setgroups, 2, many), -EINVAL);
	EXPECT(wrong, setgroups(0, NULL), 0);
	EXPECT(wrong, getgroups(8, got), 0);
	EXPECT(wrong, setuid(USER), 0);
	EXPECT(wrong, sys2(SYS_setgroups, 0, NULL), -EPERM);
	return wrong;
}

TEST(groups_are_set_and_read)
{
	in_child(groups_body);
}

/* A file of group 20 that the group may read. */
static int group_access_body(void)
{
	gid_t groups[] = {10, 20};
	int fd = open("/tmp/cred_group", O_CREAT | O_RDWR | O_TRUNC, 0640);
	int wrong = 0;

	EXPECT(wrong, fchown(fd, 0, 20), 0);
	close(fd);
	if (fork() == 0) {
		setgroups(2, groups);
		setgid(USER);
		setuid(USER);
		_exit(open("/tmp/cred_group", O_RDONLY) >= 0 ? 0 : errno);
	}
	EXPECT(wrong, (wait(&fd), WEXITSTATUS(fd)), 0);
	if (fork() == 0) {
		setgroups(1, groups);
		setgid(USER);
		setuid(USER);
		_exit(open("/tmp/cred_group", O_RDONLY) >= 0 ? 0 : errno);
	}
	EXPECT(wrong, (wait(&fd), WEXITSTATUS(fd)), EACCES);
	unlink("/tmp/cred_group");
	return wrong;
}

TEST(supplementary_groups_open_files)
{
	in_child(group_access_body);
}

/* kill() from USER to a process whose real and saved ids are given. */
static long kill_from_user(uid_t real, uid_t saved, int sig)
{
	int ready[2], status;
	pid_t target;
	long ret;

	if (pipe(ready))
		return -1;
	target = fork();
	if (target == 0) {
		setresuid(real, OTHER, saved);
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	(void)!read(ready[0], &status, 1);
	if (fork() == 0) {
		setresuid(USER, USER, USER);
		ret = sys2(SYS_kill, target, sig);
		_exit((int)-ret);
	}
	wait(&status);
	kill(target, SIGKILL);
	wait(NULL);
	close(ready[0]);
	close(ready[1]);
	return WEXITSTATUS(status);
}

TEST(signals_need_a_common_id)
{
	CHECK_EQ(kill_from_user(USER, OTHER, 0), 0);
	CHECK_EQ(kill_from_user(OTHER, USER, 0), 0);
	CHECK_EQ(kill_from_user(OTHER, OTHER, 0), EPERM);
	CHECK_EQ(kill_from_user(OTHER, OTHER, SIGTERM), EPERM);
	/* Same session. */
	CHECK_EQ(kill_from_user(OTHER, OTHER, SIGCONT), 0);
}

static void *change_id(void *arg)
{
	(void)arg;
	sys3(SYS_setresuid, OTHER, OTHER, OTHER);
	return (void *)(long)read_ids("Uid:").id[0];
}

static int thread_ids_body(void)
{
	pthread_t thread;
	void *seen;
	int wrong = 0;

	pthread_create(&thread, NULL, change_id, NULL);
	pthread_join(thread, &seen);
	EXPECT(wrong, seen, OTHER);
	EXPECT(wrong, sys0(SYS_getuid), 0);
	EXPECT(wrong, read_ids("Uid:").id[0], 0);
	return wrong;
}

TEST(ids_belong_to_threads)
{
	in_child(thread_ids_body);
}

static void *wait_forever(void *arg)
{
	pthread_barrier_wait(arg);
	pause();
	return NULL;
}

/* The C library takes all threads along. */
static int library_body(void)
{
	pthread_barrier_t barrier;
	pthread_t thread;
	int wrong = 0;
	char path[64], line[256];
	FILE *f;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, wait_forever, &barrier);
	pthread_barrier_wait(&barrier);
	EXPECT(wrong, setuid(USER), 0);
	/* Its number is the next one or later; look at all. */
	for (int tid = getpid(); tid < getpid() + 100; tid++) {
		int uid = USER;

		snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f))
			sscanf(line, "Uid: %d", &uid);
		if (f)
			fclose(f);
		EXPECT(wrong, uid, USER);
	}
	return wrong;
}

TEST(the_library_changes_all_threads)
{
	in_child(library_body);
}

static int limit_body(void)
{
	struct rlimit limit = {10, 20}, more = {10, 30};
	int status, wrong = 0;
	pid_t target;

	EXPECT(wrong, setrlimit(RLIMIT_NOFILE, &limit), 0);
	target = fork();
	if (target == 0)
		for (;;)
			pause();
	if (fork() == 0) {
		setresuid(USER, USER, USER);
		_exit(prlimit(target, RLIMIT_NOFILE, NULL, &more) ? errno : 0);
	}
	wait(&status);
	EXPECT(wrong, WEXITSTATUS(status), EPERM);
	EXPECT(wrong, prlimit(target, RLIMIT_NOFILE, &more, NULL), 0);
	kill(target, SIGKILL);
	wait(NULL);
	EXPECT(wrong, setuid(USER), 0);
	EXPECT(wrong, setrlimit(RLIMIT_NOFILE, &more) ? errno : 0, EPERM);
	return wrong;
}

TEST(limits_need_rights_too)
{
	in_child(limit_body);
}
