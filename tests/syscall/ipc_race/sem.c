/* Semaphores: operations against removal, time-outs, signals, and undo. */
#include "tests/syscall/ipc_race/race.h"

static unsigned seed = 2;

static void take_until_removed(int worker)
{
	struct sembuf both[2] = {{0, -1, 0}, {1, -1, 0}};
	long ret;

	race_pause(&arena->seed[worker]);
	do {
		ret = worker % 2 ? semop_(arena->id, both, 2) : sem_do(arena->id, 0, -1, SEM_UNDO);
		race_add(&arena->count[0], ret == 0);
	} while (ret == 0);
	if (ret != -EIDRM && ret != -EINVAL)
		race_unexpected(ret);
}

static void give_and_remove(void)
{
	for (int i = race_random(&seed) % 4; i > 0; i--) {
		CHECK_EQ(sem_do(arena->id, 0, 1, 0), 0);
		CHECK_EQ(sem_do(arena->id, 1, 1, 0), 0);
		arena->count[1]++;
	}
	race_pause(&seed);
	CHECK_EQ(semctl_(arena->id, 0, IPC_RMID, 0), 0);
}

TEST(race_sem_operation_removal)
{
	race_start(take_until_removed);
	for (int i = rounds_wanted("IPC_ROUNDS", 100); i > 0; i--) {
		arena->id = (int)semget_(IPC_PRIVATE, 2, 0600);
		race_round(give_and_remove);
	}
	CHECK(arena->count[0] <= arena->count[1]);
	race_end();
}

/* Each unit that was given is taken once, by those whose wait did not end in time, or is still there. */
static void take_in_time(int worker)
{
	struct sembuf op = {0, -1, 0};

	for (int i = 0; i < 10; i++) {
		struct timespec t = {0, race_random(&arena->seed[worker]) % 200000};
		long ret = semtimedop_(arena->id, &op, 1, &t);

		race_add(&arena->count[0], ret == 0);
		if (ret && ret != -EAGAIN)
			race_unexpected(ret);
	}
}

static void give_some(void)
{
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(sem_do(arena->id, 0, 1, 0), 0);
		arena->count[1]++;
		race_pause(&seed);
	}
}

TEST(race_sem_timeout)
{
	race_start(take_in_time);
	arena->id = (int)semget_(IPC_PRIVATE, 1, 0600);
	for (int i = rounds_wanted("IPC_ROUNDS", 100) / 4; i > 0; i--)
		race_round(give_some);
	CHECK_EQ(semctl_(arena->id, 0, GETVAL, 0), arena->count[1] - arena->count[0]);
	race_end();
	CHECK_EQ(semctl_(arena->id, 0, IPC_RMID, 0), 0);
}

static void take_and_exit(int worker)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		long ret = sem_do(arena->id, worker % 2, -1, SEM_UNDO);

		if (!ret)
			ret = sem_do(arena->id, 0, 3, SEM_UNDO);
		_exit(ret == 0 || ret == -EIDRM || ret == -EINVAL ? 0 : 1);
	}
	status = child_wait(pid);
	if (status)
		race_unexpected(status);
}

static void remove_sometimes(void)
{
	race_pause(&seed);
	if (race_random(&seed) % 2)
		CHECK_EQ(semctl_(arena->id, 0, IPC_RMID, 0), 0);
}

TEST(race_sem_undo_removal)
{
	unsigned short full[2] = {100, 100}, left[2];

	race_start(take_and_exit);
	for (int i = rounds_wanted("IPC_ROUNDS", 100); i > 0; i--) {
		arena->id = (int)semget_(IPC_PRIVATE, 2, 0600);
		CHECK_EQ(semctl_(arena->id, 0, SETALL, full), 0);
		race_round(remove_sometimes);
		if (semctl_(arena->id, 0, GETALL, left))
			continue;
		/* All adjustments have been made. */
		CHECK(left[0] == 100 && left[1] == 100);
		CHECK_EQ(semctl_(arena->id, 0, IPC_RMID, 0), 0);
	}
	race_end();
}

/* A lock: the counter behind it never moves under its holder. */
static void lock_and_count(int worker)
{
	(void)worker;
	for (int i = 0; i < 20; i++) {
		long seen;

		if (sem_do(arena->id, 0, -1, SEM_UNDO))
			race_unexpected(-1003);
		seen = ++*(volatile long *)&arena->count[0];
		sched_yield();
		if (*(volatile long *)&arena->count[0] != seen)
			race_unexpected(seen);
		if (sem_do(arena->id, 0, 1, SEM_UNDO))
			race_unexpected(-1004);
	}
}

static void do_nothing(void)
{
}

TEST(race_sem_excludes)
{
	int rounds = rounds_wanted("IPC_ROUNDS", 100) / 4;

	race_start(lock_and_count);
	arena->id = (int)semget_(IPC_PRIVATE, 1, 0600);
	CHECK_EQ(semctl_(arena->id, 0, SETVAL, 1), 0);
	for (int i = 0; i < rounds; i++)
		race_round(do_nothing);
	CHECK_EQ(arena->count[0], rounds * WORKERS * 20L);
	race_end();
	CHECK_EQ(semctl_(arena->id, 0, IPC_RMID, 0), 0);
}
