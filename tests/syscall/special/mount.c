/*
 * mount and umount: what covers what, who keeps a mount busy, lazy umount, read-only mounts, limits of a tmpfs, bind mounts.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "tests/syscall/harness.h"

#define DIR "/tmp/special-mount"

static void dir_make(void)
{
	umount2(DIR, MNT_DETACH);
	mkdir(DIR, 0755);
}

static void dir_mount(unsigned long flags, const char *options)
{
	dir_make();
	CHECK_EQ(mount("test", DIR, "tmpfs", flags, options), 0);
}

TEST(mount_covers_and_uncovers)
{
	struct stat below, above;

	dir_make();
	CHECK_EQ(stat(DIR, &below), 0);
	close(open(DIR "/below", O_CREAT | O_RDWR, 0600));
	dir_mount(0, "mode=711,uid=3,gid=4");
	CHECK_EQ(stat(DIR, &above), 0);
	CHECK(above.st_dev != below.st_dev);
	CHECK_EQ(above.st_mode, S_IFDIR | 0711);
	CHECK_EQ(above.st_uid, 3);
	CHECK_EQ(above.st_gid, 4);
	CHECK_EQ(access(DIR "/below", F_OK), -1);
	CHECK_EQ(sys3(SYS_unlinkat, AT_FDCWD, DIR, AT_REMOVEDIR), -EBUSY);
	CHECK_EQ(umount(DIR), 0);
	CHECK_EQ(access(DIR "/below", F_OK), 0);
	unlink(DIR "/below");
	CHECK_EQ(sys2(SYS_umount2, DIR, 0), -EINVAL);
	CHECK_EQ(rmdir(DIR), 0);
}

TEST(open_files_keep_a_mount_busy)
{
	int fd;

	dir_mount(0, "");
	fd = open(DIR "/file", O_CREAT | O_RDWR, 0600);
	CHECK_EQ(sys2(SYS_umount2, DIR, 0), -EBUSY);
	CHECK_EQ(access(DIR "/file", F_OK), 0);
	close(fd);
	CHECK_EQ(chdir(DIR), 0);
	CHECK_EQ(sys2(SYS_umount2, DIR, 0), -EBUSY);
	CHECK_EQ(chdir("/"), 0);
	mkdir(DIR "/inner", 0700);
	CHECK_EQ(mount("test", DIR "/inner", "tmpfs", 0, ""), 0);
	CHECK_EQ(sys2(SYS_umount2, DIR, 0), -EBUSY);
	CHECK_EQ(umount(DIR "/inner"), 0);
	CHECK_EQ(umount(DIR), 0);
}

TEST(lazy_umount)
{
	char text[8] = "";
	int fd;

	dir_mount(0, "");
	fd = open(DIR "/file", O_CREAT | O_RDWR, 0600);
	CHECK_EQ(umount2(DIR, MNT_DETACH), 0);
	CHECK_EQ(access(DIR "/file", F_OK), -1);
	CHECK_EQ(write(fd, "lazy", 4), 4);
	CHECK_EQ(pread(fd, text, 4, 0), 4);
	CHECK_EQ(strcmp(text, "lazy"), 0);
	close(fd);
	dir_mount(0, "");
	CHECK_EQ(umount(DIR), 0);
}

TEST(read_only_mount)
{
	struct statfs st;

	dir_mount(0, "");
	close(open(DIR "/file", O_CREAT | O_RDWR, 0600));
	CHECK_EQ(mount("test", DIR, "tmpfs", MS_REMOUNT | MS_RDONLY, ""), 0);
	CHECK_EQ(sys4(SYS_openat, AT_FDCWD, DIR "/new", O_CREAT | O_RDWR, 0600), -EROFS);
	CHECK_EQ(sys4(SYS_openat, AT_FDCWD, DIR "/file", O_RDWR, 0), -EROFS);
	CHECK_EQ(close(open(DIR "/file", O_RDONLY)), 0);
	CHECK_EQ(sys3(SYS_mkdirat, AT_FDCWD, DIR "/dir", 0700), -EROFS);
	CHECK_EQ(sys3(SYS_mkdirat, AT_FDCWD, DIR "/file", 0700), -EEXIST);
	CHECK_EQ(sys3(SYS_unlinkat, AT_FDCWD, DIR "/file", 0), -EROFS);
	CHECK_EQ(sys3(SYS_unlinkat, AT_FDCWD, DIR "/none", 0), -EROFS);
	CHECK_EQ(sys3(SYS_fchmodat, AT_FDCWD, DIR "/file", 0600), -EROFS);
	CHECK_EQ(sys3(SYS_faccessat, AT_FDCWD, DIR "/file", W_OK), -EROFS);
	CHECK_EQ(sys2(SYS_truncate, DIR "/file", 1), -EROFS);
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, DIR "/file", AT_FDCWD, DIR "/other", 0), -EROFS);
	CHECK_EQ(statfs(DIR, &st), 0);
	CHECK(st.f_flags & 1);
	CHECK_EQ(umount(DIR), 0);
}

TEST(noexec_and_nodev)
{
	char *args[] = {"x", NULL};

	dir_mount(MS_NOEXEC | MS_NODEV, "");
	close(open(DIR "/x", O_CREAT | O_RDWR, 0700));
	CHECK_EQ(execve(DIR "/x", args, NULL), -1);
	CHECK_EQ(errno, EACCES);
	CHECK_EQ(mknod(DIR "/null", S_IFCHR | 0666, 0x103), 0);
	CHECK_EQ(sys4(SYS_openat, AT_FDCWD, DIR "/null", O_RDONLY, 0), -EACCES);
	CHECK_EQ(umount(DIR), 0);
}

TEST(bind_mount)
{
	struct stat a, b;

	dir_mount(0, "");
	mkdir(DIR "/from", 0755);
	mkdir(DIR "/to", 0755);
	close(open(DIR "/from/file", O_CREAT | O_RDWR, 0600));
	close(open(DIR "/target", O_CREAT | O_RDWR, 0600));
	CHECK_EQ(mount(DIR "/from", DIR "/to", NULL, MS_BIND, NULL), 0);
	CHECK_EQ(stat(DIR "/from/file", &a), 0);
	CHECK_EQ(stat(DIR "/to/file", &b), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(a.st_dev, b.st_dev);
	CHECK_EQ(sys5(SYS_renameat2, AT_FDCWD, DIR "/to/file", AT_FDCWD, DIR "/from/other", 0),
		 -EXDEV);
	CHECK_EQ(sys5(SYS_linkat, AT_FDCWD, DIR "/to/file", AT_FDCWD, DIR "/from/other", 0), -EXDEV);
	CHECK_EQ(stat(DIR "/to/..", &a), 0);
	CHECK_EQ(stat(DIR, &b), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(umount(DIR "/to"), 0);
	CHECK_EQ(mount(DIR "/from/file", DIR "/target", NULL, MS_BIND, NULL), 0);
	CHECK_EQ(stat(DIR "/from/file", &a), 0);
	CHECK_EQ(stat(DIR "/target", &b), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(sys5(SYS_mount, DIR "/from", DIR "/target", NULL, MS_BIND, NULL), -ENOTDIR);
	CHECK_EQ(umount(DIR "/target"), 0);
	CHECK_EQ(umount(DIR), 0);
}

TEST(mount_errors)
{
	dir_make();
	CHECK_EQ(sys5(SYS_mount, "x", DIR, "no-such-type", 0, NULL), -ENODEV);
	CHECK_EQ(sys5(SYS_mount, "x", DIR "/none", "tmpfs", 0, NULL), -ENOENT);
	CHECK_EQ(sys5(SYS_mount, "x", DIR, "tmpfs", 0, "size=many"), -EINVAL);
	CHECK_EQ(sys5(SYS_mount, "x", DIR, "tmpfs", 0, "nonsense=1"), -EINVAL);
	CHECK_EQ(sys5(SYS_mount, "x", DIR, NULL, 0, NULL), -EINVAL);
	CHECK_EQ(sys5(SYS_mount, "x", DIR, page_unmapped(), 0, NULL), -EFAULT);
	CHECK_EQ(sys2(SYS_umount2, DIR, 0x100), -EINVAL);
	CHECK_EQ(sys2(SYS_umount2, DIR "/none", 0), -ENOENT);
	CHECK_EQ(rmdir(DIR), 0);
}

/* The options of DIR in the mount table. */
static void mounted_options(char *options, size_t size)
{
	FILE *f = fopen("/proc/self/mounts", "r");
	char line[512], where[128], text[256];

	*options = '\0';
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %127s %*s %255s", where, text) == 2 && !strcmp(where, DIR))
			snprintf(options, size, "%s", text);
	fclose(f);
}

