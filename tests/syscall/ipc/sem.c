/* Semaphores: every call, command and flag. */
#include "tests/syscall/ipc/ipc.h"

static int sem_new(int nr)
{
	int id = (int)semget_(IPC_PRIVATE, nr, IPC_CREAT | 0600);

	CHECK(id >= 0);
	return id;
}

static void sem_end(int id)
{
	CHECK_EQ(semctl_(id, 0, IPC_RMID, 0), 0);
}

static long value(int id, int num)
{
	return semctl_(id, num, GETVAL, 0);
}

static struct semid_ds sem_stat(int id)
{
	struct semid_ds ds;

	memset(&ds, 0xee, sizeof(ds));
	CHECK_EQ(semctl_(id, 0, IPC_STAT, &ds), 0);
	return ds;
}

TEST(semget_errors)
{
	int key = fresh_key(), id = (int)semget_(key, 3, IPC_CREAT | 0600);

	CHECK(id >= 0);
	CHECK_EQ(semget_(fresh_key(), 1, 0600), -ENOENT);
	CHECK_EQ(semget_(IPC_PRIVATE, 0, 0600), -EINVAL);
	CHECK_EQ(semget_(IPC_PRIVATE, -1, 0600), -EINVAL);
	CHECK_EQ(semget_(IPC_PRIVATE, 32001, 0600), -EINVAL);
	CHECK_EQ(semget_(key, 4, 0600), -EINVAL);
	CHECK_EQ(semget_(key, 3, IPC_CREAT | IPC_EXCL | 0600), -EEXIST);
	CHECK_EQ(semget_(key, 0, 0), id);
	CHECK_EQ(semget_(key, 2, IPC_CREAT | 0777), id);
	sem_end(id);
	CHECK_EQ(semget_(key, 1, 0600), -ENOENT);
}

TEST(semop_errors)
{
	struct sembuf many[501] = {{0, 0, 0}};
	struct timespec bad = {0, 1000000000}, negative = {-1, 0};
	int id = sem_new(2);

	CHECK_EQ(semop_(id, many, 0), -EINVAL);
	CHECK_EQ(semop_(-1, many, 1), -EINVAL);
	CHECK_EQ(semop_(0x7fffffff, many, 1), -EINVAL);
	CHECK_EQ(semop_(id, many, 501), -E2BIG);
	CHECK_EQ(semop_(id, many, 500), 0);
	CHECK_EQ(semop_(id, page_unmapped(), 1), -EFAULT);
	CHECK_EQ(semop_(id, page_unmapped(), 501), -E2BIG);
	CHECK_EQ(semop_(id, page_unmapped(), 0), -EINVAL);
	CHECK_EQ(semop_(-1, page_unmapped(), 1), -EFAULT);
	CHECK_EQ(sem_do(id, 2, 1, 0), -EFBIG);
	CHECK_EQ(sem_do(id, 2, 1, SEM_UNDO), -EFBIG);
	CHECK_EQ(sem_do(id, 0, -1, IPC_NOWAIT), -EAGAIN);
	CHECK_EQ(sem_do(id, 0, 32767, 0), 0);
	CHECK_EQ(sem_do(id, 0, 1, 0), -ERANGE);
	CHECK_EQ(sem_do(id, 0, 0, IPC_NOWAIT), -EAGAIN);
	CHECK_EQ(semtimedop_(id, many, 1, &bad), -EINVAL);
	CHECK_EQ(semtimedop_(id, many, 1, &negative), -EINVAL);
	CHECK_EQ(semtimedop_(id, many, 1, page_unmapped()), -EFAULT);
	CHECK_EQ(semtimedop_(id, many, 501, &bad), -E2BIG);
	CHECK_EQ(semtimedop_(id, page_unmapped(), 1, &bad), -EFAULT);
	sem_end(id);
	CHECK_EQ(sem_do(id, 0, 1, 0), -EINVAL);
}

