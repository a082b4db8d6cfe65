/*
 * /proc/net and /proc/sys/net: counters and limits. Interfaces are in proc_iface.c, sockets in
 * proc_socks.c.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/fs/pseudo.h"
#include "kernel/fs/sysctl.h"
#include "kernel/log/log.h"
#include "kernel/net/multicast.h"
#include "kernel/net/net.h"
#include "kernel/net/poll.h"
#include "kernel/net/port.h"
#include "kernel/net/proc_iface.h"
#include "kernel/net/proc_socks.h"
#include "kernel/net/socket.h"

static u64 count(enum net_counter c)
{
	return net_counter_sum(c);
}

static int show_snmp(struct seq *s, u64 key)
{
	(void)key;
	seq_puts(s, "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
		    "InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes "
		    "ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates "
		    "OutTransmits\n");
	seq_printf(s, "Ip: 2 64 %lu 0 0 0 0 0 %lu %lu 0 0 0 0 0 0 0 0 0 %lu\n", count(IP_IN_RECEIVES),
		   count(IP_IN_DELIVERS), count(IP_OUT_REQUESTS), count(IP_OUT_REQUESTS));
	seq_puts(s, "Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs "
		    "InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps InTimestampReps "
		    "InAddrMasks InAddrMaskReps OutMsgs OutErrors OutRateLimitGlobal "
		    "OutRateLimitHost OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs "
		    "OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps OutAddrMasks "
		    "OutAddrMaskReps\n");
	seq_printf(s, "Icmp: %lu 0 0 %lu 0 0 0 0 %lu 0 0 0 0 0 %lu 0 0 0 %lu 0 0 0 0 0 %lu 0 0 0 0\n",
		   count(ICMP_IN_MSGS) + count(ICMP_OUT_DEST_UNREACHS), count(ICMP_OUT_DEST_UNREACHS),
		   count(ICMP_IN_ECHOS), count(ICMP_OUT_ECHO_REPS) + count(ICMP_OUT_DEST_UNREACHS),
		   count(ICMP_OUT_DEST_UNREACHS), count(ICMP_OUT_ECHO_REPS));
	seq_puts(s, "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails "
		    "EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n");
	seq_printf(s, "Tcp: 1 200 120000 -1 %lu %lu %lu %lu %lu %lu %lu %lu 0 %lu 0\n",
		   count(TCP_ACTIVE_OPENS), count(TCP_PASSIVE_OPENS), count(TCP_ATTEMPT_FAILS),
		   count(TCP_ESTAB_RESETS), proc_tcp_established(), count(TCP_IN_SEGS),
		   count(TCP_OUT_SEGS), count(TCP_RETRANS_SEGS), count(TCP_OUT_RSTS));
	seq_puts(s, "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
		    "InCsumErrors IgnoredMulti MemErrors\n");
	seq_printf(s, "Udp: %lu %lu %lu %lu %lu 0 0 0 0\n", count(UDP_IN_DATAGRAMS),
		   count(UDP_NO_PORTS), count(UDP_IN_ERRORS) + count(UDP_RCVBUF_ERRORS),
		   count(UDP_OUT_DATAGRAMS), count(UDP_RCVBUF_ERRORS));
	seq_puts(s, "UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
		    "InCsumErrors IgnoredMulti MemErrors\n");
	seq_printf(s, "UdpLite: %lu %lu %lu %lu %lu 0 0 0 0\n", count(UDPLITE_IN_DATAGRAMS),
		   count(UDPLITE_NO_PORTS), count(UDPLITE_IN_ERRORS) + count(UDPLITE_RCVBUF_ERRORS),
		   count(UDPLITE_OUT_DATAGRAMS), count(UDPLITE_RCVBUF_ERRORS));
	return 0;
}

static int show_netstat(struct seq *s, u64 key)
{
	(void)key;
	seq_puts(s, "TcpExt: SyncookiesSent SyncookiesRecv ListenOverflows ListenDrops\n");
	seq_printf(s, "TcpExt: %lu %lu %lu %lu\n", count(TCP_COOKIES_SENT),
		   count(TCP_COOKIES_RECEIVED), count(TCP_LISTEN_OVERFLOWS),
		   count(TCP_LISTEN_OVERFLOWS));
	return 0;
}

/* A line for each hart's poll loop: items, drops (none), turns that ran out of budget. */
static int show_softnet(struct seq *s, u64 key)
{
	(void)key;
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		struct net_poll_stats st;

		net_poll_stats(cpu, &st);
		seq_printf(s,
			   "%08x %08x %08x 00000000 00000000 00000000 00000000 00000000 00000000 "
			   "00000000 00000000 00000000 %08x 00000000 00000000\n",
			   (u32)(st.polled + st.work_items), 0U, (u32)st.squeezed, cpu);
	}
	return 0;
}

