/*
 * Asynchronous I/O by the kernel's own calls: libaio's are the same.
 */
#include "tests/syscall/harness.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

static long setup(unsigned nr, aio_context_t *ctx)
{
	*ctx = 0;
	return sys2(SYS_io_setup, nr, ctx);
}

static long submit(aio_context_t ctx, long nr, struct iocb **list)
{
	return sys3(SYS_io_submit, ctx, nr, list);
}

static long submit_one(aio_context_t ctx, struct iocb *cb)
{
	return submit(ctx, 1, &cb);
}

static long events(aio_context_t ctx, long least, long nr, struct io_event *list, int64_t ns)
{
	struct timespec limit = timespec_of(ns);

	return sys5(SYS_io_getevents, ctx, least, nr, list, ns < 0 ? NULL : &limit);
}

static struct iocb request(int fd, int code, void *buf, size_t n, off_t pos)
{
	return (struct iocb){.aio_data = 4711,
			     .aio_lio_opcode = (uint16_t)code,
			     .aio_fildes = (uint32_t)fd,
			     .aio_buf = (uint64_t)buf,
			     .aio_nbytes = n,
			     .aio_offset = pos};
}

/* Submits `cb` and takes its event: the result. */
static long result(aio_context_t ctx, struct iocb cb)
{
	struct io_event event = {0};
	long err = submit_one(ctx, &cb);

	if (err != 1)
		return err;
	CHECK_EQ(events(ctx, 1, 1, &event, -1), 1);
	CHECK_EQ(event.data, 4711);
	CHECK_EQ(event.obj, (uint64_t)&cb);
	return event.res;
}

