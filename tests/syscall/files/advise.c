/*
 * posix_fadvise and readahead.
 */
#include "tests/syscall/files/files.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

static long advise(int fd, off_t offset, off_t len, int advice)
{
	return sys4(SYS_fadvise64, fd, offset, len, advice);
}

TEST(advice_on_files)
{
	int fd, dir, path;

	enter_fresh_directory();
	fd = open("f", O_CREAT | O_WRONLY, 0600);
	dir = open(".", O_RDONLY);
	path = open("f", O_PATH);
	for (int advice = POSIX_FADV_NORMAL; advice <= POSIX_FADV_NOREUSE; advice++) {
		CHECK_EQ(advise(fd, 0, 0, advice), 0);
		CHECK_EQ(advise(fd, 1L << 40, 5, advice), 0);
		CHECK_EQ(advise(dir, 0, 0, advice), 0);
	}
	CHECK_EQ(advise(fd, -1, 0, POSIX_FADV_NORMAL), 0);
	CHECK_EQ(advise(fd, 0, -1, POSIX_FADV_NORMAL), -EINVAL);
	CHECK_EQ(advise(fd, 0, 0, POSIX_FADV_NOREUSE + 1), -EINVAL);
	CHECK_EQ(advise(fd, 0, 0, -1), -EINVAL);
	CHECK_EQ(advise(path, 0, 0, POSIX_FADV_NORMAL), -EBADF);
	CHECK_EQ(advise(-1, 0, 0, POSIX_FADV_NORMAL), -EBADF);
	close(fd);
	close(dir);
	close(path);
}

TEST(advice_on_what_is_no_file)
{
	int pipes[2], pair[2], event = eventfd(0, 0);

	CHECK_EQ(pipe(pipes), 0);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	CHECK_EQ(advise(pipes[0], 0, -1, 99), -ESPIPE);
	CHECK_EQ(advise(pair[0], 0, 0, POSIX_FADV_WILLNEED), 0);
	CHECK_EQ(advise(pair[0], 0, 0, 6), -EINVAL);
	CHECK_EQ(advise(event, 0, 0, POSIX_FADV_WILLNEED), 0);
	CHECK_EQ(sys3(SYS_readahead, pipes[0], 0, 1), -EINVAL);
	CHECK_EQ(sys3(SYS_readahead, pair[0], 0, 1), -EINVAL);
	CHECK_EQ(sys3(SYS_readahead, event, 0, 1), -EINVAL);
	for (int i = 0; i < 2; i++) {
		close(pipes[i]);
		close(pair[i]);
	}
	close(event);
}

TEST(reading_ahead)
{
	int fd, dir, write_only, path;

	enter_fresh_directory();
	write_file("f", "12345");
	fd = open("f", O_RDONLY);
	dir = open(".", O_RDONLY);
	write_only = open("f", O_WRONLY);
	path = open("f", O_PATH);
	CHECK_EQ(sys3(SYS_readahead, fd, 0, 4096), 0);
	CHECK_EQ(sys3(SYS_readahead, fd, 1L << 40, 4096), 0);
	CHECK_EQ(sys3(SYS_readahead, fd, 0, -1), -EINVAL);
	CHECK_EQ(sys3(SYS_readahead, dir, 0, 1), -EINVAL);
	CHECK_EQ(sys3(SYS_readahead, write_only, 0, 1), -EBADF);
	CHECK_EQ(sys3(SYS_readahead, path, 0, 1), -EBADF);
	CHECK_EQ(sys3(SYS_readahead, -1, 0, 1), -EBADF);
	close(fd);
	close(dir);
	close(write_only);
	close(path);
}
