/*
 * flock, POSIX and OFD record locks: conflicts, splitting, owners, waiting, deadlock.
 */
#include "tests/syscall/files/files.h"

#include <sys/file.h>
#include <sys/wait.h>

static int lock(int fd, int cmd, int type, long start, long len)
{
	struct flock l = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(fd, cmd, &l);
}

/* What another process sees in the way of a write lock: the type, and the place in *l. */
static int seen_by_child(const char *path, long start, long len, struct flock *l)
{
	int ends[2], status;
	pid_t child;

	CHECK_EQ(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		int fd = open(path, O_RDWR);
		struct flock mine = {.l_type = F_WRLCK, .l_start = start, .l_len = len};

		if (fcntl(fd, F_GETLK, &mine) || write(ends[1], &mine, sizeof(mine)) < 0)
			_exit(1);
		_exit(0);
	}
	CHECK_EQ(read(ends[0], l, sizeof(*l)), (long)sizeof(*l));
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	close(ends[0]);
	close(ends[1]);
	return l->l_type;
}

TEST(flock_conflicts)
{
	int a, b, copy;

	enter_fresh_directory();
	write_file("f", "text");
	a = open("f", O_RDWR);
	b = open("f", O_RDONLY);
	copy = dup(a);
	CHECK_EQ(flock(a, LOCK_SH), 0);
	CHECK_EQ(flock(b, LOCK_SH | LOCK_NB), 0);
	CHECK_ERRNO(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK_EQ(flock(b, LOCK_UN), 0);
	CHECK_EQ(flock(a, LOCK_EX | LOCK_NB), 0);
	CHECK_ERRNO(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	close(a);
	CHECK_ERRNO(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	close(copy);
	CHECK_EQ(flock(b, LOCK_EX | LOCK_NB), 0);
	CHECK_ERRNO(flock(b, 0), EINVAL);
	CHECK_ERRNO(flock(999, LOCK_SH), EBADF);
	close(b);
}

TEST(record_locks_split_and_join)
{
	struct flock l;
	int fd, again;

	enter_fresh_directory();
	write_file("f", "0123456789");
	fd = open("f", O_RDWR);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 10, 90), 0);
	CHECK_EQ(seen_by_child("f", 0, 0, &l), F_WRLCK);
	CHECK_EQ(l.l_start, 10);
	CHECK_EQ(l.l_len, 90);
	CHECK_EQ(l.l_pid, getpid());
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 40, 10), 0);
	CHECK_EQ(seen_by_child("f", 40, 10, &l), F_UNLCK);
	CHECK_EQ(seen_by_child("f", 50, 1, &l), F_WRLCK);
	CHECK_EQ(l.l_start, 50);
	CHECK_EQ(l.l_len, 50);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 40, 10), 0);
	CHECK_EQ(seen_by_child("f", 50, 1, &l), F_WRLCK);
	CHECK_EQ(l.l_start, 10);
	CHECK_EQ(l.l_len, 90);
	CHECK_EQ(lock(fd, F_SETLK, F_RDLCK, 90, 0), 0);
	CHECK_EQ(seen_by_child("f", 95, 1, &l), F_RDLCK);
	CHECK_EQ(l.l_start, 90);
	CHECK_EQ(l.l_len, 0);
	/* Any close of the file drops the locks of the process. */
	again = open("f", O_RDONLY);
	close(again);
	CHECK_EQ(seen_by_child("f", 0, 0, &l), F_UNLCK);
	close(fd);
}

TEST(open_file_locks)
{
	struct flock l = {.l_type = F_WRLCK, .l_pid = 1};
	int a, b, p, fd;

	enter_fresh_directory();
	write_file("f", "0123456789");
	a = open("f", O_RDWR);
	b = open("f", O_RDWR);
	CHECK_EQ(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
	CHECK_ERRNO(lock(b, F_OFD_SETLK, F_RDLCK, 5, 1), EAGAIN);
	CHECK_ERRNO(lock(b, F_SETLK, F_RDLCK, 5, 1), EAGAIN);
	CHECK_EQ(lock(b, F_OFD_SETLK, F_RDLCK, 10, 1), 0);
	CHECK_ERRNO(fcntl(a, F_OFD_SETLK, &l), EINVAL);
	l = (struct flock){.l_type = F_WRLCK};
	CHECK_EQ(fcntl(b, F_OFD_GETLK, &l), 0);
	CHECK_EQ(l.l_pid, -1);
	fd = open("f", O_RDONLY);
	close(fd);
	CHECK_ERRNO(lock(b, F_OFD_SETLK, F_RDLCK, 5, 1), EAGAIN);
	close(a);
	CHECK_EQ(lock(b, F_OFD_SETLK, F_RDLCK, 5, 1), 0);
	p = open("f", O_RDONLY);
	CHECK_ERRNO(lock(p, F_SETLK, F_WRLCK, 50, 1), EBADF);
	CHECK_ERRNO(lock(p, F_SETLK, 77, 0, 1), EINVAL);
	CHECK_ERRNO(lock(p, F_SETLK, F_RDLCK, -5, 1), EINVAL);
	CHECK_EQ(sys3(__NR_fcntl, p, F_SETLK, 8), -EFAULT);
	close(p);
	close(b);
}

TEST(record_lock_waits)
{
	int fd, status;
	pid_t child;

	enter_fresh_directory();
	write_file("f", "0123456789");
	fd = open("f", O_RDWR);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
	child = fork();
	if (child == 0) {
		int mine = open("f", O_RDWR);

		if (lock(mine, F_SETLK, F_WRLCK, 0, 5) != -1 || errno != EAGAIN)
			_exit(1);
		_exit(lock(mine, F_SETLKW, F_WRLCK, 0, 5) ? 2 : 0);
	}
	sleep_ms(30);
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	close(fd);
}

TEST(record_lock_deadlock)
{
	int fd, status, ends[2];
	pid_t child;
	char c;

	enter_fresh_directory();
	write_file("f", "0123456789");
	CHECK_EQ(pipe(ends), 0);
	fd = open("f", O_RDWR);
	CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0, 1), 0);
	child = fork();
	if (child == 0) {
		int mine = open("f", O_RDWR);

		if (lock(mine, F_SETLK, F_WRLCK, 1, 1) || write(ends[1], "x", 1) != 1)
			_exit(1);
		_exit(lock(mine, F_SETLKW, F_WRLCK, 0, 1) ? 2 : 0);
	}
	CHECK_EQ(read(ends[0], &c, 1), 1);
	sleep_ms(50);
	CHECK_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 0, 1), 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}
