/*
 * Processes killed at random points while they attach, hold adjustments and wait for messages: nothing stays behind.
 * A leak check compares the tables and the free memory before and after.
 */
#include <sys/sysinfo.h>

#include "tests/syscall/ipc_race/race.h"

#define AT_A_TIME 16
#define SEM_START 1000

static struct {
	int shm, sem, msg;
} own;
static unsigned seed = 4;

/* Until it is killed: a little of everything. */
static void live(void)
{
	struct sembuf both[2] = {{0, -1, SEM_UNDO}, {1, 1, SEM_UNDO}};
	struct {
		long type, value;
	} m = {1, 1};
	unsigned s = (unsigned)getpid();

	for (;;) {
		long at = shmat_(own.shm, NULL, 0);

		if (at > 0)
			((volatile char *)at)[race_random(&s) % (4 * PAGE)] = 1;
		semop_(own.sem, both, 2);
		switch (race_random(&s) % 5) {
		case 0:
			msgrcv_(own.msg, &m, sizeof(m.value), 2, 0); /* never comes */
			break;
		case 1:
			msgsnd_(own.msg, &m, sizeof(m.value), IPC_NOWAIT);
			msgrcv_(own.msg, &m, sizeof(m.value), 1, IPC_NOWAIT);
			break;
		case 2:
			sem_do(own.sem, 2, -1, SEM_UNDO); /* waits for ever */
			break;
		case 3:
			sem_do(own.sem, 0, 1, SEM_UNDO);
			break;
		default:
			shmdt_(at);
		}
	}
}

static void kill_some(int count)
{
	pid_t pids[AT_A_TIME];

	for (int i = 0; i < count; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			live();
	}
	for (int i = 0; i < count; i++) {
		race_pause(&seed);
		kill(pids[i], SIGKILL);
		if (child_wait(pids[i]) != 256 + SIGKILL)
			CHECK_EQ(child_wait(pids[i]), 256 + SIGKILL);
	}
}

static void make_objects(void)
{
	unsigned short start[3] = {SEM_START, SEM_START, 0};

	own.shm = (int)shmget_(IPC_PRIVATE, 4 * PAGE, 0600);
	own.sem = (int)semget_(IPC_PRIVATE, 3, 0600);
	own.msg = (int)msgget_(IPC_PRIVATE, 0600);
	CHECK_EQ(semctl_(own.sem, 0, SETALL, start), 0);
}

/* As if nobody had ever been there. */
static void check_objects(void)
{
	struct shmid_ds shm;
	struct {
		long type, value;
	} m;

	CHECK_EQ(shmctl_(own.shm, IPC_STAT, &shm), 0);
	CHECK_EQ(shm.shm_nattch, 0);
	CHECK_EQ(semctl_(own.sem, 0, GETVAL, 0), SEM_START);
	CHECK_EQ(semctl_(own.sem, 1, GETVAL, 0), SEM_START);
	CHECK_EQ(semctl_(own.sem, 2, GETVAL, 0), 0);
	CHECK_EQ(semctl_(own.sem, 2, GETNCNT, 0), 0);
	/* Who was killed between sending and receiving has left a message, and no more than one. */
	while (msgrcv_(own.msg, &m, sizeof(m.value), 0, IPC_NOWAIT) > 0)
		CHECK_EQ(m.value, 1);
	CHECK_EQ(shmctl_(own.shm, IPC_RMID, 0), 0);
	CHECK_EQ(semctl_(own.sem, 0, IPC_RMID, 0), 0);
	CHECK_EQ(msgctl_(own.msg, IPC_RMID, 0), 0);
}

static void check_tables_empty(void)
{
	struct shm_info shm;
	struct seminfo sem;
	struct msginfo msg;

	CHECK_EQ(shmctl_(0, SHM_INFO, &shm) < 0, 0);
	CHECK_EQ(shm.used_ids, 0);
	CHECK_EQ(shm.shm_tot, 0);
	CHECK_EQ(semctl_(0, 0, SEM_INFO, &sem) < 0, 0);
	CHECK_EQ(sem.semusz, 0);
	CHECK_EQ(sem.semaem, 0);
	CHECK_EQ(msgctl_(0, MSG_INFO, &msg) < 0, 0);
	CHECK_EQ(msg.msgpool, 0);
	CHECK_EQ(msg.msgmap, 0);
	CHECK_EQ(msg.msgtql, 0);
}

static long free_pages(void)
{
	struct sysinfo info;

	sleep_ms(200); /* what is freed later */
	sysinfo(&info);
	return (long)(info.freeram * info.mem_unit / PAGE);
}

static void kill_many(int count)
{
	make_objects();
	for (; count > 0; count -= AT_A_TIME)
		kill_some(count < AT_A_TIME ? count : AT_A_TIME);
	check_objects();
	check_tables_empty();
}

TEST(kill_leaves_nothing)
{
	int kills = rounds_wanted("IPC_KILLS", 400);
	long before, after;

	kill_many(kills / 4 + AT_A_TIME); /* fills caches */
	before = free_pages();
	kill_many(kills);
	after = free_pages();
	printf("# %d killed; %ld pages free, %ld before\n", kills, after, before);
	/* One page a kill would be a leak; harts keep some in their caches. */
	CHECK(before - after < kills / 4 + 800);
}
