/* Limits: the errno when they are reached, and that all works again afterwards. */
#include <sys/resource.h>

#include "tests/syscall/ipc/ipc.h"

#define KERNEL "/proc/sys/kernel/"

TEST(ipc_limits_as_shown)
{
	CHECK_EQ(proc_number(KERNEL "shmmax", 0), ~0UL - (1UL << 24));
	CHECK_EQ(proc_number(KERNEL "shmall", 0), ~0UL - (1UL << 24));
	CHECK_EQ(proc_number(KERNEL "shmmni", 0), 4096);
	CHECK_EQ(proc_number(KERNEL "shm_rmid_forced", 0), 0);
	CHECK_EQ(proc_number(KERNEL "msgmax", 0), 8192);
	CHECK_EQ(proc_number(KERNEL "msgmnb", 0), 16384);
	CHECK_EQ(proc_number(KERNEL "msgmni", 0), 32000);
	CHECK_EQ(proc_number(KERNEL "auto_msgmni", 0), 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(proc_number(KERNEL "sem", i), ((int[]){32000, 1024000000, 500, 32000})[i]);
}

TEST(ipc_limits_refuse_nonsense)
{
	CHECK_EQ(proc_write(KERNEL "shmmni", "-1"), -EINVAL);
	CHECK_EQ(proc_write(KERNEL "shmmni", "32769"), -EINVAL);
	CHECK_EQ(proc_write(KERNEL "msgmax", "-1"), -EINVAL);
	CHECK_EQ(proc_write(KERNEL "msgmni", "32769"), -EINVAL);
	CHECK_EQ(proc_write(KERNEL "shmmax", "many"), -EINVAL);
	CHECK_EQ(proc_write(KERNEL "sem", "32000 32000 500 32769"), -ERANGE);
	CHECK_EQ(proc_number(KERNEL "sem", 3), 32000);
	CHECK_EQ(proc_number(KERNEL "shmmni", 0), 4096);
}

TEST(limit_shmmni)
{
	int ids[5], count = 0;
	struct shm_info info;

	CHECK(shmctl_(0, SHM_INFO, &info) >= 0);
	CHECK_EQ(info.used_ids, 0);
	CHECK_EQ(proc_write(KERNEL "shmmni", "4"), 0);
	for (count = 0; count < 4; count++)
		CHECK((ids[count] = (int)shmget_(IPC_PRIVATE, PAGE, 0600)) >= 0);
	CHECK_EQ(shmget_(IPC_PRIVATE, PAGE, 0600), -ENOSPC);
	CHECK_EQ(shmget_(fresh_key(), PAGE, IPC_CREAT | 0600), -ENOSPC);
	CHECK_EQ(shmctl_(ids[2], IPC_RMID, 0), 0);
	CHECK((ids[2] = (int)shmget_(IPC_PRIVATE, PAGE, 0600)) >= 0);
	CHECK_EQ(shmget_(IPC_PRIVATE, PAGE, 0600), -ENOSPC);
	while (count-- > 0)
		CHECK_EQ(shmctl_(ids[count], IPC_RMID, 0), 0);
	CHECK_EQ(proc_write(KERNEL "shmmni", "4096"), 0);
}

TEST(limit_shmmax_and_shmall)
{
	int id;

	CHECK_EQ(proc_write(KERNEL "shmmax", "8192"), 0);
	CHECK_EQ(shmget_(IPC_PRIVATE, 8193, 0600), -EINVAL);
	CHECK_EQ(proc_write(KERNEL "shmall", "3"), 0);
	CHECK((id = (int)shmget_(IPC_PRIVATE, 8192, 0600)) >= 0);
	CHECK_EQ(shmget_(IPC_PRIVATE, 8192, 0600), -ENOSPC);
	CHECK_EQ(shmctl_(id, IPC_RMID, 0), 0);
	CHECK((id = (int)shmget_(IPC_PRIVATE, 8192, 0600)) >= 0);
	CHECK_EQ(shmctl_(id, IPC_RMID, 0), 0);
	CHECK_EQ(proc_write(KERNEL "shmmax", "18446744073692774399"), 0);
	CHECK_EQ(proc_write(KERNEL "shmall", "18446744073692774399"), 0);
}

TEST(limit_semaphores)
{
	int a, b;

	CHECK_EQ(proc_write(KERNEL "sem", "10 16 4 2"), 0);
	CHECK_EQ(semget_(IPC_PRIVATE, 11, 0600), -EINVAL);
	CHECK((a = (int)semget_(IPC_PRIVATE, 10, 0600)) >= 0);
	CHECK_EQ(semget_(IPC_PRIVATE, 7, 0600), -ENOSPC);
	CHECK((b = (int)semget_(IPC_PRIVATE, 6, 0600)) >= 0);
	CHECK_EQ(semget_(IPC_PRIVATE, 1, 0600), -ENOSPC);
	CHECK_EQ(semop_(a, ((struct sembuf[5]){{0, 0, 0}}), 5), -E2BIG);
	CHECK_EQ(semop_(a, ((struct sembuf[4]){{0, 0, 0}}), 4), 0);
	CHECK_EQ(semctl_(a, 0, IPC_RMID, 0), 0);
	CHECK((a = (int)semget_(IPC_PRIVATE, 10, 0600)) >= 0);
	CHECK_EQ(semctl_(a, 0, IPC_RMID, 0), 0);
	CHECK_EQ(semctl_(b, 0, IPC_RMID, 0), 0);
	CHECK_EQ(proc_write(KERNEL "sem", "32000 1024000000 500 32000"), 0);
}

TEST(limit_messages)
{
	static struct {
		long type;
		char text[16385];
	} m = {1, ""};
	int id;

	CHECK_EQ(proc_write(KERNEL "msgmni", "1"), 0);
	CHECK_EQ(proc_write(KERNEL "msgmax", "16384"), 0);
	CHECK_EQ(proc_write(KERNEL "msgmnb", "20000"), 0);
	CHECK((id = (int)msgget_(IPC_PRIVATE, 0600)) >= 0);
	CHECK_EQ(msgget_(IPC_PRIVATE, 0600), -ENOSPC);
	CHECK_EQ(msgsnd_(id, &m, 16385, IPC_NOWAIT), -EINVAL);
	CHECK_EQ(msgsnd_(id, &m, 16384, IPC_NOWAIT), 0);
	CHECK_EQ(msgsnd_(id, &m, 3617, IPC_NOWAIT), -EAGAIN);
	CHECK_EQ(msgsnd_(id, &m, 3616, IPC_NOWAIT), 0);
	CHECK_EQ(msgctl_(id, IPC_RMID, 0), 0);
	CHECK((id = (int)msgget_(IPC_PRIVATE, 0600)) >= 0);
	CHECK_EQ(msgctl_(id, IPC_RMID, 0), 0);
	CHECK_EQ(proc_write(KERNEL "msgmni", "32000"), 0);
	CHECK_EQ(proc_write(KERNEL "msgmax", "8192"), 0);
	CHECK_EQ(proc_write(KERNEL "msgmnb", "16384"), 0);
}

TEST(next_id_chooses)
{
	int id;

	if (proc_number(KERNEL "shm_next_id", 0) == -1 && access(KERNEL "shm_next_id", F_OK)) {
		test_skip("built without checkpoint and restore");
		return;
	}
	CHECK_EQ(proc_number(KERNEL "sem_next_id", 0), -1);
	CHECK_EQ(proc_write(KERNEL "shm_next_id", "327690"), 0);
	CHECK_EQ(proc_number(KERNEL "shm_next_id", 0), 327690);
	CHECK_EQ(id = (int)shmget_(IPC_PRIVATE, PAGE, 0600), 327690);
	CHECK_EQ(proc_number(KERNEL "shm_next_id", 0), -1);
	CHECK_EQ(shmctl_(id, IPC_RMID, 0), 0);
	CHECK_EQ(proc_write(KERNEL "msg_next_id", "-2"), -EINVAL);
}

static int lock_over_the_limit(void *arg)
{
	int id = (int)shmget_(IPC_PRIVATE, 8 * PAGE, 0600),
	    small = (int)shmget_(IPC_PRIVATE, PAGE, 0600);
	struct rlimit limit = {4 * PAGE, 4 * PAGE}, none = {0, 0};
	int bad;

	(void)arg;
	shmctl_(id, IPC_RMID, 0);
	shmctl_(small, IPC_RMID, 0);
	become_nobody();
	id = (int)shmget_(IPC_PRIVATE, 8 * PAGE, 0600);
	small = (int)shmget_(IPC_PRIVATE, PAGE, 0600);
	setrlimit(RLIMIT_MEMLOCK, &limit);
	bad = shmctl_(id, SHM_LOCK, 0) != -ENOMEM;
	bad |= (shmctl_(small, SHM_LOCK, 0) != 0) << 1;
	bad |= (shmctl_(small, SHM_UNLOCK, 0) != 0) << 2;
	setrlimit(RLIMIT_MEMLOCK, &none);
	bad |= (shmctl_(small, SHM_LOCK, 0) != -EPERM) << 3;
	bad |= (shmctl_(id, IPC_RMID, 0) != 0) << 4;
	bad |= (shmctl_(small, IPC_RMID, 0) != 0) << 5;
	return bad;
}

TEST(limit_locked_segments)
{
	CHECK_EQ(child_run(lock_over_the_limit, NULL), 0);
}

/* All ids of a table, and the table grows with them. */
TEST(many_objects_with_keys)
{
	enum { MANY = 3000 };
	static int ids[MANY];
	int first = fresh_key() + 0x100000;

	for (int i = 0; i < MANY; i++)
		if ((ids[i] = (int)msgget_(first + i, IPC_CREAT | IPC_EXCL | 0600)) < 0) {
			CHECK_EQ(ids[i], 0);
			break;
		}
	for (int i = 0; i < MANY; i++) {
		if (msgget_(first + i, 0) != ids[i])
			CHECK_EQ(msgget_(first + i, 0), ids[i]);
		if (i % 2)
			CHECK_EQ(msgctl_(ids[i], IPC_RMID, 0), 0);
	}
	for (int i = 0; i < MANY; i++)
		CHECK_EQ(msgget_(first + i, 0), i % 2 ? -ENOENT : ids[i]);
	for (int i = 0; i < MANY; i += 2)
		CHECK_EQ(msgctl_(ids[i], IPC_RMID, 0), 0);
}

TEST(unshare_ipc_namespace)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWIPC) == 0 ? 0 : errno);
	pid = child_wait(pid);
	/* A kernel with IPC namespaces makes one; one without says so. */
	CHECK(pid == 0 || pid == EINVAL);
}

TEST(posix_message_queues_are_there)
{
	long fd = sys4(SYS_mq_open, "ipc_test", O_CREAT | O_RDWR, 0600, NULL);

	CHECK(fd >= 0);
	CHECK_EQ(sys1(SYS_mq_unlink, "ipc_test"), 0);
	close((int)fd);
}
