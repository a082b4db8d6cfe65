/*
 * FIFOs: how open waits for the other end, what is left when all ends are closed; nodes of other kinds; /proc/self/fd of files
 * without a name.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tests/syscall/harness.h"

#define NAME "/tmp/special-fifo"

static int opened; /* what the other thread's open returned, and one more */

static void *open_thread(void *flags)
{
	__atomic_store_n(&opened, open(NAME, (int)(long)flags) + 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void fifo_make(void)
{
	unlink(NAME);
	CHECK_EQ(mkfifo(NAME, 0640), 0);
	opened = 0;
}

TEST(fifo_has_a_status)
{
	struct stat st;

	fifo_make();
	CHECK_EQ(stat(NAME, &st), 0);
	CHECK_EQ(st.st_mode, S_IFIFO | 0640);
	CHECK_EQ(sys4(SYS_mknodat, AT_FDCWD, NAME, S_IFIFO | 0600, 0), -EEXIST);
	unlink(NAME);
}

TEST(fifo_reader_waits_for_a_writer)
{
	pthread_t thread;
	char text[8];
	int fd;

	fifo_make();
	thread = thread_start(open_thread, (void *)O_RDONLY);
	sleep_ms(50);
	CHECK_EQ(__atomic_load_n(&opened, __ATOMIC_SEQ_CST), 0);
	fd = open(NAME, O_WRONLY);
	CHECK(fd >= 0);
	thread_join(thread);
	CHECK(opened > 0);
	CHECK_EQ(write(fd, "fifo", 4), 4);
	CHECK_EQ(read(opened - 1, text, sizeof(text)), 4);
	close(fd);
	CHECK_EQ(read(opened - 1, text, sizeof(text)), 0);
	close(opened - 1);
	unlink(NAME);
}

TEST(fifo_writer_waits_for_a_reader_that_came_and_went)
{
	pthread_t thread;
	int fd;

	fifo_make();
	thread = thread_start(open_thread, (void *)O_WRONLY);
	sleep_ms(50);
	fd = open(NAME, O_RDONLY | O_NONBLOCK);
	CHECK(fd >= 0);
	close(fd);
	thread_join(thread);
	CHECK(opened > 0);
	close(opened - 1);
	unlink(NAME);
}

static void on_signal(int sig)
{
	(void)sig;
}

static void *signal_thread(void *target)
{
	sleep_ms(100);
	pthread_kill(*(pthread_t *)target, SIGUSR1);
	return NULL;
}

TEST(fifo_open_is_interrupted)
{
	struct sigaction action = {.sa_handler = on_signal};
	pthread_t self = pthread_self(), thread;

	fifo_make();
	sigaction(SIGUSR1, &action, NULL);
	thread = thread_start(signal_thread, &self);
	CHECK_EQ(open(NAME, O_RDONLY), -1);
	CHECK_EQ(errno, EINTR);
	thread_join(thread);
	CHECK_EQ(sys4(SYS_openat, AT_FDCWD, NAME, O_WRONLY | O_NONBLOCK, 0), -ENXIO);
	unlink(NAME);
}

TEST(fifo_hangs_up_after_the_first_writer)
{
	int reader, writer;
	struct pollfd p;

	fifo_make();
	reader = open(NAME, O_RDONLY | O_NONBLOCK);
	p = (struct pollfd){.fd = reader, .events = POLLIN};
	CHECK_EQ(poll(&p, 1, 0), 0);
	writer = open(NAME, O_WRONLY);
	CHECK_EQ(write(writer, "x", 1), 1);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
	close(writer);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN | POLLHUP);
	close(reader);
	/* What nobody read is gone with the last end. */
	reader = open(NAME, O_RDWR | O_NONBLOCK);
	CHECK_EQ(sys3(SYS_read, reader, &p, 1), -EAGAIN);
	close(reader);
	unlink(NAME);
}

TEST(both_ends_in_one_file)
{
	char text[4];
	int fd;

	fifo_make();
	fd = open(NAME, O_RDWR);
	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_EQ(read(fd, text, 4), 3);
	CHECK_EQ(sys3(SYS_lseek, fd, 0, SEEK_SET), -ESPIPE);
	close(fd);
	unlink(NAME);
}

TEST(nodes_by_mknod)
{
	struct stat st;

	unlink(NAME);
	CHECK_EQ(sys4(SYS_mknodat, AT_FDCWD, NAME, S_IFSOCK | 0600, 0), 0);
	CHECK_EQ(stat(NAME, &st), 0);
	CHECK_EQ(st.st_mode, S_IFSOCK | 0600);
	CHECK_EQ(sys4(SYS_openat, AT_FDCWD, NAME, O_RDONLY, 0), -ENXIO);
	unlink(NAME);
	CHECK_EQ(sys4(SYS_mknodat, AT_FDCWD, NAME, S_IFBLK | 0600, makedev(300, 70000)), 0);
	CHECK_EQ(stat(NAME, &st), 0);
	CHECK_EQ(st.st_rdev, makedev(300, 70000));
	CHECK_EQ(sys4(SYS_openat, AT_FDCWD, NAME, O_RDONLY, 0), -ENXIO);
	unlink(NAME);
	CHECK_EQ(sys4(SYS_mknodat, AT_FDCWD, NAME, S_IFCHR | 0666, makedev(1, 5)), 0);
	CHECK_EQ(close(open(NAME, O_RDONLY)), 0);
	unlink(NAME);
	CHECK_EQ(sys4(SYS_mknodat, AT_FDCWD, NAME, S_IFDIR | 0600, 0), -EPERM);
	CHECK_EQ(sys4(SYS_mknodat, AT_FDCWD, NAME, 0110000, 0), -EINVAL);
	CHECK_EQ(sys4(SYS_mknodat, AT_FDCWD, NAME, 0600, 0), 0);
	CHECK_EQ(stat(NAME, &st), 0);
	CHECK_EQ(st.st_mode, S_IFREG | 0600);
	unlink(NAME);
}

TEST(proc_fd_opens_a_pipe_whose_writer_is_gone)
{
	char path[64];
	int fds[2];

	CHECK_EQ(pipe(fds), 0);
	close(fds[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	CHECK_EQ(close(open(path, O_RDONLY)), 0);
	close(fds[0]);
}

TEST(proc_fd_opens_a_pipe_again)
{
	char path[64], text[64] = "";
	struct stat a, b;
	int fds[2], again;

	CHECK_EQ(pipe(fds), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	CHECK(readlink(path, text, sizeof(text) - 1) > 0);
	CHECK_EQ(strncmp(text, "pipe:[", 6), 0);
	CHECK_EQ(fstat(fds[0], &a), 0);
	CHECK_EQ(stat(path, &b), 0);
	CHECK_EQ(b.st_mode, S_IFIFO | 0600);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(a.st_dev, b.st_dev);
	again = open(path, O_WRONLY);
	CHECK(again >= 0);
	CHECK_EQ(write(again, "x", 1), 1);
	CHECK_EQ(read(fds[0], text, 1), 1);
	close(again);
	close(fds[0]);
	close(fds[1]);
}

TEST(proc_fd_of_other_files)
{
	char path[64], text[64] = "";
	int fd = eventfd(0, 0);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(readlink(path, text, sizeof(text) - 1) > 0);
	CHECK_EQ(strcmp(text, "anon_inode:[eventfd]"), 0);
	CHECK_EQ(sys4(SYS_openat, AT_FDCWD, path, O_RDONLY, 0), -ENXIO);
	close(fd);
	CHECK_EQ(readlink("/dev/stdin", text, sizeof(text)), (long)sizeof("fd/0") - 1);
}
