/* Another user's objects: what each command answers without and with permission. */
#include <linux/capability.h>

#include "tests/syscall/ipc/ipc.h"

#define NOBODY 65534

/* Objects of root; `mode` is that of all three. */
struct objects {
	int shm, sem, msg;
	int shm_key, sem_key, msg_key;
};

static struct objects objects_new(int mode)
{
	struct objects o = {.shm_key = fresh_key(), .sem_key = fresh_key(), .msg_key = fresh_key()};

	o.shm = (int)shmget_(o.shm_key, PAGE, IPC_CREAT | mode);
	o.sem = (int)semget_(o.sem_key, 2, IPC_CREAT | mode);
	o.msg = (int)msgget_(o.msg_key, IPC_CREAT | mode);
	return o;
}

static void objects_end(const struct objects *o)
{
	CHECK_EQ(shmctl_(o->shm, IPC_RMID, 0), 0);
	CHECK_EQ(semctl_(o->sem, 0, IPC_RMID, 0), 0);
	CHECK_EQ(msgctl_(o->msg, IPC_RMID, 0), 0);
}

/* In the child: counts what is not as wanted. */
static int wrong;

static void expect(const char *what, long got, long wanted)
{
	if (got == wanted || (wanted == 0 && got >= 0))
		return;
	printf("# as nobody: %s is %ld, not %ld\n", what, got, wanted);
	wrong++;
}

#define EXPECT(call, wanted) expect(#call, call, wanted)

static void expect_shm(const struct objects *o, long read, long write, long exec)
{
	struct shmid_ds ds;
	long at;

	EXPECT(shmget_(o->shm_key, PAGE, 0), 0);
	EXPECT(shmget_(o->shm_key, PAGE, 0400), read);
	EXPECT(shmget_(o->shm_key, PAGE, 0200), write);
	EXPECT(shmget_(o->shm_key, PAGE, 0006), read ? read : write);
	EXPECT(shmctl_(o->shm, IPC_STAT, &ds), read);
	EXPECT(shmctl_(o->shm & 32767, SHM_STAT, &ds), read);
	EXPECT(shmctl_(o->shm & 32767, SHM_STAT_ANY, &ds), 0);
	EXPECT(shmctl_(0, SHM_INFO, page_read_only()), -EFAULT);
	at = shmat_(o->shm, NULL, SHM_RDONLY);
	expect("shmat read-only", at, read);
	if (at >= 0)
		EXPECT(shmdt_(at), 0);
	at = shmat_(o->shm, NULL, 0);
	expect("shmat", at, read ? read : write);
	at = shmat_(o->shm, NULL, SHM_RDONLY | SHM_EXEC);
	expect("shmat executable", at, read ? read : exec);
}

static void expect_sem(const struct objects *o, long read, long write)
{
	unsigned short values[2] = {0, 0};
	struct semid_ds ds;

	EXPECT(semget_(o->sem_key, 2, 0400), read);
	EXPECT(semget_(o->sem_key, 2, 0200), write);
	EXPECT(semctl_(o->sem, 0, IPC_STAT, &ds), read);
	EXPECT(semctl_(o->sem & 32767, 0, SEM_STAT, &ds), read);
	EXPECT(semctl_(o->sem & 32767, 0, SEM_STAT_ANY, &ds), 0);
	EXPECT(semctl_(o->sem, 0, GETVAL, 0), read);
	EXPECT(semctl_(o->sem, 0, GETPID, 0), read);
	EXPECT(semctl_(o->sem, 0, GETNCNT, 0), read);
	EXPECT(semctl_(o->sem, 0, GETZCNT, 0), read);
	EXPECT(semctl_(o->sem, 0, GETALL, values), read);
	EXPECT(semctl_(o->sem, 0, SETVAL, 0), write);
	EXPECT(semctl_(o->sem, 0, SETALL, values), write);
	EXPECT(sem_do(o->sem, 0, 0, 0), read);
	EXPECT(sem_do(o->sem, 0, 1, 0), write);
	EXPECT(sem_do(o->sem, 0, 1, SEM_UNDO), write);
	/* Before the permissions comes what does not depend on them. */
	EXPECT(sem_do(o->sem, 2, 1, 0), -EFBIG);
	EXPECT(semctl_(o->sem, 2, SETVAL, 0), -EINVAL);
	EXPECT(semctl_(o->sem, 2, GETVAL, 0), read ? read : -EINVAL);
}

static void expect_msg(const struct objects *o, long read, long write)
{
	struct {
		long type;
		char text[16];
	} m = {1, ""};
	struct msqid_ds ds;

	EXPECT(msgget_(o->msg_key, 0400), read);
	EXPECT(msgget_(o->msg_key, 0200), write);
	EXPECT(msgctl_(o->msg, IPC_STAT, &ds), read);
	EXPECT(msgctl_(o->msg & 32767, MSG_STAT, &ds), read);
	EXPECT(msgctl_(o->msg & 32767, MSG_STAT_ANY, &ds), 0);
	EXPECT(msgsnd_(o->msg, &m, 1, IPC_NOWAIT), write);
	EXPECT(msgrcv_(o->msg, &m, 16, 0, IPC_NOWAIT), read ? read : write ? -ENOMSG : 0);
	EXPECT(msgrcv_(o->msg, &m, 16, 0, IPC_NOWAIT), read ? read : -ENOMSG);
}

