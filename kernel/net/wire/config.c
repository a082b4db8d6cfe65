/*
 * Addresses: the interface table (iface.h) is what everybody sees, lwIP's netif what it answers to. Each follows the other: an address that a program
 * or the boot argument sets goes to lwIP at once (wire_changed); what DHCP, router advertisements and duplicate detection find out is taken over
 * twice a second (wire_config_tick).
 *
 * lwIP has one IPv4 address an interface, the first in the table, and LWIP_IPV6_NUM_ADDRESSES of IPv6, the link-local one in slot 0.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/mm/mm.h"
#include "kernel/net/wire/internal.h"
#include "kernel/net/wire/wire.h"
#include "kernel/sync/atomic.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/nd6.h"
#include "lwip/priv/nd6_priv.h"

struct wire_card *wire_cards;

struct wire_card *wire_card_of(const struct net_iface *i)
{
	struct wire_card *c = wire_cards;

	while (c && &c->eth->iface != i)
		c = c->next;
	return c;
}

/* ---- from the table to lwIP ---- */

static bool table_has(const struct net_iface_info *info, const struct inet_addr *a)
{
	for (u32 k = 0; k < info->nr_addrs; k++)
		if (inet_equal(&info->addrs[k].addr, a))
			return true;
	return false;
}

static struct inet_addr netif_v6(const struct netif *n, u32 slot)
{
	return wire_from_ip(netif_ip_addr6(n, slot));
}

static void give_v4(struct wire_card *c, const struct net_iface_info *info)
{
	const struct net_address *a = net_iface_first_v4(info);
	ip4_addr_t ip = {0}, mask = {0}, gateway = {0};

	if (a) {
		ip.addr = a->addr.w[3];
		mask.addr = inet_v4_mask(a->prefix);
	}
	if (!inet_is_any(&info->gateway_v4))
		gateway.addr = info->gateway_v4.w[3];
	if (netif_ip4_addr(&c->netif)->addr != ip.addr ||
	    netif_ip4_netmask(&c->netif)->addr != mask.addr ||
	    netif_ip4_gw(&c->netif)->addr != gateway.addr)
		netif_set_addr(&c->netif, &ip, &mask, &gateway);
}

static void give_v6(struct wire_card *c, const struct net_iface_info *info)
{
	struct netif *n = &c->netif;

	for (u32 slot = 0; slot < LWIP_IPV6_NUM_ADDRESSES; slot++) {
		struct inet_addr a = netif_v6(n, slot);

		if ((c->v6_known & BIT(slot)) && !table_has(info, &a)) {
			netif_ip6_addr_set_state(n, (s8_t)slot, IP6_ADDR_INVALID);
			c->v6_known &= ~(u32)BIT(slot);
		}
	}
	for (u32 k = 0; k < info->nr_addrs; k++) {
		ip_addr_t ip;
		s8_t slot;

		if (inet_is_v4(&info->addrs[k].addr))
			continue;
		wire_to_ip(&info->addrs[k].addr, &ip);
		if (netif_get_ip6_addr_match(n, ip_2_ip6(&ip)) >= 0)
			continue;
		if (netif_add_ip6_address(n, ip_2_ip6(&ip), &slot) != ERR_OK)
			continue;
		netif_ip6_addr_set_state(n, slot, IP6_ADDR_PREFERRED);
		c->v6_known |= (u32)BIT(slot);
	}
}

static void give_flags(struct wire_card *c, u32 flags)
{
	bool up = flags & IFF_UP;

	if (up == !!netif_is_up(&c->netif))
		return;
	if (!up) {
		netif_set_down(&c->netif);
		return;
	}
	netif_set_up(&c->netif);
	netif_create_ip6_linklocal_address(&c->netif, 1);
	netif_set_ip6_autoconfig_enabled(&c->netif, 1);
	if (c->eth->dhcp)
		dhcp_start(&c->netif);
}

static void run_changed(void *arg)
{
	struct wire_card *c = wire_card_of(arg);
	struct net_iface_info info;

	if (!c || !net_iface_info(c->eth->iface.index, false, &info))
		return;
	c->netif.mtu = (u16)info.mtu;
	give_flags(c, info.flags);
	if (!c->eth->dhcp || !dhcp_supplied_address(&c->netif))
		give_v4(c, &info);
	give_v6(c, &info);
}

