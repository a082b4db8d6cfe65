/*
 * process_vm_readv and process_vm_writev, and holes punched through a mapping.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tests/syscall/memory/memory.h"

#define MEMFD_SEALS 2 /* MFD_ALLOW_SEALING */

TEST(memory_of_another_process_is_read_and_written)
{
	char *p = map_pages(8);
	int status, gate[2];
	pid_t pid;

	memset(p, 5, 8 * PAGE);
	CHECK_EQ(pipe(gate), 0);
	pid = fork();
	if (pid == 0) {
		char byte;

		memset(p, 6, 4 * PAGE);
		_exit(read(gate[0], &byte, 1) == 1 && p[PAGE] == 9 && p[2 * PAGE] == 6 ? 0 : 1);
	}
	WAIT_UNTIL(({
		char seen = 0;
		struct iovec local = {&seen, 1}, remote = {p + 4 * PAGE - 1, 1};

		process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1 && seen == 6;
	}));
	{
		char *copy = malloc(4 * PAGE);
		struct iovec local[2] = {{copy, 100}, {copy + 100, 2 * PAGE}};
		struct iovec remote[2] = {{p + PAGE, PAGE}, {p + 4 * PAGE, PAGE}};

		CHECK_EQ(process_vm_readv(pid, local, 2, remote, 2, 0), 2 * PAGE);
		CHECK(copy[0] == 6 && copy[PAGE - 1] == 6 && copy[PAGE] == 5);
		memset(copy, 9, PAGE);
		CHECK_EQ(process_vm_writev(pid, &(struct iovec){copy, PAGE}, 1, remote, 1, 0), PAGE);
		free(copy);
	}
	CHECK_EQ(p[PAGE], 5);
	CHECK_EQ(write(gate[1], "x", 1), 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	close(gate[0]);
	close(gate[1]);
	munmap(p, 8 * PAGE);
}

TEST(copies_between_processes_end_at_a_hole)
{
	char *p = map_pages(4), copy[200];
	struct iovec local = {copy, sizeof(copy)}, remote = {p + PAGE - 100, 200};
	const struct errno_case cases[] = {
		{"flags", SYS_process_vm_readv, {getpid(), (long)&local, 1, (long)&remote, 1, 1}, EINVAL},
		{"nobody", SYS_process_vm_readv, {0x3ffffff, (long)&local, 1, (long)&remote, 1, 0}, ESRCH},
		{"nothing", SYS_process_vm_readv, {getpid(), (long)&local, 0, (long)&remote, 1, 0}, 0},
		{"too many",
		 SYS_process_vm_writev,
		 {getpid(), (long)&local, 1025, (long)&remote, 1, 0},
		 EINVAL},
		{"vector",
		 SYS_process_vm_writev,
		 {getpid(), (long)page_unmapped(), 1, (long)&remote, 1, 0},
		 EFAULT},
	};

	munmap(p + PAGE, PAGE);
	CHECK_EQ(process_vm_readv(getpid(), &local, 1, &remote, 1, 0), 100);
	CHECK_EQ(process_vm_writev(getpid(), &local, 1, &remote, 1, 0), 100);
	remote.iov_base = p + PAGE;
	CHECK_EQ(process_vm_readv(getpid(), &local, 1, &remote, 1, 0), -1);
	CHECK_EQ(errno, EFAULT);
	remote.iov_base = page_read_only();
	CHECK_EQ(process_vm_writev(getpid(), &local, 1, &remote, 1, 0), -1);
	check_errno_cases(cases, ARRAY_SIZE(cases));
	munmap(p, 4 * PAGE);
}

TEST(holes_are_punched_through_a_mapping)
{
	int fd = (int)sys2(SYS_memfd_create, "holes", MEMFD_SEALS);
	char *shared, *private, *reader, byte = 1;

	CHECK_EQ(ftruncate(fd, 8 * PAGE), 0);
	shared = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, fd, 0);
	private = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE, fd, 0);
	reader = mmap(NULL, 8 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	memset(shared, 5, 8 * PAGE);
	CHECK_EQ(private[3 * PAGE], 5);
	private[4 * PAGE] = 7;
	CHECK_EQ(sys3(SYS_madvise, shared + 2 * PAGE, 3 * PAGE, MADV_REMOVE), 0);
	CHECK_EQ(shared[2 * PAGE] + reader[3 * PAGE] + private[3 * PAGE], 0);
	CHECK_EQ(private[4 * PAGE], 7);
	CHECK_EQ(shared[PAGE] + shared[5 * PAGE], 10);
	CHECK_EQ(pread(fd, &byte, 1, 4 * PAGE), 1);
	CHECK_EQ(byte, 0);
	shared[3 * PAGE] = 8;
	CHECK_EQ(reader[3 * PAGE], 8);
	CHECK_EQ(sys3(SYS_madvise, private, PAGE, MADV_REMOVE), -EACCES);
	CHECK_EQ(sys3(SYS_madvise, reader, PAGE, MADV_REMOVE), 0); /* it might be made writable */
	CHECK_EQ(shared[0], 0);
	munmap(reader, 8 * PAGE);
	munmap(private, 8 * PAGE);
	munmap(shared, 8 * PAGE);
	close(fd);
}

