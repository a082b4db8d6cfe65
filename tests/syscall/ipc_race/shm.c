/* Segments: removal against attach, fork, exit and look-up. */
#include "tests/syscall/ipc_race/race.h"

#define MAGIC 0x5a5aL

static unsigned seed = 1;

/* Attaches if the segment is still there, looks into it, and leaves it by one of three ways. */
static void attach_and_leave(int worker)
{
	unsigned *s = &arena->seed[worker];
	long *at;

	race_pause(s);
	at = (long *)shmat_(arena->id, NULL, 0);
	if ((long)at == -EINVAL || (long)at == -EIDRM)
		return;
	if ((long)at < 0) {
		race_unexpected((long)at);
		return;
	}
	race_add(&arena->count[0], 1);
	if (at[0] != MAGIC)
		race_unexpected(at[0]);
	at[1 + worker] = worker;
	if (race_random(s) % 8 == 0) {
		pid_t pid = fork(); /* one that exits with it, another that detaches */

		if (pid == 0)
			_exit(at[0] == MAGIC ? 0 : 1);
		if (child_wait(pid))
			race_unexpected(-1000);
	}
	if (race_random(s) % 2 ? shmdt_(at) : munmap(at, PAGE))
		race_unexpected(-1001);
}

static void remove_soon(void)
{
	race_pause(&seed);
	CHECK_EQ(shmctl_(arena->id, IPC_RMID, 0), 0);
}

TEST(race_shm_removal_attach_exit)
{
	struct shmid_ds ds;

	race_start(attach_and_leave);
	for (int i = rounds_wanted("IPC_ROUNDS", 100); i > 0; i--) {
		long *at;

		arena->id = (int)shmget_(IPC_PRIVATE, PAGE, 0600);
		at = (long *)shmat_(arena->id, NULL, 0);
		at[0] = MAGIC;
		CHECK_EQ(shmdt_(at), 0);
		race_round(remove_soon);
		/* All have left, so it is gone. */
		if (shmctl_(arena->id, IPC_STAT, &ds) != -EINVAL)
			CHECK_EQ(shmctl_(arena->id, IPC_STAT, &ds), -EINVAL);
	}
	race_end();
}

/* One of those who want to make it does; all others find the one that it made, or nothing. */
static void make_or_find(int worker)
{
	long id;

	race_pause(&arena->seed[worker]);
	id = shmget_(arena->key, PAGE, IPC_CREAT | IPC_EXCL | 0600);
	if (id >= 0) {
		race_add(&arena->count[0], 1);
		arena->id = (int)id;
	} else if (id != -EEXIST) {
		race_unexpected(id);
	}
	id = shmget_(arena->key, PAGE, 0);
	if (id < 0)
		race_unexpected(id);
}

static void find_meanwhile(void)
{
	for (int i = 0; i < 50; i++) {
		long id = shmget_(arena->key, 0, 0);

		if (id < 0 && id != -ENOENT)
			race_unexpected(id);
	}
}

TEST(race_shm_key_is_made_once)
{
	int rounds = rounds_wanted("IPC_ROUNDS", 100);

	race_start(make_or_find);
	for (int i = 0; i < rounds; i++) {
		arena->key = fresh_key() + 0x1000000;
		race_round(find_meanwhile);
		CHECK_EQ(shmctl_(arena->id, IPC_RMID, 0), 0);
	}
	CHECK_EQ(arena->count[0], rounds);
	race_end();
}

/* Makers and removers of one key: a removed segment is never found. */
static void make_and_remove(int worker)
{
	for (int i = 0; i < 20; i++) {
		long id = shmget_(arena->key, PAGE, IPC_CREAT | 0600), ret;

		if (id < 0) {
			race_unexpected(id);
			continue;
		}
		ret = shmctl_((int)id, IPC_RMID, 0);
		if (ret && ret != -EINVAL && ret != -EIDRM)
			race_unexpected(ret);
		race_pause(&arena->seed[worker]);
	}
}

TEST(race_shm_make_and_remove_by_key)
{
	race_start(make_and_remove);
	arena->key = fresh_key();
	for (int i = rounds_wanted("IPC_ROUNDS", 100) / 10; i > 0; i--)
		race_round(find_meanwhile);
	race_end();
	CHECK_EQ(shmget_(arena->key, 0, 0), -ENOENT);
}

/* IPC_STAT beside attach and detach: what it shows was true at one moment. */
static void attach_and_stat(int worker)
{
	struct shmid_ds ds;

	for (int i = 0; i < 20; i++) {
		long at = worker % 2 ? shmat_(arena->id, NULL, 0) : 0;

		if (shmctl_(arena->id, IPC_STAT, &ds) || ds.shm_nattch > WORKERS ||
		    (worker % 2 && ds.shm_nattch < 1) || ds.shm_segsz != PAGE)
			race_unexpected((long)ds.shm_nattch);
		/* Owner and mode change together. */
		if (ds.shm_perm.uid * 8 != (ds.shm_perm.mode & 070))
			race_unexpected(ds.shm_perm.mode);
		if (at && shmdt_(at))
			race_unexpected(-1002);
	}
}

static void change_owner(void)
{
	struct shmid_ds ds = {.shm_perm = {.gid = 0}};

	for (int i = 0; i < 20; i++) {
		ds.shm_perm.uid = race_random(&seed) % 8;
		ds.shm_perm.mode = 0600 | (unsigned short)(ds.shm_perm.uid * 8);
		CHECK_EQ(shmctl_(arena->id, IPC_SET, &ds), 0);
	}
}

TEST(race_shm_stat_is_one_moment)
{
	struct shmid_ds ds = {.shm_perm = {.mode = 0600}};

	race_start(attach_and_stat);
	arena->id = (int)shmget_(IPC_PRIVATE, PAGE, 0600);
	for (int i = rounds_wanted("IPC_ROUNDS", 100) / 5; i > 0; i--)
		race_round(change_owner);
	CHECK_EQ(shmctl_(arena->id, IPC_SET, &ds), 0);
	CHECK_EQ(shmctl_(arena->id, IPC_STAT, &ds), 0);
	CHECK_EQ(ds.shm_nattch, 0);
	race_end();
	CHECK_EQ(shmctl_(arena->id, IPC_RMID, 0), 0);
}