static void run_configured(void *arg)
{
	/* What lwIP remembers of next hosts may be of an old route. */
	nd6_clear_destination_cache();
	run_changed(arg);
}

void wire_changed(struct net_iface *i)
{
	wire_call(run_configured, i);
}

/* ---- from lwIP to the table ---- */

static void take_v4(struct wire_card *c, const struct net_iface_info *info)
{
	const struct net_address *old = net_iface_first_v4(info);
	u32 ip = netif_ip4_addr(&c->netif)->addr, mask = netif_ip4_netmask(&c->netif)->addr;
	struct inet_addr gateway = inet_addr_v4(netif_ip4_gw(&c->netif)->addr);
	struct net_address a = {.addr = inet_addr_v4(ip), .broadcast = inet_addr_v4(ip | ~mask)};
	struct net_iface *i = &c->eth->iface;

	a.prefix = (u32)__builtin_popcount(mask);
	if (!dhcp_supplied_address(&c->netif)) {
		/* The lease is over. */
		if (!inet_is_any(&c->leased))
			net_iface_del_address(i, &c->leased);
		c->leased = inet_any_v4;
		return;
	}
	if (inet_equal(&c->leased, &a.addr))
		return;
	if (old)
		net_iface_del_address(i, &old->addr);
	net_iface_add_address(i, &a);
	c->leased = a.addr;
	net_iface_set_gateway(i, &gateway);
	for (u8 k = 0; k < NET_IFACE_DNS_MAX; k++)
		net_iface_set_dns(i, k, inet_addr_v4(ip_2_ip4(dns_getserver(k))->addr));
}

static void take_v6(struct wire_card *c)
{
	for (u32 slot = 0; slot < LWIP_IPV6_NUM_ADDRESSES; slot++) {
		bool valid = ip6_addr_isvalid(netif_ip6_addr_state(&c->netif, slot));
		struct net_address a = {.addr = netif_v6(&c->netif, slot), .prefix = 64};

		if (valid == !!(c->v6_known & BIT(slot)))
			continue;
		a.scope = ip6_addr_islinklocal(netif_ip6_addr(&c->netif, slot)) ? 253 : 0;
		c->v6_known ^= (u32)BIT(slot);
		if (valid)
			net_iface_add_address(&c->eth->iface, &a);
		else
			net_iface_del_address(&c->eth->iface, &a.addr);
	}
}

static void take_gateway_v6(struct wire_card *c, const struct net_iface_info *info)
{
	struct inet_addr gateway = inet_any_v6;
	ip_addr_t ip = {0};

	for (u32 k = 0; k < LWIP_ND6_NUM_ROUTERS; k++) {
		const struct nd6_neighbor_cache_entry *e = default_router_list[k].neighbor_entry;

		if (!e || e->netif != &c->netif || !default_router_list[k].invalidation_timer)
			continue;
		IP_SET_TYPE_VAL(ip, IPADDR_TYPE_V6);
		ip6_addr_copy(*ip_2_ip6(&ip), e->next_hop_address);
		gateway = wire_from_ip(&ip);
		break;
	}
	if (!inet_equal(&gateway, &info->gateway_v6) && !inet_is_any(&gateway))
		net_iface_set_gateway(&c->eth->iface, &gateway);
}

void wire_config_tick(void)
{
	for (struct wire_card *c = wire_cards; c; c = c->next) {
		struct net_iface_info info;

		run_changed(&c->eth->iface);
		if (!netif_is_up(&c->netif) || !net_iface_info(c->eth->iface.index, false, &info))
			continue;
		if (c->eth->dhcp)
			take_v4(c, &info);
		take_v6(c);
		take_gateway_v6(c, &info);
	}
}

static void wire_link(struct eth *e)
{
	struct wire_card *c = e->wire_data;

	if (atomic_load_relaxed(&e->dev->link))
		netif_set_link_up(&c->netif);
	else
		netif_set_link_down(&c->netif);
}

/* ---- start ---- */

static err_t card_init(struct netif *n)
{
	wire_card_init(n->state);
	return ERR_OK;
}

