/*
 * Holes: SEEK_DATA and SEEK_HOLE, fallocate, the limit of RLIMIT_FSIZE.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/syscall/harness.h"

static int temp_file(void)
{
	return open("/tmp", O_TMPFILE | O_RDWR, 0600);
}

static long blocks(int fd)
{
	struct stat st;

	fstat(fd, &st);
	return st.st_blocks;
}

TEST(seek_finds_data_and_holes)
{
	int fd = temp_file();

	CHECK_EQ(sys3(SYS_lseek, fd, 0, SEEK_DATA), -ENXIO);
	CHECK_EQ(sys3(SYS_lseek, fd, 0, SEEK_HOLE), -ENXIO);
	CHECK_EQ(pwrite(fd, "x", 1, 8192), 1);
	CHECK_EQ(pwrite(fd, "x", 1, 40960), 1);
	CHECK_EQ(ftruncate(fd, 100000), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), 8192);
	CHECK_EQ(lseek(fd, 8200, SEEK_DATA), 8200);
	CHECK_EQ(lseek(fd, 8200, SEEK_HOLE), 12288);
	CHECK_EQ(lseek(fd, 12288, SEEK_DATA), 40960);
	CHECK_EQ(lseek(fd, 5, SEEK_HOLE), 5);
	CHECK_EQ(lseek(fd, 40960, SEEK_HOLE), 45056);
	CHECK_EQ(sys3(SYS_lseek, fd, 50000, SEEK_DATA), -ENXIO);
	CHECK_EQ(lseek(fd, 99999, SEEK_HOLE), 99999);
	CHECK_EQ(sys3(SYS_lseek, fd, 100000, SEEK_HOLE), -ENXIO);
	CHECK_EQ(pwrite(fd, "x", 1, 99999), 1);
	CHECK_EQ(lseek(fd, 99000, SEEK_HOLE), 100000);
	close(fd);
}

TEST(fallocate_allocates)
{
	int fd = temp_file();

	CHECK_EQ(fallocate(fd, 0, 0, 10000), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 10000);
	CHECK_EQ(blocks(fd), 24);
	CHECK_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 20000, 100), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 10000);
	CHECK_EQ(blocks(fd), 32);
	close(fd);
}

TEST(fallocate_punches)
{
	static char data[5 * 4096], back[sizeof(data)];
	int fd = temp_file();

	memset(data, 'd', sizeof(data));
	CHECK_EQ(write(fd, data, sizeof(data)), (long)sizeof(data));
	CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 10000), 0);
	memset(data + 100, 0, 10000);
	CHECK_EQ(pread(fd, back, sizeof(back), 0), (long)sizeof(back));
	CHECK_EQ(memcmp(data, back, sizeof(data)), 0);
	CHECK_EQ(blocks(fd), 4 * 8);
	CHECK_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 12300, 100), 0);
	memset(data + 12300, 0, 100);
	CHECK_EQ(pread(fd, back, sizeof(back), 0), (long)sizeof(back));
	CHECK_EQ(memcmp(data, back, sizeof(data)), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_END), (long)sizeof(data));
	close(fd);
}

TEST(fallocate_errors)
{
	int fd = temp_file(), p[2], dir = open("/tmp", O_RDONLY), null = open("/dev/null", O_RDWR);

	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(sys4(SYS_fallocate, fd, 0, -1, 10), -EINVAL);
	CHECK_EQ(sys4(SYS_fallocate, fd, 0, 0, 0), -EINVAL);
	CHECK_EQ(sys4(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE, 0, 10), -EOPNOTSUPP);
	CHECK_EQ(sys4(SYS_fallocate, fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096), -EOPNOTSUPP);
	CHECK_EQ(sys4(SYS_fallocate, fd, 0, 0x7fffffffffffffff, 10), -EFBIG);
	CHECK_EQ(sys4(SYS_fallocate, p[1], 0, 0, 10), -ESPIPE);
	CHECK_EQ(sys4(SYS_fallocate, dir, 0, 0, 10), -EBADF);
	CHECK_EQ(sys4(SYS_fallocate, null, 0, 0, 10), -ENODEV);
	CHECK_EQ(sys4(SYS_fallocate, -1, 0, 0, 10), -EBADF);
	close(fd);
	close(dir);
	close(null);
	close(p[0]);
	close(p[1]);
}

static int signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

TEST(files_end_at_the_limit)
{
	struct sigaction action = {.sa_handler = on_signal}, old;
	struct rlimit limit, small = {1000, RLIM_INFINITY};
	static char data[2000];
	int fd = temp_file();

	sigaction(SIGXFSZ, &action, &old);
	getrlimit(RLIMIT_FSIZE, &limit);
	small.rlim_max = limit.rlim_max;
	CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
	CHECK_EQ(write(fd, data, sizeof(data)), 1000);
	CHECK_EQ(signals, 0);
	CHECK_EQ(sys3(SYS_write, fd, data, 1), -EFBIG);
	CHECK_EQ(signals, 1);
	CHECK_EQ(sys2(SYS_ftruncate, fd, 1001), -EFBIG);
	CHECK_EQ(signals, 2);
	CHECK_EQ(ftruncate(fd, 10), 0);
	CHECK_EQ(sys4(SYS_fallocate, fd, 0, 0, 2000), -EFBIG);
	CHECK_EQ(signals, 3);
	setrlimit(RLIMIT_FSIZE, &limit);
	sigaction(SIGXFSZ, &old, NULL);
	close(fd);
}
