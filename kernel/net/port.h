/*
 * Ports. For each protocol there is a word per port:
 *
 *	0		free
 *	count << 1 | 1	held by `count` connections that let the kernel choose (connect-only)
 *	pointer		a bind bucket: who is bound there, under the bucket's own lock
 *
 * An ephemeral connect takes no lock for the port: a CAS free -> 1 or count -> count + 1, and the
 * 4-tuple decides (tuple.h). Whoever binds installs a bucket by CAS, or joins the one that is there
 * under its lock, by Linux's rules of SO_REUSEADDR and SO_REUSEPORT. A bucket whose last owner
 * leaves is marked dead under its lock, taken out of the word, and freed after a grace period: who
 * finds it dead looks at the word again.
 *
 * Invariant: a word names a bucket exactly while that bucket is alive; a count never becomes a
 * bucket nor the reverse without passing 0. Cost: one CAS each way; the line of eight ports moves
 * if two harts use it, so each hart searches from an own start.
 */
#ifndef KERNEL_NET_PORT_H
#define KERNEL_NET_PORT_H

#include "kernel/net/inet.h"
#include "kernel/sync/epoch.h"
#include "kernel/sync/spinlock.h"
#include "lib/list.h"
#include "lib/types.h"

enum port_proto { PORT_TCP, PORT_UDP, PORT_UDPLITE, PORT_NR };

#define PORT_PRIVILEGED 1024U /* below: CAP_NET_BIND_SERVICE */

extern u64 port_range[2]; /* [a] net.ipv4.ip_local_port_range: first and last */

struct port_bucket {
	struct spinlock lock; /* RANK_PORT */
	bool dead;	      /* [L] */
	u16 port;	      /* [I] */
	struct list owners;   /* [L] struct port_owner */
	struct list active;   /* [L] those that receive: listeners, UDP sockets */
	struct epoch_node free_node;
};

/* Somebody on a bucket: a bound socket, a connection of a listener, a TIME_WAIT record. */
struct port_owner {
	struct list link;	    /* [L:bucket] in owners */
	struct list active;	    /* [L:bucket] in active, or empty */
	struct port_bucket *bucket; /* [a] changes under its lock; NULL: not bound */
	struct inet_addr addr;	    /* [L:bucket] local address, any: all */
	bool v6only;		    /* [I] */
	bool reuseaddr, reuseport;  /* [L:bucket] */
	bool listening;		    /* [L:bucket] */
	u32 uid;		    /* [I] reuseport groups are one user's */
	u32 bound_if;		    /* [I] */
	struct socket *socket;	    /* [I] NULL: a TIME_WAIT record */
};

/* Before a protocol's first socket; later calls cost one load. False: no memory. Context: may sleep. */
bool port_table(enum port_proto proto);
/* Where the ephemeral searches of hart `cpu` begin. Boot only. */
void port_seed(u32 cpu, u32 start);

/*
 * Binds `o` (addr, flags, uid, socket filled) to `port`, or to an ephemeral one if 0. The port or
 * -EADDRINUSE, -ENOMEM.
 */
int port_bind(enum port_proto proto, struct port_owner *o, u16 port);
/*
 * Joins the bucket of `with` without any check: a connection accepted there, a TIME_WAIT record.
 * False: `with` has left it meanwhile.
 */
bool port_join(struct port_owner *o, const struct port_owner *with);
void port_unbind(enum port_proto proto, struct port_owner *o);
/*
 * Marks a bound owner as receiving: bind conflicts are checked again as Linux's listen() does.
 * 0 or -EADDRINUSE.
 */
int port_activate(enum port_proto proto, struct port_owner *o, bool listening);
void port_deactivate(struct port_owner *o);

/* The bucket of a bound owner: its changing fields, and its socket's names, change under it. */
static inline void port_lock(struct port_owner *o)
{
	spin_lock(&o->bucket->lock);
}
static inline void port_unlock(struct port_owner *o)
{
	spin_unlock(&o->bucket->lock);
}

/* Connect-only use of `port`: false if it is bound by somebody. */
bool port_hold(enum port_proto proto, u16 port);
void port_drop(enum port_proto proto, u16 port);

/*
 * The ephemeral search: calls try_port(port, arg) for ports of the range, from this hart's own
 * start, some of connect's parity first, until it returns 0 or an error other than -EADDRINUSE.
 * The port, or -EADDRNOTAVAIL.
 */
int port_search(bool connect, int (*try_port)(u16 port, void *arg), void *arg);

/*
 * The receiver for what comes to `port`: among the active owners the best fitting one, SO_REUSEPORT groups balanced by `hash`. fits(o, arg) returns a score, < 0: not at all.
 * A reference on its socket, or NULL.
 */
struct socket *port_find(enum port_proto proto, u16 port, u32 hash,
			 int (*fits)(const struct port_owner *o, void *arg), void *arg);
/* Calls fn for every active owner of a port until it returns false; bucket locked. */
void port_for_each(enum port_proto proto, u16 port, bool (*fn)(struct port_owner *o, void *arg),
		   void *arg);

/* True if a socket bound to `o` hears what is sent to `to`. */
static inline bool port_addr_matches(const struct port_owner *o, const struct inet_addr *to)
{
	if (inet_equal(&o->addr, to))
		return true;
	if (!inet_is_any(&o->addr))
		return false;
	return inet_is_v4(&o->addr) == inet_is_v4(to) || (!inet_is_v4(&o->addr) && !o->v6only);
}

#endif
