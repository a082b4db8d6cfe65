/*
 * The shortest uses of files: read or write one byte, open and close, stat. Each worker has a
 * descriptor of its own; the file lies in the root file system, which both kernels keep in memory.
 */
#define _GNU_SOURCE
#include "perf/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "/process.bench"
#define FILE_BYTE 'x'

static const char *const names[] = {"/dev/zero", "/dev/null", FILE_NAME};
static int fds[BENCH_MAX_THREADS];

static void make_file(void)
{
	int fd = open(FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, &(char){FILE_BYTE}, 1) != 1 || close(fd) < 0)
		bench_fail("cannot make %s: %s", FILE_NAME, strerror(errno));
}

const char *io_setup(struct bench_team *team)
{
	const char *name = names[team->bench->arg];

	make_file();
	for (int i = 0; i < team->threads; i++) {
		fds[i] = open(name, O_RDWR);
		if (fds[i] < 0)
			return bench_unsupported(name);
	}
	return NULL;
}

void io_teardown(struct bench_team *team)
{
	for (int i = 0; i < team->threads; i++)
		close(fds[i]);
	unlink(FILE_NAME);
}

void read_work(struct bench_worker *worker)
{
	bool file = worker->team->bench->arg == IO_FILE;
	int fd = fds[worker->index];

	for (; worker->done < worker->ops; worker->done++) {
		char byte = 1;

		if (pread(fd, &byte, 1, 0) != 1 || byte != (file ? FILE_BYTE : 0))
			bench_fail("read of one byte: %#x, %s", byte, strerror(errno));
	}
}

void write_work(struct bench_worker *worker)
{
	int fd = fds[worker->index];

	for (; worker->done < worker->ops; worker->done++)
		if (pwrite(fd, &(char){FILE_BYTE}, 1, 0) != 1)
			bench_fail("write of one byte: %s", strerror(errno));
}

void open_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++) {
		int fd = open(FILE_NAME, O_RDONLY);

		if (fd < 0 || close(fd) < 0)
			bench_fail("open and close: %s", strerror(errno));
	}
}

void stat_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++) {
		struct stat facts;

		if (stat(FILE_NAME, &facts) < 0 || facts.st_size != 1)
			bench_fail("stat: %s", strerror(errno));
	}
}
