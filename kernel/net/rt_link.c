/*
 * RTM_GETLINK, NEWLINK, SETLINK, DELLINK: interfaces.
 */
#include <string.h>

#include "abi/errno.h"
#include "kernel/net/iface_config.h"
#include "kernel/net/rtnetlink.h"

#define LINK_ATTRS (IFLA_ALLMULTI + 1)
#define REPLY_MAX  2048U
#define IF_READY   0x80000000U /* IFLA_INET6_FLAGS */
#define GSO_SIZE   65536U
#define GSO_SEGS   65535U
#define TSO_SIZE   524280U

/* ---- what an interface is ---- */

static void put_stats(struct nl_buf *b, const struct net_iface_stats *st)
{
	struct abi_link_stats64 s64 = {.rx_packets = st->rx_packets,
				       .tx_packets = st->tx_packets,
				       .rx_bytes = st->rx_bytes,
				       .tx_bytes = st->tx_bytes,
				       .rx_errors = st->rx_errors,
				       .tx_errors = st->tx_errors,
				       .rx_dropped = st->rx_dropped,
				       .tx_dropped = st->tx_dropped};
	u32 s32[ABI_LINK_STATS32];
	u64 wide[sizeof(s64) / sizeof(u64)];

	memcpy(wide, &s64, sizeof(wide));
	for (u32 i = 0; i < ABI_LINK_STATS32; i++)
		s32[i] = (u32)wide[i];
	nl_put(b, IFLA_STATS64, &s64, sizeof(s64));
	nl_put(b, IFLA_STATS, s32, sizeof(s32));
}

static void put_numbers(struct nl_buf *b, const struct net_iface_info *i)
{
	const struct {
		u16 type;
		u32 value;
	} numbers[] = {
		{IFLA_MTU, i->mtu},
		{IFLA_MIN_MTU, i->min_mtu},
		{IFLA_MAX_MTU, i->max_mtu},
		{IFLA_GROUP, 0},
		{IFLA_PROMISCUITY, 0},
		{IFLA_ALLMULTI, 0},
		{IFLA_NUM_TX_QUEUES, 1},
		{IFLA_GSO_MAX_SEGS, GSO_SEGS},
		{IFLA_GSO_MAX_SIZE, GSO_SIZE},
		{IFLA_GRO_MAX_SIZE, GSO_SIZE},
		{IFLA_TSO_MAX_SIZE, TSO_SIZE},
		{IFLA_TSO_MAX_SEGS, GSO_SEGS},
		{IFLA_GSO_IPV4_MAX_SIZE, GSO_SIZE},
		{IFLA_GRO_IPV4_MAX_SIZE, GSO_SIZE},
		{IFLA_NUM_RX_QUEUES, 1},
		{IFLA_CARRIER_CHANGES, 0},
		{IFLA_CARRIER_UP_COUNT, 0},
		{IFLA_CARRIER_DOWN_COUNT, 0},
	};

	for (u32 k = 0; k < ARRAY_SIZE(numbers); k++)
		nl_put_u32(b, numbers[k].type, numbers[k].value);
}

static void put_v6(struct nl_buf *b)
{
	u32 spec = nl_nest(b, IFLA_AF_SPEC), v6 = nl_nest(b, AF_INET6);

	nl_put_u32(b, IFLA_INET6_FLAGS, IF_READY);
	nl_put_u8(b, IFLA_INET6_ADDR_GEN_MODE, 0); /* EUI-64 */
	nl_nest_end(b, v6);
	nl_nest_end(b, spec);
}

int rt_put_link(struct nl_buf *b, u16 type, struct rt_to to, const struct net_iface_info *i,
		u32 ext_mask, u32 changed)
{
	static const u8 broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, zero[6];
	struct abi_ifinfomsg head = {.ifi_type = (u16)i->type,
				     .ifi_index = (s32)i->index,
				     .ifi_flags = i->flags,
				     .ifi_change = changed};

	nl_begin(b, type, to.flags, to.portid, to.seq, &head, sizeof(head));
	nl_put_string(b, IFLA_IFNAME, i->name);
	nl_put_u32(b, IFLA_TXQLEN, i->txqlen);
	nl_put_u8(b, IFLA_OPERSTATE, net_iface_oper_state(i));
	nl_put_u8(b, IFLA_LINKMODE, 0);
	put_numbers(b, i);
	nl_put_u8(b, IFLA_CARRIER, i->flags & IFF_LOWER_UP ? 1 : 0);
	nl_put_u8(b, IFLA_PROTO_DOWN, 0);
	nl_put(b, IFLA_ADDRESS, i->hwaddr, sizeof(i->hwaddr));
	nl_put(b, IFLA_BROADCAST, i->flags & IFF_BROADCAST ? broadcast : zero, sizeof(zero));
	if (!(ext_mask & RTEXT_FILTER_SKIP_STATS))
		put_stats(b, &i->stats);
	nl_put_string(b, IFLA_QDISC, "noqueue");
	put_v6(b);
	return nl_end(b);
}

