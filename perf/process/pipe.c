/*
 * Worker processes in a ring: worker i reads from pipe i and writes to pipe i + 1. One token goes
 * round; an operation is one hop: a byte read, a byte written, a switch to the next process. With
 * two workers that is the latency of a pipe, with more the cost of a switch among many.
 *
 * stream: worker 0 writes blocks, worker 1 reads them. The last byte of each block is its number.
 */
#define _GNU_SOURCE
#include "perf/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int pipes[BENCH_MAX_THREADS][2]; /* [I] read and write end */
static char block[PIPE_BLOCK];		/* of each process its own */

const char *ring_setup(struct bench_team *team)
{
	for (int i = 0; i < team->threads; i++)
		if (pipe2(pipes[i], O_CLOEXEC) < 0)
			return bench_unsupported("pipe2");
	return NULL;
}

void ring_teardown(struct bench_team *team)
{
	for (int i = 0; i < team->threads; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

static void send_byte(int fd, char byte)
{
	if (write(fd, &byte, 1) != 1)
		bench_fail("write to a pipe: %s", strerror(errno));
}

static void expect_byte(int fd, char expected)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		bench_fail("read from a pipe: %s", strerror(errno));
	if (byte != expected)
		bench_fail("%d came out of a pipe instead of %d", byte, expected);
}

/* Worker 0 makes the token at the beginning and takes it out at the end. */
void ring_work(struct bench_worker *worker)
{
	int in = pipes[worker->index][0];
	int out = pipes[(worker->index + 1) % worker->team->threads][1];

	for (; worker->done < worker->ops; worker->done++) {
		if (worker->index > 0)
			expect_byte(in, worker->done);
		send_byte(out, worker->done);
		if (worker->index == 0)
			expect_byte(in, worker->done);
	}
}

static void write_block(int fd)
{
	for (size_t done = 0; done < PIPE_BLOCK;) {
		ssize_t part = write(fd, block + done, PIPE_BLOCK - done);

		if (part <= 0)
			bench_fail("write to a pipe: %s", strerror(errno));
		done += part;
	}
}

static void read_block(int fd)
{
	for (size_t done = 0; done < PIPE_BLOCK;) {
		ssize_t part = read(fd, block + done, PIPE_BLOCK - done);

		if (part <= 0)
			bench_fail("read from a pipe: %s", strerror(errno));
		done += part;
	}
}

/* An operation is one block; the writer does them all, the reader counts none. */
void stream_work(struct bench_worker *worker)
{
	for (uint64_t i = 0; i < worker->team->ops; i++) {
		if (worker->index == 0) {
			block[PIPE_BLOCK - 1] = i;
			write_block(pipes[1][1]);
			worker->done++;
		} else {
			read_block(pipes[1][0]);
			if (block[PIPE_BLOCK - 1] != (char)i)
				bench_fail("block %llu came out of a pipe as another",
					   (unsigned long long)i);
		}
	}
}
