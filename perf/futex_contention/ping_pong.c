/*
 * Two threads take turns. The word counts hand-offs; worker i goes on when it is 2k + i, and an
 * operation is one hand-off: add one, wake the other, sleep. The versions (.arg) do the same by
 * other calls; the shared one has processes for workers, whose word lies in memory they share.
 */
#include "perf/futex_contention/futex_contention.h"
#include "perf/lib/futex.h"

#include <sys/mman.h>

#define MATCH_ANY   0xfffffffful
#define WAITV_WORDS 8 /* the turn is the last: the kernel looks at all */

static _Alignas(BENCH_LINE) _Atomic uint32_t turn; /* [a] futex */
static _Atomic uint32_t other_words[WAITV_WORDS - 1];

static _Atomic uint32_t *turn_of(struct bench_team *team)
{
	return team->shared ? team->shared : &turn;
}

const char *ping_pong_shared_setup(struct bench_team *team)
{
	team->shared = bench_map_shared(BENCH_LINE);
	return NULL;
}

void ping_pong_shared_teardown(struct bench_team *team)
{
	munmap(team->shared, BENCH_LINE);
}

/* An empty call is refused for its arguments, or for not being there. */
const char *ping_pong_futex2_setup(struct bench_team *team)
{
	(void)team;
	syscall(SYS_futex_wake, NULL, 1, 1, FUTEX2_SIZE_U32 | FUTEX2_PRIVATE);
	return errno == ENOSYS ? bench_unsupported("futex_wake") : NULL;
}

const char *ping_pong_waitv_setup(struct bench_team *team)
{
	(void)team;
	syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0);
	return errno == ENOSYS ? bench_unsupported("futex_waitv") : NULL;
}

void ping_pong_prepare(struct bench_team *team)
{
	atomic_store(turn_of(team), 0);
}

static void waitv(_Atomic uint32_t *word, uint32_t now)
{
	struct futex_waitv words[WAITV_WORDS];

	for (int i = 0; i < WAITV_WORDS; i++) {
		bool last = i == WAITV_WORDS - 1;

		words[i] = (struct futex_waitv){
			.val = last ? now : 0,
			.uaddr = (uintptr_t)(last ? word : &other_words[i]),
			.flags = FUTEX2_SIZE_U32 | FUTEX2_PRIVATE,
		};
	}
	syscall(SYS_futex_waitv, words, WAITV_WORDS, 0, NULL, 0);
}

/* Sleep until the word is not @now; may wake early. */
static inline void wait(enum ping_pong version, _Atomic uint32_t *word, uint32_t now)
{
	switch (version) {
	case PING_PONG_BITSET:
		futex_op(word, FUTEX_WAIT_BITSET_PRIVATE, now, NULL, NULL, 1u << now % 2);
		break;
	case PING_PONG_WAITV:
		waitv(word, now);
		break;
	case PING_PONG_FUTEX2:
		syscall(SYS_futex_wait, word, (unsigned long)now, MATCH_ANY,
			FUTEX2_SIZE_U32 | FUTEX2_PRIVATE, NULL, CLOCK_MONOTONIC);
		break;
	case PING_PONG_SHARED:
		futex_wait_shared(word, now, NULL);
		break;
	default:
		futex_wait(word, now, NULL);
	}
}

/* Make the word @now + 1 and wake whom that concerns. */
static inline void hand_over(enum ping_pong version, _Atomic uint32_t *word, uint32_t now)
{
	if (version == PING_PONG_WAKE_OP) {
		futex_op(word, FUTEX_WAKE_OP_PRIVATE, 1, NULL, word,
			 FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_LT, 0));
		return;
	}
	atomic_store(word, now + 1);
	switch (version) {
	case PING_PONG_BITSET:
		futex_op(word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 1u << now % 2);
		break;
	case PING_PONG_FUTEX2:
		syscall(SYS_futex_wake, word, MATCH_ANY, 1, FUTEX2_SIZE_U32 | FUTEX2_PRIVATE);
		break;
	case PING_PONG_SHARED:
		futex_wake_shared(word, 1);
		break;
	default:
		futex_wake(word, 1);
	}
}

void ping_pong_work(struct bench_worker *worker)
{
	enum ping_pong version = worker->team->bench->arg;
	_Atomic uint32_t *word = turn_of(worker->team);

	for (; worker->done < worker->ops; worker->done++) {
		uint32_t now;

		while ((now = atomic_load(word)) % 2 != (uint32_t)worker->index)
			wait(version, word, now);
		hand_over(version, word, now);
	}
}

void ping_pong_check(struct bench_team *team)
{
	uint32_t now = atomic_load(turn_of(team));

	if (now != (uint32_t)team->ops)
		bench_fail("%u hand-offs, %u expected", now, (uint32_t)team->ops);
	bench_check_done(team);
}
