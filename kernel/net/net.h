/*
 * The network as a whole: start, limits that programs may set, counters of /proc/net.
 */
#ifndef KERNEL_NET_NET_H
#define KERNEL_NET_NET_H

#include "lib/types.h"

struct net_iface;
struct socket;
struct tcp_sock;

void net_init(void); /* after fs_init() and sched_init() */

extern u64 net_somaxconn; /* [a] net.core.somaxconn */

/* Counters of /proc/net/snmp and netstat: each hart has its own, readers sum. */
enum net_counter {
	IP_IN_RECEIVES,
	IP_IN_DELIVERS,
	IP_OUT_REQUESTS,
	ICMP_IN_MSGS,
	ICMP_IN_ECHOS,
	ICMP_OUT_ECHO_REPS,
	ICMP_OUT_DEST_UNREACHS,
	TCP_ACTIVE_OPENS,
	TCP_PASSIVE_OPENS,
	TCP_ATTEMPT_FAILS,
	TCP_ESTAB_RESETS,
	TCP_OUT_RSTS,
	TCP_IN_SEGS,
	TCP_OUT_SEGS,
	TCP_RETRANS_SEGS,
	TCP_LISTEN_OVERFLOWS,
	TCP_COOKIES_SENT,
	TCP_COOKIES_RECEIVED,
	UDP_IN_DATAGRAMS,
	UDP_NO_PORTS,
	UDP_IN_ERRORS,
	UDP_OUT_DATAGRAMS,
	UDP_RCVBUF_ERRORS,
	/* In the order of UDP's. */
	UDPLITE_IN_DATAGRAMS,
	UDPLITE_NO_PORTS,
	UDPLITE_IN_ERRORS,
	UDPLITE_OUT_DATAGRAMS,
	UDPLITE_RCVBUF_ERRORS,
	NET_COUNTERS
};
void net_count(enum net_counter counter);
u64 net_counter_sum(enum net_counter counter);

/* Tells every interface but lo that `t` does no more listen. */
void net_wire_unlisten(struct tcp_sock *t);
/* Gives up what connect() began over an interface; frees t->wire. */
void net_wire_cancel(struct tcp_sock *t);
void net_wire_free(struct tcp_sock *t);

/* Parts that net_init() starts; sockets of the internet families. */
void unix_init(void);
void net_proc_init(void);
void netlink_init(void);
/* The files of an interface in /sys/class/net. 0 or -errno. Boot only. */
int net_sysfs_add(const struct net_iface *i);
int udp_create(int family, int protocol, struct socket **out); /* UDP or UDP-Lite */
int raw_create(int family, int protocol, struct socket **out);

#endif