TEST(semop_all_or_nothing)
{
	struct sembuf ops[3] = {{0, 1, 0}, {1, -1, IPC_NOWAIT}, {2, 1, 0}};
	struct sembuf again[3] = {{0, -2, 0}, {0, 1, 0}, {0, 0, IPC_NOWAIT}};
	int id = sem_new(3);

	CHECK_EQ(semop_(id, ops, 3), -EAGAIN);
	CHECK_EQ(value(id, 0), 0);
	CHECK_EQ(value(id, 2), 0);
	CHECK_EQ(sem_do(id, 1, 1, 0), 0);
	CHECK_EQ(semop_(id, ops, 3), 0);
	CHECK_EQ(value(id, 0), 1);
	CHECK_EQ(value(id, 1), 0);
	CHECK_EQ(value(id, 2), 1);
	/* One semaphore more than once: in order. */
	CHECK_EQ(sem_do(id, 0, 1, 0), 0);
	CHECK_EQ(semop_(id, again, 3), -EAGAIN);
	CHECK_EQ(value(id, 0), 2);
	again[0].sem_op = -3;
	again[0].sem_flg = IPC_NOWAIT;
	CHECK_EQ(semop_(id, again, 3), -EAGAIN);
	again[0].sem_op = -2;
	again[1].sem_op = 0;
	CHECK_EQ(semop_(id, again, 3), 0);
	sem_end(id);
}

TEST(sem_stat_fields)
{
	int key = fresh_key(), id = (int)semget_(key, 4, IPC_CREAT | 0641);
	time_t now = time(NULL);
	struct semid_ds ds = sem_stat(id);

	CHECK_EQ(ds.sem_perm.__key, key);
	CHECK_EQ(ds.sem_perm.mode, 0641);
	CHECK_EQ(ds.sem_nsems, 4);
	CHECK_EQ(ds.sem_otime, 0);
	CHECK(ds.sem_ctime >= now - 2 && ds.sem_ctime <= now + 2);
	CHECK_EQ(semctl_(id, 1, GETPID, 0), 0);
	CHECK_EQ(sem_do(id, 1, 1, 0), 0);
	CHECK_EQ(semctl_(id, 1, GETPID, 0), getpid());
	CHECK_EQ(semctl_(id, 0, GETPID, 0), 0);
	ds = sem_stat(id);
	CHECK(ds.sem_otime >= now - 1 && ds.sem_otime <= now + 5);
	ds.sem_perm.uid = 5;
	ds.sem_perm.mode = 0600;
	CHECK_EQ(semctl_(id, 0, IPC_SET, &ds), 0);
	ds = sem_stat(id);
	CHECK_EQ(ds.sem_perm.uid, 5);
	CHECK_EQ(ds.sem_perm.mode, 0600);
	sem_end(id);
}

TEST(semctl_values)
{
	unsigned short set[3] = {5, 6, 7}, got[3] = {0}, high[3] = {0, 32768, 0};
	int id = sem_new(3);

	CHECK_EQ(semctl_(id, 0, SETALL, set), 0);
	CHECK_EQ(semctl_(id, 0, GETALL, got), 0);
	CHECK(!memcmp(set, got, sizeof(set)));
	CHECK_EQ(semctl_(id, 2, GETPID, 0), getpid());
	CHECK_EQ(semctl_(id, 0, SETALL, high), -ERANGE);
	CHECK_EQ(semctl_(id, 0, SETALL, page_unmapped()), -EFAULT);
	CHECK_EQ(semctl_(id, 0, GETALL, page_unmapped()), -EFAULT);
	CHECK_EQ(semctl_(id, 1, SETVAL, 32767), 0);
	CHECK_EQ(value(id, 1), 32767);
	CHECK_EQ(semctl_(id, 1, SETVAL, 32768), -ERANGE);
	CHECK_EQ(semctl_(id, 1, SETVAL, -1), -ERANGE);
	CHECK_EQ(semctl_(id, 3, SETVAL, 1), -EINVAL);
	CHECK_EQ(semctl_(id, -1, SETVAL, 1), -EINVAL);
	CHECK_EQ(semctl_(id, 3, GETVAL, 0), -EINVAL);
	CHECK_EQ(semctl_(id, -1, GETPID, 0), -EINVAL);
	CHECK_EQ(semctl_(id, 3, GETNCNT, 0), -EINVAL);
	CHECK_EQ(semctl_(id, 3, GETZCNT, 0), -EINVAL);
	CHECK_EQ(semctl_(id, 99, GETALL, got), 0);
	sem_end(id);
}

