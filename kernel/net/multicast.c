/*
 * The groups of sockets, and their options; multicast.h tells the rules.
 */
#include "kernel/net/multicast.h"

#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/iface.h"
#include "kernel/net/inet_sock.h"
#include "kernel/sync/atomic.h"

static bool same(const struct multicast_member *a, const struct multicast_member *b)
{
	return a->iface == b->iface && inet_equal(&a->group, &b->group);
}

/* ---- a socket's groups ---- */

static void members_free(struct epoch_node *node)
{
	kfree(container_of(node, struct multicast_members, free_node));
}

/* Context: s.lock held. */
static void members_replace(struct inet_sock *i, struct multicast_members *members)
{
	struct multicast_members *old = i->multicast.members;

	atomic_store_release(&i->multicast.members, members);
	if (old)
		epoch_defer(&old->free_node, members_free);
}

static u32 member_find(const struct multicast_members *l, const struct multicast_member *m)
{
	u32 k = 0;

	while (l && k < l->nr && !same(&l->m[k], m))
		k++;
	return k;
}

/* A copy of a list with room for `nr`, or NULL. */
static struct multicast_members *members_copy(const struct multicast_members *l, u32 nr)
{
	struct multicast_members *copy = kzalloc(sizeof(*copy) + nr * sizeof(copy->m[0]));

	if (copy && l)
		memcpy(copy->m, l->m, MIN(nr, l->nr) * sizeof(copy->m[0]));
	if (copy)
		copy->nr = nr;
	return copy;
}

/* Context: s.lock held. */
static int join(struct inet_sock *i, const struct multicast_member *m)
{
	struct multicast_members *l = i->multicast.members, *longer;
	u32 nr = l ? l->nr : 0;
	int err;

	if (l && member_find(l, m) < nr)
		return -EADDRINUSE;
	if (nr == MULTICAST_MAX)
		return -ENOBUFS;
	longer = members_copy(l, nr + 1);
	if (!longer)
		return -ENOBUFS;
	err = multicast_hold(m);
	if (err) {
		kfree(longer);
		return err;
	}
	longer->m[nr] = *m;
	members_replace(i, longer);
	return 0;
}

/* Context: s.lock held. An interface of 0 fits all. */
static int leave(struct inet_sock *i, struct multicast_member *m)
{
	struct multicast_members *l = i->multicast.members, *shorter = NULL;
	u32 at = 0;

	if (m->iface)
		at = member_find(l, m);
	else
		while (l && at < l->nr && !inet_equal(&l->m[at].group, &m->group))
			at++;
	if (!l || at == l->nr)
		return -EADDRNOTAVAIL;
	*m = l->m[at];
	if (l->nr > 1) {
		shorter = members_copy(l, l->nr - 1);
		if (!shorter)
			return -ENOBUFS;
		if (at < shorter->nr)
			shorter->m[at] = l->m[l->nr - 1];
	}
	members_replace(i, shorter);
	multicast_release(m);
	return 0;
}

bool multicast_wanted(struct inet_sock *i, const struct dgram *d)
{
	struct multicast_member m = {d->local.addr, d->iface};
	u32 bit = inet_is_v4(&d->local.addr) ? 1 : 2;
	const struct multicast_members *l;
	bool found;

	if (!(atomic_load_relaxed(&i->multicast.only_joined) & bit))
		return true;
	epoch_enter();
	l = atomic_load_acquire(&i->multicast.members);
	found = l && member_find(l, &m) < l->nr;
	epoch_exit();
	return found;
}

void multicast_close(struct inet_sock *i)
{
	struct multicast_members *l;

	if (!atomic_load_relaxed(&i->multicast.members))
		return;
	mutex_lock(&i->s.lock);
	l = i->multicast.members;
	for (u32 k = 0; l && k < l->nr; k++)
		multicast_release(&l->m[k]);
	members_replace(i, NULL);
	mutex_unlock(&i->s.lock);
}

/* ---- options ---- */

