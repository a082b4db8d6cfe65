/*
 * Names: walks, creation, removal, links, renames, and what they say when they fail.
 */
#include "tests/syscall/files/files.h"

#include <stddef.h>

TEST(walk_errors)
{
	char longname[NAME_MAX + 2];
	static char longpath[PATH_MAX + 1];

	enter_fresh_directory();
	write_file("file", "x");
	CHECK_EQ(mkdir("dir", 0755), 0);
	memset(longname, 'a', sizeof(longname) - 1);
	longname[sizeof(longname) - 1] = '\0';
	memset(longpath, '/', sizeof(longpath) - 1);
	CHECK_ERRNO(open("missing", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("missing/x", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("file/x", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("file/", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("file/..", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open(longname, O_RDONLY), ENAMETOOLONG);
	CHECK_ERRNO(open(longpath, O_RDONLY), ENAMETOOLONG);
	CHECK_ERRNO(open("dir", O_WRONLY), EISDIR);
	CHECK_ERRNO(open("dir", O_RDONLY | O_CREAT, 0644), EISDIR);
	CHECK_ERRNO(open("new/", O_WRONLY | O_CREAT, 0644), EISDIR);
	CHECK_ERRNO(open((char *)1, O_RDONLY), EFAULT);
	CHECK_ERRNO(openat(99, "file", O_RDONLY), EBADF);
	CHECK_ERRNO(open("file", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
	CHECK_ERRNO(chdir("file"), ENOTDIR);
}

TEST(walk_dots_and_slashes)
{
	struct stat a, b;

	enter_fresh_directory();
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(mkdir("d/e", 0755), 0);
	CHECK_EQ(stat("d", &a), 0);
	CHECK_EQ(stat(".//d/./e/../e//..///", &b), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(stat("/..", &a), 0);
	CHECK_EQ(stat("/", &b), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(a.st_dev, b.st_dev);
	/* Up out of a mount. */
	CHECK_EQ(stat("/proc/..", &a), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
}

TEST(directory_link_counts)
{
	struct stat st;

	enter_fresh_directory();
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(stat("d", &st), 0);
	CHECK_EQ(st.st_nlink, 2);
	CHECK_EQ(mkdir("d/e", 0755), 0);
	CHECK_EQ(stat("d", &st), 0);
	CHECK_EQ(st.st_nlink, 3);
	CHECK_EQ(rmdir("d/e"), 0);
	CHECK_EQ(stat("d", &st), 0);
	CHECK_EQ(st.st_nlink, 2);
}

TEST(mkdir_and_rmdir_errors)
{
	enter_fresh_directory();
	write_file("file", "x");
	CHECK_EQ(mkdir("d/", 0755), 0);
	CHECK_ERRNO(mkdir("d", 0755), EEXIST);
	CHECK_ERRNO(mkdir("file", 0755), EEXIST);
	CHECK_ERRNO(mkdir("/", 0755), EEXIST);
	CHECK_ERRNO(mkdir(".", 0755), EEXIST);
	CHECK_ERRNO(mkdir("missing/x", 0755), ENOENT);
	write_file("d/x", "x");
	CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
	CHECK_ERRNO(rmdir("file"), ENOTDIR);
	CHECK_ERRNO(rmdir("d/."), EINVAL);
	CHECK_ERRNO(rmdir("d/.."), ENOTEMPTY);
	CHECK_ERRNO(rmdir("/proc"), EBUSY);
	CHECK_ERRNO(unlink("d"), EISDIR);
	CHECK_ERRNO(unlink("d/"), EISDIR);
	CHECK_ERRNO(unlink("file/"), ENOTDIR);
	CHECK_ERRNO(unlink("missing"), ENOENT);
	CHECK_ERRNO(unlinkat(AT_FDCWD, "d", 0x4000), EINVAL);
	CHECK_EQ(unlink("d/x"), 0);
	CHECK_EQ(rmdir("d"), 0);
	CHECK_ERRNO(rmdir("d"), ENOENT);
}

TEST(removed_directory_takes_no_names)
{
	char buf[64];
	int fd;

	enter_fresh_directory();
	CHECK_EQ(mkdir("d", 0755), 0);
	fd = open("d", O_RDONLY | O_DIRECTORY);
	CHECK_EQ(chdir("d"), 0);
	CHECK_EQ(rmdir("../d"), 0);
	CHECK_ERRNO(mkdir("x", 0755), ENOENT);
	CHECK_ERRNO(open("x", O_CREAT | O_WRONLY, 0644), ENOENT);
	CHECK_EQ(sys2(SYS_getcwd, buf, sizeof(buf)), -ENOENT);
	CHECK_EQ(sys3(SYS_getdents64, fd, buf, sizeof(buf)), -ENOENT);
	close(fd);
	CHECK_EQ(chdir("/"), 0);
}

TEST(umask_and_modes)
{
	struct stat st;
	mode_t old = umask(027);

	enter_fresh_directory();
	CHECK_EQ(umask(027), 027);
	CHECK_EQ(close(open("f", O_CREAT | O_WRONLY, 0666)), 0);
	CHECK_EQ(stat("f", &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0640);
	CHECK_EQ(mkdir("d", 0777), 0);
	CHECK_EQ(stat("d", &st), 0);
	CHECK_EQ(st.st_mode, S_IFDIR | 0750);
	CHECK_EQ(chmod("f", 04755), 0);
	CHECK_EQ(stat("f", &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 04755);
	CHECK_EQ(chown("f", 12, 34), 0);
	CHECK_EQ(stat("f", &st), 0);
	CHECK_EQ(st.st_uid, 12);
	CHECK_EQ(st.st_gid, 34);
	CHECK_EQ(st.st_mode, S_IFREG | 0755);
	umask(old);
}

TEST(symlinks)
{
	char buf[64] = {0};
	struct stat st;

	enter_fresh_directory();
	write_file("file", "hello");
	CHECK_EQ(mkdir("dir", 0755), 0);
	CHECK_EQ(symlink("file", "link"), 0);
	CHECK_EQ(symlink("dir", "dirlink"), 0);
	CHECK_EQ(symlink("loop2", "loop1"), 0);
	CHECK_EQ(symlink("loop1", "loop2"), 0);
	CHECK_EQ(symlink("missing", "dangling"), 0);
	CHECK_EQ(readlink("link", buf, sizeof(buf)), 4);
	CHECK(strcmp(buf, "file") == 0);
	CHECK_EQ(readlink("link", buf, 2), 2);
	CHECK_EQ(lstat("link", &st), 0);
	CHECK_EQ(st.st_mode, S_IFLNK | 0777);
	CHECK_EQ(st.st_size, 4);
	CHECK_EQ(stat("link", &st), 0);
	CHECK_EQ(st.st_size, 5);
	CHECK_EQ(lstat("dirlink/", &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_ERRNO(open("loop1", O_RDONLY), ELOOP);
	CHECK_ERRNO(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_ERRNO(open("dirlink", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open("dangling", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
	CHECK_ERRNO(symlink("x", "link"), EEXIST);
	CHECK_ERRNO(symlink("", "empty"), ENOENT);
	CHECK_ERRNO(readlink("file", buf, sizeof(buf)), EINVAL);
	CHECK_ERRNO(readlink("link", buf, 0), EINVAL);
	/* Creating through a dangling link makes its target. */
	CHECK_EQ(close(open("dangling", O_CREAT | O_WRONLY, 0644)), 0);
	CHECK_EQ(stat("missing", &st), 0);
	CHECK_EQ(unlink("link"), 0);
	CHECK_EQ(stat("file", &st), 0);
}

TEST(symlink_chains)
{
	char name[16], target[16];
	struct stat st;

	enter_fresh_directory();
	write_file("l0", "x");
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		CHECK_EQ(symlink(target, name), 0);
	}
	CHECK_EQ(stat("l40", &st), 0);
	CHECK_ERRNO(stat("l41", &st), ELOOP);
}

TEST(hard_links)
{
	struct stat a, b;

	enter_fresh_directory();
	write_file("a", "text");
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(link("a", "b"), 0);
	CHECK_EQ(stat("a", &a), 0);
	CHECK_EQ(stat("b", &b), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(a.st_nlink, 2);
	CHECK_EQ(unlink("a"), 0);
	CHECK_EQ(stat("b", &b), 0);
	CHECK_EQ(b.st_nlink, 1);
	CHECK_ERRNO(link("b", "d"), EEXIST);
	CHECK_ERRNO(link("d", "e"), EPERM);
	CHECK_ERRNO(link("missing", "e"), ENOENT);
	CHECK_ERRNO(link("b", "/dev/x"), EXDEV);
	CHECK_ERRNO(link("b", "/proc/x"), ENOENT);
}

TEST(unlinked_file_lives_on)
{
	char buf[8] = {0};
	struct stat st;
	int fd;

	enter_fresh_directory();
	write_file("f", "alive");
	fd = open("f", O_RDWR);
	CHECK_EQ(unlink("f"), 0);
	CHECK_ERRNO(open("f", O_RDONLY), ENOENT);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(pread(fd, buf, sizeof(buf), 0), 5);
	CHECK(strcmp(buf, "alive") == 0);
	CHECK_EQ(close(fd), 0);
}

TEST(rename_basics)
{
	struct stat st;
	char buf[8];

	enter_fresh_directory();
	write_file("a", "A");
	write_file("b", "B");
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(mkdir("d/e", 0755), 0);
	CHECK_EQ(rename("a", "b"), 0);
	CHECK_ERRNO(stat("a", &st), ENOENT);
	CHECK_EQ(read_file("b", buf, sizeof(buf)), 1);
	CHECK(buf[0] == 'A');
	CHECK_EQ(rename("b", "d/b"), 0);
	CHECK_EQ(stat("d/b", &st), 0);
	CHECK_EQ(rename("d/b", "d/b"), 0);
	CHECK_ERRNO(rename("d", "d/e/x"), EINVAL);
	CHECK_ERRNO(rename("d/e", "d"), ENOTEMPTY);
	CHECK_ERRNO(rename("d", "d/b"), EINVAL);
	CHECK_ERRNO(rename("d/b", "d/e"), EISDIR);
	CHECK_ERRNO(rename("missing", "x"), ENOENT);
	CHECK_ERRNO(rename("d/b", "x/"), ENOTDIR);
	CHECK_ERRNO(rename("d/.", "x"), EBUSY);
	CHECK_ERRNO(rename("d", "/proc/x"), EXDEV);
	CHECK_EQ(rename("d/e", "moved/"), 0);
	CHECK_EQ(stat("d", &st), 0);
	CHECK_EQ(st.st_nlink, 2);
	/* Over an empty directory. */
	CHECK_EQ(mkdir("empty", 0755), 0);
	CHECK_EQ(rename("d", "empty"), 0);
	CHECK_EQ(stat("empty/b", &st), 0);
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_ERRNO(rename("d", "empty"), ENOTEMPTY);
}

TEST(rename_leaves_a_whiteout)
{
	struct stat st;

	enter_fresh_directory();
	CHECK_EQ(mkdir("upper", 0777), 0);
	CHECK_EQ(mkdir("other", 0777), 0);
	write_file("upper/old", "text");
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, "upper/old", AT_FDCWD, "upper/new", RENAME_WHITEOUT),
		 0);
	CHECK_EQ(stat("upper/old", &st), 0);
	CHECK(S_ISCHR(st.st_mode));
	CHECK_EQ(st.st_mode & 07777, 0);
	CHECK_EQ(st.st_rdev, 0);
	CHECK_EQ(st.st_nlink, 1);
	CHECK_EQ(stat("upper/new", &st), 0);
	CHECK(S_ISREG(st.st_mode));
	/* Over an existing name, from one directory to another; a directory too. */
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, "upper/new", AT_FDCWD, "upper/old", RENAME_WHITEOUT),
		 0);
	CHECK_EQ(stat("upper/old", &st), 0);
	CHECK_EQ(st.st_size, 4);
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, "upper/old", AT_FDCWD, "upper/new",
		      RENAME_WHITEOUT | RENAME_NOREPLACE),
		 -EEXIST);
	CHECK_EQ(mkdir("upper/dir", 0777), 0);
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, "upper/dir", AT_FDCWD, "other/dir", RENAME_WHITEOUT),
		 0);
	CHECK_EQ(stat("upper/dir", &st), 0);
	CHECK(S_ISCHR(st.st_mode));
	CHECK_EQ(stat("upper", &st), 0);
	CHECK_EQ(st.st_nlink, 2);
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, "upper/dir", AT_FDCWD, "other/dir",
		      RENAME_WHITEOUT | RENAME_EXCHANGE),
		 -EINVAL);
	CHECK_EQ(unlink("upper/dir"), 0);
	CHECK_EQ(unlink("upper/new"), 0);
	CHECK_EQ(unlink("upper/old"), 0);
	CHECK_EQ(rmdir("upper"), 0);
}

TEST(rename_flags)
{
	char buf[8];

	enter_fresh_directory();
	write_file("a", "A");
	write_file("b", "B");
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE), -EEXIST);
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE), 0);
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "b", RENAME_EXCHANGE), 0);
	CHECK_EQ(read_file("b", buf, sizeof(buf)), 1);
	CHECK(buf[0] == 'A');
	CHECK_EQ(read_file("c", buf, sizeof(buf)), 1);
	CHECK(buf[0] == 'B');
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "x", RENAME_EXCHANGE), -ENOENT);
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, "c", AT_FDCWD, "d", RENAME_EXCHANGE), 0);
	CHECK_EQ(rmdir("c"), 0);
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, "b", AT_FDCWD, "d", RENAME_EXCHANGE | RENAME_NOREPLACE),
		 -EINVAL);
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, "b", AT_FDCWD, "d", 0x100), -EINVAL);
}