/* What IPv6 says of an interface to who asks for its family. */
static int put_v6_link(struct nl_buf *b, struct rt_to to, const struct net_iface_info *i)
{
	struct abi_ifinfomsg head = {.ifi_family = AF_INET6,
				     .ifi_type = (u16)i->type,
				     .ifi_index = (s32)i->index,
				     .ifi_flags = i->flags};
	u32 nest;

	nl_begin(b, RTM_NEWLINK, to.flags, to.portid, to.seq, &head, sizeof(head));
	nl_put_string(b, IFLA_IFNAME, i->name);
	nl_put(b, IFLA_ADDRESS, i->hwaddr, sizeof(i->hwaddr));
	nl_put_u32(b, IFLA_MTU, i->mtu);
	nl_put_u8(b, IFLA_OPERSTATE, net_iface_oper_state(i));
	nest = nl_nest(b, IFLA_PROTINFO);
	nl_put_u32(b, IFLA_INET6_FLAGS, IF_READY);
	nl_nest_end(b, nest);
	return nl_end(b);
}

/* ---- asking ---- */

static bool head_is_plain(const struct abi_ifinfomsg *h)
{
	return !h->ifi_pad && !h->ifi_type && !h->ifi_flags && !h->ifi_change;
}

/* The name that an attribute gives. */
static void get_name(const struct nl_attrs *a, char name[IFNAMSIZ])
{
	const struct abi_nlattr *at =
		a->at[IFLA_IFNAME] ? a->at[IFLA_IFNAME] : a->at[IFLA_ALT_IFNAME];

	memset(name, 0, IFNAMSIZ);
	if (at)
		memcpy(name, nl_data(at), MIN(nl_data_len(at), IFNAMSIZ - 1U));
}

/* The interface of a request, by number or name: its number, 0 (no such), -EINVAL (neither is given). */
static int requested(const struct abi_ifinfomsg *h, const struct nl_attrs *a)
{
	char name[IFNAMSIZ];

	if (h->ifi_index < 0)
		return -EINVAL;
	if (h->ifi_index)
		return net_iface_by_index((u32)h->ifi_index) ? h->ifi_index : 0;
	if (!a->at[IFLA_IFNAME] && !a->at[IFLA_ALT_IFNAME])
		return -EINVAL;
	get_name(a, name);
	return (int)net_iface_index(name);
}

int rt_get_link(struct nl_request *r)
{
	const struct abi_nlattr *attrs[LINK_ATTRS];
	struct nl_attrs a = {attrs, LINK_ATTRS};
	struct net_iface_info info;
	struct abi_ifinfomsg h;
	u32 ext_mask = 0;
	struct nl_buf b;
	int err = nl_parse(r, sizeof(h), &a), index;

	if (err)
		return nl_refuse(r, err, "Invalid header for get link");
	memcpy(&h, r->body, sizeof(h));
	if (nl_strict(r) && !head_is_plain(&h))
		return nl_refuse(r, -EINVAL, "Invalid values in header for get link request");
	err = nl_get_u32(r, &a, IFLA_EXT_MASK, &ext_mask);
	if (err)
		return err;
	index = requested(&h, &a);
	if (index < 0)
		return index;
	if (!index || !net_iface_info((u32)index, false, &info))
		return -ENODEV;
	err = nl_buf_alloc(&b, REPLY_MAX);
	if (err)
		return err;
	return nl_reply(r, &b, rt_put_link(&b, RTM_NEWLINK, rt_to_request(r), &info, ext_mask, 0));
}

enum { ARG_EXT_MASK, ARG_NONE, ARG_V6 };

/* at[0]: the last one shown. */
static int fill_links(struct nl_dump *d, struct nl_buf *b)
{
	struct net_iface_info info;
	int err = 0;

	while (!d->args[ARG_NONE] && net_iface_info(d->at[0], true, &info)) {
		if (d->args[ARG_V6])
			err = put_v6_link(b, rt_to_dump(d), &info);
		else
			err = rt_put_link(b, RTM_NEWLINK, rt_to_dump(d), &info,
					  d->args[ARG_EXT_MASK], 0);
		if (err)
			break;
		d->at[0] = info.index;
	}
	return err;
}

