/*
 * /proc/<pid>/ns and setns(2): naming and entering the namespaces that one is in.
 */
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/syscall/harness.h"

static const struct {
	const char *name;
	int flag;
} kinds[] = {
	{"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC}, {"mnt", CLONE_NEWNS},
	{"net", CLONE_NEWNET},	     {"pid", CLONE_NEWPID}, {"time", 0x80 /* CLONE_NEWTIME */},
	{"user", CLONE_NEWUSER},     {"uts", CLONE_NEWUTS},
};

static int open_kind(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

TEST(links_tell_kind_and_number)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char path[64], text[64], wanted[64];
		struct stat st;
		long n;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i].name);
		CHECK_EQ(stat(path, &st), 0);
		CHECK(S_ISREG(st.st_mode));
		n = readlink(path, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		snprintf(wanted, sizeof(wanted), "%s:[%lu]", kinds[i].name, (long)st.st_ino);
		CHECK(strcmp(text, wanted) == 0);
	}
	CHECK_EQ(access("/proc/self/ns/pid_for_children", F_OK), 0);
	CHECK_EQ(access("/proc/thread-self/ns/mnt", F_OK), 0);
	CHECK_EQ(sys2(SYS_chdir, "/proc/self/ns/mnt", 0), -ENOTDIR);
}

TEST(processes_share_what_they_do_not_unshare)
{
	struct stat own, parent;
	pid_t child = fork();
	int status;

	if (child == 0) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/ns/net", getppid());
		_exit(stat(path, &parent) || stat("/proc/self/ns/net", &own) ||
		      own.st_ino != parent.st_ino || own.st_dev != parent.st_dev);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

TEST(files_tell_kind_and_owner)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int fd = open_kind(kinds[i].name), owner;
		uid_t uid = 7;
		char byte;

		CHECK(fd >= 0);
		CHECK_EQ(ioctl(fd, NS_GET_NSTYPE), kinds[i].flag);
		CHECK_EQ(sys3(SYS_read, fd, &byte, 1), -EINVAL);
		CHECK_EQ(sys3(SYS_ioctl, fd, 0xb77f, 0), -ENOTTY);
		if (kinds[i].flag == CLONE_NEWUSER) {
			CHECK_EQ(sys3(SYS_ioctl, fd, NS_GET_USERNS, 0), -EPERM);
			CHECK_EQ(sys3(SYS_ioctl, fd, NS_GET_OWNER_UID, &uid), 0);
			CHECK_EQ(uid, 0);
			CHECK_EQ(sys3(SYS_ioctl, fd, NS_GET_OWNER_UID, 8), -EFAULT);
		} else {
			owner = ioctl(fd, NS_GET_USERNS);
			CHECK_EQ(ioctl(owner, NS_GET_NSTYPE), CLONE_NEWUSER);
			CHECK_EQ(fcntl(owner, F_GETFD), FD_CLOEXEC);
			close(owner);
			CHECK_EQ(sys3(SYS_ioctl, fd, NS_GET_OWNER_UID, &uid), -EINVAL);
		}
		CHECK_EQ(sys3(SYS_ioctl, fd, NS_GET_PARENT, 0),
			 kinds[i].flag == CLONE_NEWUSER || kinds[i].flag == CLONE_NEWPID ? -EPERM
											 : -EINVAL);
		close(fd);
	}
}

TEST(own_namespaces_may_be_entered)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		int bad = 0;

		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			int fd = open_kind(kinds[i].name);
			long wanted = kinds[i].flag == CLONE_NEWUSER ? -EINVAL : 0;

			bad |= sys2(SYS_setns, fd, 0) != wanted;
			bad |= sys2(SYS_setns, fd, kinds[i].flag) != wanted;
			bad |= sys2(SYS_setns, fd, kinds[i].flag ^ 0x40000000 ^ 0x80) != -EINVAL;
			close(fd);
		}
		_exit(bad);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(sys2(SYS_setns, -1, 0), -EBADF);
	CHECK_EQ(sys2(SYS_setns, 0, 0), -EINVAL);
}

TEST(entering_mounts_leads_to_the_root)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		int fd = open_kind("mnt"), bad;
		char cwd[64];

		bad = chdir("/tmp") || setns(fd, CLONE_NEWNS) || !getcwd(cwd, sizeof(cwd)) ||
		      strcmp(cwd, "/") != 0;
		_exit(bad);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

TEST(all_of_a_process_may_be_entered_at_once)
{
	int pidfd = (int)sys2(SYS_pidfd_open, getpid(), 0), status;
	pid_t child = fork();

	if (child == 0)
		_exit(sys2(SYS_setns, pidfd, CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) ||
		      sys2(SYS_setns, pidfd, 0) != -EINVAL ||
		      sys2(SYS_setns, pidfd, CLONE_NEWUTS | CLONE_VM) != -EINVAL ||
		      sys2(SYS_setns, pidfd, CLONE_NEWUSER | CLONE_NEWUTS) != -EINVAL);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	close(pidfd);
}

TEST(only_the_privileged_enter)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		int uts = open_kind("uts"), mnt = open_kind("mnt");

		if (setresuid(1000, 1000, 1000))
			_exit(2);
		_exit(sys2(SYS_setns, uts, 0) != -EPERM || sys2(SYS_setns, mnt, 0) != -EPERM);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}
