/*
 * Two threads take turns. The word counts hand-offs; thread i goes on when it is 2k + i, and an
 * operation is one hand-off: add one, wake the other, sleep.
 */
#include "perf/futex_contention/futex_contention.h"
#include "perf/lib/futex.h"

static _Alignas(BENCH_LINE) _Atomic uint32_t turn; /* [a] futex */

void ping_pong_prepare(struct bench_team *team)
{
	(void)team;
	atomic_store(&turn, 0);
}

void ping_pong_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++) {
		uint32_t now;

		while ((now = atomic_load(&turn)) % 2 != (uint32_t)worker->index)
			futex_wait(&turn, now, NULL);
		atomic_store(&turn, now + 1);
		futex_wake(&turn, 1);
	}
}

void ping_pong_check(struct bench_team *team)
{
	if (atomic_load(&turn) != (uint32_t)team->ops)
		bench_fail("%u hand-offs, %u expected", atomic_load(&turn), (uint32_t)team->ops);
	bench_check_done(team);
}
