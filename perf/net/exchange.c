/*
 * Two workers exchange messages of one size. exchange: one there, one back, an operation each.
 * stream: worker 0 sends blocks, worker 1 takes them. A datagram stream waits for a word of
 * acknowledgement after each DATAGRAM_ACK datagrams: more in flight may be dropped. own: each worker
 * sends to itself, so that no two workers have anything to do with each other.
 * Each message of more than a byte begins and ends with its number.
 */
#define _GNU_SOURCE
#include "perf/net/net.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static _Thread_local char *block; /* of each worker its own, from the first use on */

static char *own_block(void)
{
	if (!block)
		block = bench_map_shared(MAX_BLOCK);
	return block;
}

void exchange_send(int fd, uint64_t number, size_t size)
{
	char *bytes = own_block();

	bytes[0] = bytes[size - 1] = number;
	for (size_t done = 0; done < size;) {
		ssize_t part = write(fd, bytes + done, size - done);

		if (part <= 0)
			bench_fail("send of %zu bytes: %s", size, strerror(errno));
		done += part;
	}
}

void exchange_expect(int fd, uint64_t number, size_t size)
{
	char *bytes = own_block();

	for (size_t done = 0; done < size;) {
		ssize_t part = read(fd, bytes + done, size - done);

		if (part <= 0)
			bench_fail("receive of %zu bytes: %s", size, part ? strerror(errno) : "end");
		done += part;
	}
	if (bytes[0] != (char)number || bytes[size - 1] != (char)number)
		bench_fail("message %llu came as another", (unsigned long long)number);
}

static int own_end(const struct bench_worker *worker)
{
	return links[worker->index / 2].end[worker->index % 2];
}

void exchange_work(struct bench_worker *worker)
{
	size_t size = worker->team->bench->arg;
	bool first = worker->index % 2 == 0;
	int fd = own_end(worker);

	for (; worker->done < worker->ops; worker->done++) {
		if (first)
			exchange_send(fd, worker->done, size);
		exchange_expect(fd, worker->done, size);
		if (!first)
			exchange_send(fd, worker->done, size);
	}
}

void own_work(struct bench_worker *worker)
{
	const struct link *link = &links[worker->index];
	size_t size = worker->team->bench->arg;

	for (; worker->done < worker->ops; worker->done++) {
		exchange_send(link->end[0], worker->done, size);
		exchange_expect(link->end[1], worker->done, size);
	}
}

/* The two workers of a pair have the same share; the sender does the operations of both. */
static void stream(struct bench_worker *worker, uint64_t ack_every)
{
	size_t size = worker->team->bench->arg;
	int fd = own_end(worker);
	uint64_t blocks = 2 * worker->ops;

	for (uint64_t i = 0; i < blocks; i++) {
		bool ack = ack_every && i % ack_every == ack_every - 1;

		if (worker->index % 2 == 0) {
			exchange_send(fd, i, size);
			worker->done++;
			if (ack)
				exchange_expect(fd, i, 1);
		} else {
			exchange_expect(fd, i, size);
			if (ack)
				exchange_send(fd, i, 1);
		}
	}
}

void stream_work(struct bench_worker *worker)
{
	stream(worker, 0);
}

void datagram_stream_work(struct bench_worker *worker)
{
	stream(worker, DATAGRAM_ACK);
}
