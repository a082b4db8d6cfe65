/*
 * Two threads take turns: each waits in epoll_wait() for its eventfd, reads it and writes the
 * other's. An operation is one hand-over.
 */
#define _GNU_SOURCE
#include "perf/process/process.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int events[2], polls[2];

const char *epoll_setup(struct bench_team *team)
{
	(void)team;
	for (int i = 0; i < 2; i++) {
		struct epoll_event event = {.events = EPOLLIN};

		events[i] = eventfd(0, EFD_CLOEXEC);
		polls[i] = epoll_create1(EPOLL_CLOEXEC);
		if (events[i] < 0 || polls[i] < 0 ||
		    epoll_ctl(polls[i], EPOLL_CTL_ADD, events[i], &event) < 0)
			return bench_unsupported("epoll");
	}
	return NULL;
}

void epoll_teardown(struct bench_team *team)
{
	(void)team;
	for (int i = 0; i < 2; i++) {
		close(events[i]);
		close(polls[i]);
	}
}

static void post(int fd)
{
	if (eventfd_write(fd, 1) < 0)
		bench_fail("write to an eventfd: %s", strerror(errno));
}

static void wait_for(int poll, int fd)
{
	struct epoll_event event;
	eventfd_t value;

	if (epoll_wait(poll, &event, 1, -1) != 1 || !(event.events & EPOLLIN))
		bench_fail("epoll_wait: %s", strerror(errno));
	if (eventfd_read(fd, &value) < 0 || value != 1)
		bench_fail("an eventfd that was ready gave %llu", (unsigned long long)value);
}

void epoll_work(struct bench_worker *worker)
{
	int own = worker->index, other = 1 - own;

	for (; worker->done < worker->ops; worker->done++) {
		if (own == 0)
			post(events[other]);
		wait_for(polls[own], events[own]);
		if (own == 1)
			post(events[other]);
	}
}