TEST(proc_mounts_tells_what_was_asked)
{
	struct statfs st;
	char text[256];

	dir_mount(0, "");
	mounted_options(text, sizeof(text));
	CHECK(strcmp(text, "rw,relatime,inode64") == 0);
	CHECK_EQ(statfs(DIR, &st), 0);
	CHECK(st.f_files > 1000 && st.f_ffree == st.f_files - 1);
	CHECK_EQ(umount(DIR), 0);
	dir_mount(MS_NODEV, "nr_inodes=9,mode=711,uid=3,gid=4,size=64k,inode64");
	mounted_options(text, sizeof(text));
	CHECK(strcmp(text, "rw,nodev,relatime,size=64k,nr_inodes=9,mode=711,uid=3,gid=4,inode64") ==
	      0);
	CHECK_EQ(chmod(DIR, 0700), 0);
	mounted_options(text, sizeof(text));
	CHECK(strstr(text, "mode=711") != NULL);
	CHECK_EQ(umount(DIR), 0);
	CHECK_EQ(sys5(SYS_mount, "x", DIR, "tmpfs", 0, "inode64=1"), -EINVAL);
	CHECK_EQ(rmdir(DIR), 0);
}

TEST(proc_mounts_tells)
{
	char line[512];
	int found = 0;
	FILE *f;

	dir_make();
	CHECK_EQ(mount("my source", DIR, "tmpfs", MS_NOSUID, "size=64k"), 0);
	f = fopen("/proc/self/mounts", "r");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "my\\040source " DIR " tmpfs rw,nosuid,relatime,size=64k", 57) == 0)
			found++;
	fclose(f);
	CHECK_EQ(found, 1);
	CHECK_EQ(umount(DIR), 0);
}

