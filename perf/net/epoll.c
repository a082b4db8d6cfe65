/*
 * A server with IDLE connections in one epoll set. Worker 0 sends a byte on one connection after
 * the other and waits for the answer; worker 1 finds out by epoll_wait() where something came.
 */
#define _GNU_SOURCE
#include "perf/net/net.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define STEP 389 /* to the next connection: visits all, as IDLE is no multiple */

static int set = -1;

const char *epoll_setup(struct bench_team *team)
{
	const char *why = tcp_idle_setup(team);

	if (why)
		return why;
	set = epoll_create1(EPOLL_CLOEXEC);
	if (set < 0)
		return bench_unsupported("epoll_create1");
	for (int i = 0; i < IDLE; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};

		if (epoll_ctl(set, EPOLL_CTL_ADD, links[i].end[1], &event) < 0)
			return bench_unsupported("epoll_ctl");
	}
	return NULL;
}

void epoll_teardown(struct bench_team *team)
{
	close(set);
	links_teardown(team);
}

static int wait_for_one(void)
{
	struct epoll_event event;

	if (epoll_wait(set, &event, 1, -1) != 1)
		bench_fail("epoll_wait: %s", strerror(errno));
	return event.data.u32;
}

void epoll_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++) {
		int which = worker->done * STEP % IDLE;

		if (worker->index == 0) {
			exchange_send(links[which].end[0], worker->done, 1);
			exchange_expect(links[which].end[0], worker->done, 1);
			continue;
		}
		if (wait_for_one() != which)
			bench_fail("epoll_wait told of another connection than %d", which);
		exchange_expect(links[which].end[1], worker->done, 1);
		exchange_send(links[which].end[1], worker->done, 1);
	}
}