/* The interface that has an IPv4 address; 0: none. */
static u32 iface_of(u32 v4)
{
	struct inet_addr a = inet_addr_v4(v4);
	struct net_iface_info info;

	for (u32 at = 0; net_iface_info(at, true, &info); at = info.index)
		for (u32 k = 0; k < info.nr_addrs; k++)
			if (inet_equal(&info.addrs[k].addr, &a))
				return info.index;
	return 0;
}

/* The interface that what is sent to a group would take; 0: none. */
static u32 iface_towards(const struct inet_addr *group)
{
	struct net_route route;

	return net_iface_for(group, 0, &route) ? 0 : route.iface->index;
}

static int membership(struct inet_sock *i, struct multicast_member *m, bool joins)
{
	int err;

	mutex_lock(&i->s.lock);
	err = joins ? join(i, m) : leave(i, m);
	mutex_unlock(&i->s.lock);
	return err;
}

/* struct ip_mreq, or the longer struct ip_mreqn. */
static int v4_membership(struct inet_sock *i, const void *val, u32 len, bool joins)
{
	struct abi_ip_mreqn q = {0};
	struct multicast_member m;

	if (len < ABI_IP_MREQ)
		return -EINVAL;
	memcpy(&q, val, len >= sizeof(q) ? sizeof(q) : ABI_IP_MREQ);
	m = (struct multicast_member){inet_addr_v4(q.imr_multiaddr), (u32)q.imr_ifindex};
	if (joins && !inet_is_multicast(&m.group))
		return -EINVAL;
	if (m.iface) {
		if (!net_iface_by_index(m.iface))
			return -ENODEV;
	} else if (q.imr_address) {
		m.iface = iface_of(q.imr_address);
		if (!m.iface)
			return -ENODEV;
	} else {
		m.iface = iface_towards(&m.group);
		if (!m.iface)
			return -ENODEV;
		if (!joins)
			m.iface = 0;
	}
	return membership(i, &m, joins);
}

static int v6_membership(struct inet_sock *i, const void *val, u32 len, bool joins)
{
	struct abi_ipv6_mreq q;
	struct multicast_member m;

	if (len < sizeof(q))
		return -EINVAL;
	memcpy(&q, val, sizeof(q));
	memcpy(m.group.b, q.ipv6mr_multiaddr, sizeof(m.group.b));
	m.iface = (u32)q.ipv6mr_ifindex;
	if (!inet_is_multicast(&m.group) || inet_is_v4(&m.group))
		return -EINVAL;
	if (joins && !m.iface)
		m.iface = iface_towards(&m.group);
	if (joins && (!m.iface || !net_iface_by_index(m.iface)))
		return -ENODEV;
	return membership(i, &m, joins);
}

/* MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP: struct group_req. */
static int any_membership(struct inet_sock *i, int level, const void *val, u32 len, bool joins)
{
	struct multicast_member m;
	struct sock_name name = {.len = 28};
	struct inet_end e;
	int err;

	if (len < ABI_GROUP_REQ)
		return -EINVAL;
	memcpy(&m.iface, val, sizeof(m.iface));
	memcpy(name.bytes, (const u8 *)val + ABI_GROUP_REQ_ADDR, name.len);
	if (name.family != (level == SOL_IP ? AF_INET : AF_INET6))
		return level == SOL_IP ? -EINVAL : -EADDRNOTAVAIL;
	err = inet_end_from_name(name.family, &name, false, &e);
	if (err)
		return err;
	m.group = e.addr;
	if (!inet_is_multicast(&m.group))
		return -EINVAL;
	if (!m.iface)
		m.iface = iface_towards(&m.group);
	if (!m.iface || !net_iface_by_index(m.iface))
		return -ENODEV;
	return membership(i, &m, joins);
}

