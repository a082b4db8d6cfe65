/*
 * The groups that this host has joined, and /proc/net/igmp and igmp6; multicast.h tells the rules.
 */
#include "abi/errno.h"
#include "kernel/fs/pseudo.h"
#include "kernel/mm/mm.h"
#include "kernel/net/iface.h"
#include "kernel/net/multicast.h"
#include "kernel/sync/spinlock.h"

LOCK_CLASS(multicast, RANK_MULTICAST);

/* A group that this host has joined on an interface. */
struct group {
	struct list link; /* [L] newest first */
	struct multicast_member m;
	u32 users; /* [L] sockets */
};

static struct spinlock lock = SPINLOCK_INIT(multicast_class);
static struct list groups = LIST_INIT(groups); /* [L] */

static bool same(const struct multicast_member *a, const struct multicast_member *b)
{
	return a->iface == b->iface && inet_equal(&a->group, &b->group);
}

/* ---- the host's groups ---- */

/* Context: lock held. */
static struct group *group_find(const struct multicast_member *m)
{
	struct group *g;

	list_for_each(g, &groups, link)
		if (same(&g->m, m))
			return g;
	return NULL;
}

/* The interface's protocol looks at what holds now, so it does not matter which of two changes it hears of first. */
static void tell(const struct multicast_member *m)
{
	struct net_iface *i = net_iface_by_index(m->iface);

	if (i && i->ops && i->ops->group)
		i->ops->group(i, &m->group);
}

int multicast_hold(const struct multicast_member *m)
{
	struct group *fresh = kzalloc(sizeof(*fresh)), *g;

	if (!fresh)
		return -ENOBUFS;
	spin_lock(&lock);
	g = group_find(m);
	if (g) {
		g->users++;
	} else {
		fresh->m = *m;
		fresh->users = 1;
		list_add(&groups, &fresh->link);
	}
	spin_unlock(&lock);
	if (g)
		kfree(fresh);
	else
		tell(m);
	return 0;
}

void multicast_release(const struct multicast_member *m)
{
	struct group *g;

	spin_lock(&lock);
	g = group_find(m);
	if (--g->users)
		g = NULL;
	else
		list_del(&g->link);
	spin_unlock(&lock);
	if (g)
		tell(m);
	kfree(g);
}

/* What every host has joined. */
static bool is_all_hosts(const struct inet_addr *group)
{
	struct inet_addr v4 = inet_addr_make_v4(224, 0, 0, 1);

	if (inet_is_v4(group))
		return inet_equal(group, &v4);
	/* ff01::1 and ff02::1 */
	return (group->b[1] == 1 || group->b[1] == 2) && group->b[15] == 1 && !group->w[1] &&
	       !group->w[2] && !(group->w[0] >> 16) && !(group->w[3] & net32(~1U));
}

bool multicast_joined(const struct inet_addr *group, u32 iface)
{
	struct multicast_member m = {*group, iface};
	bool found;

	if (is_all_hosts(group))
		return true;
	spin_lock(&lock);
	found = group_find(&m);
	spin_unlock(&lock);
	return found;
}

bool multicast_nth(u32 iface, u32 at, struct inet_addr *out)
{
	struct group *g;
	bool found = false;

	spin_lock(&lock);
	list_for_each(g, &groups, link) {
		if (g->m.iface != iface || at--)
			continue;
		*out = g->m.group;
		found = true;
		break;
	}
	spin_unlock(&lock);
	return found;
}

/* ---- /proc/net ---- */

static u32 count_groups(u32 iface, bool v4)
{
	struct group *g;
	u32 nr = 0;

	list_for_each(g, &groups, link)
		nr += g->m.iface == iface && inet_is_v4(&g->m.group) == v4;
	return nr;
}

int proc_show_igmp(struct seq *s, u64 key)
{
	struct net_iface_info i;
	struct group *g;

	(void)key;
	seq_puts(s, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
	for (u32 at = 0; net_iface_info(at, true, &i); at = i.index) {
		if (!(i.flags & IFF_UP))
			continue;
		spin_lock(&lock);
		seq_printf(s, "%d\t%-10s: %5d      V3\n", i.index, i.name,
			   count_groups(i.index, true) + 1);
		list_for_each(g, &groups, link)
			if (g->m.iface == i.index && inet_is_v4(&g->m.group))
				seq_printf(s, "\t\t\t\t%08X %5d 0:00000000\t\t0\n", g->m.group.w[3],
					   g->users);
		spin_unlock(&lock);
		seq_puts(s, "\t\t\t\t010000E0     1 0:00000000\t\t0\n");
	}
	return 0;
}

static void put_v6_group(struct seq *s, const struct net_iface_info *i,
			 const struct inet_addr *group, u32 users, u32 flags)
{
	seq_printf(s, "%-4d %-15s ", i->index, i->name);
	for (u32 b = 0; b < sizeof(group->b); b++)
		seq_printf(s, "%02x", group->b[b]);
	seq_printf(s, " %5d %08X 0\n", users, flags);
}

int proc_show_igmp6(struct seq *s, u64 key)
{
	struct inet_addr all = {.d = {0, 0}};
	struct net_iface_info i;
	struct group *g;

	(void)key;
	all.b[0] = 0xff;
	all.b[15] = 1;
	for (u32 at = 0; net_iface_info(at, true, &i); at = i.index) {
		if (!(i.flags & IFF_UP))
			continue;
		spin_lock(&lock);
		list_for_each(g, &groups, link)
			if (g->m.iface == i.index && !inet_is_v4(&g->m.group))
				put_v6_group(s, &i, &g->m.group, g->users, 4);
		spin_unlock(&lock);
		all.b[1] = 2;
		put_v6_group(s, &i, &all, 1, 12);
		all.b[1] = 1;
		put_v6_group(s, &i, &all, 1, 8);
	}
	return 0;
}
