/*
 * System V message queues. own: each worker sends to a queue of its own and takes the message
 * back; pair: two processes, a message there is one operation and one back another; stream:
 * worker 0 sends, worker 1 receives. Each message begins with its number.
 */
#define _GNU_SOURCE
#include "perf/ipc/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/msg.h>

#define MESSAGE_MAX 8192

struct message {
	long type;
	uint64_t number;
	char rest[MESSAGE_MAX - sizeof(uint64_t)];
};

static int ids[BENCH_MAX_THREADS]; /* [I] each worker's queue */

const char *msg_setup(struct bench_team *team)
{
	for (int i = 0; i < team->threads; i++) {
		ids[i] = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
		if (ids[i] < 0)
			return bench_unsupported("msgget");
	}
	return NULL;
}

void msg_teardown(struct bench_team *team)
{
	for (int i = 0; i < team->threads; i++)
		msgctl(ids[i], IPC_RMID, NULL);
}

static void send_message(int id, uint64_t number, size_t size)
{
	struct message message;

	message.type = 1;
	message.number = number;
	while (msgsnd(id, &message, size, 0) < 0)
		if (errno != EINTR)
			bench_fail("msgsnd of %zu bytes: %s", size, strerror(errno));
}

static void expect_message(int id, uint64_t number, size_t size)
{
	struct message message;
	ssize_t length;

	while ((length = msgrcv(id, &message, MESSAGE_MAX, 0, 0)) < 0)
		if (errno != EINTR)
			bench_fail("msgrcv: %s", strerror(errno));
	if ((size_t)length != size || message.number != number)
		bench_fail("message %llu of %zd bytes came instead of %llu",
			   (unsigned long long)message.number, length, (unsigned long long)number);
}

void msg_own_work(struct bench_worker *worker)
{
	size_t size = worker->team->bench->arg;
	int id = ids[worker->index];

	for (; worker->done < worker->ops; worker->done++) {
		send_message(id, worker->done, size);
		expect_message(id, worker->done, size);
	}
}

void msg_pair_work(struct bench_worker *worker)
{
	size_t size = worker->team->bench->arg;
	int own = worker->index;

	for (; worker->done < worker->ops; worker->done++) {
		if (own == 0)
			send_message(ids[1], worker->done, size);
		expect_message(ids[own], worker->done, size);
		if (own == 1)
			send_message(ids[0], worker->done, size);
	}
}

void msg_stream_work(struct bench_worker *worker)
{
	size_t size = worker->team->bench->arg;

	for (uint64_t i = 0; i < worker->team->ops; i++) {
		if (worker->index == 0) {
			send_message(ids[1], i, size);
			worker->done++;
		} else {
			expect_message(ids[1], i, size);
		}
	}
}