TEST(working_directory)
{
	char buf[PATH_MAX], before[PATH_MAX];
	int fd;

	enter_fresh_directory();
	CHECK(getcwd(before, sizeof(before)) != NULL);
	CHECK_EQ(mkdir("one", 0755), 0);
	CHECK_EQ(mkdir("one/two", 0755), 0);
	fd = open("one", O_PATH | O_DIRECTORY);
	CHECK_EQ(chdir("one/two"), 0);
	CHECK(getcwd(buf, sizeof(buf)) != NULL);
	CHECK(strncmp(buf, before, strlen(before)) == 0 &&
	      strcmp(buf + strlen(before), "/one/two") == 0);
	/* The name of where we are changes under us. */
	CHECK_EQ(rename("../../one", "../../uno"), 0);
	CHECK(getcwd(buf, sizeof(buf)) != NULL);
	CHECK(strcmp(buf + strlen(before), "/uno/two") == 0);
	CHECK_EQ(fchdir(fd), 0);
	CHECK(getcwd(buf, sizeof(buf)) != NULL);
	CHECK(strcmp(buf + strlen(before), "/uno") == 0);
	CHECK_EQ(sys2(SYS_getcwd, buf, 4), -ERANGE);
	CHECK_EQ(chdir("/"), 0);
	CHECK_EQ(sys2(SYS_getcwd, buf, sizeof(buf)), 2);
	CHECK_EQ(chdir("/proc/self"), 0);
	CHECK(getcwd(buf, sizeof(buf)) != NULL);
	CHECK_EQ(atoi(buf + strlen("/proc/")), getpid());
	CHECK_EQ(chdir(before), 0);
	close(fd);
}