TEST(reading_and_writing)
{
	int fd = memfd_create("aio", 0);
	struct iovec v[2];
	char buf[16] = "";
	aio_context_t ctx;

	CHECK_EQ(setup(8, &ctx), 0);
	CHECK_EQ(result(ctx, request(fd, IOCB_CMD_PWRITE, "abcdef", 6, 3)), 6);
	CHECK_EQ(result(ctx, request(fd, IOCB_CMD_PREAD, buf, 16, 4)), 5);
	CHECK_EQ(memcmp(buf, "bcdef", 5), 0);
	v[0] = (struct iovec){"12", 2};
	v[1] = (struct iovec){"345", 3};
	CHECK_EQ(result(ctx, request(fd, IOCB_CMD_PWRITEV, v, 2, 0)), 5);
	v[0] = (struct iovec){buf, 4};
	v[1] = (struct iovec){buf + 4, 4};
	CHECK_EQ(result(ctx, request(fd, IOCB_CMD_PREADV, v, 2, 0)), 8);
	CHECK_EQ(memcmp(buf, "12345cde", 8), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_EQ(result(ctx, request(fd, IOCB_CMD_FSYNC, 0, 0, 0)), 0);
	CHECK_EQ(result(ctx, request(fd, IOCB_CMD_FDSYNC, 0, 0, 0)), 0);
	CHECK_EQ(sys1(SYS_io_destroy, ctx), 0);
	CHECK_EQ(sys1(SYS_io_destroy, ctx), -EINVAL);
	close(fd);
}

TEST(what_is_refused_and_what_fails)
{
	int fd = memfd_create("aio", 0), only_read = open("/proc/self/exe", O_RDONLY), fds[2];
	struct iocb cb, *list[3];
	aio_context_t ctx;
	char buf[16];

	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(setup(1, &ctx), 0);
	CHECK_EQ(sys2(SYS_io_setup, 1, &ctx), -EINVAL);
	CHECK_EQ(result(ctx, request(999, IOCB_CMD_PREAD, buf, 1, 0)), -EBADF);
	CHECK_EQ(result(ctx, request(only_read, IOCB_CMD_PWRITE, buf, 1, 0)), -EBADF);
	CHECK_EQ(result(ctx, request(fd, 99, buf, 1, 0)), -EINVAL);
	CHECK_EQ(result(ctx, request(fd, IOCB_CMD_PREAD, buf, 1, -1)), -EINVAL);
	CHECK_EQ(result(ctx, request(fd, IOCB_CMD_PREAD, buf, (size_t)-1, 0)), -EINVAL);
	CHECK_EQ(result(ctx, request(fd, IOCB_CMD_FSYNC, buf, 0, 0)), -EINVAL);
	CHECK_EQ(result(ctx, request(fds[0], IOCB_CMD_FSYNC, 0, 0, 0)), -EINVAL);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(result(ctx, request(fd, IOCB_CMD_PREAD, (void *)8, 1, 0)), -EFAULT);
	cb = request(fd, IOCB_CMD_PREAD, buf, 1, 0);
	cb.aio_reserved2 = 1;
	CHECK_EQ(submit_one(ctx, &cb), -EINVAL);
	cb.aio_reserved2 = 0;
	cb.aio_flags = IOCB_FLAG_RESFD;
	cb.aio_resfd = 999;
	CHECK_EQ(submit_one(ctx, &cb), -EBADF);
	cb.aio_resfd = (uint32_t)fd;
	CHECK_EQ(submit_one(ctx, &cb), -EINVAL);
	cb.aio_flags = 0;
	cb.aio_rw_flags = 8; /* RWF_NOWAIT */
	CHECK_EQ(submit_one(ctx, &cb), -EOPNOTSUPP);
	cb.aio_rw_flags = 0;
	/* What came before the first that is wrong is made. */
	list[0] = &cb;
	list[1] = &cb;
	list[2] = (struct iocb *)8;
	CHECK_EQ(submit(ctx, 3, list), 2);
	CHECK_EQ(submit(ctx, -1, list), -EINVAL);
	CHECK_EQ(submit(ctx, 0, list), 0);
	CHECK_EQ(submit(ctx, 1, (struct iocb **)8), -EFAULT);
	CHECK_EQ(submit(ctx + 4096, 1, list), -EINVAL);
	CHECK_EQ(sys3(SYS_io_cancel, ctx, &cb, buf), -EINVAL);
	CHECK_EQ(sys1(SYS_io_destroy, ctx), 0);
	CHECK_EQ(submit(ctx, 1, list), -EINVAL);
	close(fd);
	close(only_read);
	close(fds[0]);
	close(fds[1]);
}

TEST(events_wait_to_be_taken)
{
	struct io_event got[64];
	struct iocb cb, *list[64];
	int fd = memfd_create("aio", 0);
	int64_t start = now_ns(CLOCK_MONOTONIC);
	aio_context_t ctx;
	long made = 0, n;

	CHECK_EQ(setup(16, &ctx), 0);
	CHECK_EQ(events(ctx, 1, 1, got, 20 * NS_PER_MS), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20 * NS_PER_MS);
	cb = request(fd, IOCB_CMD_PREAD, got, 0, 0);
	for (int i = 0; i < 64; i++)
		list[i] = &cb;
	CHECK_EQ(submit(ctx, 10, list), 10);
	CHECK_EQ(events(ctx, 3, 4, got, -1), 4);
	CHECK_EQ(events(ctx, 0, 64, got, 0), 6);
	CHECK_EQ(events(ctx, 0, 64, got, 0), 0);
	CHECK_EQ(events(ctx, 2, 1, got, 0), -EINVAL);
	CHECK_EQ(events(ctx, -1, 1, got, 0), -EINVAL);
	/* There is room for what was asked for, and some more, but not for ever. */
	while ((n = submit(ctx, 64, list)) > 0)
		made += n;
	CHECK_EQ(n, -EAGAIN);
	CHECK(made >= 16);
	CHECK_EQ(events(ctx, 1, 1, (struct io_event *)8, 0), -EFAULT);
	CHECK_EQ(events(ctx, 1, 1, got, 0), 1);
	CHECK(submit(ctx, 1, list) == 1 || made > 64);
	CHECK_EQ(sys1(SYS_io_destroy, ctx), 0);
	close(fd);
}

struct waiter {
	aio_context_t ctx;
	long taken;
	pid_t tid;
};

static void *wait_for_one(void *arg)
{
	struct waiter *w = arg;
	struct io_event event;

	__atomic_store_n(&w->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	w->taken = events(w->ctx, 1, 1, &event, -1);
	return NULL;
}

static pthread_t start_waiter(struct waiter *w)
{
	pthread_t thread = thread_start(wait_for_one, w);

	WAIT_UNTIL(w->tid && thread_sleeps(w->tid));
	return thread;
}

TEST(another_thread_waits)
{
	struct waiter w = {0}, ended = {0};
	int fd = memfd_create("aio", 0);
	pthread_t thread;
	struct iocb cb = request(fd, IOCB_CMD_PREAD, &fd, 0, 0);

	CHECK_EQ(setup(1, &w.ctx), 0);
	thread = start_waiter(&w);
	CHECK_EQ(submit_one(w.ctx, &cb), 1);
	thread_join(thread);
	CHECK_EQ(w.taken, 1);
	/* The end of the context ends the wait. */
	ended.ctx = w.ctx;
	thread = start_waiter(&ended);
	CHECK_EQ(sys1(SYS_io_destroy, w.ctx), 0);
	thread_join(thread);
	CHECK_EQ(ended.taken, -EINVAL);
	close(fd);
}

TEST(an_eventfd_is_told)
{
	int fd = memfd_create("aio", 0), event = eventfd(0, EFD_NONBLOCK);
	struct iocb cb = request(fd, IOCB_CMD_PWRITE, "abc", 3, 0), *list[] = {&cb, &cb};
	aio_context_t ctx;
	uint64_t count = 0;

	CHECK_EQ(setup(4, &ctx), 0);
	cb.aio_flags = IOCB_FLAG_RESFD;
	cb.aio_resfd = (uint32_t)event;
	CHECK_EQ(submit(ctx, 2, list), 2);
	CHECK_EQ(read(event, &count, 8), 8);
	CHECK_EQ(count, 2);
	CHECK_EQ(sys1(SYS_io_destroy, ctx), 0);
	close(fd);
	close(event);
}

static void nothing(int sig)
{
	(void)sig;
}

static int interrupted(void)
{
	struct sigaction act = {.sa_handler = nothing};
	struct {
		const uint64_t *mask;
		size_t size;
	} set;
	uint64_t blocked = 1UL << (SIGUSR1 - 1), none = 0;
	struct timespec limit = {5, 0};
	struct io_event event;
	aio_context_t ctx;
	pid_t self = getpid();

	CHECK_EQ(setup(1, &ctx), 0);
	CHECK_EQ(sigaction(SIGUSR1, &act, NULL), 0);
	if (fork() == 0) {
		/* A context is its process's alone. */
		int wrong = events(ctx, 0, 1, &event, 0) != -EINVAL;

		while (!process_sleeps(self))
			sleep_ms(1);
		kill(self, SIGUSR1);
		_exit(wrong);
	}
	CHECK_EQ(events(ctx, 1, 1, &event, -1), -EINTR);
	CHECK(wait((int *)&blocked) > 0);
	CHECK_EQ((int)blocked, 0);
	/* The mask of the call lets in what was kept out. */
	blocked = 1UL << (SIGUSR1 - 1);
	CHECK_EQ(sys4(SYS_rt_sigprocmask, SIG_BLOCK, &blocked, 0, 8), 0);
	kill(self, SIGUSR1);
	set.mask = &none;
	set.size = 8;
	CHECK_EQ(sys6(SYS_io_pgetevents, ctx, 1, 1, &event, &limit, &set), -EINTR);
	set.size = 7;
	CHECK_EQ(sys6(SYS_io_pgetevents, ctx, 1, 1, &event, &limit, &set), -EINVAL);
	return 0;
}

TEST(signals_end_the_wait)
{
	CHECK_EQ(child_status(interrupted), 0);
}

TEST(contexts_are_counted)
{
	long before = proc_value("/proc/sys/fs/aio-nr", "");
	aio_context_t ctx[2];

	CHECK_EQ(setup(1000, &ctx[0]), 0);
	CHECK_EQ(proc_value("/proc/sys/fs/aio-nr", ""), before + 1000);
	CHECK_EQ(setup(70000, &ctx[1]), -EAGAIN);
	CHECK_EQ(setup(0x10000000, &ctx[1]), -EINVAL);
	CHECK_EQ(setup(0, &ctx[1]), -EINVAL);
	CHECK_EQ(sys1(SYS_io_destroy, ctx[0]), 0);
	WAIT_UNTIL(proc_value("/proc/sys/fs/aio-nr", "") == before);
}

static int leave_contexts(void)
{
	aio_context_t ctx;

	for (int i = 0; i < 10; i++)
		CHECK_EQ(setup(100, &ctx), 0);
	return 0;
}

TEST(contexts_end_with_their_process)
{
	long before = proc_value("/proc/sys/fs/aio-nr", "");

	CHECK_EQ(child_status(leave_contexts), 0);
	WAIT_UNTIL(proc_value("/proc/sys/fs/aio-nr", "") == before);
}
