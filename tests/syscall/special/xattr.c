/*
 * Extended attributes on tmpfs: set, get, list, remove; flags, sizes, kinds of names.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "tests/syscall/harness.h"

#define NAME "/tmp/special-xattr"

TEST(xattrs_are_kept)
{
	char buf[64] = "";
	int fd;

	close(open(NAME, O_CREAT | O_RDWR, 0600));
	CHECK_EQ(setxattr(NAME, "user.one", "value", 5, 0), 0);
	CHECK_EQ(getxattr(NAME, "user.one", NULL, 0), 5);
	CHECK_EQ(getxattr(NAME, "user.one", buf, sizeof(buf)), 5);
	CHECK_EQ(strcmp(buf, "value"), 0);
	CHECK_EQ(sys4(SYS_getxattr, NAME, "user.one", buf, 3), -ERANGE);
	CHECK_EQ(sys4(SYS_getxattr, NAME, "user.two", buf, 3), -ENODATA);
	CHECK_EQ(setxattr(NAME, "user.one", "new", 3, XATTR_REPLACE), 0);
	CHECK_EQ(sys5(SYS_setxattr, NAME, "user.one", "x", 1, XATTR_CREATE), -EEXIST);
	CHECK_EQ(sys5(SYS_setxattr, NAME, "user.two", "x", 1, XATTR_REPLACE), -ENODATA);
	CHECK_EQ(sys5(SYS_setxattr, NAME, "user.two", "x", 1, 8), -EINVAL);
	fd = open(NAME, O_RDWR);
	CHECK_EQ(fgetxattr(fd, "user.one", buf, sizeof(buf)), 3);
	CHECK_EQ(fsetxattr(fd, "trusted.t", "", 0, 0), 0);
	CHECK_EQ(flistxattr(fd, NULL, 0), 19);
	CHECK_EQ(sys3(SYS_flistxattr, fd, buf, 5), -ERANGE);
	CHECK_EQ(flistxattr(fd, buf, sizeof(buf)), 19);
	CHECK_EQ(fremovexattr(fd, "trusted.t"), 0);
	CHECK_EQ(sys2(SYS_fremovexattr, fd, "trusted.t"), -ENODATA);
	CHECK_EQ(listxattr(NAME, buf, sizeof(buf)), 9);
	CHECK_EQ(strcmp(buf, "user.one"), 0);
	close(fd);
	unlink(NAME);
}

TEST(xattr_errors)
{
	static char big[70000];
	char name[300];

	close(open(NAME, O_CREAT | O_RDWR, 0600));
	memset(name, 'n', sizeof(name));
	memcpy(name, "user.", 5);
	name[256] = '\0';
	CHECK_EQ(sys5(SYS_setxattr, NAME, name, "x", 1, 0), -ERANGE);
	CHECK_EQ(sys5(SYS_setxattr, NAME, "", "x", 1, 0), -ERANGE);
	CHECK_EQ(sys5(SYS_setxattr, NAME, "other.x", "x", 1, 0), -EOPNOTSUPP);
	CHECK_EQ(sys5(SYS_setxattr, NAME, "user.big", big, sizeof(big), 0), -E2BIG);
	CHECK_EQ(sys5(SYS_setxattr, NAME, "user.x", page_unmapped(), 10, 0), -EFAULT);
	CHECK_EQ(sys4(SYS_getxattr, NAME "none", "user.x", big, 10), -ENOENT);
	CHECK_EQ(sys4(SYS_fgetxattr, -1, "user.x", big, 10), -EBADF);
	unlink(NAME);
	CHECK_EQ(symlink("nowhere", NAME), 0);
	CHECK_EQ(sys5(SYS_lsetxattr, NAME, "user.x", "x", 1, 0), -EPERM);
	CHECK_EQ(sys4(SYS_lgetxattr, NAME, "user.x", big, 10), -ENODATA);
	unlink(NAME);
}
