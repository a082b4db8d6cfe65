/*
 * /sys/class/net: a directory for each interface, its files made from net_iface_info(). The MTU can be
 * written, by the same way as netlink's.
 */
#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/system.h"
#include "kernel/fs/pseudo.h"
#include "kernel/net/iface_config.h"
#include "kernel/net/net.h"
#include "kernel/task/cred.h"
#include "lib/number.h"

enum fact {
	FACT_ADDRESS,
	FACT_BROADCAST,
	FACT_CARRIER,
	FACT_FLAGS,
	FACT_IFINDEX,
	FACT_MTU,
	FACT_NO_VALUE, /* what only an Ethernet card that knows it shows */
	FACT_ONE_TEXT,
	FACT_OPERSTATE,
	FACT_TX_QUEUE_LEN,
	FACT_TYPE,
	FACT_UEVENT,
	FACT_COUNTER,
};

/* A file: which fact, and what else that says. */
struct net_file {
	const char *name;
	enum fact fact;
	const char *text; /* FACT_ONE_TEXT */
	u32 counter;	  /* FACT_COUNTER: offset in struct net_iface_stats */
	bool writable;	  /* the MTU */
};

#define TEXT(name_, text_)                                                                         \
	{                                                                                          \
		.name = name_, .fact = FACT_ONE_TEXT, .text = text_                                \
	}
#define COUNTER(name_, at_)                                                                        \
	{                                                                                          \
		.name = "statistics/" name_, .fact = FACT_COUNTER,                                 \
		.counter = offsetof(struct net_iface_stats, at_)                                   \
	}
#define ZERO(name_)                                                                                \
	{                                                                                          \
		.name = "statistics/" name_, .fact = FACT_ONE_TEXT, .text = "0"                    \
	}

static const struct net_file files[] = {
	{.name = "address", .fact = FACT_ADDRESS},
	{.name = "broadcast", .fact = FACT_BROADCAST},
	{.name = "carrier", .fact = FACT_CARRIER},
	{.name = "flags", .fact = FACT_FLAGS},
	{.name = "ifindex", .fact = FACT_IFINDEX},
	{.name = "iflink", .fact = FACT_IFINDEX},
	{.name = "mtu", .fact = FACT_MTU, .writable = true},
	{.name = "duplex", .fact = FACT_NO_VALUE},
	{.name = "speed", .fact = FACT_NO_VALUE},
	{.name = "operstate", .fact = FACT_OPERSTATE},
	{.name = "tx_queue_len", .fact = FACT_TX_QUEUE_LEN},
	{.name = "type", .fact = FACT_TYPE},
	{.name = "uevent", .fact = FACT_UEVENT},
	TEXT("addr_assign_type", "0"),
	TEXT("addr_len", "6"),
	TEXT("carrier_changes", "0"),
	TEXT("dev_id", "0x0"),
	TEXT("dev_port", "0"),
	TEXT("dormant", "0"),
	TEXT("ifalias", ""),
	TEXT("link_mode", "0"),
	TEXT("netdev_group", "0"),
	COUNTER("rx_bytes", rx_bytes),
	COUNTER("rx_packets", rx_packets),
	COUNTER("rx_dropped", rx_dropped),
	COUNTER("rx_errors", rx_errors),
	COUNTER("tx_bytes", tx_bytes),
	COUNTER("tx_packets", tx_packets),
	COUNTER("tx_dropped", tx_dropped),
	COUNTER("tx_errors", tx_errors),
	ZERO("collisions"),
	ZERO("multicast"),
	ZERO("rx_compressed"),
	ZERO("rx_crc_errors"),
	ZERO("rx_fifo_errors"),
	ZERO("rx_frame_errors"),
	ZERO("rx_length_errors"),
	ZERO("rx_missed_errors"),
	ZERO("rx_nohandler"),
	ZERO("rx_over_errors"),
	ZERO("tx_aborted_errors"),
	ZERO("tx_carrier_errors"),
	ZERO("tx_compressed"),
	ZERO("tx_fifo_errors"),
	ZERO("tx_heartbeat_errors"),
	ZERO("tx_window_errors"),
};

