/*
 * Over the card: one worker of the guest and the peer (peer.c) at the other end of the cable. What
 * is asked of the peer, and by which port, is told there. Without a card all of it is unsupported.
 *
 * Sent bytes count when the peer's kernel has acknowledged them: at the end of each sample the
 * worker waits until nothing is on its way, else the size of the send buffer would be measured.
 */
#define _GNU_SOURCE
#include "perf/net/net.h"
#include "perf/net/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TRY_NS 100000 /* between two looks at what is on its way */

static int wire = -1;  /* the socket that is measured */
static int idle[IDLE]; /* connections that nobody uses */
static int nr_idle;

static int open_wire(int type, uint16_t port)
{
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, PEER_ADDRESS, &peer.sin_addr);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&peer, sizeof(peer)) == 0) {
		if (type == SOCK_STREAM)
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static const char *wire_setup(int type, uint16_t port)
{
	wire = open_wire(type, port);
	return wire < 0 ? bench_unsupported("connect over the card") : NULL;
}

const char *eth0_echo_setup(struct bench_team *team)
{
	(void)team;
	return wire_setup(SOCK_STREAM, PEER_ECHO);
}

const char *eth0_datagram_setup(struct bench_team *team)
{
	(void)team;
	return wire_setup(SOCK_DGRAM, PEER_ECHO);
}

const char *eth0_out_setup(struct bench_team *team)
{
	(void)team;
	return wire_setup(SOCK_STREAM, PEER_DISCARD);
}

const char *eth0_in_setup(struct bench_team *team)
{
	(void)team;
	return wire_setup(SOCK_STREAM, PEER_SOURCE);
}

const char *eth0_idle_setup(struct bench_team *team)
{
	struct rlimit limit;
	const char *why = eth0_echo_setup(team);

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (nr_idle = 0; !why && nr_idle < IDLE; nr_idle++) {
		idle[nr_idle] = open_wire(SOCK_STREAM, PEER_ECHO);
		if (idle[nr_idle] < 0)
			bench_fail("connection %d: %s", nr_idle, strerror(errno));
		/* It is used once: the peer has accepted it. */
		exchange_send(idle[nr_idle], nr_idle, 1);
		exchange_expect(idle[nr_idle], nr_idle, 1);
	}
	return why;
}

void eth0_teardown(struct bench_team *team)
{
	(void)team;
	close(wire);
	while (nr_idle > 0)
		close(idle[--nr_idle]);
}

void eth0_exchange_work(struct bench_worker *worker)
{
	size_t size = worker->team->bench->arg;

	for (; worker->done < worker->ops; worker->done++) {
		exchange_send(wire, worker->done, size);
		exchange_expect(wire, worker->done, size);
	}
}

void eth0_connect_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++) {
		int fd = open_wire(SOCK_STREAM, PEER_ECHO);

		if (fd < 0)
			bench_fail("connect: %s", strerror(errno));
		exchange_send(fd, worker->done, 1);
		exchange_expect(fd, worker->done, 1);
		close(fd);
	}
}

void eth0_out_work(struct bench_worker *worker)
{
	const struct timespec pause = {.tv_nsec = TRY_NS};
	int unsent = 1;

	for (; worker->done < worker->ops; worker->done++)
		exchange_send(wire, worker->done, worker->team->bench->arg);
	while (ioctl(wire, SIOCOUTQ, &unsent) == 0 && unsent)
		nanosleep(&pause, NULL);
	if (unsent)
		bench_fail("SIOCOUTQ: %s", strerror(errno));
}

/* The source has no numbers: all of its bytes are PEER_BYTE. */
void eth0_in_work(struct bench_worker *worker)
{
	for (; worker->done < worker->ops; worker->done++)
		exchange_expect(wire, PEER_BYTE, worker->team->bench->arg);
}
