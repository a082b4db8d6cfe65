/*
 * RTM_GETADDR, NEWADDR, DELADDR: addresses of interfaces.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/net/iface_config.h"
#include "kernel/net/route.h"
#include "kernel/net/rtnetlink.h"

#define ADDR_ATTRS 12U
#define FOR_EVER   (~0U)

int rt_put_address(struct nl_buf *b, u16 type, struct rt_to to, const struct net_iface_info *i,
		   const struct net_address *a)
{
	bool v4 = inet_is_v4(&a->addr);
	u32 flags = IFA_F_PERMANENT | a->flags;
	struct abi_ifaddrmsg head = {.ifa_family = rt_family_of(&a->addr),
				     .ifa_prefixlen = (u8)a->prefix,
				     .ifa_flags = (u8)flags,
				     .ifa_scope = (u8)a->scope,
				     .ifa_index = i->index};
	struct abi_ifa_cacheinfo cache = {FOR_EVER, FOR_EVER, a->stamp, a->stamp};

	nl_begin(b, type, to.flags, to.portid, to.seq, &head, sizeof(head));
	rt_put_addr(b, IFA_ADDRESS, &a->addr);
	if (v4) {
		rt_put_addr(b, IFA_LOCAL, &a->addr);
		if (!inet_is_any(&a->broadcast))
			rt_put_addr(b, IFA_BROADCAST, &a->broadcast);
		nl_put_string(b, IFA_LABEL, a->label[0] ? a->label : i->name);
	}
	nl_put_u32(b, IFA_FLAGS, flags);
	nl_put(b, IFA_CACHEINFO, &cache, sizeof(cache));
	if (a->protocol)
		nl_put_u8(b, IFA_PROTO, a->protocol);
	return nl_end(b);
}

/* ---- dumps ---- */

/*
 * All of IPv4's, then all of IPv6's. args[0]: family, args[1]: interface; at[0]: families done, at[1]:
 * interfaces done, at[2]: addresses done.
 */
static int fill_family(struct nl_dump *d, struct nl_buf *b, u8 family)
{
	struct net_iface_info i;

	for (; net_iface_info(d->at[1] + 1, false, &i); d->at[1]++, d->at[2] = 0) {
		if (d->args[1] && d->args[1] != i.index)
			continue;
		for (; d->at[2] < i.nr_addrs; d->at[2]++) {
			const struct net_address *a = &i.addrs[d->at[2]];

			if (rt_family_of(&a->addr) == family &&
			    rt_put_address(b, RTM_NEWADDR, rt_to_dump(d), &i, a))
				return -EMSGSIZE;
		}
	}
	return 0;
}

static int fill_addrs(struct nl_dump *d, struct nl_buf *b)
{
	static const u8 families[] = {AF_INET, AF_INET6};

	for (; d->at[0] < ARRAY_SIZE(families); d->at[0]++, d->at[1] = 0)
		if ((!d->args[0] || d->args[0] == families[d->at[0]]) &&
		    fill_family(d, b, families[d->at[0]]))
			return -EMSGSIZE;
	return 0;
}

int rt_dump_addrs(struct nl_request *r)
{
	u8 family = rt_family(r);
	struct nl_dump d = {.fill = fill_addrs};
	struct abi_ifaddrmsg h;

	/* A family without addresses is asked as if it were all, as on Linux. */
	if (family == AF_INET || family == AF_INET6)
		d.args[0] = family;
	if (!nl_strict(r))
		return nl_dump_start(r, &d);
	if (r->len < sizeof(h))
		return nl_refuse(r, -EINVAL, "ipv4: Invalid header for address dump request");
	memcpy(&h, r->body, sizeof(h));
	if (h.ifa_prefixlen || h.ifa_flags || h.ifa_scope)
		return nl_refuse(r, -EINVAL,
				 "ipv4: Invalid values in header for address dump request");
	if (h.ifa_index) {
		if (!net_iface_by_index(h.ifa_index))
			return -ENODEV;
		d.args[1] = h.ifa_index;
		d.flags = NLM_F_DUMP_FILTERED;
	}
	return nl_dump_start(r, &d);
}

/* ---- changes ---- */

/* What a request says, its attributes and the address that it means. */
struct addr_request {
	struct abi_ifaddrmsg h;
	const struct abi_nlattr *attrs[ADDR_ATTRS];
	struct nl_attrs a;
	struct inet_addr local, address; /* any: not given */
	bool v4;
};

static int addr_parse(struct nl_request *r, struct addr_request *q)
{
	int err;

	q->a = (struct nl_attrs){q->attrs, ADDR_ATTRS};
	err = nl_parse(r, sizeof(q->h), &q->a);
	if (err)
		return err;
	memcpy(&q->h, r->body, sizeof(q->h));
	if (q->h.ifa_family != AF_INET && q->h.ifa_family != AF_INET6)
		return -EOPNOTSUPP;
	q->v4 = q->h.ifa_family == AF_INET;
	err = rt_get_addr(r, &q->a, IFA_LOCAL, q->h.ifa_family, &q->local);
	return err ? err : rt_get_addr(r, &q->a, IFA_ADDRESS, q->h.ifa_family, &q->address);
}