static err_t no_input(struct pbuf *p, struct netif *n)
{
	(void)n;
	pbuf_free(p);
	return ERR_OK;
}

static int wire_card_start(struct eth *e)
{
	struct wire_card *c = kzalloc(sizeof(*c)), **end;

	if (!c)
		return -ENOMEM;
	c->eth = e;
	e->wire_data = c;
	wire_enter();
	wire_start();
	netif_add(&c->netif, NULL, NULL, NULL, c, card_init, no_input);
	if (!netif_default)
		netif_set_default(&c->netif);
	if (atomic_load_relaxed(&e->dev->link))
		netif_set_link_up(&c->netif);
	for (end = &wire_cards; *end;)
		end = &(*end)->next;
	*end = c;
	/* The boot's addresses: the first program may connect at once. */
	run_changed(&e->iface);
	wire_leave();
	return 0;
}

/* ---- neighbours ---- */

struct neighbour_call {
	struct net_iface *iface;
	u32 at; /* entries that are still to be passed */
	struct net_neighbour *out;
	bool found;
};

/* True if this is the entry that is wanted. */
static bool neighbour_hit(struct neighbour_call *n, const struct netif *of)
{
	if (of->state != wire_card_of(n->iface))
		return false;
	n->found = n->at-- == 0;
	return n->found;
}

static void find_v4(struct neighbour_call *n)
{
	ip4_addr_t *ip;
	struct netif *netif;
	struct eth_addr *hw;

	for (size_t k = 0; k < ARP_TABLE_SIZE && !n->found; k++) {
		if (!etharp_get_entry(k, &ip, &netif, &hw) || !neighbour_hit(n, netif))
			continue;
		n->out->addr = inet_addr_v4(ip->addr);
		n->out->state = NUD_REACHABLE;
		memcpy(n->out->hwaddr, hw->addr, sizeof(n->out->hwaddr));
	}
}

static void find_v6(struct neighbour_call *n)
{
	for (u32 k = 0; k < LWIP_ND6_NUM_NEIGHBORS && !n->found; k++) {
		const struct nd6_neighbor_cache_entry *e = &neighbor_cache[k];
		ip_addr_t ip = {0};

		if (e->state == ND6_NO_ENTRY || !e->netif || !neighbour_hit(n, e->netif))
			continue;
		IP_SET_TYPE_VAL(ip, IPADDR_TYPE_V6);
		ip6_addr_copy(*ip_2_ip6(&ip), e->next_hop_address);
		n->out->addr = wire_from_ip(&ip);
		n->out->state = e->state == ND6_INCOMPLETE  ? NUD_INCOMPLETE
				: e->state == ND6_REACHABLE ? NUD_REACHABLE
							    : NUD_STALE;
		memcpy(n->out->hwaddr, e->lladdr, sizeof(n->out->hwaddr));
	}
}

static void run_neighbour(void *arg)
{
	find_v4(arg);
	if (!((struct neighbour_call *)arg)->found)
		find_v6(arg);
}

static bool wire_neighbour(struct net_iface *i, u32 at, struct net_neighbour *out)
{
	struct neighbour_call n = {i, at, out, false};

	*out = (struct net_neighbour){0};
	wire_call(run_neighbour, &n);
	return n.found;
}

/* ---- what the rest of the kernel sees ---- */

static const struct net_iface_ops iface_ops = {
	.tcp_connect = wire_tcp_connect,
	.tcp_cancel = wire_tcp_cancel,
	.tcp_free = wire_conn_free,
	.tcp_unlisten = wire_tcp_unlisten,
	.udp_send = wire_udp_send,
	.raw_send = wire_raw_send,
	.configured = wire_changed,
	.group = wire_group,
	.neighbour = wire_neighbour,
};

static void enter(struct eth *e)
{
	(void)e;
	wire_enter();
}

static void leave(struct eth *e)
{
	(void)e;
	wire_leave();
}

const struct eth_wire wire_lwip = {
	.iface_ops = &iface_ops,
	.enter = enter,
	.leave = leave,
	.receive = wire_receive,
	.sent = wire_sent,
	.link = wire_link,
	.start = wire_card_start,
};
