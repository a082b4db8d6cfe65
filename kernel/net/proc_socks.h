/*
 * The sockets as /proc/net shows them. The key is the family where a file has one.
 */
#ifndef KERNEL_NET_PROC_SOCKS_H
#define KERNEL_NET_PROC_SOCKS_H

#include "lib/types.h"

struct seq;

int proc_show_tcp(struct seq *s, u64 family);
int proc_show_udp(struct seq *s, u64 family);
int proc_show_udplite(struct seq *s, u64 family);
int proc_show_raw(struct seq *s, u64 family);
int proc_show_unix(struct seq *s, u64 key);
int proc_show_sockstat(struct seq *s, u64 key);
int proc_show_sockstat6(struct seq *s, u64 key);
u64 proc_tcp_established(void);

#endif
