/*
 * access(2) asks for the real ids, with AT_EACCESS for the effective ones; open always goes by the latter.
 */
#include "tests/syscall/cred/cred.h"

#include <fcntl.h>
#include <sys/stat.h>

#define DIR_PATH "/tmp/access"
#define FILE_OF	 DIR_PATH "/file"

static void make_file(uid_t owner, gid_t group, mode_t mode)
{
	int fd;

	mkdir("/tmp", 0777);
	mkdir(DIR_PATH, 0755);
	chmod(DIR_PATH, 0755);
	unlink(FILE_OF);
	fd = open(FILE_OF, O_CREAT | O_RDWR, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(fchown(fd, owner, group), 0);
	CHECK_EQ(fchmod(fd, mode), 0);
	close(fd);
}

static long real_access(int mode)
{
	return sys3(SYS_faccessat, AT_FDCWD, FILE_OF, mode);
}

static long effective_access(int mode)
{
	return sys4(SYS_faccessat2, AT_FDCWD, FILE_OF, mode, AT_EACCESS);
}

/* As a set-uid program: the file is the effective user's. */
static int real_user(void)
{
	int wrong = 0;

	make_file(OTHER, OTHER, 0600);
	sys3(SYS_setresuid, USER, OTHER, OTHER);
	EXPECT(wrong, real_access(F_OK), 0);
	EXPECT(wrong, real_access(R_OK), -EACCES);
	EXPECT(wrong, sys4(SYS_faccessat2, AT_FDCWD, FILE_OF, W_OK, 0), -EACCES);
	EXPECT(wrong, effective_access(R_OK | W_OK), 0);
	EXPECT(wrong, effective_access(X_OK), -EACCES);
	EXPECT(wrong, open(FILE_OF, O_RDWR) >= 0, 1);
	return wrong;
}

TEST(access_is_by_the_real_user)
{
	in_child(real_user);
}

static int real_group(void)
{
	int wrong = 0;

	make_file(0, OTHER, 0640);
	sys2(SYS_setgroups, 0, 0);
	sys3(SYS_setresgid, USER, OTHER, OTHER);
	sys3(SYS_setresuid, USER, USER, USER);
	EXPECT(wrong, real_access(R_OK), -EACCES);
	EXPECT(wrong, effective_access(R_OK), 0);
	sys3(SYS_setresgid, OTHER, USER, USER);
	EXPECT(wrong, real_access(R_OK), 0);
	EXPECT(wrong, effective_access(R_OK), -EACCES);
	return wrong;
}

TEST(access_is_by_the_real_group)
{
	in_child(real_group);
}

static int supplementary(void)
{
	gid_t groups[] = {7, OTHER};
	int wrong = 0;

	make_file(0, OTHER, 0640);
	EXPECT(wrong, sys2(SYS_setgroups, 2, groups), 0);
	sys3(SYS_setresgid, USER, USER, USER);
	sys3(SYS_setresuid, USER, USER, USER);
	EXPECT(wrong, real_access(R_OK), 0);
	EXPECT(wrong, effective_access(R_OK), 0);
	EXPECT(wrong, real_access(W_OK), -EACCES);
	return wrong;
}

TEST(supplementary_groups_count_for_both)
{
	in_child(supplementary);
}

/* Root in effect only: its capabilities do not count. */
static int effective_root(void)
{
	int wrong = 0;

	make_file(0, 0, 0600);
	sys3(SYS_setresuid, USER, 0, 0);
	EXPECT(wrong, real_access(R_OK), -EACCES);
	EXPECT(wrong, effective_access(R_OK | W_OK), 0);
	return wrong;
}

TEST(capabilities_of_an_effective_root_do_not_count)
{
	in_child(effective_root);
}

/* Root in reality: those that it is permitted do. */
static int real_root(void)
{
	int wrong = 0;

	make_file(OTHER, OTHER, 0600);
	sys3(SYS_setresuid, 0, USER, 0);
	EXPECT(wrong, real_access(R_OK | W_OK), 0);
	EXPECT(wrong, real_access(X_OK), -EACCES);
	EXPECT(wrong, effective_access(R_OK), -EACCES);
	return wrong;
}

TEST(capabilities_of_a_real_root_count)
{
	in_child(real_root);
}

static int no_fixup(void)
{
	int wrong = 0;

	make_file(OTHER, OTHER, 0600);
	EXPECT(wrong, prctl(PR_SET_SECUREBITS, 4 /* SECBIT_NO_SETUID_FIXUP */), 0);
	sys3(SYS_setresuid, USER, USER, USER);
	EXPECT(wrong, real_access(R_OK), 0);
	EXPECT(wrong, effective_access(R_OK), 0);
	return wrong;
}

TEST(capabilities_count_alike_where_ids_do_not_change_them)
{
	in_child(no_fixup);
}

/* The way to the file is asked for by the same ids. */
static int directories(void)
{
	int wrong = 0;

	make_file(OTHER, OTHER, 0644);
	EXPECT(wrong, chown(DIR_PATH, OTHER, OTHER), 0);
	EXPECT(wrong, chmod(DIR_PATH, 0700), 0);
	sys3(SYS_setresuid, USER, OTHER, OTHER);
	EXPECT(wrong, real_access(F_OK), -EACCES);
	EXPECT(wrong, effective_access(F_OK), 0);
	return wrong;
}

TEST(directories_on_the_way_are_by_the_same_ids)
{
	in_child(directories);
}
