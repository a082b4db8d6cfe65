#include "tests/syscall/futex_pi/actor.h"

#include <sched.h>

static void *actor_main(void *arg)
{
	struct actor *a = arg;
	uint32_t step = 0;

	if (a->rt_prio) {
		struct sched_param param = {.sched_priority = a->rt_prio};

		CHECK_EQ(sched_setscheduler(0, SCHED_FIFO, &param), 0);
	}
	__atomic_store_n(&a->tid, my_tid(), __ATOMIC_RELEASE);
	for (;;) {
		while (__atomic_load_n(&a->step, __ATOMIC_ACQUIRE) == step)
			futex_wait(&a->step, PRIVATE, step);
		step++;
		if (a->end)
			return NULL;
		__atomic_store_n(&a->in_call, true, __ATOMIC_SEQ_CST);
		a->result = sys_call(a->call[0], a->call + 1);
		__atomic_store_n(&a->in_call, false, __ATOMIC_SEQ_CST);
		__atomic_store_n(&a->done, true, __ATOMIC_RELEASE);
	}
}

void actor_start(struct actor *a)
{
	a->thread = thread_start(actor_main, a);
	WAIT_UNTIL(__atomic_load_n(&a->tid, __ATOMIC_ACQUIRE));
}

static void actor_step(struct actor *a)
{
	__atomic_store_n(&a->step, a->step + 1, __ATOMIC_SEQ_CST);
	futex_wake(&a->step, PRIVATE, 1);
}

void actor_futex(struct actor *a, volatile void *word, int op, long value, const void *timeout,
		 volatile void *word2, long value3)
{
	const long call[7] = {SYS_futex, (long)word, op, value, (long)timeout, (long)word2, value3};

	memcpy(a->call, call, sizeof(call));
	a->done = false;
	actor_step(a);
}

/* Field `nr` (from 1) of /proc/self/task/TID/stat, from the third on. */
static bool stat_field(uint32_t tid, int nr, char *out, size_t size)
{
	char path[64], line[512], *at;
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "/proc/self/task/%u/stat", tid);
	f = fopen(path, "r");
	if (!f)
		return false;
	ok = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
	at = ok ? strrchr(line, ')') : NULL;
	for (int i = 2; at && i < nr; i++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	snprintf(out, size, "%s", at + 1);
	return true;
}

void actor_sleeps(struct actor *a)
{
	WAIT_UNTIL(actor_done(a) ||
		   (__atomic_load_n(&a->in_call, __ATOMIC_SEQ_CST) && thread_sleeps((pid_t)a->tid)));
	CHECK(!actor_done(a));
}

long actor_result(struct actor *a)
{
	WAIT_UNTIL(actor_done(a));
	return actor_done(a) ? a->result : -EINPROGRESS;
}

void actor_stop(struct actor *a)
{
	a->end = true;
	actor_step(a);
	thread_join(a->thread);
}

void actor_lock_sleeps(struct actor *a, volatile uint32_t *word)
{
	actor_futex(a, word, FUTEX_LOCK_PI | PRIVATE, 0, NULL, NULL, 0);
	actor_sleeps(a);
}

long actor_lock(struct actor *a, volatile uint32_t *word)
{
	actor_futex(a, word, FUTEX_LOCK_PI | PRIVATE, 0, NULL, NULL, 0);
	return actor_result(a);
}

long actor_unlock(struct actor *a, volatile uint32_t *word)
{
	actor_futex(a, word, FUTEX_UNLOCK_PI | PRIVATE, 0, NULL, NULL, 0);
	return actor_result(a);
}

int running_priority(uint32_t tid)
{
	char field[512];
	int shown;

	if (!CHECK(stat_field(tid, 18, field, sizeof(field))))
		return -1;
	shown = atoi(field);
	return shown < 0 ? -1 - shown : 0;
}
