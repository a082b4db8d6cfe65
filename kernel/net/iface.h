/*
 * Network interfaces: the one source of facts about them, and the one place where an interface is
 * chosen for a destination. Ioctls, /proc/net, netlink dumps and the socket types all ask here.
 *
 * The table has lo from boot on and takes further interfaces (eth0) from their drivers; interfaces
 * stay for ever, their addresses change under `lock`. Readers take facts by net_iface_info(): a
 * copy made under the lock. The routing decision reads no lock: addresses are found in an immutable
 * array published under the epoch.
 */
#ifndef KERNEL_NET_IFACE_H
#define KERNEL_NET_IFACE_H

#include "abi/netdevice.h"
#include "abi/netlink.h"
#include "kernel/net/inet.h"
#include "kernel/sync/spinlock.h"
#include "lib/types.h"

struct net_iface;
struct sock_msg;
struct socket;
struct tcp_sock;
struct dgram;

#define NET_IFACES_MAX	    4U
#define NET_IFACE_ADDRS_MAX 8U
#define NET_IFACE_DNS_MAX   2U

/* An address of an interface. */
struct net_address {
	struct inet_addr addr;
	struct inet_addr broadcast; /* IPv4; any: none */
	u32 prefix;		    /* bits of the family's own length: 8 for 127.0.0.1/8 */
	u32 scope;		    /* RT_SCOPE_*: 0 global, 253 link, 254 host */
	u32 flags;		    /* IFA_F_SECONDARY, IFA_F_NODAD */
	u8 protocol;		    /* who set it: IFAPROT_*, 0: a program */
	u32 stamp;	      /* hundredths of seconds of uptime; net_iface_add_address() sets it */
	char label[IFNAMSIZ]; /* IPv4; empty: the interface's name */
};

/* What is known of a host on an interface's link. */
struct net_neighbour {
	struct inet_addr addr;
	u8 hwaddr[6];
	u16 state; /* NUD_* */
};

/* Counters of one hart: only its own code writes, readers sum. */
struct net_iface_stats {
	u64 rx_bytes, rx_packets, rx_dropped, rx_errors;
	u64 tx_bytes, tx_packets, tx_dropped, tx_errors;
};

/*
 * What an interface that is not lo does for the sockets. lo has none of it: the socket types carry
 * local traffic themselves.
 */
struct net_iface_ops {
	/*
	 * Starts connecting `t`, bound, whose remote end is set: 0 (the answer comes by
	 * tcp_established() or tcp_reset()) or -errno.
	 */
	int (*tcp_connect)(struct tcp_sock *t);
	/* Sends the payload of `d` as a UDP datagram from d->local to d->remote. 0 or -errno. */
	int (*udp_send)(struct dgram *d);
	/* Sends an IP payload of `protocol`, or a whole packet with its header (`header`). */
	int (*raw_send)(struct dgram *d, int protocol, bool header);
	/* Gives up what tcp_connect() began, if it is not ESTABLISHED. */
	void (*tcp_cancel)(struct tcp_sock *t);
	/* Frees t->wire: the socket goes. */
	void (*tcp_free)(struct tcp_sock *t);
	/* Stops to hear of connections to a listening socket. NULL: nothing to do. */
	void (*tcp_unlisten)(struct tcp_sock *t);
	/*
	 * A program changed addresses, gateway, MTU or IFF_UP; the new ones are in net_iface_info(). May
	 * sleep; one call at a time. NULL: nothing to do.
	 */
	void (*configured)(struct net_iface *i);
	/* This host has joined or left a group there: multicast_joined() tells which. May sleep. NULL: nothing to do. */
	void (*group)(struct net_iface *i, const struct inet_addr *group);
	/* Entry number `at` of the neighbour table; false: there are fewer. NULL: no table. */
	bool (*neighbour)(struct net_iface *i, u32 at, struct net_neighbour *out);
};