/* An address stays for ever: a shorter life cannot be given. */
static int check_lifetime(struct nl_request *r, const struct addr_request *q)
{
	const struct abi_nlattr *at = q->a.at[IFA_CACHEINFO];
	struct abi_ifa_cacheinfo c;

	if (!at)
		return 0;
	if (nl_data_len(at) < sizeof(c))
		return -ERANGE;
	memcpy(&c, nl_data(at), sizeof(c));
	if (!c.ifa_valid || c.ifa_prefered > c.ifa_valid)
		return nl_refuse(r, -EINVAL,
				 q->v4 ? "ipv4: address lifetime invalid"
				       : "ipv6: address lifetime invalid");
	return c.ifa_valid == FOR_EVER && c.ifa_prefered == FOR_EVER
		       ? 0
		       : nl_refuse(r, -EOPNOTSUPP, "Addresses cannot expire");
}

/* What Linux knows and this kernel does not: another end, flags, metrics. */
static int check_supported(struct nl_request *r, const struct addr_request *q)
{
	u32 flags = q->h.ifa_flags;
	int err = nl_get_u32(r, &q->a, IFA_FLAGS, &flags);

	if (err)
		return err;
	if (flags & ~(u32)(IFA_F_PERMANENT | IFA_F_NODAD))
		return nl_refuse(r, -EOPNOTSUPP, "Address flag is not supported");
	if (q->v4 && !inet_is_any(&q->address) && !inet_equal(&q->address, &q->local))
		return nl_refuse(r, -EOPNOTSUPP, "Addresses of another end are not supported");
	for (u32 i = IFA_FLAGS + 1; i < ADDR_ATTRS; i++)
		if (q->a.at[i])
			return nl_refuse(r, -EOPNOTSUPP, "Attribute is not supported");
	return check_lifetime(r, q);
}

/* The scope of an IPv6 address is its own. */
static u32 v6_scope(const struct inet_addr *a)
{
	if (inet_equal(a, &inet_loopback_v6))
		return RT_SCOPE_HOST;
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

static int addr_fill(struct nl_request *r, const struct addr_request *q, struct net_address *out)
{
	const struct abi_nlattr *label = q->a.at[IFA_LABEL];

	*out = (struct net_address){
		.addr = q->local,
		.prefix = q->h.ifa_prefixlen,
		.scope = q->v4 ? q->h.ifa_scope : v6_scope(&q->local),
		.flags = q->v4 ? 0 : q->h.ifa_flags & IFA_F_NODAD,
		.broadcast = inet_any_v4,
	};
	if (!q->v4)
		return 0;
	if (label)
		memcpy(out->label, nl_data(label), MIN(nl_data_len(label), IFNAMSIZ - 1U));
	return rt_get_addr(r, &q->a, IFA_BROADCAST, AF_INET, &out->broadcast);
}

int rt_new_addr(struct nl_request *r)
{
	struct addr_request q;
	struct net_address a;
	int err = addr_parse(r, &q);

	if (err)
		return err;
	if (q.h.ifa_prefixlen > (q.v4 ? 32 : 128))
		return nl_refuse(r, -EINVAL,
				 q.v4 ? "ipv4: Invalid prefix length"
				      : "ipv6: Invalid prefix length");
	if (!q.v4 && inet_is_any(&q.local))
		q.local = q.address;
	if (inet_is_any(&q.local))
		return q.v4 ? nl_refuse(r, -EINVAL, "ipv4: Local address is not supplied") : -EINVAL;
	if (!net_iface_by_index(q.h.ifa_index))
		return nl_refuse(r, -ENODEV,
				 q.v4 ? "ipv4: Device not found"
				      : "ipv6: Unable to find the interface");
	err = check_supported(r, &q);
	if (!err && inet_is_multicast(&q.local) && !q.v4)
		err = -EADDRNOTAVAIL;
	if (!err)
		err = addr_fill(r, &q, &a);
	if (!err)
		err = net_config_add_address(q.h.ifa_index, &a);
	if (err == -EEXIST && (r->head->nlmsg_flags & NLM_F_REPLACE) &&
	    !(r->head->nlmsg_flags & NLM_F_EXCL))
		return 0; /* it stays as it is: there is nothing that could change */
	if (err == -EEXIST)
		return nl_refuse(r, err,
				 q.v4 ? "ipv4: Address already assigned"
				      : "ipv6: address already assigned");
	if (err == -EINVAL && q.v4)
		return nl_refuse(r, err, "ipv4: Invalid scope value");
	return err;
}

int rt_del_addr(struct nl_request *r)
{
	struct addr_request q;
	int err = addr_parse(r, &q);

	if (err)
		return err;
	if (!q.v4 && inet_is_any(&q.local))
		q.local = q.address;
	if (!net_iface_by_index(q.h.ifa_index))
		return nl_refuse(r, -ENODEV,
				 q.v4 ? "ipv4: Device not found"
				      : "ipv6: Unable to find the interface");
	if (inet_is_any(&q.local))
		return q.v4 ? nl_refuse(r, -EADDRNOTAVAIL, "ipv4: Address not found") : -EINVAL;
	/* IPv4 looks at the prefix only with IFA_ADDRESS. */
	err = net_config_del_address(q.h.ifa_index, &q.local,
				     q.v4 && !q.a.at[IFA_ADDRESS] ? ~0U : q.h.ifa_prefixlen);
	if (err == -EADDRNOTAVAIL)
		return nl_refuse(r, err,
				 q.v4 ? "ipv4: Address not found" : "ipv6: address not found");
	return err;
}
