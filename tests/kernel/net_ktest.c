/*
 * Interfaces and routes with a card that is none: what programs' changes do to the choice of an
 * interface, and what the card's protocol hears of them. Interfaces stay for ever, so the tests share it.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/iface_config.h"
#include "kernel/net/route.h"
#include "tests/kernel/ktest.h"

static u32 nr_configured;

static void fake_configured(struct net_iface *i)
{
	(void)i;
	nr_configured++;
}

static const struct net_iface_ops fake_ops = {.configured = fake_configured};

static struct net_iface card = {
	.name = "fake0",
	.type = ARPHRD_ETHER,
	.flags = IFF_BROADCAST | IFF_MULTICAST | IFF_RUNNING,
	.mtu = 1500,
	.min_mtu = 68,
	.max_mtu = 9000,
	.ops = &fake_ops,
};

/* 192.0.2.n is for examples: no real card has it. */
static struct inet_addr example(u8 n)
{
	return inet_addr_make_v4(192, 0, 2, n);
}

static struct net_address example_net(u8 n)
{
	return (struct net_address){.addr = example(n), .prefix = 24, .broadcast = inet_any_v4};
}

static u32 card_index(void)
{
	if (!card.index)
		KCHECK(net_iface_register(&card) == 0);
	return card.index;
}

static int route_to(struct inet_addr to, struct net_route *out)
{
	return net_iface_for(&to, 0, out);
}

static bool has_default_route(void)
{
	struct net_route_list *l = net_routes();
	bool found = false;

	for (u32 i = 0; l && i < l->nr; i++)
		found |= l->routes[i].iface == card.index && l->routes[i].has_gateway;
	kfree(l);
	return found;
}

KTEST(net, an_address_brings_routes_when_its_interface_is_up)
{
	u32 index = card_index();
	struct net_address a = example_net(5);
	struct inet_addr last = example(255);
	struct net_route r;

	KCHECK(net_config_flags(index, 0, IFF_UP) == 0);
	KCHECK(net_config_add_address(index, &a) == 0);
	KCHECK(net_config_add_address(index, &a) == -EEXIST);
	KCHECK(net_is_local(&a.addr));
	KCHECK(route_to(example(9), &r) == -ENETUNREACH);
	KCHECK(!net_is_broadcast(&last));
	KCHECK(net_config_flags(index, IFF_UP, IFF_UP) == 0);
	KCHECK(route_to(example(9), &r) == 0 && r.iface == &card && !r.local);
	KCHECK(inet_equal(&r.source, &a.addr));
	KCHECK(route_to(example(5), &r) == 0 && r.local);
	KCHECK(net_is_broadcast(&last));
	KCHECK(net_config_del_address(index, &a.addr, 16) == -EADDRNOTAVAIL);
	KCHECK(net_config_del_address(index, &a.addr, 24) == 0);
	KCHECK(route_to(example(9), &r) == -ENETUNREACH);
	KCHECK(!net_is_local(&a.addr));
}

KTEST(net, a_gateway_carries_the_rest)
{
	u32 index = card_index();
	struct net_address a = example_net(5);
	struct net_gateway g = {.addr = example(1), .protocol = RTPROT_BOOT};
	struct inet_addr far = inet_addr_make_v4(198, 51, 100, 7);
	struct net_gateway any = {.addr = inet_any_v4};
	struct net_route r;

	KCHECK(net_config_flags(index, IFF_UP, IFF_UP) == 0);
	KCHECK(net_config_add_gateway(&g, false) == -ENETUNREACH);
	KCHECK(net_config_add_address(index, &a) == 0);
	KCHECK(net_config_add_gateway(&g, false) == 0);
	KCHECK(net_config_add_gateway(&g, false) == -EEXIST);
	g.addr = example(2);
	KCHECK(net_config_add_gateway(&g, true) == 0);
	KCHECK(has_default_route());
	KCHECK(route_to(far, &r) == 0 && r.iface == &card && inet_equal(&r.source, &a.addr));
	g.addr = example(1);
	KCHECK(net_config_del_gateway(true, &g) == -ESRCH); /* another one is set */
	KCHECK(net_config_del_gateway(true, &any) == 0);
	KCHECK(net_config_del_gateway(true, &any) == -ESRCH);
	KCHECK(route_to(far, &r) == -ENETUNREACH);
	/* It goes when the interface goes down, and does not come back. */
	KCHECK(net_config_add_gateway(&g, false) == 0);
	KCHECK(net_config_flags(index, 0, IFF_UP) == 0);
	KCHECK(net_config_add_gateway(&g, false) == -ENETUNREACH);
	g.iface = index;
	KCHECK(net_config_add_gateway(&g, false) == -ENETDOWN);
	KCHECK(net_config_flags(index, IFF_UP, IFF_UP) == 0);
	KCHECK(!has_default_route());
	KCHECK(net_config_del_address(index, &a.addr, ~0U) == 0);
}

