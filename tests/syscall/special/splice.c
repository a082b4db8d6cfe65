/*
 * splice, tee, vmsplice, sendfile, copy_file_range: bytes arrive once, positions move, errors.
 */
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "tests/syscall/harness.h"

static int file_with(const char *text)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	CHECK_EQ(write(fd, text, strlen(text)), (long)strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void expect(int fd, const char *text)
{
	char buf[64] = "";

	CHECK_EQ(read(fd, buf, sizeof(buf) - 1), (long)strlen(text));
	CHECK_EQ(strcmp(buf, text), 0);
}

TEST(splice_through_a_pipe)
{
	int from = file_with("0123456789"), to = file_with(""), p[2];
	loff_t pos = 2;

	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(splice(from, &pos, p[1], NULL, 5, 0), 5);
	CHECK_EQ(pos, 7);
	CHECK_EQ(lseek(from, 0, SEEK_CUR), 0);
	CHECK_EQ(splice(from, NULL, p[1], NULL, 3, 0), 3);
	CHECK_EQ(lseek(from, 0, SEEK_CUR), 3);
	CHECK_EQ(splice(p[0], NULL, to, NULL, 100, 0), 8);
	CHECK_EQ(lseek(to, 0, SEEK_CUR), 8);
	CHECK_EQ(splice(p[0], NULL, to, NULL, 100, SPLICE_F_NONBLOCK), -1);
	CHECK_EQ(errno, EAGAIN);
	close(p[1]);
	CHECK_EQ(splice(p[0], NULL, to, NULL, 100, 0), 0);
	lseek(to, 0, SEEK_SET);
	expect(to, "23456012");
	close(p[0]);
	close(from);
	close(to);
}

TEST(splice_keeps_what_the_other_pipe_has_no_room_for)
{
	static char big[4 * 4096];
	int a[2], b[2];
	long total = 0, got;

	CHECK_EQ(pipe2(a, O_NONBLOCK), 0);
	CHECK_EQ(pipe2(b, O_NONBLOCK), 0);
	CHECK_EQ(fcntl(b[1], F_SETPIPE_SZ, 4096), 4096);
	memset(big, 'x', sizeof(big));
	CHECK_EQ(write(a[1], big, sizeof(big)), (long)sizeof(big));
	while ((got = splice(a[0], NULL, b[1], NULL, sizeof(big), 0)) > 0) {
		long n = read(b[0], big, sizeof(big));

		CHECK_EQ(n, got);
		total += n;
	}
	CHECK_EQ(total, (long)sizeof(big));
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

TEST(tee_leaves_the_bytes)
{
	int a[2], b[2];

	CHECK_EQ(pipe(a), 0);
	CHECK_EQ(pipe(b), 0);
	CHECK_EQ(write(a[1], "twice", 5), 5);
	CHECK_EQ(tee(a[0], b[1], 100, 0), 5);
	expect(a[0], "twice");
	expect(b[0], "twice");
	CHECK_EQ(sys4(SYS_tee, a[0], b[1], 100, SPLICE_F_NONBLOCK), -EAGAIN);
	CHECK_EQ(sys4(SYS_tee, a[0], a[1], 100, 0), -EINVAL);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

TEST(vmsplice_both_ways)
{
	char text[16] = "memory", back[16] = "";
	struct iovec out = {text, 6}, in = {back, 16};
	int p[2];

	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(vmsplice(p[1], &out, 1, 0), 6);
	CHECK_EQ(vmsplice(p[0], &in, 1, 0), 6);
	CHECK_EQ(strcmp(back, text), 0);
	close(p[0]);
	close(p[1]);
	CHECK_EQ(sys4(SYS_vmsplice, 0, &in, 1, 0), -EBADF);
}

TEST(sendfile_moves_positions)
{
	int from = file_with("sendfile here"), to = file_with(""), p[2];
	off_t pos = 9;

	CHECK_EQ(sendfile(to, from, NULL, 8), 8);
	CHECK_EQ(lseek(from, 0, SEEK_CUR), 8);
	CHECK_EQ(sendfile(to, from, &pos, 100), 4);
	CHECK_EQ(pos, 13);
	CHECK_EQ(lseek(from, 0, SEEK_CUR), 8);
	lseek(to, 0, SEEK_SET);
	expect(to, "sendfilehere");
	CHECK_EQ(pipe(p), 0);
	pos = 0;
	CHECK_EQ(sendfile(p[1], from, &pos, 4), 4);
	expect(p[0], "send");
	CHECK_EQ(sys4(SYS_sendfile, to, p[0], NULL, 4), -EINVAL);
	close(p[0]);
	close(p[1]);
	close(from);
	close(to);
}

TEST(copy_file_range_copies)
{
	int from = file_with("abcdefgh"), to = file_with("........");
	loff_t in = 2, out = 1;

	CHECK_EQ(copy_file_range(from, &in, to, &out, 3, 0), 3);
	CHECK_EQ(in, 5);
	CHECK_EQ(out, 4);
	expect(to, ".cde....");
	in = 0;
	out = 2;
	CHECK_EQ(sys6(SYS_copy_file_range, from, &in, from, &out, 4, 0), -EINVAL);
	out = 4;
	CHECK_EQ(copy_file_range(from, &in, from, &out, 4, 0), 4);
	expect(from, "abcdabcd");
	CHECK_EQ(sys6(SYS_copy_file_range, from, NULL, to, NULL, 4, 1), -EINVAL);
	close(from);
	close(to);
}

TEST(splice_errors)
{
	int f = file_with("x"), p[2],
	    append = open("/tmp/special-append", O_CREAT | O_WRONLY | O_APPEND, 0600);
	loff_t pos = 0;

	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(sys6(SYS_splice, f, NULL, f, NULL, 1, 0), -EINVAL);
	CHECK_EQ(sys6(SYS_splice, p[0], &pos, f, NULL, 1, 0), -ESPIPE);
	CHECK_EQ(sys6(SYS_splice, f, page_unmapped(), p[1], NULL, 1, 0), -EFAULT);
	CHECK_EQ(sys6(SYS_splice, p[1], NULL, f, NULL, 1, 0), -EBADF);
	CHECK_EQ(sys6(SYS_splice, f, NULL, p[1], NULL, 1, 0x100), -EINVAL);
	CHECK_EQ(sys6(SYS_splice, f, NULL, p[1], NULL, 0, 0x100), 0);
	CHECK_EQ(write(p[1], "x", 1), 1);
	CHECK_EQ(sys6(SYS_splice, p[0], NULL, append, NULL, 1, 0), -EINVAL);
	close(append);
	unlink("/tmp/special-append");
	close(f);
	close(p[0]);
	close(p[1]);
}