TEST(removal_needs_a_file)
{
	char *p = map_pages(1);

	CHECK_EQ(sys3(SYS_madvise, p, PAGE, MADV_REMOVE), -EINVAL);
	munmap(p, PAGE);
	CHECK_EQ(sys3(SYS_madvise, p, PAGE, MADV_REMOVE), -ENOMEM);
}

static long add_seals(int fd, int seals)
{
	return sys3(SYS_fcntl, fd, 1033, seals);
}

TEST(seals_look_at_mappings_that_may_write)
{
	int fd = (int)sys2(SYS_memfd_create, "sealed", MEMFD_SEALS);
	char *shared, *private, *old;

	CHECK_EQ(ftruncate(fd, PAGE), 0);
	shared = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	private = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	CHECK_EQ(add_seals(fd, 8), -EBUSY);
	CHECK_EQ(add_seals(fd, 16), 0); /* F_SEAL_FUTURE_WRITE */
	shared[0] = 3;
	CHECK_EQ(sys6(SYS_mmap, 0, PAGE, RW, MAP_SHARED, fd, 0), -EPERM);
	old = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(old != MAP_FAILED && old[0] == 3);
	CHECK_EQ(sys3(SYS_mprotect, old, PAGE, RW), -EACCES);
	CHECK_EQ(write(fd, "x", 1), -1);
	munmap(shared, PAGE);
	CHECK_EQ(add_seals(fd, 8), 0); /* F_SEAL_WRITE: what is left cannot write to the file */
	private[0] = 4;
	CHECK_EQ(old[0], 3);
	munmap(private, PAGE);
	munmap(old, PAGE);
	close(fd);
}

/* process_madvise() of one range in this process or another. */
static long advise_process(int pidfd, char *p, size_t len, int advice, unsigned int flags)
{
	struct iovec range = {p, len};

	return sys5(SYS_process_madvise, pidfd, &range, 1, advice, flags);
}