TEST(semctl_errors)
{
	int id = sem_new(1);
	struct semid_ds ds;

	CHECK_EQ(semctl_(-1, 0, IPC_STAT, &ds), -EINVAL);
	CHECK_EQ(semctl_(id, 0, 99, &ds), -EINVAL);
	CHECK_EQ(semctl_(id, 0, -1, &ds), -EINVAL);
	CHECK_EQ(semctl_(id, 0, IPC_STAT, page_unmapped()), -EFAULT);
	CHECK_EQ(semctl_(id, 0, IPC_SET, page_unmapped()), -EFAULT);
	CHECK_EQ(semctl_(0x7fffffff, 0, IPC_STAT, &ds), -EINVAL);
	CHECK_EQ(semctl_(0x7fffffff, 0, IPC_SET, page_unmapped()), -EFAULT);
	CHECK_EQ(semctl_(0x7fffffff, 0, IPC_RMID, 0), -EINVAL);
	CHECK_EQ(semctl_(0x7fffffff, 0, GETVAL, 0), -EINVAL);
	CHECK_EQ(semctl_(0x7fffffff, 0, SETVAL, 0), -EINVAL);
	CHECK_EQ(semctl_(0x7fffffff, 0, SETVAL, -1), -ERANGE);
	CHECK_EQ(semctl_(0x7fffffff, 0, GETALL, 0), -EINVAL);
	CHECK_EQ(semctl_(0x7fffffff, 0, SETALL, 0), -EINVAL);
	CHECK_EQ(semctl_(32767, 0, SEM_STAT, &ds), -EINVAL);
	CHECK_EQ(semctl_(32767, 0, SEM_STAT_ANY, &ds), -EINVAL);
	CHECK_EQ(semctl_(0, 0, IPC_INFO, page_unmapped()), -EFAULT);
	ds = sem_stat(id);
	ds.sem_perm.gid = (gid_t)-1;
	CHECK_EQ(semctl_(id, 0, IPC_SET, &ds), -EINVAL);
	sem_end(id);
}

TEST(semctl_info)
{
	struct seminfo info, more;
	struct semid_ds ds;
	int id, highest, found = 0;

	CHECK(semctl_(0, 0, IPC_INFO, &info) >= 0);
	CHECK_EQ(info.semmni, 32000);
	CHECK_EQ(info.semmns, 1024000000);
	CHECK_EQ(info.semmsl, 32000);
	CHECK_EQ(info.semopm, 500);
	CHECK_EQ(info.semvmx, 32767);
	CHECK_EQ(info.semaem, 32767);
	CHECK_EQ(info.semmap, 1024000000);
	CHECK_EQ(info.semmnu, 1024000000);
	CHECK_EQ(info.semume, 500);
	CHECK_EQ(info.semusz, 20);
	CHECK(semctl_(0, 0, SEM_INFO, &info) >= 0);
	id = sem_new(7);
	highest = (int)semctl_(0, 0, SEM_INFO, &more);
	CHECK_EQ(more.semusz, info.semusz + 1);
	CHECK_EQ(more.semaem, info.semaem + 7);
	for (int i = 0; i <= highest; i++) {
		found += semctl_(i, 0, SEM_STAT, &ds) == id;
		found += semctl_(i, 0, SEM_STAT_ANY, &ds) == id;
	}
	CHECK_EQ(found, 2);
	sem_end(id);
}

TEST(sem_in_proc)
{
	int key = fresh_key(), id = (int)semget_(key, 9, IPC_CREAT | 0640);
	long mode, nr;
	char line[256];

	CHECK(sysvipc_line("sem", id, line, sizeof(line)));
	CHECK_EQ(sscanf(line, "%*d %*d %lo %ld", &mode, &nr), 2);
	CHECK_EQ(mode, 0640);
	CHECK_EQ(nr, 9);
	CHECK_EQ(strlen(line), 84);
	sem_end(id);
}

/* ---- waiting ---- */

struct operation {
	int id, num, op, flags;
};

