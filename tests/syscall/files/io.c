/*
 * Reading, writing, positions, sizes, times, mappings of files.
 */
#include "tests/syscall/files/files.h"

TEST(read_write_seek)
{
	char buf[16] = {0};
	struct stat st;
	int fd;

	enter_fresh_directory();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK_EQ(write(fd, "hello world", 11), 11);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 11);
	CHECK_EQ(read(fd, buf, sizeof(buf)), 0);
	CHECK_EQ(lseek(fd, -5, SEEK_END), 6);
	CHECK_EQ(read(fd, buf, sizeof(buf)), 5);
	CHECK(strcmp(buf, "world") == 0);
	CHECK_EQ(pread(fd, buf, 5, 0), 5);
	CHECK(strcmp(buf, "hello") == 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 11);
	CHECK_EQ(pwrite(fd, "J", 1, 0), 1);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 11);
	CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERRNO(lseek(fd, 0, 77), EINVAL);
	CHECK_ERRNO(lseek(fd, 11, SEEK_DATA), ENXIO);
	CHECK_EQ(lseek(fd, 2, SEEK_HOLE), 11);
	CHECK_EQ(lseek(fd, 2, SEEK_DATA), 2);
	CHECK_ERRNO(pread(fd, buf, 1, -1), EINVAL);
	close(fd);
}

TEST(access_modes)
{
	char buf[4];
	int fd;

	enter_fresh_directory();
	write_file("f", "abc");
	fd = open("f", O_RDONLY);
	CHECK_ERRNO(write(fd, "x", 1), EBADF);
	CHECK_ERRNO(ftruncate(fd, 0), EINVAL);
	close(fd);
	fd = open("f", O_WRONLY);
	CHECK_ERRNO(read(fd, buf, 1), EBADF);
	close(fd);
	CHECK_ERRNO(read(fd, buf, 1), EBADF);
	CHECK_ERRNO(read(-1, buf, 1), EBADF);
}

TEST(bad_buffers)
{
	char *none = page_unmapped();
	char text[8] = "1234567";
	int fd;

	enter_fresh_directory();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK_ERRNO(write(fd, none, 4), EFAULT);
	CHECK_EQ(write(fd, text, 8), 8);
	CHECK_ERRNO(pread(fd, none, 4, 0), EFAULT);
	CHECK_ERRNO(pread(fd, KERNEL_ADDRESS, 4, 0), EFAULT);
	CHECK_ERRNO(pread(fd, page_read_only(), 4, 0), EFAULT);
	/* Nothing to copy: no fault. */
	CHECK_EQ(pread(fd, none, 4, 8), 0);
	CHECK_EQ(write(fd, none, 0), 0);
	close(fd);
}

TEST(partial_copies)
{
	long page = sysconf(_SC_PAGESIZE);
	char *map = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	enter_fresh_directory();
	CHECK_EQ(munmap(map + page, (size_t)page), 0);
	fd = open("f", O_CREAT | O_RDWR, 0644);
	memset(map, 'x', (size_t)page);
	/*
	 * By whole pages: Linux 6.12 on riscv64 never returns from a write whose readable part ends
	 * within a word's reach.
	 */
	CHECK_EQ(write(fd, map, (size_t)page + 100), page);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), page);
	CHECK_EQ(ftruncate(fd, 3 * page), 0);
	CHECK_EQ(pread(fd, map, (size_t)page + 100, 0), page);
	close(fd);
	munmap(map, (size_t)page);
}

