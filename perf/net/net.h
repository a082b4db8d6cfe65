/* The benchmarks of the net suite; for each, work() runs in every worker (perf/lib/bench.h). */
#ifndef PERF_NET_H
#define PERF_NET_H

#include "perf/lib/bench.h"

#define MAX_BLOCK    (1024 * 1024)
#define IDLE	     1000
#define MAX_LINKS    (IDLE + BENCH_MAX_THREADS)
#define DATAGRAM_ACK 4

/* Two connected sockets; the ends belong to two workers. */
struct link {
	int end[2];
};

/*
 * link.c: pairs of workers 2k and 2k + 1 are joined by link k, all made before the workers start.
 * The _idle version makes IDLE more that nobody uses. Everything goes over lo.
 */
extern struct link links[MAX_LINKS]; /* [I] */
const char *tcp_setup(struct bench_team *team);
const char *tcp_own_setup(struct bench_team *team); /* a link for each worker, who has both ends */
const char *tcp6_setup(struct bench_team *team);
const char *tcp_idle_setup(struct bench_team *team);
const char *udp_setup(struct bench_team *team);
const char *unix_setup(struct bench_team *team);
const char *socketpair_setup(struct bench_team *team);
const char *unix_datagram_setup(struct bench_team *team);
void links_teardown(struct bench_team *team);

/* link_listen() - a listening TCP socket on a free port of lo, or -1; *@port is its number. */
int link_listen(uint16_t *port);

/* link_connect() - a TCP socket that connects to @port of lo, or -1. */
int link_connect(uint16_t port);

/* exchange.c: .arg is the size of a message or block */
void exchange_send(int fd, uint64_t number, size_t size);
void exchange_expect(int fd, uint64_t number, size_t size);
void exchange_work(struct bench_worker *worker);
void own_work(struct bench_worker *worker);
void stream_work(struct bench_worker *worker);
void datagram_stream_work(struct bench_worker *worker);

/* connect.c */
const char *connect_setup(struct bench_team *team);
void connect_teardown(struct bench_team *team);
void connect_work(struct bench_worker *worker);

/* epoll.c: worker 1 serves IDLE connections, worker 0 uses one after the other */
const char *epoll_setup(struct bench_team *team);
void epoll_teardown(struct bench_team *team);
void epoll_work(struct bench_worker *worker);

/* eth0.c: one worker, over the card; .arg as above */
const char *eth0_echo_setup(struct bench_team *team);
const char *eth0_datagram_setup(struct bench_team *team);
const char *eth0_idle_setup(struct bench_team *team);
const char *eth0_out_setup(struct bench_team *team);
const char *eth0_in_setup(struct bench_team *team);
void eth0_teardown(struct bench_team *team);
void eth0_exchange_work(struct bench_worker *worker);
void eth0_connect_work(struct bench_worker *worker);
void eth0_out_work(struct bench_worker *worker);
void eth0_in_work(struct bench_worker *worker);

#endif
