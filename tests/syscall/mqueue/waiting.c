/*
 * Threads that wait at message queues: who is served first, signals, and many at once.
 */
#include "tests/syscall/mqueue/mqueue.h"

#include <sched.h>

struct waiter {
	pthread_t thread;
	int q, prio; /* real-time priority, or 0 */
	pid_t tid;
	char got[TEXT_MAX];
	long result;
};

/* In its own thread: with its priority, and told by its tid. */
static void waiter_begin(struct waiter *w)
{
	struct sched_param param = {.sched_priority = w->prio};

	if (w->prio)
		sched_setscheduler(0, SCHED_FIFO, &param);
	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELAXED);
}

static void *wait_for_message(void *arg)
{
	struct waiter *w = arg;

	waiter_begin(w);
	w->result = mq_receive_(w->q, w->got, TEXT_MAX, NULL, NULL);
	return NULL;
}

static void *wait_for_room(void *arg)
{
	struct waiter *w = arg;

	waiter_begin(w);
	w->result = put(w->q, w->got, 0);
	return NULL;
}

static void start(struct waiter *w, void *(*body)(void *), int q, int prio, char text)
{
	*w = (struct waiter){.q = q, .prio = prio, .got = {text}};
	CHECK_EQ(pthread_create(&w->thread, NULL, body, w), 0);
	WAIT_UNTIL(__atomic_load_n(&w->tid, __ATOMIC_RELAXED));
	WAIT_UNTIL(thread_sleeps(w->tid));
}

TEST(the_most_urgent_receiver_is_served_first)
{
	int q = fresh_queue(1, 0);
	const int prios[] = {0, 5, 0, 9, 5};
	struct waiter w[5];

	for (int i = 0; i < 5; i++)
		start(&w[i], wait_for_message, q, prios[i], 0);
	/* Handed over, none stays in the queue: d has priority 9, b and e 5 in order of arrival. */
	CHECK_EQ(put(q, "d", 0), 0);
	CHECK_EQ(put(q, "b", 0), 0);
	CHECK_EQ(put(q, "e", 0), 0);
	CHECK_EQ(put(q, "a", 0), 0);
	CHECK_EQ(put(q, "c", 0), 0);
	for (int i = 0; i < 5; i++) {
		pthread_join(w[i].thread, NULL);
		CHECK_EQ(w[i].result, 1);
		CHECK_EQ(w[i].got[0], 'a' + i);
	}
	CHECK_EQ(waiting(q), 0);
	close(q);
}

TEST(waiting_senders_come_in_when_there_is_room)
{
	int q = fresh_queue(1, 0);
	struct waiter w[3];

	CHECK_EQ(put(q, "0", 0), 0);
	start(&w[0], wait_for_room, q, 0, '1');
	start(&w[1], wait_for_room, q, 0, '2');
	start(&w[2], wait_for_room, q, 7, '3');
	CHECK(take(q, "0", 0));
	CHECK_EQ(waiting(q), 1);
	CHECK(take(q, "3", 0));
	CHECK(take(q, "1", 0));
	CHECK(take(q, "2", 0));
	for (int i = 0; i < 3; i++) {
		pthread_join(w[i].thread, NULL);
		CHECK_EQ(w[i].result, 0);
	}
	CHECK_EQ(waiting(q), 0);
	close(q);
}

static void nothing(int sig)
{
	(void)sig;
}

static long interrupted(int flags)
{
	struct sigaction action = {.sa_handler = nothing, .sa_flags = flags};
	int q = fresh_queue(1, 0);
	struct waiter w;

	sigaction(SIGUSR2, &action, NULL);
	start(&w, wait_for_message, q, 0, 0);
	pthread_kill(w.thread, SIGUSR2);
	if (flags) {
		sleep_ms(20);
		CHECK_EQ(put(q, "x", 0), 0);
	}
	pthread_join(w.thread, NULL);
	CHECK_EQ(waiting(q), 0);
	close(q);
	signal(SIGUSR2, SIG_DFL);
	return w.result;
}

TEST(signals_end_a_wait_or_restart_it)
{
	CHECK_EQ(interrupted(0), -EINTR);
	CHECK_EQ(interrupted(SA_RESTART), 1);
}

#define WORKERS 4

struct worker {
	pthread_t thread;
	int q;
	long count, sum;
};

static void *send_many(void *arg)
{
	struct worker *w = arg;

	for (long i = 1; i <= w->count; i++) {
		struct timespec soon = in_ms(1);

		/* Some give up and come again: their message must not be in the queue then. */
		while (mq_send_(w->q, &i, sizeof(i), i % 5, i % 3 ? NULL : &soon))
			soon = in_ms(1);
		w->sum += i;
	}
	return NULL;
}

static void *receive_many(void *arg)
{
	struct worker *w = arg;

	while (w->count) {
		struct timespec soon = in_ms(1);
		long buf[TEXT_MAX / sizeof(long)];
		long n = mq_receive_(w->q, buf, TEXT_MAX, NULL, w->count % 3 ? NULL : &soon);

		if (n == -ETIMEDOUT)
			continue;
		if (n != sizeof(long))
			break;
		w->sum += buf[0];
		w->count--;
	}
	return NULL;
}

TEST(nothing_is_lost_between_many)
{
	long count = test_rounds(300), sum = 0;
	struct worker in[WORKERS], out[WORKERS];
	int q = fresh_queue(2, 0);

	for (int i = 0; i < WORKERS; i++) {
		in[i] = (struct worker){.q = q, .count = count};
		out[i] = in[i];
		CHECK_EQ(pthread_create(&in[i].thread, NULL, send_many, &in[i]), 0);
		CHECK_EQ(pthread_create(&out[i].thread, NULL, receive_many, &out[i]), 0);
	}
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(in[i].thread, NULL);
		pthread_join(out[i].thread, NULL);
		CHECK_EQ(out[i].count, 0);
		sum += in[i].sum - out[i].sum;
	}
	CHECK_EQ(sum, 0);
	CHECK_EQ(waiting(q), 0);
	close(q);
}