static void *mount_and_umount(void *name)
{
	for (int i = 0; i < 30; i++) {
		if (mount("race", name, "tmpfs", 0, ""))
			continue;
		while (umount(name) && errno == EBUSY)
			sleep_ms(1);
	}
	return NULL;
}

static void *open_and_close(void *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/file", (char *)name);
	for (int i = 0; i < 1500; i++) {
		int fd = open(path, O_CREAT | O_RDWR, 0600);

		if (fd >= 0)
			CHECK_EQ(write(fd, "x", 1), 1);
		close(fd);
	}
	return NULL;
}

TEST(opens_race_with_umount)
{
	pthread_t a, b, c;

	dir_make();
	a = thread_start(mount_and_umount, DIR);
	b = thread_start(open_and_close, DIR);
	c = thread_start(open_and_close, DIR);
	thread_join(a);
	thread_join(b);
	thread_join(c);
	umount2(DIR, MNT_DETACH);
	unlink(DIR "/file");
	CHECK_EQ(rmdir(DIR), 0);
}

/* What a removed file had is there for the next one at once. */
TEST(space_of_removed_files_comes_back)
{
	static char page[4096];
	long rounds = test_rounds(40);

	dir_mount(0, "size=64k");
	for (long i = 0; i < rounds; i++) {
		int fd = open(DIR "/fill", O_CREAT | O_RDWR | O_EXCL, 0600), n = 0;

		while (n < 16 && write(fd, page, sizeof(page)) == sizeof(page))
			n++;
		CHECK_EQ(n, 16);
		close(fd);
		CHECK_EQ(unlink(DIR "/fill"), 0);
	}
	CHECK_EQ(umount(DIR), 0);
}

