/*
 * memfd_create and seals.
 */
#include "tests/syscall/files/files.h"

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 16U
#endif

TEST(memfd_is_a_file)
{
	char link[64], text[PATH_MAX] = {0};
	int fd = memfd_create("scratch", MFD_CLOEXEC);
	struct stat st;
	char *map;

	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	CHECK_EQ(write(fd, "hello", 5), 5);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 5);
	CHECK_EQ(st.st_nlink, 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0777);
	CHECK_EQ(ftruncate(fd, 8192), 0);
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED && memcmp(map, "hello", 5) == 0);
	map[4096] = 'x';
	CHECK_EQ(pread(fd, text, 1, 4096), 1);
	CHECK_EQ(text[0], 'x');
	munmap(map, 8192);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	CHECK(readlink(link, text, sizeof(text) - 1) > 0);
	CHECK(strcmp(text, "/memfd:scratch (deleted)") == 0);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
	close(fd);
	CHECK_ERRNO(memfd_create("x", 1 << 9), EINVAL);
	CHECK_ERRNO(memfd_create("x", MFD_EXEC | MFD_NOEXEC_SEAL), EINVAL);
	CHECK_EQ(sys2(__NR_memfd_create, 8, 0), -EFAULT);
	memset(text, 'a', 250);
	text[250] = '\0';
	CHECK_ERRNO(memfd_create(text, 0), EINVAL);
	text[249] = '\0';
	fd = memfd_create(text, 0);
	CHECK(fd >= 0);
	close(fd);
}

TEST(seals_of_size)
{
	int fd = memfd_create("s", MFD_ALLOW_SEALING);

	CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
	CHECK_EQ(ftruncate(fd, 4096), 0);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	CHECK_ERRNO(ftruncate(fd, 100), EPERM);
	CHECK_EQ(ftruncate(fd, 8192), 0);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	CHECK_ERRNO(ftruncate(fd, 16384), EPERM);
	CHECK_ERRNO(pwrite(fd, "ab", 2, 8192), EPERM);
	CHECK_EQ(pwrite(fd, "ab", 2, 0), 2);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW);
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, 1 << 20), EINVAL);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL), 0);
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	close(fd);
}

TEST(seal_of_writes)
{
	int fd = memfd_create("s", MFD_ALLOW_SEALING), ends[2];
	char *map;

	CHECK_EQ(ftruncate(fd, 4096), 0);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	map[0] = 'x';
	CHECK_ERRNO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	munmap(map, 4096);
	CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	CHECK_ERRNO(pwrite(fd, "ab", 2, 0), EPERM);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK_EQ(errno, EPERM);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED && map[0] == 'x');
	CHECK_ERRNO(mprotect(map, 4096, PROT_READ | PROT_WRITE), EACCES);
	munmap(map, 4096);
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(map != MAP_FAILED);
	map[0] = 'y';
	munmap(map, 4096);
	close(fd);
	CHECK_EQ(pipe(ends), 0);
	CHECK_ERRNO(fcntl(ends[0], F_GET_SEALS), EINVAL);
	CHECK_ERRNO(fcntl(ends[1], F_ADD_SEALS, F_SEAL_GROW), EINVAL);
	close(ends[0]);
	close(ends[1]);
}

TEST(seal_of_the_mode)
{
	int fd = memfd_create("s", MFD_NOEXEC_SEAL);
	struct stat st;

	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0666);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_EXEC);
	CHECK_ERRNO(fchmod(fd, 0777), EPERM);
	CHECK_EQ(fchmod(fd, 0600), 0);
	close(fd);
}
