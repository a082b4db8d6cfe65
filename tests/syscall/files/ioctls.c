/*
 * Requests that any file may be asked: block size, bytes used, and sharing of blocks, which a tmpfs refuses after its checks.
 */
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "tests/syscall/harness.h"

#define FIOQSIZE_NUMBER 0x5460

static int memory_file(const char *name)
{
	int fd = memfd_create(name, 0);

	CHECK(fd >= 0);
	return fd;
}

TEST(block_size_and_bytes_used)
{
	int fd = memory_file("blocks"), size = 0;
	long long bytes = -1;
	int p[2];

	CHECK_EQ(ioctl(fd, FIGETBSZ, &size), 0);
	CHECK_EQ(size, 4096);
	CHECK_EQ(sys3(SYS_ioctl, fd, FIGETBSZ, 8), -EFAULT);
	CHECK_EQ(pwrite(fd, "x", 1, 100000), 1);
	CHECK_EQ(ioctl(fd, FIOQSIZE_NUMBER, &bytes), 0);
	CHECK_EQ(bytes, 4096);
	CHECK_EQ(sys3(SYS_ioctl, fd, FIOQSIZE_NUMBER, 8), -EFAULT);
	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(sys3(SYS_ioctl, p[0], FIOQSIZE_NUMBER, &bytes), -ENOTTY);
	close(p[0]);
	close(p[1]);
	close(fd);
}

TEST(blocks_cannot_be_shared)
{
	int from = memory_file("from"), to = memory_file("to"), dir = open("/", O_RDONLY);
	int self = open("/proc/self/comm", O_RDONLY);
	struct file_clone_range range = {.src_fd = from};
	char path[64];
	int reader;

	CHECK_EQ(sys3(SYS_ioctl, to, FICLONE, from), -EOPNOTSUPP);
	CHECK_EQ(sys3(SYS_ioctl, to, FICLONERANGE, &range), -EOPNOTSUPP);
	CHECK_EQ(sys3(SYS_ioctl, to, FICLONERANGE, 8), -EFAULT);
	CHECK_EQ(sys3(SYS_ioctl, to, FICLONE, -1), -EBADF);
	CHECK_EQ(sys3(SYS_ioctl, to, FICLONE, self), -EXDEV);
	CHECK_EQ(sys3(SYS_ioctl, dir, FICLONE, dir), -EISDIR);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", to);
	reader = open(path, O_RDONLY);
	CHECK_EQ(sys3(SYS_ioctl, reader, FICLONE, from), -EBADF);
	close(reader);
	reader = open(path, O_WRONLY | O_APPEND);
	CHECK_EQ(sys3(SYS_ioctl, reader, FICLONE, from), -EBADF);
	close(reader);
	close(self);
	close(dir);
	close(to);
	close(from);
}

TEST(extents_are_not_told)
{
	struct fiemap map = {.fm_length = FIEMAP_MAX_OFFSET};
	int fd = memory_file("extents");

	CHECK_EQ(sys3(SYS_ioctl, fd, FS_IOC_FIEMAP, &map), -EOPNOTSUPP);
	close(fd);
}
