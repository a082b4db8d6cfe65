#include <sched.h>

#include "tests/syscall/futex/futex.h"

static int ended;

static void *waiter_main(void *arg)
{
	struct waiter *w = arg;

	if (w->rt_prio) {
		struct sched_param param = {.sched_priority = w->rt_prio};

		CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &param), 0);
	}
	w->result = futex(w->word, w->op, w->value, w->timeout, NULL, w->bitset);
	__atomic_store_n(&w->order, __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST),
			 __ATOMIC_RELEASE);
	return NULL;
}

void waiter_start(struct waiter *w, uint32_t *word, int op)
{
	w->word = word;
	w->op = op;
	w->order = 0;
	w->thread = thread_start(waiter_main, w);
}

void waiter_queue(struct waiter *w, uint32_t *word, int op)
{
	int flags = op & FUTEX_PRIVATE_FLAG;
	long before = futex_waiters(word, flags);

	waiter_start(w, word, op);
	WAIT_UNTIL(futex_waiters(word, flags) > before || waiter_done(w));
}

void waiter_join(struct waiter *w, long result)
{
	WAIT_UNTIL(waiter_done(w));
	if (!waiter_done(w))
		return;
	thread_join(w->thread);
	CHECK_EQ(w->result, result);
}

void waiter_reset_order(void)
{
	ended = 0;
}