TEST(vectors)
{
	char a[3], b[5];
	struct iovec in[3] = {{a, 3}, {NULL, 0}, {b, 5}}, bad[2] = {{a, 1}, {NULL, (size_t)-1}};
	struct iovec many[20];
	int fd;

	enter_fresh_directory();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	memcpy(a, "abc", 3);
	memcpy(b, "defgh", 5);
	CHECK_EQ(writev(fd, in, 3), 8);
	memset(a, 0, 3);
	memset(b, 0, 5);
	CHECK_EQ(preadv(fd, in, 3, 1), 7);
	CHECK(memcmp(a, "bcd", 3) == 0);
	CHECK(memcmp(b, "efgh", 4) == 0);
	CHECK_ERRNO(writev(fd, bad, 2), EINVAL);
	CHECK_EQ(sys3(SYS_writev, fd, in, -1), -EINVAL);
	CHECK_EQ(sys3(SYS_writev, fd, in, 1025), -EINVAL);
	CHECK_ERRNO(writev(fd, (struct iovec *)page_unmapped(), 2), EFAULT);
	CHECK_EQ(writev(fd, in, 0), 0);
	for (int i = 0; i < 20; i++)
		many[i] = (struct iovec){b, 1};
	CHECK_EQ(pwritev(fd, many, 20, 100), 20);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 120);
	close(fd);
}

TEST(append)
{
	char buf[16];
	int fd, other;

	enter_fresh_directory();
	write_file("f", "one");
	fd = open("f", O_WRONLY | O_APPEND);
	other = open("f", O_WRONLY | O_APPEND);
	CHECK_EQ(write(fd, "two", 3), 3);
	CHECK_EQ(write(other, "three", 5), 5);
	CHECK_EQ(write(fd, "!", 1), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 12);
	CHECK_EQ(read_file("f", buf, sizeof(buf)), 12);
	CHECK(strcmp(buf, "onetwothree!") == 0);
	close(fd);
	close(other);
}

TEST(sparse_and_truncate)
{
	static char buf[8192], zero[8192];
	struct stat st;
	int fd;

	enter_fresh_directory();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK_EQ(pwrite(fd, "end", 3, 1000000), 3);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 1000003);
	CHECK(st.st_blocks * 512 < 100000);
	CHECK_EQ(pread(fd, buf, sizeof(buf), 4000), sizeof(buf));
	CHECK(memcmp(buf, zero, sizeof(buf)) == 0);
	CHECK_EQ(pwrite(fd, "0123456789", 10, 0), 10);
	CHECK_EQ(ftruncate(fd, 4), 0);
	CHECK_EQ(ftruncate(fd, 100), 0);
	CHECK_EQ(pread(fd, buf, sizeof(buf), 0), 100);
	CHECK(memcmp(buf, "0123", 4) == 0);
	CHECK(memcmp(buf + 4, zero, 96) == 0);
	CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
	CHECK_EQ(truncate("f", 1), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 1);
	CHECK_ERRNO(truncate(".", 1), EISDIR);
	close(fd);
	fd = open("f", O_WRONLY | O_TRUNC);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 0);
	close(fd);
}

TEST(large_file)
{
	enum { CHUNK = 1 << 20, CHUNKS = 8 };
	char *buf = malloc(CHUNK), *back = malloc(CHUNK);
	int fd;

	enter_fresh_directory();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	for (int i = 0; i < CHUNKS; i++) {
		memset(buf, 'a' + i, CHUNK);
		CHECK_EQ(write(fd, buf, CHUNK), CHUNK);
	}
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	for (int i = 0; i < CHUNKS; i++) {
		memset(buf, 'a' + i, CHUNK);
		CHECK_EQ(read(fd, back, CHUNK), CHUNK);
		CHECK(memcmp(buf, back, CHUNK) == 0);
	}
	close(fd);
	CHECK_EQ(unlink("f"), 0);
	free(buf);
	free(back);
}