TEST(memory_of_another_process_is_advised)
{
	char *p = map_pages(4);
	int status, pidfd;
	struct iovec two[2] = {{p, PAGE}, {p + 2 * PAGE, PAGE}};
	pid_t pid;

	memset(p, 5, 4 * PAGE);
	pid = fork();
	if (pid == 0) {
		for (;;)
			pause();
	}
	pidfd = (int)sys2(SYS_pidfd_open, pid, 0);
	CHECK(pidfd >= 0);
	CHECK_EQ(sys5(SYS_process_madvise, pidfd, two, 2, MADV_COLD, 0), 2 * PAGE);
	CHECK_EQ(advise_process(pidfd, p, 4 * PAGE, MADV_PAGEOUT, 0), 4 * PAGE);
	CHECK_EQ(advise_process(pidfd, p, PAGE, MADV_WILLNEED, 0), PAGE);
	/* What changes the contents is not for others. */
	CHECK_EQ(advise_process(pidfd, p, PAGE, MADV_DONTNEED, 0), -EINVAL);
	CHECK_EQ(advise_process(pidfd, p, PAGE, MADV_NORMAL, 0), -EINVAL);
	CHECK_EQ(advise_process(pidfd, p + 1, PAGE, MADV_COLD, 0), -EINVAL);
	CHECK_EQ(advise_process(pidfd, page_unmapped(), PAGE, MADV_COLD, 0), -ENOMEM);
	/* The first range counts, though the second has failed. */
	two[1].iov_base = p + 1;
	CHECK_EQ(sys5(SYS_process_madvise, pidfd, two, 2, MADV_COLD, 0), PAGE);
	CHECK_EQ(sys5(SYS_process_madvise, pidfd, two, 0, MADV_COLD, 0), 0);
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(advise_process(pidfd, p, PAGE, MADV_COLD, 0), -ESRCH);
	close(pidfd);
	munmap(p, 4 * PAGE);
}

static void *advise_thread(void *p)
{
	int pidfd = (int)sys2(SYS_pidfd_open, gettid(), O_EXCL); /* PIDFD_THREAD */

	CHECK(pidfd >= 0);
	CHECK_EQ(advise_process(pidfd, p, PAGE, MADV_COLD, 0), -ESRCH);
	close(pidfd);
	return NULL;
}

TEST(advice_is_for_processes)
{
	char *p = map_pages(1);
	int pidfd = (int)sys2(SYS_pidfd_open, getpid(), O_EXCL);

	CHECK_EQ(advise_process(pidfd, p, PAGE, MADV_COLD, 0), PAGE);
	thread_join(thread_start(advise_thread, p));
	close(pidfd);
	munmap(p, PAGE);
}

static int advise_without_rights(void)
{
	int own = (int)sys2(SYS_pidfd_open, getpid(), 0);
	int parent = (int)sys2(SYS_pidfd_open, getppid(), 0);
	char *p = map_pages(1);

	CHECK_EQ(sys3(SYS_setresuid, 1000, 1000, 1000), 0);
	CHECK_EQ(advise_process(parent, p, PAGE, MADV_COLD, 0), -EACCES);
	CHECK_EQ(advise_process(own, p, PAGE, MADV_COLD, 0), PAGE);
	return 0;
}

TEST(advice_for_another_process_needs_rights)
{
	CHECK_EQ(child_status(advise_without_rights), 0);
}

TEST(advice_for_another_process_is_refused)
{
	char *p = map_pages(1);
	int pidfd = (int)sys2(SYS_pidfd_open, getpid(), 0), file = open("/", O_RDONLY);
	struct iovec range = {p, PAGE}, kernel = {KERNEL_ADDRESS, PAGE};
	long v = (long)&range;
	const struct errno_case cases[] = {
		{"flags", SYS_process_madvise, {pidfd, v, 1, MADV_COLD, 1}, EINVAL},
		{"vector", SYS_process_madvise, {pidfd, (long)page_unmapped(), 1, MADV_COLD, 0}, EFAULT},
		{"too many", SYS_process_madvise, {pidfd, v, 1025, MADV_COLD, 0}, EINVAL},
		{"closed", SYS_process_madvise, {999, v, 1, MADV_COLD, 0}, EBADF},
		{"no pidfd", SYS_process_madvise, {file, v, 1, MADV_COLD, 0}, EBADF},
		{"advice", SYS_process_madvise, {pidfd, v, 1, 77, 0}, EINVAL},
		{"kernel", SYS_process_madvise, {pidfd, (long)&kernel, 1, MADV_COLD, 0}, EFAULT},
	};

	check_errno_cases(cases, ARRAY_SIZE(cases));
	close(file);
	close(pidfd);
	munmap(p, PAGE);
}
