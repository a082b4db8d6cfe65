/*
 * Groups: lwIP is told of those that programs have joined on a card, so that it announces them (IGMPv2, MLDv1) and lets in what comes for them. The
 * cards let all multicast frames in.
 */
#include "kernel/net/multicast.h"
#include "kernel/net/wire/internal.h"
#include "lwip/igmp.h"
#include "lwip/mld6.h"

struct group_call {
	struct net_iface *iface;
	const struct inet_addr *group;
};

static void follow_v4(struct netif *n, const ip4_addr_t *group, bool wanted)
{
	bool is = igmp_lookfor_group(n, group) != NULL;

	if (wanted && !is)
		igmp_joingroup_netif(n, group);
	else if (!wanted && is)
		igmp_leavegroup_netif(n, group);
}

static void follow_v6(struct netif *n, const ip6_addr_t *group, bool wanted)
{
	bool is = mld6_lookfor_group(n, group) != NULL;

	/* lwIP's own: an address of the card may be behind it. */
	if (ip6_addr_issolicitednode(group))
		return;
	if (wanted && !is)
		mld6_joingroup_netif(n, group);
	else if (!wanted && is)
		mld6_leavegroup_netif(n, group);
}

static void run_group(void *arg)
{
	struct group_call *call = arg;
	struct wire_card *c = wire_card_of(call->iface);
	bool wanted = multicast_joined(call->group, call->iface->index);
	ip_addr_t ip;

	if (!c)
		return;
	wire_to_ip(call->group, &ip);
	if (IP_IS_V4(&ip))
		follow_v4(&c->netif, ip_2_ip4(&ip), wanted);
	else
		follow_v6(&c->netif, ip_2_ip6(&ip), wanted);
}

void wire_group(struct net_iface *i, const struct inet_addr *group)
{
	struct group_call call = {i, group};

	wire_call(run_group, &call);
}