TEST(times)
{
	struct timespec set[2] = {{1000, 5}, {2000, 7}}, omit[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
	struct stat st;
	int fd;

	enter_fresh_directory();
	write_file("f", "x");
	CHECK_EQ(utimensat(AT_FDCWD, "f", set, 0), 0);
	CHECK_EQ(stat("f", &st), 0);
	CHECK_EQ(st.st_atim.tv_sec, 1000);
	CHECK_EQ(st.st_atim.tv_nsec, 5);
	CHECK_EQ(st.st_mtim.tv_sec, 2000);
	CHECK_EQ(st.st_mtim.tv_nsec, 7);
	CHECK_EQ(utimensat(AT_FDCWD, "f", omit, 0), 0);
	CHECK_EQ(stat("f", &st), 0);
	CHECK_EQ(st.st_atim.tv_sec, 1000);
	CHECK(st.st_mtim.tv_sec > 2000);
	set[0].tv_nsec = 1000000000;
	CHECK_ERRNO(utimensat(AT_FDCWD, "f", set, 0), EINVAL);
	fd = open("f", O_RDWR);
	set[0].tv_nsec = 0;
	CHECK_EQ(futimens(fd, set), 0);
	CHECK_EQ(write(fd, "y", 1), 1);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(st.st_mtim.tv_sec > 2000);
	CHECK_EQ(fsync(fd), 0);
	CHECK_EQ(fdatasync(fd), 0);
	close(fd);
}

TEST(sync_of_a_range)
{
	int fd = open("f", O_RDWR | O_CREAT, 0600), path = open("f", O_PATH), p[2];
	unsigned int all =
		SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(sync_file_range(fd, 0, 0, all), 0);
	CHECK_EQ(sync_file_range(fd, 4096, 10, 0), 0);
	CHECK_ERRNO(sync_file_range(fd, 0, 0, 8), EINVAL);
	CHECK_ERRNO(sync_file_range(fd, -1, 2, all), EINVAL);
	CHECK_ERRNO(sync_file_range(fd, 5, -1, all), EINVAL);
	CHECK_ERRNO(sync_file_range(fd, INT64_MAX, 1, all), EINVAL);
	CHECK_ERRNO(sync_file_range(p[1], 0, 0, all), ESPIPE);
	CHECK_ERRNO(sync_file_range(p[1], -1, 0, all), EINVAL);
	CHECK_ERRNO(sync_file_range(path, 0, 0, all), EBADF);
	CHECK_ERRNO(sync_file_range(-1, 0, 0, all), EBADF);
	close(fd);
	close(path);
	close(p[0]);
	close(p[1]);
}

/* Reads and writes of every alignment and many lengths move those bytes and no other. */
TEST(copies_of_every_alignment)
{
	unsigned char out[400], in[400], wanted[400];
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);
	bool right = true;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (unsigned char)(i * 7 + i / 256);
	for (size_t at = 0; at < 64; at++) {
		size_t from = at % 8, to = at / 8;

		for (size_t len = 0; len < 300; len += len < 80 ? 1 : 37) {
			memset(in, 0xee, sizeof(in));
			memset(wanted, 0xee, sizeof(wanted));
			memcpy(wanted + to, out + from, len);
			right = right && pwrite(fd, out + from, len, (off_t)at) == (ssize_t)len;
			right = right && pread(fd, in + to, len, (off_t)at) == (ssize_t)len;
			right = right && !memcmp(in, wanted, sizeof(in));
		}
	}
	CHECK(right);
	close(fd);
}

/* A buffer ends where nothing is mapped: what lies before arrives, and is counted. */
TEST(copies_up_to_a_hole)
{
	char *hole = page_unmapped(), *page = mmap(hole - 4096, 4096, PROT_READ | PROT_WRITE,
						   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	char data[400];
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0600);

	memset(data, 'x', sizeof(data));
	CHECK_EQ(write(fd, data, sizeof(data)), sizeof(data));
	for (long room = 70; room < 150; room++)
		for (off_t at = 0; at < 8; at++) {
			long got;

			memset(page, 0, 4096);
			got = pread(fd, hole - room, 300, at);
			/* Linux may leave out a part of the last 64 bytes. */
			if (!CHECK(got <= room && got > room - 64) ||
			    !CHECK(memcmp(hole - room, data, (size_t)got) == 0))
				return;
			CHECK_EQ(hole[-room - 1], 0);
		}
	close(fd);
}

