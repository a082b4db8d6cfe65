/* Message queues: receivers against removal and signals. */
#include "tests/syscall/ipc_race/race.h"

static unsigned seed = 3;

struct number {
	long type;
	long value;
};

static void receive_until_removed(int worker)
{
	struct number m;
	long ret;

	race_pause(&arena->seed[worker]);
	while ((ret = msgrcv_(arena->id, &m, sizeof(m.value), worker % 2 ? 0 : -2, 0)) > 0)
		race_add(&arena->count[0], 1);
	if (ret != -EIDRM && ret != -EINVAL)
		race_unexpected(ret);
}

static void send_and_remove(void)
{
	for (int i = race_random(&seed) % 6; i > 0; i--) {
		struct number m = {1 + i % 3, i};

		CHECK_EQ(msgsnd_(arena->id, &m, sizeof(m.value), 0), 0);
		arena->count[1]++;
	}
	race_pause(&seed);
	CHECK_EQ(msgctl_(arena->id, IPC_RMID, 0), 0);
}

TEST(race_msg_receive_removal)
{
	race_start(receive_until_removed);
	for (int i = rounds_wanted("IPC_ROUNDS", 100); i > 0; i--) {
		arena->id = (int)msgget_(IPC_PRIVATE, 0600);
		race_round(send_and_remove);
	}
	CHECK(arena->count[0] <= arena->count[1]);
	race_end();
}

static void on_signal(int signal)
{
	(void)signal;
}

/* Receives until a message says stop; signals interrupt it all the time. */
static void receive_under_signals(int worker)
{
	struct sigaction sa = {.sa_handler = on_signal};
	struct number m;
	long ret;

	(void)worker;
	sigaction(SIGUSR1, &sa, NULL);
	arena->count[4 + worker] = getpid();
	for (;;) {
		ret = msgrcv_(arena->id, &m, sizeof(m.value), 0, 0);
		if (ret == -EINTR)
			continue;
		if (ret != sizeof(m.value))
			race_unexpected(ret);
		if (ret < 0 || m.value == 0)
			break;
		race_add(&arena->count[0], m.value);
		race_add(&arena->count[1], 1);
	}
	arena->count[4 + worker] = 0;
}

static void send_and_signal(void)
{
	struct number m = {1, 0};

	for (int i = 1; i <= 40; i++) {
		pid_t pid = (pid_t)arena->count[4 + race_random(&seed) % WORKERS];

		m.value = i;
		CHECK_EQ(msgsnd_(arena->id, &m, sizeof(m.value), 0), 0);
		if (pid)
			kill(pid, SIGUSR1);
		race_pause(&seed);
	}
	m.value = 0;
	for (int i = 0; i < WORKERS; i++)
		CHECK_EQ(msgsnd_(arena->id, &m, sizeof(m.value), 0), 0);
}

TEST(race_msg_receive_signal)
{
	int rounds = rounds_wanted("IPC_ROUNDS", 100) / 4;

	signal(SIGUSR1, on_signal);
	race_start(receive_under_signals);
	arena->id = (int)msgget_(IPC_PRIVATE, 0600);
	for (int i = 0; i < rounds; i++)
		race_round(send_and_signal);
	/* None was lost or came twice. */
	CHECK_EQ(arena->count[1], rounds * 40L);
	CHECK_EQ(arena->count[0], rounds * 40L * 41 / 2);
	race_end();
	CHECK_EQ(msgctl_(arena->id, IPC_RMID, 0), 0);
}

/* A small queue: senders wait for room, receivers for messages. */
static void send_or_receive(int worker)
{
	struct number m = {1 + worker, 1};

	for (int i = 0; i < 20; i++) {
		long ret = worker % 2 ? msgsnd_(arena->id, &m, sizeof(m.value), 0)
				      : msgrcv_(arena->id, &m, sizeof(m.value), 0, 0);

		if (ret < 0)
			race_unexpected(ret);
		race_add(&arena->count[worker % 2], 1);
	}
}

static void change_room(void)
{
	struct msqid_ds ds;

	for (int i = 0; i < 4; i++) {
		CHECK_EQ(msgctl_(arena->id, IPC_STAT, &ds), 0);
		ds.msg_qbytes = 8 + race_random(&seed) % 32;
		CHECK_EQ(msgctl_(arena->id, IPC_SET, &ds), 0);
		race_pause(&seed);
	}
}

TEST(race_msg_send_receive)
{
	struct msqid_ds ds;

	race_start(send_or_receive);
	arena->id = (int)msgget_(IPC_PRIVATE, 0600);
	for (int i = rounds_wanted("IPC_ROUNDS", 100) / 4; i > 0; i--)
		race_round(change_room);
	CHECK_EQ(msgctl_(arena->id, IPC_STAT, &ds), 0);
	CHECK_EQ(ds.msg_qnum, 0);
	CHECK_EQ(ds.__msg_cbytes, 0);
	CHECK_EQ(arena->count[0], arena->count[1]);
	race_end();
	CHECK_EQ(msgctl_(arena->id, IPC_RMID, 0), 0);
}
