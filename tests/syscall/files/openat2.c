/*
 * openat2: where a name may not lead.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "tests/syscall/harness.h"

#define DIR_PATH "/tmp/openat2"

enum { NO_XDEV = 1, NO_MAGICLINKS = 2, NO_SYMLINKS = 4, BENEATH = 8, IN_ROOT = 16, CACHED = 32 };

struct how {
	uint64_t flags, mode, resolve, more;
};

static int base = -1;

static long open_how(int dir, const char *name, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct how how = {flags, mode, resolve, 0};

	return sys4(SYS_openat2, dir, name, &how, 24);
}

static long resolve(const char *name, uint64_t how)
{
	long fd = open_how(base, name, O_RDONLY, 0, how);

	if (fd >= 0)
		close((int)fd);
	return fd >= 0 ? 0 : fd;
}

/* DIR_PATH/a/b/file, and links to it by all ways. */
static void make_tree(void)
{
	if (base >= 0)
		return;
	mkdir(DIR_PATH, 0755);
	mkdir(DIR_PATH "/a", 0755);
	mkdir(DIR_PATH "/a/b", 0755);
	close(open(DIR_PATH "/a/b/file", O_CREAT | O_WRONLY, 0644));
	close(open(DIR_PATH "/outside", O_CREAT | O_WRONLY, 0644));
	CHECK_EQ(symlink("b/file", DIR_PATH "/a/down"), 0);
	CHECK_EQ(symlink("../outside", DIR_PATH "/a/up"), 0);
	CHECK_EQ(symlink("b/../b/../b/file", DIR_PATH "/a/round"), 0);
	CHECK_EQ(symlink("/b/file", DIR_PATH "/a/absolute"), 0);
	base = open(DIR_PATH "/a", O_RDONLY | O_DIRECTORY);
	CHECK(base >= 0);
}

TEST(openat2_opens_as_openat)
{
	make_tree();
	CHECK_EQ(resolve("b/file", 0), 0);
	CHECK_EQ(resolve("up", 0), 0);
	CHECK_EQ(resolve("missing", 0), -ENOENT);
	CHECK_EQ(resolve("absolute", 0), -ENOENT);
	CHECK_EQ(resolve("/tmp", 0), 0);
}

TEST(openat2_without_links)
{
	CHECK_EQ(resolve("b/file", NO_SYMLINKS), 0);
	CHECK_EQ(resolve("down", NO_SYMLINKS), -ELOOP);
	CHECK_EQ(resolve("down", NO_MAGICLINKS), 0);
	CHECK_EQ(resolve("/proc/self/exe", NO_SYMLINKS), -ELOOP);
	CHECK_EQ(resolve("/proc/self/exe", NO_MAGICLINKS), -ELOOP);
	CHECK_EQ(resolve("/proc/self/stat", NO_MAGICLINKS), 0);
	/* The last name may be a link that is not followed. */
	long fd = open_how(base, "down", O_PATH | O_NOFOLLOW, 0, NO_SYMLINKS);

	CHECK(fd >= 0);
	close((int)fd);
}

TEST(openat2_beneath)
{
	CHECK_EQ(resolve("b/file", BENEATH), 0);
	CHECK_EQ(resolve("down", BENEATH), 0);
	CHECK_EQ(resolve("round", BENEATH), 0);
	CHECK_EQ(resolve("b/../b/file", BENEATH), 0);
	CHECK_EQ(resolve("..", BENEATH), -EXDEV);
	CHECK_EQ(resolve("up", BENEATH), -EXDEV);
	CHECK_EQ(resolve("../a/b/file", BENEATH), -EXDEV);
	CHECK_EQ(resolve("/tmp", BENEATH), -EXDEV);
	CHECK_EQ(resolve("absolute", BENEATH), -EXDEV);
}

TEST(openat2_in_root)
{
	int fd = open("/proc/self", O_RDONLY | O_DIRECTORY);

	CHECK_EQ(resolve("b/file", IN_ROOT), 0);
	CHECK_EQ(resolve("/b/file", IN_ROOT), 0);
	CHECK_EQ(resolve("absolute", IN_ROOT), 0);
	CHECK_EQ(resolve("../../b/file", IN_ROOT), 0);
	CHECK_EQ(resolve("up", IN_ROOT), -ENOENT);
	CHECK_EQ(open_how(fd, "exe", O_RDONLY, 0, IN_ROOT), -EXDEV);
	CHECK_EQ(open_how(fd, "exe", O_RDONLY, 0, BENEATH), -EXDEV);
	close(fd);
}

TEST(openat2_on_one_mount)
{
	int root = open("/", O_RDONLY | O_DIRECTORY), proc = open("/proc", O_RDONLY | O_DIRECTORY);

	CHECK_EQ(resolve("b/file", NO_XDEV), 0);
	CHECK_EQ(open_how(root, "proc/stat", O_RDONLY, 0, NO_XDEV), -EXDEV);
	CHECK_EQ(open_how(proc, "..", O_RDONLY, 0, NO_XDEV), -EXDEV);
	close(root);
	close(proc);
}

TEST(openat2_creates)
{
	struct stat st;
	long fd;

	umask(022);
	fd = open_how(base, "made", O_CREAT | O_EXCL | O_WRONLY, 0666, BENEATH);
	CHECK(fd >= 0);
	CHECK_EQ(fstat((int)fd, &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0644);
	close((int)fd);
	CHECK_EQ(open_how(base, "../made", O_CREAT | O_EXCL | O_WRONLY, 0666, BENEATH), -EXDEV);
	CHECK_EQ(open_how(base, "made", O_CREAT | O_EXCL | O_WRONLY, 0666, 0), -EEXIST);
	unlinkat(base, "made", 0);
}

TEST(openat2_refuses)
{
	struct how how = {.flags = O_RDONLY};
	long fd;

	CHECK_EQ(open_how(base, "b", 1UL << 40, 0, 0), -EINVAL);
	CHECK_EQ(open_how(base, "b", O_RDONLY, 0, 64), -EINVAL);
	CHECK_EQ(open_how(base, "b", O_RDONLY, 0, BENEATH | IN_ROOT), -EINVAL);
	CHECK_EQ(open_how(base, "b", O_RDONLY, 0644, 0), -EINVAL);
	CHECK_EQ(open_how(base, "n", O_CREAT | O_WRONLY, 0200000, 0), -EINVAL);
	CHECK_EQ(open_how(base, "b", O_PATH | O_RDWR, 0, 0), -EINVAL);
	CHECK_EQ(open_how(base, "n", O_CREAT | O_WRONLY, 0644, CACHED), -EAGAIN);
	CHECK_EQ(open_how(-1, "b", O_RDONLY, 0, 0), -EBADF);
	CHECK_EQ(open_how(-1, "/b/file", O_RDONLY, 0, IN_ROOT), -EBADF);
	/* Of another size: longer is known if the rest is zero. */
	CHECK_EQ(sys4(SYS_openat2, base, "b", &how, 16), -EINVAL);
	CHECK_EQ(sys4(SYS_openat2, base, "b", &how, 8192), -E2BIG);
	fd = sys4(SYS_openat2, base, "b", &how, 32);
	CHECK(fd >= 0);
	close((int)fd);
	how.more = 1;
	CHECK_EQ(sys4(SYS_openat2, base, "b", &how, 32), -E2BIG);
	CHECK_EQ(sys4(SYS_openat2, base, "b", page_unmapped(), 24), -EFAULT);
}
