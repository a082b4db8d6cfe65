/*
 * Files, folders, links and descriptors.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "tests/syscall/harness.h"

static int make(const char *path, const char *text)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

TEST(write_then_read)
{
	char text[32] = "";
	int fd = make("/file", "hello world");

	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(read(fd, text, 5), 5);
	CHECK_EQ(strcmp(text, "hello"), 0);
	CHECK_EQ(lseek(fd, -5, SEEK_END), 6);
	CHECK_EQ(read(fd, text, sizeof(text)), 5);
	CHECK_EQ(read(fd, text, sizeof(text)), 0);
	CHECK_EQ(pread(fd, text, 3, 2), 3);
	CHECK_EQ(memcmp(text, "llo", 3), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 11);
	close(fd);
	CHECK_EQ(unlink("/file"), 0);
	CHECK(open("/file", O_RDONLY) == -1 && errno == ENOENT);
}

TEST(holes_read_as_zeros)
{
	char text[8];
	int fd = make("/hole", "a");
	struct stat st;

	CHECK_EQ(pwrite(fd, "z", 1, 100000), 1);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 100001);
	memset(text, 9, 8);
	CHECK_EQ(pread(fd, text, 8, 50000), 8);
	CHECK_EQ(memcmp(text, "\0\0\0\0\0\0\0\0", 8), 0);
	CHECK_EQ(ftruncate(fd, 3), 0);
	CHECK_EQ(pread(fd, text, 8, 0), 3);
	CHECK_EQ(ftruncate(fd, 10), 0);
	CHECK_EQ(pread(fd, text, 8, 2), 8);
	close(fd);
	unlink("/hole");
}

TEST(open_flags)
{
	int fd = make("/flags", "abc"), second;
	char c;

	CHECK(open("/flags", O_CREAT | O_EXCL | O_RDWR, 0600) == -1 && errno == EEXIST);
	CHECK(open("/flags", O_DIRECTORY) == -1 && errno == ENOTDIR);
	CHECK(open("/flags/x", O_RDONLY) == -1 && errno == ENOTDIR);
	CHECK(open("/", O_WRONLY) == -1 && errno == EISDIR);
	second = open("/flags", O_WRONLY | O_APPEND);
	CHECK_EQ(write(second, "def", 3), 3);
	CHECK(read(second, &c, 1) == -1 && errno == EBADF);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 6);
	close(second);
	second = open("/flags", O_RDONLY | O_TRUNC);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
	CHECK(write(second, "x", 1) == -1 && errno == EBADF);
	CHECK_EQ(fcntl(second, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(second);
	close(fd);
	unlink("/flags");
}

TEST(descriptors)
{
	int a = make("/fds", "12345"), b = dup(a), c;
	char two[2];

	CHECK_EQ(b, a + 1); /* the lowest free one */
	CHECK_EQ(lseek(a, 1, SEEK_SET), 1);
	CHECK_EQ(lseek(b, 0, SEEK_CUR), 1); /* one position */
	CHECK_EQ(close(a), 0);
	CHECK_EQ(read(b, two, 2), 2);
	CHECK_EQ(two[0], '2');
	c = open("/fds", O_RDONLY);
	CHECK_EQ(c, a);
	CHECK_EQ(dup2(b, 50), 50);
	CHECK_EQ(dup2(b, b), b);
	CHECK_EQ(sys3(SYS_dup3, b, b, 0), -EINVAL);
	CHECK_EQ(sys3(SYS_dup3, b, 51, 0x1234), -EINVAL);
	CHECK_EQ(sys3(SYS_dup3, b, 51, O_CLOEXEC), 51);
	CHECK_EQ(fcntl(51, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(50, F_GETFD), 0);
	CHECK_EQ(fcntl(b, F_DUPFD, 60), 60);
	CHECK_EQ(fcntl(b, F_DUPFD_CLOEXEC, 60), 61);
	CHECK_EQ(fcntl(61, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(close(b), 0);
	CHECK(close(b) == -1 && errno == EBADF);
	CHECK_EQ(sys3(SYS_close_range, 50, 61, 0), 0);
	CHECK(fcntl(60, F_GETFD) == -1 && errno == EBADF);
	close(c);
	unlink("/fds");
}

TEST(folders)
{
	struct dirent *entry;
	int seen = 0;
	DIR *dir;

	CHECK_EQ(mkdir("/dir", 0755), 0);
	CHECK(mkdir("/dir", 0755) == -1 && errno == EEXIST);
	CHECK_EQ(mkdir("/dir/sub", 0755), 0);
	close(make("/dir/a", ""));
	close(make("/dir/b", ""));
	dir = opendir("/dir");
	if (!CHECK(dir != NULL))
		return;
	while ((entry = readdir(dir)) != NULL) {
		seen |= strcmp(entry->d_name, ".") == 0 ? 1 : 0;
		seen |= strcmp(entry->d_name, "..") == 0 ? 2 : 0;
		seen |= strcmp(entry->d_name, "a") == 0 && entry->d_type == DT_REG ? 4 : 0;
		seen |= strcmp(entry->d_name, "b") == 0 ? 8 : 0;
		seen |= strcmp(entry->d_name, "sub") == 0 && entry->d_type == DT_DIR ? 16 : 0;
	}
	CHECK_EQ(seen, 31);
	closedir(dir);
	CHECK(rmdir("/dir") == -1 && errno == ENOTEMPTY);
	CHECK(unlink("/dir/sub") == -1 && errno == EISDIR);
	CHECK(rmdir("/dir/a") == -1 && errno == ENOTDIR);
	CHECK_EQ(rename("/dir/a", "/dir/sub/c"), 0);
	CHECK_EQ(access("/dir/sub/c", F_OK), 0);
	CHECK(rename("/dir", "/dir/sub/d") == -1 && errno == EINVAL);
	CHECK_EQ(unlink("/dir/sub/c"), 0);
	CHECK_EQ(unlink("/dir/b"), 0);
	CHECK_EQ(rmdir("/dir/sub"), 0);
	CHECK_EQ(rmdir("/dir"), 0);
}

TEST(working_folder)
{
	char path[PATH_MAX];

	CHECK_EQ(mkdir("/work", 0755), 0);
	CHECK_EQ(chdir("/work"), 0);
	CHECK(getcwd(path, sizeof(path)) && strcmp(path, "/work") == 0);
	close(make("here", "x"));
	CHECK_EQ(access("/work/here", F_OK), 0);
	CHECK_EQ(access("../work/./here", F_OK), 0);
	CHECK_EQ(sys2(SYS_getcwd, path, 2), -ERANGE);
	CHECK_EQ(unlink("here"), 0);
	CHECK_EQ(chdir("/"), 0);
	CHECK_EQ(rmdir("/work"), 0);
}

TEST(links)
{
	char text[16] = "";
	struct stat st;
	int fd = make("/target", "data");

	close(fd);
	CHECK_EQ(symlink("target", "/soft"), 0);
	CHECK_EQ(readlink("/soft", text, sizeof(text)), 6);
	CHECK_EQ(memcmp(text, "target", 6), 0);
	CHECK_EQ(lstat("/soft", &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(stat("/soft", &st), 0);
	CHECK(S_ISREG(st.st_mode) && st.st_size == 4);
	CHECK(open("/soft", O_RDONLY | O_NOFOLLOW) == -1 && errno == ELOOP);
	CHECK_EQ(link("/target", "/hard"), 0);
	CHECK_EQ(stat("/hard", &st), 0);
	CHECK_EQ(st.st_nlink, 2);
	CHECK_EQ(unlink("/target"), 0);
	CHECK(open("/soft", O_RDONLY) == -1 && errno == ENOENT);
	CHECK_EQ(stat("/hard", &st), 0);
	CHECK_EQ(st.st_nlink, 1);
	CHECK_EQ(symlink("loop", "/loop"), 0);
	CHECK(open("/loop", O_RDONLY) == -1 && errno == ELOOP);
	CHECK_EQ(unlink("/loop"), 0);
	CHECK_EQ(unlink("/soft"), 0);
	CHECK_EQ(unlink("/hard"), 0);
}

TEST(modes_and_times)
{
	struct timespec times[2] = {{1000, 5}, {2000, 7}};
	struct stat st;

	close(make("/mode", ""));
	CHECK_EQ(chmod("/mode", 0640), 0);
	CHECK_EQ(stat("/mode", &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0640);
	CHECK_EQ(chown("/mode", 12, 34), 0);
	CHECK_EQ(stat("/mode", &st), 0);
	CHECK(st.st_uid == 12 && st.st_gid == 34);
	CHECK_EQ(utimensat(AT_FDCWD, "/mode", times, 0), 0);
	CHECK_EQ(stat("/mode", &st), 0);
	CHECK(st.st_atim.tv_sec == 1000 && st.st_mtim.tv_sec == 2000 && st.st_mtim.tv_nsec == 7);
	CHECK_EQ(umask(077), 022);
	close(open("/masked", O_CREAT | O_RDWR, 0666));
	CHECK_EQ(stat("/masked", &st), 0);
	CHECK_EQ(st.st_mode & 0777, 0600);
	CHECK_EQ(umask(022), 077);
	unlink("/masked");
	unlink("/mode");
}

/* Several threads open, write and close files in one folder. */
static void *file_main(void *arg)
{
	char path[32], text[32];

	for (int i = 0; i < 100; i++) {
		int fd, length;

		snprintf(path, sizeof(path), "/many/%ld_%d", (long)arg, i % 10);
		length = snprintf(text, sizeof(text), "%ld %d", (long)arg, i);
		fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0600);
		CHECK_EQ(write(fd, text, (size_t)length), length);
		memset(text, 0, sizeof(text));
		CHECK_EQ(pread(fd, text, sizeof(text), 0), length);
		CHECK_EQ(atol(text), (long)arg);
		close(fd);
		if (i % 3 == 0)
			CHECK_EQ(unlink(path), 0);
	}
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "/many/%ld_%d", (long)arg, i);
		unlink(path);
	}
	return NULL;
}

TEST(files_by_many_threads)
{
	pthread_t threads[6];

	CHECK_EQ(mkdir("/many", 0755), 0);
	for (long i = 0; i < 6; i++)
		threads[i] = thread_start(file_main, (void *)i);
	for (int i = 0; i < 6; i++)
		thread_join(threads[i]);
	CHECK_EQ(rmdir("/many"), 0);
}

TEST(file_errors)
{
	static char path_max[PATH_MAX + 10], long_name[300];
	static struct statfs fs;
	long gone = (long)page_unmapped();
	int fd = open("/", O_RDONLY), null = open("/dev/null", O_RDWR), p[2];

	memset(path_max, '/', sizeof(path_max) - 1);
	memset(long_name, 'n', sizeof(long_name) - 1);
	CHECK_EQ(pipe(p), 0);
	const struct errno_case cases[] = {
		{"open nowhere", SYS_openat, {AT_FDCWD, gone, O_RDONLY}, EFAULT},
		{"open nothing", SYS_openat, {AT_FDCWD, (long)"", O_RDONLY}, ENOENT},
		{"open too long", SYS_openat, {AT_FDCWD, (long)path_max, O_RDONLY}, ENAMETOOLONG},
		{"open long name", SYS_openat, {AT_FDCWD, (long)long_name, O_RDONLY}, ENAMETOOLONG},
		{"open below a bad fd", SYS_openat, {999, (long)"x", O_RDONLY}, EBADF},
		{"open below a file", SYS_openat, {null, (long)"x", O_RDONLY}, ENOTDIR},
		{"open absolute, bad fd", SYS_openat, {999, (long)"/", O_RDONLY}, 0},
		{"read a folder", SYS_read, {fd, gone, 1}, EISDIR},
		{"read nothing to nowhere", SYS_read, {null, gone, 0}, 0},
		{"read a bad fd", SYS_read, {-1, gone, 1}, EBADF},
		{"write to a folder", SYS_write, {fd, gone, 1}, EBADF},
		{"write from nowhere", SYS_write, {p[1], gone, 1}, EFAULT},
		{"seek a pipe", SYS_lseek, {p[0], 0, SEEK_SET}, ESPIPE},
		{"seek, whence", SYS_lseek, {null, 0, 99}, EINVAL},
		{"pread a pipe", SYS_pread64, {p[0], gone, 1, 0}, ESPIPE},
		{"pread negative", SYS_pread64, {null, gone, 1, -1}, EINVAL},
		{"fstat nowhere", SYS_fstat, {fd, gone}, EFAULT},
		{"fstat bad fd", SYS_fstat, {999, gone}, EBADF},
		{"statfs nothing", SYS_statfs, {(long)"/none", (long)&fs}, ENOENT},
		{"statfs nowhere", SYS_statfs, {(long)"/", gone}, EFAULT},
		{"ftruncate negative", SYS_ftruncate, {null, -1}, EINVAL},
		{"ftruncate a pipe", SYS_ftruncate, {p[1], 0}, EINVAL},
		{"getdents a file", SYS_getdents64, {null, gone, 100}, ENOTDIR},
		{"getdents nowhere", SYS_getdents64, {fd, gone, 100}, EFAULT},
		{"getdents too small", SYS_getdents64, {fd, (long)&fs, 1}, EINVAL},
		{"pipe to nowhere", SYS_pipe2, {gone, 0}, EFAULT},
		{"pipe flags", SYS_pipe2, {(long)&fs, 12345}, EINVAL},
		{"fcntl command", SYS_fcntl, {fd, 9999, 0}, EINVAL},
		{"ioctl not a terminal", SYS_ioctl, {null, 0x5401, (long)&fs}, ENOTTY},
		{"unlinkat flags", SYS_unlinkat, {AT_FDCWD, (long)"/none", 0x40}, EINVAL},
		{"rmdir the root", SYS_unlinkat, {AT_FDCWD, (long)"/", AT_REMOVEDIR}, EBUSY},
		{"rmdir dot", SYS_unlinkat, {AT_FDCWD, (long)"/dev/.", AT_REMOVEDIR}, EINVAL},
		{"readlink no link", SYS_readlinkat, {AT_FDCWD, (long)"/", (long)&fs, 10}, EINVAL},
		{"chdir to a file", SYS_chdir, {(long)"/dev/null"}, ENOTDIR},
		{"poll nowhere", SYS_ppoll, {gone, 1, 0, 0, 0}, EFAULT},
		{"poll too many", SYS_ppoll, {(long)&fs, 1 << 30, 0, 0, 0}, EINVAL},
		{"dup bad fd", SYS_dup, {999}, EBADF},
		{"close bad fd", SYS_close, {-5}, EBADF},
		{"faccessat mode", SYS_faccessat, {AT_FDCWD, (long)"/", 99}, EINVAL},
		{"umask is masked", SYS_umask, {022}, 0},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	close(fd);
	close(null);
	close(p[0]);
	close(p[1]);
}
