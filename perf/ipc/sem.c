/*
 * System V semaphores. own: each worker takes and gives back a semaphore of its own set; one:
 * all the same one, of value 1, so it is a mutex; pair: two processes hand over by two
 * semaphores of one set.
 */
#define _GNU_SOURCE
#include "perf/ipc/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/sem.h>

union semun {
	int val;
};

static int ids[BENCH_MAX_THREADS];		      /* [I] each worker's set */
static _Alignas(BENCH_LINE) volatile uint64_t inside; /* under the one semaphore */

/* A set of @nr semaphores of value 0, the first of @first. */
static int make_set(int nr, int first)
{
	int id = semget(IPC_PRIVATE, nr, IPC_CREAT | 0600);

	if (id >= 0 && semctl(id, 0, SETVAL, (union semun){.val = first}) < 0)
		bench_fail("SETVAL: %s", strerror(errno));
	return id;
}

static const char *make_sets(struct bench_team *team, int nr, bool same)
{
	for (int i = 0; i < team->threads; i++) {
		ids[i] = same && i ? ids[0] : make_set(nr, 1);
		if (ids[i] < 0)
			return bench_unsupported("semget");
	}
	return NULL;
}

const char *sem_setup(struct bench_team *team)
{
	return make_sets(team, 1, false);
}

const char *sem_same_setup(struct bench_team *team)
{
	return make_sets(team, 1, true);
}

const char *sem_pair_setup(struct bench_team *team)
{
	return make_sets(team, 2, true);
}

/* Removing twice what all share is refused, which is no matter. */
void sem_teardown(struct bench_team *team)
{
	for (int i = 0; i < team->threads; i++)
		semctl(ids[i], 0, IPC_RMID);
}

static void change(int id, int number, int by, int flags)
{
	struct sembuf op = {.sem_num = number, .sem_op = by, .sem_flg = flags};

	while (semop(id, &op, 1) < 0)
		if (errno != EINTR)
			bench_fail("semop: %s", strerror(errno));
}

/* An operation is a pair: take and give back. */
void sem_work(struct bench_worker *worker)
{
	bool same = worker->team->threads > 1 && ids[1] == ids[0];
	int id = ids[worker->index];

	for (; worker->done < worker->ops; worker->done++) {
		change(id, 0, -1, 0);
		if (same && inside++ % 2 != 0)
			bench_fail("two are inside one semaphore of value 1");
		if (same)
			inside++;
		change(id, 0, 1, 0);
	}
}

void sem_undo_work(struct bench_worker *worker)
{
	int id = ids[worker->index];

	for (; worker->done < worker->ops; worker->done++) {
		change(id, 0, -1, SEM_UNDO);
		change(id, 0, 1, SEM_UNDO);
	}
}

/* Worker 0 begins, because its semaphore has the value 1; an operation is one hand-over. */
void sem_pair_work(struct bench_worker *worker)
{
	int id = ids[0], own = worker->index;

	for (; worker->done < worker->ops; worker->done++) {
		change(id, own, -1, 0);
		change(id, 1 - own, 1, 0);
	}
}