static int show_text(struct seq *s, u64 text)
{
	seq_puts(s, (const char *)text);
	return 0;
}

/* ---- /proc/sys/net ---- */

static int set_port_range(u64 *values, const u64 *wanted, u32 nr)
{
	u64 first = wanted[0], last = nr > 1 ? wanted[1] : values[1];

	if (first > last)
		return -EINVAL;
	atomic_store_relaxed(&values[0], first);
	atomic_store_relaxed(&values[1], last);
	return 0;
}

/* What is fixed here: shown, not settable. */
static u64 buffer_max = SOCK_BUF_MAX, buffer_default = SOCK_BUF_DEFAULT;
static u64 tcp_rmem[3] = {4096, 131072, 6291456}, tcp_wmem[3] = {4096, 16384, 4194304};
static u64 fin_timeout = 60, tw_reuse = 2, dgram_qlen = 10, port_start = PORT_PRIVILEGED, zero,
	   memberships = 20;

#define FIXED(path_, nr_, values_)                                                                 \
	{                                                                                          \
		.path = path_, .mode = 0444, .nr = nr_, .values = values_                          \
	}

static const struct sysctl sysctls[] = {
	{.path = "net/core/somaxconn", .mode = 0644, .nr = 1, .values = &net_somaxconn, .max = INT32_MAX},
	{.path = "net/ipv4/ip_local_port_range",
	 .mode = 0644,
	 .nr = 2,
	 .values = port_range,
	 .min = 1,
	 .max = 65535,
	 .set = set_port_range},
	FIXED("net/core/rmem_max", 1, &buffer_max),
	FIXED("net/core/wmem_max", 1, &buffer_max),
	FIXED("net/core/rmem_default", 1, &buffer_default),
	FIXED("net/core/wmem_default", 1, &buffer_default),
	FIXED("net/ipv4/tcp_rmem", 3, tcp_rmem),
	FIXED("net/ipv4/tcp_wmem", 3, tcp_wmem),
	FIXED("net/ipv4/tcp_fin_timeout", 1, &fin_timeout),
	FIXED("net/ipv4/tcp_tw_reuse", 1, &tw_reuse),
	FIXED("net/ipv4/ip_unprivileged_port_start", 1, &port_start),
	FIXED("net/ipv4/ip_forward", 1, &zero),
	FIXED("net/ipv4/igmp_max_memberships", 1, &memberships),
	FIXED("net/ipv6/conf/all/disable_ipv6", 1, &zero),
	FIXED("net/unix/max_dgram_qlen", 1, &dgram_qlen),
};

static const struct {
	const char *path;
	pseudo_show_fn show;
	const char *text;
} nodes[] = {
	{"net/pnp", proc_show_pnp, NULL},
	{"net/dev", proc_show_dev, NULL},
	{"net/route", proc_show_route, NULL},
	{"net/if_inet6", proc_show_if_inet6, NULL},
	{"net/arp", proc_show_arp, NULL},
	{"net/igmp", proc_show_igmp, NULL},
	{"net/igmp6", proc_show_igmp6, NULL},
	{"net/netlink", proc_show_netlink, NULL},
	{"net/snmp", show_snmp, NULL},
	{"net/netstat", show_netstat, NULL},
	{"net/softnet_stat", show_softnet, NULL},
	{"net/tcp", proc_show_tcp, NULL},
	{"net/udp", proc_show_udp, NULL},
	{"net/udplite", proc_show_udplite, NULL},
	{"net/raw", proc_show_raw, NULL},
	{"net/unix", proc_show_unix, NULL},
	{"net/sockstat", proc_show_sockstat, NULL},
	{"net/sockstat6", proc_show_sockstat6, NULL},
	{"sys/net/ipv4/tcp_congestion_control", show_text, "reno\n"},
	{"sys/net/ipv4/tcp_available_congestion_control", show_text, "reno\n"},
	{"sys/net/ipv4/ping_group_range", show_text, "1\t0\n"},
};

void net_proc_init(void)
{
	int err = procfs_register("net/tcp6", proc_show_tcp, AF_INET6);

	err |= procfs_register("net/udp6", proc_show_udp, AF_INET6);
	err |= procfs_register("net/udplite6", proc_show_udplite, AF_INET6);
	err |= procfs_register("net/raw6", proc_show_raw, AF_INET6);
	for (u32 i = 0; i < ARRAY_SIZE(nodes); i++)
		err |= procfs_register(nodes[i].path, nodes[i].show,
				       nodes[i].text ? (u64)nodes[i].text : AF_INET);
	for (u32 i = 0; i < ARRAY_SIZE(sysctls); i++)
		err |= sysctl_register(&sysctls[i]);
	if (err)
		panic("no memory for /proc/net");
}