static int operate(void *arg)
{
	struct operation *o = arg;

	return (int)-sem_do(o->id, o->num, o->op, o->flags);
}

static pid_t operate_later(int id, int num, int op, int flags)
{
	struct operation o = {id, num, op, flags};
	pid_t pid = child_start(operate, &o);

	WAIT_UNTIL(semctl_(id, num, op ? GETNCNT : GETZCNT, 0) > 0 && child_sleeps(pid));
	return pid;
}

TEST(semop_waits_for_a_value)
{
	int id = sem_new(2);
	pid_t pid = operate_later(id, 1, -3, 0);

	CHECK_EQ(semctl_(id, 1, GETNCNT, 0), 1);
	CHECK_EQ(semctl_(id, 1, GETZCNT, 0), 0);
	CHECK_EQ(semctl_(id, 0, GETNCNT, 0), 0);
	CHECK_EQ(sem_do(id, 1, 2, 0), 0);
	CHECK_EQ(semctl_(id, 1, GETNCNT, 0), 1);
	CHECK_EQ(sem_do(id, 1, 2, 0), 0);
	CHECK_EQ(child_wait(pid), 0);
	CHECK_EQ(value(id, 1), 1);
	CHECK_EQ(semctl_(id, 1, GETPID, 0), pid);
	sem_end(id);
}

TEST(semop_waits_for_zero)
{
	int id = sem_new(1);
	pid_t pid;

	CHECK_EQ(sem_do(id, 0, 2, 0), 0);
	pid = operate_later(id, 0, 0, 0);
	CHECK_EQ(semctl_(id, 0, GETZCNT, 0), 1);
	CHECK_EQ(semctl_(id, 0, GETNCNT, 0), 0);
	CHECK_EQ(sem_do(id, 0, -1, 0), 0);
	CHECK_EQ(semctl_(id, 0, GETZCNT, 0), 1);
	CHECK_EQ(sem_do(id, 0, -1, 0), 0);
	CHECK_EQ(child_wait(pid), 0);
	sem_end(id);
}

/* A waiter for zero and one that takes the last: both go, whichever order they came in. */
TEST(semop_zero_before_decrease)
{
	int id = sem_new(1);
	pid_t zero, taker;

	CHECK_EQ(sem_do(id, 0, 1, 0), 0);
	zero = operate_later(id, 0, 0, 0);
	taker = operate_later(id, 0, -3, 0);
	CHECK_EQ(sem_do(id, 0, 2, 0), 0);
	CHECK_EQ(child_wait(taker), 0);
	CHECK_EQ(child_wait(zero), 0);
	CHECK_EQ(value(id, 0), 0);
	sem_end(id);
}

TEST(semop_in_order_of_arrival)
{
	int id = sem_new(1);
	pid_t first = operate_later(id, 0, -1, 0), second;
	struct operation o = {id, 0, -1, 0};

	second = child_start(operate, &o);
	WAIT_UNTIL(semctl_(id, 0, GETNCNT, 0) == 2);
	CHECK_EQ(sem_do(id, 0, 1, 0), 0);
	CHECK_EQ(child_wait(first), 0);
	CHECK_EQ(semctl_(id, 0, GETNCNT, 0), 1);
	CHECK_EQ(sem_do(id, 0, 1, 0), 0);
	CHECK_EQ(child_wait(second), 0);
	sem_end(id);
}

static int wait_for_both(void *arg)
{
	struct sembuf ops[2] = {{0, -1, 0}, {1, -1, 0}};

	return (int)-semop_(*(int *)arg, ops, 2);
}

TEST(semop_waits_for_several)
{
	int id = sem_new(2);
	pid_t pid = child_start(wait_for_both, &id);

	WAIT_UNTIL(semctl_(id, 0, GETNCNT, 0) == 1);
	CHECK_EQ(sem_do(id, 0, 1, 0), 0);
	/* What it waits for now is the other one. */
	CHECK_EQ(semctl_(id, 0, GETNCNT, 0), 0);
	CHECK_EQ(semctl_(id, 1, GETNCNT, 0), 1);
	CHECK_EQ(value(id, 0), 1);
	CHECK_EQ(sem_do(id, 1, 1, 0), 0);
	CHECK_EQ(child_wait(pid), 0);
	CHECK_EQ(value(id, 0), 0);
	sem_end(id);
}

