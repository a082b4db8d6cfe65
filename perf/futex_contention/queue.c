/*
 * Producers and consumers on a queue of four items: half of the threads each. An operation is one
 * item through the queue. Items are numbered; the check is their number and their sum, which no
 * lost, doubled or torn item leaves right.
 *
 * The work is written once for both kinds of lock: the wrappers are inlined with constant
 * arguments, so the measured loops hold direct calls.
 */
#include "perf/futex_contention/futex_contention.h"
#include "perf/futex_contention/locks.h"

#define CAPACITY 4

static struct futex_mutex futex_lock;
static struct futex_cond futex_space, futex_items;
static pthread_mutex_t pthread_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pthread_space = PTHREAD_COND_INITIALIZER;
static pthread_cond_t pthread_items = PTHREAD_COND_INITIALIZER;

/* Under the mutex of the version that runs. */
static struct {
	_Alignas(BENCH_LINE) uint64_t put, taken, sum;
	uint64_t items[CAPACITY];
} queue;

enum kind { FUTEX, PTHREAD };
enum cond { SPACE, ITEMS };

static inline void lock(enum kind kind)
{
	if (kind == FUTEX)
		futex_mutex_lock(&futex_lock);
	else
		pthread_mutex_lock(&pthread_lock);
}

static inline void unlock(enum kind kind)
{
	if (kind == FUTEX)
		futex_mutex_unlock(&futex_lock);
	else
		pthread_mutex_unlock(&pthread_lock);
}

static inline void wait(enum kind kind, enum cond cond)
{
	if (kind == FUTEX)
		futex_cond_wait(cond == SPACE ? &futex_space : &futex_items, &futex_lock);
	else
		pthread_cond_wait(cond == SPACE ? &pthread_space : &pthread_items, &pthread_lock);
}

static inline void wake(enum kind kind, enum cond cond, bool all)
{
	pthread_cond_t *pthread_cond = cond == SPACE ? &pthread_space : &pthread_items;

	if (kind == FUTEX)
		futex_cond_wake(cond == SPACE ? &futex_space : &futex_items, all ? INT_MAX : 1);
	else if (all)
		pthread_cond_broadcast(pthread_cond);
	else
		pthread_cond_signal(pthread_cond);
}

/* Producers that find all items made tell the others that wait for space. */
__attribute__((always_inline)) static inline void produce(struct bench_worker *worker, enum kind kind)
{
	uint64_t target = worker->team->ops;

	for (;;) {
		bool more;

		lock(kind);
		while (queue.put < target && queue.put - queue.taken == CAPACITY)
			wait(kind, SPACE);
		more = queue.put < target;
		if (more) {
			queue.items[queue.put % CAPACITY] = queue.put;
			queue.put++;
		}
		unlock(kind);
		wake(kind, more ? ITEMS : SPACE, !more);
		if (!more)
			return;
	}
}

__attribute__((always_inline)) static inline void consume(struct bench_worker *worker, enum kind kind)
{
	uint64_t target = worker->team->ops;

	for (;;) {
		bool more;

		lock(kind);
		while (queue.taken < target && queue.put == queue.taken)
			wait(kind, ITEMS);
		more = queue.taken < target;
		if (more) {
			queue.sum += queue.items[queue.taken % CAPACITY];
			queue.taken++;
			worker->done++;
		}
		unlock(kind);
		wake(kind, more ? SPACE : ITEMS, !more);
		if (!more)
			return;
	}
}

void queue_prepare(struct bench_team *team)
{
	(void)team;
	queue.put = queue.taken = queue.sum = 0;
}

void queue_futex_work(struct bench_worker *worker)
{
	if (worker->index % 2 == 0)
		produce(worker, FUTEX);
	else
		consume(worker, FUTEX);
}

void queue_pthread_work(struct bench_worker *worker)
{
	if (worker->index % 2 == 0)
		produce(worker, PTHREAD);
	else
		consume(worker, PTHREAD);
}

void queue_check(struct bench_team *team)
{
	uint64_t ops = team->ops, sum = ops * (ops - 1) / 2;

	if (queue.put != ops || queue.taken != ops || queue.sum != sum)
		bench_fail("%llu items put, %llu taken, sum %llu; expected %llu with sum %llu",
			   (unsigned long long)queue.put, (unsigned long long)queue.taken,
			   (unsigned long long)queue.sum, (unsigned long long)ops,
			   (unsigned long long)sum);
	bench_check_done(team);
}
