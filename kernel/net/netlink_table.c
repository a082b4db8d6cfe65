/*
 * Which netlink socket has which number, and who hears which group.
 *
 * The lists hold no references: a socket leaves them in close, before its last reference goes, and
 * who finds it under a list's lock takes one.
 */
#include "abi/errno.h"
#include "kernel/net/netlink.h"
#include "kernel/random/random.h"
#include "kernel/sync/atomic.h"
#include "kernel/task/task.h"

#define BUCKETS	  64U
#define NEGATIVES 0x80000000U /* numbers that no process has */

LOCK_CLASS(netlink_table, RANK_NETLINK);

static struct {
	struct spinlock lock;
	struct list list; /* struct netlink_sock, by_port */
} __cacheline_aligned ports[BUCKETS];

static struct spinlock subscribers_lock = SPINLOCK_INIT(netlink_table_class);
static struct list subscribers = LIST_INIT(subscribers); /* [L:subscribers_lock] */
static u32 nr_subscribers;				 /* [a] changes under subscribers_lock */

void netlink_tables_init(void)
{
	for (u32 i = 0; i < BUCKETS; i++) {
		spin_init(&ports[i].lock, &netlink_table_class);
		list_init(&ports[i].list);
	}
}

/* ---- numbers ---- */

/* Context: the bucket's lock is held. */
static struct netlink_sock *find_locked(u32 protocol, u32 portid)
{
	struct netlink_sock *n;

	list_for_each(n, &ports[portid % BUCKETS].list, by_port)
		if (n->portid == portid && n->s.protocol == protocol)
			return n;
	return NULL;
}

/* Context: s.lock held. */
static bool take_port(struct netlink_sock *n, u32 portid)
{
	u32 i = portid % BUCKETS;
	bool ours;

	spin_lock(&ports[i].lock);
	ours = !find_locked(n->s.protocol, portid);
	if (ours) {
		atomic_store_relaxed(&n->portid, portid);
		list_add(&ports[i].list, &n->by_port);
	}
	spin_unlock(&ports[i].lock);
	return ours;
}

int netlink_bind_port(struct netlink_sock *n, u32 portid)
{
	u32 wanted = portid ? portid : task_current()->process->pid;
	int err = 0;

	mutex_lock(&n->s.lock);
	if (n->portid) {
		err = portid && portid != n->portid ? -EINVAL : 0;
	} else if (portid) {
		err = take_port(n, portid) ? 0 : -EADDRINUSE;
	} else {
		while (!take_port(n, wanted)) {
			random_bytes(&wanted, sizeof(wanted));
			wanted |= NEGATIVES;
		}
	}
	mutex_unlock(&n->s.lock);
	return err;
}

struct netlink_sock *netlink_find(u32 protocol, u32 portid)
{
	struct netlink_sock *n;

	spin_lock(&ports[portid % BUCKETS].lock);
	n = find_locked(protocol, portid);
	if (n)
		socket_get(&n->s);
	spin_unlock(&ports[portid % BUCKETS].lock);
	return n;
}

void netlink_for_each(void (*fn)(struct netlink_sock *n, void *arg), void *arg)
{
	for (u32 i = 0; i < BUCKETS; i++) {
		struct netlink_sock *n;

		spin_lock(&ports[i].lock);
		list_for_each(n, &ports[i].list, by_port)
			fn(n, arg);
		spin_unlock(&ports[i].lock);
	}
}

/* ---- groups ---- */

void netlink_set_groups(struct netlink_sock *n, u64 set, u64 clear)
{
	bool was, is;

	spin_lock(&subscribers_lock);
	was = n->groups;
	n->groups = (n->groups & ~clear) | set;
	is = n->groups;
	if (is && !was)
		list_add_tail(&subscribers, &n->subscriber);
	else if (was && !is)
		list_del(&n->subscriber);
	atomic_store_relaxed(&nr_subscribers, nr_subscribers + is - was);
	spin_unlock(&subscribers_lock);
}

u64 netlink_groups(struct netlink_sock *n)
{
	u64 groups;

	spin_lock(&subscribers_lock);
	groups = n->groups;
	spin_unlock(&subscribers_lock);
	return groups;
}

bool netlink_has_subscribers(void)
{
	return atomic_load_relaxed(&nr_subscribers);
}

void netlink_broadcast(u32 protocol, u32 group, const struct nl_buf *b, u32 portid, u32 except)
{
	struct netlink_sock *n;

	if (!netlink_has_subscribers())
		return;
	spin_lock(&subscribers_lock);
	list_for_each(n, &subscribers, subscriber) {
		if (n->s.protocol != protocol || !(n->groups & BIT(group - 1)) ||
		    (except && n->portid == except))
			continue;
		netlink_deliver(n, b->data, b->len, portid, group);
	}
	spin_unlock(&subscribers_lock);
}

void netlink_leave(struct netlink_sock *n)
{
	netlink_set_groups(n, 0, ~0UL);
	if (!n->portid)
		return;
	spin_lock(&ports[n->portid % BUCKETS].lock);
	list_del(&n->by_port);
	spin_unlock(&ports[n->portid % BUCKETS].lock);
}
