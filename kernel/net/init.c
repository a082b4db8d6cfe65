/*
 * Start of the network: tables, families, counters.
 */
#include "abi/errno.h"
#include "kernel/log/log.h"
#include "kernel/net/iface.h"
#include "kernel/net/net.h"
#include "kernel/net/poll.h"
#include "kernel/net/port.h"
#include "kernel/net/socket.h"
#include "kernel/net/tcp.h"
#include "kernel/net/tuple.h"
#include "kernel/random/random.h"
#include "kernel/sync/percpu.h"

static PERCPU(u64[NET_COUNTERS], counters);

void net_count(enum net_counter counter)
{
	this_cpu(counters)[counter]++;
}

u64 net_counter_sum(enum net_counter counter)
{
	u64 sum = 0;

	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		sum += atomic_load_relaxed(&(*cpu_ptr(counters, cpu))[counter]);
	return sum;
}

static int create_stream(int family, int protocol, struct socket **out)
{
	struct tcp_sock *t;

	if (protocol != 0 && protocol != IPPROTO_TCP)
		return -EPROTONOSUPPORT;
	t = tcp_alloc(family);
	if (!t)
		return -ENOBUFS;
	*out = &t->s;
	return 0;
}

static int inet_create(int family, int type, int protocol, struct socket **out)
{
	if (protocol < 0 || protocol >= IPPROTO_MAX)
		return -EINVAL;
	switch (type) {
	case SOCK_STREAM:
		return create_stream(family, protocol, out);
	case SOCK_DGRAM:
		/* Ping sockets are for no group unless net.ipv4.ping_group_range says so. */
		if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
			return -EACCES;
		if (protocol != 0 && protocol != IPPROTO_UDP && protocol != IPPROTO_UDPLITE)
			return -EPROTONOSUPPORT;
		return udp_create(family, protocol ? protocol : IPPROTO_UDP, out);
	case SOCK_RAW:
		return raw_create(family, protocol, out);
	default:
		return -ESOCKTNOSUPPORT;
	}
}

static int inet4_create(int type, int protocol, struct socket **out)
{
	return inet_create(AF_INET, type, protocol, out);
}

static int inet6_create(int type, int protocol, struct socket **out)
{
	return inet_create(AF_INET6, type, protocol, out);
}

/* Each hart looks for ephemeral ports from a place of its own that nobody can guess. */
static void ports_start(void)
{
	if (!port_table(PORT_TCP) || !port_table(PORT_UDP))
		panic("no memory for the port table");
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		u32 start;

		random_bytes(&start, sizeof(start));
		port_seed(cpu, start);
	}
}

void net_init(void)
{
	static struct socket_family inet4 = {.family = AF_INET, .create = inet4_create};
	static struct socket_family inet6 = {.family = AF_INET6, .create = inet6_create};

	net_iface_init();
	ports_start();
	tuple_init();
	socket_register(&inet4);
	socket_register(&inet6);
	unix_init();
	netlink_init();
	net_poll_init();
	net_proc_init();
}