int rt_dump_links(struct nl_request *r)
{
	const struct abi_nlattr *attrs[LINK_ATTRS];
	struct nl_attrs a = {attrs, LINK_ATTRS};
	struct nl_dump d = {.fill = fill_links, .args = {[ARG_V6] = rt_family(r) == AF_INET6}};
	struct abi_ifinfomsg h;
	int err;

	if (r->len < sizeof(h))
		return nl_strict(r) ? nl_refuse(r, -EINVAL, "Invalid header for link dump")
				    : nl_dump_start(r, &d);
	memcpy(&h, r->body, sizeof(h));
	nl_parse(r, sizeof(h), &a);
	if (nl_strict(r) && !head_is_plain(&h))
		return nl_refuse(r, -EINVAL, "Invalid values in header for link dump request");
	if (nl_strict(r) && h.ifi_index)
		return nl_refuse(r, -EINVAL, "Filter by device index not supported for link dumps");
	err = nl_get_u32(r, &a, IFLA_EXT_MASK, &d.args[ARG_EXT_MASK]);
	if (err)
		return err;
	/* Nothing has a master, nothing is of a kind. */
	if (a.at[IFLA_MASTER] || a.at[IFLA_LINKINFO]) {
		d.args[ARG_NONE] = 1;
		d.flags = NLM_F_DUMP_FILTERED;
	}
	return nl_dump_start(r, &d);
}

/* ---- changing ---- */

/* What can be set, and what says which interface is meant. */
static bool settable(u32 type)
{
	return type == IFLA_MTU || type == IFLA_IFNAME || type == IFLA_ALT_IFNAME ||
	       type == IFLA_EXT_MASK;
}

static int change_link(struct nl_request *r, u32 index, const struct abi_ifinfomsg *h,
		       const struct nl_attrs *a)
{
	u32 mtu = 0, mask = h->ifi_change ? h->ifi_change : ~0U;
	char name[IFNAMSIZ];
	int err;

	for (u32 i = 0; i < a->nr; i++) {
		if (!a->at[i] || settable(i))
			continue;
		r->bad = a->at[i];
		return nl_refuse(r, -EOPNOTSUPP, "Attribute cannot be set");
	}
	get_name(a, name);
	if (h->ifi_index && a->at[IFLA_IFNAME] && net_iface_index(name) != index)
		return nl_refuse(r, -EOPNOTSUPP, "Interfaces cannot be renamed");
	err = nl_get_u32(r, a, IFLA_MTU, &mtu);
	if (!err && a->at[IFLA_MTU])
		err = net_config_mtu(index, mtu);
	if (err && err != -ENODEV && a->at[IFLA_MTU] && !r->why)
		return nl_refuse(r, -EINVAL,
				 err == -ERANGE ? "mtu greater than device maximum"
						: "mtu less than device minimum");
	if (!err && (h->ifi_flags || h->ifi_change))
		err = net_config_flags(index, h->ifi_flags, mask);
	return err;
}

int rt_set_link(struct nl_request *r)
{
	const struct abi_nlattr *attrs[LINK_ATTRS];
	struct nl_attrs a = {attrs, LINK_ATTRS};
	bool new = r->head->nlmsg_type == RTM_NEWLINK;
	u16 flags = r->head->nlmsg_flags;
	struct abi_ifinfomsg h;
	int err = nl_parse(r, sizeof(h), &a), index;

	if (err)
		return err;
	memcpy(&h, r->body, sizeof(h));
	if (new &&h.ifi_index < 0)
		return nl_refuse(r, -EINVAL, "ifindex can't be negative");
	index = requested(&h, &a);
	if (index < 0 && !new)
		return index;
	if (index > 0) {
		if (new && (flags & NLM_F_EXCL))
			return -EEXIST;
		if (new && (flags & NLM_F_REPLACE))
			return -EOPNOTSUPP;
		return change_link(r, (u32)index, &h, &a);
	}
	if (new && (flags & NLM_F_CREATE))
		return nl_refuse(r, -EOPNOTSUPP, "Unknown device type");
	return -ENODEV;
}

int rt_del_link(struct nl_request *r)
{
	const struct abi_nlattr *attrs[LINK_ATTRS];
	struct nl_attrs a = {attrs, LINK_ATTRS};
	struct abi_ifinfomsg h;
	int err = nl_parse(r, sizeof(h), &a), index;

	if (err)
		return err;
	memcpy(&h, r->body, sizeof(h));
	index = requested(&h, &a);
	if (index <= 0)
		return index ? index : -ENODEV;
	return -EOPNOTSUPP; /* they are all hardware, or lo */
}