/* Only owner, creator and administrators set, lock and remove. */
static void expect_not_owner(const struct objects *o)
{
	struct shmid_ds shm = {0};
	struct semid_ds sem = {0};
	struct msqid_ds msg = {0};

	EXPECT(shmctl_(o->shm, IPC_SET, &shm), -EPERM);
	EXPECT(shmctl_(o->shm, SHM_LOCK, 0), -EPERM);
	EXPECT(shmctl_(o->shm, SHM_UNLOCK, 0), -EPERM);
	EXPECT(shmctl_(o->shm, IPC_RMID, 0), -EPERM);
	EXPECT(semctl_(o->sem, 0, IPC_SET, &sem), -EPERM);
	EXPECT(semctl_(o->sem, 0, IPC_RMID, 0), -EPERM);
	EXPECT(msgctl_(o->msg, IPC_SET, &msg), -EPERM);
	EXPECT(msgctl_(o->msg, IPC_RMID, 0), -EPERM);
}

static int without_any(void *arg)
{
	become_nobody();
	expect_shm(arg, -EACCES, -EACCES, -EACCES);
	expect_sem(arg, -EACCES, -EACCES);
	expect_msg(arg, -EACCES, -EACCES);
	expect_not_owner(arg);
	return wrong;
}

static int with_read(void *arg)
{
	become_nobody();
	expect_shm(arg, 0, -EACCES, -EACCES);
	expect_sem(arg, 0, -EACCES);
	expect_msg(arg, 0, -EACCES);
	expect_not_owner(arg);
	return wrong;
}

static int with_write(void *arg)
{
	become_nobody();
	expect_shm(arg, -EACCES, 0, -EACCES);
	expect_sem(arg, -EACCES, 0);
	expect_msg(arg, -EACCES, 0);
	expect_not_owner(arg);
	return wrong;
}

static int with_all(void *arg)
{
	become_nobody();
	expect_shm(arg, 0, 0, 0);
	expect_sem(arg, 0, 0);
	expect_msg(arg, 0, 0);
	expect_not_owner(arg);
	return wrong;
}

static void check_mode(int mode, int (*child)(void *))
{
	struct objects o = objects_new(mode);

	CHECK_EQ(child_run(child, &o), 0);
	objects_end(&o);
}

TEST(ipc_permissions_of_others)
{
	check_mode(0660, without_any);
	check_mode(0664, with_read);
	check_mode(0662, with_write);
	check_mode(0667, with_all);
}

/* The owner's and the group's bits count even where others have more. */
static int as_owner(void *arg)
{
	struct objects *o = arg;
	struct shmid_ds ds;

	become_nobody();
	EXPECT(shmctl_(o->shm, IPC_STAT, &ds), -EACCES);
	EXPECT(shmat_(o->shm, NULL, SHM_RDONLY), -EACCES);
	ds = (struct shmid_ds){.shm_perm = {.uid = NOBODY, .gid = NOBODY, .mode = 0600}};
	EXPECT(shmctl_(o->shm, IPC_SET, &ds), 0);
	EXPECT(shmctl_(o->shm, IPC_STAT, &ds), 0);
	EXPECT(shmctl_(o->shm, SHM_LOCK, 0), 0);
	EXPECT(shmctl_(o->shm, SHM_UNLOCK, 0), 0);
	EXPECT(shmctl_(o->shm, IPC_RMID, 0), 0);
	return wrong;
}

TEST(ipc_permissions_of_the_owner)
{
	struct objects o = objects_new(0077);
	struct shmid_ds ds;

	CHECK_EQ(shmctl_(o.shm, IPC_STAT, &ds), 0);
	ds.shm_perm.uid = NOBODY;
	CHECK_EQ(shmctl_(o.shm, IPC_SET, &ds), 0);
	CHECK_EQ(child_run(as_owner, &o), 0);
	CHECK_EQ(shmctl_(o.shm, IPC_STAT, &ds), -EINVAL);
	CHECK_EQ(semctl_(o.sem, 0, IPC_RMID, 0), 0);
	CHECK_EQ(msgctl_(o.msg, IPC_RMID, 0), 0);
}

static int as_group(void *arg)
{
	struct objects *o = arg;
	struct msqid_ds ds;
	gid_t group = 0;

	/* A supplementary group is as good. */
	if (syscall(SYS_setgroups, 1, &group) || syscall(SYS_setresgid, 7, 7, 7) ||
	    syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY))
		return 98;
	EXPECT(msgctl_(o->msg, IPC_STAT, &ds), 0);
	EXPECT(msgsnd_(o->msg, &(long){1}, 0, 0), -EACCES);
	EXPECT(msgctl_(o->msg, IPC_SET, &ds), -EPERM);
	EXPECT(semctl_(o->sem, 0, GETVAL, 0), 0);
	EXPECT(sem_do(o->sem, 0, 1, 0), -EACCES);
	return wrong;
}

TEST(ipc_permissions_of_the_group)
{
	check_mode(0646, as_group);
}

static int raise_qbytes(void *arg)
{
	int id;
	struct msqid_ds ds;

	(void)arg;
	become_nobody();
	id = (int)msgget_(IPC_PRIVATE, 0600);
	EXPECT(msgctl_(id, IPC_STAT, &ds), 0);
	ds.msg_qbytes = 16385;
	EXPECT(msgctl_(id, IPC_SET, &ds), -EPERM);
	ds.msg_qbytes = 16384;
	EXPECT(msgctl_(id, IPC_SET, &ds), 0);
	EXPECT(msgctl_(id, IPC_RMID, 0), 0);
	return wrong;
}

TEST(ipc_permission_to_raise_qbytes)
{
	CHECK_EQ(child_run(raise_qbytes, NULL), 0);
}

static int sysctls_as_nobody(void *arg)
{
	(void)arg;
	become_nobody();
	EXPECT(proc_write("/proc/sys/kernel/shmmni", "5"), -EACCES);
	EXPECT(proc_write("/proc/sys/kernel/sem", "5"), -EACCES);
	return wrong;
}

TEST(ipc_permission_to_set_limits)
{
	CHECK_EQ(child_run(sysctls_as_nobody, NULL), 0);
}