TEST(semop_ends_by_removal)
{
	int id = sem_new(1);
	pid_t pid = operate_later(id, 0, -1, 0);

	sem_end(id);
	CHECK_EQ(child_wait(pid), EIDRM);
}

TEST(semop_wakes_by_setval_and_setall)
{
	unsigned short one = 1;
	int id = sem_new(1);
	pid_t pid = operate_later(id, 0, -1, 0);

	CHECK_EQ(semctl_(id, 0, SETVAL, 1), 0);
	CHECK_EQ(child_wait(pid), 0);
	pid = operate_later(id, 0, -1, 0);
	CHECK_EQ(semctl_(id, 0, SETALL, &one), 0);
	CHECK_EQ(child_wait(pid), 0);
	CHECK_EQ(value(id, 0), 0);
	sem_end(id);
}

static void do_nothing(int signal)
{
	(void)signal;
}

static int operate_with_handler(void *arg)
{
	struct sigaction sa = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};

	sigaction(SIGUSR1, &sa, NULL);
	return operate(arg);
}

TEST(semop_ends_by_signal)
{
	int id = sem_new(1);
	struct operation o = {id, 0, -1, 0};
	pid_t pid = child_start(operate_with_handler, &o);

	WAIT_UNTIL(semctl_(id, 0, GETNCNT, 0) == 1 && child_sleeps(pid));
	kill(pid, SIGUSR1);
	CHECK_EQ(child_wait(pid), EINTR); /* not restarted, SA_RESTART or not */
	CHECK_EQ(semctl_(id, 0, GETNCNT, 0), 0);
	sem_end(id);
}

TEST(semtimedop_ends_in_time)
{
	struct timespec t = {0, 20 * NS_PER_MS}, zero = {0, 0};
	struct sembuf op = {0, -1, 0};
	int64_t start = now_ns(CLOCK_MONOTONIC);
	int id = sem_new(1);

	CHECK_EQ(semtimedop_(id, &op, 1, &zero), -EAGAIN);
	CHECK_EQ(semtimedop_(id, &op, 1, &t), -EAGAIN);
	CHECK(now_ns(CLOCK_MONOTONIC) - start >= 20 * NS_PER_MS);
	CHECK_EQ(semctl_(id, 0, GETNCNT, 0), 0);
	CHECK_EQ(sem_do(id, 0, 1, 0), 0);
	CHECK_EQ(semtimedop_(id, &op, 1, &t), 0);
	sem_end(id);
}

/* ---- undo ---- */

static int take_with_undo(void *arg)
{
	int id = *(int *)arg;

	return sem_do(id, 0, -2, SEM_UNDO) || sem_do(id, 1, 3, SEM_UNDO) || sem_do(id, 1, -1, 0);
}

TEST(sem_undo_at_exit)
{
	unsigned short set[2] = {5, 0};
	int id = sem_new(2);
	pid_t pid;

	CHECK_EQ(semctl_(id, 0, SETALL, set), 0);
	pid = child_start(take_with_undo, &id);
	CHECK_EQ(child_wait(pid), 0);
	CHECK_EQ(value(id, 0), 5);
	CHECK_EQ(value(id, 1), 0); /* 2 - 3 stops at 0 */
	CHECK_EQ(semctl_(id, 0, GETPID, 0), pid);
	sem_end(id);
}

static int add_twice_with_undo(void *arg)
{
	int id = *(int *)arg;

	if (sem_do(id, 0, -32767, SEM_UNDO) || sem_do(id, 0, 32767, 0))
		return 1;
	return (int)-sem_do(id, 0, -1, SEM_UNDO); /* 32768 to take back */
}

TEST(sem_undo_out_of_range)
{
	int id = sem_new(1);

	CHECK_EQ(semctl_(id, 0, SETVAL, 32767), 0);
	CHECK_EQ(child_run(add_twice_with_undo, &id), ERANGE);
	CHECK_EQ(value(id, 0), 32767); /* 32767 + 32767 stops there */
	sem_end(id);
}