/* Fills the file system of 64 KiB by stores to a new file, and removes that. */
static void fill_by_mapping(void)
{
	int fd = open(DIR "/fill", O_CREAT | O_RDWR | O_EXCL, 0600);
	char *file;

	CHECK_EQ(ftruncate(fd, 64 << 10), 0);
	file = mmap(NULL, 64 << 10, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (!CHECK(file != MAP_FAILED))
		return;
	for (int i = 0; i < 16; i++)
		file[i << 12] = 1;
	munmap(file, 64 << 10);
	CHECK_EQ(unlink(DIR "/fill"), 0);
}

static int fill_often(void)
{
	for (long i = test_rounds(40); i; i--)
		fill_by_mapping();
	return 0;
}

/* For a store to a mapping too: no SIGBUS. */
TEST(space_of_removed_files_comes_back_to_faults)
{
	dir_mount(0, "size=64k");
	CHECK_EQ(child_status(fill_often), 0);
	CHECK_EQ(umount(DIR), 0);
}

/* While there is none, it is a bus error. */
static int store_without_space(void)
{
	int fd = open(DIR "/more", O_CREAT | O_RDWR | O_EXCL, 0600);
	char *file;

	CHECK_EQ(ftruncate(fd, 4096), 0);
	file = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	*file = 1;
	return 0;
}

TEST(store_without_space_is_a_bus_error)
{
	int fd, status;

	dir_mount(0, "size=64k");
	fd = open(DIR "/fill", O_CREAT | O_RDWR | O_EXCL, 0600);
	CHECK_EQ(fallocate(fd, 0, 0, 64 << 10), 0);
	close(fd);
	status = child_status(store_without_space);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	CHECK_EQ(umount(DIR), 0);
}

TEST(tmpfs_has_limits)
{
	static char page[4096];
	struct statfs st;
	int fd, n = 0;

	dir_mount(0, "size=64k,nr_inodes=4");
	CHECK_EQ(statfs(DIR, &st), 0);
	CHECK_EQ(st.f_blocks, 16);
	CHECK_EQ(st.f_bfree, 16);
	CHECK_EQ(st.f_files, 4);
	CHECK_EQ(st.f_ffree, 3);
	fd = open(DIR "/fill", O_CREAT | O_RDWR, 0600);
	while (write(fd, page, sizeof(page)) == sizeof(page) && n < 100)
		n++;
	CHECK_EQ(errno, ENOSPC);
	CHECK_EQ(n, 16);
	CHECK_EQ(statfs(DIR, &st), 0);
	CHECK_EQ(st.f_bfree, 0);
	CHECK_EQ(ftruncate(fd, 0), 0);
	close(fd);
	CHECK_EQ(close(open(DIR "/2", O_CREAT | O_RDWR, 0600)), 0);
	CHECK_EQ(close(open(DIR "/3", O_CREAT | O_RDWR, 0600)), 0);
	CHECK_EQ(sys4(SYS_openat, AT_FDCWD, DIR "/4", O_CREAT | O_RDWR, 0600), -ENOSPC);
	CHECK_EQ(unlink(DIR "/3"), 0);
	CHECK_EQ(close(open(DIR "/4", O_CREAT | O_RDWR, 0600)), 0);
	CHECK_EQ(mount("test", DIR, "tmpfs", MS_REMOUNT, "size=128k"), 0);
	CHECK_EQ(statfs(DIR, &st), 0);
	CHECK_EQ(st.f_blocks, 32);
	CHECK_EQ(umount(DIR), 0);
}
