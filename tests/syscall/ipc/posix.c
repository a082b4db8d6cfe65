/* POSIX shared memory and named semaphores: files of /dev/shm. */
#include <semaphore.h>

#include "tests/syscall/ipc/ipc.h"

TEST(posix_shm_through_dev_shm)
{
	int fd = shm_open("/ipc_test", O_CREAT | O_EXCL | O_RDWR, 0600);
	char *at;

	if (!CHECK(fd >= 0))
		return;
	CHECK_EQ(ftruncate(fd, PAGE), 0);
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(at != MAP_FAILED);
	at[0] = 5;
	CHECK_EQ(access("/dev/shm/ipc_test", F_OK), 0);
	CHECK_EQ(shm_unlink("/ipc_test"), 0);
	CHECK_EQ(munmap(at, PAGE), 0);
	close(fd);
}

static int post_named(void *arg)
{
	sem_t *s = sem_open(arg, 0);

	return s == SEM_FAILED || sem_post(s);
}

TEST(posix_named_semaphore)
{
	char name[] = "/ipc_test_sem";
	sem_t *s = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
	pid_t pid;

	if (!CHECK(s != SEM_FAILED))
		return;
	pid = child_start(post_named, name);
	CHECK_EQ(sem_wait(s), 0);
	CHECK_EQ(child_wait(pid), 0);
	CHECK_EQ(sem_trywait(s), -1);
	CHECK_EQ(sem_close(s), 0);
	CHECK_EQ(sem_unlink(name), 0);
}