static int undo_forgotten(void *arg)
{
	int id = *(int *)arg;
	unsigned short set[2] = {8, 9};

	return sem_do(id, 0, 1, SEM_UNDO) || sem_do(id, 1, 1, SEM_UNDO) ||
	       semctl_(id, 0, SETVAL, 7) || (semctl_(id, 0, GETVAL, 0) != 7) ||
	       sem_do(id, 0, -1, SEM_UNDO) || semctl_(id, 0, SETALL, set);
}

TEST(sem_undo_cleared_by_setting)
{
	int id = sem_new(2);

	CHECK_EQ(child_run(undo_forgotten, &id), 0);
	CHECK_EQ(value(id, 0), 8);
	CHECK_EQ(value(id, 1), 9);
	sem_end(id);
}

TEST(sem_undo_wakes)
{
	int id = sem_new(1);
	struct operation o = {id, 0, -1, SEM_UNDO};
	pid_t pid;

	CHECK_EQ(sem_do(id, 0, 1, 0), 0);
	pid = operate_later(id, 0, -2, 0);
	CHECK_EQ(child_run(operate, &o), 0);
	CHECK_EQ(semctl_(id, 0, GETNCNT, 0), 1);
	o.op = 1;
	o.flags = 0;
	CHECK_EQ(child_run(operate, &o), 0);
	CHECK_EQ(child_wait(pid), 0);
	sem_end(id);
}

static void *thread_takes(void *arg)
{
	return (void *)sem_do(*(int *)arg, 0, -1, SEM_UNDO);
}

static int threads_take(void *arg)
{
	void *result;
	pthread_t thread = thread_start(thread_takes, arg);

	pthread_join(thread, &result);
	/* The thread has ended, the process has not: nothing is taken back. */
	return result || semctl_(*(int *)arg, 0, GETVAL, 0) != 4;
}

TEST(sem_undo_belongs_to_the_process)
{
	int id = sem_new(1);

	CHECK_EQ(semctl_(id, 0, SETVAL, 5), 0);
	CHECK_EQ(child_run(threads_take, &id), 0);
	CHECK_EQ(value(id, 0), 5);
	sem_end(id);
}

static int take_and_exec(void *arg)
{
	int id = *(int *)arg;
	char *argv[] = {"sh", "-c", "read x", NULL};

	if (sem_do(id, 0, -1, SEM_UNDO))
		return 1;
	execve("/bin/sh", argv, NULL);
	return 2;
}

TEST(sem_undo_outlives_exec)
{
	int id = sem_new(1), in[2], saved = dup(0);
	pid_t pid;

	CHECK_EQ(semctl_(id, 0, SETVAL, 5), 0);
	CHECK_EQ(pipe2(in, O_CLOEXEC), 0);
	dup2(in[0], 0);
	pid = child_start(take_and_exec, &id);
	dup2(saved, 0);
	close(saved);
	close(in[0]);
	WAIT_UNTIL(value(id, 0) == 4 && child_sleeps(pid));
	sleep_ms(20);
	CHECK_EQ(value(id, 0), 4);
	close(in[1]);
	child_wait(pid);
	CHECK_EQ(value(id, 0), 5);
	sem_end(id);
}

static int unshare_undo(void *arg)
{
	int id = *(int *)arg;

	if (sem_do(id, 0, -1, SEM_UNDO) || unshare(CLONE_SYSVSEM))
		return 1;
	return semctl_(id, 0, GETVAL, 0) != 5;
}

TEST(sem_undo_unshared)
{
	int id = sem_new(1);

	CHECK_EQ(semctl_(id, 0, SETVAL, 5), 0);
	CHECK_EQ(child_run(unshare_undo, &id), 0);
	CHECK_EQ(value(id, 0), 5);
	sem_end(id);
}

static int undo_then_remove(void *arg)
{
	int id = *(int *)arg;

	return sem_do(id, 0, 1, SEM_UNDO) || semctl_(id, 0, IPC_RMID, 0);
}

TEST(sem_undo_of_a_removed_set)
{
	int id = sem_new(1), other;

	CHECK_EQ(child_run(undo_then_remove, &id), 0);
	other = sem_new(1);
	CHECK_EQ(value(other, 0), 0);
	sem_end(other);
}
