/* net: sockets over lo, and over a card. Runs unchanged on Linux. */
#include "perf/net/net.h"

#include <signal.h>

#define ARRAY_SIZE(array) (int)(sizeof(array) / sizeof((array)[0]))
#define KIB		  1024

/* Two processes joined by a link; ... are further members. */
#define PAIR(name_, op_, size_, setup_, work_, ...)                                                \
	{                                                                                          \
		.name = name_, .op = op_, .shape = BENCH_PAIR, .threads = 2, .granule = 1,         \
		.processes = true, .count_ops = 50, .arg = size_, .setup = setup_, .work = work_,  \
		.check = bench_check_done, __VA_ARGS__                                             \
	}
#define EXCHANGE(name_, size_, setup_)                                                             \
	PAIR(name_, "message to the other process", size_, setup_, exchange_work,                  \
	     .teardown = links_teardown)
#define STREAM(name_, size_, setup_, work_)                                                        \
	PAIR(name_, "block to the other process", size_, setup_, work_, .bytes = (size_),          \
	     .teardown = links_teardown)
/* From `threads_` to `max_` threads of one process. */
#define THREADS(name_, op_, threads_, max_, ops_, setup_, work_, ...)                              \
	{                                                                                          \
		.name = name_, .op = op_, .shape = BENCH_THREADS, .threads = threads_,             \
		.max_threads = max_, .granule = 1, .count_ops = ops_, .setup = setup_,             \
		.work = work_, .check = bench_check_done, __VA_ARGS__                              \
	}
/* One thread and the peer at the other end of the cable. */
#define ETH0(name_, variant_, op_, size_, setup_, work_, ...)                                      \
	{                                                                                          \
		.name = name_, .variant = variant_, .op = op_, .shape = BENCH_ONE, .threads = 1,   \
		.count_ops = 200, .arg = size_, .setup = setup_, .work = work_,                    \
		.check = bench_check_done, .teardown = eth0_teardown, __VA_ARGS__                  \
	}
#define ETH0_RR(name_, variant_, size_, setup_)                                                    \
	ETH0(name_, variant_, "message to the host and back", size_, setup_, eth0_exchange_work, )
#define ETH0_STREAM(variant_, setup_, work_)                                                       \
	ETH0("eth0-tcp-stream", variant_, "block of 64 KiB", 64 * KIB, setup_, work_,              \
	     .bytes = 64 * KIB)

static const struct bench benches[] = {
	EXCHANGE("tcp-rr-1", 1, tcp_setup),
	EXCHANGE("tcp-rr-1k", KIB, tcp_setup),
	EXCHANGE("tcp-rr-16k", 16 * KIB, tcp_setup),
	EXCHANGE("tcp-rr-1m", 1024 * KIB, tcp_setup),
	EXCHANGE("tcp6-rr-1", 1, tcp6_setup),
	EXCHANGE("tcp-rr-idle-1000", 1, tcp_idle_setup),
	EXCHANGE("udp-rr-1", 1, udp_setup),
	EXCHANGE("udp-rr-1k", KIB, udp_setup),
	EXCHANGE("udp-rr-16k", 16 * KIB, udp_setup),
	EXCHANGE("unix-rr-1", 1, unix_setup),
	EXCHANGE("unix-rr-16k", 16 * KIB, unix_setup),
	EXCHANGE("socketpair-rr-1", 1, socketpair_setup),
	EXCHANGE("unix-datagram-rr-1", 1, unix_datagram_setup),
	STREAM("tcp-stream-1", 1, tcp_setup, stream_work),
	STREAM("tcp-stream-1k", KIB, tcp_setup, stream_work),
	STREAM("tcp-stream-16k", 16 * KIB, tcp_setup, stream_work),
	STREAM("tcp-stream-64k", 64 * KIB, tcp_setup, stream_work),
	STREAM("tcp-stream-1m", 1024 * KIB, tcp_setup, stream_work),
	STREAM("udp-stream-1k", KIB, udp_setup, datagram_stream_work),
	STREAM("udp-stream-16k", 16 * KIB, udp_setup, datagram_stream_work),
	STREAM("unix-stream-64k", 64 * KIB, unix_setup, stream_work),
	STREAM("socketpair-stream-64k", 64 * KIB, socketpair_setup, stream_work),
	THREADS("tcp-pairs", "byte to the other thread", 2, 8, 50, tcp_setup, exchange_work,
		.arg = 1, .teardown = links_teardown),
	THREADS("tcp-own", "byte to oneself", 1, 16, 50, tcp_own_setup, own_work, .arg = 1,
		.calls = 2, .teardown = links_teardown),
	THREADS("tcp-connect", "connect, accept, close", 1, 4, 20, connect_setup, connect_work,
		.max_ops = 2000, .teardown = connect_teardown),
	PAIR("epoll-1000", "byte to the other process", 1, epoll_setup, epoll_work,
	     .teardown = epoll_teardown),
	ETH0_RR("eth0-tcp-rr", "1-byte", 1, eth0_echo_setup),
	ETH0_RR("eth0-tcp-rr", "4-kib", 4 * KIB, eth0_echo_setup),
	ETH0_RR("eth0-tcp-rr", "1000-idle", 1, eth0_idle_setup),
	ETH0_RR("eth0-udp-rr", "1-byte", 1, eth0_datagram_setup),
	ETH0("eth0-tcp-connect", "default", "connect, a byte there and back, close", 1,
	     eth0_echo_setup, eth0_connect_work, .max_ops = 2000),
	ETH0_STREAM("out", eth0_out_setup, eth0_out_work),
	ETH0_STREAM("in", eth0_in_setup, eth0_in_work),
};

int main(int argc, char **argv)
{
	static const struct bench_suite suite = {
		.name = "net",
		.program = "net",
		.about = "Sockets over lo, and over a card to the host; every result is checked.",
		.benches = benches,
		.nr_benches = ARRAY_SIZE(benches),
	};

	signal(SIGPIPE, SIG_IGN);
	return bench_main(&suite, argc, argv);
}
