/*
 * Netlink sockets: requests of programs to the kernel, answers and events back, all of them datagrams
 * of messages with attributes.
 *
 * A request is worked off in the sender's own context, its answers are on the sender's queue when
 * sendmsg() returns. A dump is filled piece by piece: the first piece at once, each further one when
 * the receiver has taken one, so that a table of any size costs no more memory than two pieces. Its
 * state is in the socket under a lock of its own, outside all others: to fill a piece may need to end a
 * socket that it has looked at.
 *
 * Ports: a socket's number is its process's id if that is free, else one that no process has. Events
 * go to the sockets on the list of subscribers; both tables are in netlink_table.c.
 *
 * Lock order: dumps < changes of interfaces (RANK_NET_CONFIG) < s.lock (names) < the tables
 * (RANK_NETLINK) < the datagram queue.
 */
#ifndef KERNEL_NET_NETLINK_H
#define KERNEL_NET_NETLINK_H

#include "abi/netlink.h"
#include "kernel/net/dgram.h"
#include "kernel/net/socket.h"
#include "lib/list.h"

struct netlink_sock;

/* ---- messages being built ---- */

/* What does not fit sets `full`; nl_end() then takes the message back. */
struct nl_buf {
	u8 *data;
	u32 len, size;
	u32 start; /* of the message being built */
	bool full;
};

int nl_buf_alloc(struct nl_buf *b, u32 size); /* 0 or -ENOBUFS */
void nl_buf_free(struct nl_buf *b);
/* Begins a message whose fixed part is `body`. */
void nl_begin(struct nl_buf *b, u16 type, u16 flags, u32 portid, u32 seq, const void *body, u32 len);
/* 0, or -EMSGSIZE: there was no room, the message is gone. */
int nl_end(struct nl_buf *b);
void nl_put(struct nl_buf *b, u16 type, const void *data, u32 len);
static inline void nl_put_u8(struct nl_buf *b, u16 type, u8 v)
{
	nl_put(b, type, &v, sizeof(v));
}
static inline void nl_put_u32(struct nl_buf *b, u16 type, u32 v)
{
	nl_put(b, type, &v, sizeof(v));
}
void nl_put_string(struct nl_buf *b, u16 type, const char *text);
/* Attributes in an attribute: nl_nest() gives what nl_nest_end() wants. */
u32 nl_nest(struct nl_buf *b, u16 type);
void nl_nest_end(struct nl_buf *b, u32 nest);

/* ---- requests ---- */

struct nl_request {
	const struct abi_nlmsghdr *head; /* kernel memory, nlmsg_len checked */
	const u8 *body;			 /* behind the header */
	u32 len;
	struct netlink_sock *from;
	u32 portid;
	const char *why; /* for the extended acknowledgement, or NULL */
	const void *bad; /* the attribute that is wrong, or NULL */
};

/* A request's attributes by type; those from `nr` on are not looked at. */
struct nl_attrs {
	const struct abi_nlattr **at; /* NULL: not given */
	u32 nr;
};
/*
 * Finds the attributes behind `fixed` bytes of the body. 0; -EINVAL: the body is shorter, or a length
 * does not hold.
 */
int nl_parse(struct nl_request *r, u32 fixed, struct nl_attrs *a);
static inline const void *nl_data(const struct abi_nlattr *a)
{
	return a + 1;
}
static inline u32 nl_data_len(const struct abi_nlattr *a)
{
	return a->nla_len - (u32)sizeof(*a);
}
/* The attribute as a u32: 0; -ERANGE if it is shorter, noted in the request; absent: `out` stays. */
int nl_get_u32(struct nl_request *r, const struct nl_attrs *a, u32 type, u32 *out);
/* Notes why: returns `err`. */
static inline int nl_refuse(struct nl_request *r, int err, const char *why)
{
	r->why = why;
	return err;
}

/* Sends what was built to the requester as one datagram, unless `err`, and frees it. `err`, 0 or -errno. */
int nl_reply(struct nl_request *r, struct nl_buf *b, int err);
/* True if the sender asked for NETLINK_GET_STRICT_CHK. */
bool nl_strict(const struct nl_request *r);

/* ---- dumps ---- */