KTEST(net, secondaries_go_with_their_primary)
{
	u32 index = card_index();
	struct net_address first = example_net(5), second = example_net(6);
	struct net_iface_info info;

	KCHECK(net_config_add_address(index, &first) == 0);
	KCHECK(net_config_add_address(index, &second) == 0);
	KCHECK(net_iface_info(index, false, &info) && info.nr_addrs == 2);
	KCHECK(!(info.addrs[0].flags & IFA_F_SECONDARY));
	KCHECK(info.addrs[1].flags & IFA_F_SECONDARY);
	second.scope = RT_SCOPE_LINK;
	second.addr = example(7);
	KCHECK(net_config_add_address(index, &second) == -EINVAL);
	KCHECK(net_config_del_address(index, &first.addr, 24) == 0);
	KCHECK(net_iface_info(index, false, &info) && info.nr_addrs == 0);
}

KTEST(net, ipv6_goes_with_up)
{
	u32 index = card_index();
	struct net_address a = {.prefix = 64};
	struct net_iface_info info;

	a.addr.b[0] = 0x20;
	a.addr.b[15] = 5;
	KCHECK(net_config_flags(index, IFF_UP, IFF_UP) == 0);
	KCHECK(net_config_add_address(index, &a) == 0);
	KCHECK(net_is_local(&a.addr));
	KCHECK(net_config_flags(index, 0, IFF_UP) == 0);
	KCHECK(net_iface_info(index, false, &info) && info.nr_addrs == 0);
	KCHECK(!(info.flags & (IFF_UP | IFF_RUNNING | IFF_LOWER_UP)));
	KCHECK(!net_is_local(&a.addr));
}

KTEST(net, a_table_that_is_full_says_so)
{
	u32 index = card_index();
	struct net_address a = {.prefix = 32, .broadcast = inet_any_v4};

	for (u8 n = 0; n < NET_IFACE_ADDRS_MAX; n++) {
		a.addr = example(n);
		KCHECK(net_config_add_address(index, &a) == 0);
	}
	a.addr = example(100);
	KCHECK(net_config_add_address(index, &a) == -ENOBUFS);
	for (u8 n = 0; n < NET_IFACE_ADDRS_MAX; n++) {
		a.addr = example(n);
		KCHECK(net_config_del_address(index, &a.addr, 32) == 0);
	}
}

KTEST(net, the_protocol_hears_of_changes)
{
	u32 index = card_index(), before = nr_configured;
	struct net_address a = example_net(5);

	KCHECK(net_config_mtu(index, 67) == -EINVAL);
	KCHECK(net_config_mtu(index, 9001) == -ERANGE);
	KCHECK(net_config_mtu(index + 1, 1500) == -ENODEV);
	KCHECK(net_config_flags(index, IFF_PROMISC, IFF_PROMISC) == -EOPNOTSUPP);
	KCHECK(net_config_del_address(index, &a.addr, ~0U) == -EADDRNOTAVAIL);
	KCHECK(nr_configured == before);
	KCHECK(net_config_mtu(index, 1400) == 0);
	KCHECK(net_config_flags(index, IFF_UP, IFF_UP) == 0);
	KCHECK(net_config_add_address(index, &a) == 0);
	KCHECK(net_config_del_address(index, &a.addr, ~0U) == 0);
	KCHECK(nr_configured == before + 4);
}
