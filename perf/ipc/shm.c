/*
 * System V shared memory: attach and detach, the same with a first touch, IPC_STAT of one segment
 * by all workers or of one each, and a futex in a segment that two processes attach for
 * themselves: a key that is found through the segment and not through an address.
 *
 * The segments are removed in teardown(), or by the kernel's reboot after a failure: each run is
 * a boot of its own.
 */
#define _GNU_SOURCE
#include "perf/ipc/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/shm.h>

#include "perf/lib/futex.h"

static int ids[BENCH_MAX_THREADS]; /* [I] each worker's segment */

static const char *make_segments(struct bench_team *team, bool same)
{
	for (int i = 0; i < team->threads; i++) {
		ids[i] = same && i ? ids[0] : shmget(IPC_PRIVATE, team->bench->arg, IPC_CREAT | 0600);
		if (ids[i] < 0)
			return bench_unsupported("shmget");
	}
	return NULL;
}

const char *shm_setup(struct bench_team *team)
{
	return make_segments(team, false);
}

const char *shm_same_setup(struct bench_team *team)
{
	return make_segments(team, true);
}

/* Removing twice what all share is refused, which is no matter. */
void shm_teardown(struct bench_team *team)
{
	for (int i = 0; i < team->threads; i++)
		shmctl(ids[i], IPC_RMID, NULL);
}

static _Atomic uint32_t *attach(struct bench_worker *worker)
{
	void *memory = shmat(ids[worker->index], NULL, 0);

	if (memory == (void *)-1)
		bench_fail("shmat: %s", strerror(errno));
	return memory;
}

static void detach(_Atomic uint32_t *memory)
{
	if (shmdt(memory) < 0)
		bench_fail("shmdt: %s", strerror(errno));
}

void attach_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++)
		detach(attach(worker));
}

/* The first word counts the attaches, so a segment that lost its content shows. */
void touch_work(struct bench_worker *worker)
{
	uint32_t before = 0;

	for (; worker->done < worker->ops; worker->done++) {
		_Atomic uint32_t *memory = attach(worker);
		uint32_t now = atomic_fetch_add(memory, 1);

		if (worker->done > 0 && now != before + 1)
			bench_fail("a segment holds %u instead of %u", now, before + 1);
		before = now;
		detach(memory);
	}
}

void stat_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++) {
		struct shmid_ds facts;

		if (shmctl(ids[worker->index], IPC_STAT, &facts) < 0 ||
		    facts.shm_segsz != (size_t)worker->team->bench->arg)
			bench_fail("IPC_STAT of a segment: %s", strerror(errno));
	}
}

void shm_futex_prepare(struct bench_team *team)
{
	_Atomic uint32_t *turn = attach(&team->workers[0]);

	atomic_store(turn, 0);
	detach(turn);
}

void shm_futex_work(struct bench_worker *worker)
{
	_Atomic uint32_t *turn = attach(worker);

	for (; worker->done < worker->ops; worker->done++) {
		uint32_t now;

		while ((now = atomic_load(turn)) % 2 != (uint32_t)worker->index)
			futex_wait_shared(turn, now, NULL);
		atomic_store(turn, now + 1);
		futex_wake_shared(turn, 1);
	}
	detach(turn);
}
