/*
 * Where lwIP sends a packet that is for no network of its own: it asks the kernel's routes (net_next_hop()). It knows one address an interface and one
 * gateway; the kernel's table may know more. NULL: no route, lwIP goes on by what it has.
 */
#include "kernel/net/route.h"
#include "kernel/net/wire/internal.h"

static struct netif *route_to(const ip_addr_t *to)
{
	struct inet_addr addr = wire_from_ip(to), hop;
	struct net_iface *i;
	struct wire_card *c;

	if (ip_addr_ismulticast(to) || !net_next_hop(&addr, &i, &hop))
		return NULL;
	c = wire_card_of(i);
	return c && netif_is_up(&c->netif) ? &c->netif : NULL;
}

/* The next host, if the route goes over that interface. */
static const ip_addr_t *hop_to(const struct netif *n, const ip_addr_t *to)
{
	static ip_addr_t found; /* [w] */
	const struct wire_card *c = n->state;
	struct inet_addr addr = wire_from_ip(to), hop;
	struct net_iface *i;

	if (!net_next_hop(&addr, &i, &hop) || i != &c->eth->iface)
		return NULL;
	wire_to_ip(&hop, &found);
	return &found;
}

struct netif *wire_ip4_route(const struct ip4_addr *to)
{
	ip_addr_t ip = {0};

	ip_addr_copy_from_ip4(ip, *to);
	return route_to(&ip);
}

const struct ip4_addr *wire_ip4_hop(const struct netif *n, const struct ip4_addr *to)
{
	const ip_addr_t *hop;
	ip_addr_t ip = {0};

	ip_addr_copy_from_ip4(ip, *to);
	hop = hop_to(n, &ip);
	return hop ? ip_2_ip4(hop) : NULL;
}

struct netif *wire_ip6_route(const struct ip6_addr *to)
{
	ip_addr_t ip = {0};

	ip_addr_copy_from_ip6(ip, *to);
	return route_to(&ip);
}

const struct ip6_addr *wire_ip6_hop(const struct netif *n, const struct ip6_addr *to)
{
	const ip_addr_t *hop;
	ip_addr_t ip = {0};

	ip_addr_copy_from_ip6(ip, *to);
	hop = hop_to(n, &ip);
	return hop ? ip_2_ip6(hop) : NULL;
}