struct net_iface {
	char name[IFNAMSIZ];			       /* [I] */
	u32 index;				       /* [I] 1: lo */
	u32 type;				       /* [I] ARPHRD_* */
	u8 hwaddr[6];				       /* [I] */
	u32 flags;				       /* [a] IFF_*; IFF_RUNNING: carrier */
	u32 mtu;				       /* [a] */
	u32 min_mtu, max_mtu;			       /* [I] 0: no bound */
	u32 txqlen;				       /* [I] */
	const struct net_iface_ops *ops;	       /* [I] NULL: lo */
	struct net_address addrs[NET_IFACE_ADDRS_MAX]; /* [L:lock of iface.c] */
	u32 nr_addrs;				       /* [L:lock of iface.c] */
	struct inet_addr gateway_v4, gateway_v6;       /* [L:lock of iface.c] any: none */
	struct inet_addr dns[NET_IFACE_DNS_MAX];       /* [L:lock of iface.c] what DHCP said */
	u8 gateway_protocol[2]; /* [L:lock of iface.c] RTPROT_*, v4 and v6; 0: BOOT */
	void (*sum_stats)(struct net_iface *i, struct net_iface_stats *out); /* [I] */
};

/* A copy of what is known of one interface, for everyone who shows it. */
struct net_iface_info {
	char name[IFNAMSIZ];
	u32 index, type, mtu, min_mtu, max_mtu, txqlen;
	u32 flags; /* IFF_*; RUNNING and LOWER_UP only with UP, as Linux shows them */
	u8 hwaddr[6];
	u32 nr_addrs;
	struct net_address addrs[NET_IFACE_ADDRS_MAX];
	struct inet_addr gateway_v4, gateway_v6;
	struct inet_addr dns[NET_IFACE_DNS_MAX];
	u8 gateway_protocol[2];
	struct net_iface_stats stats;
};

void net_iface_init(void);
/* Adds an interface, whose index it sets. 0, -ENOSPC. Boot only. */
int net_iface_register(struct net_iface *i);
/* Facts of interface `index`, the first one behind it with `next`. False: none. */
bool net_iface_info(u32 index, bool next, struct net_iface_info *out);
/* The first IPv4 address, or NULL. */
const struct net_address *net_iface_first_v4(const struct net_iface_info *info);
/* ABI_IF_OPER_*. */
u8 net_iface_oper_state(const struct net_iface_info *info);
/* Index of the interface with that name; 0: none. */
u32 net_iface_index(const char *name);
struct net_iface *net_iface_by_index(u32 index); /* NULL: none */

/*
 * Changes, each told to who listens on netlink. None sleeps, none calls ops->configured: so drivers
 * and protocols may come here with their own locks. An address that is in the network of an earlier
 * one becomes secondary and goes with it; IPv6 addresses go with IFF_UP, gateways too.
 * 0, -EEXIST, -EADDRNOTAVAIL, -ENOBUFS.
 */
int net_iface_add_address(struct net_iface *i, const struct net_address *a);
int net_iface_del_address(struct net_iface *i, const struct inet_addr *a);
void net_iface_set_dns(struct net_iface *i, u32 which, struct inet_addr server);
void net_iface_set_gateway(struct net_iface *i, const struct inet_addr *gateway); /* any: none */
void net_iface_set_flags(struct net_iface *i, u32 flags, u32 mask); /* those of `mask` */

/*
 * True if `a` is an address of this host: of an interface, be it up or not, or in an IPv4 network of lo.
 * Lock-free.
 */
bool net_is_local(const struct inet_addr *a);
/* What is sent over lo while it is down is lost. Lock-free. */
bool net_lo_is_up(void);
/* The broadcast address of an interface, or 255.255.255.255. */
bool net_is_broadcast(const struct inet_addr *a);

/* Where traffic to a destination goes. */
struct net_route {
	struct net_iface *iface;
	struct inet_addr source; /* what an unbound socket sends from */
	bool local;		 /* lo: another socket of this host */
};
/*
 * Chooses by destination, and by `bound_if` if not 0: local addresses go to lo, the rest to the
 * interface whose network it is, then to the one with a gateway. 0 or -ENETUNREACH. Lock-free.
 */
int net_iface_for(const struct inet_addr *to, u32 bound_if, struct net_route *out);

/* This hart's counters of lo. */
struct net_iface_stats *net_lo_stats(void);
static inline void net_lo_count(u64 packets, u64 bytes)
{
	struct net_iface_stats *st = net_lo_stats();

	st->rx_packets += packets;
	st->tx_packets += packets;
	st->rx_bytes += bytes;
	st->tx_bytes += bytes;
}

/*
 * The interface requests of any socket, and of one of `family`: SIOCGIF*, SIOCSIF*, SIOCADDRT, SIOCDELRT. -ENOTTY:
 * not such a request. Touches user memory.
 */
long net_iface_ioctl(int family, u32 cmd, u64 arg);

#endif
