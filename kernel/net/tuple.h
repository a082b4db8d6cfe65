/*
 * The table of TCP connections by 4-tuple: who is unique, who is in TIME_WAIT. Chains under spin
 * locks of their own, one line each; only opening and closing a connection come here, data never
 * do.
 *
 * A TIME_WAIT record is what remains of an end that closed first: it keeps its tuple and its port
 * for 60 seconds. It is ended by one CAS (LIVE -> DEAD), by its hart's timer or by a new connection
 * that wants the tuple (on lo: after a second, as net.ipv4.tcp_tw_reuse=2); the winner takes it out
 * of the lists and frees it.
 */
#ifndef KERNEL_NET_TUPLE_H
#define KERNEL_NET_TUPLE_H

#include "kernel/net/inet.h"
#include "kernel/net/port.h"
#include "lib/types.h"

struct tcp_sock;
struct time_wait;

struct tuple {
	struct inet_end local, remote;
};

struct tuple_node {
	struct tuple_node *next; /* [L:chain] */
	struct tuple tuple;	 /* [I] */
	struct tcp_sock *sock;	 /* [I] NULL: a TIME_WAIT record */
	bool linked;		 /* [L:chain] */
};

#define TIME_WAIT_SECONDS 60U

struct time_wait {
	struct tuple_node node;
	struct port_owner owner; /* or, without a bucket, a hold on the port */
	struct list link;	 /* [L:hart] oldest first */
	u64 deadline;		 /* [L:hart] ticks */
	u32 cpu;		 /* [I] whose list */
	u32 state;		 /* [a] ABI_TCP_FIN_WAIT2, ABI_TCP_TIME_WAIT, 0: dead */
	u64 started;		 /* [a] ticks when the other end closed too */
	struct epoch_node free_node;
};

void tuple_init(void);
/*
 * Links `n`: 0, or -EADDRNOTAVAIL if the tuple is in use. `accepted`: the end of a connection that
 * another one opened.
 */
int tuple_insert(struct tuple_node *n, bool accepted);
void tuple_remove(struct tuple_node *n);
/* The socket of a tuple, with a reference, or NULL. */
struct tcp_sock *tuple_find(const struct tuple *t);

/*
 * The end `t` is closed and its file gone: its tuple and port pass to a record. `fin_seen`: the
 * other end has closed, too. Without memory the tuple is simply free.
 */
void time_wait_start(struct tcp_sock *t, bool fin_seen);
/* The other end of `t` closed after this one: its record waits 60 seconds from now. */
void time_wait_fin(const struct tuple *of);

/*
 * For /proc: calls fn for each node of chain `chain` < tuple_chains(). The chain is locked.
 */
u32 tuple_chains(void);
void tuple_for_each(u32 chain, void (*fn)(const struct tuple_node *n, void *arg), void *arg);
u64 time_wait_count(void);

#endif