struct nl_dump {
	/*
	 * Appends messages: 0 when all are there; -EMSGSIZE: no more room, again later; another -errno ends the
	 * dump.
	 */
	int (*fill)(struct nl_dump *d, struct nl_buf *b);
	u32 portid, seq;
	u16 flags;    /* of each message: NLM_F_MULTI, NLM_F_DUMP_FILTERED */
	u32 at[3];    /* position, 0 at first; the fill function's */
	u32 args[12]; /* filters; the fill function's */
	bool all_filled;
	int result;
	const char *why; /* for the extended acknowledgement of `result`, or NULL */
};

/*
 * Starts `d` (fill, args set) for a request: NL_DUMPING, or -EBUSY while another one goes on, or
 * -ENOBUFS.
 */
#define NL_DUMPING 1
int nl_dump_start(struct nl_request *r, const struct nl_dump *d);
/* A dump that ends at once with `err`: Linux says what is wrong with one in its NLMSG_DONE. */
int nl_dump_fail(struct nl_request *r, int err);

/* ---- protocols ---- */

struct nl_protocol {
	u32 number;
	u32 groups; /* how many there are; 0: none */
	/* 0, NL_DUMPING or -errno, which is acknowledged. */
	int (*request)(struct nl_request *r);
};
extern const struct nl_protocol nl_route, nl_sock_diag;

/* ---- sockets, between the files of netlink ---- */

#define NL_F_PKTINFO	     BIT(0)
#define NL_F_BROADCAST_ERROR BIT(1)
#define NL_F_NO_ENOBUFS	     BIT(2)
#define NL_F_CAP_ACK	     BIT(3)
#define NL_F_EXT_ACK	     BIT(4)
#define NL_F_STRICT	     BIT(5)

struct netlink_sock {
	struct socket s;
	const struct nl_protocol *protocol; /* [I] &usersock: programs among themselves */
	u32 portid;			    /* [a] 0: not bound; set once */
	u32 peer_portid, peer_group;	    /* [a] of connect() */
	u32 options;			    /* [a] NL_F_* */
	u32 max_recv; /* [a] the largest buffer of a receive: how large pieces of dumps are */
	struct list by_port;	/* [L:table] */
	u64 groups;		/* [L:subscribers] bit n - 1: group n */
	struct list subscriber; /* [L:subscribers] empty: no groups */
	struct dgram_queue queue;
	struct mutex dump_lock; /* RANK_NETLINK_DUMP */
	struct nl_dump dump;	/* [L:dump_lock] */
	bool dumping;		/* [a] changes under dump_lock */
};

static inline struct netlink_sock *netlink_of(struct socket *s)
{
	return container_of(s, struct netlink_sock, s);
}

/* Queues a copy of the bytes for `n`; without room the socket is told of the overrun. 0 or -errno. */
int netlink_deliver(struct netlink_sock *n, const void *data, u32 len, u32 portid, u32 group);
/* Goes on with the dump of `n`. Context: n->dump_lock held. */
void netlink_dump_step(struct netlink_sock *n);
/* Works off the messages of one send. */
void netlink_requests(struct netlink_sock *n, const u8 *data, u32 len);

/* netlink_table.c */
void netlink_tables_init(void);
/* Gives `n` a number: `portid`, or one that is free if 0. 0, -EADDRINUSE, -EINVAL: it has another one. */
int netlink_bind_port(struct netlink_sock *n, u32 portid);
/* The socket of a number, with a reference, or NULL. */
struct netlink_sock *netlink_find(u32 protocol, u32 portid);
void netlink_set_groups(struct netlink_sock *n, u64 set, u64 clear);
u64 netlink_groups(struct netlink_sock *n);
/* Leaves both tables. */
void netlink_leave(struct netlink_sock *n);
/* A datagram for all subscribers of a group but `except` (a number, 0: nobody). True if there was one. */
void netlink_broadcast(u32 protocol, u32 group, const struct nl_buf *b, u32 portid, u32 except);
/* True if somebody may listen: what nobody hears need not be built. */
bool netlink_has_subscribers(void);
/* For /proc/net/netlink: calls fn for every bound socket under a spin lock. */
void netlink_for_each(void (*fn)(struct netlink_sock *n, void *arg), void *arg);

#endif