TEST(mappings_and_reads_agree)
{
	long page = sysconf(_SC_PAGESIZE);
	char buf[8] = {0}, *shared, *private;
	int fd;

	enter_fresh_directory();
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK_EQ(ftruncate(fd, page), 0);
	shared = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	private = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(shared != MAP_FAILED && private != MAP_FAILED);
	memcpy(shared, "shared", 6);
	CHECK_EQ(pread(fd, buf, 6, 0), 6);
	CHECK(memcmp(buf, "shared", 6) == 0);
	CHECK(memcmp(private, "shared", 6) == 0);
	CHECK_EQ(pwrite(fd, "S", 1, 0), 1);
	CHECK(shared[0] == 'S');
	private[1] = 'X';
	CHECK(shared[1] == 'h');
	munmap(shared, (size_t)page);
	munmap(private, (size_t)page);
	close(fd);
	fd = open("f", O_RDONLY);
	CHECK_ERRNO(mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	close(fd);
}

TEST(statx_and_statfs)
{
	struct statx stx;
	struct stat st;
	struct statfs fs;

	enter_fresh_directory();
	write_file("f", "12345");
	CHECK_EQ(stat("f", &st), 0);
	CHECK_EQ(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS | STATX_BTIME, &stx), 0);
	CHECK_EQ(stx.stx_size, 5);
	CHECK_EQ(stx.stx_ino, st.st_ino);
	CHECK_EQ(stx.stx_mode, st.st_mode);
	CHECK_EQ(stx.stx_mtime.tv_sec, st.st_mtim.tv_sec);
	CHECK((stx.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	CHECK_ERRNO(statx(AT_FDCWD, "f", 0x10, STATX_BASIC_STATS, &stx), EINVAL);
	CHECK_EQ(fstatat(0, "", &st, AT_EMPTY_PATH), 0);
	CHECK_ERRNO(fstatat(AT_FDCWD, "f", &st, 0x8000), EINVAL);
	CHECK_EQ(statfs("/proc", &fs), 0);
	CHECK_EQ(fs.f_type, 0x9fa0);
	CHECK_EQ(statfs("f", &fs), 0);
	CHECK_EQ(fs.f_namelen, 255);
	CHECK_EQ(access("f", R_OK | W_OK), 0);
	CHECK_ERRNO(access("f", X_OK), EACCES);
	CHECK_ERRNO(access("missing", F_OK), ENOENT);
	CHECK_EQ(sys3(SYS_faccessat, AT_FDCWD, "f", 8), -EINVAL);
}

/* A tmpfs takes O_DIRECT and has nothing to do for it; what has no blocks refuses it. */
TEST(direct_io)
{
	char buf[16];
	int fd;

	enter_fresh_directory();
	fd = open("f", O_CREAT | O_RDWR | O_DIRECT, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_DIRECT, O_DIRECT);
	CHECK_EQ(write(fd, "text", 4), 4);
	CHECK_EQ(pread(fd, buf, 3, 1), 3);
	CHECK_EQ(fcntl(fd, F_SETFL, 0), 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_DIRECT, 0);
	CHECK_EQ(fcntl(fd, F_SETFL, O_DIRECT), 0);
	CHECK_EQ(close(fd), 0);
	CHECK_ERRNO(open("/dev/null", O_RDWR | O_DIRECT), EINVAL);
	CHECK_ERRNO(open("/proc/self/stat", O_RDONLY | O_DIRECT), EINVAL);
	CHECK_ERRNO(open("/tmp", O_RDONLY | O_DIRECT), EINVAL);
	fd = open("/dev/null", O_RDWR);
	CHECK_ERRNO(fcntl(fd, F_SETFL, O_DIRECT), EINVAL);
	CHECK_EQ(close(fd), 0);
}