/* IP_MULTICAST_IF takes an address, or one of the two structures. */
static int v4_interface(struct inet_sock *i, const void *val, u32 len)
{
	struct abi_ip_mreqn q = {0};
	u32 index;

	if (len < sizeof(u32))
		return -EINVAL;
	if (len >= ABI_IP_MREQ)
		memcpy(&q, val, len >= sizeof(q) ? sizeof(q) : ABI_IP_MREQ);
	else
		memcpy(&q.imr_address, val, sizeof(q.imr_address));
	index = (u32)q.imr_ifindex;
	if (!index && q.imr_address)
		index = iface_of(q.imr_address);
	if ((q.imr_ifindex || q.imr_address) && !net_iface_by_index(index))
		return -EADDRNOTAVAIL;
	atomic_store_relaxed(&i->multicast.iface[0], index);
	atomic_store_relaxed(&i->multicast.source, q.imr_address);
	return 0;
}

static int v6_interface(struct inet_sock *i, u32 index)
{
	if (index && !net_iface_by_index(index))
		return -ENODEV;
	atomic_store_relaxed(&i->multicast.iface[1], index);
	return 0;
}

static int only_joined(struct inet_sock *i, u32 bit, int all)
{
	if (all != 0 && all != 1)
		return -EINVAL;
	if (all)
		atomic_fetch_and(&i->multicast.only_joined, ~bit);
	else
		atomic_fetch_or(&i->multicast.only_joined, bit);
	return 0;
}

static int set_v4(struct inet_sock *i, int name, const void *val, u32 len)
{
	int v, err;

	switch (name) {
	case IP_ADD_MEMBERSHIP:
	case IP_DROP_MEMBERSHIP:
		return v4_membership(i, val, len, name == IP_ADD_MEMBERSHIP);
	case IP_MULTICAST_IF:
		return v4_interface(i, val, len);
	case IP_MULTICAST_ALL:
		err = sockopt_int(val, len, &v);
		return err ? err : only_joined(i, 1, v);
	default:
		return -ENOPROTOOPT;
	}
}

static int set_v6(struct inet_sock *i, int name, const void *val, u32 len)
{
	int v, err;

	if (name == IPV6_ADD_MEMBERSHIP || name == IPV6_DROP_MEMBERSHIP)
		return v6_membership(i, val, len, name == IPV6_ADD_MEMBERSHIP);
	if (name != IPV6_MULTICAST_IF && name != IPV6_MULTICAST_ALL)
		return -ENOPROTOOPT;
	err = sockopt_int(val, len, &v);
	if (err)
		return err;
	return name == IPV6_MULTICAST_IF ? v6_interface(i, (u32)v) : only_joined(i, 2, v);
}

int multicast_set_option(struct inet_sock *i, int level, int name, const void *val, u32 len)
{
	if (level != SOL_IP && (level != SOL_IPV6 || i->s.family != AF_INET6))
		return -ENOPROTOOPT;
	if (name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP)
		return any_membership(i, level, val, len, name == MCAST_JOIN_GROUP);
	return level == SOL_IP ? set_v4(i, name, val, len) : set_v6(i, name, val, len);
}

int multicast_get_option(struct inet_sock *i, int level, int name, void *val, u32 *len)
{
	u32 joined = atomic_load_relaxed(&i->multicast.only_joined);

	if (level == SOL_IP && name == IP_MULTICAST_IF)
		return sockopt_put_int(val, len, (int)atomic_load_relaxed(&i->multicast.source));
	if (level == SOL_IP && name == IP_MULTICAST_ALL)
		return sockopt_put_int(val, len, !(joined & 1));
	if (level != SOL_IPV6 || i->s.family != AF_INET6)
		return -ENOPROTOOPT;
	if (name == IPV6_MULTICAST_IF)
		return sockopt_put_int(val, len, (int)atomic_load_relaxed(&i->multicast.iface[1]));
	if (name == IPV6_MULTICAST_ALL)
		return sockopt_put_int(val, len, !(joined & 2));
	return -ENOPROTOOPT;
}

bool multicast_is_membership(int level, int name)
{
	if (level == SOL_IP && (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP))
		return true;
	if (level == SOL_IPV6 && (name == IPV6_ADD_MEMBERSHIP || name == IPV6_DROP_MEMBERSHIP))
		return true;
	return (level == SOL_IP || level == SOL_IPV6) &&
	       (name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP);
}
