/*
 * Names, permissions, sizes and limits of POSIX message queues.
 */
#include "tests/syscall/mqueue/mqueue.h"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

TEST(queues_have_names)
{
	long a, b;

	CHECK_EQ(mq_open_("test-a", O_RDWR, 0, NULL), -ENOENT);
	a = mq_open_("test-a", O_CREAT | O_WRONLY, 0600, NULL);
	CHECK(a >= 0);
	CHECK_EQ(fcntl((int)a, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(mq_open_("test-a", O_CREAT | O_EXCL | O_RDWR, 0600, NULL), -EEXIST);
	CHECK_EQ(mq_open_("test-a", O_CREAT | O_ACCMODE, 0600, NULL), -EINVAL);
	b = mq_open_("test-a", O_RDONLY, 0, NULL);
	CHECK(b >= 0);
	CHECK_EQ(put((int)a, "hello", 3), 0);
	CHECK_EQ(mq_unlink_("test-a"), 0);
	CHECK_EQ(mq_unlink_("test-a"), -ENOENT);
	CHECK_EQ(mq_open_("test-a", O_RDWR, 0, NULL), -ENOENT);
	/* It lives on while it is open. */
	{
		char text[8192];
		unsigned int prio = 0;

		CHECK_EQ(mq_receive_(b, text, sizeof(text), &prio, NULL), 5);
		CHECK_EQ(prio, 3);
		CHECK_EQ(mq_receive_(a, text, sizeof(text), &prio, NULL), -EBADF);
		CHECK_EQ(mq_send_(b, text, 1, 0, NULL), -EBADF);
	}
	close((int)a);
	close((int)b);
}

TEST(bad_names)
{
	char longest[258];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[257] = '\0';
	CHECK_EQ(mq_open_("", O_CREAT | O_RDWR, 0600, NULL), -ENOENT);
	CHECK_EQ(mq_open_("/test", O_CREAT | O_RDWR, 0600, NULL), -EACCES);
	CHECK_EQ(mq_open_("a/b", O_CREAT | O_RDWR, 0600, NULL), -EACCES);
	CHECK_EQ(mq_open_(".", O_RDWR, 0600, NULL), -EACCES);
	CHECK_EQ(mq_open_("..", O_RDWR, 0600, NULL), -EACCES);
	CHECK_EQ(mq_open_(longest, O_CREAT | O_RDWR, 0600, NULL), -ENAMETOOLONG);
	CHECK_EQ(mq_unlink_("a/b"), -EACCES);
	CHECK_EQ(mq_unlink_(""), -ENOENT);
	CHECK_EQ(mq_open_(8, O_RDWR, 0, NULL), -EFAULT);
	CHECK_EQ(mq_open_("test-b", O_CREAT | O_RDWR, 0600, 8), -EFAULT);
}

static long try_size(long messages, long bytes)
{
	struct mq_attr attr = {.mq_maxmsg = messages, .mq_msgsize = bytes};
	long q = mq_open_("test-size", O_CREAT | O_EXCL | O_RDWR, 0600, &attr);

	if (q < 0)
		return q;
	mq_unlink_("test-size");
	memset(&attr, 0, sizeof(attr));
	CHECK_EQ(mq_getsetattr_(q, NULL, &attr), 0);
	close((int)q);
	return attr.mq_maxmsg == messages && attr.mq_msgsize == bytes && attr.mq_curmsgs == 0 ? 0 : 1;
}

static int user_body(void)
{
	if (setresuid(4326, 4326, 4326))
		return 1;
	if (try_size(10, 8192) || try_size(11, 1) != -EINVAL || try_size(1, 8193) != -EINVAL)
		return 2;
	if (mq_open_("test-mode", O_RDONLY, 0, NULL) != -EACCES || mq_unlink_("test-mode") != -EPERM)
		return 3;
	return mq_open_("test-mode", O_WRONLY, 0, NULL) < 0 ? 4 : 0;
}

TEST(sizes_and_rights)
{
	long q;

	CHECK_EQ(try_size(0, 1), -EINVAL);
	CHECK_EQ(try_size(1, 0), -EINVAL);
	CHECK_EQ(try_size(-1, 1), -EINVAL);
	CHECK_EQ(try_size(65537, 1), -EINVAL);
	CHECK_EQ(try_size(1, (16 << 20) + 1), -EINVAL);
	CHECK_EQ(try_size(100, 5), 0);
	umask(0);
	q = mq_open_("test-mode", O_CREAT | O_RDWR, 0622, NULL);
	CHECK(q >= 0);
	CHECK_EQ(child_status(user_body), 0);
	CHECK_EQ(mq_unlink_("test-mode"), 0);
	close((int)q);
	umask(022);
}

/* 100 messages of 1000 bytes are counted as 100 * 1000 and 96 more each, on Linux 6.12. */
static int limit_body(void)
{
	struct rlimit limit = {2 * 109600 + 100, 2 * 109600 + 100};
	struct mq_attr attr = {.mq_maxmsg = 100, .mq_msgsize = 1000};
	long a, b;

	if (setrlimit(RLIMIT_MSGQUEUE, &limit))
		return 1;
	a = mq_open_("test-l1", O_CREAT | O_RDWR, 0600, &attr);
	b = mq_open_("test-l2", O_CREAT | O_RDWR, 0600, &attr);
	if (a < 0 || b < 0)
		return 2;
	if (mq_open_("test-l3", O_CREAT | O_RDWR, 0600, &attr) != -EMFILE)
		return 3;
	if (mq_unlink_("test-l1") || mq_unlink_("test-l2") || mq_unlink_("test-l3") != -ENOENT)
		return 4;
	/* What is closed is given back. */
	close((int)a);
	a = mq_open_("test-l3", O_CREAT | O_RDWR, 0600, &attr);
	return a < 0 || mq_unlink_("test-l3") ? 5 : 0;
}

TEST(memory_of_queues_is_limited)
{
	CHECK_EQ(child_status(limit_body), 0);
}

TEST(queues_as_files)
{
	int q = fresh_queue(4, 0);
	struct stat st;
	char text[128];
	long n;

	CHECK_EQ(put(q, "12345", 0), 0);
	CHECK_EQ(fstat(q, &st), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(st.st_mode & 07777, 0600);
	CHECK_EQ(st.st_size, 80);
	n = read(q, text, sizeof(text));
	CHECK_EQ(n, 60);
	CHECK(strncmp(text, "QSIZE:5          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n", 60) == 0);
	CHECK_EQ(read(q, text, sizeof(text)), 0);
	CHECK_EQ(lseek(q, 6, SEEK_SET), 6);
	CHECK_EQ(read(q, text, 1), 1);
	CHECK_EQ(text[0], '5');
	CHECK_EQ(sys3(SYS_write, q, "x", 1), -EINVAL);
	close(q);
}

TEST(queues_are_listed)
{
	struct statfs fs;
	struct stat st;
	long q;

	mkdir("/tmp/mqueue", 0755);
	if (mount("none", "/tmp/mqueue", "mqueue", 0, NULL)) {
		CHECK_EQ(errno, EPERM);
		return;
	}
	CHECK_EQ(statfs("/tmp/mqueue", &fs), 0);
	CHECK_EQ(fs.f_type, 0x19800202);
	CHECK_EQ(stat("/tmp/mqueue", &st), 0);
	CHECK_EQ(st.st_mode & 07777, 01777);
	q = mq_open_("test-listed", O_CREAT | O_RDWR, 0640, NULL);
	CHECK_EQ(stat("/tmp/mqueue/test-listed", &st), 0);
	CHECK_EQ(st.st_mode & 07777, 0640);
	CHECK_EQ(unlink("/tmp/mqueue/test-listed"), 0);
	CHECK_EQ(mq_open_("test-listed", O_RDWR, 0, NULL), -ENOENT);
	close((int)q);
	/* A file that is made there is a queue; nothing else is. */
	CHECK_EQ(mknod("/tmp/mqueue/test-made", S_IFREG | 0600, 0), 0);
	q = mq_open_("test-made", O_RDONLY, 0, NULL);
	CHECK_EQ(waiting((int)q), 0);
	CHECK_EQ(sys3(SYS_mkdirat, AT_FDCWD, "/tmp/mqueue/dir", 0700), -EPERM);
	CHECK_EQ(sys3(SYS_symlinkat, "x", AT_FDCWD, "/tmp/mqueue/link"), -EPERM);
	CHECK_EQ(link("/tmp/mqueue/test-made", "/tmp/mqueue/test-linked"), -1);
	CHECK_EQ(errno, EPERM);
	CHECK_EQ(rename("/tmp/mqueue/test-made", "/tmp/mqueue/test-moved"), -1);
	CHECK_EQ(errno, EPERM);
	CHECK_EQ(unlink("/tmp/mqueue/test-made"), 0);
	close((int)q);
	CHECK_EQ(umount("/tmp/mqueue"), 0);
	rmdir("/tmp/mqueue");
}