static int count_entries(int fd, int *dots)
{
	char buf[200];
	int count = 0;
	long n;

	*dots = 0;
	while ((n = sys3(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			uint16_t size;

			memcpy(&size, buf + at + offsetof(struct dirent64, d_reclen), sizeof(size));
			if (buf[at + (long)offsetof(struct dirent64, d_name)] == '.')
				++*dots;
			else
				count++;
			at += size;
		}
	}
	CHECK_EQ(n, 0);
	return count;
}

TEST(reading_directories)
{
	char name[16], buf[16];
	int fd, dots;

	enter_fresh_directory();
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "file%d", i);
		write_file(name, "x");
	}
	fd = open(".", O_RDONLY | O_DIRECTORY);
	CHECK_EQ(count_entries(fd, &dots), 100);
	CHECK_EQ(dots, 2);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(sys3(SYS_getdents64, fd, buf, sizeof(buf)), -EINVAL);
	CHECK_EQ(unlink("file50"), 0);
	CHECK_EQ(count_entries(fd, &dots), 99);
	CHECK_ERRNO(read(fd, buf, sizeof(buf)), EISDIR);
	CHECK_EQ(sys3(SYS_getdents64, 0, buf, sizeof(buf)), -ENOTDIR);
	close(fd);
	CHECK_EQ(sys3(SYS_getdents64, fd, buf, sizeof(buf)), -EBADF);
}

TEST(path_descriptors)
{
	struct stat st;
	char buf[4];
	int fd;

	enter_fresh_directory();
	write_file("f", "x");
	CHECK_EQ(symlink("f", "l"), 0);
	fd = open("f", O_PATH);
	CHECK(fd >= 0);
	CHECK_ERRNO(read(fd, buf, 1), EBADF);
	CHECK_ERRNO(write(fd, buf, 1), EBADF);
	CHECK_ERRNO(lseek(fd, 0, SEEK_SET), EBADF);
	CHECK_ERRNO(fchmod(fd, 0600), EBADF);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 1);
	close(fd);
	fd = open("l", O_PATH | O_NOFOLLOW);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(readlinkat(fd, "", buf, sizeof(buf)), 1);
	close(fd);
}

TEST(temporary_files)
{
	struct stat st;
	char path[64];
	int fd;

	enter_fresh_directory();
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "tmp", 3), 3);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_nlink, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_EQ(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), 0);
	CHECK_EQ(stat("named", &st), 0);
	CHECK_EQ(st.st_nlink, 1);
	CHECK_EQ(st.st_size, 3);
	CHECK_ERRNO(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
	close(fd);
}
