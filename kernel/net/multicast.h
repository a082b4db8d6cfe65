/*
 * Multicast groups: which sockets have joined which on which interface. What comes for a group goes to
 * a socket that has joined it there, and to one that has not said IP_MULTICAST_ALL = 0, if any socket
 * of this host has joined it: else it is no business of this host.
 *
 * A socket's list is replaced as a whole under s.lock and read under the epoch; the host's list has its
 * own spin lock.
 */
#ifndef KERNEL_NET_MULTICAST_H
#define KERNEL_NET_MULTICAST_H

#include "kernel/net/inet.h"
#include "kernel/sync/epoch.h"
#include "lib/types.h"

struct dgram;
struct inet_sock;
struct seq;

#define MULTICAST_MAX 20U /* groups of a socket: net.ipv4.igmp_max_memberships */

struct multicast_member {
	struct inet_addr group;
	u32 iface;
};

struct multicast_members {
	struct epoch_node free_node;
	u32 nr;
	struct multicast_member m[];
};

/* What a socket has set, both families. */
struct multicast_options {
	struct multicast_members *members; /* [e] NULL: none; changes under s.lock */
	u32 iface[2];	 /* [a] IP_MULTICAST_IF and IPV6_MULTICAST_IF: index, 0: none */
	u32 source;	 /* [a] IP_MULTICAST_IF: an address to send from, or 0 */
	u32 only_joined; /* [a] bit 0: IPv4, bit 1: IPv6 */
};

/*
 * The options of groups, for sockets that are not TCP's. -ENOPROTOOPT: another one. 0, -EINVAL, -ENODEV, -EADDRINUSE,
 * -EADDRNOTAVAIL, -ENOBUFS. May sleep.
 */
int multicast_set_option(struct inet_sock *i, int level, int name, const void *val, u32 len);
int multicast_get_option(struct inet_sock *i, int level, int name, void *val, u32 *len);
/* True if `name` joins or leaves a group. */
bool multicast_is_membership(int level, int name);
/* True if `i` is to hear what came for d->local, a group, on d->iface. Lock-free. */
bool multicast_wanted(struct inet_sock *i, const struct dgram *d);
/* True if this host has joined the group there. */
bool multicast_joined(const struct inet_addr *group, u32 iface);
/* Group number `at` that this host has joined on `iface`; false: there are fewer. */
bool multicast_nth(u32 iface, u32 at, struct inet_addr *out);
/* One more, one less socket has joined; the interface's protocol is told of the first and the last. -ENOBUFS. May sleep. */
int multicast_hold(const struct multicast_member *m);
void multicast_release(const struct multicast_member *m);
/* The file is gone: leaves all groups. */
void multicast_close(struct inet_sock *i);

/* /proc/net/igmp and igmp6 */
int proc_show_igmp(struct seq *s, u64 key);
int proc_show_igmp6(struct seq *s, u64 key);

#endif