/* A node's key: which interface, which file. */
#define FILE_BITS 8U

static void show_hwaddr(struct seq *s, const u8 addr[6])
{
	seq_printf(s, "%02x:%02x:%02x:%02x:%02x:%02x\n", addr[0], addr[1], addr[2], addr[3],
		   addr[4], addr[5]);
}

static const char *operstate(const struct net_iface_info *i)
{
	static const char *const names[] = {
		[ABI_IF_OPER_UNKNOWN] = "unknown", [ABI_IF_OPER_DOWN] = "down", [ABI_IF_OPER_UP] = "up"};

	return names[net_iface_oper_state(i)];
}

static void show_counter(struct seq *s, const struct net_iface_info *i, const struct net_file *f)
{
	u64 v;

	memcpy(&v, (const u8 *)&i->stats + f->counter, sizeof(v));
	seq_printf(s, "%lu\n", v);
}

static int show_fact(struct seq *s, const struct net_iface_info *i, const struct net_file *f)
{
	static const u8 broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, zero[6];

	switch (f->fact) {
	case FACT_ADDRESS:
		show_hwaddr(s, i->hwaddr);
		return 0;
	case FACT_BROADCAST:
		show_hwaddr(s, i->flags & IFF_BROADCAST ? broadcast : zero);
		return 0;
	case FACT_CARRIER:
		if (!(i->flags & IFF_UP))
			return -EINVAL;
		seq_printf(s, "%d\n", i->flags & IFF_LOWER_UP ? 1 : 0);
		return 0;
	case FACT_FLAGS: /* without what is not a setting */
		seq_printf(s, "0x%x\n", i->flags & ~(u32)(IFF_RUNNING | IFF_LOWER_UP));
		return 0;
	case FACT_IFINDEX:
		seq_printf(s, "%u\n", i->index);
		return 0;
	case FACT_MTU:
		seq_printf(s, "%u\n", i->mtu);
		return 0;
	case FACT_NO_VALUE:
		return -EINVAL;
	case FACT_ONE_TEXT:
		seq_printf(s, "%s\n", f->text);
		return 0;
	case FACT_OPERSTATE:
		seq_printf(s, "%s\n", operstate(i));
		return 0;
	case FACT_TX_QUEUE_LEN:
		seq_printf(s, "%u\n", i->txqlen);
		return 0;
	case FACT_TYPE:
		seq_printf(s, "%u\n", i->type);
		return 0;
	case FACT_UEVENT:
		seq_printf(s, "INTERFACE=%s\nIFINDEX=%u\n", i->name, i->index);
		return 0;
	default:
		show_counter(s, i, f);
		return 0;
	}
}

static int show_file(struct seq *s, u64 key)
{
	struct net_iface_info i;

	if (!net_iface_info((u32)(key >> FILE_BITS), false, &i))
		return -ENODEV;
	return show_fact(s, &i, &files[key & (BIT(FILE_BITS) - 1)]);
}

static int store_mtu(const char *text, u64 key)
{
	u32 index = (u32)(key >> FILE_BITS);
	u64 v;
	int err;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (!number_parse(&text, false, &v) || v > INT32_MAX)
		return -EINVAL;
	err = net_config_mtu(index, (u32)v);
	return err == -ERANGE ? -EINVAL : err;
}

int net_sysfs_add(const struct net_iface *i)
{
	char path[64];
	int err = 0;

	for (u32 f = 0; f < ARRAY_SIZE(files) && !err; f++) {
		u64 key = (u64)i->index << FILE_BITS | f;

		snprintf(path, sizeof(path), "class/net/%s/%s", i->name, files[f].name);
		err = files[f].writable
			      ? sysfs_register_writable(path, 0644, show_file, store_mtu, key)
			      : sysfs_register(path, show_file, key);
	}
	return err;
}
