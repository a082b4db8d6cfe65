/*
 * Interfaces as /proc/net shows them.
 */
#ifndef KERNEL_NET_PROC_IFACE_H
#define KERNEL_NET_PROC_IFACE_H

#include "lib/types.h"

struct seq;

int proc_show_dev(struct seq *s, u64 key);
int proc_show_route(struct seq *s, u64 key);
int proc_show_if_inet6(struct seq *s, u64 key);
int proc_show_arp(struct seq *s, u64 key);
int proc_show_netlink(struct seq *s, u64 key);
int proc_show_pnp(struct seq *s, u64 key);

#endif
